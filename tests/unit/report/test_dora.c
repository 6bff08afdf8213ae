/* SPDX-License-Identifier: Apache-2.0
 * dora - a list of twelve deployments with every number computed by hand, and what holds for every list. */
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"

#include "report/dora.h"

#define HOUR 3600000ull
#define DAY  (24 * HOUR)
#define T0   (20000 * DAY) /* a midnight */

/* Ten days. Started, first exposed and completed are hours after T0; 0 = never.
 *  1 good   2 taken back by its judge after 30 minutes   3 caught before anybody met it
 *  4 live, gone back from (5) five hours later   6 the same release again   7 good
 *  8 live, and repaired (9) within the day   10 good   11 live; the rollback (12) came when 24 hours were over  */
static const struct dora_deployment golden[] = {
	{1, DORA_NORMAL, 0, true, false, T0 + 1 * HOUR, T0 + 1 * HOUR, T0 + 2 * HOUR},
	{2, DORA_NORMAL, 0, false, true, T0 + 10 * HOUR, T0 + 10 * HOUR, T0 + 10 * HOUR + HOUR / 2},
	{3, DORA_NORMAL, 0, false, true, T0 + 12 * HOUR, 0, T0 + 13 * HOUR},
	{4, DORA_NORMAL, 0, true, false, T0 + 30 * HOUR, T0 + 30 * HOUR, T0 + 31 * HOUR},
	{5, DORA_ROLLBACK, 4, true, false, T0 + 36 * HOUR, T0 + 36 * HOUR, T0 + 37 * HOUR},
	{6, DORA_REDEPLOY, 0, true, false, T0 + 40 * HOUR, T0 + 40 * HOUR, T0 + 41 * HOUR},
	{7, DORA_NORMAL, 0, true, false, T0 + 50 * HOUR, T0 + 50 * HOUR, T0 + 52 * HOUR},
	{8, DORA_NORMAL, 0, true, false, T0 + 100 * HOUR, T0 + 100 * HOUR, T0 + 101 * HOUR},
	{9, DORA_HOTFIX, 8, true, false, T0 + 103 * HOUR, T0 + 103 * HOUR, T0 + 104 * HOUR},
	{10, DORA_NORMAL, 0, true, false, T0 + 150 * HOUR, T0 + 150 * HOUR, T0 + 151 * HOUR},
	{11, DORA_NORMAL, 0, true, false, T0 + 170 * HOUR, T0 + 170 * HOUR, T0 + 171 * HOUR},
	{12, DORA_ROLLBACK, 11, true, false, T0 + 196 * HOUR, T0 + 196 * HOUR, T0 + 197 * HOUR},
};
enum { GOLDEN = sizeof golden / sizeof golden[0] };

static struct dora_numbers n;

static struct dora_input input_of(const struct dora_deployment *list, uint32_t count)
{
	return (struct dora_input){.from_unix_ms = T0,
				   .to_unix_ms = T0 + 10 * DAY,
				   .deployments = list,
				   .deployment_count = count,
				   .hotfixes_known = true};
}

static void twelve_deployments_computed_by_hand(void **state)
{
	(void)state;
	struct dora_input input = input_of(golden, GOLDEN);
	dora_compute(&input, &n);
	/* 1 4 7 8 9 10 11, completed at hours 2 31 52 101 104 151 171: days 0 1 2 4 4 6 7. */
	assert_int_equal(n.deployments, 7);
	assert_true(n.per_day > 0.6999 && n.per_day < 0.7001);
	assert_int_equal(n.days_touched, 10);
	assert_int_equal(n.days_with, 6);
	/* 29 21 49 3 47 20, in order 3 20 21 29 47 49: places 3 and 6. */
	assert_int_equal(n.gap.n, 6);
	assert_int_equal(n.gap.p50_ms, 21 * HOUR);
	assert_int_equal(n.gap.p90_ms, 49 * HOUR);
	/* Exposed: all normal ones and the repair, but 3. Failed: 2, 4 and 8. */
	assert_int_equal(n.exposed, 8);
	assert_int_equal(n.failed, 3);
	assert_int_equal(n.caught_unexposed, 1);
	/* 2: 30 min; 4: 30 to 37; 8: 100 to 104. Three tell no quantile. */
	assert_int_equal(n.recovery.n, 3);
	assert_int_equal(n.recovery.p50_ms, 0);
	assert_int_equal(n.ongoing, 0);
	assert_int_equal(n.hotfixes, 1);
	assert_int_equal(n.all, 9);
	assert_int_equal(n.rollbacks, 2);
	assert_int_equal(n.lead.n, 0);
}

