/* SPDX-License-Identifier: Apache-2.0
 *
 * junit - the results of tests in the XML that every test runner can write: how many, and which have failed.
 *
 * WHAT  <testcase> elements are counted, wherever they stand; one with a <failure> or an <error> has failed, one with
 *       <skipped> was skipped. The sums that a <testsuite> claims are not believed.
 * HOW   Bytes of a stranger: no entity but the five of XML and character numbers is known, a document type with
 *       declarations of its own is refused, nothing is fetched, nothing is expanded twice.
 * ERRORS False and, in `ret_why`, the end of a sentence ("is not closed").
 * LIMITS JUNIT_BYTES_MAX of text (the caller's to keep), JUNIT_DEPTH_MAX elements deep, names cut at
 *       JUNIT_NAME_SIZE, the first JUNIT_FAILED_MAX failed ones by name.
 */
#ifndef WIRE_JUNIT_H
#define WIRE_JUNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	JUNIT_BYTES_MAX = 16 << 20,
	JUNIT_DEPTH_MAX = 64,
	JUNIT_NAME_SIZE = 160,
	JUNIT_FAILED_MAX = 20
};

struct junit {
	uint32_t tests, failed, skipped;
	uint32_t name_count;
	char names[JUNIT_FAILED_MAX][JUNIT_NAME_SIZE]; /* "class.name"; any bytes but NUL */
};

bool junit_read(const char *text, size_t size, struct junit *ret_junit, const char **ret_why);

#endif
