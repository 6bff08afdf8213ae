/* SPDX-License-Identifier: Apache-2.0
 * view - see view.h for the contract. Here: environments and plans; view_rollout.c has the rollouts. */
#include "control/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/config.h"
#include "control/certificates.h"
#include "control/drifting.h"
#include "control/environment.h"
#include "control/forecast.h"
#include "control/migration.h"
#include "control/release_config.h"
#include "store/releases.h"
#include "store/rollouts.h"

static void show_release(const struct environment *e, uint8_t slot, struct view_release *to)
{
	const struct release_info *info = environment_release(e, slot);
	memset(to, 0, sizeof *to);
	if (!info)
		return;
	text_copy(to->release, sizeof to->release, info->hex);
	text_copy(to->tag, sizeof to->tag, info->tag);
	text_copy(to->by, sizeof to->by, info->by);
	to->since_unix_ms = info->since_unix_ms;
	to->weight_bp = e->core.router.weight_bp[slot];
}

static int take_maker(void *context, const struct store_rollout *row)
{
	struct view_release *live = context;
	text_copy(live->by, sizeof live->by, row->by);
	return 0;
}

/* Live since the rollout that made it so, and by whom that was; not when the release was made. */
static int take_stable(void *context, const struct store_stable *stable)
{
	*(struct store_stable *)context = *stable;
	return 1;
}

static void show_live(const struct environment *e, struct view_release *to)
{
	struct store *store = e->control->parts.store;
	struct store_stable stable = {.rollout = 0};
	struct error ignored;
	show_release(e, e->core.stable, to);
	if (store_stables(store, e->app, e->name, 1, take_stable, &stable, &ignored) < 0 ||
	    stable.rollout == 0 || strcmp(stable.release, to->release) != 0)
		return;
	to->since_unix_ms = stable.at_unix_ms;
	(void)!store_rollout_get(store, stable.rollout, take_maker, to, &ignored);
}

static const char *state_of(const struct environment *e)
{
	if (e->core.router.access == ACCESS_CLOSED)
		return "maintenance";
	if (e->active)
		switch (e->active->state.status) {
		case ROLLOUT_RUNNING: return e->core.router.park ? "parked" : "rolling";
		case ROLLOUT_GATED:
		case ROLLOUT_PAUSED: return "paused";
		case ROLLOUT_REVERTING: return "reverting";
		case ROLLOUT_STUCK: return "stuck";
		case ROLLOUT_NONE:
		case ROLLOUT_QUEUED:
		case ROLLOUT_SUCCEEDED:
		case ROLLOUT_REVERTED:
		case ROLLOUT_REJECTED:
		case ROLLOUT_SUPERSEDED:
		case ROLLOUT_CANCELLED:
		case ROLLOUT_STATUS_COUNT: break;
		}
	if (e->core.stable == SLOT_NONE)
		return "empty";
	for (uint32_t p = 0; p < PROCESSES_MAX; p++)
		if (e->core.sets[e->core.stable].process[p].count > 0 &&
		    e->core.sets[e->core.stable].seen.ready[p] > 0)
			return e->core.router.access == ACCESS_READS ? "read-only" : "serving";
	return "down";
}

static void show_freeze(const struct environment *e, struct view_freeze *to)
{
	const struct gating_freeze *from = &e->freeze;
	*to = (struct view_freeze){.on = from->on,
				   .since_unix_ms = from->at_unix_ms,
				   .until_unix_ms = from->until_unix_ms};
	text_copy(to->reason, sizeof to->reason, from->reason);
	text_copy(to->by, sizeof to->by, from->by);
}

static void show_instances(const struct environment *e, struct view_environment *v)
{
	struct control *c = e->control;
	const struct instance_status *list;
	size_t count = c->parts.runtime->ops->observe(c->parts.runtime, &list);
	uint64_t now = env_now_ms(c->parts.env);
	for (size_t i = 0; i < count && v->instance_count < VIEW_INSTANCES_MAX; i++) {
		const struct instance_status *s = &list[i];
		bool over = instance_state_over(s->state) && instance_surplus(e, s);
		/* What is over, and nobody wants, is kept for its log alone. */
		if (!instance_of(e, s) || (over && !migration_instance(s)))
			continue;
		struct view_instance *to = &v->instances[v->instance_count++];
		to->log_only = over;
		text_copy(to->id, sizeof to->id, s->id);
		text_copy(to->process, sizeof to->process, s->process);
		text_copy(to->release, sizeof to->release, s->release);
		text_copy(to->tag, sizeof to->tag, s->tag);
		text_copy(to->state, sizeof to->state, instance_state_name(s->state));
		text_copy(to->address, sizeof to->address, s->address);
		text_copy(to->probe, sizeof to->probe, s->sentence);
		to->slot = s->slot;
		to->pid = s->pid;
		to->restarts = s->restarts;
		to->log_errors = s->log_errors;
		to->ready_ms =
			s->ready_since_ms && now > s->ready_since_ms ? now - s->ready_since_ms : 0;
	}
}

