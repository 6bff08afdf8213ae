/* SPDX-License-Identifier: Apache-2.0
 * Tests of drivers/router/builtin_table.h and provider/router_document.h. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "drivers/router/builtin_table.h"

static struct places *places;
static struct gateway_table *table;
static struct router_document *one, *two, *back;

static void backend(struct router_document *d, uint32_t release, const char *process,
		    const char *instance)
{
	struct router_backend *b = &d->backends[d->backend_count++];
	*b = (struct router_backend){.release = release};
	text_copy(b->process, sizeof b->process, process);
	text_copy(b->instance, sizeof b->instance, instance);
	text_copy(b->address, sizeof b->address, "127.0.0.1:9");
}

static void fill(struct router_document *d, const char *environment)
{
	router_document_init(d);
	text_copy(d->app, sizeof d->app, "shop");
	text_copy(d->environment, sizeof d->environment, environment);
	snprintf(d->routes[0].host, sizeof d->routes[0].host, "%s.example", environment);
	text_copy(d->routes[0].path, sizeof d->routes[0].path, "/");
	text_copy(d->routes[0].process, sizeof d->routes[0].process, "web");
	text_copy(d->listener, sizeof d->listener, "127.0.0.1:8080");
	d->route_count = 1;
	text_copy(d->classes[0].name, sizeof d->classes[0].name, "checkout");
	text_copy(d->classes[0].paths[0], sizeof d->classes[0].paths[0], "/checkout");
	text_copy(d->classes[0].paths[1], sizeof d->classes[0].paths[1], "/cart");
	d->classes[0].path_count = 2;
	text_copy(d->classes[1].name, sizeof d->classes[1].name, "api");
	text_copy(d->classes[1].paths[0], sizeof d->classes[1].paths[0], "/api");
	d->classes[1].path_count = 1;
	d->class_count = 2;
	d->version = (struct router_version){2, 9};
	d->release_count = 2;
	d->live = 1;
	for (uint8_t i = 0; i < 2; i++) {
		d->releases[i].id.bytes[0] = (uint8_t)(i + 1);
		text_copy(d->releases[i].tag, sizeof d->releases[i].tag, i ? "v1" : "v2");
	}
	text_copy(d->releases[0].preview, sizeof d->releases[0].preview, "see");
	d->releases[0].weight_bp = 500;
	d->releases[1].weight_bp = 9500;
	d->mirror.release = 0;
	d->mirror.share_bp = 100;
	d->mirror.body_max = 4321;
	d->mirror.methods = ROUTER_METHOD_HEAD | ROUTER_METHOD_DELETE;
	memset(d->mirror.salt, 7, sizeof d->mirror.salt);
	d->cohort.release = 0;
	d->cohort.only = true;
	d->cohort.rule_count = 2;
	text_copy(d->cohort.rules[0].name, sizeof d->cohort.rules[0].name, "x-beta");
	text_copy(d->cohort.rules[0].values[0], sizeof d->cohort.rules[0].values[0], "yes");
	text_copy(d->cohort.rules[0].values[1], sizeof d->cohort.rules[0].values[1], "1");
	d->cohort.rules[0].value_count = 2;
	d->cohort.rules[1].kind = ROUTER_COHORT_NETWORK;
	text_copy(d->cohort.rules[1].values[0], sizeof d->cohort.rules[1].values[0], "::1");
	d->cohort.rules[1].value_count = 1;
	d->sticky.on = true;
	text_copy(d->sticky.cookie, sizeof d->sticky.cookie, "unit");
	memset(d->preview_key, 9, sizeof d->preview_key);
	memset(d->sticky.key, 8, sizeof d->sticky.key);
	d->hold.time_ms = 1234;
	d->queue.connections_max = 12;
	d->queue.requests_max = 34;
	d->queue.time_ms = 56;
	d->queue.first_count = 1;
	text_copy(d->queue.first[0], sizeof d->queue.first[0], "/up");
	d->body_max_bytes = 77;
	d->shield = true;
	d->http1_only = true;
	d->slow_start_ms = 78;
	text_copy(d->maintenance_page, sizeof d->maintenance_page, "/srv/page.html");
	text_copy(d->rules[0].name, sizeof d->rules[0].name, "X-A");
	text_copy(d->rules[0].value, sizeof d->rules[0].value, environment);
	text_copy(d->rules[1].name, sizeof d->rules[1].name, "X-B");
	d->rules[1].answer = true;
	d->rule_count = 2;
	d->log = ROUTER_LOG_JSON;
	d->mode = ROUTER_SERVE;
	d->read_only = true;
	backend(d, 1, "web", "old-1");
	backend(d, 0, "web", "new-1");
	backend(d, 1, "api", "old-api-1");
	backend(d, 1, "web", "old-2");
	d->backends[3].state = ROUTER_BACKEND_DRAINING;
}

static int set_up(void **state)
{
	(void)state;
	places = calloc(1, sizeof *places);
	one = calloc(1, sizeof *one);
	two = calloc(1, sizeof *two);
	back = calloc(1, sizeof *back);
	fill(one, "prod");
	fill(two, "staging");
	table = table_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(places);
	free(one);
	free(two);
	free(back);
	table_free(table);
	return 0;
}

static int make(size_t count, uint64_t generation, uint64_t oldest)
{
	const struct router_document *documents[] = {one, two};
	struct error err;
	table_free(table);
	table = table_new();
	int rc = builtin_table_make(places, documents, count, generation, oldest, table, &err);
	if (rc == 0)
		rc = table_check(table, &err);
	if (rc < 0)
		print_message("%s\n", err.text);
	return rc;
}

static void documents_come_back_from_their_table(void **state)
{
	(void)state;
	assert_int_equal(make(2, 1, 0), 0);
	assert_int_equal(table->listener_count, 1); /* shared */
	assert_int_equal(table->pool_count, 6);
	builtin_table_read(table, 0, back);
	assert_true(router_document_equal(one, back));
	assert_int_equal(back->backend_count, one->backend_count);
	builtin_table_read(table, 1, back);
	assert_true(router_document_equal(two, back));
	assert_false(router_document_equal(one, back));
}

