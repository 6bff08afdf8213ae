/* SPDX-License-Identifier: Apache-2.0
 * Tests of gateway/table_file.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"
#include "gateway/table_file.h"

#define RELEASE "{\"tag\":\"v1\",\"weight\":\"100%\",\"processes\":{\"web\":[\"127.0.0.1:1\"]}}"
#define ROUTE   "{\"listen\":\"127.0.0.1:8080\"}"
#define TABLE(more)                                                                         \
	"{\"environments\":[{\"app\":\"shop\",\"name\":\"prod\"," more "\"routes\":[" ROUTE \
	"],\"releases\":[" RELEASE "]}]}"

#define COHORT(rule) TABLE("\"cohort\":{\"release\":\"v1\",\"rules\":[" rule "]},")

static int parse(const char *text, struct gateway_table **ret_table, struct error *err)
{
	*ret_table = table_new();
	return table_file_parse("t.json", text, strlen(text), *ret_table, err);
}

static void the_shortest_table_has_all_defaults(void **state)
{
	(void)state;
	struct gateway_table *t;
	struct error err;
	assert_int_equal(parse(TABLE(""), &t, &err), 0);
	assert_int_equal(t->environment_count, 1);
	assert_string_equal(t->routes[0].path, "/");
	assert_string_equal(t->routes[0].process, "web");
	assert_string_equal(t->listeners[0].address, "127.0.0.1:8080");
	assert_int_equal(t->releases[0].weight_bp, 10000);
	assert_string_equal(t->backends[0].address, "127.0.0.1:1");
	assert_string_equal(t->backends[0].instance, "127.0.0.1:1");
	assert_int_equal(t->environments[0].live, TABLE_NONE);
	assert_int_equal(t->environments[0].hold.requests_max, 10000);
	assert_true(t->environments[0].retry);
	table_free(t);
}

static void every_key_arrives(void **state)
{
	(void)state;
	static const char text[] =
		"{\"machine\":\"m\",\"trusted\":[\"10.0.0.0/8\"],\"limits\":{\"header\":\"5s\","
		"\"connections\":7,\"per_address\":3},\"environments\":[{\"app\":\"shop\","
		"\"name\":\"prod\",\"mode\":\"park\",\"live\":\"v1\",\"retry\":false,\"read_only\":"
		"true,"
		"\"access_log\":true,\"body_max\":\"1MiB\","
		"\"headers\":{\"request\":{\"remove\":[\"X-D\"]},"
		"\"response\":{\"set\":{\"X-A\":\"a b\"}}},"
		"\"classes\":{\"checkout\":[\"/checkout\",\"/cart\"],\"api\":[\"/api\"]},"
		"\"hold\":{\"requests\":5,\"bytes\":\"2MiB\",\"time\":\"3s\",\"pace_per_s\":9},"
		"\"queue\":{\"connections\":3,\"requests\":4,\"time\":\"5s\",\"first\":[\"/up\"]},"
		"\"sticky\":{\"cookie\":\"c\",\"header\":\"X-U\","
		"\"salt\":\"000102030405060708090a0b0c0d0e0f\"},"
		"\"mirror\":{\"release\":\"v2\",\"share\":\"12.5%\",\"methods\":[\"HEAD\","
		"\"PATCH\"],\"body\":\"9KiB\","
		"\"in_flight\":2},"
		"\"maintenance_page\":\"/srv/page.html\","
		"\"preview_key\":\"000102030405060708090a0b0c0d0e0f\","
		"\"cohort\":{\"release\":\"v2\",\"only\":true,\"rules\":["
		"{\"header\":\"X-B\",\"values\":[\"1\",\"yes\"]},"
		"{\"cookie\":\"plan\",\"values\":[\"beta\"]},"
		"{\"networks\":[\"10.0.0.0/"
		"8\"]}]},\"timeouts\":{\"connect\":\"1s\",\"answer\":\"2s\","
		"\"idle\":\"3s\",\"tunnel_idle\":\"4s\"},"
		"\"routes\":[" ROUTE ",{\"listen\":\"[::1]:80\",\"host\":\"a.b\",\"path\":\"/api\","
		"\"to\":\"api\"}],\"releases\":[{\"tag\":\"v2\",\"preview\":\"tok\","
		"\"processes\":{\"web\":[{\"address\":\"unix:/x\",\"instance\":\"web.1\","
		"\"state\":\"draining\"}],\"api\":[]}}," RELEASE "]}]}";
	struct gateway_table *t;
	struct error err;
	int result = parse(text, &t, &err);
	if (result)
		fail_msg("%s %s", err.where, err.text);
	const struct table_environment *e = &t->environments[0];
	assert_int_equal(e->mode, TABLE_MODE_PARK);
	assert_int_equal(e->live, 1);
	assert_false(e->retry);
	assert_true(e->read_only);
	assert_int_equal(e->log, TABLE_LOG_TEXT);
	assert_int_equal(e->body_max_bytes, 1 << 20);
	assert_int_equal(e->rule_count, 2);
	assert_string_equal(t->rules[0].name, "X-D");
	assert_string_equal(t->rules[0].value, "");
	assert_false(t->rules[0].answer);
	assert_string_equal(t->rules[1].name, "X-A");
	assert_string_equal(t->rules[1].value, "a b");
	assert_true(t->rules[1].answer);
	assert_int_equal(e->hold.pace_per_s, 9);
	assert_int_equal(e->queue.connections_max, 3);
	assert_int_equal(e->queue.requests_max, 4);
	assert_int_equal(e->queue.time_ms, 5000);
	assert_int_equal(e->queue.first_count, 1);
	assert_string_equal(e->queue.first[0], "/up");
	assert_int_equal(e->hold.bytes_max, 2 << 20);
	assert_string_equal(e->sticky.header, "X-U");
	assert_int_equal(e->sticky.salt[15], 15);
	assert_int_equal(e->mirror.release, 0);
	assert_int_equal(e->mirror.share_bp, 1250);
	assert_int_equal(e->mirror.methods, TABLE_METHOD_HEAD | TABLE_METHOD_PATCH);
	assert_int_equal(e->mirror.body_max, 9 << 10);
	assert_string_equal(e->maintenance_page, "/srv/page.html");
	assert_int_equal(e->preview_key[15], 15);
	assert_int_equal(e->cohort.release, 0);
	assert_true(e->cohort.only);
	assert_int_equal(e->cohort.rule_count, 3);
	assert_string_equal(e->cohort.rules[0].name, "X-B");
	assert_string_equal(e->cohort.rules[0].values[1], "yes");
	assert_int_equal(e->cohort.rules[1].kind, TABLE_COHORT_COOKIE);
	assert_string_equal(e->cohort.rules[2].values[0], "10.0.0.0/8");
	assert_int_equal(e->timeouts.tunnel_idle_ms, 4000);
	assert_int_equal(t->limits.header_ms, 5000);
	assert_int_equal(t->limits.per_address_max, 3);
	assert_string_equal(t->routes[1].host, "a.b");
	assert_int_equal(t->routes[1].listener, 1);
	assert_int_equal(t->backends[0].state, TABLE_BACKEND_DRAINING);
	assert_string_equal(t->releases[0].preview, "tok");
	assert_string_equal(t->trusted[0], "10.0.0.0/8");
	assert_int_equal(e->class_count, 2);
	assert_string_equal(t->classes[0].name, "checkout");
	assert_int_equal(t->classes[1].first_prefix, 2);
	assert_string_equal(t->prefixes[1].path, "/cart");
	assert_int_equal(t->prefixes[2].class, 1);
	table_free(t);
}

static void places_in_the_counters_do_not_move_with_the_order(void **state)
{
	(void)state;
	static const char *const releases[] = {
		"{\"tag\":\"v1\",\"weight\":\"100%\",\"processes\":{\"web\":[\"127.0.0.1:1\"]}}",
		"{\"tag\":\"v2\",\"weight\":\"0%\",\"processes\":{\"web\":[\"127.0.0.1:2\"]}}"};
	struct gateway_table *t[2];
	struct error err;
	char text[1024];
	for (int i = 0; i < 2; i++) {
		snprintf(text, sizeof(text),
			 "{\"environments\":[{\"app\":\"a\",\"name\":\"e\",\"routes\":[" ROUTE
			 "],\"releases\":[%s,%s]}]}",
			 releases[i], releases[!i]);
		assert_int_equal(parse(text, &t[i], &err), 0);
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(t[0]->releases[i].stats_slot, t[1]->releases[!i].stats_slot);
		assert_int_equal(t[0]->backends[i].stats_slot, t[1]->backends[!i].stats_slot);
	}
	table_free(t[0]);
	table_free(t[1]);
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
	(void)state;
	static const struct {
		const char *text, *where, *sentence;
	} cases[] = {
		{"{\n \"environments\": [,]}", "t.json:2:19", "not JSON"},
		{"[]", "t.json: ", "object in braces"},
		{"{}", "environments", "is missing"},
		{"{\"enviroments\":[]}", "enviroments", "did you mean \"environments\"?"},
		{TABLE("\"mode\":\"on\","), "environments[0].mode", "none of \"serve\""},
		{TABLE("\"live\":\"v9\","), "environments[0].live", "tag \"v9\""},
		{TABLE("\"retry\":1,"), "environments[0].retry", "true or false"},
		{TABLE("\"hold\":{\"time\":\"soon\"},"), "environments[0].time", "not a duration"},
		{TABLE("\"hold\":{\"tiem\":\"1s\"},"), "environments[0].hold.tiem", "\"time\"?"},
		{TABLE("\"body_max\":\"8GiB\","), "body_max", "below 4GiB"},
		{TABLE("\"sticky\":{\"salt\":\"00\"},"), "salt", "32 lower-case hex"},
		{TABLE("\"classes\":[\"/a\"],"), "environments[0].classes", "paths per class"},
		{TABLE("\"classes\":{\"a\":\"/a\"},"), "classes", "paths of \"a\" must be a list"},
		{TABLE("\"classes\":{\"a\":[1]},"), "classes", "path of \"a\" must be a text"},
		{TABLE("\"classes\":{\"a\":[]},"), "t.json", "1 to 8 paths"},
		{TABLE("\"classes\":{\"a\":[\"/1\"],\"b\":[\"/2\"],\"c\":[\"/3\"],\"d\":[\"/4\"],"
		       "\"e\":[\"/5\"],\"f\":[\"/6\"],\"g\":[\"/7\"],\"h\":[\"/8\"]},"),
		 "environments[0].classes", "more than 7"},
		{TABLE("\"mirror\":{\"release\":\"v1\",\"methods\":[\"TRACE\"]},"), "methods",
		 "Only GET"},
		{TABLE("\"cohort\":{\"release\":\"v9\",\"rules\":[]},"), "", "tag \"v9\""},
		{TABLE("\"cohort\":{\"release\":\"v1\"},"), "rules", "is missing"},
		{COHORT("{\"values\":[\"1\"]}"), "cohort.rules[0].header", "is missing"},
		{COHORT("{\"header\":\"a\",\"cookie\":\"b\",\"values\":[\"1\"]}"),
		 "cohort.rules[0]", "and only one"},
		{COHORT("{\"header\":\"a\"}"), "cohort.rules[0]", "and only one"},
		{COHORT("{\"header\":\"a\",\"values\":[1]}"), "rules[0].values", "is a text"},
		{COHORT("{\"header\":\"a\",\"values\":[]}"), "t.json", "has a cohort by"},
		{COHORT("{\"networks\":[\"10/8\"]}"), "t.json", "has a cohort by"},
		{"{\"environments\":[{\"app\":\"a\",\"name\":\"b\",\"routes\":[{}],\"releases\":"
		 "[" RELEASE "]}]}",
		 "environments[0].routes[0].listen", "is missing"},
		{"{\"environments\":[{\"app\":\"a\",\"name\":\"b\",\"routes\":[" ROUTE
		 "],\"releases\":[{\"tag\":\"v\",\"weight\":\"99%\",\"processes\":{}}]}]}",
		 "t.json", "sum to 9900"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gateway_table *t;
		struct error err;
		assert_int_equal(parse(cases[i].text, &t, &err), ERR_INVALID);
		if (!strstr(err.text, cases[i].sentence) || !strstr(err.where, cases[i].where))
			fail_msg("case %zu: \"%s\" at \"%s\"", i, err.text, err.where);
		table_free(t);
	}
}

static void a_file_that_is_not_there_is_said_so(void **state)
{
	(void)state;
	struct gateway_table *t = table_new();
	struct error err;
	assert_true(table_file_read("/nowhere/t.json", t, &err) < 0);
	assert_non_null(strstr(err.text, "/nowhere/t.json"));
	table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shortest_table_has_all_defaults),
		cmocka_unit_test(every_key_arrives),
		cmocka_unit_test(places_in_the_counters_do_not_move_with_the_order),
		cmocka_unit_test(what_is_wrong_is_said_with_its_place),
		cmocka_unit_test(a_file_that_is_not_there_is_said_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
