/* SPDX-License-Identifier: Apache-2.0
 * Whole rollouts, from the command to the end, by every strategy. */
#include <stdio.h>
#include <string.h>

#include "world.h"

static int setup(void **state)
{
	(void)state;
	world_open();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close();
	return 0;
}

static void live_with(const char *tag)
{
	world_release("prod", tag, world_yaml);
	uint32_t rollout = world_deploy("prod", tag);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	assert_string_equal(world_live("prod"), tag);
}

static void goes_up_by(const char *strategy)
{
	live_with("v1");
	world_release("prod", "v2", world_yaml);
	uint32_t rollout = world_deploy_by("prod", "v2", strategy, "");
	assert_string_equal(world_until_end(rollout, 120000), "succeeded");
	const struct view_rollout *v = world_view(rollout);
	assert_string_equal(v->strategy, strategy);
	assert_int_equal(v->exit_code, 0);
	assert_string_equal(v->serving, "v2");
	assert_string_equal(v->why, "v2 is live in prod.");
	world_assert_at_rest("prod", "v2", 2);
	assert_int_equal(world_traffic("shop", "prod")->failed, 0);
}

static void a_first_release_goes_live(void **state)
{
	(void)state;
	live_with("v1");
	world_assert_at_rest("prod", "v1", 2);
}

static void a_first_release_is_checked_before_it_goes_live(void **state)
{
	(void)state;
	world_release("prod", "v1", world_yaml);
	uint32_t rollout = world_deploy_by("prod", "v1", "swap", "");
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	assert_true(world.check_run > 0);
	world_assert_at_rest("prod", "v1", 2);
}

static void canary_goes_up(void **state)
{
	(void)state;
	goes_up_by("quick");
}

static void blue_green_goes_up(void **state)
{
	(void)state;
	goes_up_by("swap");
}

static void rolling_goes_up(void **state)
{
	(void)state;
	goes_up_by("roll");
}

static void recreate_goes_up_and_parks_requests_meanwhile(void **state)
{
	(void)state;
	goes_up_by("again");
	assert_true(world_traffic("shop", "prod")->counters.held > 0);
}

static void a_mix_goes_up_and_its_shadow_gets_copies_only(void **state)
{
	(void)state;
	goes_up_by("mix");
	struct fake_environment *e = world_traffic("shop", "prod");
	assert_true(e->releases[1].counters.shadow_2xx >= 100);
}

static const char checked_yaml[] =
	"app: shop\n"
	"processes:\n"
	"  api: { run: bin/api --port $PORT, health: { path: /up, min_healthy: 100ms } }\n"
	"  web: { run: bin/web --port $PORT, health: { path: /up, min_healthy: 100ms },"
	" user: shop, limits: { memory: 256MiB } }\n"
	"checks:\n"
	"  first: [{ get: /up, expect: 204, contains: hello, timeout: 3s,"
	" header: { X-A: b }, json: { $.a: 1, $.b: x }, within: 2s }]\n"
	"  second:\n"
	"    - { run: [tests/smoke, --at, $URL, \"it's\"] }\n"
	"    - { run: \"tests/look $PREVIEW\" }\n"
	"    - { run: { sh: \"curl $URL | grep x\" } }\n"
	"    - { run: [sh, $RELEASE/look it's, $RELEASE] }\n"
	"strategies:\n"
	"  looked: [{ check: first }, { check: second }, switch, { bake: 1s }]\n"
	"environments:\n"
	"  prod:\n"
	"    listen: 127.0.0.1:8080\n"
	"    routes: [{ host: shop.example, path: /api, to: api },"
	" { host: shop.example, path: /, to: web }]\n"
	"    strategy: looked\n"
	"    analysis: off\n";

static void each_check_step_runs_its_own_check_at_the_right_address(void **state)
{
	(void)state;
	char url[160], hex[DIGEST_HEX_SIZE], expected[640];
	struct digest artifact = digest_of("v1", 2);
	const char *id = world_release("prod", "v1", checked_yaml);
	uint32_t rollout = world_deploy("prod", "v1");
	while (world.check_run == 0)
		world_run(WORLD_BEAT_MS);
	assert_int_equal(world.check.count, 1);
	assert_string_equal(world.check.checks[0].path, "/up");
	assert_string_equal(world.check.checks[0].contains, "hello");
	assert_int_equal(world.check.checks[0].expect_status, 204);
	assert_int_equal(world.check.checks[0].timeout_ms, 3000);
	assert_int_equal(world.check.checks[0].within_ms, 2000);
	assert_int_equal(world.check.checks[0].condition_count, 3);
	assert_false(world.check.checks[0].conditions[0].json);
	assert_string_equal(world.check.checks[0].conditions[0].name, "X-A");
	assert_true(world.check.checks[0].conditions[2].json);
	assert_string_equal(world.check.checks[0].conditions[2].value, "x");
	assert_string_equal(world.check.host, "shop.example");
	snprintf(expected, sizeof expected, "/artifacts/%s", digest_format(&artifact, hex));
	assert_string_equal(world.check.directory, expected);
	for (size_t i = 0; i < world.instance_count; i++)
		if (strcmp(world.instances[i].status.process, "web") == 0)
			assert_string_equal(world.check.address, world.instances[i].status.address);
	while (world.check_run == 1)
		world_run(WORLD_BEAT_MS);
	assert_int_equal(world.check.count, 4);
	snprintf(url, sizeof url, "http://%s", world.check.address);
	snprintf(expected, sizeof expected, "'tests/smoke' '--at' '%s' 'it'\\''s'", url);
	assert_string_equal(world.check.checks[0].command, expected);
	snprintf(expected, sizeof expected, "'tests/look' '%.16s'", id);
	assert_string_equal(world.check.checks[1].command, expected);
	assert_string_equal(world.check.checks[2].command, "curl $URL | grep x");
	assert_string_equal(world.check.checks[3].command,
			    "'sh' \"$RELEASE\"'/look it'\\''s' \"$RELEASE\"");
	assert_string_equal(world.check.bounds.user, "shop");
	assert_int_equal(world.check.bounds.memory_bytes, 256u << 20);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_first_release_goes_live, setup, teardown),
		cmocka_unit_test_setup_teardown(a_first_release_is_checked_before_it_goes_live,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			each_check_step_runs_its_own_check_at_the_right_address, setup, teardown),
		cmocka_unit_test_setup_teardown(canary_goes_up, setup, teardown),
		cmocka_unit_test_setup_teardown(blue_green_goes_up, setup, teardown),
		cmocka_unit_test_setup_teardown(rolling_goes_up, setup, teardown),
		cmocka_unit_test_setup_teardown(recreate_goes_up_and_parks_requests_meanwhile,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_mix_goes_up_and_its_shadow_gets_copies_only,
						setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
