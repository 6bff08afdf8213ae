/* SPDX-License-Identifier: Apache-2.0
 * What the control tells the host of a repository: of which changes, how often it tries, and when it gives up. */
#include <stdio.h>
#include <string.h>

#include "control/reports.h"
#include "control/retry.h"
#include "provider/host.h"
#include "store/builds.h"
#include "store/reports.h"
#include "world.h"

static const char yaml[] =
	"app: shop\n"
	"service: { run: bin/server --port $PORT, health: { path: /up, "
	"interval: 1s, min_healthy: 500ms } }\n"
	"analysis: off\n"
	"strategies: { quick: [switch] }\n"
	"environments:\n"
	"  prod: { listen: \"127.0.0.1:8080\", strategy: quick, production: true }\n";

#define HOSTS(kind)                    \
	"hosts: { shop: { kind: " kind \
	", repository: acme/shop, token_file: /t, api: \"https://h\" } }\n"

/* --- a host that a test drives */

static struct {
	struct host host;
	char told[2000];
	uint32_t tries;
	uint64_t tried_ms[64];
	int answer; /* of the next ones */
	uint32_t wait_s;
	uint64_t number; /* that the last message knew already */
	char key[160];
} script;

static int tell(struct host *host, struct host_message *m, struct error *err)
{
	static const char *const words[] = {"waiting", "running",   "passed",
					    "failed",  "cancelled", "stuck"};
	(void)host;
	if (script.tries < 64)
		script.tried_ms[script.tries] = world.now_ms;
	script.tries++;
	script.number = m->number;
	text_copy(script.key, sizeof script.key, m->key);
	m->wait_s = script.wait_s;
	if (script.answer < 0)
		return error_set(err, (enum err)script.answer, "The host says no.");
	if (m->environment[0])
		m->number = 77;
	size_t used = strlen(script.told);
	snprintf(script.told + used, sizeof script.told - used, "%s%s %s; ",
		 m->environment[0] ? "deployment " : "", m->context, words[m->state]);
	return 0;
}

static void open_with(const char *server)
{
	static const struct host_ops ops = {.tell = tell};
	memset(&script, 0, sizeof script);
	script.host.ops = &ops;
	world_open();
	world.host = &script.host;
	world_kill();
	world_start();
	world_server(server);
}

static int setup(void **state)
{
	(void)state;
	open_with(HOSTS("github"));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_assert_sane();
	world_close();
	world.host = NULL;
	return 0;
}

static void built(const char *name, uint32_t number)
{
	struct store_build b = {.number = number, .created_unix_ms = 5000 + number};
	text_copy(b.release, sizeof b.release, world_release("prod", name, yaml));
	memset(b.commit, '0' + (int)number, 40);
	text_copy(b.app, sizeof b.app, "shop");
	text_copy(b.repository, sizeof b.repository, "/srv/shop.git");
	text_copy(b.state, sizeof b.state, "passed");
	store_begin(world.store);
	store_put_build(world.store, &b);
	assert_int_equal(store_commit(world.store, &world.err), 0);
}

static bool has_told(const char *what)
{
	return strstr(script.told, what) != NULL;
}

static int count(void *context, const struct store_report *r)
{
	uint32_t *sum = context;
	*sum += strcmp(r->outcome, "given up") == 0;
	return 0;
}

static uint32_t given_up(char digit)
{
	char commit[41] = "";
	uint32_t sum = 0;
	memset(commit, digit, 40);
	assert_int_equal(store_reports(world.store, "shop", commit, count, &sum, &world.err), 0);
	return sum;
}

/* --- */

