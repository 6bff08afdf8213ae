/* SPDX-License-Identifier: Apache-2.0
 *
 * url - the little that routing asks of paths and hosts. Nothing is decoded: what the
 *       gateway matches and what the backend gets are the same bytes.
 *
 * OWNS  Nothing; all arguments are text with a size, and results point into them.
 */
#ifndef WIRE_URL_H
#define WIRE_URL_H

#include <stdbool.h>
#include <stddef.h>

/* True when `path` is `prefix` or lies below it: "/api" takes "/api" and "/api/x", not "/apix". "/"
 * takes all; a trailing '/' of the prefix does not count. */
bool url_path_under(const char *path, size_t path_size, const char *prefix, size_t prefix_size);

/* Compare the host of an authority ("Example.org.:8080") with a bare lower-case name, without
 * regard to case, port and a last dot. */
bool url_host_is(const char *authority, size_t size, const char *name, size_t name_size);

#endif
