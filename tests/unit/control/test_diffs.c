/* SPDX-License-Identifier: Apache-2.0
 * Tests of control/diffs.h: what a comparison has found, counted, kept and read again. */
#include "../cmocka_all.h"

#include <string.h>

#include "base/text.h"
#include "control/diffs.h"
#include "link/shadow_pair.h"
#include "provider/router.h"

static struct diffs d, again;
static struct router_counters counts;
static uint8_t bytes[DIFFS_BYTES_MAX];
static bool reported[JUDGE_NOISE_PLACES];

static void pair_with(bool noise, const char *place)
{
	static struct answer_differences found;
	struct shadow_pair pair = {.noise = noise, .body_differs = place != NULL};
	pair.sides[0].first_us = 1000;
	pair.sides[1].first_us = 2000;
	text_copy(pair.method, sizeof pair.method, "GET");
	text_copy(pair.path, sizeof pair.path, "/x");
	found.count = place ? 1 : 0;
	if (place) {
		memset(&found.items[0], 0, sizeof found.items[0]);
		text_copy(found.items[0].place, ANSWER_PLACE_SIZE, place);
		text_copy(found.items[0].live, ANSWER_VALUE_SIZE, "1");
		text_copy(found.items[0].fresh, ANSWER_VALUE_SIZE, "2");
	}
	diffs_add(&d, &pair, &found);
}

static void a_difference_beyond_noise_is_reported_and_noise_is_not(void **state)
{
	(void)state;
	diffs_begin(&d, 7, &counts);
	for (int i = 0; i < 200; i++) {
		pair_with(false, "$.price");
		pair_with(false, "$.at");
		pair_with(true, "$.at");
		pair_with(true, NULL);
	}
	diffs_report(&d, reported);
	assert_int_equal(d.place_count, 2);
	assert_string_equal(d.places[0].first.place, "$.price");
	assert_true(reported[0]);
	assert_false(reported[1]);
	assert_int_equal(diffs_place_fresh(&d.places[0]), 200);
	assert_int_equal(diffs_place_noise(&d.places[0]), 0);
	assert_int_equal(diffs_place_noise(&d.places[1]), 200);
	assert_int_equal(d.looked, 400);
	assert_int_equal(d.slower, 400);
}

static void what_is_kept_reads_back_to_the_same(void **state)
{
	(void)state;
	counts.life = 1;
	counts.shadow_sent = 5;
	assert_true(diffs_count(&d, &counts));
	assert_false(diffs_count(&d, &counts));
	size_t size = diffs_pack(&d, bytes);
	assert_in_range(size, 1, DIFFS_BYTES_MAX);
	assert_true(diffs_unpack(&again, bytes, size));
	assert_int_equal(again.rollout, 7);
	assert_int_equal(again.place_count, 2);
	assert_int_equal(again.looked, d.looked);
	assert_string_equal(again.places[0].path, "/x");
	for (size_t cut = 0; cut < size; cut += 7)
		assert_false(diffs_unpack(&again, bytes, cut));
}

/* A gateway that counts anew is no reason to forget what was counted before. */
static void counts_go_on_over_a_new_life_of_the_gateway(void **state)
{
	(void)state;
	uint64_t before = d.counts.sent;
	counts.life = 2;
	counts.shadow_sent = 3;
	diffs_count(&d, &counts);
	assert_int_equal(d.counts.sent, before + 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_difference_beyond_noise_is_reported_and_noise_is_not),
		cmocka_unit_test(what_is_kept_reads_back_to_the_same),
		cmocka_unit_test(counts_go_on_over_a_new_life_of_the_gateway),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
