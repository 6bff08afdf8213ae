/* SPDX-License-Identifier: Apache-2.0
 * Tests of link/counters.c. */
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"
#include "base/buf.h"
#include "link/counters.h"

static struct counters *segment(uint32_t workers)
{
	struct counters *c = aligned_alloc(64, counters_size(workers));
	assert_non_null(c);
	memset(c, 0, counters_size(workers));
	counters_format(c, workers, 42, "here");
	return c;
}

static void sums_run_over_all_workers(void **state)
{
	(void)state;
	struct counters *c = segment(3);
	static struct counters_release sum, base, difference;
	struct error err;
	assert_int_equal(counters_check(c, counters_size(3), &err), 0);
	for (uint32_t i = 0; i < 3; i++) {
		struct counters_worker_block *w = counters_attach(c, i, 100 + i);
		counters_add(&w->releases[7].values[COUNTERS_RELEASE_STARTED], 5);
		counters_add(&w->releases[7].values[COUNTERS_RELEASE_COMPLETED], i);
		counters_add(&w->histograms[7].counts[COUNTERS_TOTAL][690], 2);
	}
	counters_sum_release(c, 7, &sum);
	assert_int_equal(sum.values[COUNTERS_RELEASE_STARTED], 15);
	assert_int_equal(sum.histograms[COUNTERS_TOTAL][690], 6);
	assert_int_equal(counters_release_in_flight(&sum), 12);
	base = sum;
	counters_add(&c->workers[1].releases[7].values[COUNTERS_RELEASE_STARTED], 1);
	counters_sum_release(c, 7, &sum);
	counters_difference(&sum, &base, &difference);
	assert_int_equal(difference.values[COUNTERS_RELEASE_STARTED], 1);
	assert_int_equal(difference.values[COUNTERS_RELEASE_COMPLETED], 0);
	free(c);
}

static void what_a_dead_worker_left_in_flight_is_lost_once(void **state)
{
	(void)state;
	struct counters *c = segment(1);
	static struct counters_release sum;
	struct counters_backend backend;
	struct counters_worker_block *w = counters_attach(c, 0, 1);
	counters_add(&w->releases[0].values[COUNTERS_RELEASE_STARTED], 10);
	counters_add(&w->releases[0].values[COUNTERS_RELEASE_COMPLETED], 7);
	counters_add(&w->backends[4].values[COUNTERS_BACKEND_STARTED], 10);
	counters_add(&w->backends[4].values[COUNTERS_BACKEND_COMPLETED], 8);
	counters_attach(c, 0, 2);
	counters_sum_release(c, 0, &sum);
	counters_sum_backend(c, 4, &backend);
	assert_int_equal(sum.values[COUNTERS_RELEASE_LOST], 3);
	assert_int_equal(counters_release_in_flight(&sum), 0);
	assert_int_equal(backend.values[COUNTERS_BACKEND_LOST], 2);
	counters_add(&w->releases[0].values[COUNTERS_RELEASE_STARTED], 4);
	counters_sum_release(c, 0, &sum);
	assert_int_equal(counters_release_in_flight(&sum), 4);
	counters_attach(c, 0, 3);
	counters_attach(c, 0, 4); /* nothing more is lost by one that did nothing */
	counters_sum_release(c, 0, &sum);
	assert_int_equal(sum.values[COUNTERS_RELEASE_LOST], 7);
	assert_int_equal(counters_get(&w->takeovers), 3);
	free(c);
}

static void a_table_is_seen_when_the_slowest_worker_has_seen_it(void **state)
{
	(void)state;
	struct counters *c = segment(3);
	assert_int_equal(counters_seen(c), 0);
	struct counters_worker_block *a = counters_attach(c, 0, 1), *b = counters_attach(c, 2, 3);
	counters_commit(c, 9);
	assert_int_equal(counters_active(c), 9);
	counters_set(&a->seen, 9);
	assert_int_equal(counters_seen(c), 0);
	counters_set(&b->seen, 8);
	assert_int_equal(counters_seen(c), 8);
	counters_set(&b->seen, 9);
	counters_set(&a->oldest, 7);
	counters_set(&b->oldest, 9);
	assert_int_equal(counters_seen(c), 9); /* place 1 has nobody */
	assert_int_equal(counters_oldest(c), 7);
	free(c);
}

static void a_segment_of_another_format_or_size_is_refused(void **state)
{
	(void)state;
	struct counters *c = segment(2);
	struct error err;
	assert_int_equal(counters_check(c, counters_size(2) - 1, &err), ERR_CORRUPT);
	c->worker_count = 3;
	assert_int_equal(counters_check(c, counters_size(2), &err), ERR_CORRUPT);
	c->worker_count = 2;
	c->abi++;
	assert_int_equal(counters_check(c, counters_size(2), &err), ERR_CORRUPT);
	c->abi--;
	c->magic[0]++;
	assert_int_equal(counters_check(c, counters_size(2), &err), ERR_CORRUPT);
	free(c);
}

static void every_number_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < COUNTERS_RELEASE_COUNT; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(
				counters_release_name((enum counters_release_field)i),
				counters_release_name((enum counters_release_field)j));
	assert_string_equal(counters_release_name(COUNTERS_RELEASE_STATUS_5XX), "status_5xx");
	assert_string_equal(counters_environment_name(COUNTERS_ENVIRONMENT_HELD), "held");
	assert_string_equal(counters_backend_name(COUNTERS_BACKEND_EJECTED), "ejected");
	assert_string_equal(counters_worker_name(COUNTERS_WORKER_NO_ROUTE), "no_route");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_run_over_all_workers),
		cmocka_unit_test(what_a_dead_worker_left_in_flight_is_lost_once),
		cmocka_unit_test(a_table_is_seen_when_the_slowest_worker_has_seen_it),
		cmocka_unit_test(a_segment_of_another_format_or_size_is_refused),
		cmocka_unit_test(every_number_has_a_name_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
