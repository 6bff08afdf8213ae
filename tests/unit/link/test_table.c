/* SPDX-License-Identifier: Apache-2.0
 * Tests of link/table.c and link/table_check.c. */
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"
#include "gateway_example.h"

static struct gateway_table *example(void)
{
	return example_table("127.0.0.1:8080", "127.0.0.1:1", "127.0.0.1:2", "unix:/run/3");
}

static void members(struct gateway_table *t)
{
	struct table_cohort *c = &t->environments[0].cohort;
	c->release = 0;
	c->rule_count = 2;
	c->rules[0].value_count = c->rules[1].value_count = 1;
	text_copy(c->rules[0].name, TABLE_COHORT_TEXT_SIZE, "x-beta");
	text_copy(c->rules[0].values[0], TABLE_COHORT_TEXT_SIZE, "yes");
	c->rules[1].kind = TABLE_COHORT_NETWORK;
	text_copy(c->rules[1].values[0], TABLE_COHORT_TEXT_SIZE, "10.0.0.0/8");
}

static void a_table_survives_its_block(void **state)
{
	(void)state;
	struct gateway_table *t = example(), *back = table_new();
	struct error err;
	struct buf block;
	t->environments[0].sticky.on = true;
	text_copy(t->environments[0].sticky.cookie, TABLE_NAME_SIZE, "davit_unit");
	t->environments[0].sticky.salt[3] = 7;
	t->environments[0].document_n = 1ull << 40;
	example_classes(t);
	example_rules(t);
	members(t);
	t->environments[0].cohort.only = true;
	t->environments[0].preview_key[15] = 9;
	text_copy(t->environments[0].maintenance_page, TABLE_FILE_SIZE, "/srv/page.html");
	text_copy(t->trusted[t->trusted_count++], TABLE_NAME_SIZE, "10.0.0.0/8");
	buf_init(&block, TABLE_BYTES_MAX);
	assert_int_equal(table_encode(t, &block, &err), 0);
	assert_int_equal(table_decode(block.data, block.size, back, &err), 0);
	assert_memory_equal(t, back, sizeof(*t));
	assert_int_equal(table_generation(block.data, block.size), 1);
	buf_done(&block);
	table_free(t);
	table_free(back);
}

static void a_block_cut_or_changed_anywhere_is_refused(void **state)
{
	(void)state;
	struct gateway_table *t = example(), *back = table_new();
	struct error err;
	struct buf block;
	example_classes(t);
	example_rules(t);
	members(t);
	buf_init(&block, TABLE_BYTES_MAX);
	assert_int_equal(table_encode(t, &block, &err), 0);
	for (size_t size = 0; size < block.size; size++) {
		uint8_t *copy = mem_new(size + 1); /* exact size: a reader past the end is seen */
		memcpy(copy, block.data, size);
		assert_int_equal(table_decode(copy, size, back, &err), ERR_CORRUPT);
		free(copy);
	}
	for (size_t at = 0; at < block.size; at++) {
		block.data[at] ^= 0x41;
		assert_int_equal(table_decode(block.data, block.size, back, &err), ERR_CORRUPT);
		block.data[at] ^= 0x41;
	}
	buf_done(&block);
	table_free(t);
	table_free(back);
}

struct damage {
	const char *sentence; /* a part of it */
	void (*inflict)(struct gateway_table *t);
};

static void weights(struct gateway_table *t)
{
	t->releases[0].weight_bp = 999;
}
static void generation(struct gateway_table *t)
{
	t->generation = 0;
}
static void mode(struct gateway_table *t)
{
	t->environments[0].mode = TABLE_MODE_COUNT;
}
static void live(struct gateway_table *t)
{
	t->environments[0].live = 2;
}
static void mirror(struct gateway_table *t)
{
	t->environments[0].mirror.release = 2;
}
static void mirror_body(struct gateway_table *t)
{
	t->environments[0].mirror.body_max = TABLE_MIRROR_BODY_MAX + 1;
}

static void queue(struct gateway_table *t)
{
	t->environments[0].queue.time_ms = 0;
}

static void queue_path(struct gateway_table *t)
{
	strcpy(t->environments[0].queue.first[0], "/up/");
	t->environments[0].queue.first_count = 1;
}

