/* SPDX-License-Identifier: Apache-2.0
 * control - see control.h for the contract. Here: the object, its clock, and its start.
 *
 * Start is two phases that do not mix. Recovery puts back exactly what the store says. Reconciliation then
 * gives the cores a new epoch, which sends every document again; what the world has made of them
 * meanwhile comes in as observations, like at any other time. */
#include "control/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/pack.h"
#include "base/text.h"
#include "control/background.h"
#include "control/builds.h"
#include "control/certificates.h"
#include "control/commits.h"
#include "control/comparing.h"
#include "control/drifting.h"
#include "control/environment.h"
#include "control/migration.h"
#include "control/postmortem.h"
#include "control/reports.h"
#include "control/schedules.h"
#include "control/secrets.h"
#include "control/tag_pushing.h"
#include "control/tagging.h"
#include "store/audit.h"
#include "store/releases.h"
#include "store/rollouts.h"

enum { BLOB_VERSION = 1, RATE_WINDOW_MS = 5000 };

struct environment *environment_find_key(struct control *c, const char *key)
{
	for (uint32_t i = 0; i < c->environment_count; i++)
		if (strcmp(c->environments[i]->key, key) == 0)
			return c->environments[i];
	return NULL;
}

struct environment *environment_add(struct control *c, const char *app, const char *name)
{
	struct env *env = c->parts.env;
	if (c->environment_count == CONTROL_ENVIRONMENT_MAX)
		return NULL;
	struct environment *e = mem_zero(1, sizeof *e);
	e->control = c;
	text_copy(e->app, sizeof e->app, app);
	text_copy(e->name, sizeof e->name, name);
	snprintf(e->key, sizeof e->key, "%s/%s", app, name);
	env->ops->random(env, e->salt, sizeof e->salt);
	env->ops->random(env, e->sign_key, sizeof e->sign_key);
	env->ops->random(env, e->mirror_salt, sizeof e->mirror_salt);
	environment_init(&e->core);
	e->core.epoch = c->epoch;
	e->seen = mem_zero(1, sizeof *e->seen);
	e->ticked_ms = env_now_ms(env);
	c->environments[c->environment_count++] = e;
	return e;
}

/* What nothing refers to yet. */
static void environment_remove_last(struct control *c)
{
	struct environment *e = c->environments[--c->environment_count];
	free(e->seen);
	judging_free(e->judging);
	measuring_free(e->measuring);
	comparing_free(e->comparing);
	free(e);
}

int environment_ensure(struct control *c, const char *app, const char *name, struct error *err)
{
	char key[CONTROL_KEY_SIZE];
	snprintf(key, sizeof key, "%s/%s", app, name);
	if (environment_find_key(c, key))
		return 0;
	struct environment *e = environment_add(c, app, name);
	if (!e)
		return error_set(err, ERR_LIMIT, "One davit has at most %d environments.",
				 CONTROL_ENVIRONMENT_MAX);
	control_begin(c, false);
	environment_put(e, &e->core);
	int result = control_commit(c, err);
	if (result < 0)
		environment_remove_last(c);
	return result;
}

const struct release_info *environment_release(const struct environment *e, uint8_t slot)
{
	return slot < ENVIRONMENT_SETS_MAX && !release_id_empty(&e->releases[slot].id)
		       ? &e->releases[slot]
		       : NULL;
}

uint8_t environment_candidate_slot(const struct environment *e)
{
	if (!e->active)
		return SLOT_NONE;
	uint8_t slot = environment_find(&e->core, &e->active->state.release);
	return slot == e->core.stable ? SLOT_NONE : slot;
}

const struct release_info *environment_traffic_release(const struct environment *e)
{
	const struct release_info *live = environment_release(e, e->core.stable);
	return live ? live : environment_release(e, environment_candidate_slot(e));
}

const struct resolved *environment_traffic_config(const struct environment *e)
{
	const struct release_info *release = environment_traffic_release(e);
	return release ? release->config : NULL;
}

