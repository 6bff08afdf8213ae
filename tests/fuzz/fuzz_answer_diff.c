/* SPDX-License-Identifier: Apache-2.0
 * fuzz_answer_diff - two answers, cut at the first NUL: what is told stays within its bounds, and a difference is one both ways. */
#include <string.h>

#include "fuzz.h"

#include "control/answer_diff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct answer_rules rules = {.hide = {.count = 1, .items = {"$.hidden"}},
					    .secret_count = 1,
					    .secrets = {"canary"}};
	static struct answer_differences one, other;
	const char *live = (const char *)data, *cut = memchr(data, 0, size);
	size_t first = cut ? (size_t)(cut - live) : size / 2;
	const char *fresh = live + first;
	one.count = other.count = 0;
	bool told = answer_diff_json(&rules, live, first, fresh, size - first, &one);
	EXPECT(told == answer_diff_json(&rules, fresh, size - first, live, first, &other));
	EXPECT(told || one.count == 0);
	EXPECT(one.count <= ANSWER_DIFFERENCES_MAX && (one.count == 0) == (other.count == 0));
	for (uint32_t i = 0; i < one.count; i++) {
		EXPECT(memchr(one.items[i].place, 0, ANSWER_PLACE_SIZE));
		EXPECT(memchr(one.items[i].live, 0, ANSWER_VALUE_SIZE));
		EXPECT(!strstr(one.items[i].live, "canary") &&
		       !strstr(one.items[i].fresh, "canary"));
	}
	return 0;
}
