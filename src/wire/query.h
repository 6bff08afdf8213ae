/* SPDX-License-Identifier: Apache-2.0
 *
 * query - one value out of a URL's query, and whether a text is a path of this host.
 *
 * OWNS  Nothing; the caller's memory.
 * ERRORS query_value(): NOT_FOUND there is no such name; LIMIT it does not fit; INVALID a broken escape, or %00.
 *       query_local_path(): INVALID, LIMIT.
 * SOURCE RFC 3986, 2.1 and 3.4. A plus is a plus: nobody fills in a form here.
 */
#ifndef WIRE_QUERY_H
#define WIRE_QUERY_H

#include <stddef.h>

/* The first value of `name` in "a=1&b=2", with its escapes decoded and a NUL after it. Returns its size. */
int query_value(const char *query, size_t size, const char *name, char *to, size_t capacity);

/*
 * A decoded path with a query, for a Location field: what a field cannot carry is escaped again, and a NUL follows.
 * Returns its size. Only what no browser takes for another host passes: it begins with one slash alone, and has
 * neither backslashes, which browsers read as slashes, nor controls, which they leave out.
 */
int query_local_path(const char *path, char *to, size_t capacity);

#endif
