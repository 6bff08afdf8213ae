/* SPDX-License-Identifier: Apache-2.0
 * survey_go - Go modules: which package is the program, and what has to be fetched. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "cli/survey_kinds.h"

/* Does a Go file at the top declare the program? */
static bool is_main(int dir_fd)
{
	char path[SURVEY_RUN_SIZE];
	struct buf text;
	bool found = false;
	static const char *const usual[] = {"main.go", "server.go", "app.go", NULL};
	const char *name = survey_first(dir_fd, usual);
	if (!name && survey_find(dir_fd, ".", "", ".go", path))
		name = path;
	if (name && survey_read(dir_fd, name, &text))
		found = text_starts(buf_text(&text), "package main") ||
			strstr(buf_text(&text), "\npackage main");
	if (name)
		buf_done(&text);
	return found;
}

/* The module's last name that is no version: example.com/ann/shop/v2 is shop. */
static void name_program(const char *text, const char *app, char program[100])
{
	char module[200] = "";
	const char *line = text_starts(text, "module ") ? text : strstr(text, "\nmodule ");
	survey_word(line ? line : "", "module", module, sizeof module);
	char *slash = strrchr(module, '/');
	if (slash && slash[1] == 'v' && slash[2] &&
	    strspn(slash + 2, "0123456789") == strlen(slash + 2)) {
		*slash = '\0';
		slash = strrchr(module, '/');
	}
	const char *last = slash ? slash + 1 : module;
	text_copy(program, 100, survey_is_plain(last) && strlen(last) < 100 ? last : app);
}

/* The package below cmd/ that is called as the program, or the first. */
static bool is_directory(int dir_fd, const char *path)
{
	struct stat about;
	return fstatat(dir_fd, path, &about, 0) == 0 && S_ISDIR(about.st_mode);
}

/* The package of each program is a directory below cmd/. */
static bool find_command(int dir_fd, char program[100])
{
	char path[SURVEY_RUN_SIZE];
	snprintf(path, sizeof path, "cmd/%s", program);
	if (is_directory(dir_fd, path))
		return true;
	if (!survey_find(dir_fd, "cmd", "", "", path) || !is_directory(dir_fd, path))
		return false;
	text_copy(program, 100, path + strlen("cmd/"));
	return true;
}

static void add_checks(int dir_fd, struct survey *s)
{
	static const char *const linter[] = {".golangci.yml", ".golangci.yaml", ".golangci.toml",
					     ".golangci.json", NULL};
	const char *configured = survey_first(dir_fd, linter);
	if (configured && survey_stage_finds("golangci-lint"))
		survey_add(s, "lint", "golangci-lint run");
	else
		survey_add(s, "lint", "go vet ./...");
	survey_add(s, "unit", "go test ./...");
}

bool survey_go(int dir_fd, struct survey *s)
{
	struct survey_pipeline *p = &s->pipeline;
	struct buf text;
	char program[100];
	bool found = survey_read(dir_fd, "go.mod", &text);
	if (found) {
		name_program(buf_text(&text), s->app, program);
		bool beneath = !is_main(dir_fd) && survey_has(dir_fd, "cmd/main.go");
		bool top = is_main(dir_fd) || (!beneath && !find_command(dir_fd, program));
		bool fetches =
			strstr(buf_text(&text), "\nrequire") && !survey_has(dir_fd, "vendor");
		s->kind = "go";
		s->seen = "go.mod";
		/* Where the name is taken by a directory, go would build into that. */
		snprintf(s->run, sizeof s->run, "./%s%s", survey_has(dir_fd, program) ? "bin/" : "",
			 program);
		snprintf(p->compile, sizeof p->compile, "go build -o %s %s%s", s->run + 2,
			 top       ? "."
			 : beneath ? "./cmd"
				   : "./cmd/",
			 top || beneath ? "" : program);
		text_copy(s->build, sizeof s->build, p->compile);
		/* What is compiled of the standard library goes on to the other stages as well. */
		p->variable = "GOPATH: /work/.go, GOCACHE: /work/.go/build, GOFLAGS: -modcacherw";
		p->cache_paths = ".go/";
		text_copy(p->outputs, sizeof p->outputs, ".go/");
		text_copy(p->cache_key, sizeof p->cache_key,
			  survey_has(dir_fd, "go.sum") ? "go.sum" : "go.mod");
		p->network = fetches;
		survey_archive(s, s->run + 2);
		add_checks(dir_fd, s);
		survey_requires(
			s, "go",
			"apt-get install golang-go, or unpack Go's own archive to /usr/local/go");
	}
	buf_done(&text);
	return found;
}
