/* SPDX-License-Identifier: Apache-2.0
 * Tests of link/gateway_messages.h: every type there and back, and everything else refused. */
#include "../cmocka_all.h"

#include <string.h>

#include "link/gateway_messages.h"

static struct gateway_message sample(enum gateway_message_type type)
{
	struct gateway_message m;
	memset(&m, 0, sizeof m);
	m.type = type;
	m.sequence = 0x1122334455667788;
	if (type == GATEWAY_WELCOME || type == GATEWAY_STATUS) {
		m.status = (struct gateway_status){7, 8, 6, 4, 3, 2, 99, 1};
	} else if (type == GATEWAY_RESULT || type == GATEWAY_PREPARED) {
		m.result = (struct gateway_result){.generation = 12,
						   .code = ERR_DENIED,
						   .workers = 2,
						   .prepare_us = 3,
						   .persist_us = 4,
						   .seen_us = 5,
						   .text = "The port is taken."};
	} else if (type == GATEWAY_JOIN) {
		m.join = (struct gateway_join){3, 4711, true, TABLE_LISTENERS_MAX};
	} else if (type == GATEWAY_LISTEN) {
		m.listen.count = GATEWAY_LISTEN_MAX;
		for (int i = 0; i < GATEWAY_LISTEN_MAX; i++)
			memset(m.listen.addresses[i], 'a' + i, TABLE_ADDRESS_SIZE - 1);
	} else if (type == GATEWAY_SETUP) {
		m.index = 63;
	} else if (type == GATEWAY_DRAIN || type == GATEWAY_RETIRE) {
		m.deadline_ms = 10000;
	} else if (type != GATEWAY_ATTACH && type != GATEWAY_LEAVE && type != GATEWAY_ASK) {
		m.generation = UINT64_MAX;
	}
	return m;
}

static void every_type_survives_the_way_there_and_back(void **state)
{
	(void)state;
	for (int t = GATEWAY_NONE + 1; t < GATEWAY_MESSAGE_COUNT; t++) {
		struct gateway_message m = sample((enum gateway_message_type)t), back;
		struct error err;
		uint8_t bytes[GATEWAY_MESSAGE_MAX];
		size_t size = gateway_message_write(&m, bytes);
		assert_int_equal(gateway_message_read(bytes, size, &back, &err), 0);
		assert_memory_equal(&m, &back, sizeof m);
		assert_string_not_equal(gateway_message_name(m.type), "unknown");
	}
}

static void every_cut_and_every_extra_byte_is_refused(void **state)
{
	(void)state;
	for (int t = GATEWAY_NONE + 1; t < GATEWAY_MESSAGE_COUNT; t++) {
		struct gateway_message m = sample((enum gateway_message_type)t), back;
		struct error err;
		uint8_t bytes[GATEWAY_MESSAGE_MAX + 1] = {0};
		size_t size = gateway_message_write(&m, bytes);
		for (size_t cut = 0; cut < size; cut++)
			assert_int_equal(gateway_message_read(bytes, cut, &back, &err),
					 ERR_CORRUPT);
		assert_int_equal(gateway_message_read(bytes, size + 1, &back, &err), ERR_CORRUPT);
	}
}

static void another_version_says_what_to_do(void **state)
{
	(void)state;
	struct gateway_message m = sample(GATEWAY_ASK), back;
	struct error err;
	uint8_t bytes[GATEWAY_MESSAGE_MAX];
	size_t size = gateway_message_write(&m, bytes);
	bytes[4] = GATEWAY_ABI + 1;
	assert_int_equal(gateway_message_read(bytes, size, &back, &err), ERR_UNSUPPORTED);
	assert_non_null(strstr(err.text, "version 4"));
	for (int t = GATEWAY_NONE + 1; t < GATEWAY_MESSAGE_COUNT; t++) {
		bool lasts = t == GATEWAY_JOIN || t == GATEWAY_LISTEN || t == GATEWAY_LEAVE ||
			     t == GATEWAY_RETIRE;
		m = sample((enum gateway_message_type)t);
		size = gateway_message_write(&m, bytes);
		bytes[4] = 1;
		assert_int_equal(gateway_message_read(bytes, size, &back, &err),
				 lasts ? 0 : ERR_UNSUPPORTED);
	}
}

static void unknown_types_and_numbers_out_of_range_are_refused(void **state)
{
	(void)state;
	struct gateway_message m = sample(GATEWAY_ASK), back;
	struct error err;
	uint8_t bytes[GATEWAY_MESSAGE_MAX];
	size_t size = gateway_message_write(&m, bytes);
	bytes[6] = GATEWAY_MESSAGE_COUNT;
	assert_int_equal(gateway_message_read(bytes, size, &back, &err), ERR_CORRUPT);
	bytes[6] = GATEWAY_NONE;
	assert_int_equal(gateway_message_read(bytes, size, &back, &err), ERR_CORRUPT);

	m = sample(GATEWAY_RESULT);
	m.result.code = ERR_INTERNAL - 1;
	size = gateway_message_write(&m, bytes);
	assert_int_equal(gateway_message_read(bytes, size, &back, &err), ERR_CORRUPT);

	m = sample(GATEWAY_JOIN);
	m.join.listener_count = TABLE_LISTENERS_MAX + 1;
	size = gateway_message_write(&m, bytes);
	assert_int_equal(gateway_message_read(bytes, size, &back, &err), ERR_CORRUPT);

	m = sample(GATEWAY_LISTEN);
	size = gateway_message_write(&m, bytes);
	bytes[16] = 0;
	assert_int_equal(gateway_message_read(bytes, size, &back, &err), ERR_CORRUPT);
	bytes[16] = GATEWAY_LISTEN_MAX + 1;
	assert_int_equal(gateway_message_read(bytes, size, &back, &err), ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_survives_the_way_there_and_back),
		cmocka_unit_test(every_cut_and_every_extra_byte_is_refused),
		cmocka_unit_test(another_version_says_what_to_do),
		cmocka_unit_test(unknown_types_and_numbers_out_of_range_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
