/* SPDX-License-Identifier: Apache-2.0
 *
 * json_path - the way to one value in a JSON document: `$.services[0].name`.
 *
 * WHAT  `$` is the whole document, `.NAME` a member of an object (any characters but `.`, `[`, `]` and controls), `[N]` a
 *       member of an array, from 0. Nothing else of what is called JSONPath elsewhere.
 * HOW   json_path_valid(); then json_path_next() from the first byte after the `$`, until that is false.
 * LIMITS JSON_PATH_STEPS_MAX steps.
 */
#ifndef WIRE_JSON_PATH_H
#define WIRE_JSON_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_PATH_STEPS_MAX = 16, JSON_PATH_INDEX_MAX = 999999 };

struct json_step {
	const char *name; /* of the text, `size` bytes; NULL: a member of an array */
	size_t size;
	uint32_t index;
};

bool json_path_valid(const char *text);

/* The step that begins at `*at`; `*at` is behind it then. False: there is none. */
bool json_path_next(const char **at, struct json_step *ret_step);

#endif
