/* SPDX-License-Identifier: Apache-2.0
 * Tests of what the worker counts for the judge: gateway/account.c, and the classes of gateway/live.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "../link/gateway_example.h"
#include "rig.h"

#define OK   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define GONE "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nok"
#define BAD  "HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\nok"

enum { V1 = 1, ELSE = 0, CHECKOUT = 1, API = 2 };

static struct rig *rig_with_classes(void)
{
	struct rig *rig = rig_start_one();
	example_classes(rig->table);
	rig_apply(rig);
	return rig;
}

/* One exchange over connections that are there already. */
static void exchange(int client, int backend, const char *target, const char *answer)
{
	char request[512];
	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: shop\r\n\r\n", target);
	rig_send(client, request);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, answer);
	rig_until(client, "\r\n\r\nok");
}

/* The first one makes the worker connect. */
static int first_exchange(struct rig *rig, int client, int number, const char *target)
{
	char request[512];
	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: shop\r\n\r\n", target);
	rig_send(client, request);
	int backend = rig_accept(rig, number);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, OK);
	rig_until(client, "\r\n\r\nok");
	return backend;
}

/* A client has its answer an instant before the worker has counted its end. */
static void settle(struct rig *rig, uint32_t slot)
{
	RIG_WAIT_FOR(rig_release(rig, slot, COUNTERS_RELEASE_STARTED) ==
		     rig_release(rig, slot, COUNTERS_RELEASE_COMPLETED));
}

/* Every number, and every latency, is in exactly one class. */
static void assert_classes_sum(struct rig *rig, uint32_t slot)
{
	settle(rig, slot);
	static struct counters_release sum;
	static struct counters_class class;
	counters_sum_release(rig->counters, slot, &sum);
	for (uint32_t i = 0; i < COUNTERS_CLASSES; i++) {
		counters_sum_class(rig->counters, slot, i, &class);
		for (size_t f = 0; f < COUNTERS_RELEASE_COUNT; f++)
			sum.values[f] -= class.values[f];
		for (size_t b = 0; b < HISTOGRAM_BUCKETS; b++)
			sum.histograms[COUNTERS_FIRST][b] -= class.first[b];
	}
	for (size_t f = 0; f < COUNTERS_RELEASE_COUNT; f++)
		assert_int_equal(sum.values[f], 0);
	for (size_t b = 0; b < HISTOGRAM_BUCKETS; b++)
		assert_int_equal(sum.histograms[COUNTERS_FIRST][b], 0);
}

static void a_request_counts_in_the_class_of_its_path(void **state)
{
	(void)state;
	struct rig *rig = rig_with_classes();
	int client = rig_connect(rig);
	int backend = first_exchange(rig, client, 1, "/");
	exchange(client, backend, "/checkout", OK);
	exchange(client, backend, "/checkout/pay?x=/api", GONE);
	exchange(client, backend, "/cart/1", BAD);
	exchange(client, backend, "/apiary", OK); /* whole segments: not below /api */
	exchange(client, backend, "/api?q", OK);
	settle(rig, V1);
	assert_int_equal(rig_class(rig, V1, ELSE, COUNTERS_RELEASE_STARTED), 2);
	assert_int_equal(rig_class(rig, V1, CHECKOUT, COUNTERS_RELEASE_STARTED), 3);
	assert_int_equal(rig_class(rig, V1, CHECKOUT, COUNTERS_RELEASE_STATUS_2XX), 1);
	assert_int_equal(rig_class(rig, V1, CHECKOUT, COUNTERS_RELEASE_STATUS_4XX), 1);
	assert_int_equal(rig_class(rig, V1, CHECKOUT, COUNTERS_RELEASE_STATUS_5XX), 1);
	assert_int_equal(rig_class(rig, V1, API, COUNTERS_RELEASE_COMPLETED), 1);
	assert_int_equal(rig_release(rig, V1, COUNTERS_RELEASE_COMPLETED), 6);
	assert_classes_sum(rig, V1);
	close(client);
	close(backend);
	rig_stop(rig);
}

