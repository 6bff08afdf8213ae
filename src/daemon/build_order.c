/* SPDX-License-Identifier: Apache-2.0
 * build_order - davit build: the server builds a commit of the repository that we stand in. */
#include "daemon/build_order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/builds.h"
#include "cli/config_file.h"
#include "cli/which_app.h"
#include "drivers/builder/checkout.h"

/* The application's name, from the commit's davit.yaml; what is wrong with that was told when it is not CLI_OK. */
static int read_app(struct cli *cli, const struct checkout *c, char to[48])
{
	struct buf config;
	struct error err;
	struct app *app;
	buf_init(&config, CONFIG_FILE_MAX);
	int code = checkout_file(c, "davit.yaml", &config, &err) < 0
			   ? cli_fail(cli, &err, "davit init")
			   : config_file_load(cli, &config, "davit.yaml", &app);
	if (code == CLI_OK) {
		text_copy(to, 48, app->name);
		config_free(app);
	}
	buf_done(&config);
	return code;
}

static void add_environments(json_t *body, const char *to)
{
	if (!to)
		return;
	char *names = mem_copy_text(to);
	for (char *p = names; *p; p++)
		*p = *p == ',' ? ' ' : *p;
	json_object_set_new(body, "environments", json_string(names));
	free(names);
}

static json_t *order_of(const struct checkout *c, const char *app, const char *to)
{
	char ref[CHECKOUT_NAME_MAX + 16] = "", repository[CHECKOUT_PATH_SIZE], *last;
	json_t *body = json_object();
	if (c->branch[0])
		snprintf(ref, sizeof ref, "refs/heads/%s", c->branch);
	else if (c->tag[0])
		snprintf(ref, sizeof ref, "refs/tags/%s", c->tag);
	text_copy(repository, sizeof repository, c->objects);
	if ((last = strrchr(repository, '/')))
		*last = '\0'; /* .../objects */
	json_object_set_new(body, "app", json_string(app));
	json_object_set_new(body, "repository", json_string(repository));
	json_object_set_new(body, "commit", json_string(c->commit));
	json_object_set_new(body, "ref", json_string(ref));
	add_environments(body, to);
	return body;
}

/* To a server elsewhere: it has a repository of its own, and looks there for what is named. */
static int send_name(struct cli *cli, struct client *client)
{
	const char *name = cli_arg(cli, 0);
	char app[WHICH_APP_SIZE];
	struct error err;
	if (!name) {
		error_set(&err, ERR_INVALID,
			  "A server elsewhere builds what its own repository has: name a branch, a "
			  "tag or a commit's id.");
		return cli_fail(cli, &err, "davit build main");
	}
	int code = which_app(cli, "Of which application it is", app);
	if (code != CLI_OK)
		return code;
	json_t *body = json_pack("{s:s, s:s}", "app", app, "rev", name);
	add_environments(body, cli_option(cli, "to"));
	return build_ordered(cli, client, "/v1/builds", body, cli->terminal);
}

static int send_commit(struct cli *cli, struct client *client)
{
	const char *ref = cli_arg(cli, 0);
	struct checkout *c = mem_zero(1, sizeof *c);
	struct error err;
	char app[48];
	int code = checkout_find(".", ref ? ref : "HEAD", NULL, c, &err) < 0
			   ? cli_fail(cli, &err, NULL)
			   : read_app(cli, c, app);
	if (code == CLI_OK)
		code = build_ordered(cli, client, "/v1/builds",
				     order_of(c, app, cli_option(cli, "to")), cli->terminal);
	free(c);
	return code;
}

static int cancel(struct cli *cli, struct client *client, const char *path)
{
	json_t *build;
	struct error err;
	if (client_post(client, path, NULL, &build, &err) < 0)
		return cli_fail(cli, &err, client_next(client));
	if (cli->json) {
		ask_print(build);
	} else {
		printf("Build %lld is being cancelled. Next: davit builds %lld\n",
		       json_integer_value(json_object_get(build, "number")),
		       json_integer_value(json_object_get(build, "number")));
		json_decref(build);
	}
	return CLI_OK;
}

/* `--again 41`, `--cancel 41`: no commit is named beside it. */
static int send_number(struct cli *cli, struct client *client, const char *text, bool again)
{
	char path[64];
	uint64_t number;
	struct error err;
	if (!text_parse_u64(text, UINT32_MAX, &number) || cli_arg(cli, 0) ||
	    cli_option(cli, "to")) {
		error_set(&err, ERR_INVALID,
			  "--%s takes the number of a build, and nothing beside it.",
			  again ? "again" : "cancel");
		return cli_fail(cli, &err, "davit builds");
	}
	snprintf(path, sizeof path, "/v1/builds/%llu/%s", (unsigned long long)number,
		 again ? "again" : "cancel");
	return again ? build_ordered(cli, client, path,
				     cli_option(cli, "from-start")
					     ? json_pack("{s:b}", "from_start", 1)
					     : NULL,
				     cli->terminal)
		     : cancel(cli, client, path);
}

int build_order_send(struct cli *cli)
{
	static const char *const locals[] = {"stage", "output", "parallel"};
	const char *again = cli_option(cli, "again"), *ended = cli_option(cli, "cancel");
	struct client *client;
	struct error err;
	for (size_t i = 0; i < sizeof locals / sizeof locals[0]; i++)
		if (cli_option(cli, locals[i])) {
			error_set(&err, ERR_INVALID, "--%s is for --local.", locals[i]);
			return cli_fail(cli, &err, "davit build --help");
		}
	if (cli_option(cli, "from-start") && !again) {
		error_set(&err, ERR_INVALID, "--from-start is for --again.");
		return cli_fail(cli, &err, "davit build --help");
	}
	if (client_open(cli, &client, &err) < 0)
		return cli_fail(cli, &err, "davit up   (or without a server: davit build --local)");
	bool by_name = cli->host || cli_option(cli, "app");
	int code = again || ended ? send_number(cli, client, again ? again : ended, again != NULL)
		   : by_name      ? send_name(cli, client)
				  : send_commit(cli, client);
	client_free(client);
	return code;
}
