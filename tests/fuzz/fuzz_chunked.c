/* SPDX-License-Identifier: Apache-2.0
 * fuzz_chunked - chunked bodies. At once, in pieces and byte by byte must agree in output and outcome; what comes
 * out must be accepted unchanged when it goes in again, and hold the same data as the bare form. */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"

#include "wire/chunked.h"

enum { SIZE_MAX_BYTES = 16384 };

struct outcome {
	int rc;
	size_t used, size;
	const char *reason;
	char bytes[SIZE_MAX_BYTES];
};

static void feed(enum chunked_form form, const char *data, size_t size, size_t step,
		 struct outcome *o)
{
	static char buffer[SIZE_MAX_BYTES];
	struct chunked c;
	size_t kept = 0, at = 0;
	chunked_init(&c, form);
	o->rc = 0;
	o->used = o->size = 0;
	while (o->rc == 0 && at < size) {
		size_t part = size - at < step ? size - at : step, used, done;
		char *exact = malloc(kept + part);
		memcpy(exact, buffer, kept);
		memcpy(exact + kept, data + at, part);
		at += part;
		o->rc = chunked_pass(&c, exact, kept + part, &used, &done);
		EXPECT(used <= kept + part && done <= used);
		memcpy(o->bytes + o->size, exact, done);
		o->size += done;
		o->used += used;
		kept = kept + part - used;
		memcpy(buffer, exact + used, kept);
		free(exact);
	}
	o->reason = c.reason;
	EXPECT((o->rc < 0) == (o->reason != NULL));
	EXPECT(c.body_bytes <= o->used);
}

static void expect_same(const struct outcome *a, const struct outcome *b)
{
	EXPECT(a->rc == b->rc && a->reason == b->reason);
	if (a->rc < 0)
		return; /* how much went out before differs with the pieces; it is thrown away */
	EXPECT(a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0);
	EXPECT(a->used == b->used);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t input_size)
{
	static struct outcome whole, other, bare;
	if (input_size < 1 || input_size > SIZE_MAX_BYTES)
		return 0;
	const char *data = (const char *)input + 1;
	size_t size = input_size - 1;
	feed(CHUNKED_FRAMED, data, size, SIZE_MAX_BYTES, &whole);
	feed(CHUNKED_FRAMED, data, size, 1, &other);
	expect_same(&whole, &other);
	feed(CHUNKED_FRAMED, data, size, 1 + input[0], &other);
	expect_same(&whole, &other);
	feed(CHUNKED_BARE, data, size, SIZE_MAX_BYTES, &bare);
	EXPECT(bare.rc == whole.rc && bare.used == whole.used);
	feed(CHUNKED_BARE, data, size, 1, &other);
	expect_same(&bare, &other);
	if (whole.rc == 1) {
		feed(CHUNKED_FRAMED, whole.bytes, whole.size, SIZE_MAX_BYTES, &other);
		EXPECT(other.rc == 1 && other.used == whole.size);
		EXPECT(other.size == whole.size &&
		       memcmp(other.bytes, whole.bytes, whole.size) == 0);
		feed(CHUNKED_BARE, whole.bytes, whole.size, SIZE_MAX_BYTES, &other);
		EXPECT(other.rc == 1 && other.size == bare.size &&
		       memcmp(other.bytes, bare.bytes, bare.size) == 0);
	}
	return 0;
}