static void every_part_of_a_document_counts_when_two_are_compared(void **state)
{
	(void)state;
	fill(two, "prod");
	assert_true(router_document_equal(one, two));
	backend(two, 0, "web", "more"); /* backends do not */
	assert_true(router_document_equal(one, two));
#define DIFFERS(change)                                        \
	do {                                                   \
		fill(two, "prod");                             \
		change;                                        \
		assert_false(router_document_equal(one, two)); \
	} while (0)
	DIFFERS(two->version.n++);
	DIFFERS(two->version.epoch++);
	DIFFERS(two->mode = ROUTER_PARK);
	DIFFERS(two->live = 0);
	DIFFERS(two->read_only = false);
	DIFFERS(two->release_count = 1);
	DIFFERS(two->route_count = 0);
	DIFFERS(two->listener[0] = '9');
	DIFFERS(two->releases[1].weight_bp++);
	DIFFERS(two->releases[1].id.bytes[31]++);
	DIFFERS(two->releases[0].tag[0]++);
	DIFFERS(two->releases[0].preview[0]++);
	DIFFERS(two->routes[0].host[0]++);
	DIFFERS(two->routes[0].path[1] = 'a');
	DIFFERS(two->routes[0].process[0]++);
	DIFFERS(two->class_count = 1);
	DIFFERS(two->classes[1].name[0]++);
	DIFFERS(two->classes[0].path_count = 1);
	DIFFERS(two->classes[0].paths[1][1]++);
	DIFFERS(two->mirror.release = 1);
	DIFFERS(two->mirror.share_bp++);
	DIFFERS(two->mirror.methods = 1);
	DIFFERS(two->mirror.in_flight_max++);
	DIFFERS(two->mirror.salt[15]++);
	DIFFERS(two->mirror.body_max++);
	DIFFERS(two->cohort.release = ROUTER_NONE);
	DIFFERS(two->cohort.only = false);
	DIFFERS(two->cohort.rule_count = 1);
	DIFFERS(two->cohort.rules[0].kind = ROUTER_COHORT_COOKIE);
	DIFFERS(two->cohort.rules[0].name[0]++);
	DIFFERS(two->cohort.rules[0].value_count = 1);
	DIFFERS(two->cohort.rules[0].values[1][0]++);
	DIFFERS(two->sticky.on = false);
	DIFFERS(two->sticky.cookie[0]++);
	DIFFERS(two->sticky.header[0] = 'x');
	DIFFERS(two->sticky.salt[0]++);
	DIFFERS(two->sticky.key[0]++);
	DIFFERS(two->preview_key[15]++);
	DIFFERS(two->hold.requests_max++);
	DIFFERS(two->hold.bytes_max++);
	DIFFERS(two->hold.time_ms++);
	DIFFERS(two->hold.pace_per_s++);
	DIFFERS(two->queue.connections_max++);
	DIFFERS(two->queue.requests_max++);
	DIFFERS(two->queue.time_ms++);
	DIFFERS(two->queue.first_count = 0);
	DIFFERS(two->queue.first[0][1]++);
	DIFFERS(two->timeouts.connect_ms++);
	DIFFERS(two->timeouts.answer_ms++);
	DIFFERS(two->timeouts.idle_ms++);
	DIFFERS(two->timeouts.tunnel_idle_ms++);
	DIFFERS(two->retry = false);
	DIFFERS(two->log = ROUTER_LOG_TEXT);
	DIFFERS(two->body_max_bytes++);
	DIFFERS(two->shield = false);
	DIFFERS(two->http1_only = false);
	DIFFERS(two->tcp = true);
	DIFFERS(two->proxy_v2 = true);
	DIFFERS(two->proxy_count = 1);
	DIFFERS(two->slow_start_ms++);
	DIFFERS(two->maintenance_page[1]++);
	DIFFERS(two->rule_count = 1);
	DIFFERS(two->rules[0].name[0]++);
	DIFFERS(two->rules[0].value[0]++);
	DIFFERS(two->rules[1].answer = false);
#undef DIFFERS
}

