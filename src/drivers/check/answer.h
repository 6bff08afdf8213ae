/* SPDX-License-Identifier: Apache-2.0
 *
 * answer - is the answer to a probe the one that was expected, and if not, why not.
 *
 * WHAT  Status, text, fields, values of JSON and the time it took, in that order; the first that is not as expected is
 *       told in a sentence: what was expected, and what came. What came is the application's, and is shown cut and
 *       without control characters.
 * LIMITS Of a document that is nested deeper than jansson allows nothing is found: it is no JSON.
 */
#ifndef DRIVERS_CHECK_ANSWER_H
#define DRIVERS_CHECK_ANSWER_H

#include <stdbool.h>

#include "provider/check.h"

struct answer {
	long status;
	const char *body; /* ends with a NUL that is not counted */
	size_t size;
	uint64_t took_us;
	/* The value of the `at`-th field of that name, from 0, for any case of it; NULL: there are no more. */
	const char *(*field)(void *context, const char *name, size_t at);
	void *context;
};

/* True: it is as expected, else `to` has the sentence. */
bool answer_judge(const struct check *check, const struct answer *answer, char *to, size_t size);

#endif