static void every_row_says_what_it_is(void **state)
{
	(void)state;
	struct dora_input input = input_of(golden, GOLDEN);
	struct dora_row row;
	dora_row(&input, 1, &row);
	assert_true(row.failed && row.restored && !row.counted && row.by == 0);
	assert_int_equal(row.recovery_ms, HOUR / 2);
	dora_row(&input, 3, &row);
	assert_true(row.failed && row.restored && row.counted && row.by == 5);
	assert_int_equal(row.recovery_ms, 7 * HOUR);
	dora_row(&input, 7, &row);
	assert_true(row.failed && row.by == 9);
	assert_int_equal(row.recovery_ms, 4 * HOUR);
	dora_row(&input, 10, &row); /* 25 hours: too late to be blamed on it */
	assert_false(row.failed);
	dora_row(&input, 4, &row); /* a rollback is on neither side */
	assert_false(row.exposed || row.failed || row.counted);
}

static void the_next_ordinary_deployment_ends_the_blame(void **state)
{
	(void)state;
	const struct dora_deployment list[] = {
		{1, DORA_NORMAL, 0, true, false, T0 + HOUR, T0 + HOUR, T0 + 2 * HOUR},
		{2, DORA_NORMAL, 0, true, false, T0 + 3 * HOUR, T0 + 3 * HOUR, T0 + 4 * HOUR},
		{3, DORA_ROLLBACK, 1, true, false, T0 + 5 * HOUR, T0 + 5 * HOUR, T0 + 6 * HOUR}};
	struct dora_input input = input_of(list, 3);
	dora_compute(&input, &n);
	assert_int_equal(n.failed, 0);
}

static void what_did_not_come_back_is_ongoing(void **state)
{
	(void)state;
	const struct dora_deployment list[] = {
		{1, DORA_NORMAL, 0, true, false, T0 + HOUR, T0 + HOUR, T0 + 2 * HOUR},
		{2, DORA_ROLLBACK, 1, false, false, T0 + 3 * HOUR, T0 + 3 * HOUR, T0 + 4 * HOUR}};
	struct dora_input input = input_of(list, 2);
	dora_compute(&input, &n);
	assert_int_equal(n.failed, 1);
	assert_int_equal(n.ongoing, 1);
	assert_int_equal(n.recovery.n, 0);
}

static void lead_time_is_of_commits_and_merges_do_not_count(void **state)
{
	(void)state;
	const struct dora_commit commits[] = {
		{1, false, T0 - 1 * HOUR, 0},  {1, false, T0 - 3 * HOUR, T0 - 2 * HOUR},
		{1, false, T0 + 9 * HOUR, T0}, /* its clock was wrong: it was pushed before it was made */
		{1, true, T0 - 90 * HOUR, 0},  {4, false, T0 + 21 * HOUR, 0},
		{7, false, T0 + 50 * HOUR, 0}, {2, false, T0, 0}}; /* did not come through */
	struct dora_input input = input_of(golden, GOLDEN);
	input.commits = commits;
	input.commit_count = 7;
	dora_compute(&input, &n);
	/* 3 5 2 10 2, in order 2 2 3 5 10 */
	assert_int_equal(n.lead.n, 5);
	assert_int_equal(n.lead.p50_ms, 3 * HOUR);
	assert_int_equal(n.lead.p90_ms, 10 * HOUR);
}

