/* SPDX-License-Identifier: Apache-2.0
 * drifting - see drifting.h for the contract. */
#include "control/drifting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "config/trigger.h"
#include "control/commits.h"
#include "control/environment.h"
#include "control/gating.h"
#include "provider/history.h"
#include "store/builds.h"
#include "store/releases.h"
#include "store/rollouts.h"

enum { ROLLOUTS_LOOKED_AT = 20, AGAIN_MS = 60 * 1000 };

static const char HEADS[] = "refs/heads/", TAGS[] = "refs/tags/";

/* What is remembered of an environment. */
struct drifting {
	bool settled;      /* false: it is to be looked at */
	uint64_t again_ms; /* git could not say it, and is asked again then; 0: it could */
	char release[DIGEST_HEX_SIZE]; /* what was live */
	char before[DIGEST_HEX_SIZE];  /* and in the environment that is followed; "": none is */
	char of[VIEW_DRIFT_OF_SIZE];   /* "": nothing is followed */
	uint32_t build;                /* the newest that was for it; 0: none */
	char live[STORE_COMMIT_SIZE], tip[STORE_COMMIT_SIZE];
	bool counted;
	uint32_t behind, ahead;
	char subject[HISTORY_TEXT_SIZE];
	char trouble[SENTENCE_SIZE];
};

/* --- what is followed */

static bool is_ours(const struct control *c, const char *repository)
{
	const struct history *history = c->parts.history;
	return text_starts(repository, history->hosted) || text_starts(repository, history->copies);
}

struct search {
	struct control *control;
	const struct app_trigger *trigger;
	char origin[DIGEST_HEX_SIZE]; /* of what is live */
	bool has_live, has_followed;
	struct store_build live, followed;
};

static int see_build(void *context, const struct store_build *row)
{
	struct search *s = context;
	/* Several commits may make the same release: the newest of them is live. */
	if (!s->has_live && strcmp(row->release, s->origin) == 0) {
		s->has_live = true;
		s->live = *row;
	}
	if (!s->has_followed && trigger_matches(s->trigger, row->ref) &&
	    is_ours(s->control, row->repository)) {
		s->has_followed = true;
		s->followed = *row;
	}
	return s->has_live && (s->has_followed || s->trigger->set == 0);
}

static void find_builds(struct environment *e, const struct release_info *live, struct search *s)
{
	struct store *store = e->control->parts.store;
	struct error ignored;
	s->control = e->control;
	s->trigger = &live->config->environment.trigger;
	if (release_origin(store, live->hex, s->origin, &ignored) < 0)
		return;
	(void)!store_builds(store, e->app, DRIFTING_BUILDS_MAX, see_build, s, &ignored);
	/* One that is live for a long time. */
	if (!s->has_live)
		s->has_live = commits_build(store, live->hex, &s->live) == 0;
}

static const struct release_info *live_of(const struct environment *e)
{
	return environment_release(e, e->core.stable);
}

static const struct release_info *live_before(const struct environment *e,
					      const struct release_info *live)
{
	char key[CONTROL_KEY_SIZE];
	if (!live->config->environment.from)
		return NULL;
	snprintf(key, sizeof key, "%s/%s", e->app, live->config->environment.from);
	const struct environment *before = environment_find_key(e->control, key);
	return before ? live_of(before) : NULL;
}

static bool same_content(struct control *c, const char *one, const char *other)
{
	char a[DIGEST_HEX_SIZE], b[DIGEST_HEX_SIZE];
	struct error ignored;
	return one[0] && other[0] && release_origin(c->parts.store, one, a, &ignored) == 0 &&
	       release_origin(c->parts.store, other, b, &ignored) == 0 && strcmp(a, b) == 0;
}

/* --- git is asked */

struct drift_job {
	struct control *control; /* NULL: it is gone */
	struct history *history;
	char key[CONTROL_KEY_SIZE];
	char repository[STORE_PATH_SIZE], ref[STORE_REF_SIZE], commit[STORE_COMMIT_SIZE];
	char known[STORE_COMMIT_SIZE];
	struct history_standing standing;
	int result;
	struct error err;
};

