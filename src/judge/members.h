/* SPDX-License-Identifier: Apache-2.0
 *
 * members - instances in the judge: a sick one among the new release's, and how much those of the live release
 *           differ. Called by judge.c; judge_sick() and judge_replace() are in judge.h.
 */
#ifndef JUDGE_MEMBERS_H
#define JUDGE_MEMBERS_H

#include "judge/judge.h"

/* `errors` are the strata's tables of the same tick. */
void judge_members_tick(struct judge *judge, const struct judge_tick *tick,
			const struct judge_table *errors);
void judge_members_second(struct judge *judge);

#endif