static void places_stay_with_their_names(void **state)
{
	(void)state;
	assert_int_equal(make(2, 1, 0), 0);
	uint16_t release = table->releases[3].stats_slot,
		 environment = table->environments[1].stats_slot;
	struct router_document *swap = one;
	one = two;
	two = swap;
	assert_int_equal(make(2, 2, 0), 0);
	assert_int_equal(table->releases[1].stats_slot, release);
	assert_int_equal(table->environments[0].stats_slot, environment);
	memset(places, 0, sizeof *places); /* another life of the controller reads them back */
	places_note_table(places, table);
	assert_int_equal(make(1, 3, 0), 0);
	assert_int_equal(table->releases[1].stats_slot, release);
	assert_int_equal(table->environments[0].stats_slot, environment);
}

static void a_place_is_given_away_only_when_nobody_counts_in_it_any_more(void **state)
{
	(void)state;
	uint64_t generation = 0;
	struct error err;
	/* Two releases a table: after so many tables every place has been named once. */
	one->backend_count = 0;
	while (generation < COUNTERS_RELEASES / 2) {
		one->releases[0].id.bytes[1]++;
		one->releases[1].id.bytes[1]++;
		assert_int_equal(make(1, ++generation, 0), 0);
	}
	const struct router_document *documents[] = {one};
	one->releases[0].id.bytes[2]++;
	one->releases[1].id.bytes[2]++;
	table_free(table);
	table = table_new();
	assert_int_equal(builtin_table_make(places, documents, 1, ++generation, 0, table, &err),
			 ERR_LIMIT);
	/* Requests of the first table may still run, those before the third may not. */
	table_free(table);
	table = table_new();
	assert_int_equal(builtin_table_make(places, documents, 1, ++generation, 1, table, &err),
			 ERR_LIMIT);
	assert_int_equal(make(1, ++generation, 3), 0);
	assert_true(table->releases[0].stats_slot < 2); /* free the longest */
}

static void the_classes_of_all_environments_have_their_bound(void **state)
{
	enum { ENVIRONMENTS = TABLE_CLASSES_MAX / ROUTER_CLASSES_MAX };
	static struct router_document many[ENVIRONMENTS + 1];
	const struct router_document *documents[ENVIRONMENTS + 1];
	struct error err;
	(void)state;
	for (size_t i = 0; i <= ENVIRONMENTS; i++) {
		snprintf(many[i].app, sizeof many[i].app, "app");
		snprintf(many[i].environment, sizeof many[i].environment, "e%zu", i);
		many[i].live = many[i].mirror.release = ROUTER_NONE;
		many[i].class_count = ROUTER_CLASSES_MAX;
		for (uint32_t k = 0; k < ROUTER_CLASSES_MAX; k++)
			many[i].classes[k].path_count = 1;
		documents[i] = &many[i];
	}
	assert_int_equal(builtin_table_make(places, documents, ENVIRONMENTS, 1, 0, table, &err), 0);
	table_free(table);
	table = table_new();
	assert_int_equal(builtin_table_make(places, documents, ENVIRONMENTS + 1, 2, 0, table, &err),
			 ERR_LIMIT);
	assert_non_null(strstr(err.text, "256 route classes"));
}

static void more_than_there_is_room_for_is_refused(void **state)
{
	(void)state;
	const struct router_document *documents[TABLE_ENVIRONMENTS_MAX + 1];
	struct error err;
	for (size_t i = 0; i <= TABLE_ENVIRONMENTS_MAX; i++)
		documents[i] = one;
	assert_int_equal(builtin_table_make(places, documents, TABLE_ENVIRONMENTS_MAX + 1, 1, 0,
					    table, &err),
			 ERR_LIMIT);
	one->backend_count = ROUTER_BACKENDS_MAX + 1;
	table_free(table);
	table = table_new();
	assert_int_equal(builtin_table_make(places, documents, 1, 1, 0, table, &err), ERR_INVALID);
	fill(one, "prod");
	one->classes[1].path_count = ROUTER_CLASS_PATHS_MAX + 1;
	table_free(table);
	table = table_new();
	assert_int_equal(builtin_table_make(places, documents, 1, 1, 0, table, &err), ERR_INVALID);
	fill(one, "prod");
	one->cohort.rule_count = ROUTER_COHORT_RULES_MAX + 1;
	table_free(table);
	table = table_new();
	assert_int_equal(builtin_table_make(places, documents, 1, 1, 0, table, &err), ERR_INVALID);
	fill(one, "prod");
	one->class_count = ROUTER_CLASSES_MAX + 1;
	table_free(table);
	table = table_new();
	assert_int_equal(builtin_table_make(places, documents, 1, 1, 0, table, &err), ERR_INVALID);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(documents_come_back_from_their_table),
		T(every_part_of_a_document_counts_when_two_are_compared),
		T(places_stay_with_their_names),
		T(a_place_is_given_away_only_when_nobody_counts_in_it_any_more),
		T(the_classes_of_all_environments_have_their_bound),
		T(more_than_there_is_room_for_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
