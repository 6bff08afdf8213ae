/* SPDX-License-Identifier: Apache-2.0
 * test_sample - order, means, percentiles and fences, with the numbers of Kayenta's own tests of them. */
#include "near.h"

#include <stdbool.h>
#include <string.h>

#include "judge/sample.h"

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof *(array)))

static double percentile(const double *values, uint32_t count, double percent)
{
	double sorted[SAMPLE_MAX];
	memcpy(sorted, values, count * sizeof *values);
	sample_sort(sorted, count);
	return sample_percentile(sorted, count, percent);
}

static void sorting_orders_what_it_is_given(void **state)
{
	(void)state;
	double values[SAMPLE_MAX];
	uint64_t random = 1;
	for (uint32_t count = 0; count <= SAMPLE_MAX; count += 1 + count / 3) {
		double sum = 0, after = 0;
		for (uint32_t i = 0; i < count; i++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			values[i] = (double)(random >> 58);
			sum += values[i];
		}
		sample_sort(values, count);
		for (uint32_t i = 0; i < count; i++) {
			after += values[i];
			assert_true(i == 0 || values[i - 1] <= values[i]);
		}
		assert_true(sum == after);
	}
}

static void means(void **state)
{
	(void)state;
	static const double two[] = {1, 1, 1, 10, 10, 10}, one[] = {4};
	assert_true(sample_mean(two, 6) == 5.5);
	assert_true(sample_mean(one, 1) == 4);
	assert_true(sample_mean(NULL, 0) == 0);
}

static void percentiles_are_linear_between_points(void **state)
{
	(void)state;
	static const double halves[] = {0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5};
	static const double ten[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
	static const double nist[] = {95.1772, 95.1567, 95.1937, 95.1959, 95.1442, 95.0610,
				      95.1591, 95.1195, 95.1772, 95.0925, 95.1990, 95.1682};
	static const double sparse[] = {
		0.07142857142857144,
		0.02083333333333332,
		0.16666666666666666,
		0.03448275862068966,
		0.038461538461538464,
		0.03225806451612904,
		0.027777777777777773,
		0,
		0.23076923076923078,
		0.10344827586206898,
		0.04545454545454542,
		0,
		0.028571428571428564,
		0,
		0,
		0.04,
		0,
		0,
		0.05128205128205127,
		0.10714285714285716,
		0.0263157894736842,
		0.04166666666666667,
		0.09523809523809522,
		0.02941176470588235,
		0.024999999999999984,
		0,
		0,
		0.023809523809523794,
		0,
		0.02564102564102563,
		0,
		0,
		0.028571428571428564,
		0.07142857142857144,
		0.047619047619047596,
		0.021276595744680833,
		0.02564102564102563,
		0.03125,
		0.03125,
		0.03125,
		0.11363636363636356,
		0.03571428571428572,
		0,
		0.02777777777777777,
		0,
		0,
		0.055555555555555546,
		0.028571428571428564,
		0.03225806451612904,
	};
	static const double one[] = {1};
	assert_near(percentile(halves, COUNT(halves), 5), 0.175, 1e-12);
	assert_near(percentile(halves, COUNT(halves), 50), 1.75, 0);
	assert_near(percentile(halves, COUNT(halves), 100), 3.5, 0);
	assert_near(percentile(ten, COUNT(ten), 50), 4.5, 0);
	assert_near(percentile(nist, COUNT(nist), 90), 95.19568, 1e-12);
	assert_near(percentile(one, 1, 100), 1, 0);
	assert_near(percentile(one, 1, 1), 1, 0);
	assert_near(percentile(sparse, COUNT(sparse), 25), 0, 0);
	assert_near(percentile(sparse, COUNT(sparse), 75), 0.0416, 1e-4);
}

/* How many values are left, and whether `outlier` is among them. */
static uint32_t kept(const double *values, uint32_t count, double outlier, bool *ret_there)
{
	double sorted[SAMPLE_MAX];
	memcpy(sorted, values, count * sizeof *values);
	sample_sort(sorted, count);
	struct sample_fences fences = sample_fences(sorted, count, 1.5);
	uint32_t left = sample_keep(sorted, count, fences.low, fences.high);
	*ret_there = false;
	for (uint32_t i = 0; i < left; i++)
		*ret_there |= sorted[i] == outlier;
	return left;
}

static void fences_shut_outliers_out(void **state)
{
	(void)state;
	static const double one_high[] = {21, 23, 24, 25, 50, 29, 23, 21};
	static const double two_sided[] = {1, 1, 1, 5, -1, -1, -1, -5};
	static const double nist[] = {
		30,  171, 184, 201, 212, 250, 265, 270, 272, 289, 305, 306,  322,  322,  336,
		346, 351, 370, 390, 404, 409, 411, 436, 437, 439, 441, 444,  448,  451,  453,
		470, 480, 482, 487, 494, 495, 499, 503, 514, 521, 522, 527,  548,  550,  559,
		560, 570, 572, 574, 578, 585, 592, 592, 607, 616, 618, 621,  629,  637,  638,
		640, 656, 668, 707, 709, 719, 737, 739, 752, 758, 766, 792,  792,  794,  802,
		818, 830, 832, 843, 858, 860, 869, 918, 925, 953, 991, 1000, 1005, 1068, 1441};
	bool there;
	assert_int_equal(kept(one_high, COUNT(one_high), 50, &there), 7);
	assert_false(there);
	assert_int_equal(kept(two_sided, COUNT(two_sided), 5, &there), 6);
	assert_false(there);
	assert_int_equal(kept(two_sided, COUNT(two_sided), -5, &there), 6);
	assert_false(there);
	assert_int_equal(kept(nist, COUNT(nist), 1441, &there), COUNT(nist) - 1);
	assert_false(there);
	assert_int_equal(kept(nist, COUNT(nist), 30, &there), COUNT(nist) - 1);
	assert_true(there);
}

static void keeping_nothing_leaves_nothing(void **state)
{
	(void)state;
	double values[] = {1, 2, 3};
	assert_int_equal(sample_keep(values, 3, 4, 5), 0);
	assert_int_equal(sample_keep(values, 3, -1, 0), 0);
	assert_int_equal(sample_keep(values, 3, 2, 2), 1);
	assert_true(values[0] == 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorting_orders_what_it_is_given),
		cmocka_unit_test(means),
		cmocka_unit_test(percentiles_are_linear_between_points),
		cmocka_unit_test(fences_shut_outliers_out),
		cmocka_unit_test(keeping_nothing_leaves_nothing),
	};
	return cmocka_run_group_tests_name("judge/sample", tests, NULL, NULL);
}
