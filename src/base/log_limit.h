/* SPDX-License-Identifier: Apache-2.0
 *
 * log_limit - what strangers can make happen does not fill the log: so many lines of it a minute, and then how many more
 *             there were.
 *
 * HOW   static struct log_limit refusals; if (log_limit_take(&refusals, now_ms, 20, "webhook.refused")) log_event(...);
 */
#ifndef BASE_LOG_LIMIT_H
#define BASE_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: nothing was logged yet. */
struct log_limit {
	uint64_t minute_ms; /* monotonic: when this minute began */
	uint32_t logged, unlogged;
};

/* May one more line of this event be written? Else it is counted. */
bool log_limit_take(struct log_limit *limit, uint64_t now_ms, uint32_t most, const char *event);

#endif