static void a_rollout_is_told_to_its_end(void **state)
{
	(void)state;
	built("v1", 1);
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	world_run(10000);
	assert_true(has_told("davit/prod running; "));
	assert_true(has_told("deployment davit/prod running; "));
	assert_true(has_told("davit/prod passed; deployment davit/prod passed; "));
	assert_int_equal(script.number, 77); /* what the host called it is known from then on */
	assert_non_null(strstr(script.key, "shop/prod rollout 1 of "));
	/* What was uploaded is no commit. */
	script.told[0] = '\0';
	world_release("prod", "uploaded", yaml);
	assert_string_equal(world_until_end(world_deploy("prod", "uploaded"), 60000), "succeeded");
	world_run(10000);
	assert_string_equal(script.told, "");
}

static void only_github_has_deployments(void **state)
{
	(void)state;
	world_server(HOSTS("gitlab"));
	built("v1", 1);
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	world_run(10000);
	assert_true(has_told("davit/prod passed; "));
	assert_false(has_told("deployment"));
}

static void without_a_host_nothing_is_written(void **state)
{
	(void)state;
	world_server("people: { ann: [\"user:ann\"] }\n");
	built("v1", 1);
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	world_server(HOSTS("github"));
	world_run(10000);
	assert_int_equal(script.tries, 0);
}

static void a_host_that_is_away_is_tried_later_and_later_and_hears_only_the_newest(void **state)
{
	(void)state;
	script.answer = ERR_RETRY;
	built("v1", 1);
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	world_run(40 * 60 * 1000);
	assert_string_equal(script.told, "");
	uint32_t last = script.tries - 1;
	assert_in_range(script.tries, 10, 40);
	assert_in_range(script.tried_ms[last] - script.tried_ms[last - 2], 600 * 1000, 760 * 1000);
	script.answer = 0;
	world_run(20 * 60 * 1000);
	assert_true(has_told("deployment davit/prod passed; "));
	assert_int_equal(strlen(script.told),
			 strlen("davit/prod passed; deployment davit/prod passed; "));
}

static void a_host_that_asks_for_time_gets_it(void **state)
{
	(void)state;
	script.answer = ERR_RETRY;
	script.wait_s = 1800;
	built("v1", 1);
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	world_run(60000);
	uint32_t tries = script.tries;
	world_run(1600 * 1000);
	assert_int_equal(script.tries, tries);
	script.answer = 0;
	world_run(1200 * 1000);
	assert_true(has_told("davit/prod passed; "));
}

static void a_refusal_is_not_tried_again_and_days_end_every_try(void **state)
{
	(void)state;
	script.answer = ERR_DENIED;
	built("v1", 1);
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	world_run(10000);
	uint32_t tries = script.tries;
	world_run(60 * 60 * 1000);
	assert_int_equal(script.tries, tries);
	assert_int_equal(given_up('1'), 2);

	script.answer = ERR_RETRY;
	built("v2", 2);
	assert_string_equal(world_until_end(world_deploy("prod", "v2"), 60000), "succeeded");
	uint64_t hour_ms = 60 * 60 * 1000;
	world_run(hour_ms);
	world_suspend((RETRY_DAYS * 24 - 3) * hour_ms);
	world_run(hour_ms);
	assert_int_equal(given_up('2'), 0);
	world_run(2 * hour_ms);
	assert_int_equal(given_up('2'), 2);
}

static void after_a_crash_the_rest_is_told(void **state)
{
	(void)state;
	script.answer = ERR_RETRY;
	built("v1", 1);
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	world_kill();
	world_start();
	world_server(HOSTS("github"));
	script.answer = 0;
	world_run(60000);
	assert_string_equal(script.told, "davit/prod passed; deployment davit/prod passed; ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_rollout_is_told_to_its_end),
		TEST(only_github_has_deployments),
		TEST(without_a_host_nothing_is_written),
		TEST(a_host_that_is_away_is_tried_later_and_later_and_hears_only_the_newest),
		TEST(a_host_that_asks_for_time_gets_it),
		TEST(a_refusal_is_not_tried_again_and_days_end_every_try),
		TEST(after_a_crash_the_rest_is_told),
	};
	return cmocka_run_group_tests_name("control/reports", tests, NULL, NULL);
}
