/* SPDX-License-Identifier: Apache-2.0
 * test_cohort - who goes to the release that is tried, at every weight. */
#include "../cmocka_all.h"

#include "traffic/cohort.h"
#include "traffic/guard.h"

static const struct cohort_choice open_to_all = {.release = 0, .live = 1},
				  members_only = {.release = 0, .live = 1, .only = true};

static struct split two(uint32_t newest_bp)
{
	return (struct split){2, {newest_bp, SPLIT_FULL_BP - newest_bp}};
}

static void a_member_goes_there_whatever_the_weight(void **state)
{
	(void)state;
	for (uint32_t bp = 1; bp <= SPLIT_FULL_BP; bp++) {
		struct split s = two(bp);
		assert_int_equal(cohort_choose(&s, &open_to_all, true), 0);
		assert_int_equal(cohort_choose(&s, &members_only, true), 0);
	}
}

/* Before its first share and after it was taken back, it is nobody's. */
static void without_a_weight_it_gets_nobody(void **state)
{
	(void)state;
	struct split s = two(0);
	assert_int_equal(cohort_choose(&s, &open_to_all, true), COHORT_NONE);
	assert_int_equal(cohort_choose(&s, &members_only, true), COHORT_NONE);
	assert_int_equal(cohort_choose(&s, &members_only, false), COHORT_NONE);
}

static void whoever_is_no_member_is_divided_or_stays(void **state)
{
	(void)state;
	struct split s = two(1000);
	assert_int_equal(cohort_choose(&s, &open_to_all, false), COHORT_NONE);
	assert_int_equal(cohort_choose(&s, &members_only, false), 1);
}

/* As guard_apply() leaves them: who has nobody ready has no weight. */
static void nobody_is_sent_to_who_cannot_serve(void **state)
{
	(void)state;
	struct guard_document d = {
		.count = 2,
		.release = {{.weight_bp = 1000, .ready = 1}, {.weight_bp = 9000}},
		.live = 1,
		.mirror = GUARD_NONE};
	struct split s;
	guard_apply(&d, &s);
	assert_int_equal(cohort_choose(&s, &members_only, false), COHORT_NONE);
	assert_int_equal(split_choose(&s, 0), 0);
	d.release[0].ready = 0;
	d.release[1].ready = 1;
	guard_apply(&d, &s);
	assert_int_equal(cohort_choose(&s, &members_only, true), COHORT_NONE);
	assert_int_equal(split_choose(&s, 0), 1);
}

static void no_release_is_tried_or_none_is_live(void **state)
{
	(void)state;
	struct split s = two(1000);
	struct cohort_choice none = {.release = COHORT_NONE, .live = 1, .only = true},
			     first = {.release = 0, .live = COHORT_NONE, .only = true},
			     beyond = {.release = 2, .live = 1, .only = true};
	assert_int_equal(cohort_choose(&s, &none, true), COHORT_NONE);
	assert_int_equal(cohort_choose(&s, &first, false), COHORT_NONE);
	assert_int_equal(cohort_choose(&s, &beyond, true), COHORT_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_member_goes_there_whatever_the_weight),
		cmocka_unit_test(without_a_weight_it_gets_nobody),
		cmocka_unit_test(whoever_is_no_member_is_divided_or_stays),
		cmocka_unit_test(nobody_is_sent_to_who_cannot_serve),
		cmocka_unit_test(no_release_is_tried_or_none_is_live),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
