/* SPDX-License-Identifier: Apache-2.0
 *
 * propose - canary steps that catch a release failing with a given share, at the cost of as few requests as possible.
 *
 * WHAT  The cost of a bad release is the requests until it is caught. They are fewest at a small share, where the live
 *       release's many requests are the measure, but there they take longest. So the first step has the
 *       smallest share at which nine in ten of such releases are caught within PROPOSE_TIME_S, and lasts that long; the
 *       shares after it are short, and show only what comes with more traffic.
 *
 * LIMITS Where no share is fast enough, that of the least time is proposed (`slow`). Where PROPOSE_REQUESTS_MOST requests
 *       would not be enough, or the judge tolerates such a release, there is nothing to propose.
 * COST  At most PROPOSE_SHARES runs of judge/power.h. `power` is storage: what was in it is gone.
 */
#ifndef JUDGE_PROPOSE_H
#define JUDGE_PROPOSE_H

#include "judge/power.h"

enum { PROPOSE_SHARES = 6, PROPOSE_TIME_S = 3600, PROPOSE_REQUESTS_MOST = 1000000 };

struct judge_proposal {
	bool found; /* false: see LIMITS */
	bool slow;  /* traffic is too little for PROPOSE_TIME_S */
	uint32_t step_count;
	struct judge_power_step steps[PROPOSE_SHARES];
	struct judge_power_outcome outcome; /* of the release that was asked for */
	double good_s; /* how long the steps take for a release as good as the live one */
};

void judge_propose(struct judge_power *power, const struct judge_settings *settings,
		   const struct judge_power_traffic *traffic, double errors,
		   struct judge_proposal *ret_proposal);

#endif