static uint64_t in_flight(uint64_t started, uint64_t completed, uint64_t lost)
{
	return started > completed + lost ? started - completed - lost : 0;
}

static void add_classes(const struct router_class_counters *counters, struct view_environment *v)
{
	_Static_assert((int)VIEW_CLASSES_MAX == (int)ROUTER_CLASSES_MAX + 1, "classes fit");
	v->class_count = counters->count;
	for (uint32_t i = 0; i < counters->count; i++) {
		const struct router_class_numbers *c = &counters->classes[i];
		struct view_class *to = &v->classes[i];
		text_copy(to->name, sizeof to->name, c->name);
		to->requests += c->started;
		to->errors += c->status_5xx + c->failed_connect + c->failed_reset +
			      c->failed_timeout + c->failed_answer + c->no_backend + c->overloaded;
		to->overloaded += c->overloaded;
		to->repeated += c->repeated;
		to->in_flight += in_flight(c->started, c->completed, c->lost);
	}
}

static void add_instances(const struct router_backend_counters *counters,
			  struct view_environment *v)
{
	for (uint32_t i = 0; i < counters->count; i++) {
		const struct router_backend_numbers *b = &counters->backends[i];
		uint32_t at = 0;
		while (at < v->instance_count && strcmp(v->instances[at].id, b->instance) != 0)
			at++;
		if (at == v->instance_count)
			continue;
		v->instances[at].requests = b->answered;
		v->instances[at].errors = b->errors;
		v->instances[at].in_flight = in_flight(b->started, b->completed, b->lost);
	}
}

static void show_traffic(struct environment *e, struct view_environment *v)
{
	static struct router_class_counters classes;
	static struct router_backend_counters backends;
	struct router *router = e->control->parts.router;
	struct error err;
	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++) {
		struct digest id;
		if (release_id_empty(&e->releases[slot].id))
			continue;
		memcpy(id.bytes, e->releases[slot].id.bytes, sizeof id.bytes);
		if (router->ops->class_counters(router, e->app, e->name, &id, &classes, &err) == 0)
			add_classes(&classes, v);
		if (router->ops->backend_counters(router, e->app, e->name, &id, &backends, &err) ==
		    0)
			add_instances(&backends, v);
	}
	for (uint32_t i = 0; i < v->class_count; i++) {
		v->traffic.requests += v->classes[i].requests;
		v->traffic.errors += v->classes[i].errors;
		v->traffic.in_flight += v->classes[i].in_flight;
	}
}

/* The store first: without it nothing else can be decided. */
static void show_trouble(const struct environment *e, char to[VIEW_TEXT_SIZE])
{
	struct runtime *runtime = e->control->parts.runtime;
	const char *text = e->control->degraded ? e->control->degraded_text
			   : e->route_failed    ? e->route_error
						: "";
	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX && !text[0]; slot++)
		text = e->refused[slot];
	if (!text[0])
		text = runtime->ops->trouble(runtime);
	text_copy(to, VIEW_TEXT_SIZE, text);
}