static void share(struct gateway_table *t)
{
	t->environments[0].mirror.share_bp = 10001;
}
static void releases(struct gateway_table *t)
{
	t->environments[0].release_count = 1;
}
static void far(struct gateway_table *t)
{
	t->environments[0].release_count = 3;
}
static void listener(struct gateway_table *t)
{
	t->routes[0].listener = 1;
}
static void route_to(struct gateway_table *t)
{
	t->routes[0].environment = 1;
}
static void path(struct gateway_table *t)
{
	t->routes[0].path[0] = 'x';
}
static void host(struct gateway_table *t)
{
	t->routes[0].host[0] = 'X';
}
static void twice(struct gateway_table *t)
{
	t->routes[t->route_count++] = t->routes[0];
}
static void slot(struct gateway_table *t)
{
	t->releases[1].stats_slot = 0;
}
static void backend_slot(struct gateway_table *t)
{
	t->backends[2].stats_slot = 1;
}
static void pool(struct gateway_table *t)
{
	t->backends[0].pool = 1;
}
static void order(struct gateway_table *t)
{
	t->pools[1].first_backend = 0;
}
static void gone(struct gateway_table *t)
{
	t->pools[1].backend_count = 1;
}
static void state_of(struct gateway_table *t)
{
	t->backends[0].state = TABLE_BACKEND_COUNT;
}
static void endless(struct gateway_table *t)
{
	memset(t->releases[0].tag, 'a', TABLE_NAME_SIZE);
}
static void many(struct gateway_table *t)
{
	t->backend_count = TABLE_BACKENDS_MAX + 1;
}
static void timeout(struct gateway_table *t)
{
	t->environments[0].timeouts.answer_ms = 0;
}
static void cookie(struct gateway_table *t)
{
	t->environments[0].sticky.cookie[0] = ';';
}
static void sticky(struct gateway_table *t)
{
	t->environments[0].sticky.on = true;
}
static void name(struct gateway_table *t)
{
	t->environments[0].name[0] = '/';
}
static void rule_order(struct gateway_table *t)
{
	t->environments[0].first_rule = 1;
}
static void rule_left(struct gateway_table *t)
{
	t->environments[0].rule_count = 1;
}
static void rule_missing(struct gateway_table *t)
{
	t->environments[0].rule_count = 3;
}
static void rule_many(struct gateway_table *t)
{
	t->rule_count = TABLE_ENVIRONMENT_RULES_MAX + 1;
	t->environments[0].rule_count = (uint16_t)t->rule_count;
}
static void rule_endless(struct gateway_table *t)
{
	memset(t->rules[1].value, 'x', sizeof(t->rules[1].value));
}
static void class_name(struct gateway_table *t)
{
	t->classes[1].name[0] = '/';
}
static void class_name_twice(struct gateway_table *t)
{
	t->classes[1] = t->classes[0];
}
static void class_order(struct gateway_table *t)
{
	t->environments[0].first_class = 1;
}
static void class_gone(struct gateway_table *t)
{
	t->environments[0].class_count = 1;
}
static void class_elsewhere(struct gateway_table *t)
{
	t->classes[1].environment = 1;
}
static void class_many(struct gateway_table *t)
{
	t->class_count = TABLE_ENVIRONMENT_CLASSES_MAX + 1;
	t->environments[0].class_count = (uint16_t)t->class_count;
}
static void class_empty(struct gateway_table *t)
{
	t->classes[1].prefix_count = 0;
}
static void prefix_order(struct gateway_table *t)
{
	t->classes[1].first_prefix = 1;
}
static void prefix_elsewhere(struct gateway_table *t)
{
	t->prefixes[2].class = 0;
}
static void prefix_over(struct gateway_table *t)
{
	t->prefixes[2].class = 2;
}
static void prefix_path(struct gateway_table *t)
{
	text_copy(t->prefixes[2].path, TABLE_PATH_SIZE, "/api/");
}
static void prefix_twice(struct gateway_table *t)
{
	text_copy(t->prefixes[2].path, TABLE_PATH_SIZE, "/cart");
}
static void prefix_left(struct gateway_table *t)
{
	t->prefix_count++;
}
static void prefix_endless(struct gateway_table *t)
{
	memset(t->prefixes[2].path, '/', TABLE_PATH_SIZE);
}

static void https(struct gateway_table *t)
{
	struct table_tls *tls = &t->environments[0].tls;
	text_copy(tls->certificate, TABLE_FILE_SIZE, "/etc/a.pem");
	text_copy(tls->key, TABLE_FILE_SIZE, "/etc/a.key");
}
static void redirect_alone(struct gateway_table *t)
{
	t->environments[0].tls.redirect = 0;
}
static void redirect_nowhere(struct gateway_table *t)
{
	https(t);
	t->environments[0].tls.redirect = (uint16_t)t->listener_count;
}
static void redirect_there(struct gateway_table *t)
{
	for (uint32_t i = 0; i < t->route_count; i++)
		t->routes[i].environment = 0;
	https(t);
	t->environments[0].tls.redirect = t->routes[0].listener;
}
static void unnamed(struct gateway_table *t)
{
	t->environments[0].tls.unnamed = TABLE_TLS_UNNAMED_COUNT;
}
static void challenges(struct gateway_table *t)
{
	https(t);
	text_copy(t->environments[0].tls.challenges, TABLE_FILE_SIZE, "challenges");
}

