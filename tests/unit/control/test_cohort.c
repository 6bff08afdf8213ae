/* SPDX-License-Identifier: Apache-2.0
 * Whom a new release meets whatever its share: what the gateway is told, from its first step to its last, and on the way
 * back. */
#include <string.h>

#include "world.h"

#define YAML(cohort)                                                                          \
	"app: shop\n"                                                                         \
	"service: { run: bin/server, instances: 4, health: { path: /up, min_healthy: 500ms }" \
	" }\n"                                                                                \
	"strategies:\n"                                                                       \
	"  quick:\n"                                                                          \
	"    - canary: { steps: [10%, 50%], each: { at_least: 5s, at_most: 1m } }\n"          \
	"    - switch\n"                                                                      \
	"    - bake: 20s\n"                                                                   \
	"environments:\n"                                                                     \
	"  prod: { listen: \"127.0.0.1:1001\", strategy: quick, keep_warm: 5s" cohort " }\n"

static const char without[] = YAML(""),
		  with[] = YAML(", cohort: [{ header: X-Beta, is: [a, b] }, { cookie: plan, is: c "
				"}, { network: 10.0.0.0/8 }]"),
		  only[] = YAML(", cohort: { members: [{ header: X-Beta, is: a }], only: true }");

static const struct router_document *document(void)
{
	return world_traffic("shop", "prod")->document;
}

static void begin(const char *live, const char *candidate)
{
	world_open();
	world_release("prod", "v1", live);
	world.rate_per_s = 1000;
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	world_release("prod", "v2", candidate);
}

static void the_members_are_those_of_the_release_that_goes_out(void **state)
{
	(void)state;
	begin(without, with);
	assert_int_equal(document()->cohort.release, ROUTER_NONE);
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "10%", 60000));
	world_run(2000);
	const struct router_cohort *c = &document()->cohort;
	assert_string_equal(document()->releases[c->release].tag, "v2");
	assert_false(c->only);
	assert_int_equal(c->rule_count, 3);
	assert_int_equal(c->rules[0].kind, ROUTER_COHORT_HEADER);
	assert_string_equal(c->rules[0].name, "X-Beta");
	assert_int_equal(c->rules[0].value_count, 2);
	assert_string_equal(c->rules[0].values[1], "b");
	assert_int_equal(c->rules[1].kind, ROUTER_COHORT_COOKIE);
	assert_string_equal(c->rules[1].name, "plan");
	assert_int_equal(c->rules[2].kind, ROUTER_COHORT_NETWORK);
	assert_string_equal(c->rules[2].values[0], "10.0.0.0/8");
	assert_string_equal(world_until_end(rollout, 240000), "succeeded");
	world_run(5000);
	assert_int_equal(document()->cohort.release, ROUTER_NONE);
	world_close();
}

/* Whoever is no member meets it with the switch, and not before. */
static void others_are_kept_out_up_to_the_last_step_of_the_canary(void **state)
{
	(void)state;
	bool kept_out = false, let_in = false;
	begin(without, only);
	uint32_t rollout = world_deploy("prod", "v2");
	while (strcmp(world_live("prod"), "v2") != 0) {
		const struct router_document *d = document();
		uint32_t bp = world_weight("prod", "v2");
		assert_true(world.now_ms < 600000);
		if (d->cohort.release != ROUTER_NONE && bp > 0) {
			assert_int_equal(d->cohort.only, bp <= 5000);
			kept_out = kept_out || bp == 5000;
			let_in = let_in || bp > 5000;
		}
		world_run(50);
	}
	assert_true(kept_out && let_in);
	assert_string_equal(world_until_end(rollout, 240000), "succeeded");
	world_close();
}

/* From the verdict to weight 0 nobody else gets in. */
static void others_are_kept_out_on_the_way_back(void **state)
{
	(void)state;
	begin(without, only);
	uint32_t rollout = world_deploy("prod", "v2");
	assert_true(world_until_label(rollout, "50%", 120000));
	world_run(1000);
	assert_int_equal(world_weight("prod", "v2"), 5000);
	world.router_delay_ms = 300;
	assert_int_equal(world_command("prod", CONTROL_ABORT), 0);
	for (int i = 0; i < 200 && document()->cohort.release != ROUTER_NONE; i++) {
		assert_true(document()->cohort.only);
		world_run(50);
	}
	assert_int_equal(world_weight("prod", "v2"), 0);
	assert_string_equal(world_until_end(rollout, 240000), "reverted");
	assert_int_equal(document()->cohort.release, ROUTER_NONE);
	world_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_members_are_those_of_the_release_that_goes_out),
		cmocka_unit_test(others_are_kept_out_up_to_the_last_step_of_the_canary),
		cmocka_unit_test(others_are_kept_out_on_the_way_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
