/* SPDX-License-Identifier: Apache-2.0
 *
 * zone - how far the clocks of a place are from UTC at an instant, from the system's time zone files.
 *
 * WHAT  Reads /usr/share/zoneinfo/NAME (RFC 8536, version 2 or later). "UTC" needs no file. Beyond the last
 *       transition of the file (2037 in Debian's) its last offset goes on.
 * WHY   localtime(3) knows one zone a process, and changing it is not safe beside other threads.
 * UNITS Seconds; east of Greenwich is positive.
 * ERRORS ERR_NOT_FOUND there is no such zone (or the package tzdata is not installed); ERR_CORRUPT its file is damaged.
 */
#ifndef OS_ZONE_H
#define OS_ZONE_H

#include <stdint.h>

#include "base/err.h"

MUST_CHECK int zone_offset(const char *name, int64_t unix_s, int32_t *ret_offset_s,
			   struct error *err);

#endif
