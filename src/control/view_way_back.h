/* SPDX-License-Identifier: Apache-2.0
 *
 * view_way_back - the four steps of a way back, as people see them: identify, switch, validate, post-mortem. Part of
 *                 view.h.
 *
 * WHAT  Of every rollback; and of another rollout once it goes back from a share of the users' requests.
 * HOW   Made of the rest of the view alone, so that it is the same from memory and from the store.
 */
#ifndef CONTROL_VIEW_WAY_BACK_H
#define CONTROL_VIEW_WAY_BACK_H

#include <stdbool.h>
#include <stdint.h>

enum { VIEW_WAY_IDENTIFY, VIEW_WAY_SWITCH, VIEW_WAY_VALIDATE, VIEW_WAY_POSTMORTEM, VIEW_WAY_STEPS };

struct view_way_back {
	bool known; /* false: it does not go back, and nothing else here is filled */
	struct view_way_step {
		const char *name;             /* static */
		char state[16];               /* done active waiting failed */
		uint64_t at_unix_ms, took_ms; /* at: its end; 0 = not yet, or not measured */
		char text[400];
	} steps[VIEW_WAY_STEPS];
};

struct view_rollout;

/* `switching`: the bad release still has requests, and the time until it has none is being measured. */
void view_way_back(struct view_rollout *v, bool switching);

#endif
