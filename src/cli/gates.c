/* SPDX-License-Identifier: Apache-2.0
 * gates - davit approve, reject: answer for a rollout that waits, having seen what goes out; davit freeze, unfreeze:
 *         nothing goes out for a while. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/gate_view.h"
#include "cli/screen.h"
#include "cli/verbs.h"
#include "config/approval.h"
#include "os/ssh_signature.h"

enum { TEXT_MAX = 256 * 1024 };

/* True: go on. */
static bool confirmed(const struct cli *cli, const json_t *rollout, const char *question)
{
	char line[16] = "";
	struct buf text;
	bool asks = !cli_option(cli, "yes") && cli->terminal && isatty(STDIN_FILENO);
	buf_init(&text, TEXT_MAX);
	if (asks)
		gate_draw(cli, rollout, &text);
	else /* whoever is not asked is told what nobody should miss */
		gate_draw_bad_commits(cli, rollout, &text);
	fputs(buf_text(&text), stderr);
	buf_done(&text);
	if (!asks)
		return true;
	fprintf(stderr, "%s [y/N] ", question);
	return fgets(line, sizeof line, stdin) && (line[0] == 'y' || line[0] == 'Y');
}

/* --- answers */

static int sign(const struct cli *cli, const json_t *rollout, const char *verdict, json_t *body)
{
	const char *key = cli_option(cli, "key"), *reason = json_text_of(body, "reason");
	char environment[128];
	struct buf text, signature;
	struct error err;
	if (!key)
		return CLI_OK;
	snprintf(environment, sizeof environment, "%s/%s", json_text_of(rollout, "app"),
		 json_text_of(rollout, "environment"));
	struct approval approval = {.environment = environment,
				    .rollout = (uint32_t)json_number_of(rollout, "number"),
				    .hash = json_text_of(body, "hash"),
				    .verdict = verdict,
				    .reason = reason};
	buf_init(&text, APPROVAL_TEXT_MAX);
	buf_init(&signature, APPROVAL_SIGNATURE_MAX);
	approval_text(&approval, &text);
	int result = ssh_signature_make(key, APPROVAL_NAMESPACE, buf_text(&text), &signature, &err);
	if (result == 0)
		json_object_set_new(body, "signature", json_string(buf_text(&signature)));
	buf_done(&text);
	buf_done(&signature);
	return result < 0 ? cli_fail(cli, &err, NULL) : CLI_OK;
}

static int send_answer(struct cli *cli, const json_t *rollout, const char *verdict)
{
	char path[64];
	json_t *answer, *body = json_object();
	const char *reason = cli_option(cli, "reason");
	const json_t *gate = json_object_get(rollout, "gate");
	json_object_set_new(body, "hash", json_string(json_text_of(gate, "hash")));
	json_object_set_new(body, "reason", json_string(reason ? reason : ""));
	int code = sign(cli, rollout, verdict, body);
	if (code != CLI_OK) {
		json_decref(body);
		return code;
	}
	snprintf(path, sizeof path, "/v1/rollouts/%llu/%s",
		 (unsigned long long)json_number_of(rollout, "number"), verdict);
	code = ask_post(cli, path, body, &answer);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(answer);
		return CLI_OK;
	}
	printf("Rollout %llu is %s now. %s\nNext: %s\n",
	       (unsigned long long)json_number_of(answer, "number"), json_text_of(answer, "state"),
	       json_text_of(answer, "why"), json_text_of(answer, "next"));
	json_decref(answer);
	return CLI_OK;
}

static int respond(struct cli *cli, const char *verdict, const char *question)
{
	char path[512];
	struct error err;
	json_t *rollout;
	client_path("/v1/rollouts/", cli_arg(cli, 0), "", path, sizeof path);
	int code = ask_get(cli, path, &rollout);
	if (code != CLI_OK)
		return code;
	if (!json_is_object(json_object_get(rollout, "gate"))) {
		error_set(&err, ERR_CONFLICT, "Rollout %llu does not wait for an answer; it is %s.",
			  (unsigned long long)json_number_of(rollout, "number"),
			  json_text_of(rollout, "state"));
		code = cli_fail(cli, &err, json_text_of(rollout, "next"));
	} else if (confirmed(cli, rollout, question)) {
		code = send_answer(cli, rollout, verdict);
	} else {
		fprintf(stderr, "Nothing was answered.\n");
		code = CLI_CANCELLED;
	}
	json_decref(rollout);
	return code;
}

int verb_approve(struct cli *cli)
{
	if (cli_option(cli, "emergency"))
		return respond(cli, "emergency",
			       "An emergency: let it out without what is missing?");
	return respond(cli, "approve", "Approve?");
}

int verb_reject(struct cli *cli)
{
	return respond(cli, "reject", "Reject?");
}

/* --- freezes */

/* 2027-01-02, 2027-01-02T15:04, both in local time, or a duration from now. 0: it is none. */
static uint64_t read_until(const char *text)
{
	struct tm tm = {.tm_isdst = -1};
	uint64_t duration_ms;
	if (text_parse_duration(text, &duration_ms))
		return (uint64_t)time(NULL) * 1000 + duration_ms;
	const char *end = strptime(text, "%Y-%m-%dT%H:%M", &tm);
	if (!end || *end) {
		tm = (struct tm){.tm_isdst = -1};
		end = strptime(text, "%Y-%m-%d", &tm);
	}
	time_t at = end && !*end ? mktime(&tm) : -1;
	return at > 0 ? (uint64_t)at * 1000 : 0;
}

static int set_freeze(struct cli *cli, bool on)
{
	char path[512], when[32];
	const char *until = on ? cli_option(cli, "until") : NULL,
		   *reason = cli_option(cli, "reason"), *environment = cli_arg(cli, 0);
	struct error err;
	json_t *answer, *body = json_object();
	uint64_t until_ms = until ? read_until(until) : 0;
	if (until && until_ms == 0) {
		json_decref(body);
		error_set(
			&err, ERR_INVALID,
			"--until takes a day such as 2027-01-02, a time such as 2027-01-02T15:04, "
			"or a duration such as 8h, not \"%s\".",
			until);
		return cli_fail(cli, &err, "davit freeze --help");
	}
	if (until_ms > 0)
		json_object_set_new(body, "until_unix_ms", json_integer((json_int_t)until_ms));
	json_object_set_new(body, "reason", json_string(reason ? reason : ""));
	client_path("/v1/environments/", environment, on ? "/freeze" : "/unfreeze", path,
		    sizeof path);
	int code = ask_post(cli, path, body, &answer);
	if (code != CLI_OK)
		return code;
	if (cli->json) {
		ask_print(answer);
		return CLI_OK;
	}
	json_decref(answer);
	if (!on)
		printf("Releases may go out to %s again. Next: davit status %s\n", environment,
		       environment);
	else
		printf("Nothing goes out to %s %s%s; a rollback still does. Next: davit unfreeze "
		       "%s\n",
		       environment, until_ms ? "until " : "before it is lifted",
		       until_ms ? screen_time(until_ms, when) : "", environment);
	return CLI_OK;
}

int verb_freeze(struct cli *cli)
{
	return set_freeze(cli, true);
}

int verb_unfreeze(struct cli *cli)
{
	return set_freeze(cli, false);
}
