/* SPDX-License-Identifier: Apache-2.0
 * view_explain - see view_source.h for the contract. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "control/hook.h"
#include "control/infrastructure.h"
#include "control/migration.h"
#include "control/view_source.h"

static const char *tag_or(const struct view_release *r, const char *otherwise)
{
	return r->tag[0] ? r->tag : otherwise;
}

/* What decided to go back: the transition into "reverting", which carries its sentence. */
static const char *turning_point(const struct view_rollout *v)
{
	for (uint32_t i = 0; i < v->history_count; i++)
		if (strcmp(v->history[i].to, "reverting") == 0 ||
		    strcmp(v->history[i].to, "rejected") == 0)
			return v->history[i].text;
	return v->history_count > 0 ? v->history[v->history_count - 1].text : "";
}

/* " About 120 more requests, 12s at this traffic, decide it." where that can be said. */
static void estimate_text(const struct view_judge *judge, char to[VIEW_WORD_SIZE * 2])
{
	char time[40], at[VIEW_WORD_SIZE] = "";
	to[0] = '\0';
	if (judge->more_requests == 0)
		return;
	if (judge->more_ms > 0)
		snprintf(at, sizeof at, ", %s at this traffic",
			 text_format_duration((judge->more_ms / 1000 + 1) * 1000, time,
					      sizeof time));
	snprintf(to, VIEW_WORD_SIZE * 2, " About %llu more requests%s, decide it.",
		 (unsigned long long)judge->more_requests, at);
}

/* The step that a person has to open: behind it lies migrate.after. */
static void explain_gate(const struct source *s)
{
	struct view_rollout *v = s->view;
	snprintf(v->next, sizeof v->next, "davit approve %s   (or: davit reject %s)",
		 v->environment, v->environment);
	if (s->active && infrastructure_at_gate(s->active)) {
		snprintf(v->why, sizeof v->why,
			 "Nothing has begun: %s. %s; davit logs %s/infrastructure-plan shows them.",
			 v->gate.text,
			 v->infrastructure.changes ? "There are changes of the infrastructure"
						   : "Nothing changes of the infrastructure",
			 v->environment);
		return;
	}
	snprintf(
		v->why, sizeof v->why,
		"It waits at the point of no return: %s. Once migrate.after of %s has begun, davit "
		"rollback refuses to go back beyond it. Until then %s is there at full strength.",
		v->gate.text, tag_or(&v->new_release, "the new release"),
		tag_or(&v->old_release, "the live release"));
}

static void explain_running(const struct source *s)
{
	struct view_rollout *v = s->view;
	const struct analysis *a = &s->environment->analysis;
	char have[40], want[40];
	char estimate[VIEW_WORD_SIZE * 2];
	const struct view_step *step = v->step < v->step_count ? &v->steps[v->step] : NULL;
	const char *command = migration_name(&s->plan, s->state.cursor);
	const char *around = hook_step(&s->plan, s->state.cursor);
	estimate_text(&v->judge, estimate);
	if (v->gate.waits) {
		explain_gate(s);
		return;
	}
	if (command)
		snprintf(v->why, sizeof v->why, "It runs %s%s%s of %s; davit logs %s/%s shows it.",
			 command, around[0] ? " " : "", around,
			 tag_or(&v->new_release, "the new release"), v->environment, command);
	else if (v->hold_for_ms > 0 || v->hold_at_most_ms > 0)
		snprintf(v->why, sizeof v->why,
			 "It stays at %s for at least %s (%s so far)%s%s. It goes on when the time "
			 "is over and "
			 "the analysis passes.%s",
			 step && step->label[0] ? step->label : "this step",
			 text_format_duration(v->hold_for_ms, want, sizeof want),
			 text_format_duration(v->hold_held_ms / 1000 * 1000, have, sizeof have),
			 a->result.sentence[0] ? ": " : "", a->result.sentence,
			 v->hold_judged ? estimate : "");
	else
		snprintf(v->why, sizeof v->why, "It is at step %u of %u: %s.", v->step + 1,
			 v->step_count, step ? step->text : "");
	snprintf(v->next, sizeof v->next, "davit watch %s", v->environment);
}

