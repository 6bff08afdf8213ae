/* SPDX-License-Identifier: Apache-2.0
 *
 * dividing - by which weight the router divides the requests between the two releases of a rollout, where that is certain.
 *
 * HOW   dividing_watch() at every tick of the control; dividing_take() when a tick is made for the judge: the weight in
 *       force during all of it. A weight is in force once it is the one that was sent last, and the router has said
 *       that every part of it uses it; until another one is sent.
 *
 * UNITS Basis points of the new release; SHARE_FULL_BP where one of both gets every request; 0: it changed, it is not
 *       known, or a third release has a part.
 * SEE   judge/sample_ratio.h
 */
#ifndef CONTROL_DIVIDING_H
#define CONTROL_DIVIDING_H

#include "control/environment.h"

struct dividing {
	uint32_t weight_bp;
	bool changed; /* since the last tick of the judge */
};

void dividing_watch(const struct environment *e, struct dividing *dividing,
		    const struct release_id *new_release, const struct release_id *live_release);
uint32_t dividing_take(struct dividing *dividing);

#endif
