/* SPDX-License-Identifier: Apache-2.0
 * Tests of link/counters.c. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "base/buf.h"
#include "link/counters.h"

static struct counters *segment(uint32_t workers)
{
	struct counters *c = aligned_alloc(64, counters_size(workers));
	assert_non_null(c);
	memset(c, 0, counters_size(workers));
	counters_format(c, workers, workers, 42, "here");
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
		counters_count(w, 7, 0, COUNTERS_RELEASE_STARTED, 5);
		counters_count(w, 7, 0, COUNTERS_RELEASE_COMPLETED, i);
		counters_add(&w->histograms[7][0].counts[COUNTERS_TOTAL][690], 2);
	}
	counters_sum_release(c, 7, &sum);
	assert_int_equal(sum.values[COUNTERS_RELEASE_STARTED], 15);
	assert_int_equal(sum.histograms[COUNTERS_TOTAL][690], 6);
	assert_int_equal(counters_release_in_flight(&sum), 12);
	base = sum;
	counters_count(&c->workers[1], 7, 0, COUNTERS_RELEASE_STARTED, 1);
	counters_sum_release(c, 7, &sum);
	counters_difference(&sum, &base, &difference);
	assert_int_equal(difference.values[COUNTERS_RELEASE_STARTED], 1);
	assert_int_equal(difference.values[COUNTERS_RELEASE_COMPLETED], 0);
	free(c);
}

static void the_classes_of_a_release_sum_to_it(void **state)
{
	(void)state;
	struct counters *c = segment(2);
	static struct counters_release sum;
	static struct counters_class class;
	uint64_t values[COUNTERS_RELEASE_COUNT] = {0}, first[HISTOGRAM_BUCKETS] = {0};
	uint32_t random = 1;
	for (int i = 0; i < 20000; i++) {
		random = random * 1664525 + 1013904223;
		struct counters_worker_block *w = &c->workers[random >> 8 & 1];
		uint32_t slot = 8 + (random >> 10 & 1), of = (random >> 12) % COUNTERS_CLASSES;
		counters_count(
			w, slot, of,
			(enum counters_release_field)((random >> 16) % COUNTERS_RELEASE_COUNT),
			1 + (random >> 28));
		counters_time(w, slot, of, COUNTERS_FIRST, random >> 14);
	}
	counters_sum_release(c, 9, &sum);
	for (uint32_t i = 0; i < COUNTERS_CLASSES; i++) {
		counters_sum_class(c, 9, i, &class);
		assert_true(class.values[COUNTERS_RELEASE_STARTED] > 0);
		for (size_t f = 0; f < COUNTERS_RELEASE_COUNT; f++)
			values[f] += class.values[f];
		for (size_t b = 0; b < HISTOGRAM_BUCKETS; b++)
			first[b] += class.first[b];
	}
	assert_memory_equal(values, sum.values, sizeof(values));
	assert_memory_equal(first, sum.histograms[COUNTERS_FIRST], sizeof(first));
	free(c);
}

static bool resident(const void *at)
{
	unsigned char present = 0;
	const char *page = (const char *)((uintptr_t)at & ~(uintptr_t)4095);
	assert_int_equal(mincore((void *)page, 1, &present), 0);
	return present & 1;
}

static void what_never_counted_costs_no_memory(void **state)
{
	(void)state;
	struct counters *c;
	size_t size = counters_size(1);
	static struct counters_release sum;
	static struct counters_class class;
	int fd = memfd_create("counters", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	c = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(c != MAP_FAILED);
	counters_format(c, 1, 1, 42, "here");
	struct counters_worker_block *w = counters_attach(c, 0, 1);
	counters_count(w, 40, 0, COUNTERS_RELEASE_STARTED, 1);
	counters_time(w, 40, 0, COUNTERS_FIRST, 1000);
	counters_attach(c, 0, 2);
	for (uint32_t slot = 0; slot < COUNTERS_RELEASES; slot++) {
		counters_sum_release(c, slot, &sum);
		for (uint32_t i = 0; i < COUNTERS_CLASSES; i++)
			counters_sum_class(c, slot, i, &class);
	}
	assert_true(resident(&w->histograms[40][0].counts[COUNTERS_FIRST]));
	assert_false(resident(&w->histograms[40][2]));
	assert_false(resident(&w->histograms[200][0]));
	assert_false(resident(&w->releases[100][7]));
	munmap(c, size);
	close(fd);
}

static void what_a_dead_worker_left_in_flight_is_lost_once(void **state)
{
	(void)state;
	struct counters *c = segment(1);
	static struct counters_release sum;
	struct counters_backend backend;
	struct counters_class class;
	struct counters_worker_block *w = counters_attach(c, 0, 1);
	counters_count(w, 0, 0, COUNTERS_RELEASE_STARTED, 7);
	counters_count(w, 0, 5, COUNTERS_RELEASE_STARTED, 3);
	counters_count(w, 0, 5, COUNTERS_RELEASE_DIVIDED, 3);
	counters_count(w, 0, 5, COUNTERS_RELEASE_DIVIDED_DONE, 1);
	counters_count(w, 0, 0, COUNTERS_RELEASE_COMPLETED, 6);
	counters_count(w, 0, 5, COUNTERS_RELEASE_COMPLETED, 1);
	counters_add(&w->backends[4].values[COUNTERS_BACKEND_STARTED], 10);
	counters_add(&w->backends[4].values[COUNTERS_BACKEND_COMPLETED], 8);
	counters_attach(c, 0, 2);
	counters_sum_release(c, 0, &sum);
	counters_sum_backend(c, 4, &backend);
	assert_int_equal(sum.values[COUNTERS_RELEASE_LOST], 3);
	assert_int_equal(counters_release_in_flight(&sum), 0);
	counters_sum_class(c, 0, 5, &class);
	assert_int_equal(class.values[COUNTERS_RELEASE_LOST], 2);
	assert_int_equal(class.values[COUNTERS_RELEASE_DIVIDED_DONE], 3);
	assert_int_equal(backend.values[COUNTERS_BACKEND_LOST], 2);
	counters_count(w, 0, 5, COUNTERS_RELEASE_STARTED, 4);
	counters_sum_release(c, 0, &sum);
	assert_int_equal(counters_release_in_flight(&sum), 4);
	counters_attach(c, 0, 3);
	counters_attach(c, 0, 4); /* nothing more is lost by one that did nothing */
	counters_sum_release(c, 0, &sum);
	assert_int_equal(sum.values[COUNTERS_RELEASE_LOST], 7);
	assert_int_equal(counters_get(&w->pid), 4);
	counters_settle(c, 0);
	assert_int_equal(counters_get(&w->pid), 0);
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
	c->place_count = 3;
	assert_int_equal(counters_check(c, counters_size(2), &err), ERR_CORRUPT);
	c->place_count = 2;
	c->worker_count = 3; /* more than places */
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
		cmocka_unit_test(the_classes_of_a_release_sum_to_it),
		cmocka_unit_test(what_never_counted_costs_no_memory),
		cmocka_unit_test(what_a_dead_worker_left_in_flight_is_lost_once),
		cmocka_unit_test(a_table_is_seen_when_the_slowest_worker_has_seen_it),
		cmocka_unit_test(a_segment_of_another_format_or_size_is_refused),
		cmocka_unit_test(every_number_has_a_name_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
