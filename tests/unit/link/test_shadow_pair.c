/* SPDX-License-Identifier: Apache-2.0
 * Tests of link/shadow_pair.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"

#include "link/shadow_pair.h"

static uint8_t bytes[SHADOW_PAIR_MAX];

static size_t sample(struct shadow_pair *pair)
{
	memset(pair, 0, sizeof(*pair));
	strcpy(pair->app, "shop");
	strcpy(pair->environment, "prod");
	memset(pair->release.bytes, 7, sizeof(pair->release.bytes));
	pair->noise = true;
	strcpy(pair->method, "GET");
	strcpy(pair->path, "/basket");
	pair->body_differs = true;
	pair->field_count = 1;
	strcpy(pair->fields[0].name, "location");
	strcpy(pair->fields[0].value[0], "/a");
	pair->sides[0] = (struct shadow_side){
		.status = 200, .first_us = 1500, .body_bytes = 3, .body = "abc", .body_size = 3};
	pair->sides[1] = (struct shadow_side){.status = 302,
					      .first_us = 900,
					      .body_bytes = 9000,
					      .cut = true,
					      .body = "x",
					      .body_size = 1};
	return shadow_pair_write(pair, bytes, sizeof(bytes));
}

static void a_pair_survives_the_way_there_and_back(void **state)
{
	(void)state;
	struct shadow_pair pair, back;
	struct error err;
	size_t size = sample(&pair);
	assert_true(size > 0);
	assert_int_equal(shadow_pair_read(bytes, size, &back, &err), 0);
	assert_memory_equal(back.sides[0].body, "abc", 3);
	assert_true(back.sides[1].cut);
	back.sides[0].body = pair.sides[0].body;
	back.sides[1].body = pair.sides[1].body;
	assert_memory_equal(&pair, &back, sizeof(pair));
}

static void the_largest_pair_fits(void **state)
{
	(void)state;
	static char body[SHADOW_BODY_MAX];
	struct shadow_pair pair;
	sample(&pair);
	pair.field_count = SHADOW_FIELDS_MAX;
	for (uint32_t i = 0; i < SHADOW_FIELDS_MAX; i++) {
		memset(pair.fields[i].name, 'n', sizeof(pair.fields[i].name) - 1);
		for (int k = 0; k < 2; k++)
			memset(pair.fields[i].value[k], 'v', SHADOW_VALUE_SIZE - 1);
	}
	memset(pair.path, 'p', sizeof(pair.path) - 1);
	for (int k = 0; k < 2; k++)
		pair.sides[k] = (struct shadow_side){
			.body = body, .body_size = sizeof(body), .body_bytes = sizeof(body)};
	assert_true(shadow_pair_write(&pair, bytes, sizeof(bytes)) > 0);
	assert_int_equal(shadow_pair_write(&pair, bytes, 1000), 0);
}

static void every_cut_and_every_extra_byte_is_refused(void **state)
{
	(void)state;
	struct shadow_pair pair, back;
	struct error err;
	size_t size = sample(&pair);
	for (size_t n = 0; n < size; n++) {
		uint8_t *exact = malloc(n + 1);
		memcpy(exact, bytes, n);
		assert_int_equal(shadow_pair_read(exact, n, &back, &err), ERR_CORRUPT);
		free(exact);
	}
	bytes[size] = 0;
	assert_int_equal(shadow_pair_read(bytes, size + 1, &back, &err), ERR_CORRUPT);
	bytes[0]++;
	assert_int_equal(shadow_pair_read(bytes, size, &back, &err), ERR_CORRUPT);
}

static void values_of_fields_that_carry_credentials_are_hidden(void **state)
{
	(void)state;
	static const char *const hidden[] = {"set-cookie",         "cookie",
					     "authorization",      "x-api-key",
					     "proxy-authenticate", "x-csrf-token"};
	static const char *const told[] = {"content-type", "location", "cache-control", "etag"};
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		assert_true(shadow_field_hidden(hidden[i]));
	for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		assert_false(shadow_field_hidden(told[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pair_survives_the_way_there_and_back),
		cmocka_unit_test(the_largest_pair_fits),
		cmocka_unit_test(every_cut_and_every_extra_byte_is_refused),
		cmocka_unit_test(values_of_fields_that_carry_credentials_are_hidden),
	};
	return cmocka_run_group_tests_name("shadow_pair", tests, NULL, NULL);
}
