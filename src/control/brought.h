/* SPDX-License-Identifier: Apache-2.0
 *
 * brought - what a rollout that waits would bring, gathered from the store for whoever is asked.
 *
 * HOW   Records alone: builds and their stages, the commits that git named, both configurations, the evidence of the
 *       rollout in the environment before. What cannot be read is left empty, and says so where it could be taken for
 *       "nothing".
 */
#ifndef CONTROL_BROUGHT_H
#define CONTROL_BROUGHT_H

#include "control/control.h"
#include "control/view_brought.h"

struct active_rollout;
struct environment;

/* `before`: the rollout that made the release live in the environment before; 0 = none. */
void brought_show(const struct environment *e, const struct active_rollout *r, uint32_t before,
		  struct view_brought *to);

#endif
