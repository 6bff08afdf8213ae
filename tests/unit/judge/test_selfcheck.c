/* SPDX-License-Identifier: Apache-2.0
 * test_selfcheck - instances that are alike raise nothing; one that is not makes the judge more careful. */
#include "../cmocka_all.h"

#include <math.h>

#include "judge/selfcheck.h"

static uint64_t seed;

static double chance(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (double)(seed >> 11) / 9007199254740992.0;
}

static struct judge_member act(uint64_t requests, double share)
{
	struct judge_member m = {.requests = requests};
	for (uint64_t i = 0; i < requests; i++)
		m.errors += chance() < share;
	return m;
}

static void instances_that_are_alike_raise_nothing(void **state)
{
	(void)state;
	struct judge_selfcheck check;
	seed = 1;
	judge_selfcheck_begin(&check);
	for (int second = 0; second < 20000; second++) {
		struct judge_member members[3] = {act(100, 0.01), act(100, 0.01), act(50, 0.01)};
		assert_false(judge_selfcheck_second(&check, members, 3, 0.001));
	}
	assert_true(fabs(check.phi_least - 1) < 1e-12);
	assert_true(check.turns >= 33);
}

static void an_instance_that_differs_raises_what_counts_as_scatter(void **state)
{
	(void)state;
	struct judge_selfcheck check;
	uint32_t alarms = 0;
	seed = 2;
	judge_selfcheck_begin(&check);
	for (int second = 0; second < 20000; second++) {
		struct judge_member members[2] = {act(100, 0.001), act(100, 0.02)};
		alarms += judge_selfcheck_second(&check, members, 2, 0.001);
	}
	assert_true(alarms > 0);
	assert_int_equal(alarms, check.alarms);
	assert_true(check.phi_least >= 1.5 && check.phi_least <= 10);
}

static void one_instance_has_nobody_to_be_compared_with(void **state)
{
	(void)state;
	struct judge_selfcheck check;
	struct judge_member alone = {.requests = 100, .errors = 100};
	judge_selfcheck_begin(&check);
	for (int second = 0; second < 1000; second++)
		assert_false(judge_selfcheck_second(&check, &alone, 1, 0.001));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instances_that_are_alike_raise_nothing),
		cmocka_unit_test(an_instance_that_differs_raises_what_counts_as_scatter),
		cmocka_unit_test(one_instance_has_nobody_to_be_compared_with),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
