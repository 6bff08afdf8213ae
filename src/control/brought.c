/* SPDX-License-Identifier: Apache-2.0
 * brought - see brought.h for the contract. */
#include "control/brought.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "control/bad_commit.h"
#include "control/commits.h"
#include "control/config_compare.h"
#include "control/environment.h"
#include "store/releases.h"
#include "store/rollouts.h"

/* --- tests */

static int add_tests(void *context, const struct store_build_stage *stage)
{
	struct view_tests *to = context;
	if (stage->tests == 0)
		return 0;
	to->stages++;
	to->run += stage->tests;
	to->failed += stage->failed;
	to->skipped += stage->skipped;
	return 0;
}

static void show_tests(struct store *store, uint32_t build, struct view_tests *to)
{
	struct error ignored;
	to->build = build;
	if (store_build_stages(store, build, add_tests, to, &ignored) < 0)
		*to = (struct view_tests){.build = build};
}

/* --- commits */

static void put_commit(struct view_commits *to, const struct store_change *from)
{
	if (to->count == VIEW_COMMITS_MAX) {
		to->more++;
		return;
	}
	struct view_commit *commit = &to->items[to->count++];
	text_copy(commit->id, sizeof commit->id, from->id);
	text_show(from->author, strlen(from->author), commit->author, sizeof commit->author);
	text_show(from->subject, strlen(from->subject), commit->subject, sizeof commit->subject);
	commit->committed_unix_s = from->committed_unix_s;
	commit->merge = from->merge;
}

static int add_commit(void *context, const struct store_change *change)
{
	put_commit(context, change);
	return 0;
}

static void put_built(struct view_commits *to, const struct store_build *build)
{
	struct store_change *change = mem_zero(1, sizeof *change);
	text_copy(change->id, sizeof change->id, build->commit);
	text_copy(change->author, sizeof change->author, build->author);
	text_copy(change->subject, sizeof change->subject, build->subject);
	change->committed_unix_s = build->committed_unix_s;
	put_commit(to, change);
	free(change);
}

static const char *why_unknown(const struct active_rollout *r, const struct store_build *build)
{
	if (!build)
		return "the release was not built here";
	return r->old_hex[0] ? "the live release was not built here" : "nothing is live here yet";
}

static void show_commits(struct store *store, const struct active_rollout *r,
			 const struct store_build *build, struct view_commits *to)
{
	struct store_span *span = mem_zero(1, sizeof *span);
	struct error ignored;
	int there = store_span_get(store, r->number, span, &ignored);
	if (there > 0 && strcmp(span->state, "known") == 0 &&
	    store_changes(store, r->number, add_commit, to, &ignored) < 0) {
		there = -1;
		to->count = to->more = 0;
	}
	text_copy(to->state, sizeof to->state, there > 0 ? span->state : "unknown");
	const char *why = there > 0   ? span->why
			  : there < 0 ? "the store cannot be read just now"
				      : why_unknown(r, build);
	text_show(why, strlen(why), to->why, sizeof to->why);
	to->cut = span->cut;
	if (build && strcmp(to->state, "known") != 0)
		put_built(to, build);
	free(span);
}

/* --- configuration */

static void add_change(void *context, const struct config_change *from)
{
	struct view_changes *to = context;
	if (to->count == VIEW_CHANGES_MAX) {
		to->more++;
		return;
	}
	struct view_change *change = &to->items[to->count++];
	change->hidden = from->hidden;
	text_copy(change->key, sizeof change->key, from->key);
	text_copy(change->from, sizeof change->from, from->from);
	text_copy(change->to, sizeof change->to, from->to);
}

static void show_changes(const struct environment *e, const struct active_rollout *r,
			 struct view_changes *to)
{
	struct store *store = e->control->parts.store;
	const struct release_info *live = environment_release(e, e->core.stable);
	struct store_release *row = mem_zero(1, sizeof *row);
	struct buf before, after;
	struct error ignored;
	buf_init(&before, STORE_BLOB_MAX);
	buf_init(&after, STORE_BLOB_MAX);
	if (live && store_release_get(store, live->hex, row, &before, &ignored) == 0 &&
	    store_release_get(store, r->candidate.hex, row, &after, &ignored) == 0)
		to->compared = config_compare(buf_text(&before), buf_text(&after), e->name,
					      add_change, to);
	buf_done(&before);
	buf_done(&after);
	free(row);
}

/* --- the environment before */

struct checked {
	struct plan plan;
	bool have_plan;
	struct view_checks *to;
};

static int take_plan(void *context, const struct store_rollout *row)
{
	struct checked *c = context;
	c->have_plan = row->plan && plan_decode(&c->plan, row->plan, row->plan_size);
	return 0;
}

static bool is_check(const struct plan *plan, uint32_t step)
{
	return step < plan->step_count && plan->steps[step].op == PLAN_HOLD &&
	       plan->steps[step].analyses & ANALYSIS_CHECKS;
}

/* The last counts. */
static int take_verdict(void *context, const struct store_evidence *row)
{
	struct checked *c = context;
	if (!is_check(&c->plan, row->step))
		return 0;
	text_copy(c->to->verdict, sizeof c->to->verdict, row->verdict);
	text_show(row->sentence, strlen(row->sentence), c->to->text, sizeof c->to->text);
	c->to->at_unix_ms = row->at_unix_ms;
	return 0;
}

static void show_checks(struct store *store, uint32_t rollout, struct view_checks *to)
{
	struct checked *c = mem_zero(1, sizeof *c);
	struct error ignored;
	c->to = to;
	to->rollout = rollout;
	if (rollout > 0 && store_rollout_get(store, rollout, take_plan, c, &ignored) == 0 &&
	    c->have_plan) {
		for (uint32_t i = 0; i < c->plan.step_count; i++)
			to->steps += is_check(&c->plan, i);
		if (store_evidence(store, rollout, take_verdict, c, &ignored) < 0)
			to->verdict[0] = '\0';
	}
	free(c);
}

void brought_show(const struct environment *e, const struct active_rollout *r, uint32_t before,
		  struct view_brought *to)
{
	struct store *store = e->control->parts.store;
	struct store_build *build = mem_zero(1, sizeof *build);
	bool built = commits_build(store, r->candidate.hex, build) == 0;
	*to = (struct view_brought){.tests = {.build = 0}};
	if (built)
		show_tests(store, build->number, &to->tests);
	show_commits(store, r, built ? build : NULL, &to->commits);
	bad_commit_show(e, r, &to->bad_commits);
	show_changes(e, r, &to->changes);
	show_checks(store, before, &to->checks);
	free(build);
}
