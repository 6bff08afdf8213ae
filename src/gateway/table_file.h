/* SPDX-License-Identifier: Apache-2.0
 *
 * table_file - a gateway's table as a person writes it: the JSON file of `davit gateway --table FILE`.
 *
 * HOW   Reads the whole file, refuses every key that it does not know, fills in the defaults of
 *       link/table.h, and checks the result with table_check(). The generation is left to the caller.
 *       Places in the counters are found by the names of environment, release and backend, so that they
 *       stay the same when the file is read again.
 * ERRORS ERR_INVALID with file:line:column where the text is not JSON, else with the path of the value, as
 *       in "environments[0].releases[1].weight". ERR_NOT_FOUND, ERR_DENIED for the file itself.
 * LIMITS TABLE_FILE_MAX bytes.
 * SEE   docs/reference/gateway-table.md, tests/unit/gateway/test_table_file.c
 */
#ifndef GATEWAY_TABLE_FILE_H
#define GATEWAY_TABLE_FILE_H

#include "base/err.h"
#include "link/table.h"

enum { TABLE_FILE_MAX = 1 << 20 };

int table_file_read(const char *file, struct gateway_table *ret_table,
		    struct error *err) MUST_CHECK;

/* The same from memory; `name` stands for the file in errors. */
int table_file_parse(const char *name, const char *text, size_t size,
		     struct gateway_table *ret_table, struct error *err) MUST_CHECK;

#endif
