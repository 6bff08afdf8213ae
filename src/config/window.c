/* SPDX-License-Identifier: Apache-2.0
 * window - see window.h for the contract. */
#include "config/window.h"

#include <string.h>

#include "base/err.h"

enum {
	DAYS = 7,
	DAY_MIN = 24 * 60,
	DAY_S = DAY_MIN * 60,
	ZONE_MAX = 64,
	FIRST_WEEKDAY = 3 /* 1970-01-01, a Thursday */
};

static const char *const names[DAYS] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static bool read_day(const char **text, uint32_t *ret_day)
{
	for (uint32_t i = 0; i < DAYS; i++)
		if (strncmp(*text, names[i], 3) == 0) {
			*text += 3;
			*ret_day = i;
			return true;
		}
	return false;
}

bool window_days_read(const char *text, uint32_t *ret_days)
{
	uint32_t days = 0, first, last;
	for (bool more = true; more;) {
		if (!read_day(&text, &first))
			return false;
		last = first;
		if (*text == '-' && (text++, !read_day(&text, &last)))
			return false;
		for (uint32_t day = first;; day = (day + 1) % DAYS) {
			days |= 1u << day;
			if (day == last)
				break;
		}
		more = *text == ',';
		text += more;
	}
	*ret_days = days;
	return *text == '\0';
}

static bool read_number(const char **text, uint32_t *ret_number)
{
	const char *t = *text;
	if (t[0] < '0' || t[0] > '9' || t[1] < '0' || t[1] > '9')
		return false;
	*ret_number = (uint32_t)(t[0] - '0') * 10 + (uint32_t)(t[1] - '0');
	*text += 2;
	return true;
}

bool window_time_read(const char **text, uint32_t *ret_min)
{
	uint32_t hours, minutes;
	if (!read_number(text, &hours) || *(*text)++ != ':' || !read_number(text, &minutes))
		return false;
	*ret_min = hours * 60 + minutes;
	return minutes < 60 && *ret_min <= DAY_MIN;
}

static bool read_hours(const char *text, uint32_t *ret_from, uint32_t *ret_until)
{
	return window_time_read(&text, ret_from) && *text++ == '-' &&
	       window_time_read(&text, ret_until) && *text == '\0' && *ret_from != *ret_until &&
	       *ret_from < DAY_MIN;
}

bool window_days_valid(const char *text)
{
	uint32_t days;
	return window_days_read(text, &days);
}

bool window_hours_valid(const char *text)
{
	uint32_t from, until;
	return read_hours(text, &from, &until);
}

bool window_zone_valid(const char *text)
{
	size_t length = strlen(text);
	return length > 0 && length < ZONE_MAX && text[0] != '/' && text[0] != '.' &&
	       !strstr(text, "..") &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/") ==
		       length;
}

void window_parse(const char *days, const char *hours, struct window *ret_window)
{
	*ret_window = (struct window){.days = (1u << DAYS) - 1, .until_min = DAY_MIN};
	bool valid = (!days || !days[0] || window_days_read(days, &ret_window->days)) &&
		     (!hours || !hours[0] ||
		      read_hours(hours, &ret_window->from_min, &ret_window->until_min));
	ASSERT(valid);
}

/* Is `second` of a week inside? It may have begun the day before. */
static bool inside(const struct window *w, uint32_t second)
{
	uint32_t day = second / DAY_S, minute = second % DAY_S / 60;
	uint32_t before = (day + DAYS - 1) % DAYS;
	bool today = w->days >> day & 1, yesterday = w->days >> before & 1;
	if (w->from_min < w->until_min)
		return today && minute >= w->from_min && minute < w->until_min;
	return (today && minute >= w->from_min) || (yesterday && minute < w->until_min);
}

uint64_t window_opens_in(const struct window *w, int64_t local_s)
{
	int64_t week_s = (int64_t)DAYS * DAY_S;
	int64_t since = (local_s + (int64_t)FIRST_WEEKDAY * DAY_S) % week_s;
	uint32_t now = (uint32_t)(since < 0 ? since + week_s : since);
	if (inside(w, now))
		return 0;
	for (uint32_t d = 0; d <= DAYS; d++) {
		uint32_t day = (now / DAY_S + d) % DAYS;
		uint64_t opens = ((uint64_t)(now / DAY_S) + d) * DAY_S + (uint64_t)w->from_min * 60;
		if (w->days >> day & 1 && opens > now)
			return opens - now;
	}
	ASSERT(!"some day is in it");
}
