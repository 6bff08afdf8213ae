/* SPDX-License-Identifier: Apache-2.0
 * ask - see ask.h for the contract. */
#include "cli/ask.h"

#include <stdio.h>

#include "base/text.h"
#include "cli/client.h"

static int ask(const struct cli *cli, const char *path, bool post, json_t *body,
	       json_t **ret_answer)
{
	struct client *client;
	struct error err;
	if (client_open(cli, &client, &err) < 0) {
		json_decref(body);
		return cli_fail(cli, &err, client_open_next(cli));
	}
	int result = post ? client_post(client, path, body, ret_answer, &err)
			  : client_get(client, path, ret_answer, &err);
	int code = result < 0 ? cli_fail(cli, &err, client_next(client)) : CLI_OK;
	client_free(client);
	return code;
}

int ask_get(const struct cli *cli, const char *path, json_t **ret_answer)
{
	return ask(cli, path, false, NULL, ret_answer);
}

int ask_post(const struct cli *cli, const char *path, json_t *body, json_t **ret_answer)
{
	return ask(cli, path, true, body, ret_answer);
}

int ask_limit(const struct cli *cli, uint64_t most)
{
	const char *limit = cli_option(cli, "limit");
	struct error err;
	uint64_t number;
	if (!limit || (text_parse_u64(limit, most, &number) && number > 0))
		return CLI_OK;
	error_set(&err, ERR_INVALID, "--limit takes a number from 1 to %llu, not \"%s\".",
		  (unsigned long long)most, limit);
	return cli_fail(cli, &err, NULL);
}

void ask_print(json_t *value)
{
	json_dumpf(value, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(value);
}
