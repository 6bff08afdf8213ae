/* SPDX-License-Identifier: Apache-2.0
 * steer - the verbs that tell a rollout or an environment what to do: promote, pause, resume, abort, rollback,
 *         restart, maintenance. Each says what it changed and what to type next. */
#include <stdio.h>
#include <string.h>

#include "cli/ask.h"
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

/* What we saw before we spoke: the server refuses when it has moved. */
static json_t *expect_of(const json_t *seen)
{
	return json_pack("{s:s,s:I,s:I}", "state", json_text_of(seen, "state"), "step",
			 (json_int_t)json_number_of(seen, "plan_step"), "attempt",
			 (json_int_t)json_number_of(seen, "attempt"));
}

/* An abort is never refused for what moved meanwhile. */
static int command(struct cli *cli, const char *verb, const char *done)
{
	char path[512], rest[32];
	json_t *answer, *seen, *body = reason_body(cli);
	client_path("/v1/rollouts/", cli_arg(cli, 0), "", path, sizeof path);
	if (strcmp(verb, "abort") != 0) {
		int code = ask_get(cli, path, &seen);
		if (code != CLI_OK) {
			json_decref(body);
			return code;
		}
		json_object_set_new(body, "expect", expect_of(seen));
		json_decref(seen);
	}
	snprintf(rest, sizeof rest, "/%s", verb);
	client_path("/v1/rollouts/", cli_arg(cli, 0), rest, path, sizeof path);
	int code = ask_post(cli, path, body, &answer);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(answer);
		return CLI_OK;
	}
	printf("Rollout %llu %s; it is %s now. Next: %s\n",
	       (unsigned long long)json_number_of(answer, "number"), done,
	       json_text_of(answer, "state"), json_text_of(answer, "next"));
	json_decref(answer);
	return CLI_OK;
}

void promote_step(const struct cli *cli, const json_t *rollout)
{
	static uint64_t promoted; /* step and attempt, each once */
	const json_t *step =
		json_array_get(json_object_get(rollout, "steps"), json_number_of(rollout, "step"));
	const char *op = json_text_of(step, "op"), *state = json_text_of(rollout, "state");
	uint64_t place =
		(json_number_of(rollout, "attempt") << 32) + json_number_of(rollout, "step") + 1;
	bool waits = strcmp(op, "hold") == 0; /* a gate wants an answer of its own */
	char path[64];
	struct client *client;
	struct error err;
	json_t *answer;
	if (!waits || place == promoted ||
	    (strcmp(state, "running") != 0 && strcmp(state, "paused") != 0))
		return;
	json_t *body = reason_body(cli);
	json_object_set_new(body, "expect", expect_of(rollout));
	snprintf(path, sizeof path, "/v1/rollouts/%llu/promote",
		 (unsigned long long)json_number_of(rollout, "number"));
	if (client_open(cli, &client, &err) < 0) {
		json_decref(body);
		return;
	}
	/* Refused: it has moved already, and what it moved to comes as the next event. */
	if (client_post(client, path, body, &answer, &err) == 0) {
		promoted = place;
		json_decref(answer);
	}
	client_free(client);
}

int verb_promote(struct cli *cli)
{
	struct client *client;
	struct error err;
	if (!cli_option(cli, "full"))
		return command(cli, "promote", "was told to go on");
	if (client_open(cli, &client, &err) < 0)
		return cli_fail(cli, &err, client_open_next(cli));
	struct follow_options options = {.promote = true};
	int code = follow_rollout(cli, client, cli_arg(cli, 0), &options);
	client_free(client);
	return code;
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
	snprintf(rest, sizeof rest, "/%s", what);
	client_path("/v1/environments/", cli_arg(cli, 0), rest, path, sizeof path);
	int code = ask_post(cli, path, body, &answer);
	if (code != CLI_OK)
		return code;
	snprintf(number, sizeof number, "%llu",
		 (unsigned long long)json_number_of(answer, "rollout"));
	if (cli_option(cli, "detach")) {
		if (!cli->json)
			printf("Rollout %s has begun. Next: davit watch %s\n", number, number);
		else
			json_dumpf(answer, stdout, JSON_COMPACT), putchar('\n');
	} else if (client_open(cli, &client, &err) < 0) {
		code = cli_fail(cli, &err, client_open_next(cli));
	} else {
		code = follow_rollout(cli, client, number, &(struct follow_options){0});
		client_free(client);
	}
	json_decref(answer);
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
	if (cli_option(cli, "across-migration"))
		json_object_set_new(body, "across_migration", json_true());
	int code = begin_and_follow(cli, "rollback", body);
	return code == CLI_CANCELLED ? CLI_OK : code;
}

int verb_restart(struct cli *cli)
{
	return begin_and_follow(cli, "restart", reason_body(cli));
}

int verb_maintenance(struct cli *cli)
{
	struct error err;
	char path[512];
	json_t *answer, *body;
	bool off = cli_option(cli, "off") != NULL, reads = cli_option(cli, "read-only") != NULL;
	if (off + reads + (cli_option(cli, "on") != NULL) > 1) {
		error_set(&err, ERR_INVALID,
			  "--on, --read-only and --off together make no sense: choose one.");
		return cli_fail(cli, &err, "davit maintenance --help");
	}
	body = reason_body(cli);
	json_object_set_new(body, "on", json_boolean(!off));
	json_object_set_new(body, "read_only", json_boolean(reads));
	client_path("/v1/environments/", cli_arg(cli, 0), "/maintenance", path, sizeof path);
	int code = ask_post(cli, path, body, &answer);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(answer);
		return CLI_OK;
	}
	json_decref(answer);
	if (off)
		printf("%s serves again. Next: davit status %s\n", cli_arg(cli, 0),
		       cli_arg(cli, 0));
	else
		printf("%s answers 503 to %s now. Next: davit maintenance %s --off\n",
		       cli_arg(cli, 0), reads ? "whatever may change something" : "everybody",
		       cli_arg(cli, 0));
	return CLI_OK;
}
