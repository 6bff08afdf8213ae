/* SPDX-License-Identifier: Apache-2.0
 * retry - see retry.h for the contract. */
#include "traffic/retry.h"

#include "base/text.h"

static bool repeatable(const struct retry_case *c)
{
	return c->tries < RETRY_TRIES && !c->answered && c->body_whole &&
	       (!c->sent || c->idempotent);
}

bool retry_take(struct retry_budget *budget, const struct retry_case *c)
{
	uint64_t allowed = (uint64_t)budget->active * RETRY_SHARE_BP / SHARE_FULL_BP;
	if (allowed < RETRY_FLOOR)
		allowed = RETRY_FLOOR;
	if (!repeatable(c) || budget->retries >= allowed)
		return false;
	budget->retries++;
	return true;
}

void retry_done(struct retry_budget *budget)
{
	budget->retries--;
}
