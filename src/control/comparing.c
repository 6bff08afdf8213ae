/* SPDX-License-Identifier: Apache-2.0
 * comparing - see comparing.h for the contract. */
#include "control/comparing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "control/environment.h"
#include "control/secrets.h"
#include "control/view.h"
#include "provider/check.h"
#include "store/diffs.h"

/* Also of pairs that are looked into when the rollout has ended. */
struct shared_rules {
	uint32_t refs;
	struct answer_rules rules;
};

struct comparing {
	struct diffs diffs;
	struct shared_rules *rules;
	bool dirty;
	uint64_t kept_ms;
};

/* A pair that waits to be looked into, with bytes of its own. */
struct compared {
	struct compared *next;
	char key[CONTROL_KEY_SIZE];
	uint32_t rollout;
	struct shared_rules *rules;
	struct shadow_pair pair;
	struct answer_differences found;
	char bodies[2][SHADOW_BODY_MAX];
};

struct comparing_job {
	struct control *control; /* NULL: it is gone */
	struct compared *list;
};

static void rules_unref(struct shared_rules *shared)
{
	if (!shared || --shared->refs > 0)
		return;
	explicit_bzero(shared, sizeof *shared);
	free(shared);
}

static void compared_free(struct compared *p)
{
	rules_unref(p->rules);
	free(p);
}

/* --- the rules */

static void add_paths(const struct app_texts *from, struct answer_paths *to)
{
	for (uint32_t i = 0; i < from->count && to->count < ANSWER_PATHS_MAX; i++)
		text_copy(to->items[to->count++], ANSWER_PLACE_SIZE, from->items[i]);
}

/* One that cannot be read was given to no instance either. */
static void add_secret(struct environment *e, const struct app_secret *from,
		       struct answer_rules *to)
{
	struct check_secret secret = {.pinned = from->version == APP_SECRET_PINNED};
	struct buf value;
	struct error err;
	text_copy(secret.name, sizeof secret.name, from->name);
	text_copy(secret.from, sizeof secret.from, from->from);
	buf_init(&value, SECRETS_VALUE_MAX);
	if (secrets_give_check(e, &secret, &value, &err) == 0 && value.size >= ANSWER_SECRET_MIN) {
		size_t n = value.size < ANSWER_SECRET_SIZE ? value.size : ANSWER_SECRET_SIZE - 1;
		memcpy(to->secrets[to->secret_count], value.data, n);
		to->secrets[to->secret_count++][n] = '\0';
	}
	buf_wipe(&value);
}

static struct shared_rules *make_rules(struct environment *e)
{
	struct shared_rules *shared = mem_zero(1, sizeof *shared);
	const struct app_environment *config = &e->active->candidate.config->environment;
	shared->refs = 1;
	add_paths(&config->analysis.compare.ignore, &shared->rules.ignore);
	add_paths(&config->analysis.compare.hide, &shared->rules.hide);
	for (uint32_t i = 0; i < config->process_count; i++)
		for (uint32_t k = 0; k < config->processes[i].secret_count; k++)
			if (shared->rules.secret_count < ANSWER_SECRETS_MAX)
				add_secret(e, &config->processes[i].secrets[k], &shared->rules);
	return shared;
}

/* --- what is kept */

static void keep(struct environment *e)
{
	struct comparing *k = e->comparing;
	struct control *c = e->control;
	static uint8_t bytes[DIFFS_BYTES_MAX];
	struct error err;
	k->kept_ms = env_now_ms(c->parts.env);
	if (c->degraded)
		return;
	size_t size = diffs_pack(&k->diffs, bytes);
	control_begin(c, false);
	store_put_diffs(c->parts.store, k->diffs.rollout, bytes, size);
	if (control_commit(c, &err) < 0)
		log_event(LOG_WARNING, "control.diffs", "rollout=%u error=\"%s\"", k->diffs.rollout,
			  err.text);
	else
		k->dirty = false;
}

struct reading {
	struct diffs *to;
	bool ok;
};

static void read_kept(void *context, const void *bytes, size_t size)
{
	struct reading *reading = context;
	reading->ok = diffs_unpack(reading->to, bytes, size);
}

/* 1, or 0: there is nothing, or of another version of davit. */
static int load(struct control *c, uint32_t rollout, struct diffs *to, struct error *err)
{
	struct reading reading = {.to = to};
	int result = store_diffs_get(c->parts.store, rollout, read_kept, &reading, err);
	return result < 0 ? result : result == 1 && reading.ok && to->rollout == rollout;
}

void comparing_free(struct comparing *comparing)
{
	if (!comparing)
		return;
	rules_unref(comparing->rules);
	free(comparing);
}

/* --- with every tick */

static bool mirrors(const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->step_count; i++)
		if (plan->steps[i].mirror != PLAN_NONE)
			return true;
	return false;
}

static void begin(struct environment *e)
{
	struct comparing *k = mem_zero(1, sizeof *k);
	uint32_t rollout = e->active->number;
	struct error err;
	if (load(e->control, rollout, &k->diffs, &err) != 1)
		diffs_begin(&k->diffs, rollout, &e->analysis.fresh.now);
	k->rules = make_rules(e);
	comparing_free(e->comparing);
	e->comparing = k;
}