void control_changed(struct control *c, uint32_t rollout)
{
	if (c->changed)
		c->changed(c->changed_context, rollout);
}

void control_subscribe(struct control *c, void (*changed)(void *context, uint32_t rollout),
		       void *context)
{
	c->changed = changed;
	c->changed_context = context;
}

const char *control_degraded(const struct control *c)
{
	return c->degraded ? c->degraded_text : "";
}

/* --- the clock */

/* Requests a second over the last few seconds: what a plan is estimated with. */
static void measure_rate(struct environment *e, uint64_t now)
{
	struct router_environment_counters counters;
	struct router *router = e->control->parts.router;
	struct error ignored;
	if (now - e->rate_at_ms < RATE_WINDOW_MS ||
	    router->ops->environment_counters(router, e->app, e->name, &counters, &ignored) < 0)
		return;
	if (e->rate_at_ms != 0 && counters.requests >= e->rate_requests)
		e->requests_per_s =
			(counters.requests - e->rate_requests) * 1000 / (now - e->rate_at_ms);
	e->rate_requests = counters.requests;
	e->rate_at_ms = now;
}

static void tick_environment(struct environment *e, uint64_t now)
{
	struct control *c = e->control;
	struct rollout_event event = {.kind = EVENT_TICK, .elapsed_ms = now - e->ticked_ms};
	e->ticked_ms = now;
	environment_event(e, &event, NULL);
	gating_tick(e);
	migration_tick(e);
	analysis_tick(e);
	comparing_tick(e);
	/* After its last tick was kept. */
	if (e->draft)
		postmortem_draft(c, e->draft);
	e->draft = 0;
	if (e->look_due)
		observe_unrouted(e);
	measure_rate(e, now);
	bool moving = e->active != NULL || e->routing || e->route_failed || c->degraded;
	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++)
		moving |= version_compare(e->asserted[slot], e->core.sets[slot].document.version) <
				  0 ||
			  (!release_id_empty(&e->releases[slot].id) && slot != e->core.stable &&
			   slot != e->core.warm);
	if (moving || now - e->observed_ms >= CONTROL_OBSERVE_IDLE_MS)
		observe_request(e);
	environment_start_next(e);
	if (e->active)
		control_changed(c, e->active->number);
}

/* The newest document that an instance can have been told of: its status may be older than what was sent. */
static struct instance_version newest_document(const struct control *c,
					       const struct instance_status *s)
{
	struct instance_version newest = s->applied;
	for (uint32_t i = 0; i < c->environment_count; i++) {
		const struct environment *e = c->environments[i];
		uint8_t slot = instance_of(e, s) ? instance_slot(e, s) : SLOT_NONE;
		if (slot == SLOT_NONE)
			continue;
		const struct version *told = &e->core.sets[slot].document.version;
		struct instance_version version = {told->epoch, told->n};
		if (instance_version_compare(version, newest) > 0)
			newest = version;
	}
	return newest;
}

/* Tell every instance to end that does not end yet, also one that has only now come up. True: none is left. */
static bool stop_instances(struct control *c)
{
	struct runtime *runtime = c->parts.runtime;
	const struct instance_status *list;
	struct error err;
	size_t count = runtime->ops->observe(runtime, &list), left = 0;
	struct instance_status *all = mem_zero(count + 1, sizeof *all);
	if (count > 0)
		memcpy(all, list, count * sizeof *all);
	for (size_t i = 0; i < count; i++) {
		const struct instance_status *s = &all[i];
		if (instance_state_over(s->state))
			continue;
		left++;
		if (s->want != INSTANCE_STOP &&
		    runtime->ops->stop(runtime, s->id, newest_document(c, s), true, &err) < 0)
			log_event(LOG_DEBUG, "control.stop", "instance=%s error=\"%s\"", s->id,
				  err.text);
	}
	free(all);
	return left == 0 && runtime->ops->settled(runtime);
}

static void stop_step(struct control *c)
{
	if (!stop_instances(c))
		return;
	void (*stopped)(void *context) = c->stopped;
	c->stopped = NULL;
	if (stopped)
		stopped(c->stopped_context);
}

