/* SPDX-License-Identifier: Apache-2.0
 * Offsets of time zones, against the C library's. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../cmocka_all.h"

#include "os/zone.h"

static void offsets_are_those_of_the_library(void **state)
{
	(void)state;
	static const char *const zones[] = {"Europe/Berlin", "America/New_York", "Asia/Kolkata",
					    "Australia/Lord_Howe", "Etc/UTC"};
	struct error err;
	if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) != 0)
		skip(); /* tzdata is not installed */
	for (size_t z = 0; z < sizeof zones / sizeof zones[0]; z++) {
		setenv("TZ", zones[z], 1);
		tzset();
		for (time_t t = 0; t < 2100000000; t += 86400 * 3 + 1234) {
			struct tm tm;
			int32_t offset;
			localtime_r(&t, &tm);
			assert_int_equal(zone_offset(zones[z], t, &offset, &err), 0);
			assert_int_equal(offset, tm.tm_gmtoff);
		}
	}
}

static void what_is_not_there_is_said(void **state)
{
	(void)state;
	int32_t offset;
	struct error err;
	assert_int_equal(zone_offset("UTC", 0, &offset, &err), 0);
	assert_int_equal(zone_offset("Mars/Olympus", 0, &offset, &err), ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "Mars/Olympus"));
	assert_int_equal(zone_offset("../../../etc/passwd", 0, &offset, &err), ERR_NOT_FOUND);
	if (access("/usr/share/zoneinfo/tzdata.zi", R_OK) == 0)
		assert_int_equal(zone_offset("tzdata.zi", 0, &offset, &err), ERR_CORRUPT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offsets_are_those_of_the_library),
		cmocka_unit_test(what_is_not_there_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
