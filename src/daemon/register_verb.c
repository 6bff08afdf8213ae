/* SPDX-License-Identifier: Apache-2.0
 * register_verb - see register_verb.h for the contract. The commit is that of the repository that we stand in; the name of
 * the run and its ref are those that the system says, unless the line does. */
#include "daemon/register_verb.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/ci_run.h"
#include "cli/client.h"
#include "cli/config_file.h"
#include "cli/release_upload.h"
#include "cli/screen.h"
#include "cli/verbs.h"
#include "daemon/register_findings.h"
#include "drivers/builder/checkout.h"
#include "os/file.h"
#include "wire/junit.h"

enum { APP_SIZE = 64, PATH_SIZE = 4096, NAMES_SIZE = 600 };

struct registering {
	struct cli *cli;
	struct client *client;
	char app[APP_SIZE];
	struct ci_run run;
	struct checkout checkout;
	struct junit tests;      /* of all reports */
	char failed[NAMES_SIZE]; /* the first tests that have */
	json_t *stages;          /* of tests and of scans */
	json_t *waivers;         /* the text; NULL: there are none */
	const char *why;         /* the build failed; NULL: it has not */
};

/* --- what is known here */

/* Of --app, else of the davit.yaml that goes along. */
static int find_app(struct registering *r)
{
	const char *said = cli_option(r->cli, "app"), *path = cli_arg(r->cli, 0),
		   *file = cli_option(r->cli, "config");
	char inside[PATH_SIZE];
	struct app *app;
	if (said)
		return text_copy(r->app, sizeof r->app, said) ? CLI_OK : CLI_USAGE;
	snprintf(inside, sizeof inside, "%s/davit.yaml", path ? path : ".");
	if (!file)
		file = access(inside, R_OK) == 0 ? inside : "davit.yaml";
	int code = config_file_open(r->cli, file, &app);
	if (code == CLI_OK) {
		text_copy(r->app, sizeof r->app, app->name);
		config_free(app);
	}
	return code;
}

static const char *getenv_const(const char *name)
{
	return getenv(name);
}

static int find_commit(struct registering *r)
{
	const char *commit = cli_option(r->cli, "commit"), *ref = cli_option(r->cli, "ref"),
		   *run = cli_option(r->cli, "run"), *url = cli_option(r->cli, "url");
	struct error err;
	ci_run_find(getenv_const, &r->run);
	if (!commit)
		commit = r->run.commit[0] ? r->run.commit : "HEAD";
	if (checkout_find(".", commit, NULL, &r->checkout, &err) < 0)
		return cli_fail(r->cli, &err, NULL);
	if (run)
		text_copy(r->run.run, sizeof r->run.run, run);
	if (ref)
		text_copy(r->run.ref, sizeof r->run.ref, ref);
	else if (!r->run.ref[0] && !r->run.run[0] && r->checkout.branch[0])
		snprintf(r->run.ref, sizeof r->run.ref, "refs/heads/%s", r->checkout.branch);
	if (url)
		text_copy(r->run.url, sizeof r->run.url, url);
	if (r->run.run[0])
		return CLI_OK;
	error_set(&err, ERR_INVALID,
		  "The build has no name: say one that comes once with --run, such as nightly/41. "
		  "In GitHub, Gitea and Forgejo Actions, GitLab CI and Jenkins it is found.");
	return cli_fail(r->cli, &err, "davit register --help");
}

/* --- tests */

static void add_tests(struct registering *r, const struct junit *one)
{
	size_t used = strlen(r->failed);
	char shown[4 * JUNIT_NAME_SIZE];
	r->tests.tests += one->tests;
	r->tests.failed += one->failed;
	r->tests.skipped += one->skipped;
	for (uint32_t i = 0; i < one->name_count && used < sizeof r->failed; i++)
		used += (size_t)snprintf(
			r->failed + used, sizeof r->failed - used, "%s%s", used > 0 ? ", " : "",
			text_show(one->names[i], strlen(one->names[i]), shown, sizeof shown));
}

