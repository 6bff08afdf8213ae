/* SPDX-License-Identifier: Apache-2.0
 *
 * log_line - PURE: does a line of a program's log look like an error?
 *
 * WHAT  Yes, when among its first LOG_LINE_BYTES there is, as a word of its own, one of ERROR, FATAL, CRITICAL,
 *       PANIC, Exception and Traceback, or the field "level" of a JSON object with the value "error" or
 *       "fatal". Upper and lower case differ: prose says "error" where nothing is wrong. A word ends
 *       where there is no letter, digit or '_'.
 */
#ifndef KEEPER_LOG_LINE_H
#define KEEPER_LOG_LINE_H

#include <stdbool.h>
#include <stddef.h>

enum { LOG_LINE_BYTES = 256 };

bool log_line_is_error(const char *line, size_t size);

#endif