static void put_answer(struct drifting *d, const struct drift_job *job)
{
	if (job->standing.same)
		return;
	d->counted = job->result == 0;
	text_copy(d->tip, sizeof d->tip, job->standing.tip);
	text_copy(d->trouble, sizeof d->trouble, job->result < 0 ? job->err.text : "");
	d->again_ms = job->result < 0 ? env_now_ms(job->control->parts.env) + AGAIN_MS : 0;
	text_copy(d->subject, sizeof d->subject, job->standing.subject);
	d->behind = job->standing.behind;
	d->ahead = job->standing.ahead;
}

static void work(void *context)
{
	struct drift_job *job = context;
	job->result = job->history->ops->standing(job->history, &job->standing, &job->err);
}

static void finish(void *context)
{
	struct drift_job *job = context;
	struct environment *e = job->control ? environment_find_key(job->control, job->key) : NULL;
	if (job->control)
		job->control->drift_job = NULL;
	if (e && e->drifting) {
		put_answer(e->drifting, job);
		log_event(LOG_DEBUG, "control.drift",
			  "environment=%s of=\"%s\" behind=%u ahead=%u why=\"%s\"", e->key,
			  e->drifting->of, e->drifting->behind, e->drifting->ahead,
			  e->drifting->trouble);
	}
	free(job);
}

/* The tip of a branch is read; otherwise it is the one that is remembered. What was counted between the same commits
 * before holds. */
static void ask(struct environment *e, const char *repository, const char *ref,
		const struct drifting *old)
{
	struct control *c = e->control;
	struct drifting *d = e->drifting;
	struct drift_job *job = mem_zero(1, sizeof *job);
	bool counted = old->counted && strcmp(old->live, d->live) == 0;
	job->control = c;
	job->history = c->parts.history;
	text_copy(job->key, sizeof job->key, e->key);
	text_copy(job->repository, sizeof job->repository, repository);
	text_copy(job->ref, sizeof job->ref, text_starts(ref, HEADS) ? ref : "");
	text_copy(job->commit, sizeof job->commit, d->live);
	text_copy(job->known, sizeof job->known, counted ? old->tip : "");
	job->standing = (struct history_standing){.repository = job->repository,
						  .ref = job->ref,
						  .commit = job->commit,
						  .known = job->known};
	text_copy(job->standing.tip, sizeof job->standing.tip, d->tip);
	if (counted) {
		text_copy(d->tip, sizeof d->tip, old->tip);
		text_copy(d->subject, sizeof d->subject, old->subject);
		d->counted = true;
		d->behind = old->behind;
		d->ahead = old->ahead;
	}
	c->drift_job = job;
	if (c->parts.background) {
		c->parts.background(c->parts.background_context, work, finish, job);
		return;
	}
	work(job);
	finish(job);
}

static void follow_build(struct environment *e, const struct store_build *build,
			 const struct drifting *old)
{
	struct drifting *d = e->drifting;
	const char *ref = build->ref;
	d->build = build->number;
	text_copy(d->of, sizeof d->of,
		  text_starts(ref, HEADS)  ? ref + sizeof HEADS - 1
		  : text_starts(ref, TAGS) ? ref + sizeof TAGS - 1
					   : ref);
	text_copy(d->tip, sizeof d->tip, build->commit);
	if (d->live[0])
		ask(e, build->repository, ref, old);
}

static void follow_before(struct environment *e, const struct release_info *live,
			  const struct release_info *before, const struct drifting *old)
{
	struct drifting *d = e->drifting;
	struct store_build *build = mem_zero(1, sizeof *build);
	text_copy(d->before, sizeof d->before, before->hex);
	if (commits_build(e->control->parts.store, before->hex, build) == 0) {
		text_copy(d->of, sizeof d->of, live->config->environment.from);
		text_copy(d->tip, sizeof d->tip, build->commit);
		if (same_content(e->control, before->hex, live->hex))
			text_copy(d->live, sizeof d->live, build->commit);
		else if (d->live[0])
			ask(e, build->repository, "", old);
	}
	free(build);
}

