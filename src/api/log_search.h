/* SPDX-License-Identifier: Apache-2.0
 *
 * log_search - lines of log files that have a text in them.
 *
 * WHAT  Files are of lines "TIME TEXT", as keepers and builders write them. The text is looked for as it is (no pattern), in
 *       what stands behind the time. Each line that has it becomes an object in `matches`: "build" and "stage" and "line"
 *       (its number in the file, from 1), or "instance"; "time"; "text", and "cut" where that is not all of the line.
 *
 * HOW   log_search_begin(), then log_search_build() and log_search_instance() until one of them answers false: a bound was
 *       reached, and `why` says which. Blocks; may run in any thread.
 * OWNS  `matches` is the caller's after log_search_begin(); log_search_end() lets go of the rest.
 * LIMITS `lines_max` lines and LOG_SEARCH_FOUND bytes of them, LOG_SEARCH_READ bytes of files, LOG_SEARCH_MS.
 */
#ifndef API_LOG_SEARCH_H
#define API_LOG_SEARCH_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	LOG_SEARCH_TEXT_SIZE = 257,
	LOG_SEARCH_TIME_SIZE = 40,
	LOG_SEARCH_LINES_MAX = 1000,
	LOG_SEARCH_LINE = 2048,
	LOG_SEARCH_FOUND = 1 << 20,
	LOG_SEARCH_MS = 10000,
	LOG_SEARCH_WHY_SIZE = 160,
};
#define LOG_SEARCH_READ (1ull << 30)

struct log_search {
	/* Set by the caller. */
	char text[LOG_SEARCH_TEXT_SIZE]; /* not "" */
	bool ignore_case;                /* of the letters a to z */
	uint64_t since_unix_ms;          /* 0: all */
	uint32_t lines_max;
	const atomic_bool *stop; /* true: nobody waits for it any longer */

	json_t *matches;
	uint64_t files, read, found; /* bytes of what was read, and of the lines that were found */
	char why[LOG_SEARCH_WHY_SIZE]; /* a sentence, where a bound was reached */

	char since[LOG_SEARCH_TIME_SIZE]; /* as it stands before a line */
	size_t text_size;
	uint64_t deadline_ms;
	char *block, *folded;
};

void log_search_begin(struct log_search *s);
void log_search_end(struct log_search *s);

/* STAGE.log of a directory, each or ("" is all) that of one stage. A directory that is not there has none. */
bool log_search_build(struct log_search *s, const char *directory, uint32_t build,
		      const char *stage);
/* log.4 to log.1, and log: from the oldest line on. */
bool log_search_instance(struct log_search *s, const char *directory, const char *instance);

#endif
