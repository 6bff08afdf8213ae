/* SPDX-License-Identifier: Apache-2.0
 * health - see health.h for the contract. */
#include "traffic/health.h"

bool health_ejected(const struct health *h, uint64_t now_ms)
{
	return now_ms < h->ejected_until_ms;
}

void health_success(struct health *h)
{
	h->failures = 0;
}

/* Penalty steps left at `now_ms`, after those that quiet has taken off. */
static uint32_t steps_left(const struct health *h, uint64_t now_ms)
{
	uint64_t forgiven = (now_ms - h->ejected_until_ms) / HEALTH_EJECT_MS;
	return forgiven >= h->ejections ? 0 : h->ejections - (uint32_t)forgiven;
}

bool health_failure(struct health *h, uint64_t now_ms, bool may_eject)
{
	if (health_ejected(h,
			   now_ms)) /* a request from before the ejection: it is charged already */
		return false;
	if (h->failures < UINT32_MAX)
		h->failures++;
	if (h->failures < HEALTH_FAILURES || !may_eject)
		return false;
	uint32_t steps = steps_left(h, now_ms) + 1;
	h->ejections = steps < HEALTH_EJECT_STEPS ? steps : HEALTH_EJECT_STEPS;
	h->ejected_until_ms = now_ms + (uint64_t)h->ejections * HEALTH_EJECT_MS;
	h->failures = 0;
	return true;
}