void comparing_tick(struct environment *e)
{
	const struct active_rollout *r = e->active;
	struct comparing *k = e->comparing;
	bool current = k && r && k->diffs.rollout == r->number;
	if (k && !current && k->dirty)
		keep(e);
	if (!current && r && r->candidate.config && e->analysis.fresh.present && mirrors(&r->plan))
		begin(e);
	if (!current)
		return;
	k->dirty |= diffs_count(&k->diffs, &e->analysis.fresh.now);
	if (k->dirty && env_now_ms(e->control->parts.env) - k->kept_ms >= COMPARING_KEEP_MS)
		keep(e);
}

/* --- pairs */

static void settled(struct environment *e, const struct shadow_pair *pair,
		    const struct answer_differences *found)
{
	diffs_add(&e->comparing->diffs, pair, found);
	e->comparing->dirty = true;
}

static void look_into(void *context)
{
	struct comparing_job *job = context;
	for (struct compared *p = job->list; p; p = p->next)
		answer_diff(&p->rules->rules, &p->pair, &p->found);
}

static void start_job(struct control *c);

static void looked_into(void *context)
{
	struct comparing_job *job = context;
	struct control *c = job->control;
	if (c)
		c->comparing_job = NULL;
	while (job->list) {
		struct compared *p = job->list;
		struct environment *e = c ? environment_find_key(c, p->key) : NULL;
		job->list = p->next;
		if (e && e->comparing && e->comparing->diffs.rollout == p->rollout)
			settled(e, &p->pair, &p->found);
		compared_free(p);
	}
	free(job);
	if (c)
		start_job(c);
}

static void start_job(struct control *c)
{
	if (c->comparing_job || !c->compared)
		return;
	struct comparing_job *job = mem_zero(1, sizeof *job);
	job->control = c;
	job->list = c->compared;
	c->compared = NULL;
	c->compared_end = &c->compared;
	c->compared_count = 0;
	c->comparing_job = job;
	if (c->parts.background) {
		c->parts.background(c->parts.background_context, look_into, looked_into, job);
		return;
	}
	look_into(job);
	looked_into(job);
}

static void queue(struct environment *e, const struct shadow_pair *pair)
{
	struct control *c = e->control;
	if (c->compared_count == COMPARING_WAITING_MAX) {
		e->comparing->diffs.skipped++;
		return;
	}
	struct compared *p = mem_zero(1, sizeof *p);
	text_copy(p->key, sizeof p->key, e->key);
	p->rollout = e->comparing->diffs.rollout;
	p->rules = e->comparing->rules;
	p->rules->refs++;
	p->pair = *pair;
	for (int i = 0; i < 2; i++) {
		memcpy(p->bodies[i], pair->sides[i].body, pair->sides[i].body_size);
		p->pair.sides[i].body = p->bodies[i];
	}
	if (!c->compared_end)
		c->compared_end = &c->compared;
	*c->compared_end = p;
	c->compared_end = &p->next;
	c->compared_count++;
	start_job(c);
}

void comparing_take(void *control, const struct shadow_pair *pair)
{
	struct control *c = control;
	struct answer_differences found;
	char key[CONTROL_KEY_SIZE];
	snprintf(key, sizeof key, "%s/%s", pair->app, pair->environment);
	struct environment *e = environment_find_key(c, key);
	if (!e || !e->active || !e->comparing || e->comparing->diffs.rollout != e->active->number ||
	    memcmp(e->active->candidate.id.bytes, pair->release.bytes, RELEASE_ID_SIZE) != 0)
		return; /* of a rollout that has ended */
	if (pair->body_differs) {
		queue(e, pair);
		return;
	}
	answer_diff(&e->comparing->rules->rules, pair, &found);
	settled(e, pair, &found);
}

void comparing_release(struct control *c)
{
	if (c->comparing_job)
		c->comparing_job->control = NULL;
	while (c->compared) {
		struct compared *p = c->compared;
		c->compared = p->next;
		compared_free(p);
	}
}

/* --- to be seen */

static struct environment *comparing_of(struct control *c, uint32_t rollout)
{
	for (uint32_t i = 0; i < c->environment_count; i++) {
		struct environment *e = c->environments[i];
		if (e->comparing && e->comparing->diffs.rollout == rollout)
			return e;
	}
	return NULL;
}

int control_view_diffs(struct control *c, const char *rollout, struct diffs *ret_diffs,
		       struct error *err)
{
	struct view_rollout *view = mem_new(sizeof *view);
	int result = control_view_rollout(c, rollout, view, err);
	uint32_t number = view->number;
	free(view);
	if (result < 0)
		return result;
	struct environment *e = comparing_of(c, number);
	if (e) {
		*ret_diffs = e->comparing->diffs;
		return 0;
	}
	result = load(c, number, ret_diffs, err);
	if (result == 0)
		return error_set(err, ERR_NOT_FOUND,
				 "Rollout %u compared no answers: its strategy has no shadow, or "
				 "what it found is kept no longer.",
				 number);
	return result < 0 ? result : 0;
}
