/* SPDX-License-Identifier: Apache-2.0
 *
 * schedule - the times of a week at which an environment is deployed to, and when the next one is.
 *
 * WHAT  A time is "02:30", each day, or "mon-fri 02:30", with days as windows have them (window.h). A schedule is up to
 *       SCHEDULE_TIMES_MAX of them, in one text with "; " between.
 *
 * HOW   PURE. What a zone's clocks show is asked of `offset` (os/zone.h).
 *       A time that a zone's clocks skip is so much later as they skip (02:30 is 03:30 on that day); one that they show
 *       twice counts the first time. So each runs once.
 * UNITS Seconds since 1970-01-01 00:00 UTC.
 * ERRORS Those of `offset`.
 */
#ifndef CONFIG_SCHEDULE_H
#define CONFIG_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "config/app.h"

enum {
	SCHEDULE_TIMES_MAX = 16,
	SCHEDULE_TIME_SIZE = 40, /* of one, with its NUL */
	SCHEDULE_TEXT_SIZE = SCHEDULE_TIMES_MAX * (SCHEDULE_TIME_SIZE + 1) + 1
};

struct schedule {
	uint32_t count;
	struct schedule_time {
		uint32_t days;   /* bit 0 is Monday */
		uint32_t minute; /* of the day, 0..1439 */
	} times[SCHEDULE_TIMES_MAX];
};

typedef int (*schedule_offset)(const char *zone, int64_t unix_s, int32_t *ret_offset_s,
			       struct error *err);

bool schedule_time_valid(const char *text);

/* Of valid times: "mon-fri 02:30; sat 04:00". Returns `to`. */
const char *schedule_text(const struct app_texts *times, char to[SCHEDULE_TEXT_SIZE]);
/* False: it is none. */
bool schedule_parse(const char *text, struct schedule *ret_schedule);

/* The first time after `after_s`. */
MUST_CHECK int schedule_next(const struct schedule *schedule, const char *zone,
			     schedule_offset offset, int64_t after_s, int64_t *ret_next_s,
			     struct error *err);

#endif
