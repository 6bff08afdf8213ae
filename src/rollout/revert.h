/* SPDX-License-Identifier: Apache-2.0
 *
 * revert - compile the way back from what an environment looks like now.
 *
 * WHAT  Both an ended attempt (rollout_step() itself) and a rollback as a rollout of its own (strategy/)
 *       come from here: bring the release one wants back to full strength and give it the requests.
 *
 * HOW   Where the target's instances are ready by the newest observation, the shares move first and
 *       everything else follows. Where they are not, they are started and waited for, and the shares stay
 *       where somebody answers until then. Processes that hand over stop-first give way first; if one of
 *       these takes requests, requests wait meanwhile.
 *
 * SEE   rollout/rollout.h, strategy/strategy.h
 */
#ifndef ROLLOUT_REVERT_H
#define ROLLOUT_REVERT_H

#include <stdbool.h>
#include <stdint.h>

#include "rollout/environment.h"
#include "rollout/plan.h"

/* Append the steps that take plan->releases[to] live in place of plan->releases[from], up to and with the
 * last ROUTE. Returns false when the plan is full. */
bool revert_append_return(struct plan *plan, const struct environment_state *env, uint8_t to,
			  uint8_t from);

/* Append DRAIN and STOP of everything that releases[release] has. */
bool revert_append_removal(struct plan *plan, uint8_t release);

/* Replace `plan` by the way back to env->stable; times and limits stay. May come out without a step. */
void revert_compile(struct plan *plan, const struct environment_state *env);

#endif
