/* SPDX-License-Identifier: Apache-2.0
 * fuzz_websocket - streams of frames. The boundaries found in pieces must be those that a reader of the whole
 * stream finds, which is written here once more, in its simplest form. */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"

#include "wire/websocket.h"

/* The end of the frame that begins at `at`, or 0 when it is not all there or cannot be. */
static size_t frame_end(const uint8_t *data, size_t size, size_t at)
{
	if (size - at < 2)
		return 0;
	unsigned code = data[at + 1] & 0x7f;
	size_t extra = code == 126 ? 2 : code == 127 ? 8 : 0;
	size_t header = 2 + extra + (data[at + 1] & 0x80 ? 4 : 0);
	if (size - at < header)
		return 0;
	uint64_t payload = extra ? 0 : code;
	for (size_t i = 0; i < extra; i++)
		payload = payload * 256 + data[at + 2 + i];
	return payload > size - at - header ? 0 : at + header + (size_t)payload;
}

static void walk(const uint8_t *data, size_t size, size_t step)
{
	struct websocket w;
	size_t at = 0, boundary = 0;
	bool closed = false;
	websocket_init(&w);
	while (at < size) {
		size_t part = size - at < step ? size - at : step;
		size_t passed = websocket_advance(&w, data + at, part, true);
		EXPECT(passed > 0 && passed <= part);
		at += passed;
		if (w.broken)
			return;
		size_t end = frame_end(data, size, boundary);
		EXPECT(websocket_between(&w) == (end != 0 && at == end));
		EXPECT(end == 0 || at <= end);
		if (end != 0 && at == end) {
			closed = closed || (data[boundary] & 0x0f) == 8;
			boundary = end;
		}
		EXPECT(w.closed == closed);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct websocket w;
	if (size < 1)
		return 0;
	walk(data, size, size);
	walk(data, size, 1);
	walk(data, size, 1 + data[0] % 16);
	websocket_init(&w);
	EXPECT(websocket_advance(&w, data, size, false) == size);
	return 0;
}
