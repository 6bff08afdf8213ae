/* SPDX-License-Identifier: Apache-2.0
 * cohort - see cohort.h for the contract. */
#include "traffic/cohort.h"

static bool has_weight(const struct split *s, int release)
{
	return release >= 0 && (uint32_t)release < s->count && s->weight_bp[release] > 0;
}

int cohort_choose(const struct split *s, const struct cohort_choice *choice, bool member)
{
	if (!has_weight(s, choice->release))
		return COHORT_NONE;
	if (member)
		return choice->release;
	return choice->only && has_weight(s, choice->live) ? choice->live : COHORT_NONE;
}
