/* SPDX-License-Identifier: Apache-2.0
 *
 * summary - what is kept of a rollout beside its plan and state, as JSON: the steps that it had before it
 *           turned back, and the traffic of both releases.
 *
 * WHAT  A rollout that goes back gets a fresh plan, and counts live in the gateway's memory only. People want
 *       to see both afterwards, so they are written with every change of status.
 */
#ifndef CONTROL_SUMMARY_H
#define CONTROL_SUMMARY_H

#include "base/buf.h"
#include "control/view.h"

/* Steps, traffic, weight and instances of the view. */
void summary_write(const struct view_rollout *view, struct buf *to);
/* Into the same fields of the view; what is not there stays as it is. */
void summary_read(const char *json, struct view_rollout *view);

#endif