static void on_tick(void *context)
{
	struct control *c = context;
	struct env *env = c->parts.env;
	uint64_t now = env_now_ms(env);
	if (c->stopping)
		stop_step(c);
	else
		for (uint32_t i = 0; i < c->environment_count; i++)
			tick_environment(c->environments[i], now);
	if (!c->stopping && !c->degraded) {
		builds_tick(c, now);
		commits_tick(c, now);
		tagging_tick(c, now);
		tag_pushing_tick(c, now);
		drifting_tick(c);
		certificates_tick(c);
		reports_tick(c, now);
	}
	if (c->offers_due && !c->stopping && !c->degraded) {
		c->offers_due = false;
		offers_look(c);
	}
	env->ops->timer_start(env, &c->tick, CONTROL_TICK_MS);
}

static void on_world_changed(void *context)
{
	struct control *c = context;
	for (uint32_t i = 0; i < c->environment_count; i++) {
		routing_send(c->environments[i]);
		observe_request(c->environments[i]);
	}
}

/* --- recovery */

static bool read_environment(struct environment *e, const void *state, size_t size)
{
	struct unpacker u;
	uint8_t core[ENVIRONMENT_ENCODED_MAX];
	unpack_init(&u, state, size);
	if (unpack_u32(&u) != BLOB_VERSION)
		return false;
	if (unpack_u32(&u) != PROCESSES_MAX)
		return false;
	for (uint32_t i = 0; i < PROCESSES_MAX; i++)
		unpack_text(&u, e->processes.name[i], sizeof e->processes.name[i]);
	unpack_bytes(&u, e->salt, sizeof e->salt);
	unpack_bytes(&u, e->sign_key, sizeof e->sign_key);
	unpack_bytes(&u, e->mirror_salt, sizeof e->mirror_salt);
	e->config_revision = unpack_u64(&u);
	size_t core_size = unpack_u32(&u);
	if (!u.ok || core_size > sizeof core)
		return false;
	unpack_bytes(&u, core, core_size);
	return unpack_end(&u) && environment_decode(&e->core, core, core_size);
}

struct recovery {
	struct control *control;
	struct error *err;
};

static int recover_environment(void *context, const struct store_environment *row)
{
	struct recovery *recovery = context;
	struct environment *e = environment_add(recovery->control, row->app, row->name);
	if (!e)
		return error_set(recovery->err, ERR_LIMIT,
				 "The store has more than %d environments.",
				 CONTROL_ENVIRONMENT_MAX);
	if (!read_environment(e, row->state, row->state_size))
		return error_set(
			recovery->err, ERR_CORRUPT,
			"The stored state of the environment %s cannot be read; restore the "
			"state directory from a backup.",
			e->key);
	environment_follow_slots(e);
	return 0;
}

static int count_transition(void *context, const struct store_transition *t)
{
	uint32_t *last = context;
	*last = t->seq;
	return 0;
}

