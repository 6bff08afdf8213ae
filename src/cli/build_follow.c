/* SPDX-License-Identifier: Apache-2.0
 * build_follow - see build_follow.h for the contract. */
#include "cli/build_follow.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "cli/screen.h"

enum { FAILURES_MAX = 120 };

static const struct timespec PAUSE = {.tv_nsec = 250 * 1000000L};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

bool build_target(const char *text, uint64_t *ret_number, char ret_stage[BUILD_STAGE_SIZE])
{
	char number[24], *slash;
	if (!text_starts(text, "build/") ||
	    !text_copy(ret_stage, BUILD_STAGE_SIZE, text + sizeof "build/" - 1))
		return false;
	text_copy(number, sizeof number, ret_stage);
	slash = strchr(number, '/');
	if (slash)
		*slash = '\0';
	const char *stage = strchr(ret_stage, '/');
	memmove(ret_stage, stage ? stage + 1 : "", stage ? strlen(stage) : 1);
	return text_parse_u64(number, UINT32_MAX, ret_number) && (!slash || ret_stage[0]);
}

static const char *path_of(uint64_t number, char to[64])
{
	snprintf(to, 64, "/v1/builds/%llu", (unsigned long long)number);
	return to;
}

int build_fetch(const struct cli *cli, struct client *client, const char *text, json_t **ret_build,
		char ret_stage[BUILD_STAGE_SIZE])
{
	char path[64];
	uint64_t number;
	struct error err;
	if (!build_target(text, &number, ret_stage)) {
		error_set(&err, ERR_INVALID,
			  "A build is build/NUMBER, and one of its stages build/NUMBER/STAGE, not "
			  "\"%s\".",
			  text);
		return cli_fail(cli, &err, "davit builds");
	}
	if (client_get(client, path_of(number, path), ret_build, &err) < 0)
		return cli_fail(cli, &err, client_next(client));
	return CLI_OK;
}

int build_lines(struct client *client, uint64_t number, const char *stage, uint64_t *next,
		void (*line)(void *context, const char *text), void *context, struct error *err)
{
	char path[256];
	uint64_t before;
	do {
		json_t *answer;
		const json_t *one;
		size_t i;
		before = *next;
		snprintf(path, sizeof path, "/v1/builds/%llu/log/%s?from=%llu",
			 (unsigned long long)number, stage, (unsigned long long)before);
		int code = client_get(client, path, &answer, err);
		if (code < 0)
			return code;
		json_array_foreach (json_object_get(answer, "lines"), i, one)
			line(context, json_string_value(one));
		*next = json_number_of(answer, "next");
		json_decref(answer);
	} while (*next > before && !interrupted);
	return 0;
}

static int ask_until_it_ends(const struct cli *cli, struct client *client, json_t *build,
			     void (*news)(void *context, const json_t *build), void *context,
			     json_t **ret_ended)
{
	uint64_t number = json_number_of(build, "number");
	struct error err;
	char path[64];
	uint32_t failures = 0;
	path_of(number, path);
	news(context, build);
	while (json_number_of(build, "ended_unix_ms") == 0) {
		json_t *answer;
		nanosleep(&PAUSE, NULL);
		if (interrupted) {
			fprintf(stderr,
				"Not followed any longer; the build goes on. Next: davit watch "
				"build/%llu\n",
				(unsigned long long)number);
			json_decref(build);
			return CLI_DETACHED;
		}
		int code = client_get(client, path, &answer, &err);
		/* A server that starts anew goes on with the build. */
		failures = code == 0 ? 0 : failures + 1;
		if (code == ERR_UNAVAILABLE && failures < FAILURES_MAX)
			continue;
		json_decref(build);
		if (code < 0)
			return cli_fail(cli, &err, client_next(client));
		build = answer;
		news(context, build);
	}
	*ret_ended = build;
	return CLI_OK;
}

int build_follow(const struct cli *cli, struct client *client, json_t *build,
		 void (*news)(void *context, const json_t *build), void *context,
		 json_t **ret_ended)
{
	struct sigaction action = {.sa_handler = on_interrupt}, before;
	interrupted = 0;
	sigaction(SIGINT, &action, &before);
	int code = ask_until_it_ends(cli, client, build, news, context, ret_ended);
	sigaction(SIGINT, &before, NULL);
	return code;
}
