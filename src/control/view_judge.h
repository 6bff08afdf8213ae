/* SPDX-License-Identifier: Apache-2.0
 *
 * view_judge - the evidence for people: what the statistics say of the rollout under way, as numbers that can be
 *              shown and kept.
 *
 * WHAT  view_judge_fill() reads the judge and the gateway's counts at this moment. The JSON is both what the API
 *       shows and what is kept with a rollout (summary.h): the judge itself ends with it.
 *
 * OWNS  JSON is the caller's. What is kept may be of another version of davit: unknown members are passed over,
 *       missing ones are 0, and lists are cut where they are too long.
 */
#ifndef CONTROL_VIEW_JUDGE_H
#define CONTROL_VIEW_JUDGE_H

#include <jansson.h>

#include "control/view.h"

struct environment;

/* `hold`: the step's own numbers, for the traffic as it is now. `known` is false without statistics, and before the
 * new release had a request, or was found to get too few. */
void view_judge_fill(const struct environment *e, const struct view_numbers *hold,
		     struct view_judge *ret_view);

/* What is shown of odds: at most VIEW_ODDS_MAX. */
double view_judge_odds(double odds);

/* An object; null when there is nothing. */
json_t *view_judge_to_json(const struct view_judge *view);
void view_judge_from_json(const json_t *json, struct view_judge *ret_view);

#endif
