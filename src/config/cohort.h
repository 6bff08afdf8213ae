/* SPDX-License-Identifier: Apache-2.0
 *
 * cohort - the part of `struct app` that says whose requests a new release gets first. See app.h, which is what others
 *          include.
 */
#ifndef CONFIG_COHORT_H
#define CONFIG_COHORT_H

#include "config/steps.h"

enum { APP_MEMBERS_MAX = 16, APP_MEMBER_VALUES_MAX = 16 };

struct app_member {
	uint32_t set;
	const char *header, *cookie; /* one of these, or networks */
	struct app_texts network;
	struct app_texts is; /* the values of the header or cookie */
};

enum {
	APP_MEMBER_HEADER = 1 << 0,
	APP_MEMBER_COOKIE = 1 << 1,
	APP_MEMBER_NETWORK = 1 << 2,
	APP_MEMBER_IS = 1 << 3
};

/* Whose requests a new release gets whatever its share. */
struct app_cohort {
	uint32_t set; /* 0: nobody's */
	uint32_t member_count;
	struct app_member members[APP_MEMBERS_MAX];
	bool only; /* and nobody else's in the steps of `canary` */
};

#endif
