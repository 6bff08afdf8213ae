/* SPDX-License-Identifier: Apache-2.0
 * fuzz_shadow_pair - what may come over D/shadow.sock. A pair that is taken must be written as the very bytes that it was
 * read from. */
#include <string.h>

#include "fuzz.h"

#include "link/shadow_pair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t again[SHADOW_PAIR_MAX];
	static struct shadow_pair pair;
	struct error err = {0};
	int rc = shadow_pair_read(data, size, &pair, &err);
	EXPECT((rc < 0) == (err.text[0] != '\0'));
	if (rc < 0)
		return 0;
	for (int i = 0; i < 2; i++)
		EXPECT(pair.sides[i].body_size <= SHADOW_BODY_MAX);
	EXPECT(shadow_pair_write(&pair, again, sizeof(again)) == size);
	EXPECT(memcmp(again, data, size) == 0);
	return 0;
}
