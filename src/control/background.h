/* SPDX-License-Identifier: Apache-2.0
 *
 * background - work of the control that reads and writes many files: to verify a release before it goes out, and
 *              to remove releases that nobody can need any more. It runs beside the loop.
 *
 * HOW   Each call returns at once. Where no background was given (control_parts.background is NULL) the work is
 *       done before the call returns.
 * OWNS  A job that is under way when the control is freed finishes without it.
 */
#ifndef CONTROL_BACKGROUND_H
#define CONTROL_BACKGROUND_H

#include "control/environment.h"

/* Compute the candidate's digest again from its files; EVENT_FETCHED says how it went. */
void background_fetch(struct environment *e, const struct active_rollout *r);

/* Remove artifacts that neither an environment's last `retain` releases nor a rollout holds. At most one
 * such job at a time; asking again meanwhile is allowed. */
void background_collect(struct control *c);

/* Jobs under way forget the control. */
void background_release(struct control *c);

#endif
