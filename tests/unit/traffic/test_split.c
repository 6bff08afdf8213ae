/* SPDX-License-Identifier: Apache-2.0
 * test_split - shares, stickiness and monotone ramps, over 10^6 keys with fixed seeds. The bounds are exact
 * for these seeds: the functions are pure, so a run can never differ from another. */
#include "../cmocka_all.h"

#include <string.h>

#include "traffic/split.h"

enum { KEYS = 1000000 };

static const uint8_t salt[HASH_KEY_SIZE] = "salt of split 01",
		     other[HASH_KEY_SIZE] = "salt of shadow 2";

static uint64_t next_random(uint64_t *state) /* splitmix64 */
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static struct split two(uint32_t newest_bp)
{
	return (struct split){2, {newest_bp, SPLIT_FULL_BP - newest_bp}};
}

static int sticky(const struct split *s, uint32_t key)
{
	return split_choose_sticky(s, salt, &key, sizeof key);
}

/* The chi-square statistic of `seen` against the weights; releases without weight must be unseen. */
static double chi_square(const struct split *s, const uint32_t *seen, uint32_t total)
{
	double sum = 0;
	for (uint32_t i = 0; i < s->count; i++) {
		double want = (double)total * s->weight_bp[i] / SPLIT_FULL_BP;
		if (want == 0)
			assert_int_equal(seen[i], 0);
		else
			sum += ((double)seen[i] - want) * ((double)seen[i] - want) / want;
	}
	return sum;
}

static void the_line_goes_from_0_to_9999(void **state)
{
	(void)state;
	assert_int_equal(split_point(0), 0);
	assert_int_equal(split_point(UINT64_MAX), 9999);
	assert_int_equal(split_point(UINT64_MAX / 2), 4999);
}

static void shares_are_the_weights_at_random_and_by_key(void **state)
{
	(void)state;
	static const struct split splits[] = {
		{2, {1, 9999}},
		{2, {100, 9900}},
		{2, {5000, 5000}},
		{3, {1000, 0, 9000}},
		{4, {2500, 2500, 2500, 2500}},
		{5, {10, 90, 900, 4000, 5000}},
	};
	uint64_t seed = 1;
	for (size_t i = 0; i < sizeof splits / sizeof splits[0]; i++) {
		uint32_t random[SPLIT_RELEASE_MAX] = {0}, keyed[SPLIT_RELEASE_MAX] = {0};
		for (uint32_t key = 0; key < KEYS; key++) {
			random[split_choose(&splits[i], next_random(&seed))]++;
			keyed[sticky(&splits[i], key)]++;
		}
		/* 4 degrees of freedom at most: 18.5 is the 99.9 % point. */
		assert_true(chi_square(&splits[i], random, KEYS) < 18.5);
		assert_true(chi_square(&splits[i], keyed, KEYS) < 18.5);
	}
}

static void no_weight_no_requests_and_full_weight_all_of_them(void **state)
{
	(void)state;
	struct split none = two(0), all = two(SPLIT_FULL_BP), parked = {.count = 2};
	uint64_t seed = 2;
	for (uint32_t key = 0; key < 100000; key++) {
		uint64_t random = next_random(&seed);
		assert_int_equal(split_choose(&none, random), 1);
		assert_int_equal(split_choose(&all, random), 0);
		assert_int_equal(sticky(&none, key), 1);
		assert_int_equal(sticky(&all, key), 0);
	}
	assert_int_equal(split_choose(&parked, 7), ERR_UNAVAILABLE);
	assert_int_equal(sticky(&parked, 7), ERR_UNAVAILABLE);
}

static void a_rising_weight_only_lets_units_in(void **state)
{
	(void)state;
	static const uint32_t ramp[] = {0, 1, 10, 100, 500, 2500, 5000, 9999, SPLIT_FULL_BP};
	for (size_t i = 1; i < sizeof ramp / sizeof ramp[0]; i++) {
		struct split before = two(ramp[i - 1]), after = two(ramp[i]);
		uint32_t moved = 0;
		for (uint32_t key = 0; key < KEYS; key++) {
			int from = sticky(&before, key), to = sticky(&after, key);
			assert_true(to <= from); /* nobody goes back to the older release */
			moved += from != to;
		}
		/* And no more than the difference: five sigma of the binomial share. */
		double share = (ramp[i] - ramp[i - 1]) / 10000.0, want = share * KEYS;
		double distance = (moved - want) * (moved - want);
		assert_true(distance <= 25.0 * KEYS * share * (1 - share) + 1e-9);
	}
}

static void another_salt_splits_otherwise(void **state)
{
	(void)state;
	struct split half = two(5000);
	uint32_t same = 0;
	for (uint32_t key = 0; key < KEYS; key++)
		same += sticky(&half, key) == split_choose_sticky(&half, other, &key, sizeof key);
	assert_in_range(same, KEYS / 2 - 2500, KEYS / 2 + 2500);
}

static void shadow_sampling_is_independent_of_the_split(void **state)
{
	(void)state;
	struct split s = two(2000);
	uint32_t cells[2][2] = {{0}};
	for (uint32_t key = 0; key < KEYS; key++)
		cells[sticky(&s, key)][split_mirrored(1000, other, &key, sizeof key)]++;
	assert_in_range(cells[0][1], 20000 - 700, 20000 + 700);
	assert_in_range(cells[1][1], 80000 - 1350, 80000 + 1350);
	uint32_t key = 1;
	for (; key < 10000; key++) {
		assert_false(split_mirrored(0, other, &key, sizeof key));
		assert_true(split_mirrored(SPLIT_FULL_BP, other, &key, sizeof key));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_line_goes_from_0_to_9999),
		cmocka_unit_test(shares_are_the_weights_at_random_and_by_key),
		cmocka_unit_test(no_weight_no_requests_and_full_weight_all_of_them),
		cmocka_unit_test(a_rising_weight_only_lets_units_in),
		cmocka_unit_test(another_salt_splits_otherwise),
		cmocka_unit_test(shadow_sampling_is_independent_of_the_split),
	};
	return cmocka_run_group_tests_name("traffic/split", tests, NULL, NULL);
}
