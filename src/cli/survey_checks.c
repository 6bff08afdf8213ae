/* SPDX-License-Identifier: Apache-2.0
 * survey_checks - what fits any kind: shell scripts, scanners of C, a script of integration tests.
 *
 * A scanner that nobody configured is proposed only where it finds nothing today: it is tried, as the stage would run
 * it, with the stage's PATH. It reads the tree and runs nothing of it. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/survey_kinds.h"
#include "os/capture.h"
#include "os/file.h"
#include "os/stage_path.h"

enum answer { PASSES, FINDS, UNKNOWN };

static enum answer attempt(int dir_fd, const char *script)
{
	static const char *const environment[] = {"PATH=" STAGE_PATH, "LANG=C.UTF-8",
						  "RUFF_NO_CACHE=true", NULL};
	const char *const argv[] = {"/bin/sh", "-e", "-c", script, NULL};
	char directory[40];
	struct buf out, errors;
	struct error ignored;
	struct process_end end = {.code = -1};
	snprintf(directory, sizeof directory, "/proc/self/fd/%d", dir_fd);
	const struct capture run = {.argv = argv,
				    .environment = environment,
				    .directory = directory,
				    .deadline_ms = SURVEY_TRY_MS};
	buf_init(&out, 4096);
	buf_init(&errors, 4096);
	int code = capture_run(&run, &out, &errors, &end, &ignored);
	buf_done(&out);
	buf_done(&errors);
	return code < 0 || end.code < 0 || end.code > 1 ? UNKNOWN : end.code == 0 ? PASSES : FINDS;
}

void survey_try(int dir_fd, struct survey_stage *stage, const char *script, const char *first)
{
	char tool[40];
	if (!stage || stage->why[0])
		return;
	enum answer answer = attempt(dir_fd, script);
	snprintf(tool, sizeof tool, "%.*s", (int)strcspn(script, " "), script);
	if (answer == FINDS)
		survey_doubt(stage, "%s finds something today (%s)", tool, first);
	else if (answer == UNKNOWN)
		survey_doubt(stage, "%s was tried, and did not end well within %d s (%s)", tool,
			     SURVEY_TRY_MS / 1000, script);
}

static void add_shellcheck(int dir_fd, struct survey *s)
{
	static const char *const places[] = {".", "bin", "scripts", "tools", "tests"};
	char script[SURVEY_SCRIPT_SIZE] = "shellcheck --severity=warning", path[SURVEY_RUN_SIZE];
	bool any = false;
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		size_t used = strlen(script);
		if (!survey_find(dir_fd, places[i], "", ".sh", path))
			continue;
		snprintf(script + used, sizeof script - used, " %s%s*.sh", i > 0 ? places[i] : "",
			 i > 0 ? "/" : "");
		any = true;
	}
	if (!any || !survey_stage_finds("shellcheck"))
		return;
	struct survey_stage *lint = survey_add(s, "lint", "%s", script);
	if (!lint)
		lint = survey_add(s, "shellcheck", "%s", script);
	if (!lint)
		return;
	lint->alone = true;
	survey_try(dir_fd, lint, script, script);
}

static void scan_c(int dir_fd, struct survey *s)
{
	struct survey_stage *scan = NULL;
	if (survey_stage_finds("flawfinder")) {
		scan = survey_add(s, "scan", "flawfinder --quiet --sarif . > findings.sarif");
		if (scan)
			scan->report = "findings.sarif";
		/* Its levels 4 and 5 are what "high" is. */
		survey_try(dir_fd, scan, "flawfinder --quiet --dataonly --error-level=4 .",
			   "keep that: flawfinder --quiet --sarif . > baseline.sarif");
	} else if (survey_stage_finds("cppcheck")) {
		scan = survey_add(s, "scan", "cppcheck --quiet --error-exitcode=1 .");
		survey_try(dir_fd, scan, "cppcheck --quiet --error-exitcode=1 .",
			   "cppcheck --quiet .");
	}
	if (scan)
		scan->alone = true;
}

static void add_integration_script(int dir_fd, struct survey *s)
{
	static const char *const files[] = {"tests/integration.sh", "test/integration.sh",
					    "scripts/integration.sh", "integration.sh", NULL};
	const char *file = survey_first(dir_fd, files);
	char script[100];
	if (!file)
		return;
	snprintf(script, sizeof script, "%s%s",
		 faccessat(dir_fd, file, X_OK, 0) == 0 ? "./" : "sh ", file);
	survey_add_integration(dir_fd, s, script);
}

/* What a compiled program is likely to read where it runs. */
static void add_assets(int dir_fd, struct survey_pipeline *p)
{
	static const char *const usual[] = {"assets", "migrations", "public",
					    "static", "templates",  "views"};
	if (!p->archive[0] || strcmp(p->archive, ".") == 0)
		return;
	for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
		AUTO_CLOSE int fd =
			openat(dir_fd, usual[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		size_t used = strlen(p->assets);
		if (fd >= 0)
			snprintf(p->assets + used, sizeof p->assets - used, ", %s/", usual[i]);
	}
}

void survey_add_common(int dir_fd, struct survey *s)
{
	add_assets(dir_fd, &s->pipeline);
	add_integration_script(dir_fd, s);
	add_shellcheck(dir_fd, s);
	if (strcmp(s->kind, "c") == 0)
		scan_c(dir_fd, s);
}
