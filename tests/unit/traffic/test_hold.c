/* SPDX-License-Identifier: Apache-2.0
 * test_hold - bounds and pace of held requests; the retry budget beside it. */
#include "../cmocka_all.h"

#include "traffic/hold.h"
#include "traffic/retry.h"

static const struct hold_limits small = {
	.count = 3, .bytes = 100, .wait_ms = 50, .per_s = 10, .burst = 2};

static void admits_up_to_the_count_and_tells_the_deadline(void **state)
{
	(void)state;
	struct hold h = {0};
	uint64_t deadline_ms = 0;
	for (uint64_t i = 0; i < 3; i++) {
		assert_true(hold_admit(&h, &small, 1, 1000 + i, &deadline_ms));
		assert_int_equal(deadline_ms, 1050 + i);
	}
	assert_false(hold_admit(&h, &small, 1, 1003, &deadline_ms));
	hold_leave(&h, 1);
	assert_true(hold_admit(&h, &small, 1, 1003, &deadline_ms));
}

static void admits_up_to_the_bytes(void **state)
{
	(void)state;
	struct hold h = {0};
	struct hold_limits less = small;
	uint64_t deadline_ms;
	assert_false(hold_admit(&h, &small, 101, 0, &deadline_ms));
	assert_true(hold_admit(&h, &small, 60, 0, &deadline_ms));
	assert_false(hold_admit(&h, &small, 41, 0, &deadline_ms));
	assert_false(hold_admit(&h, &small, UINT64_MAX, 0, &deadline_ms));
	assert_true(hold_admit(&h, &small, 40, 0, &deadline_ms));
	assert_false(hold_admit(&h, &small, 1, 0, &deadline_ms));
	less.bytes = 50;
	assert_false(hold_admit(&h, &less, 1, 0, &deadline_ms));
	hold_leave(&h, 60);
	hold_leave(&h, 40);
	assert_int_equal(h.count, 0);
	assert_int_equal(h.bytes, 0);
}

/* Let `held` requests go, checking at every instant that is asked for; the time it took. */
static uint64_t let_go(struct hold *h, const struct hold_limits *limits, uint64_t from_ms)
{
	uint64_t now_ms = from_ms, again_ms;
	for (int turn = 0; h->count > 0; turn++) {
		assert_true(turn < 100000);
		uint32_t due = hold_due(h, limits, now_ms, &again_ms);
		assert_true(due <= h->count);
		assert_true(due > 0 || again_ms > now_ms);
		for (; due > 0; due--)
			hold_leave(h, 0);
		if (h->count > 0) {
			assert_true(again_ms > now_ms);
			now_ms = again_ms;
		}
	}
	return now_ms - from_ms;
}

static void lets_go_a_burst_and_then_at_the_pace(void **state)
{
	(void)state;
	struct hold h = {.count = 3};
	uint64_t again_ms;
	assert_int_equal(hold_due(&h, &small, 500, &again_ms), 2);
	assert_int_equal(again_ms, 600);
	hold_leave(&h, 0);
	hold_leave(&h, 0);
	assert_int_equal(hold_due(&h, &small, 599, &again_ms), 0);
	assert_int_equal(again_ms, 600);
	assert_int_equal(hold_due(&h, &small, 600, &again_ms), 1);

	h = (struct hold){.count = 10000};
	uint64_t took_ms = let_go(&h, &hold_limits_default, 7);
	assert_in_range(took_ms, (10000 - 64) / 2, (10000 - 64) / 2 + 5);
}

static void a_long_absence_does_not_save_up_a_flood(void **state)
{
	(void)state;
	struct hold h = {.count = 10000};
	uint64_t again_ms;
	assert_int_equal(hold_due(&h, &hold_limits_default, 0, &again_ms), 64);
	h.count -= 64;
	assert_int_equal(hold_due(&h, &hold_limits_default, 3600000, &again_ms), 64);
}

static void no_pace_lets_all_go_at_once(void **state)
{
	(void)state;
	struct hold_limits limits = hold_limits_default;
	struct hold h = {.count = 10000};
	limits.per_s = 0;
	assert_int_equal(let_go(&h, &limits, 5), 0);
}

static void parking_again_starts_with_a_fresh_burst(void **state)
{
	(void)state;
	struct hold h = {.count = 3};
	uint64_t again_ms;
	assert_int_equal(hold_due(&h, &small, 0, &again_ms), 2);
	assert_int_equal(hold_due(&h, &small, 1, &again_ms), 0);
	hold_park(&h);
	assert_int_equal(hold_due(&h, &small, 2, &again_ms), 2);
}

static void only_what_may_be_repeated_is_tried_again(void **state)
{
	(void)state;
	static const struct {
		struct retry_case c;
		bool want;
	} rows[] = {
		{{.body_whole = true}, true}, /* nothing was sent: any method */
		{{.sent = true, .body_whole = true}, false},
		{{.sent = true, .idempotent = true, .body_whole = true}, true},
		{{.sent = true, .idempotent = true, .body_whole = false}, false},
		{{.idempotent = true, .body_whole = true, .answered = true}, false},
		{{.idempotent = true, .body_whole = true, .tries = 1}, false},
		{{.body_whole = false}, false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct retry_budget budget = {.active = 100};
		assert_int_equal(retry_take(&budget, &rows[i].c), rows[i].want);
		assert_int_equal(budget.retries, rows[i].want);
	}
}

static void retries_are_a_fifth_of_what_is_active_at_most(void **state)
{
	(void)state;
	static const struct retry_case fine = {.body_whole = true};
	static const struct {
		uint32_t active, want;
	} rows[] = {{0, 3}, {1, 3}, {15, 3}, {20, 4}, {100, 20}, {10000, 2000}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct retry_budget budget = {.active = rows[i].active};
		uint32_t taken = 0;
		while (taken < 100000 && retry_take(&budget, &fine))
			taken++;
		assert_int_equal(taken, rows[i].want);
		retry_done(&budget);
		assert_true(retry_take(&budget, &fine));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(admits_up_to_the_count_and_tells_the_deadline),
		cmocka_unit_test(admits_up_to_the_bytes),
		cmocka_unit_test(lets_go_a_burst_and_then_at_the_pace),
		cmocka_unit_test(a_long_absence_does_not_save_up_a_flood),
		cmocka_unit_test(no_pace_lets_all_go_at_once),
		cmocka_unit_test(parking_again_starts_with_a_fresh_burst),
		cmocka_unit_test(only_what_may_be_repeated_is_tried_again),
		cmocka_unit_test(retries_are_a_fifth_of_what_is_active_at_most),
	};
	return cmocka_run_group_tests_name("traffic/hold", tests, NULL, NULL);
}
