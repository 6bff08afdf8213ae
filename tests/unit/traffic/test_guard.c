/* SPDX-License-Identifier: Apache-2.0
 * test_guard - documents refused, weights moved; and the invariants of it over a million
 * random documents. */
#include "../cmocka_all.h"

#include <string.h>

#include "traffic/guard.h"

#define DOCUMENT(live_, mirror_, ...)                             \
	{                                                         \
		.live = (live_), .mirror = (mirror_), __VA_ARGS__ \
	}

enum { NONE = GUARD_NONE };

static uint64_t next_random(uint64_t *state) /* splitmix64 */
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static int check(const struct guard_document *d)
{
	struct error err = {0};
	int rc = guard_check(d, &err);
	assert_int_equal(rc < 0, err.text[0] != '\0');
	return rc;
}

static void documents_that_make_no_sense_are_refused(void **state)
{
	(void)state;
	static const struct guard_document good[] = {
		DOCUMENT(NONE, NONE, .count = 1, .release = {{10000, 0}}),
		DOCUMENT(1, 0, .count = 2, .release = {{1, 1}, {9999, 1}}, .mirror_bp = 10000),
		DOCUMENT(NONE, NONE, .parked = true, .count = 2, .release = {{0, 1}, {0, 0}}),
		DOCUMENT(NONE, NONE, .parked = true, .count = 0),
	};
	static const struct guard_document bad[] = {
		DOCUMENT(NONE, NONE, .count = 0),
		DOCUMENT(NONE, NONE, .count = 1, .release = {{9999, 1}}),
		DOCUMENT(NONE, NONE, .count = 1, .release = {{10001, 1}}),
		DOCUMENT(NONE, NONE, .count = 2, .release = {{5000, 1}, {5001, 1}}),
		DOCUMENT(NONE, NONE, .count = 2,
			 .release = {{UINT32_MAX, 1}, {10001, 1}}), /* wraps to 10000 */
		DOCUMENT(NONE, NONE, .count = SPLIT_RELEASE_MAX + 1, .release = {{10000, 1}}),
		DOCUMENT(1, NONE, .count = 1, .release = {{10000, 1}}),
		DOCUMENT(-2, NONE, .count = 1, .release = {{10000, 1}}),
		DOCUMENT(NONE, 1, .count = 1, .release = {{10000, 1}}, .mirror_bp = 1),
		DOCUMENT(NONE, -2, .count = 1, .release = {{10000, 1}}, .mirror_bp = 1),
		DOCUMENT(NONE, NONE, .count = 1, .release = {{10000, 1}}, .mirror_bp = 1),
		DOCUMENT(NONE, 1, .count = 2, .release = {{10000, 1}}, .mirror_bp = 10001),
		DOCUMENT(0, 0, .count = 2, .release = {{10000, 1}}, .mirror_bp = 1),
	};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_int_equal(check(&good[i]), 0);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(check(&bad[i]), ERR_INVALID);
}

static void weight_goes_to_those_who_can_carry_it(void **state)
{
	(void)state;
	static const struct {
		struct guard_document d;
		enum guard_serving serving;
		uint32_t want_bp[4];
	} rows[] = {
		{DOCUMENT(NONE, NONE, .count = 2, .release = {{1000, 1}, {9000, 1}}),
		 GUARD_AS_WANTED,
		 {1000, 9000}},
		{DOCUMENT(NONE, NONE, .count = 2, .release = {{0, 0}, {10000, 1}}),
		 GUARD_AS_WANTED,
		 {0, 10000}},
		{DOCUMENT(NONE, NONE, .count = 2, .release = {{1000, 0}, {9000, 3}}),
		 GUARD_MOVED,
		 {0, 10000}},
		{DOCUMENT(NONE, NONE, .count = 2, .release = {{1000, 3}, {9000, 0}}),
		 GUARD_MOVED,
		 {10000, 0}},
		{DOCUMENT(NONE, NONE, .count = 3, .release = {{1000, 1}, {2000, 1}, {7000, 0}}),
		 GUARD_MOVED,
		 {3333, 6667, 0}},
		{DOCUMENT(NONE, NONE, .count = 2, .release = {{1000, 0}, {9000, 0}}),
		 GUARD_NONE_READY,
		 {1000, 9000}},
		{DOCUMENT(NONE, NONE, .count = 3, .release = {{10000, 0}, {0, 1}, {0, 1}}),
		 GUARD_MOVED,
		 {0, 0, 10000}},
		{DOCUMENT(1, NONE, .count = 3, .release = {{10000, 0}, {0, 1}, {0, 1}}),
		 GUARD_MOVED,
		 {0, 10000, 0}},
		{DOCUMENT(2, NONE, .count = 3, .release = {{10000, 0}, {0, 1}, {0, 0}}),
		 GUARD_MOVED,
		 {0, 10000, 0}},
		{DOCUMENT(NONE, NONE, .parked = true, .count = 2, .release = {{1, 1}, {2, 1}}),
		 GUARD_PARKED,
		 {0, 0}},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct split s;
		assert_int_equal(guard_apply(&rows[i].d, &s), rows[i].serving);
		for (uint32_t j = 0; j < rows[i].d.count; j++)
			assert_int_equal(s.weight_bp[j], rows[i].want_bp[j]);
	}
}

static void draw_document(uint64_t *seed, struct guard_document *d)
{
	uint32_t left = SPLIT_FULL_BP;
	*d = (struct guard_document)DOCUMENT(NONE, NONE,
					     .count = 1 + (uint32_t)(next_random(seed) % 4));
	for (uint32_t i = 0; i < d->count; i++) {
		uint32_t part = (uint32_t)(next_random(seed) % (left + 1));
		d->release[i].weight_bp = i + 1 == d->count       ? left
					  : next_random(seed) % 3 ? part
								  : 0;
		left -= d->release[i].weight_bp;
		d->release[i].ready = (uint32_t)(next_random(seed) % 3);
	}
	d->live = (int32_t)(next_random(seed) % (d->count + 1)) - 1;
}

static void over_random_documents_the_invariants_hold(void **state)
{
	(void)state;
	uint64_t seed = 1;
	for (int run = 0; run < 1000000; run++) {
		struct guard_document d;
		struct split s;
		uint32_t sum = 0, ready = 0, carrying = 0;
		draw_document(&seed, &d);
		assert_int_equal(check(&d), 0);
		enum guard_serving serving = guard_apply(&d, &s);
		for (uint32_t i = 0; i < d.count; i++) {
			sum += s.weight_bp[i];
			ready += d.release[i].ready;
			if (d.release[i].ready > 0)
				carrying += s.weight_bp[i];
			else
				assert_true(s.weight_bp[i] <= d.release[i].weight_bp);
		}
		assert_int_equal(sum, SPLIT_FULL_BP);
		if (ready > 0)
			assert_int_equal(carrying, SPLIT_FULL_BP); /* never a refusal by choice */
		assert_int_equal(serving == GUARD_NONE_READY, ready == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_that_make_no_sense_are_refused),
		cmocka_unit_test(weight_goes_to_those_who_can_carry_it),
		cmocka_unit_test(over_random_documents_the_invariants_hold),
	};
	return cmocka_run_group_tests_name("traffic/guard", tests, NULL, NULL);
}
