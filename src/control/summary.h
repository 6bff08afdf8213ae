/* SPDX-License-Identifier: Apache-2.0
 *
 * summary - what is kept of a rollout beside its plan and state, as JSON: the steps that it had before it
 *           turned back, the traffic of both releases, in all and at each HOLD, and what the judge said.
 *
 * WHAT  A rollout that goes back gets a fresh plan, and counts live in the gateway's memory only. People want
 *       to see both afterwards, so they are written with every change of status.
 */
#ifndef CONTROL_SUMMARY_H
#define CONTROL_SUMMARY_H

#include "base/buf.h"
#include "control/view.h"

struct active_rollout;
struct environment;

/* Steps, traffic and judge of the view. */
void summary_write(const struct view_rollout *view, struct buf *to);
/* Into the same fields of the view; what is not there stays as it is. */
void summary_read(const char *json, struct view_rollout *view);

/* The numbers of one HOLD (NULL: none), as they are kept with its evidence, and what a command said. */
void summary_write_numbers(const struct view_numbers *numbers, const char *said, struct buf *to);
void summary_read_numbers(const char *json, struct view_numbers *ret_numbers,
			  char ret_said[VIEW_SAID_SIZE]);

/* What was counted so far in the HOLD at which `r` is (view_rollout.c). False: it is at none. */
bool environment_hold_numbers(const struct environment *e, const struct active_rollout *r,
			      struct view_numbers *ret_numbers);

#endif
