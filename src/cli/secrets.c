/* SPDX-License-Identifier: Apache-2.0
 * secrets - davit secrets: what an application is given and nobody reads again. A value comes from standard input, never
 *           from the command line or the environment, which others may see. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/client.h"
#include "cli/screen.h"
#include "cli/verbs.h"
#include "cli/which_app.h"
#include "config/config.h"
#include "config/stages.h"

enum { TEXT_MAX = 1 << 20, VALUE_MAX = 64 * 1024, APP_SIZE = 64, PATH_SIZE = 1024 };

/* --- the value */

static void read_all(struct buf *to)
{
	char part[4096];
	size_t size;
	while (!to->overflowed && (size = fread(part, 1, sizeof part, stdin)) > 0)
		buf_append(to, part, size);
	explicit_bzero(part, sizeof part);
}

/* What a person types is not shown. */
static void read_hidden(struct buf *to)
{
	struct termios before, hidden;
	char line[4096];
	bool known = tcgetattr(STDIN_FILENO, &before) == 0;
	hidden = before;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	if (known)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	fputs("Value (it is not shown): ", stderr);
	if (fgets(line, sizeof line, stdin))
		buf_puts(to, line);
	explicit_bzero(line, sizeof line);
	if (known)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputs("\n", stderr);
}

static int read_value(const struct cli *cli, struct buf *to)
{
	struct error err;
	setvbuf(stdin, NULL, _IONBF, 0); /* no copy in a buffer of the library's */
	if (isatty(STDIN_FILENO))
		read_hidden(to);
	else
		read_all(to);
	if (to->overflowed)
		error_set(&err, ERR_LIMIT, "A secret has at most %d bytes.", VALUE_MAX);
	/* What echo and editors put at the end. */
	if (!cli_option(cli, "raw") && to->size > 0 && to->data[to->size - 1] == '\n')
		to->data[--to->size] = '\0';
	if (!to->overflowed && to->size > 0)
		return CLI_OK;
	if (!to->overflowed)
		error_set(&err, ERR_INVALID,
			  "Nothing came from standard input, so nothing was set.");
	return cli_fail(cli, &err, "printf %s VALUE | davit secrets set NAME");
}

/* --- set and rotate */

static int send_value(const struct cli *cli, const char *path, const struct buf *value,
		      json_t **ret_answer)
{
	struct client *client;
	struct error err;
	if (client_open(cli, &client, &err) < 0)
		return cli_fail(cli, &err, client_open_next(cli));
	int result = client_send(client, path, value->data, value->size, ret_answer, &err);
	int code = result < 0 ? cli_fail(cli, &err, client_next(client)) : CLI_OK;
	client_free(client);
	return code;
}

static void print_set(const json_t *answer, bool rotate)
{
	const json_t *row;
	size_t i;
	printf("%s of %s has version %llu now.\n", json_text_of(answer, "name"),
	       json_text_of(answer, "app"), (unsigned long long)json_number_of(answer, "version"));
	json_array_foreach (json_object_get(answer, "restarted"), i, row)
		printf("%s is restarted with it: rollout %llu. Next: davit watch %s\n",
		       json_text_of(row, "environment"),
		       (unsigned long long)json_number_of(row, "rollout"),
		       json_text_of(row, "environment"));
	json_array_foreach (json_object_get(answer, "left"), i, row)
		printf("%s is not restarted: %s\n", json_text_of(row, "environment"),
		       json_text_of(row, "why"));
	if (text_starts(json_text_of(answer, "name"), APP_STAGE_SECRETS))
		printf("Stages that ask for it get it from the next build on, those of every "
		       "branch "
		       "that may be pushed, unless the server's own file names the branches.\n");
	else if (!rotate)
		printf("Instances that start from now on get it. Next: davit secrets list\n");
	else if (json_array_size(json_object_get(answer, "restarted")) +
			 json_array_size(json_object_get(answer, "left")) ==
		 0)
		printf("No live release uses it.\n");
}