static void page_relative(struct gateway_table *t)
{
	text_copy(t->environments[0].maintenance_page, TABLE_FILE_SIZE, "off.html");
}
static void page_quoted(struct gateway_table *t)
{
	text_copy(t->environments[0].maintenance_page, TABLE_FILE_SIZE, "/srv/\".html");
}
static void page_endless(struct gateway_table *t)
{
	memset(t->environments[0].maintenance_page, '/', TABLE_FILE_SIZE);
}

static void cohort_elsewhere(struct gateway_table *t)
{
	members(t);
	t->environments[0].cohort.release = 2;
}
static void cohort_many(struct gateway_table *t)
{
	members(t);
	t->environments[0].cohort.rule_count = TABLE_COHORT_RULES_MAX + 1;
}
static void cohort_kind(struct gateway_table *t)
{
	members(t);
	t->environments[0].cohort.rules[0].kind = TABLE_COHORT_COUNT;
}
static void cohort_name(struct gateway_table *t)
{
	members(t);
	t->environments[0].cohort.rules[0].name[1] = ' ';
}
static void cohort_no_name(struct gateway_table *t)
{
	members(t);
	t->environments[0].cohort.rules[0].name[0] = 0;
}
static void cohort_no_value(struct gateway_table *t)
{
	members(t);
	t->environments[0].cohort.rules[0].value_count = 0;
}
static void cohort_values(struct gateway_table *t)
{
	members(t);
	t->environments[0].cohort.rules[0].value_count = TABLE_COHORT_VALUES_MAX + 1;
}
static void cohort_endless(struct gateway_table *t)
{
	members(t);
	memset(t->environments[0].cohort.rules[0].values[0], 'a', TABLE_COHORT_TEXT_SIZE);
}
static void cohort_network(struct gateway_table *t)
{
	members(t);
	text_copy(t->environments[0].cohort.rules[1].values[0], TABLE_COHORT_TEXT_SIZE, "10/8");
}

/* What is left of the example when nothing of HTTP is asked. */
static void tcp_alone(struct gateway_table *t)
{
	t->environments[0].tcp = true;
	t->environments[0].class_count = t->environments[0].rule_count = 0;
	t->class_count = t->prefix_count = t->rule_count = 0;
	t->environments[0].sticky.on = t->environments[0].shield = false;
	t->environments[0].mirror.release = TABLE_NONE;
	t->environments[0].tls = (struct table_tls){.redirect = TABLE_NONE};
	t->environments[0].queue.first_count = 0;
	t->environments[0].cohort = (struct table_cohort){.release = TABLE_NONE};
	t->route_count = 1;
	t->routes[0].host[0] = 0;
	text_copy(t->routes[0].path, TABLE_PATH_SIZE, "/");
}

static void tcp_classes(struct gateway_table *t)
{
	t->environments[0].tcp = true;
}

static void tcp_sticky(struct gateway_table *t)
{
	tcp_alone(t);
	t->environments[0].sticky.on = true;
	text_copy(t->environments[0].sticky.cookie, TABLE_NAME_SIZE, "unit");
}

static void tcp_path(struct gateway_table *t)
{
	tcp_alone(t);
	text_copy(t->routes[0].path, TABLE_PATH_SIZE, "/api");
}

static void tcp_two_routes(struct gateway_table *t)
{
	tcp_alone(t);
	t->listener_count = 2;
	text_copy(t->listeners[1].address, TABLE_ADDRESS_SIZE, "127.0.0.1:9999");
	t->routes[1] = t->routes[0];
	t->routes[1].listener = 1;
	t->route_count = 2;
}

static void proxy_alone(struct gateway_table *t)
{
	t->environments[0].proxy_v2 = true;
}

static void tcp_http2(struct gateway_table *t)
{
	tcp_alone(t);
	t->backends[1].http2 = true;
}

static void proxies_many(struct gateway_table *t)
{
	tcp_alone(t);
	t->environments[0].proxy_count = TABLE_PROXIES_MAX + 1;
}

static void proxies_name(struct gateway_table *t)
{
	tcp_alone(t);
	text_copy(t->environments[0].proxies[0], TABLE_NAME_SIZE, "the one in front");
	t->environments[0].proxy_count = 1;
}

