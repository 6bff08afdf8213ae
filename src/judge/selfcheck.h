/* SPDX-License-Identifier: Apache-2.0
 *
 * selfcheck - the judge judged: instances of the live release are compared with each other, as if one of them were
 *             a new release.
 *
 * WHAT  They run the same program, so every alarm is a false one. There may be one in 1/alpha comparisons; where
 *       there is one, the instances differ more than chance has it (a slow disk, users who stay where they are), and
 *       what counts as scatter is raised: evidence is divided by at least `phi_least` from then on.
 *
 * HOW   judge_selfcheck_second() with what each instance did, once a second while no rollout is under way. Each
 *       instance has its turn for ten minutes.
 *
 * OWNS  A value without pointers.
 */
#ifndef JUDGE_SELFCHECK_H
#define JUDGE_SELFCHECK_H

#include "judge/judge.h"

struct judge_selfcheck {
	double phi_least; /* 1..10 */
	uint32_t alarms, turns;
	uint32_t place, seconds; /* whose turn it is, and since when */
	struct judge_proportion errors;
};

void judge_selfcheck_begin(struct judge_selfcheck *check);

/* True: there was an alarm, and phi_least has been raised. alpha as in struct judge_settings. */
bool judge_selfcheck_second(struct judge_selfcheck *check, const struct judge_member *members,
			    uint32_t count, double alpha);

#endif
