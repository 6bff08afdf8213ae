/* SPDX-License-Identifier: Apache-2.0
 * test_mann_whitney - the numbers of R, as Kayenta's own tests have them, and small cases by hand. */
#include "near.h"

#include <string.h>

#include "judge/mann_whitney.h"
#include "mann_whitney_series.h"

#define GOLDEN_ERROR 1e-6

/* Sorted copies: the series come as they were measured. */
struct pair {
	double x[SAMPLE_MAX], y[SAMPLE_MAX];
	struct mann_whitney_sample of_x, of_y;
};

static void fill(double *to, struct mann_whitney_sample *sample, const double *from, size_t size)
{
	memcpy(to, from, size);
	*sample = (struct mann_whitney_sample){.sorted = to,
					       .count = (uint32_t)(size / sizeof *from)};
	sample_sort(to, sample->count);
}

#define PAIR(name, xs, ys)                       \
	struct pair name;                        \
	fill(name.x, &name.of_x, xs, sizeof xs); \
	fill(name.y, &name.of_y, ys, sizeof ys)

static void check_shift(const struct pair *pair, double confidence, struct mann_whitney_shift want,
			double estimate_error)
{
	struct mann_whitney_shift shift;
	assert_true(mann_whitney_shift(&pair->of_x, &pair->of_y, confidence, &shift));
	assert_near(shift.low, want.low, GOLDEN_ERROR);
	assert_near(shift.high, want.high, GOLDEN_ERROR);
	assert_near(shift.estimate, want.estimate, estimate_error);
}

static void z_is_that_of_r(void **state)
{
	(void)state;
	PAIR(pair, series_0, series_1);
	assert_near(mann_whitney_z(&pair.of_x, &pair.of_y, 0, 0), -1.229416, GOLDEN_ERROR);
	assert_near(mann_whitney_z(&pair.of_x, &pair.of_y, 5, 0), -35.80606, 1e-5);
}

static void intervals_are_those_of_r(void **state)
{
	(void)state;
	PAIR(apart, series_2, series_3);
	check_shift(&apart, 0.95, (struct mann_whitney_shift){6, 39, 22.5}, GOLDEN_ERROR);
	PAIR(narrow, series_0, series_1);
	check_shift(&narrow, 0.98,
		    (struct mann_whitney_shift){-1.4808028936386108e-5, 1.808255910873413e-5,
						1.808255910873413e-5},
		    GOLDEN_ERROR);
	PAIR(tied, series_5, series_4);
	check_shift(&tied, 0.95,
		    (struct mann_whitney_shift){-0.500002521696696, -3.486287505871302e-5,
						-0.4999393907180323},
		    1e-4);
	PAIR(large, series_6, series_7);
	check_shift(&large, 0.98,
		    (struct mann_whitney_shift){-0.4999173250549087, -6.912685789769486e-6,
						-3.45044082729315e-5},
		    1e-4);
}

static void what_is_between_is_that_of_r(void **state)
{
	(void)state;
	PAIR(pair, series_8, series_9);
	double from = pair.x[0] - pair.y[pair.of_y.count - 1];
	double to = pair.x[pair.of_x.count - 1] - pair.y[0];
	double q = 1.9599639845400536;
	assert_near(from, -3.124999999999986, GOLDEN_ERROR);
	assert_near(to, 5.555555555555557, GOLDEN_ERROR);
	assert_near(mann_whitney_z(&pair.of_x, &pair.of_y, from, q), 17.090968923762254,
		    GOLDEN_ERROR);
	assert_near(mann_whitney_z(&pair.of_x, &pair.of_y, to, q), -20.997687930433106,
		    GOLDEN_ERROR);
	assert_near(mann_whitney_z(&pair.of_x, &pair.of_y, from, -q), 21.01089689284236,
		    GOLDEN_ERROR);
	assert_near(mann_whitney_z(&pair.of_x, &pair.of_y, to, -q), -17.077759961353, GOLDEN_ERROR);
	check_shift(&pair, 0.95,
		    (struct mann_whitney_shift){3.521755377702165e-5, 2.02456461662334e-5,
						2.6279243045155653e-5},
		    GOLDEN_ERROR);
}

