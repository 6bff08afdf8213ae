/* SPDX-License-Identifier: Apache-2.0
 *
 * forecast - what the judge will see of a plan at today's traffic, and the steps that would see what one asks for.
 *
 * WHAT  Takes the traffic of now, the errors of the live release in the last ten minutes (control/past.h) and the holds
 *       of the plan in which both releases serve, and fills view_plan.forecast by judge/power.h. Where something that
 *       it needs is not there, the proposal's sentence says what, or else a note of the plan.
 *
 * COST  Some 50 ms, twice that with a proposal: a person asked.
 */
#ifndef CONTROL_FORECAST_H
#define CONTROL_FORECAST_H

#include "control/view.h"

struct environment;
struct plan;
struct resolved;

/* `for_errors_bp` 0: nothing is proposed. */
void forecast_plan(const struct environment *e, const struct resolved *config,
		   const struct plan *plan, uint32_t for_errors_bp, struct view_plan *view);

#endif