static void show_environment(struct environment *e, struct view_environment *v)
{
	const struct resolved *config = environment_traffic_config(e);
	memset(v, 0, sizeof *v);
	text_copy(v->app, sizeof v->app, e->app);
	text_copy(v->name, sizeof v->name, e->name);
	text_copy(v->state, sizeof v->state, state_of(e));
	if (config && config->environment.listen)
		text_copy(v->listen, sizeof v->listen, config->environment.listen);
	if (config && config->environment.route_count > 0 && config->environment.routes[0].host)
		text_copy(v->host, sizeof v->host, config->environment.routes[0].host);
	v->production = config && config->environment.production;
	show_freeze(e, &v->freeze);
	drifting_show(e, &v->drift);
	certificates_show(e, &v->certificate);
	show_live(e, &v->live);
	show_release(e, environment_candidate_slot(e), &v->candidate);
	show_release(e, e->core.warm, &v->warm);
	v->warm.left_ms = e->core.warm_left_ms;
	v->maintenance = e->core.router.access == ACCESS_CLOSED;
	v->read_only = e->core.router.access == ACCESS_READS;
	v->applied = e->seen_valid && e->seen->seen && !e->routing && !e->route_failed &&
		     version_compare(routing_core_version(e->seen->applied),
				     e->core.router.version) >= 0;
	if (e->active) {
		const struct active_rollout *r = e->active;
		v->rollout = r->number;
		v->rollout_step = r->state.cursor;
		v->rollout_steps = r->plan.step_count;
		text_copy(v->rollout_state, sizeof v->rollout_state,
			  rollout_status_name(r->state.status));
		if (r->state.cursor < r->plan.step_count)
			text_copy(v->rollout_label, sizeof v->rollout_label,
				  r->plan.steps[r->state.cursor].label);
	}
	show_trouble(e, v->trouble);
	show_instances(e, v);
	show_traffic(e, v);
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp((*(struct environment *const *)a)->key,
		      (*(struct environment *const *)b)->key);
}

int control_view_environments(struct control *c, const char *environment,
			      void (*visit)(void *context, const struct view_environment *e),
			      void *context, struct error *err)
{
	char key[CONTROL_KEY_SIZE] = "";
	struct environment *sorted[CONTROL_ENVIRONMENT_MAX];
	if (environment && control_resolve_environment(c, environment, key, err) < 0)
		return (int)err->code;
	memcpy(sorted, c->environments, sizeof sorted[0] * c->environment_count);
	qsort(sorted, c->environment_count, sizeof sorted[0], compare_keys);
	struct view_environment *view = mem_new(sizeof *view);
	for (uint32_t i = 0; i < c->environment_count; i++) {
		if (environment && strcmp(sorted[i]->key, key) != 0)
			continue;
		show_environment(sorted[i], view);
		visit(context, view);
	}
	free(view);
	return 0;
}

int control_live_config(struct control *c, const char *environment, struct buf *ret_json,
			struct error *err)
{
	char key[CONTROL_KEY_SIZE];
	struct store_release row;
	int result = control_resolve_environment(c, environment, key, err);
	if (result < 0)
		return result;
	struct environment *e = environment_find_key(c, key);
	const struct release_info *live = environment_release(e, e->core.stable);
	if (!live)
		return error_set(err, ERR_NOT_FOUND, "Nothing is live in %s.", e->key);
	struct buf text;
	buf_init(&text, STORE_BLOB_MAX);
	result = store_release_get(c->parts.store, live->hex, &row, &text, err);
	if (result == 0)
		result = release_config_text(buf_text(&text), text.size, e->name, ret_json, err);
	buf_done(&text);
	return result;
}

/* --- plans */

static void show_plan_steps(const struct process_names *processes, const struct plan *plan,
			    struct view_plan *v)
{
	const char *names[PROCESSES_MAX];
	for (uint32_t i = 0; i < PROCESSES_MAX; i++)
		names[i] = processes->name[i];
	v->step_count = plan->step_count;
	for (uint32_t i = 0; i < plan->step_count; i++) {
		const struct plan_step *from = &plan->steps[i];
		struct view_step *to = &v->steps[i];
		text_copy(to->op, sizeof to->op, plan_op_name(from->op));
		text_copy(to->label, sizeof to->label, from->label);
		plan_step_describe(plan, i, names, to->text, sizeof to->text);
		to->for_ms = from->for_ms;
		to->at_most_ms = from->at_most_ms;
		to->weight_bp = from->op == PLAN_ROUTE ? from->weight_bp[PLAN_CANDIDATE] : 0;
	}
}

