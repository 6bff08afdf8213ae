/* SPDX-License-Identifier: Apache-2.0
 *
 * value - one scalar of davit.yaml: text to its place in a struct, and back.
 *
 * OWNS  A text value is kept as the pointer it came as: it must live as long as the struct.
 * ERRORS value_parse() returns false and fills `why` with what the value must be, to follow the key's
 *       name: `must be a duration such as 30s, 5m or 1h30m, not "5"`; it writes nothing then.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/schema.h"

enum { VALUE_WHY_MAX = 400, VALUE_TEXT_MAX = 64 };

bool value_parse(const struct schema_key *key, const char *text, void *to, char why[VALUE_WHY_MAX]);

/* One more item of a list type (FLAGS, TEXTS, SHARES), under the same rules. */
bool value_add(const struct schema_key *key, const char *text, void *to, char why[VALUE_WHY_MAX]);

/* The form value_parse() reads, for types whose value is not itself a text. Returns `to`. */
const char *value_format(const struct schema_key *key, const void *from, char to[VALUE_TEXT_MAX]);

/* "a duration", "one of queue, supersede", "a mapping": for errors and docs. Returns `to`. */
const char *value_type_words(const struct schema_key *key, char *to, size_t size);

/* "from 1 to 64", or "" where there is no bound. Returns `to`. */
const char *value_bounds_words(const struct schema_key *key, char *to, size_t size);

/* What a text must be like, for `valid` of a row. */
bool value_is_line(const char *text);     /* something, without control characters */
bool value_is_address(const char *text);  /* 0.0.0.0:8080 [::1]:80 */
bool value_is_host(const char *text);     /* shop.example.com, lower case */
bool value_is_url_path(const char *text); /* /up?full=1 */
bool value_is_prefix(const char *text);   /* /api, for all below it; below 256 bytes */
bool value_is_user(const char *text);
bool value_is_selector(const char *text); /* orders_total{kind="paid"} */
bool value_is_token(const char *text);    /* a cookie's or header's name */
bool value_is_file(const char *text); /* an absolute path, without quotes and control characters */
bool value_is_inside(const char *text);   /* a relative path that stays inside */
bool value_is_variable(const char *text); /* a variable's name that is not davit's own */
bool value_is_header(const char *text);   /* of at most 120 characters; so is the next one */
bool value_is_json_path(const char *text);
bool value_is_field(const char *text);     /* a header's name in lower case */
bool value_is_diff_path(const char *text); /* $.items[].price, of at most 110 characters */
bool value_is_given(const char *text);     /* the same, of at most 120 characters: a file's too */
bool value_is_secret(const char *text);    /* "davit:prod/db", "davit:mail" */

#endif