static void nothing_is_said_of_nothing(void **state)
{
	(void)state;
	struct dora_input input = input_of(NULL, 0);
	dora_compute(&input, &n);
	assert_int_equal(n.deployments + n.exposed + n.failed + n.recovery.n + n.gap.n, 0);
	input.to_unix_ms = input.from_unix_ms;
	dora_compute(&input, &n);
	assert_true(n.per_day == 0);
}

/* --- what holds for every list */

static uint32_t seed;

static uint32_t draw(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

enum { MOST = 40 };

static uint32_t make(struct dora_deployment list[MOST])
{
	uint32_t count = draw(MOST + 1);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t at = T0 + draw(10 * 24 * 60) * 60000ull;
		bool succeeded = draw(2);
		list[i] = (struct dora_deployment){.id = i + 1,
						   .kind = (enum dora_kind)draw(4),
						   .about = draw(2) ? draw(count) : 0,
						   .succeeded = succeeded,
						   .restored = !succeeded && draw(3) > 0,
						   .started_unix_ms = at,
						   .exposed_unix_ms = draw(4) ? at + draw(1000) : 0,
						   .completed_unix_ms =
							   draw(9) ? at + draw(9000000) : 0};
	}
	return count;
}

static void shuffle(struct dora_deployment *list, uint32_t count)
{
	for (uint32_t i = count; i > 1; i--) {
		uint32_t k = draw(i);
		struct dora_deployment other = list[k];
		list[k] = list[i - 1];
		list[i - 1] = other;
	}
}

/* Without the work space. */
static void assert_same(const struct dora_numbers *a, const struct dora_numbers *b)
{
	assert_memory_equal(a, b, offsetof(struct dora_numbers, times));
}

static void laws_hold_for_every_list(void **state)
{
	(void)state;
	static struct dora_numbers whole, other, first, second;
	struct dora_deployment list[MOST + 1];
	for (seed = 1; seed < 200000; seed += 101) {
		uint32_t keep = seed, count = make(list);
		struct dora_input input = input_of(list, count), a, b;
		dora_compute(&input, &whole);
		assert_true(whole.failed <= whole.exposed);
		assert_true(whole.recovery.n + whole.ongoing == whole.failed);
		/* Two windows that make one. */
		a = b = input;
		a.to_unix_ms = b.from_unix_ms = T0 + draw(10 * 24) * HOUR;
		dora_compute(&a, &first);
		dora_compute(&b, &second);
		assert_int_equal(first.deployments + second.deployments, whole.deployments);
		assert_int_equal(first.exposed + second.exposed, whole.exposed);
		assert_int_equal(first.failed + second.failed, whole.failed);
		assert_int_equal(first.ongoing + second.ongoing, whole.ongoing);
		assert_int_equal(first.all + second.all, whole.all);
		/* Another order. */
		shuffle(list, count);
		dora_compute(&input, &other);
		assert_same(&other, &whole);
		/* One more rollback. */
		list[count] = (struct dora_deployment){.id = MOST + 1,
						       .kind = DORA_ROLLBACK,
						       .about = draw(MOST),
						       .succeeded = draw(2),
						       .started_unix_ms = T0 + draw(200) * HOUR};
		list[count].completed_unix_ms = list[count].started_unix_ms + HOUR;
		input.deployment_count = count + 1;
		dora_compute(&input, &other);
		assert_int_equal(other.deployments, whole.deployments);
		assert_memory_equal(&other.gap, &whole.gap, sizeof whole.gap);
		assert_int_equal(other.exposed, whole.exposed);
		seed = keep;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(twelve_deployments_computed_by_hand),
		cmocka_unit_test(every_row_says_what_it_is),
		cmocka_unit_test(the_next_ordinary_deployment_ends_the_blame),
		cmocka_unit_test(what_did_not_come_back_is_ongoing),
		cmocka_unit_test(lead_time_is_of_commits_and_merges_do_not_count),
		cmocka_unit_test(nothing_is_said_of_nothing),
		cmocka_unit_test(laws_hold_for_every_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