/* Time and exposure at today's traffic: the share of each step for as long as it lasts at least. */
static void estimate(const struct plan *plan, struct view_plan *v)
{
	uint32_t weight_bp = 0;
	uint64_t exposed = 0;
	bool marked = false;
	for (uint32_t i = 0; i < plan->step_count && !marked; i++) {
		const struct plan_step *s = &plan->steps[i];
		marked = s->op == PLAN_MARK;
		if (s->op == PLAN_ROUTE)
			weight_bp = s->weight_bp[PLAN_CANDIDATE];
		if (s->op != PLAN_HOLD)
			continue;
		v->least_ms += s->for_ms;
		v->most_ms += s->at_most_ms > s->for_ms ? s->at_most_ms : s->for_ms;
		exposed += s->for_ms * weight_bp;
	}
	v->exposed_requests =
		(uint64_t)((double)exposed / SHARE_FULL_BP / 1000 * v->forecast.requests_per_s);
}

void view_add_note(struct view_plan *v, const char *text)
{
	if (v->note_count < sizeof v->notes / sizeof v->notes[0])
		text_copy(v->notes[v->note_count++], sizeof v->notes[0], text);
}

static void add_notes(const struct environment *e, const struct resolved *config,
		      const struct plan *plan, struct view_plan *v)
{
	char text[VIEW_TEXT_SIZE], a[40], b[40];
	bool parks = false;
	for (uint32_t i = 0; i < plan->step_count; i++)
		parks |= plan->steps[i].op == PLAN_ROUTE && plan->steps[i].park;
	uint64_t start_ms = 0;
	for (uint32_t i = 0; i < config->environment.process_count; i++)
		if (config->environment.processes[i].health.min_healthy_ms > start_ms)
			start_ms = config->environment.processes[i].health.min_healthy_ms;
	if (parks && start_ms >= config->environment.hold.time_ms) {
		snprintf(text, sizeof text,
			 "Requests are held for at most %s, but the new release needs %s to be "
			 "ready: some "
			 "will be answered 503. Raise hold.time or lower health.min_healthy.",
			 text_format_duration(config->environment.hold.time_ms, a, sizeof a),
			 text_format_duration(start_ms, b, sizeof b));
		view_add_note(v, text);
	}
	if (e->core.stable == SLOT_NONE)
		view_add_note(v, "Nothing is live here yet: there is nothing to go back to.");
	if (v->forecast.requests_per_s <= 0 && e->core.stable != SLOT_NONE)
		view_add_note(v,
			      "There is no traffic now: a step that needs requests will wait for "
			      "them, and then do what analysis.when_too_little says.");
}

static int compile_plan(struct environment *e, const struct release_info *candidate,
			uint32_t for_errors_bp, struct view_plan *v, struct error *err)
{
	struct strategy_settings settings;
	struct process_names names;
	struct plan *plan = mem_new(sizeof *plan);
	int result = release_settings(e, candidate->config, &names, &settings, err);
	if (result == 0)
		result = strategy_compile(&settings, &e->core, &candidate->id, plan, err);
	if (result == 0) {
		uint8_t *bytes = mem_new(PLAN_ENCODED_MAX);
		size_t size = plan_encode(plan, bytes, PLAN_ENCODED_MAX);
		struct digest hash = digest_of(bytes, size);
		free(bytes);
		digest_format(&hash, v->hash);
		text_copy(v->strategy, sizeof v->strategy, plan->strategy);
		show_plan_steps(&names, plan, v);
		forecast_plan(e, candidate->config, plan, for_errors_bp, v);
		estimate(plan, v);
		add_notes(e, candidate->config, plan, v);
	}
	free(plan);
	return result;
}

int control_view_plan(struct control *c, const char *environment, const char *release,
		      const char *strategy, uint32_t for_errors_bp, struct view_plan *v,
		      struct error *err)
{
	char key[CONTROL_KEY_SIZE];
	struct release_info candidate;
	struct store_release row;
	memset(v, 0, sizeof *v);
	int result = control_resolve_environment(c, environment, key, err);
	if (result < 0)
		return result;
	struct environment *e = environment_find_key(c, key);
	result = store_release_match(c->parts.store, e->app, release, &row, err);
	if (result == 0)
		result = release_load_with(e, row.id, strategy, &candidate, err);
	if (result < 0)
		return result;
	text_copy(v->app, sizeof v->app, e->app);
	text_copy(v->environment, sizeof v->environment, e->name);
	text_copy(v->new_release.release, sizeof v->new_release.release, candidate.hex);
	text_copy(v->new_release.tag, sizeof v->new_release.tag, candidate.tag);
	show_release(e, e->core.stable, &v->old_release);
	result = compile_plan(e, &candidate, for_errors_bp, v, err);
	release_info_free(&candidate);
	return result;
}