static int read_report(struct registering *r, const char *path)
{
	struct buf text;
	struct error err;
	const char *why = NULL;
	struct junit *one = mem_zero(1, sizeof *one);
	buf_init(&text, JUNIT_BYTES_MAX);
	int code = file_read(AT_FDCWD, path, &text, &err);
	if (code == 0 && !junit_read(buf_text(&text), text.size, one, &why))
		code = error_set(&err, ERR_INVALID, "The report %s %s.", path, why);
	if (code == 0)
		add_tests(r, one);
	buf_done(&text);
	free(one);
	return code < 0 ? cli_fail(r->cli, &err, NULL) : CLI_OK;
}

static int read_reports(struct registering *r)
{
	const char *option = cli_option(r->cli, "junit");
	char copy[PATH_SIZE], *rest = copy, *one;
	int code = CLI_OK;
	if (!option)
		return CLI_OK;
	if (!text_copy(copy, sizeof copy, option))
		return CLI_USAGE;
	while (code == CLI_OK && (one = strsep(&rest, ",")))
		code = read_report(r, one);
	json_array_append_new(r->stages,
			      json_pack("{s:s, s:s, s:s, s:i, s:i, s:i}", "stage", "tests", "state",
					r->tests.failed > 0 ? "failed" : "passed", "why", r->failed,
					"tests", (int)r->tests.tests, "failed",
					(int)r->tests.failed, "skipped", (int)r->tests.skipped));
	return code;
}

static int read_scans(struct registering *r)
{
	struct error err;
	if (r->cli->repeat_count > 0)
		return register_findings_add(r->cli, &r->checkout, r->stages, &r->waivers);
	if (!cli_option(r->cli, "block-at"))
		return CLI_OK;
	error_set(&err, ERR_INVALID,
		  "--block-at is about reports of scans: name them with --sarif.");
	return cli_fail(r->cli, &err, "davit register --help");
}

/* --- it is said */

static void set(json_t *body, const char *key, const char *text)
{
	if (text && text[0])
		json_object_set_new(body, key, json_string(text));
}

/* "Name <address>" is of the commit; the address goes apart as well. */
static json_t *body_of(const struct registering *r, const json_t *release)
{
	const char *to = cli_option(r->cli, "to");
	json_t *body = json_object();
	set(body, "app", r->app);
	set(body, "run", r->run.run);
	set(body, "url", r->run.url);
	set(body, "commit", r->checkout.commit);
	set(body, "ref", r->run.ref);
	set(body, "author", r->checkout.author);
	set(body, "address", r->checkout.address);
	set(body, "subject", r->checkout.subject);
	json_object_set_new(body, "committed_unix_s",
			    json_integer((json_int_t)r->checkout.committed_unix_s));
	json_object_set_new(body, "state", json_string(r->why ? "failed" : "passed"));
	set(body, "why", r->why);
	if (json_array_size(r->stages) > 0)
		json_object_set(body, "stages", r->stages);
	if (r->waivers)
		json_object_set(body, "waivers", r->waivers);
	if (!release)
		return body;
	set(body, "release", json_text_of(release, "release"));
	set(body, "artifact", json_text_of(release, "artifact"));
	if (cli_option(r->cli, "triggered"))
		json_object_set_new(body, "triggered", json_true());
	if (to) {
		char *names = mem_copy_text(to);
		for (char *p = names; *p; p++)
			*p = *p == ',' ? ' ' : *p;
		set(body, "environments", names);
		free(names);
	}
	return body;
}

/* Also where that was not said: a scan has found something. */
static bool has_failed(const json_t *build)
{
	return strcmp(json_text_of(build, "state"), "failed") == 0;
}

