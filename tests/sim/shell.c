/* SPDX-License-Identifier: Apache-2.0
 * shell - a model of control/: step a copy, commit it whole or not at all, then carry out the effects.
 *
 * A crash may come before or after the commit and between any two effects; it loses what only memory
 * held. Time that was only added up is committed lazily in some seeds. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "sim.h"

struct rollout_seen shell_seen(const struct sim *s)
{
	const struct rollout *r = &s->memory.active.r;
	return (struct rollout_seen){
		.status = r->status, .cursor = r->cursor, .attempt = r->attempt};
}

static void hash_bytes(struct sim *s, const void *bytes, size_t size)
{
	const uint8_t *b = bytes;
	for (size_t i = 0; i < size; i++)
		s->hash = (s->hash ^ b[i]) * 0x100000001b3u;
}

static void hash_state(struct sim *s, const struct store *store)
{
	uint8_t bytes[ENVIRONMENT_ENCODED_MAX];
	hash_bytes(s, bytes, environment_encode(&store->env, bytes, sizeof bytes));
	hash_bytes(s, bytes, rollout_encode(&store->active.r, bytes, sizeof bytes));
}

/* The same question asked again is one question; an older one may still be answered, too late. */
static void ask(struct sim *s, struct question question)
{
	uint32_t to = sim_below(s, SIM_QUESTIONS);

	for (uint32_t i = 0; i < SIM_QUESTIONS; i++) {
		const struct question *q = &s->questions[i];
		if (q->kind == question.kind && q->step == question.step &&
		    q->attempt == question.attempt)
			return;
		if (q->kind == ASKED_NOTHING)
			to = i;
	}
	s->questions[to] = question;
}

static void execute(struct sim *s, const struct rollout_effect *e)
{
	struct message m = {0};
	const struct environment_state *env = &s->memory.env;

	switch (e->kind) {
	case EFFECT_ROUTE:
		m.kind = MESSAGE_ROUTE;
		m.route = env->router;
		for (uint32_t i = 0; i < ENVIRONMENT_SETS_MAX; i++)
			m.slots[i] = env->sets[i].document.release;
		world_send(s, &m);
		break;
	case EFFECT_SET:
		m.kind = MESSAGE_SET;
		m.set = env->sets[e->slot].document;
		if (m.set.version.n == 0)
			sim_fail(s, "a set document is sent that was never written");
		world_send(s, &m);
		break;
	case EFFECT_FETCH:
		ask(s, (struct question){.kind = ASKED_FETCH, .release = e->release});
		break;
	case EFFECT_ANALYSE:
		ask(s, (struct question){
			       .kind = ASKED_ANALYSE, .step = e->step, .attempt = e->attempt});
		break;
	case EFFECT_HOOK:
		ask(s,
		    (struct question){.kind = ASKED_HOOK, .step = e->step, .attempt = e->attempt});
		break;
	case EFFECT_EVIDENCE:
	case EFFECT_STABLE:
	case EFFECT_BAD:
	case EFFECT_GONE:
	case EFFECT_NOTIFY:
	case EFFECT_FREE:
	case EFFECT_COUNT: break;
	}
}

/* What is recorded in the same transaction. */
static void record(struct sim *s, const struct store *before, struct store *after,
		   const struct rollout_effects *fx)
{
	for (uint32_t i = 0; i < fx->count; i++) {
		const struct rollout_effect *e = &fx->items[i];
		if (e->kind == EFFECT_BAD)
			after->bad[sim_release_index(&e->release)] = true;
		if (e->kind == EFFECT_STABLE)
			after->stable_before =
				before->env.stable == SLOT_NONE
					? 0xff
					: sim_release_index(&before->env.sets[before->env.stable]
								     .document.release);
	}
	(void)s;
}

