/* SPDX-License-Identifier: Apache-2.0
 * bench_commit - how long a new table takes: until all workers are prepared, until it is safe on disk, and from
 * the commit until the last worker uses it. Real supervisor, real workers (one a core), no traffic.
 *
 * usage: bench_commit [TABLES]   (1000) */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../unit/cmocka_all.h"

#include "../unit/gateway/supervisor_kit.h"

enum { TABLES_MAX = 100000 };

static uint32_t prepare_us[TABLES_MAX], persist_us[TABLES_MAX], seen_us[TABLES_MAX];
static size_t tables = 1000;

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static void print(const char *what, uint32_t *values)
{
	qsort(values, tables, sizeof *values, by_value);
	printf("%-28s %8u %8u %8u\n", what, values[tables / 2], values[tables * 99 / 100],
	       values[tables - 1]);
}

static void tables_reach_every_worker(void **state)
{
	(void)state;
	struct kit kit;
	struct gateway_result result;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	kit_open(&kit, cores > 0 ? (uint32_t)cores : 1);
	kit_start(&kit, NULL);
	kit_attach(&kit);
	kit_apply(&kit, "v1", &result);
	kit_await_status(&kit, kit.workers, 1);
	for (size_t i = 0; i < tables; i++) {
		kit_apply(&kit, "v1", &result);
		assert_int_equal(result.workers, kit.workers);
		prepare_us[i] = result.prepare_us;
		persist_us[i] = result.persist_us;
		seen_us[i] = result.seen_us;
	}
	printf("%zu tables, %u workers, microseconds\n%-28s %8s %8s %8s\n", tables, kit.workers, "",
	       "p50", "p99", "most");
	print("prepared in all workers", prepare_us);
	print("safe on disk", persist_us);
	print("commit to last worker", seen_us);
	kit_close(&kit);
}

int main(int argc, char **argv)
{
	int role = kit_role(argc, argv);
	if (role >= 0)
		return role;
	if (argc == 2)
		tables = strtoul(argv[1], NULL, 10);
	if (tables < 1 || tables > TABLES_MAX)
		return 2;
	const struct CMUnitTest tests[] = {cmocka_unit_test(tables_reach_every_worker)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