static void look(struct environment *e, const struct release_info *live)
{
	struct drifting *d = e->drifting, old = *d;
	const struct release_info *before = live_before(e, live);
	struct search *s = mem_zero(1, sizeof *s);
	*d = (struct drifting){.settled = true};
	text_copy(d->release, sizeof d->release, live->hex);
	find_builds(e, live, s);
	if (s->has_live)
		text_copy(d->live, sizeof d->live, s->live.commit);
	if (s->has_followed)
		follow_build(e, &s->followed, &old);
	else if (before)
		follow_before(e, live, before, &old);
	free(s);
}

static bool is_stale(const struct environment *e, const struct release_info *live)
{
	const struct drifting *d = e->drifting;
	if (!d || !d->settled || strcmp(d->release, live->hex) != 0)
		return true;
	if (d->again_ms > 0 && env_now_ms(e->control->parts.env) >= d->again_ms)
		return true;
	const struct release_info *before = d->build == 0 ? live_before(e, live) : NULL;
	return before && strcmp(before->hex, d->before) != 0;
}

void drifting_tick(struct control *c)
{
	for (uint32_t i = 0; c->parts.history && i < c->environment_count; i++) {
		struct environment *e = c->environments[i];
		const struct release_info *live = live_of(e);
		/* The history answers one at a time. */
		if (c->drift_job || c->commits_job || c->tag_job)
			return;
		if (!live || !is_stale(e, live))
			continue;
		if (!e->drifting)
			e->drifting = mem_zero(1, sizeof *e->drifting);
		look(e, live);
	}
}

void drifting_due(struct control *c, const char *app)
{
	for (uint32_t i = 0; i < c->environment_count; i++)
		if (c->environments[i]->drifting && strcmp(c->environments[i]->app, app) == 0)
			c->environments[i]->drifting->settled = false;
}

void drifting_release(struct control *c)
{
	if (c->drift_job)
		c->drift_job->control = NULL;
	c->drift_job = NULL;
}

/* --- it is shown */

/* What the store says of the way of the newest commit. The texts stand here. */
struct way {
	struct environment *environment;
	struct store_build build;
	struct store_build_rollout begun;
	struct store_bad_mark bad;
	char release[DIGEST_HEX_SIZE]; /* of the newest commit; "": none */
	char origin[DIGEST_HEX_SIZE];
	uint32_t rollout;
	char state[STORE_WORD_SIZE];
	struct gating gating;
};

static int take_failed(void *context, const struct store_build_stage *stage)
{
	struct way *w = context;
	if (strcmp(stage->state, "failed") != 0)
		return 0;
	snprintf(w->build.why, sizeof w->build.why, "%s%s%.200s", stage->name,
		 stage->why[0] ? ": " : "", stage->why);
	return 1;
}

static int take_begun(void *context, const struct store_build_rollout *row)
{
	struct way *w = context;
	if (strcmp(row->environment, w->environment->name) != 0)
		return 0;
	w->begun = *row;
	return 1;
}

static int take_rollout(void *context, const struct store_rollout *row)
{
	struct way *w = context;
	char origin[DIGEST_HEX_SIZE];
	struct error ignored;
	if (release_origin(w->environment->control->parts.store, row->new_release, origin,
			   &ignored) < 0 ||
	    strcmp(origin, w->origin) != 0)
		return 0;
	w->rollout = row->number;
	text_copy(w->state, sizeof w->state, row->state_name);
	return 1;
}