static void the_longest_path_of_a_class_wins(void **state)
{
	(void)state;
	struct rig *rig = rig_with_classes();
	text_copy(rig->table->prefixes[1].path, TABLE_PATH_SIZE, "/");
	text_copy(rig->table->prefixes[2].path, TABLE_PATH_SIZE, "/checkout/api");
	rig_apply(rig);
	int client = rig_connect(rig);
	int backend = first_exchange(rig, client, 1, "/checkout/api/1");
	exchange(client, backend, "/checkout/apis", OK);
	exchange(client, backend, "/elsewhere", OK);
	settle(rig, V1);
	assert_int_equal(rig_class(rig, V1, API, COUNTERS_RELEASE_COMPLETED), 1);
	assert_int_equal(rig_class(rig, V1, CHECKOUT, COUNTERS_RELEASE_COMPLETED), 2);
	assert_int_equal(rig_class(rig, V1, ELSE, COUNTERS_RELEASE_COMPLETED), 0);
	close(client);
	close(backend);
	rig_stop(rig);
}

static void a_request_ends_in_the_class_in_which_it_began(void **state)
{
	(void)state;
	struct rig *rig = rig_with_classes();
	int client = rig_connect(rig);
	rig_send(client, "GET /api HTTP/1.1\r\nHost: shop\r\n\r\n");
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	text_copy(rig->table->prefixes[2].path, TABLE_PATH_SIZE, "/other");
	rig_apply(rig); /* and what was tried is tried again, by the new table */
	close(backend);
	backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, OK);
	rig_until(client, "\r\n\r\nok");
	settle(rig, V1);
	assert_int_equal(rig_class(rig, V1, API, COUNTERS_RELEASE_STARTED), 1);
	assert_int_equal(rig_class(rig, V1, API, COUNTERS_RELEASE_RETRIES), 1);
	assert_int_equal(rig_class(rig, V1, API, COUNTERS_RELEASE_COMPLETED), 1);
	exchange(client, backend, "/api", OK);
	settle(rig, V1);
	assert_int_equal(rig_class(rig, V1, ELSE, COUNTERS_RELEASE_COMPLETED), 1);
	assert_classes_sum(rig, V1);
	close(client);
	close(backend);
	rig_stop(rig);
}

static void a_blind_second_try_is_counted_as_repeated(void **state)
{
	(void)state;
	struct rig *rig = rig_with_classes();
	int client = rig_connect(rig);
	int backend = first_exchange(rig, client, 1, "/");
	uint64_t began_ms = rig_now_ms();
	for (int i = 0; i < 3; i++)
		exchange(client, backend, "/cart?id=1", BAD);
	bool in_time =
		rig_now_ms() - began_ms < 900; /* a machine that stood still proves nothing */
	if (in_time)
		assert_int_equal(rig_class(rig, V1, CHECKOUT, COUNTERS_RELEASE_REPEATED), 2);
	assert_int_equal(rig_class(rig, V1, CHECKOUT, COUNTERS_RELEASE_STATUS_5XX), 3);
	uint64_t before = rig_release(rig, V1, COUNTERS_RELEASE_REPEATED);
	exchange(client, backend, "/cart?id=2", BAD); /* another target */
	int other = rig_connect(rig);
	exchange(other, backend, "/cart?id=2", BAD);                        /* another client */
	rig_send(client, "HEAD /cart?id=2 HTTP/1.1\r\nHost: shop\r\n\r\n"); /* another method */
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, "HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n");
	rig_until(client, "\r\n\r\n");
	assert_int_equal(rig_release(rig, V1, COUNTERS_RELEASE_REPEATED), before);
	assert_int_equal(rig_release(rig, V1, COUNTERS_RELEASE_STATUS_5XX), 6);
	assert_classes_sum(rig, V1);
	close(client);
	close(other);
	close(backend);
	rig_stop(rig);
}

static void a_trusted_proxy_s_clients_are_told_apart(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	text_copy(rig->table->trusted[rig->table->trusted_count++], TABLE_NAME_SIZE, "127.0.0.0/8");
	rig_apply(rig);
	int client = rig_connect(rig);
	int backend = first_exchange(rig, client, 1, "/");
	for (int i = 0; i < 3; i++) {
		char request[128];
		snprintf(request, sizeof(request),
			 "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 10.0.0.%d\r\n\r\n", i);
		rig_send(client, request);
		rig_until(backend, "\r\n\r\n");
		rig_send(backend, BAD);
		rig_until(client, "\r\n\r\nok");
	}
	assert_int_equal(rig_release(rig, V1, COUNTERS_RELEASE_STATUS_5XX), 3);
	assert_int_equal(rig_release(rig, V1, COUNTERS_RELEASE_REPEATED), 0);
	close(client);
	close(backend);
	rig_stop(rig);
}