static int set(const struct cli *cli, const char *name, bool rotate)
{
	char app[APP_SIZE], path[PATH_SIZE] = "/v1/secrets";
	struct buf value;
	json_t *answer;
	int code = which_app(cli, "Whose secret it is", app);
	if (code != CLI_OK)
		return code;
	buf_init(&value, VALUE_MAX);
	value.secret = true;
	code = read_value(cli, &value);
	client_query(path, sizeof path, "app", app);
	client_query(path, sizeof path, "name", name);
	client_query(path, sizeof path, "restart", rotate ? "true" : NULL);
	if (code == CLI_OK)
		code = send_value(cli, path, &value, &answer);
	buf_done(&value);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(answer);
		return CLI_OK;
	}
	print_set(answer, rotate);
	json_decref(answer);
	return CLI_OK;
}

static int remove_secret(const struct cli *cli, const char *name)
{
	char app[APP_SIZE];
	json_t *answer;
	int code = which_app(cli, "Whose secret it is", app);
	if (code != CLI_OK)
		return code;
	code = ask_post(cli, "/v1/secrets/remove",
			json_pack("{s:s, s:s}", "app", app, "name", name), &answer);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(answer);
		return CLI_OK;
	}
	json_decref(answer);
	printf("%s of %s is gone, in all its versions. What runs keeps it until it is started "
	       "anew.\n",
	       name, app);
	return CLI_OK;
}

/* --- the list */

static void put_secret(const struct cli *cli, struct buf *to, const json_t *row)
{
	const json_t *use;
	char when[32], name[128];
	size_t i;
	snprintf(name, sizeof name, "%s %s", json_text_of(row, "app"), json_text_of(row, "name"));
	screen_put(cli, to, TONE_PLAIN, "%-32s  version %-4llu", name,
		   (unsigned long long)json_number_of(row, "version"));
	screen_put(cli, to, TONE_FAINT, "  %s by %s",
		   screen_time(json_number_of(row, "set_unix_ms"), when), json_text_of(row, "by"));
	json_array_foreach (json_object_get(row, "used"), i, use) {
		screen_put(cli, to, TONE_PLAIN, "%s%s", i > 0 ? ", " : "  in ",
			   json_text_of(use, "environment"));
		if (strcmp(json_text_of(use, "version"), "pinned") == 0)
			screen_put(cli, to, TONE_FAINT, " (pinned)");
		if (strcmp(json_text_of(use, "by"), "checks") == 0)
			screen_put(cli, to, TONE_FAINT, " (checks)");
	}
	buf_puts(to, "\n");
}

static int list(const struct cli *cli)
{
	json_t *answer, *row;
	struct buf text;
	size_t i;
	int code = ask_get(cli, "/v1/secrets", &answer);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(answer);
		return CLI_OK;
	}
	buf_init(&text, TEXT_MAX);
	json_array_foreach (json_object_get(answer, "secrets"), i, row)
		put_secret(cli, &text, row);
	if (text.size == 0)
		fputs("There is no secret yet. Next: davit secrets set prod/db\n", stderr);
	fputs(buf_text(&text), stdout);
	buf_done(&text);
	json_decref(answer);
	return CLI_OK;
}

int verb_secrets(struct cli *cli)
{
	const char *what = cli_arg(cli, 0), *name = cli_arg(cli, 1);
	struct error err;
	if ((!what || strcmp(what, "list") == 0) && !name)
		return list(cli);
	if (name && strcmp(what, "set") == 0)
		return set(cli, name, false);
	if (name && strcmp(what, "rotate") == 0)
		return set(cli, name, true);
	if (name && strcmp(what, "remove") == 0)
		return remove_secret(cli, name);
	error_set(&err, ERR_INVALID,
		  "davit secrets takes: list, set NAME, rotate NAME, or remove NAME.");
	return cli_fail(cli, &err, "davit secrets --help");
}