void shell_crash(struct sim *s)
{
	uint8_t env[ENVIRONMENT_ENCODED_MAX], again[ENVIRONMENT_ENCODED_MAX];
	uint8_t r[ROLLOUT_ENCODED_MAX];
	static uint8_t plan[PLAN_ENCODED_MAX];

	totals.crashes++;
	sim_say(s, "  crash");
	s->memory = s->disk;
	struct store *m = &s->memory;
	struct rollout was = m->active.r;
	size_t size = environment_encode(&m->env, env, sizeof env);
	if (size == 0 || !environment_decode(&m->env, env, size) ||
	    environment_encode(&m->env, again, sizeof again) != size ||
	    memcmp(env, again, size) != 0)
		sim_fail(s, "I-23: the environment does not survive its bytes");
	size = rollout_encode(&m->active.r, r, sizeof r);
	if (size == 0 || !rollout_decode(&m->active.r, r, size) ||
	    memcmp(&was, &m->active.r, sizeof was) != 0)
		sim_fail(s, "I-23: the rollout does not survive its bytes");
	if (m->active.there && m->active.plan.step_count > 0) {
		size = plan_encode(&m->active.plan, plan, sizeof plan);
		if (size == 0 || !plan_decode(&m->active.plan, plan, size))
			sim_fail(s, "I-23: the plan does not survive its bytes");
	}
	memset(s->questions, 0, sizeof s->questions);
	memset(&s->router_report, 0, sizeof s->router_report);
	memset(s->set_report, 0, sizeof s->set_report);
	s->serial = 0;
	s->old_there = false;
	s->oracle.know_serial = 0;
	memset(&s->oracle.know, 0, sizeof s->oracle.know);
	shell_deliver(s, &(struct rollout_event){.kind = EVENT_BOOT});
}

static void say_step(struct sim *s, const struct store *before, const struct store *after,
		     const struct rollout_event *event)
{
	if (!s->verbose)
		return;
	const struct rollout *r = &after->active.r;
	char text[PLAN_STEP_TEXT_MAX] = "";
	if (after->active.there && r->cursor < after->active.plan.step_count)
		plan_step_describe(&after->active.plan, r->cursor, NULL, text, sizeof text);
	sim_say(s, "%-11s %s%s%s step %u attempt %u %s w=%u/%u/%u/%u %s",
		rollout_event_name(event->kind), rollout_status_name(before->active.r.status),
		before->active.r.status == r->status ? "" : " -> ",
		before->active.r.status == r->status ? "" : rollout_status_name(r->status),
		r->cursor, r->attempt, text, after->env.router.weight_bp[0],
		after->env.router.weight_bp[1], after->env.router.weight_bp[2],
		after->env.router.weight_bp[3], rollout_reason_name(r->reason));
}

/* Before it has the environment, and after, the environment is on its own. */
static bool holds(const struct job *job)
{
	return job->there && job->r.status != ROLLOUT_QUEUED && !rollout_terminal(&job->r);
}

void shell_deliver(struct sim *s, const struct rollout_event *event)
{
	static struct store next;
	struct rollout_effects fx;
	enum rollout_change change;

	if (s->failed)
		return;
	next = s->memory;
	if (holds(&next.active) || event->kind == EVENT_START)
		change = rollout_step(&next.active.plan, &next.env, &next.active.r, event, &fx);
	else
		change = standing_step(&next.env, event, &fx);
	totals.steps++;
	coverage_add(s, event, &fx);
	if (change == ROLLOUT_UNCHANGED) {
		oracle_delivered(s, &s->memory, event);
		oracle_unchanged(s, &s->memory, event, &fx);
	} else {
		if (change == ROLLOUT_CHANGED && event->kind != EVENT_BOOT && s->faults &&
		    sim_chance(s, s->persist_fails)) {
			sim_say(s, "  commit fails: %s", rollout_event_name(event->kind));
			return;
		}
		if (event->kind != EVENT_BOOT && s->faults && sim_chance(s, s->crash)) {
			shell_crash(s);
			return;
		}
		say_step(s, &s->memory, &next, event);
		oracle_delivered(s, &s->memory, event);
		record(s, &s->memory, &next, &fx);
		oracle_committed(s, &s->memory, &next, event, &fx);
		s->memory = next;
		if (change == ROLLOUT_CHANGED || !s->lazy_commit)
			s->disk = s->memory;
		hash_state(s, &s->memory);
	}
	for (uint32_t i = 0; i < fx.count; i++) {
		if (event->kind != EVENT_BOOT && s->faults && sim_chance(s, s->crash)) {
			shell_crash(s);
			return;
		}
		execute(s, &fx.items[i]);
	}
	if (event->kind == EVENT_BOOT)
		return;
	if (s->faults && sim_chance(s, s->crash))
		shell_crash(s);
}