static void errors_are_laid_at_the_backend_that_made_them(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	int well = first_exchange(rig, client, 1, "/");
	exchange(client, well, "/", GONE);
	rig->table->backends[1].state = TABLE_BACKEND_DOWN;
	rig->table->backends[2].state = TABLE_BACKEND_READY;
	rig_apply(rig);
	int sick = first_exchange(rig, client, 2, "/");
	exchange(client, sick, "/a", BAD);
	rig_send(client, "POST /b HTTP/1.1\r\nHost: shop\r\nContent-Length: 1\r\n\r\nx");
	rig_until(sick, "\r\n\r\nx");
	close(sick); /* nobody repeats a POST */
	rig_assert_text(rig_until(client, "\r\n\r\n"), "HTTP/1.1 502 ");
	assert_int_equal(rig_backend(rig, 1, COUNTERS_BACKEND_ANSWERED), 2);
	assert_int_equal(rig_backend(rig, 1, COUNTERS_BACKEND_ERRORS), 0);
	assert_int_equal(rig_backend(rig, 2, COUNTERS_BACKEND_ANSWERED), 3);
	assert_int_equal(rig_backend(rig, 2, COUNTERS_BACKEND_ERRORS), 2);
	assert_int_equal(rig_release(rig, V1, COUNTERS_RELEASE_ANSWERED), 5);
	close(client);
	close(well);
	rig_stop(rig);
}

static void a_try_that_another_backend_made_good_is_no_error(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	int client = rig_connect(rig);
	rig_send(client, "GET / HTTP/1.1\r\nHost: shop\r\n\r\n");
	int lost = rig_accept(rig, 1);
	rig_until(lost, "\r\n\r\n");
	rig->table->backends[1].state = TABLE_BACKEND_DOWN;
	rig->table->backends[2].state = TABLE_BACKEND_READY;
	rig_apply(rig);
	close(lost);
	int good = rig_accept(rig, 2);
	rig_until(good, "\r\n\r\n");
	rig_send(good, OK);
	rig_until(client, "\r\n\r\nok");
	assert_int_equal(rig_backend(rig, 1, COUNTERS_BACKEND_FAILED), 1);
	assert_int_equal(rig_backend(rig, 1, COUNTERS_BACKEND_ERRORS), 0);
	assert_int_equal(rig_backend(rig, 1, COUNTERS_BACKEND_ANSWERED), 0);
	assert_int_equal(rig_backend(rig, 2, COUNTERS_BACKEND_ANSWERED), 1);
	close(client);
	close(good);
	rig_stop(rig);
}

static void a_rescued_request_is_an_error_of_the_canary_s_backend_alone(void **state)
{
	(void)state;
	struct rig *rig = rig_with_classes();
	rig->table->releases[0].weight_bp = 10000;
	rig->table->releases[1].weight_bp = 0;
	rig_apply(rig);
	int client = rig_connect(rig);
	for (int i = 0; i < 2; i++) { /* tried twice, then given up */
		if (i == 0)
			rig_send(client, "GET /api HTTP/1.1\r\nHost: shop\r\n\r\n");
		int lost = rig_accept(rig, 0);
		rig_until(lost, "\r\n\r\n");
		close(lost);
	}
	int live = rig_accept(rig, 1);
	rig_until(live, "\r\n\r\n");
	rig_send(live, OK);
	rig_until(client, "\r\n\r\nok");
	assert_int_equal(rig_backend(rig, 0, COUNTERS_BACKEND_ERRORS), 1);
	assert_int_equal(rig_backend(rig, 1, COUNTERS_BACKEND_ERRORS), 0);
	assert_int_equal(rig_class(rig, 0, API, COUNTERS_RELEASE_FAILED_RESET), 1);
	assert_int_equal(rig_class(rig, 0, API, COUNTERS_RELEASE_RESCUED), 1);
	assert_int_equal(rig_class(rig, V1, API, COUNTERS_RELEASE_STATUS_2XX), 1);
	assert_classes_sum(rig, 0);
	assert_classes_sum(rig, V1);
	close(client);
	close(live);
	rig_stop(rig);
}

static void assert_divided(struct rig *rig, uint32_t slot, uint64_t divided)
{
	settle(rig, slot);
	assert_int_equal(rig_release(rig, slot, COUNTERS_RELEASE_DIVIDED), divided);
	assert_int_equal(rig_release(rig, slot, COUNTERS_RELEASE_DIVIDED_DONE), divided);
}

