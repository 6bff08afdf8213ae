/* SPDX-License-Identifier: Apache-2.0
 * schedule - see schedule.h for the contract. */
#include "config/schedule.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/window.h"

enum {
	DAYS = 7,
	DAY_MIN = 24 * 60,
	DAY_S = DAY_MIN * 60,
	FIRST_WEEKDAY = 3 /* 1970-01-01, a Thursday */
};

static bool read_one(const char *text, struct schedule_time *to)
{
	char days[SCHEDULE_TIME_SIZE];
	const char *time = strchr(text, ' ');
	if (strlen(text) >= SCHEDULE_TIME_SIZE)
		return false;
	*to = (struct schedule_time){.days = (1u << DAYS) - 1};
	if (time) {
		snprintf(days, sizeof days, "%.*s", (int)(time - text), text);
		text = time + 1;
		if (!window_days_read(days, &to->days))
			return false;
	}
	return window_time_read(&text, &to->minute) && *text == '\0' && to->minute < DAY_MIN;
}

bool schedule_time_valid(const char *text)
{
	struct schedule_time ignored;
	return read_one(text, &ignored);
}

const char *schedule_text(const struct app_texts *times, char to[SCHEDULE_TEXT_SIZE])
{
	size_t used = 0;
	to[0] = '\0';
	for (uint32_t i = 0; i < times->count && used < SCHEDULE_TEXT_SIZE; i++)
		used += (size_t)snprintf(to + used, SCHEDULE_TEXT_SIZE - used, "%s%s",
					 i > 0 ? "; " : "", times->items[i]);
	return to;
}

bool schedule_parse(const char *text, struct schedule *ret_schedule)
{
	char copy[SCHEDULE_TEXT_SIZE], *rest = copy, *one;
	*ret_schedule = (struct schedule){.count = 0};
	if (!text_copy(copy, sizeof copy, text))
		return false;
	while ((one = strsep(&rest, ";"))) {
		if (ret_schedule->count == SCHEDULE_TIMES_MAX ||
		    (ret_schedule->count > 0 && *one++ != ' ') ||
		    !read_one(one, &ret_schedule->times[ret_schedule->count]))
			return false;
		ret_schedule->count++;
	}
	return true;
}

/* The instant at which the clocks of the zone show `local_s`. They are changed not more than once within two days. */
static int instant_of(const char *zone, schedule_offset offset, int64_t local_s, int64_t *ret_s,
		      struct error *err)
{
	int32_t before = 0, after = 0, then = 0;
	int code = offset(zone, local_s - DAY_S, &before, err);
	if (code == 0)
		code = offset(zone, local_s + DAY_S, &after, err);
	*ret_s = code == 0 ? local_s - before : 0;
	if (code < 0 || before == after)
		return code;
	/* Shown before they are changed, perhaps once more afterwards. */
	code = offset(zone, local_s - before, &then, err);
	if (code < 0 || then == before)
		return code;
	/* Shown afterwards; or never, and then as if they had not been changed. */
	code = offset(zone, local_s - after, &then, err);
	if (code == 0 && then == after)
		*ret_s = local_s - after;
	return code;
}

static int64_t floor_day(int64_t local_s)
{
	int64_t day = local_s / DAY_S;
	return day * DAY_S > local_s ? day - 1 : day;
}

static bool is_on(const struct schedule_time *time, int64_t day)
{
	int64_t weekday = (day + FIRST_WEEKDAY) % DAYS;
	return time->days >> (weekday < 0 ? weekday + DAYS : weekday) & 1;
}

int schedule_next(const struct schedule *schedule, const char *zone, schedule_offset offset,
		  int64_t after_s, int64_t *ret_next_s, struct error *err)
{
	int32_t now = 0;
	bool found = false;
	int code = offset(zone, after_s, &now, err);
	int64_t first = code == 0 ? floor_day(after_s + now) - 1 : 0;
	*ret_next_s = 0;
	/* A day of grace at both ends, for zones that skip a whole one. */
	for (int64_t day = first; code == 0 && day <= first + DAYS + 2; day++)
		for (uint32_t i = 0; code == 0 && i < schedule->count; i++) {
			const struct schedule_time *time = &schedule->times[i];
			int64_t at;
			if (!is_on(time, day))
				continue;
			code = instant_of(zone, offset, day * DAY_S + time->minute * 60, &at, err);
			if (code == 0 && at > after_s && (!found || at < *ret_next_s)) {
				*ret_next_s = at;
				found = true;
			}
		}
	ASSERT(code < 0 || found);
	return code;
}