static void print_registered(const struct registering *r, const json_t *build)
{
	const json_t *row;
	size_t i;
	bool failed = has_failed(build);
	printf("Build %llu of %s is registered: commit %.12s%s%s%s.\n",
	       (unsigned long long)json_number_of(build, "number"), r->app, r->checkout.commit,
	       failed ? ", failed" : ", release ", failed ? "" : json_text_of(build, "tag"),
	       json_text_of(build, "tag")[0] || failed ? "" : json_text_of(build, "release"));
	fflush(stdout);
	register_findings_print(r->cli, build);
	if (cli_option(r->cli, "triggered") && !failed &&
	    json_array_size(json_object_get(build, "rollouts")) == 0)
		printf("No environment has a trigger for %s. Next: davit deploy ENV %s\n",
		       r->run.ref, json_text_of(build, "tag"));
	json_array_foreach (json_object_get(build, "rollouts"), i, row) {
		if (json_number_of(row, "rollout") > 0)
			printf("It goes to %s: rollout %llu. Next: davit watch %llu\n",
			       json_text_of(row, "environment"),
			       (unsigned long long)json_number_of(row, "rollout"),
			       (unsigned long long)json_number_of(row, "rollout"));
		else
			printf("It does not go to %s: %s\n", json_text_of(row, "environment"),
			       json_text_of(row, "why"));
	}
}

/* Each rollout to its end; the first that ends otherwise than well says how we end. */
static int watch(struct registering *r, const json_t *build)
{
	const struct follow_options options = {0};
	const json_t *row;
	char number[16];
	int code = CLI_OK;
	size_t i;
	json_array_foreach (json_object_get(build, "rollouts"), i, row) {
		if (json_number_of(row, "rollout") == 0) {
			code = code == CLI_OK ? CLI_BLOCKED : code;
			continue;
		}
		snprintf(number, sizeof number, "%llu",
			 (unsigned long long)json_number_of(row, "rollout"));
		int one = follow_rollout(r->cli, r->client, number, &options);
		code = code == CLI_OK ? one : code;
	}
	return code;
}

static int say(struct registering *r, const json_t *release)
{
	struct error err;
	json_t *build;
	if (client_post(r->client, "/v1/external-builds", body_of(r, release), &build, &err) < 0)
		return cli_fail(r->cli, &err, client_next(r->client));
	bool said = cli_option(r->cli, "failed") && r->tests.failed == 0;
	int code = has_failed(build) && !said ? CLI_PIPELINE_FAILED : CLI_OK;
	if (r->cli->json)
		json_dumpf(build, stdout, JSON_COMPACT), puts("");
	else
		print_registered(r, build);
	if (code == CLI_OK && cli_option(r->cli, "watch"))
		code = watch(r, build);
	json_decref(build);
	return code;
}

static int upload(struct registering *r, json_t **ret_release)
{
	const char *path = cli_arg(r->cli, 0);
	const struct release_upload what = {.path = path ? path : ".",
					    .app = r->app,
					    .tag = cli_option(r->cli, "as"),
					    .config = cli_option(r->cli, "config")};
	return release_upload(r->cli, r->client, &what, ret_release);
}

static int run(struct registering *r)
{
	json_t *release = NULL;
	int code = find_app(r);
	if (code == CLI_OK)
		code = find_commit(r);
	if (code == CLI_OK)
		code = read_reports(r);
	if (code == CLI_OK)
		code = read_scans(r);
	r->why = cli_option(r->cli, "failed");
	if (!r->why && r->tests.failed > 0)
		r->why = "tests have failed";
	if (code == CLI_OK && !r->why)
		code = upload(r, &release);
	if (code == CLI_OK)
		code = say(r, release);
	json_decref(release);
	return code;
}

int register_verb(int argc, char **argv)
{
	struct cli cli;
	struct error err;
	int code = cli_parse("register", argc, argv, &cli);
	if (code != CLI_OK)
		return code;
	struct registering *r = mem_zero(1, sizeof *r);
	r->cli = &cli;
	r->stages = json_array();
	if (client_open(&cli, &r->client, &err) < 0)
		code = cli_fail(&cli, &err, client_open_next(&cli));
	else
		code = run(r);
	client_free(r->client);
	json_decref(r->stages);
	json_decref(r->waivers);
	free(r);
	return code;
}