static void explain_gated(const struct source *s)
{
	struct view_rollout *v = s->view;
	const struct view_gate *g = &v->gate;
	if (!g->waits) {
		text_copy(v->why, sizeof v->why, "It waits; what for cannot be read just now.");
		return;
	}
	snprintf(v->why, sizeof v->why, "It has not begun: %s.", g->text);
	if (g->given < g->needed)
		snprintf(v->next, sizeof v->next, "davit approve %s   (or: davit reject %s)",
			 v->environment, v->environment);
	else
		snprintf(v->next, sizeof v->next, "davit watch %s", v->environment);
}

static void explain_queued(const struct source *s)
{
	struct view_rollout *v = s->view;
	const struct environment *e = s->environment;
	if (e && e->freeze.on && !e->active)
		snprintf(v->why, sizeof v->why, "It waits: %s is frozen%s%s, by %s.",
			 v->environment, e->freeze.reason[0] ? ": " : "", e->freeze.reason,
			 e->freeze.by);
	else
		snprintf(v->why, sizeof v->why, "It waits for the rollout before it in %s.",
			 v->environment);
	snprintf(v->next, sizeof v->next, "davit watch %s", v->environment);
}

static void explain_paused(const struct source *s)
{
	struct view_rollout *v = s->view;
	const char *last = v->history_count > 0 ? v->history[v->history_count - 1].text : "";
	if (s->state.reason == REASON_HOOK) {
		snprintf(v->why, sizeof v->why,
			 "It is paused, and %s serves everything. %s Nothing goes back by itself.",
			 tag_or(&v->new_release, "the new release"), last);
		snprintf(v->next, sizeof v->next,
			 "davit resume %s   (runs it again; without it: davit promote %s)",
			 v->environment, v->environment);
		return;
	}
	if (v->gate.waits) {
		explain_gate(s);
		return;
	}
	snprintf(v->why, sizeof v->why, "It is paused: %s. Traffic stays as it is.",
		 rollout_reason_text(s->state.reason));
	snprintf(v->next, sizeof v->next, "davit resume %s   (or: davit abort %s)", v->environment,
		 v->environment);
}

void view_explain(const struct source *s)
{
	struct view_rollout *v = s->view;
	const char *fresh = tag_or(&v->new_release, "the new release"),
		   *old = tag_or(&v->old_release, "nothing");
	switch (s->state.status) {
	case ROLLOUT_NONE:
	case ROLLOUT_QUEUED: explain_queued(s); break;
	case ROLLOUT_GATED: explain_gated(s); break;
	case ROLLOUT_RUNNING: explain_running(s); break;
	case ROLLOUT_PAUSED: explain_paused(s); break;
	case ROLLOUT_REVERTING:
		if (v->old_release.release[0])
			snprintf(v->why, sizeof v->why, "It goes back to %s: %s", old,
				 turning_point(v));
		else
			snprintf(v->why, sizeof v->why, "It is taken away again: %s",
				 turning_point(v));
		snprintf(v->next, sizeof v->next, "davit watch %s", v->environment);
		break;
	case ROLLOUT_STUCK:
		snprintf(v->why, sizeof v->why,
			 "It cannot go back by itself: %s. Traffic stays where instances are "
			 "ready; davit keeps "
			 "trying.",
			 rollout_reason_text(s->state.reason));
		snprintf(v->next, sizeof v->next, "davit logs %s   (then: davit deploy %s a fix)",
			 v->environment, v->environment);
		break;
	case ROLLOUT_SUCCEEDED:
		snprintf(v->why, sizeof v->why, "%s is live in %s.", fresh, v->environment);
		if (v->way_back.known)
			snprintf(v->next, sizeof v->next, "davit postmortem %u", v->number);
		else
			snprintf(v->next, sizeof v->next, "davit status");
		break;
	case ROLLOUT_REVERTED:
		if (v->old_release.release[0])
			snprintf(v->why, sizeof v->why,
				 "%s was rolled back, %s serves everything: %s", fresh, old,
				 turning_point(v));
		else
			snprintf(v->why, sizeof v->why,
				 "%s was taken away again, and nothing is live in %s: %s", fresh,
				 v->environment, turning_point(v));
		snprintf(v->next, sizeof v->next, "davit postmortem %u   (or: davit logs %s)",
			 v->number, v->environment);
		break;
	case ROLLOUT_REJECTED:
	case ROLLOUT_SUPERSEDED:
	case ROLLOUT_CANCELLED:
		snprintf(v->why, sizeof v->why, "%s never began: %s", fresh, turning_point(v));
		snprintf(v->next, sizeof v->next, "davit history %s", v->environment);
		break;
	case ROLLOUT_STATUS_COUNT: break;
	}
}
