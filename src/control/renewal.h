/* SPDX-License-Identifier: Apache-2.0
 *
 * renewal - when a certificate is ordered from an authority. Pure: no clock, no chance of its own.
 *
 * HOW   Where there is none that is for all the hosts: now. Else when two thirds of its time are over, and up to
 *       RENEWAL_SPREAD_PART of its time before that, so that certificates of one day are not renewed at one instant. After
 *       a failure not before a pause: RENEWAL_FIRST_MS, three times as long after each, RENEWAL_MOST_MS at most, which
 *       stays below what Let's Encrypt allows of failures in an hour. Never two orders of the same within
 *       RENEWAL_LEAST_MS: the authority's limit of certificates for a week is not used up by a fault of ours.
 * UNITS Unix milliseconds; 0 stands for never.
 */
#ifndef CONTROL_RENEWAL_H
#define CONTROL_RENEWAL_H

#include <stdbool.h>
#include <stdint.h>

enum {
	RENEWAL_SPREAD_PART = 30,
	RENEWAL_FIRST_MS = 5 * 60 * 1000,
	RENEWAL_MOST_MS = 12 * 3600 * 1000,
	RENEWAL_LEAST_MS = 60 * 60 * 1000,
};

struct renewal {
	bool held; /* there is one that can be used, and that is for all the hosts */
	uint64_t from_unix_ms, until_unix_ms; /* of it */
	uint64_t tried_unix_ms;               /* the last order of the same; 0: none */
	uint32_t failures;                    /* in a row since a good one */
	uint32_t chance;                      /* the same as long as it is the same environment */
};

uint64_t renewal_due_unix_ms(const struct renewal *r);

enum renewal_age { RENEWAL_FRESH, RENEWAL_SOON, RENEWAL_EXPIRED };

/* SOON: of one that davit renews, half of what was left when it was due is gone; of another one, a tenth of its time is
 * left, or less than two weeks of more than two months. */
enum renewal_age renewal_age(const struct renewal *r, bool renewed, uint64_t now_unix_ms);

#endif
