/* SPDX-License-Identifier: Apache-2.0
 * retry - see retry.h for the contract. */
#include "control/retry.h"

enum { DAY_MS = 24 * 60 * 60 * 1000 };

uint64_t retry_wait_ms(struct env *env, uint32_t tries, uint32_t asked_s)
{
	uint64_t wait_s = RETRY_FIRST_S;
	uint16_t spread;
	for (uint32_t i = 1; i < tries && wait_s < RETRY_MAX_S; i++)
		wait_s *= 2;
	wait_s = wait_s > RETRY_MAX_S ? RETRY_MAX_S : wait_s;
	wait_s = asked_s > wait_s ? asked_s : wait_s;
	env->ops->random(env, &spread, sizeof spread);
	return wait_s * 1000 + wait_s * (spread % 250);
}

bool retry_late(uint64_t since_unix_ms, uint64_t now_unix_ms)
{
	return now_unix_ms > since_unix_ms + (uint64_t)RETRY_DAYS * DAY_MS;
}