static void ranks_of_ties_by_hand(void **state)
{
	(void)state;
	static const double xs[] = {1, 2, 2, 3}, ys[] = {2, 2, 4};
	PAIR(pair, xs, ys);
	/* ranks of x: 1, 3.5, 3.5, 6 = 14; 14 - 10 - 6 = -2; one group of four: 60 */
	double sigma = sqrt(12.0 / 12 * (8 - 60.0 / 42));
	assert_near(mann_whitney_z(&pair.of_x, &pair.of_y, 0, 0.25), (-2 + 0.5) / sigma - 0.25,
		    1e-15);
	/* pairs above: 3 over 2 and 2; ties: 2, 2 with 2, 2 */
	assert_near(mann_whitney_chance_above(&pair.of_x, &pair.of_y), (2 + 4 * 0.5) / 12, 1e-15);
	assert_near(mann_whitney_chance_above(&pair.of_y, &pair.of_x), 1 - 4.0 / 12, 1e-15);
	assert_near(mann_whitney_chance_above(&pair.of_x, &pair.of_x), 0.5, 0);
}

static void constants_have_no_interval(void **state)
{
	(void)state;
	static const double xs[] = {10, 10}, ys[] = {1, 1, 1}, one[] = {7}, two[] = {1, 2};
	struct mann_whitney_shift shift = {.low = 1, .high = 2, .estimate = 3};
	PAIR(constants, xs, ys);
	assert_false(mann_whitney_shift(&constants.of_x, &constants.of_y, 0.95, &shift));
	assert_true(isnan(mann_whitney_z(&constants.of_x, &constants.of_y, 9, 0)));
	PAIR(singles, one, one);
	assert_false(mann_whitney_shift(&singles.of_x, &singles.of_y, 0.95, &shift));
	assert_true(shift.low == 1 && shift.high == 2 && shift.estimate == 3);
	PAIR(few, one, two);
	assert_true(mann_whitney_shift(&few.of_x, &few.of_y, 0.95, &shift));
	assert_true(shift.low == 5 && shift.high == 6);
}

static void a_shift_of_one_side_shifts_the_interval(void **state)
{
	(void)state;
	struct mann_whitney_shift before, after;
	double moved[sizeof series_5 / sizeof *series_5];
	for (size_t i = 0; i < sizeof moved / sizeof *moved; i++)
		moved[i] = series_5[i] + 64;
	PAIR(pair, series_5, series_4);
	PAIR(far, moved, series_4);
	assert_true(mann_whitney_shift(&pair.of_x, &pair.of_y, 0.95, &before));
	assert_true(mann_whitney_shift(&far.of_x, &far.of_y, 0.95, &after));
	assert_near(after.low, before.low + 64, 2e-4);
	assert_near(after.high, before.high + 64, 2e-4);
}

static void values_at_the_bounds_end(void **state)
{
	(void)state;
	static const double xs[] = {-1e300, 0, 1e300}, ys[] = {-1e300, 1, 1e300};
	struct mann_whitney_shift shift;
	PAIR(pair, xs, ys);
	assert_true(mann_whitney_shift(&pair.of_x, &pair.of_y, 0.95, &shift));
	assert_true(shift.low <= shift.high);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(z_is_that_of_r),
		cmocka_unit_test(intervals_are_those_of_r),
		cmocka_unit_test(what_is_between_is_that_of_r),
		cmocka_unit_test(ranks_of_ties_by_hand),
		cmocka_unit_test(constants_have_no_interval),
		cmocka_unit_test(a_shift_of_one_side_shifts_the_interval),
		cmocka_unit_test(values_at_the_bounds_end),
	};
	return cmocka_run_group_tests_name("judge/mann_whitney", tests, NULL, NULL);
}