static int recover_rollout(void *context, const struct store_rollout *row)
{
	struct recovery *recovery = context;
	struct control *c = recovery->control;
	char key[CONTROL_KEY_SIZE];
	snprintf(key, sizeof key, "%s/%s", row->app, row->environment);
	struct environment *e = environment_find_key(c, key);
	if (!e || e->queue_count == CONTROL_QUEUE_MAX)
		return error_set(recovery->err, ERR_CORRUPT,
				 "The rollout %u belongs to an environment that is not there.",
				 row->number);
	struct active_rollout *r = mem_zero(1, sizeof *r);
	r->number = row->number;
	text_copy(r->kind, sizeof r->kind, row->kind);
	text_copy(r->strategy, sizeof r->strategy, row->strategy);
	text_copy(r->by, sizeof r->by, row->by);
	text_copy(r->reason, sizeof r->reason, row->reason);
	text_copy(r->old_hex, sizeof r->old_hex, row->old_release);
	text_copy(r->sentence, sizeof r->sentence, row->status);
	r->created_unix_ms = row->created_unix_ms;
	r->started_unix_ms = row->started_unix_ms;
	r->verdict_to_zero_ms = row->verdict_to_zero_ms;
	plan_init(&r->plan);
	if (!rollout_decode(&r->state, row->state, row->state_size) ||
	    (row->plan_size > 0 && !plan_decode(&r->plan, row->plan, row->plan_size))) {
		free(r);
		return error_set(recovery->err, ERR_CORRUPT,
				 "The stored state of rollout %u cannot be read.", row->number);
	}
	bool holds = rollout_active(&r->state);
	if (holds != (e->core.rollout == r->number && r->number != 0) || (holds && e->active)) {
		free(r);
		return error_set(recovery->err, ERR_CORRUPT,
				 "The store does not say clearly what rolls in %s; restore the "
				 "state directory from a backup.",
				 e->key);
	}
	if (holds)
		e->active = r;
	else
		e->queue[e->queue_count++] = r;
	return 0;
}

static int see_exposure(void *context, const struct store_audit_entry *entry)
{
	bool *exposed = context;
	*exposed |=
		strcmp(entry->action, "rollout.weight") == 0 && strcmp(entry->reason, "0%") != 0;
	return 0;
}

/* What the rollouts need beside their rows; the rows are read first, for a reader may not nest in itself. */
static int complete_rollout(struct environment *e, struct active_rollout *r, const char *hex,
			    struct error *err)
{
	int result = release_load_with(e, hex, strcmp(r->kind, "deploy") == 0 ? r->strategy : "",
				       &r->candidate, err);
	if (result == 0)
		result = store_transitions(e->control->parts.store, r->number, count_transition,
					   &r->transition_seq, err);
	struct store_audit_filter own = {.rollout = r->number};
	return result < 0
		       ? result
		       : store_audit(e->control->parts.store, &own, see_exposure, &r->exposed, err);
}

static int recover_began(void *context, const struct store_rollout *row)
{
	struct environment *e = context;
	analysis_read_began(&e->analysis, row->began, row->began_size);
	return 0;
}

static int complete_environment(struct environment *e, struct error *err)
{
	char hex[DIGEST_HEX_SIZE];
	struct digest id;
	int result = 0;
	if (e->core.rollout != 0 && !e->active)
		return error_set(err, ERR_CORRUPT,
				 "The rollout %llu that holds %s is not in the store; restore the "
				 "state directory from a backup.",
				 (unsigned long long)e->core.rollout, e->key);
	for (uint32_t i = 0; i <= e->queue_count && result == 0; i++) {
		struct active_rollout *r = i == e->queue_count ? e->active : e->queue[i];
		if (!r)
			continue;
		memcpy(id.bytes, r->state.release.bytes, sizeof id.bytes);
		result = complete_rollout(e, r, digest_format(&id, hex), err);
	}
	if (result < 0 || !e->active)
		return result;
	analysis_rollout_began(e);
	return store_rollout_get(e->control->parts.store, e->active->number, recover_began, e, err);
}

static int recover(struct control *c, struct error *err)
{
	struct recovery recovery = {c, err};
	struct store_rollout_filter unended = {.unended = true};
	int result = store_environments(c->parts.store, recover_environment, &recovery, err);
	if (result == 0)
		result = store_rollouts(c->parts.store, &unended, recover_rollout, &recovery, err);
	for (uint32_t i = 0; result == 0 && i < c->environment_count; i++)
		result = complete_environment(c->environments[i], err);
	for (uint32_t i = 0; result == 0 && i < c->environment_count; i++)
		result = gating_recover(c->environments[i], err);
	return result;
}

/* One that nobody has had, neither this store nor the world, which knows `known`. */
static int next_epoch(struct control *c, uint64_t known, struct error *err)
{
	uint64_t epoch;
	int result;
	do {
		control_begin(c, true);
		store_put_at_least(c->parts.store, "epoch", known);
		epoch = store_add_one(c->parts.store, "epoch");
		result = control_commit(c, err);
	} while (control_again(c, true, result));
	if (result == 0)
		c->epoch = epoch;
	return result;
}