static void tcp_asks_for_nothing_of_http(void **state)
{
	(void)state;
	struct gateway_table *t = example(), *again = table_new();
	struct error err;
	struct buf block;
	tcp_alone(t);
	t->environments[0].proxy_v2 = true;
	text_copy(t->environments[0].proxies[0], TABLE_NAME_SIZE, "2001:db8::/32");
	t->environments[0].proxy_count = 1;
	buf_init(&block, TABLE_BYTES_MAX);
	if (table_encode(t, &block, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(table_decode(block.data, block.size, again, &err), 0);
	assert_true(again->environments[0].tcp && again->environments[0].proxy_v2);
	assert_int_equal(again->environments[0].proxy_count, 1);
	assert_string_equal(again->environments[0].proxies[0], "2001:db8::/32");
	buf_done(&block);
	table_free(t);
	table_free(again);
}

static void each_broken_promise_is_refused_with_its_sentence(void **state)
{
	(void)state;
	static const struct damage damages[] = {
		{"sum to 9999 basis points", weights},
		{"no generation", generation},
		{"unknown mode", mode},
		{"live release that is not its own", live},
		{"mirrors to a release that is not its own", mirror},
		{"mirror out of range", share},
		{"mirror out of range", mirror_body},
		{"queue out of range", queue},
		{"queue out of range", queue_path},
		{"live release that is not its own", releases},
		{"releases in order", far},
		{"not there", listener},
		{"not there", route_to},
		{"must start with", path},
		{"not in lower case", host},
		{"Two routes", twice},
		{"share a place", slot},
		{"place of its own", backend_slot},
		{"belongs to no pool", pool},
		{"backends in order", order},
		{"belongs to no pool", gone},
		{"unknown state", state_of},
		{"broken text", endless},
		{"more records", many},
		{"timeout of 0", timeout},
		{"no HTTP token", cookie},
		{"neither a cookie nor a header", sticky},
		{"no valid name", name},
		{"header rules in order", rule_order},
		{"header rules in order", rule_missing},
		{"belong to nothing", rule_left},
		{"more header rules than it may", rule_many},
		{"has a broken text", rule_endless},
		{"Class 1 has no valid name", class_name},
		{"Class \"checkout\" is there twice", class_name_twice},
		{"classes in order", class_order},
		{"belongs to no environment", class_gone},
		{"belongs to no environment", class_elsewhere},
		{"more classes than it may", class_many},
		{"\"api\" must have 1 to 8 paths", class_empty},
		{"\"api\" does not have its paths in order", prefix_order},
		{"Path 2 of the classes belongs to none", prefix_elsewhere},
		{"Path 2 of the classes belongs to none", prefix_over},
		{"of class \"api\" must start with", prefix_path},
		{"have the path \"/cart\"", prefix_twice},
		{"Path 3 of the classes belongs to none", prefix_left},
		{"Path 2 of the classes belongs to none", prefix_endless},
		{"sends to HTTPS without a certificate", redirect_alone},
		{"redirects at a listener that is not there", redirect_nowhere},
		{"but that address has tls itself", redirect_there},
		{"unknown rule for names", unnamed},
		{"no absolute path", challenges},
		{"page that is no absolute path", page_relative},
		{"page with a quote", page_quoted},
		{"has a broken text", page_endless},
		{"cohort of a release that is not its own", cohort_elsewhere},
		{"cohort by something else", cohort_many},
		{"cohort by something else", cohort_kind},
		{"cohort by something else", cohort_name},
		{"cohort by something else", cohort_no_name},
		{"cohort by something else", cohort_no_value},
		{"cohort by something else", cohort_values},
		{"cohort by something else", cohort_endless},
		{"cohort by something else", cohort_network},
		{"asks of tcp what only HTTP can do", tcp_classes},
		{"asks of tcp what only HTTP can do", tcp_sticky},
		{"more than one route", tcp_path},
		{"more than one route", tcp_two_routes},
		{"hears of clients without tcp", proxy_alone},
		{"speaks HTTP/2, and its environment is of tcp", tcp_http2},
		{"more proxies than it may", proxies_many},
		{"a proxy that is no network", proxies_name},
	};
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct gateway_table *t = example();
		struct error err;
		example_classes(t);
		example_rules(t);
		damages[i].inflict(t);
		assert_int_equal(table_check(t, &err), ERR_INVALID);
		if (!strstr(err.text, damages[i].sentence))
			fail_msg("wanted \"%s\", got \"%s\"", damages[i].sentence, err.text);
		table_free(t);
	}
}

static void a_parked_environment_needs_no_weights(void **state)
{
	(void)state;
	struct gateway_table *t = example();
	struct error err;
	t->environments[0].mode = TABLE_MODE_PARK;
	t->releases[0].weight_bp = t->releases[1].weight_bp = 0;
	assert_int_equal(table_check(t, &err), 0);
	table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_survives_its_block),
		cmocka_unit_test(a_block_cut_or_changed_anywhere_is_refused),
		cmocka_unit_test(tcp_asks_for_nothing_of_http),
		cmocka_unit_test(each_broken_promise_is_refused_with_its_sentence),
		cmocka_unit_test(a_parked_environment_needs_no_weights),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
