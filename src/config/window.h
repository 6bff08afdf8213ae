/* SPDX-License-Identifier: Apache-2.0
 *
 * window - the hours of a week in which releases may go out.
 *
 * HOW   window_parse() reads "mon-thu" or "mon,wed" and "09:00-16:00"; what is left out is every day, all day.
 *       window_opens_in() asks about a local time, which is the caller's to know (os/zone.h).
 * UNITS Local times are seconds since 1970-01-01 00:00 on the clock of that place.
 * RANGES Hours from 00:00 to 24:00. One that ends before it begins goes on after midnight: "22:00-04:00" on a Monday
 *       ends on Tuesday. The end itself is outside.
 */
#ifndef CONFIG_WINDOW_H
#define CONFIG_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

struct window {
	uint32_t days;                /* bit 0 is Monday */
	uint32_t from_min, until_min; /* of the day, 0..1440 */
};

bool window_days_valid(const char *text);
bool window_hours_valid(const char *text);
bool window_zone_valid(const char *text); /* in form: "Europe/Berlin", "UTC" */

/* "mon", "mon-thu", "fri-mon", with commas between; bit 0 is Monday. */
bool window_days_read(const char *text, uint32_t *ret_days);
/* "09:00", of what `text` begins with, which it then stands behind; 0..1440. */
bool window_time_read(const char **text, uint32_t *ret_min);

/* NULL or "" for what was left out. The texts are valid. */
void window_parse(const char *days, const char *hours, struct window *ret_window);

/* 0: it is open; else seconds until it opens. */
uint64_t window_opens_in(const struct window *window, int64_t local_s);

#endif
