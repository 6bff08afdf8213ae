/* SPDX-License-Identifier: Apache-2.0
 *
 * cohort - whom a release that is tried gets whatever its weight: the members of its cohort.
 *
 * WHAT  A member goes to the release as soon as that has any weight, and as long. Whoever is none is divided by weight;
 *       where nobody else shall meet the release yet (`only`), he stays with the live one.
 * HOW   Pure: the caller says whether a request is a member's. Use weights that guard_apply() made: a release that cannot
 *       serve has none, so that its members are served by who can, and nobody is sent to a live release that cannot.
 * SEE   traffic/split.h, gateway/cohort.h (who is a member), tests/unit/traffic/test_cohort.c
 */
#ifndef TRAFFIC_COHORT_H
#define TRAFFIC_COHORT_H

#include "traffic/split.h"

enum { COHORT_NONE = -1 };

struct cohort_choice {
	int release; /* index of the one that is tried; COHORT_NONE: there is none */
	int live;    /* index of the proven one, or COHORT_NONE */
	bool only;   /* nobody but members */
};

/* The index of the release, or COHORT_NONE: the split decides. */
int cohort_choose(const struct split *s, const struct cohort_choice *choice, bool member);

#endif