static void find_rollout(struct way *w, struct drift_way *to)
{
	struct environment *e = w->environment;
	struct active_rollout *r = e->active;
	struct store_rollout_filter filter = {
		.app = e->app, .environment = e->name, .limit = ROLLOUTS_LOOKED_AT};
	struct store *store = e->control->parts.store;
	struct error ignored;
	if (release_origin(store, w->release, w->origin, &ignored) < 0 ||
	    store_rollouts(store, &filter, take_rollout, w, &ignored) <= 0)
		return;
	to->rollout = w->rollout;
	to->rollout_state = w->state;
	to->rollout_why = "";
	if (r && r->number == w->rollout && gating_asks(r) &&
	    gating_look(e, r, &w->gating, &ignored) == 0)
		to->rollout_why = w->gating.sentence;
}

static void find_way(struct way *w, const struct drifting *d, struct drift_facts *facts)
{
	struct environment *e = w->environment;
	struct store *store = e->control->parts.store;
	struct drift_way *to = &facts->way;
	struct error ignored;
	to->deployed = d->build == 0;
	text_copy(w->release, sizeof w->release, d->before);
	if (d->build > 0 && store_build_get(store, d->build, &w->build, &ignored) == 0 &&
	    strcmp(w->build.commit, d->tip) == 0) {
		if (!w->build.why[0]) /* then it was a stage */
			(void)!store_build_stages(store, d->build, take_failed, w, &ignored);
		to->build = d->build;
		to->build_state = w->build.state;
		to->build_why = w->build.why;
		text_copy(w->release, sizeof w->release, w->build.release);
		(void)!store_build_rollouts(store, d->build, take_begun, w, &ignored);
		to->rollout_why = w->begun.why;
	}
	if (!w->release[0])
		return;
	find_rollout(w, to);
	if (store_bad_mark_find(store, e->app, e->name, w->release, &w->bad, &ignored) == 1)
		facts->bad = w->bad.reason;
}

static int take_kind(void *context, const struct store_rollout *row)
{
	*(bool *)context = strcmp(row->kind, "rollback") == 0;
	return 0;
}

static int take_stable(void *context, const struct store_stable *stable)
{
	*(uint32_t *)context = stable->rollout;
	return 1;
}

static bool rolled_back(const struct environment *e)
{
	struct store *store = e->control->parts.store;
	struct error ignored;
	uint32_t rollout = 0;
	bool is = false;
	(void)!store_stables(store, e->app, e->name, 1, take_stable, &rollout, &ignored);
	if (rollout > 0)
		(void)!store_rollout_get(store, rollout, take_kind, &is, &ignored);
	return is;
}

static void fill(struct view_drift *v, const struct drifting *d, const struct drift_facts *facts)
{
	v->state = drift_decide(facts);
	text_copy(v->of, sizeof v->of, d->of);
	text_copy(v->live, sizeof v->live, facts->live);
	text_copy(v->tip, sizeof v->tip, facts->tip);
	text_copy(v->subject, sizeof v->subject, d->subject);
	v->counted = facts->counted;
	v->behind = facts->behind;
	v->ahead = facts->ahead;
	drift_sentence(facts, v->text);
}

void drifting_show(struct environment *e, struct view_drift *v)
{
	const struct drifting *d = e->drifting;
	const struct release_info *live = live_of(e);
	*v = (struct view_drift){.state = DRIFT_NONE};
	if (!d || !live || !d->of[0])
		return;
	bool old = strcmp(d->release, live->hex) != 0; /* its commit is not looked for yet */
	struct drift_facts facts = {.of = d->of,
				    .live = d->live,
				    .tip = old ? "" : d->tip,
				    .trouble = old ? "" : d->trouble,
				    .counted = d->counted,
				    .behind = d->behind,
				    .ahead = d->ahead,
				    .subject = d->subject,
				    .way = {.build_state = "",
					    .build_why = "",
					    .rollout_state = "",
					    .rollout_why = "",
					    .frozen_by = e->freeze.on ? e->freeze.by : NULL}};
	struct way *w = mem_zero(1, sizeof *w);
	w->environment = e;
	if (drift_decide(&facts) != DRIFT_CURRENT && drift_decide(&facts) != DRIFT_UNKNOWN) {
		facts.rolled_back = rolled_back(e);
		find_way(w, d, &facts);
	}
	fill(v, d, &facts);
	free(w);
}
