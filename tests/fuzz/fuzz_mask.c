/* SPDX-License-Identifier: Apache-2.0
 * fuzz_mask - a secret and a log, divided by the first NUL. Whole, byte by byte and in pieces must come to the same;
 * and the secret itself is not in it. */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"

#include "wire/mask.h"

enum { OUT_MAX = 1 << 16 };

struct out {
	size_t size;
	char bytes[OUT_MAX];
};

static struct mask mask;

static void take(void *context, const void *bytes, size_t size)
{
	struct out *out = context;
	EXPECT(out->size + size <= OUT_MAX);
	memcpy(out->bytes + out->size, bytes, size);
	out->size += size;
}

static void feed(struct out *out, const uint8_t *log, size_t size, size_t step)
{
	static struct mask_stream stream;
	stream.size = out->size = 0;
	for (size_t at = 0; at < size; at += step)
		mask_feed(&mask, &stream, log + at, size - at < step ? size - at : step, take, out);
	mask_end(&mask, &stream, take, out);
	EXPECT(stream.size == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct out whole, other;
	const uint8_t *end = size ? memchr(data, 0, size) : NULL;
	if (!end || size > OUT_MAX / 2)
		return 0;
	size_t secret = (size_t)(end - data), log = size - secret - 1;
	mask_init(&mask);
	if (!mask_add(&mask, data, secret)) {
		EXPECT(secret < MASK_VALUE_MIN || secret > MASK_VALUE_MAX || secret > 1000);
		return 0;
	}
	feed(&whole, end + 1, log, log + 1);
	for (size_t step = 1; step < 9; step += 1 + step / 2) {
		feed(&other, end + 1, log, step);
		EXPECT(other.size == whole.size &&
		       memcmp(other.bytes, whole.bytes, whole.size) == 0);
	}
	/* Stars may put two halves together that were no secret before; only one of stars can. */
	if (!memchr(data, '*', secret))
		EXPECT(!memmem(whole.bytes, whole.size, data, secret));
	return 0;
}