static int boot(struct control *c, struct error *err)
{
	struct rollout_event event = {.kind = EVENT_BOOT, .epoch = c->epoch};
	for (uint32_t i = 0; i < c->environment_count; i++) {
		struct environment *e = c->environments[i];
		int result = environment_turn(e, e->active, &event, NULL, NULL, err);
		if (result < 0)
			return result;
	}
	return 0;
}

void control_outdo(struct control *c, uint64_t known)
{
	struct error err;
	if (c->degraded)
		return; /* nothing can be written just now; the next look finds the same */
	log_event(LOG_WARNING, "control.outdated",
		  "epoch=%llu known=%llu why=\"the store is older than what runs, as after a "
		  "backup was "
		  "restored\"",
		  (unsigned long long)c->epoch, (unsigned long long)known);
	int result = next_epoch(c, known, &err);
	if (result == 0)
		result = boot(c, &err);
	if (result == 0)
		return;
	log_event(LOG_ERROR, "control.degraded", "error=\"%s\"", err.text);
	c->degraded = true;
	c->degraded_ms = env_now_ms(c->parts.env);
	text_copy(c->degraded_text, sizeof c->degraded_text, err.text);
}

struct control *control_new(const struct control_parts *parts)
{
	struct control *c = mem_zero(1, sizeof *c);
	c->parts = *parts;
	c->tick = (struct env_timer){.fire = on_tick, .context = c};
	return c;
}

int control_start(struct control *c, struct error *err)
{
	struct env *env = c->parts.env;
	c->parts.runtime->secret = secrets_give;
	c->parts.runtime->secret_context = c;
	int result = next_epoch(c, 0, err);
	if (result == 0)
		result = recover(c, err);
	if (result == 0)
		result = boot(c, err);
	if (result < 0)
		return result;
	c->parts.runtime->changed = c->parts.router->changed = on_world_changed;
	c->parts.router->compared = comparing_take;
	c->parts.runtime->context = c->parts.router->context = c;
	c->started = c->offers_due = true;
	postmortem_catch_up(c);
	builds_begin(c);
	schedules_begin(c);
	env->ops->timer_start(env, &c->tick, 0);
	log_event(LOG_INFO, "control.started", "epoch=%llu environments=%u",
		  (unsigned long long)c->epoch, c->environment_count);
	return 0;
}

void control_stop_instances(struct control *c, void (*done)(void *context), void *context)
{
	c->stopping = true;
	c->stopped = done;
	c->stopped_context = context;
	(void)stop_instances(c);
}

static void rollout_drop(struct active_rollout *r)
{
	if (!r)
		return;
	release_info_free(&r->candidate);
	free(r);
}

void control_free(struct control *c)
{
	if (!c)
		return;
	c->parts.env->ops->timer_stop(c->parts.env, &c->tick);
	background_release(c);
	postmortem_release(c);
	builds_release(c);
	commits_release(c);
	tagging_release(c);
	tag_pushing_release(c);
	certificates_release(c);
	drifting_release(c);
	reports_release(c);
	comparing_release(c);
	for (uint32_t i = 0; i < c->environment_count; i++) {
		struct environment *e = c->environments[i];
		analysis_cancel(e);
		rollout_drop(e->active);
		for (uint32_t k = 0; k < e->queue_count; k++)
			rollout_drop(e->queue[k]);
		for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++)
			release_info_free(&e->releases[slot]);
		free(e->sent);
		free(e->seen);
		judging_free(e->judging);
		kayenta_judging_free(e->kayenta);
		measuring_free(e->measuring);
		comparing_free(e->comparing);
		free(e->drifting);
		certificates_forget(e);
		free(e);
	}
	c->parts.runtime->changed = c->parts.router->changed = NULL;
	c->parts.router->compared = NULL;
	c->parts.runtime->secret = NULL;
	free(c);
}
