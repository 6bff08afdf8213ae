/* SPDX-License-Identifier: Apache-2.0
 * deploy - davit deploy ENV [VERSION|PATH]: make a release of a path, or take one that is there, and follow
 *          its rollout. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/text.h"
#include "cli/release_upload.h"
#include "cli/screen.h"
#include "cli/target.h"
#include "cli/verbs.h"

/* Make a release of a path; `ret_id` is its id, `ret_key` the environment with its application's name, for
 * another application may have one of that name as well. Returns an exit code. */
static int make_release(struct cli *cli, struct client *client, const char *environment,
			const char *path, char ret_id[DIGEST_HEX_SIZE], char ret_key[TARGET_SIZE])
{
	const struct release_upload upload = {.path = path,
					      .environment = environment,
					      .tag = cli_option(cli, "as"),
					      .config = cli_option(cli, "config")};
	json_t *release;
	int code = release_upload(cli, client, &upload, &release);
	if (code != CLI_OK)
		return code;
	text_copy(ret_id, DIGEST_HEX_SIZE, json_text_of(release, "release"));
	const char *slash = strchr(environment, '/');
	snprintf(ret_key, TARGET_SIZE, "%s/%s", json_text_of(release, "app"),
		 slash ? slash + 1 : environment);
	json_decref(release);
	return CLI_OK;
}

static bool set_fixes(struct cli *cli, json_t *body, struct error *err)
{
	const char *text = cli_option(cli, "fixes");
	uint64_t number;
	if (text && (!text_parse_u64(text, UINT32_MAX, &number) || number == 0)) {
		error_set(err, ERR_INVALID, "--fixes takes the number of a rollout.");
		return false;
	}
	if (text)
		json_object_set_new(body, "fixes", json_integer((json_int_t)number));
	return true;
}

static int begin(struct cli *cli, struct client *client, const char *environment,
		 const char *release, uint32_t *ret_rollout)
{
	char url[512];
	struct error err;
	json_t *answer, *body = json_object();
	const char *strategy = cli_option(cli, "strategy"), *reason = cli_option(cli, "reason");
	json_object_set_new(body, "release", json_string(release));
	if (strategy)
		json_object_set_new(body, "strategy", json_string(strategy));
	if (reason)
		json_object_set_new(body, "reason", json_string(reason));
	if (!set_fixes(cli, body, &err)) {
		json_decref(body);
		return cli_fail(cli, &err, "davit history");
	}
	json_object_set_new(body, "allow_bad", json_boolean(cli_option(cli, "allow-bad") != NULL));
	client_path("/v1/environments/", environment, "/deploy", url, sizeof url);
	if (client_post(client, url, body, &answer, &err) < 0)
		return cli_fail(cli, &err, client_next(client));
	*ret_rollout = (uint32_t)json_number_of(answer, "rollout");
	json_decref(answer);
	return CLI_OK;
}

static int run(struct cli *cli, struct client *client)
{
	const char *environment = cli_arg(cli, 0), *what = cli_arg(cli, 1),
		   *timeout = cli_option(cli, "timeout");
	char release[DIGEST_HEX_SIZE], number[16], key[TARGET_SIZE];
	struct follow_options options = {0};
	uint32_t rollout = 0;
	struct stat st;
	struct error err;
	int code = CLI_OK;
	if (timeout && !text_parse_duration(timeout, &options.timeout_ms)) {
		error_set(&err, ERR_INVALID, "--timeout takes a duration such as 30m, not \"%s\".",
			  timeout);
		return cli_fail(cli, &err, "davit deploy --help");
	}
	if (!what)
		what = ".";
	if (stat(what, &st) == 0)
		code = make_release(cli, client, environment, what, release, key);
	else if (strchr(what, '/')) {
		error_errno(&err, errno, "The release %s cannot be read", what);
		return cli_fail(cli, &err, NULL);
	} else {
		text_copy(release, sizeof release, what);
		text_copy(key, sizeof key, environment);
	}
	if (code == CLI_OK)
		code = begin(cli, client, key, release, &rollout);
	if (code != CLI_OK)
		return code;
	snprintf(number, sizeof number, "%u", rollout);
	if (cli_option(cli, "detach")) {
		if (cli->json)
			printf("{\"schema\":\"davit.v1/accepted\",\"rollout\":%u}\n", rollout);
		else
			printf("Rollout %u has begun. Next: davit watch %s\n", rollout, number);
		return CLI_OK;
	}
	return follow_rollout(cli, client, number, &options);
}

int verb_deploy(struct cli *cli)
{
	struct client *client;
	struct error err;
	if (client_open(cli, &client, &err) < 0)
		return cli_fail(cli, &err, client_open_next(cli));
	int code = run(cli, client);
	client_free(client);
	return code;
}
