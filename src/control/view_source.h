/* SPDX-License-Identifier: Apache-2.0
 *
 * view_source - what a view of a rollout is made of: private to view_rollout.c, which fills it, and view_explain.c.
 */
#ifndef CONTROL_VIEW_SOURCE_H
#define CONTROL_VIEW_SOURCE_H

#include "control/environment.h"
#include "control/view.h"

struct source {
	struct control *control;
	struct environment *environment;
	const struct active_rollout *active; /* NULL: it has ended */
	struct rollout state;
	struct plan plan;
	bool have_plan;
	struct view_rollout *view;
};

/* Why it is in its state, and what to type next: `why` and `next` of the view, of which all else is filled. */
void view_explain(const struct source *s);

#endif
