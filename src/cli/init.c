/* SPDX-License-Identifier: Apache-2.0
 * init - davit init: look at the repository, write a commented davit.yaml, say what comes next. What is there
 *        already is never overwritten. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/ask.h"
#include "cli/config_file.h"
#include "cli/init_write.h"
#include "cli/survey.h"
#include "cli/verbs.h"
#include "os/file.h"

static int write_new(const struct buf *text, struct error *err)
{
	AUTO_CLOSE int fd = open("davit.yaml", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 && errno == EEXIST)
		return error_set(
			err, ERR_CONFLICT,
			"There is a davit.yaml here already, and davit never overwrites one.");
	if (fd < 0 || write(fd, text->data, text->size) != (ssize_t)text->size) {
		int number = errno;
		if (fd >= 0)
			unlink("davit.yaml");
		return error_errno(err, number, "The file davit.yaml cannot be written");
	}
	return 0;
}

/* What a repository says may be no command that davit can run: then the guess is a plain one. */
static void write_valid(struct survey *survey, bool gated, struct buf *to)
{
	struct config_errors *errors = mem_zero(1, sizeof *errors);
	struct app *app;
	init_write(survey, gated, to);
	if (config_load(buf_text(to), to->size, "davit.yaml", &app, errors) < 0) {
		snprintf(survey->run, sizeof survey->run, "./%s --port $PORT", survey->app);
		survey->sure = false;
		survey->pipeline.archive[0] = '\0';
		buf_clear(to);
		init_write(survey, gated, to);
	} else {
		config_free(app);
	}
	free(errors);
}

static void print_json(const struct survey *survey)
{
	json_t *notes = json_array(), *off = json_array();
	for (uint32_t i = 0; i < survey->note_count; i++)
		json_array_append_new(notes, json_string(survey->notes[i]));
	for (uint32_t i = 0; i < survey->pipeline.check_count; i++)
		if (survey->pipeline.checks[i].why[0])
			json_array_append_new(off, json_string(survey->pipeline.checks[i].name));
	ask_print(json_pack("{s:s,s:s,s:s,s:s,s:s,s:b,s:o,s:o}", "schema", "davit.v1/init", "file",
			    "davit.yaml", "kind", survey->kind, "app", survey->app, "run",
			    survey->run, "sure", survey->sure, "notes", notes, "off", off));
}

static void print_text(const struct survey *survey)
{
	printf("Wrote davit.yaml for %s (%s%s%s).%s\n", survey->app, survey->kind,
	       survey->seen[0] ? ", from " : "", survey->seen,
	       survey->sure ? "" : " Check the line \"run\".");
	for (uint32_t i = 0; i < survey->pipeline.check_count; i++)
		if (survey->pipeline.checks[i].why[0])
			printf("The stage %s is a comment: %s.\n", survey->pipeline.checks[i].name,
			       survey->pipeline.checks[i].why);
	for (uint32_t i = 0; i < survey->note_count; i++)
		printf("%s\n", survey->notes[i]);
	puts("Next: davit up   (then, in another terminal: davit deploy staging .)");
}

int verb_init(struct cli *cli)
{
	char path[PATH_MAX];
	struct error err;
	struct buf text;
	AUTO_CLOSE int dir_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0 || !getcwd(path, sizeof path)) {
		error_errno(&err, errno, "This directory cannot be read");
		return cli_fail(cli, &err, NULL);
	}
	struct survey *survey = mem_zero(1, sizeof *survey);
	survey_repository(dir_fd, path, survey);
	buf_init(&text, CONFIG_FILE_MAX);
	write_valid(survey, cli_option(cli, "gated") != NULL, &text);
	int result = write_new(&text, &err);
	buf_done(&text);
	if (result == 0 && cli->json)
		print_json(survey);
	else if (result == 0)
		print_text(survey);
	free(survey);
	return result < 0 ? cli_fail(cli, &err, "davit validate") : CLI_OK;
}
