/* SPDX-License-Identifier: Apache-2.0
 * fuzz_junit - results of tests from a stranger: the counts belong together, whatever the bytes are. */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"

#include "wire/junit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct junit junit;
	const char *why = NULL;
	bool read = junit_read((const char *)data, size, &junit, &why);
	EXPECT(read || why);
	EXPECT(junit.failed + junit.skipped <= junit.tests);
	EXPECT(junit.name_count <= junit.failed && junit.name_count <= JUNIT_FAILED_MAX);
	EXPECT((size_t)junit.tests * strlen("<testcase") <= size);
	for (uint32_t i = 0; i < junit.name_count; i++)
		EXPECT(memchr(junit.names[i], '\0', JUNIT_NAME_SIZE));
	return 0;
}
