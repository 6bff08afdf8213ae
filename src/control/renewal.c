/* SPDX-License-Identifier: Apache-2.0
 * renewal - see renewal.h for the contract. */
#include "control/renewal.h"

static const uint64_t day_ms = 24 * 3600 * 1000;

static uint64_t life_ms(const struct renewal *r)
{
	return r->until_unix_ms > r->from_unix_ms ? r->until_unix_ms - r->from_unix_ms : 0;
}

static uint64_t pause_ms(const struct renewal *r)
{
	uint64_t pause = RENEWAL_FIRST_MS;
	if (r->failures == 0)
		return RENEWAL_LEAST_MS;
	for (uint32_t i = 1; i < r->failures && pause < RENEWAL_MOST_MS; i++)
		pause *= 3;
	pause = pause < RENEWAL_MOST_MS ? pause : RENEWAL_MOST_MS;
	return pause + pause / 10 * (r->chance % 1000) / 1000;
}

uint64_t renewal_due_unix_ms(const struct renewal *r)
{
	uint64_t due = 0;
	if (r->held) {
		uint64_t life = life_ms(r), spread = life / RENEWAL_SPREAD_PART;
		due = r->from_unix_ms + life / 3 * 2 - spread * (r->chance % 1000) / 1000;
	}
	uint64_t again = r->tried_unix_ms ? r->tried_unix_ms + pause_ms(r) : 0;
	return due > again ? due : again;
}

enum renewal_age renewal_age(const struct renewal *r, bool renewed, uint64_t now_unix_ms)
{
	uint64_t life = life_ms(r), soon = renewed ? life / 6 : life / 10;
	if (now_unix_ms >= r->until_unix_ms)
		return RENEWAL_EXPIRED;
	if (!renewed && life > 60 * day_ms)
		soon = 14 * day_ms;
	return r->until_unix_ms - now_unix_ms < soon ? RENEWAL_SOON : RENEWAL_FRESH;
}
