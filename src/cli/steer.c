/* SPDX-License-Identifier: Apache-2.0
 * steer - the verbs that tell a rollout or an environment what to do: promote, pause, resume, abort, rollback,
 *         restart, maintenance. Each says what it changed and what to type next. */
#include <stdio.h>
#include <string.h>

#include "cli/screen.h"
#include "cli/verbs.h"

static json_t *reason_body(const struct cli *cli)
{
	json_t *body = json_object();
	const char *reason = cli_option(cli, "reason");
	if (reason)
		json_object_set_new(body, "reason", json_string(reason));
	return body;
}

/* What we saw before we spoke: the server refuses when it has moved. An abort is never refused for that. */
static int put_expect(struct client *client, const char *rollout, json_t *body, struct error *err)
{
	char path[512];
	json_t *seen;
	client_path("/v1/rollouts/", rollout, "", path, sizeof path);
	int result = client_get(client, path, &seen, err);
	if (result < 0)
		return result;
	json_object_set_new(body, "expect",
			    json_pack("{s:s,s:I,s:I}", "state", json_text_of(seen, "state"), "step",
				      (json_int_t)json_number_of(seen, "plan_step"), "attempt",
				      (json_int_t)json_number_of(seen, "attempt")));
	json_decref(seen);
	return 0;
}

static void print_json(json_t *o)
{
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
}

static int command(struct cli *cli, const char *verb, const char *done)
{
	struct client *client;
	struct error err;
	char path[512], rest[32];
	json_t *answer = NULL, *body = reason_body(cli);
	if (client_open(cli, &client, &err) < 0) {
		json_decref(body);
		return cli_fail(cli, &err, "davit up");
	}
	int result =
		strcmp(verb, "abort") == 0 ? 0 : put_expect(client, cli_arg(cli, 0), body, &err);
	snprintf(rest, sizeof rest, "/%s", verb);
	client_path("/v1/rollouts/", cli_arg(cli, 0), rest, path, sizeof path);
	if (result == 0)
		result = client_post(client, path, body, &answer, &err);
	else
		json_decref(body);
	client_free(client);
	if (result < 0)
		return cli_fail(cli, &err, "davit status");
	if (cli->json)
		print_json(answer);
	else
		printf("Rollout %llu %s; it is %s now. Next: %s\n",
		       (unsigned long long)json_number_of(answer, "number"), done,
		       json_text_of(answer, "state"), json_text_of(answer, "next"));
	json_decref(answer);
	return CLI_OK;
}

int verb_promote(struct cli *cli)
{
	return command(cli, "promote", "was told to go on");
}

int verb_pause(struct cli *cli)
{
	return command(cli, "pause", "was paused");
}

int verb_resume(struct cli *cli)
{
	return command(cli, "resume", "was resumed");
}

int verb_abort(struct cli *cli)
{
	return command(cli, "abort", "was aborted");
}

/* A command that starts a rollout, which is then followed. */
static int begin_and_follow(struct cli *cli, const char *what, json_t *body)
{
	struct client *client;
	struct error err;
	char path[512], rest[32], number[24];
	json_t *answer;
	if (client_open(cli, &client, &err) < 0) {
		json_decref(body);
		return cli_fail(cli, &err, "davit up");
	}
	snprintf(rest, sizeof rest, "/%s", what);
	client_path("/v1/environments/", cli_arg(cli, 0), rest, path, sizeof path);
	if (client_post(client, path, body, &answer, &err) < 0) {
		client_free(client);
		return cli_fail(cli, &err, NULL);
	}
	snprintf(number, sizeof number, "%llu",
		 (unsigned long long)json_number_of(answer, "rollout"));
	json_decref(answer);
	int code = CLI_OK;
	if (!cli_option(cli, "detach"))
		code = follow_rollout(cli, client, number, 0);
	else if (cli->json)
		printf("{\"schema\":\"davit.v1/accepted\",\"rollout\":%s}\n", number);
	else
		printf("Rollout %s has begun. Next: davit watch %s\n", number, number);
	client_free(client);
	return code;
}

/* Going back has succeeded when nothing of the bad release is left: then 0, also when what happened was that
 * a rollout was aborted. */
int verb_rollback(struct cli *cli)
{
	json_t *body = reason_body(cli);
	const char *to = cli_option(cli, "to");
	if (to)
		json_object_set_new(body, "to", json_string(to));
	int code = begin_and_follow(cli, "rollback", body);
	return code == CLI_CANCELLED ? CLI_OK : code;
}

int verb_restart(struct cli *cli)
{
	return begin_and_follow(cli, "restart", reason_body(cli));
}

int verb_maintenance(struct cli *cli)
{
	struct client *client;
	struct error err;
	char path[512];
	json_t *answer, *body = reason_body(cli);
	bool off = cli_option(cli, "off") != NULL;
	json_object_set_new(body, "on", json_boolean(!off));
	if (client_open(cli, &client, &err) < 0) {
		json_decref(body);
		return cli_fail(cli, &err, "davit up");
	}
	client_path("/v1/environments/", cli_arg(cli, 0), "/maintenance", path, sizeof path);
	int result = client_post(client, path, body, &answer, &err);
	client_free(client);
	if (result < 0)
		return cli_fail(cli, &err, "davit status");
	if (cli->json)
		print_json(answer);
	else if (off)
		printf("%s serves again. Next: davit status %s\n", cli_arg(cli, 0),
		       cli_arg(cli, 0));
	else
		printf("%s answers 503 to everybody now. Next: davit maintenance %s --off\n",
		       cli_arg(cli, 0), cli_arg(cli, 0));
	json_decref(answer);
	return CLI_OK;
}
