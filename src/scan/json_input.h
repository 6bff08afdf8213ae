/* SPDX-License-Identifier: Apache-2.0
 *
 * json_input - a JSON document that a tool wrote: read with jansson, within bounds, and asked for its members.
 *
 * HOW   json_input_load() first counts what is in the text, without allocating, so that a small file cannot
 *       become a large tree. The getters take a member that is missing or null as absent (NULL, and success)
 *       and one of another type as an error, which names the member and `place`.
 * OWNS  `ret_root` is the caller's, to be released with json_decref(). What the getters return is borrowed
 *       from the tree.
 * ERRORS ERR_INVALID (not JSON, an empty file, keys twice, invalid UTF-8, numbers past a double, wrong types),
 *       ERR_LIMIT; where = the name of the input, with the line where there is one.
 * LIMITS SCAN_BYTES_MAX bytes, JSON_INPUT_DEPTH_MAX levels, JSON_INPUT_CONTAINERS_MAX lists and objects,
 *       JSON_INPUT_MEMBERS_MAX members: a tree of at most some 200 MB.
 */
#ifndef SCAN_JSON_INPUT_H
#define SCAN_JSON_INPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "scan/hide.h"

enum {
	SCAN_BYTES_MAX = 10 << 20, /* of any report, also of those that are not JSON */
	JSON_INPUT_DEPTH_MAX = 64,
	JSON_INPUT_CONTAINERS_MAX = 400 * 1000,
	JSON_INPUT_MEMBERS_MAX = 1000 * 1000,
	JSON_INPUT_PLACE_SIZE = 96,
};

struct json_input {
	const char *name; /* of the file, for errors */
	struct error *err;
	const struct scan_hide *hide;      /* before a text is given; NULL: nothing */
	char place[JSON_INPUT_PLACE_SIZE]; /* "runs[0].results[3]", or "" for the top */
};

int json_input_load(struct json_input *in, const char *text, size_t size,
		    json_t **ret_root) MUST_CHECK;

/* Say where what follows is. */
void json_input_place(struct json_input *in, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Fill the error with a sentence about the present place; returns its code. */
int json_input_refuse(struct json_input *in, enum err code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

int json_input_object(struct json_input *in, const json_t *o, const char *key,
		      json_t **ret) MUST_CHECK;
int json_input_array(struct json_input *in, const json_t *o, const char *key,
		     json_t **ret) MUST_CHECK;
int json_input_text(struct json_input *in, const json_t *o, const char *key,
		    const char **ret) MUST_CHECK; /* NULL when absent */
/* 0 when absent or below it; a number past a uint32_t is an error. */
int json_input_count(struct json_input *in, const json_t *o, const char *key,
		     uint32_t *ret) MUST_CHECK;
/* `fallback` when absent. */
int json_input_bool(struct json_input *in, const json_t *o, const char *key, bool fallback,
		    bool *ret) MUST_CHECK;

/* A member of a list that has to be an object; `what` names the list. */
int json_input_is_object(struct json_input *in, const json_t *value, const char *what) MUST_CHECK;

#endif
