/* SPDX-License-Identifier: Apache-2.0
 * view_way_back - see view_way_back.h for the contract. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "control/view.h"

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static const char *tag_or(const struct view_release *r, const char *otherwise)
{
	return r->tag[0] ? r->tag : otherwise;
}

static void set(struct view_way_step *step, const char *name, const char *state)
{
	step->name = name;
	text_copy(step->state, sizeof step->state, state);
}

/* When, and why: the command of a rollback, what decided of another rollout. */
static void identify(const struct view_rollout *v, bool rollback, struct view_way_step *step)
{
	const struct view_transition *turn = NULL;
	for (uint32_t i = 0; i < v->history_count && !turn; i++)
		if (rollback || is(v->history[i].to, "reverting"))
			turn = &v->history[i];
	char by[sizeof v->by + sizeof v->reason + 8];
	snprintf(by, sizeof by, "by %s%s%s", v->by, v->reason[0] ? ": " : "", v->reason);
	const char *text = rollback ? by : turn ? turn->text : "";
	set(step, "identify", "done");
	step->at_unix_ms = turn ? turn->at_unix_ms : v->started_unix_ms;
	text_show(text, strlen(text), step->text, sizeof step->text);
}

/* A rollback that turned back itself has left the bad release where it was. */
void view_way_back(struct view_rollout *v, bool switching)
{
	struct view_way_step *steps = v->way_back.steps;
	bool rollback = is(v->kind, "rollback"), measured = v->verdict_to_zero_ms > 0;
	bool turned =
		is(v->state, "reverting") || is(v->state, "reverted") || is(v->state, "stuck");
	const struct view_release *bad = rollback ? &v->old_release : &v->new_release,
				  *back = rollback ? &v->new_release : &v->old_release;
	v->way_back.known = rollback || (turned && (measured || switching));
	if (!v->way_back.known)
		return;
	bool good = is(v->state, rollback ? "succeeded" : "reverted");
	bool failed = !good && (v->ended || is(v->state, "stuck") || (rollback && turned));
	identify(v, rollback, &steps[VIEW_WAY_IDENTIFY]);
	set(&steps[VIEW_WAY_SWITCH], "switch",
	    (measured && !failed) || good ? "done"
	    : failed                      ? "failed"
					  : "active");
	if (measured && !failed) {
		steps[VIEW_WAY_SWITCH].took_ms = v->verdict_to_zero_ms;
		steps[VIEW_WAY_SWITCH].at_unix_ms =
			steps[VIEW_WAY_IDENTIFY].at_unix_ms + v->verdict_to_zero_ms;
	}
	snprintf(steps[VIEW_WAY_SWITCH].text, sizeof steps->text, "no request for %s any more",
		 tag_or(bad, "it"));
	set(&steps[VIEW_WAY_VALIDATE], "validate",
	    good       ? "done"
	    : failed   ? "failed"
	    : measured ? "active"
		       : "waiting");
	if (good) {
		uint64_t since = measured ? steps[VIEW_WAY_SWITCH].at_unix_ms
					  : steps[VIEW_WAY_IDENTIFY].at_unix_ms;
		steps[VIEW_WAY_VALIDATE].at_unix_ms = v->ended_unix_ms;
		steps[VIEW_WAY_VALIDATE].took_ms =
			v->ended_unix_ms > since ? v->ended_unix_ms - since : 0;
	}
	snprintf(steps[VIEW_WAY_VALIDATE].text, sizeof steps->text,
		 back->release[0] ? "%s serves everything, all of its instances healthy"
				  : "%s is live",
		 back->release[0] ? tag_or(back, "the release before") : "nothing");
	set(&steps[VIEW_WAY_POSTMORTEM], "post-mortem", v->ended ? "done" : "waiting");
	steps[VIEW_WAY_POSTMORTEM].at_unix_ms = v->ended ? v->ended_unix_ms : 0;
	snprintf(steps[VIEW_WAY_POSTMORTEM].text, sizeof steps->text, "davit postmortem %u",
		 v->number);
}
