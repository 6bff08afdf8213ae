/* SPDX-License-Identifier: Apache-2.0
 * test_websocket - frame boundaries in streams cut anywhere, and the Close frame. */
#include "../cmocka_all.h"

#include <string.h>

#include "wire/websocket.h"

enum { STREAM_MAX = 70000 * 3 };

static uint8_t stream[STREAM_MAX];
static size_t ends[64];

/* Append a frame to the stream; payloads are bytes that look like headers. */
static size_t frame(size_t at, uint8_t opcode, size_t payload, bool mask)
{
	uint8_t bit = mask ? 0x80 : 0;
	stream[at++] = opcode;
	if (payload < 126) {
		stream[at++] = (uint8_t)payload | bit;
	} else if (payload <= 0xffff) {
		stream[at++] = 126 | bit;
		stream[at++] = (uint8_t)(payload >> 8);
		stream[at++] = (uint8_t)payload;
	} else {
		stream[at++] = 127 | bit;
		for (int shift = 56; shift >= 0; shift -= 8)
			stream[at++] = (uint8_t)((uint64_t)payload >> shift);
	}
	if (mask) {
		memset(stream + at, 0x88, 4);
		at += 4;
	}
	memset(stream + at, 0x88, payload);
	return at + payload;
}

static size_t build(size_t *ret_frames)
{
	static const size_t sizes[] = {0, 1, 125, 126, 127, 65535, 65536, 0, 5};
	size_t at = 0, frames = 0;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		at = frame(at, 0x82, sizes[i], i % 2 == 0);
		ends[frames++] = at;
	}
	*ret_frames = frames;
	return at;
}

static void every_boundary_is_found_however_the_stream_is_cut(void **state)
{
	(void)state;
	static const size_t parts[] = {1, 2, 3, 7, 1000, 65536, STREAM_MAX};
	size_t frames, size = build(&frames);
	for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
		struct websocket w;
		size_t at = 0, found = 0;
		websocket_init(&w);
		assert_true(websocket_between(&w));
		while (at < size) {
			size_t part = size - at < parts[p] ? size - at : parts[p];
			at += websocket_advance(&w, stream + at, part, true);
			bool boundary = websocket_between(&w);
			assert_int_equal(boundary, at == ends[found]);
			found += boundary;
		}
		assert_int_equal(found, frames);
		assert_false(w.closed);
	}
}

static void without_stop_all_passes(void **state)
{
	(void)state;
	size_t frames, size = build(&frames);
	struct websocket w;
	websocket_init(&w);
	assert_int_equal(websocket_advance(&w, stream, size, false), size);
	assert_true(websocket_between(&w));
	assert_int_equal(websocket_advance(&w, stream, 1, false), 1);
	assert_false(websocket_between(&w));
}

static void a_close_frame_is_noticed_when_it_has_passed(void **state)
{
	(void)state;
	for (size_t payload = 0; payload < 3; payload += 2) {
		struct websocket w;
		size_t size = frame(0, 0x88, payload, true);
		websocket_init(&w);
		for (size_t i = 0; i < size; i++) {
			assert_false(w.closed);
			websocket_advance(&w, stream + i, 1, false);
		}
		assert_true(w.closed);
	}
}

static void an_impossible_length_breaks_the_stream(void **state)
{
	(void)state;
	static const uint8_t bad[] = {0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3};
	static const uint8_t most[] = {0x82, 127, 0x7f, 255, 255, 255, 255, 255, 255, 255, 1, 2};
	struct websocket w;
	websocket_init(&w);
	assert_int_equal(websocket_advance(&w, bad, sizeof bad, true), sizeof bad);
	assert_true(w.broken);
	assert_false(websocket_between(&w));
	assert_int_equal(websocket_advance(&w, bad, 5, true), 5);
	websocket_init(&w);
	assert_int_equal(websocket_advance(&w, most, sizeof most, true), sizeof most);
	assert_false(w.broken);
	assert_int_equal(w.left, (uint64_t)INT64_MAX - 2);
}

static void close_frames_are_as_the_protocol_says(void **state)
{
	(void)state;
	static const uint8_t mask[4] = {1, 2, 3, 4};
	uint8_t to[WEBSOCKET_CLOSE_MAX];
	struct websocket w;
	assert_int_equal(websocket_write_close(WEBSOCKET_SERVICE_RESTART, "hi", NULL, to), 6);
	assert_memory_equal(to, "\x88\x04\x03\xf4hi", 6);
	assert_int_equal(websocket_write_close(WEBSOCKET_SERVICE_RESTART, "hi", mask, to), 10);
	assert_memory_equal(to, "\x88\x84\x01\x02\x03\x04\x02\xf6km", 10);

	char reason[300];
	memset(reason, 'r', sizeof reason - 1);
	reason[sizeof reason - 1] = '\0';
	size_t size = websocket_write_close(WEBSOCKET_GOING_AWAY, reason, mask, to);
	assert_int_equal(size, WEBSOCKET_CLOSE_MAX);
	websocket_init(&w);
	assert_int_equal(websocket_advance(&w, to, size, true), size);
	assert_true(w.closed && websocket_between(&w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_boundary_is_found_however_the_stream_is_cut),
		cmocka_unit_test(without_stop_all_passes),
		cmocka_unit_test(a_close_frame_is_noticed_when_it_has_passed),
		cmocka_unit_test(an_impossible_length_breaks_the_stream),
		cmocka_unit_test(close_frames_are_as_the_protocol_says),
	};
	return cmocka_run_group_tests_name("wire/websocket", tests, NULL, NULL);
}