/* Beside those that a migration brings, at any place where a plan may have one. */
static void insert_step(struct sim *s, struct plan *plan, enum plan_op op)
{
	uint32_t at = 1 + sim_below(s, plan->step_count), mark = 0;

	if (plan->step_count == PLAN_STEPS_MAX)
		return;
	while (mark < plan->step_count && plan->steps[mark].op != PLAN_MARK)
		mark++;
	if (op == PLAN_GATE && at > mark)
		at = mark;
	plan_add(plan, op, PLAN_NONE);
	struct plan_step step = plan->steps[plan->step_count - 1];
	step.deadline_ms = 10000;
	step.exposes = op == PLAN_HOOK && at <= mark && sim_chance(s, 50);
	for (uint32_t i = plan->step_count - 1; i > at; i--)
		plan->steps[i] = plan->steps[i - 1];
	plan->steps[at] = step;
}

static bool compile(struct sim *s, struct job *job)
{
	struct release_id id = sim_release_id(job->release);
	struct error err;
	int result;

	if (job->rollback)
		result = strategy_compile_rollback(&job->settings, &s->memory.env, &id, &job->plan,
						   &err);
	else
		result = strategy_compile(&job->settings, &s->memory.env, &id, &job->plan, &err);
	if (result < 0) {
		if (result != ERR_CONFLICT)
			sim_fail(s, "a plan cannot be compiled: %s", err.text);
		return false;
	}
	if (!job->rollback && sim_chance(s, 15))
		insert_step(s, &job->plan, PLAN_GATE);
	if (!job->rollback && sim_chance(s, 15))
		insert_step(s, &job->plan, PLAN_HOOK);
	if (!job->rollback && sim_chance(s, 15)) {
		job->plan.needs_approval = true;
		job->plan.approval_ttl_ms = sim_chance(s, 50) ? 20000 : 0;
	}
	if (!plan_valid(&job->plan))
		sim_fail(s, "a compiled plan is not valid");
	return true;
}

void shell_pump(struct sim *s)
{
	struct store *m = &s->memory;

	if (s->failed || m->env.rollout != 0)
		return;
	if (m->active.there && rollout_terminal(&m->active.r)) {
		totals.succeeded += m->active.r.status == ROLLOUT_SUCCEEDED;
		totals.reverted += m->active.r.status == ROLLOUT_REVERTED;
		totals.rejected += m->active.r.status >= ROLLOUT_REJECTED;
		m->active.there = false;
		s->disk = *m;
	}
	if (m->active.there) { /* a crash before its start was committed */
		if (!m->queued.there)
			m->queued = m->active;
		m->active.there = false;
		s->disk = *m;
	}
	if (!m->queued.there)
		return;
	m->active = m->queued;
	m->queued.there = false;
	s->disk = *m;
	if (!compile(s, &m->active)) {
		m->active.there = false; /* it is live already */
		s->disk = *m;
		return;
	}
	s->disk = *m;
	shell_deliver(s, &(struct rollout_event){.kind = EVENT_START});
	if (m->active.there && m->active.r.status == ROLLOUT_QUEUED) { /* frozen: later */
		m->queued = m->active;
		m->active.there = false;
		s->disk = *m;
	}
}

