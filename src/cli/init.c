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

#include "base/text.h"
#include "cli/ask.h"
#include "cli/config_file.h"
#include "cli/survey.h"
#include "cli/verbs.h"
#include "os/file.h"

static void put_quoted(struct buf *to, const char *text)
{
	buf_puts(to, "'");
	for (; *text; text++)
		buf_append(to, *text == '\'' ? "''" : text, *text == '\'' ? 2 : 1);
	buf_puts(to, "'");
}

/* What the stages after it need: of compile's work, and what is deployed. */
static void compose_outputs(const struct survey_pipeline *p, struct buf *to)
{
	size_t first = p->outputs ? strcspn(p->outputs, "/") + 1 : 0;
	bool within = p->outputs && strncmp(p->archive, p->outputs, first) == 0;
	bool apart = strcmp(p->archive, ".") != 0 && !within;
	if (!p->outputs && !apart)
		return;
	buf_printf(to, "\n    outputs: [%s", p->outputs ? p->outputs : "");
	if (apart)
		buf_printf(to, "%s'%s'", p->outputs ? ", " : "", p->archive);
	buf_puts(to, "]");
}

static void compose_stage(const struct survey_pipeline *p, const char *name, const char *script,
			  struct buf *to)
{
	bool compiles = script == p->compile;
	buf_printf(to, "  %s:\n    run: ", name);
	put_quoted(to, script);
	if (!compiles && p->compile)
		buf_puts(to, "\n    needs: [compile]");
	if (p->variable)
		buf_printf(to, "\n    env: { %s }", p->variable);
	if (compiles && p->network)
		buf_puts(to,
			 "\n    network: true # it fetches what the repository names; nothing else "
			 "may");
	if (compiles && p->cache_key)
		buf_printf(to, "\n    cache: { key: [%s], paths: [%s] }", p->cache_key,
			   p->cache_paths);
	if (compiles)
		compose_outputs(p, to);
	buf_puts(to, "\n");
}

static void compose_pipeline(const struct survey *s, struct buf *to)
{
	const struct survey_pipeline *p = &s->pipeline;
	if (!p->archive[0])
		return;
	buf_puts(to,
		 "# From a commit to what is deployed. Each stage runs in a sandbox, in a clean "
		 "copy of the commit:\n"
		 "# davit build --local\n"
		 "pipeline:\n");
	if (p->compile)
		compose_stage(p, "compile", p->compile, to);
	if (p->test)
		compose_stage(p, "unit", p->test, to);
	buf_printf(to, "  package:\n    archive: ['%s']\n", p->archive);
	if (p->test || p->compile)
		buf_printf(to, "    needs: [%s]\n", p->test ? "unit" : "compile");
	buf_puts(to, "\n");
}

static void compose(const struct survey *s, struct buf *to)
{
	buf_puts(to, "# What davit needs to know to put this application live. Every key: davit "
		     "docs KEY\n"
		     "# Check this file:  davit validate\n");
	buf_printf(to, "app: %s\n\n", s->app);
	compose_pipeline(s, to);
	buf_puts(to, "service:\n");
	if (!s->sure)
		buf_puts(to, "  # A guess: how the program is started. Please check it.\n");
	buf_puts(to, "  # It stays in the foreground and listens on 127.0.0.1:$PORT; davit chooses "
		     "the port and says\n"
		     "  # it in the variable PORT as well.\n");
	if (s->build)
		buf_printf(to, "  # Build before you deploy: %s\n", s->build);
	if (strcmp(s->kind, "docker") == 0)
		buf_puts(to, "  # davit runs the program itself, as the Dockerfile's CMD does, not "
			     "the container.\n");
	buf_puts(to, "  run: ");
	put_quoted(to, s->run);
	buf_puts(to, "\n  instances: 2\n"
		     "  # A path that answers 200 once the program can take requests. Without one, "
		     "write { tcp: true }.\n"
		     "  health: { path: /, interval: 1s, deadline: 60s }\n"
		     "  # What requests under way may take when an instance ends.\n"
		     "  drain: { requests: 30s }\n\n"
		     "# A new release is judged by its own answers while few users see it, and "
		     "goes back by itself.\n"
		     "analysis:\n"
		     "  errors: { max: 2%, at_least: 50 requests }\n\n"
		     "environments:\n"
		     "  staging:\n"
		     "    listen: 127.0.0.1:8081\n"
		     "    strategy: blue-green # all at once, and back at once\n"
		     "    # trigger: { branch: main } # what is pushed there comes here; see: "
		     "davit remote\n"
		     "  prod:\n"
		     "    listen: 0.0.0.0:8080\n"
		     "    strategy: canary # 1 %, 10 %, 50 %, then everybody; see: davit docs "
		     "strategy\n");
}

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
static void compose_valid(struct survey *survey, struct buf *to)
{
	struct config_errors *errors = mem_zero(1, sizeof *errors);
	struct app *app;
	compose(survey, to);
	if (config_load(buf_text(to), to->size, "davit.yaml", &app, errors) < 0) {
		snprintf(survey->run, sizeof survey->run, "./%s --port $PORT", survey->app);
		survey->sure = false;
		survey->pipeline.archive[0] = '\0';
		buf_clear(to);
		compose(survey, to);
	} else {
		config_free(app);
	}
	free(errors);
}

int verb_init(struct cli *cli)
{
	char path[PATH_MAX];
	struct survey survey;
	struct error err;
	struct buf text;
	AUTO_CLOSE int dir_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0 || !getcwd(path, sizeof path)) {
		error_errno(&err, errno, "This directory cannot be read");
		return cli_fail(cli, &err, NULL);
	}
	survey_repository(dir_fd, path, &survey);
	buf_init(&text, CONFIG_FILE_MAX);
	compose_valid(&survey, &text);
	int result = write_new(&text, &err);
	buf_done(&text);
	if (result < 0)
		return cli_fail(cli, &err, "davit validate");
	if (cli->json) {
		ask_print(json_pack("{s:s,s:s,s:s,s:s,s:s,s:b}", "schema", "davit.v1/init", "file",
				    "davit.yaml", "kind", survey.kind, "app", survey.app, "run",
				    survey.run, "sure", survey.sure));
		return CLI_OK;
	}
	printf("Wrote davit.yaml for %s (%s%s%s).%s\nNext: davit up   (then, in another terminal: "
	       "davit deploy "
	       "staging .)\n",
	       survey.app, survey.kind, survey.seen[0] ? ", from " : "", survey.seen,
	       survey.sure ? "" : " Check the line \"run\".");
	return CLI_OK;
}