static void send_with(int client, int backend, const char *fields)
{
	char request[512];
	snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: shop\r\n%s\r\n", fields);
	rig_send(client, request);
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, OK);
}

/* What somebody else has decided is no draw: a preview, a unit, a header that names one. */
static void only_what_is_drawn_by_weight_is_counted_as_divided(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	struct table_sticky *sticky = &rig->table->environments[0].sticky;
	char cookie[128];
	int client = rig_connect(rig);
	int live = first_exchange(rig, client, 1, "/");
	exchange(client, live, "/", BAD);
	assert_divided(rig, V1, 2);
	rig_send(client, "GET / HTTP/1.1\r\nHost: a\r\nX-Davit-Preview: see-v2\r\n\r\n");
	int preview = rig_accept(rig, 0);
	rig_until(preview, "\r\n\r\n");
	rig_send(preview, OK);
	rig_until(client, "\r\n\r\nok");
	assert_divided(rig, 0, 0);
	sticky->on = true;
	snprintf(sticky->cookie, sizeof(sticky->cookie), "unit");
	snprintf(sticky->header, sizeof(sticky->header), "X-User");
	sticky->key[0] = 1;
	rig_apply(rig);
	send_with(client, live, "");
	const char *at = strstr(rig_until(client, "\r\n\r\nok"), "Set-Cookie: unit=");
	assert_non_null(at);
	snprintf(cookie, sizeof(cookie), "Cookie: %.*s\r\n", (int)strcspn(at + 12, ";"), at + 12);
	assert_divided(rig, V1, 3); /* the first one of a unit */
	send_with(client, live, cookie);
	rig_until(client, "\r\n\r\nok");
	send_with(client, live, "X-User: 17\r\n");
	rig_until(client, "\r\n\r\nok");
	assert_divided(rig, V1, 3);
	close(client);
	close(live);
	close(preview);
	rig_stop(rig);
}

/* The release that it was drawn for has it, whoever answers in the end. */
static void a_rescued_request_is_divided_once(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	rig->table->releases[0].weight_bp = 10000;
	rig->table->releases[1].weight_bp = 0;
	rig_apply(rig);
	int client = rig_connect(rig);
	rig_send(client, "GET / HTTP/1.1\r\nHost: shop\r\n\r\n");
	for (int i = 0; i < 2; i++) {
		int lost = rig_accept(rig, 0);
		rig_until(lost, "\r\n\r\n");
		assert_int_equal(rig_release(rig, 0, COUNTERS_RELEASE_DIVIDED), 1);
		assert_int_equal(rig_release(rig, 0, COUNTERS_RELEASE_DIVIDED_DONE), 0);
		close(lost);
	}
	int live = rig_accept(rig, 1);
	rig_until(live, "\r\n\r\n");
	rig_send(live, OK);
	rig_until(client, "\r\n\r\nok");
	assert_divided(rig, 0, 1);
	assert_divided(rig, V1, 0);
	close(client);
	close(live);
	rig_stop(rig);
}

/* A release without a ready instance leaves its weight to the other one: that is no division as told. */
static void what_another_release_stands_in_for_is_not_counted_as_divided(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	rig->table->releases[0].weight_bp = 10000;
	rig->table->releases[1].weight_bp = 0;
	rig->table->backends[0].state = TABLE_BACKEND_DOWN;
	rig_apply(rig);
	int client = rig_connect(rig);
	int live = first_exchange(rig, client, 1, "/");
	assert_divided(rig, V1, 0);
	close(client);
	close(live);
	rig_stop(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_counts_in_the_class_of_its_path),
		cmocka_unit_test(the_longest_path_of_a_class_wins),
		cmocka_unit_test(a_request_ends_in_the_class_in_which_it_began),
		cmocka_unit_test(a_blind_second_try_is_counted_as_repeated),
		cmocka_unit_test(a_trusted_proxy_s_clients_are_told_apart),
		cmocka_unit_test(errors_are_laid_at_the_backend_that_made_them),
		cmocka_unit_test(a_try_that_another_backend_made_good_is_no_error),
		cmocka_unit_test(a_rescued_request_is_an_error_of_the_canary_s_backend_alone),
		cmocka_unit_test(only_what_is_drawn_by_weight_is_counted_as_divided),
		cmocka_unit_test(a_rescued_request_is_divided_once),
		cmocka_unit_test(what_another_release_stands_in_for_is_not_counted_as_divided),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