void shell_submit(struct sim *s, uint8_t release, bool rollback)
{
	struct store *m = &s->memory;
	struct rollout_effects fx;
	static struct plan none;
	struct environment_state env = m->env;
	struct job job = {.there = true, .rollback = rollback, .release = release};

	if (m->env.standby)
		return;
	job.settings = s->settings;
	rollout_init(&job.r);
	struct rollout_event submit = {.kind = EVENT_SUBMIT,
				       .number = ++m->numbers,
				       .release = sim_release_id(release),
				       .bad_listed = m->bad[release] && !rollback};
	rollout_step(&none, &env, &job.r, &submit, &fx);
	totals.cell[ROLLOUT_NONE][EVENT_SUBMIT]++;
	if (submit.bad_listed) {
		totals.reason[REASON_BAD_LISTED]++;
		if (job.r.status != ROLLOUT_REJECTED || fx.count != 1)
			sim_fail(s, "a release that is marked bad is not refused");
		m->bad[release] = sim_chance(s, 50); /* perhaps a person clears the mark */
		return;
	}
	if (m->queued.there) {
		rollout_step(&none, &env, &m->queued.r,
			     &(struct rollout_event){.kind = EVENT_NEWER}, &fx);
		totals.cell[ROLLOUT_QUEUED][EVENT_NEWER]++;
		totals.reason[REASON_NEWER]++;
		if (m->queued.r.status != ROLLOUT_SUPERSEDED || fx.count != 1)
			sim_fail(s, "I-16: a newer release does not replace the one that waits");
	}
	m->queued = job;
	s->disk = *m;
	if (m->active.there)
		shell_deliver(
			s, &(struct rollout_event){.kind = EVENT_NEWER, .supersede = s->supersede});
	shell_pump(s);
}

void shell_observe(struct sim *s)
{
	struct rollout_event event = {.kind = EVENT_OBSERVATION};
	const struct store *m = &s->memory;
	struct observation *o = &event.observation;

	o->serial = ++s->serial;
	o->attempt = m->active.there ? m->active.r.attempt : 0;
	if (s->router_report.there)
		o->router = s->router_report.traffic;
	for (uint32_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++) {
		uint8_t release = sim_release_index(&m->env.sets[slot].document.release);
		if (release != 0xff && s->set_report[release].there)
			o->sets[slot] = s->set_report[release].set;
	}
	if (s->faults && sim_chance(s, s->stale)) { /* this one arrives later, or twice */
		s->old_observation = event;
		s->old_there = true;
		if (sim_chance(s, 50))
			return;
	}
	shell_deliver(s, &event);
}

static enum verdict judge(struct sim *s, bool well)
{
	uint8_t release = s->memory.active.release;
	if (well)
		return s->quality[release] == FAILS_REQUESTS ? VERDICT_FAIL : VERDICT_PASS;
	if (sim_chance(s, s->inconclusive))
		return VERDICT_INCONCLUSIVE;
	if (s->quality[release] == FAILS_REQUESTS)
		return sim_chance(s, 70) ? VERDICT_FAIL : VERDICT_PASS;
	return sim_chance(s, s->verdict_bad) ? VERDICT_FAIL : VERDICT_PASS;
}

void shell_answer(struct sim *s, uint32_t index, bool well)
{
	struct question q = s->questions[index];
	struct rollout_event event = {.step = q.step, .attempt = q.attempt};

	if (q.kind == ASKED_NOTHING)
		return;
	if (!s->faults || !sim_chance(s, s->duplicate))
		s->questions[index].kind = ASKED_NOTHING;
	if (s->faults && sim_chance(s, s->loss))
		return;
	event.ok = well || !sim_chance(s, 10);
	if (q.kind == ASKED_FETCH) {
		event.kind = EVENT_FETCHED;
		event.release = q.release;
	} else if (q.kind == ASKED_HOOK) {
		event.kind = EVENT_HOOKED;
	} else {
		event.kind = EVENT_EVIDENCE;
		event.verdict = judge(s, well);
		event.check =
			event.attempt % 4 == 3; /* without a draw: the seeds stay what they were */
	}
	shell_deliver(s, &event);
}
