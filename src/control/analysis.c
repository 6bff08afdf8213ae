/* SPDX-License-Identifier: Apache-2.0
 * analysis - the gateway's counts become evidence.
 *
 * Ten times a second the counts of candidate and live release are read. While a HOLD waits for a verdict the
 * judge sees everything since its analysis began; besides, as long as the candidate has users, a guard
 * looks at the whole rollout and at its last minute, and a FAIL there is evidence at any step.
 *
 * A request counts as hung when it was sent longer than hang_ms ago and not answered. Which requests are
 * still open is not known, only how many: whatever was sent by then and is more than all answers since the
 * base must be older (answers do not overtake: the estimate is a lower bound). */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "control/checks.h"
#include "control/environment.h"
#include "control/known.h"
#include "control/secrets.h"

enum { RING_STEPS = 200 };

static uint64_t now_ms(const struct environment *e)
{
	return env_now_ms(e->control->parts.env);
}

static uint64_t since(uint64_t now, uint64_t base)
{
	return now > base ? now - base : 0;
}

/* A cumulative number of which `base` is an earlier reading; a gateway that began anew counts from 0. */
#define SINCE(field) since(now->field, same_life ? base->field : 0)

static void fill_counts(const struct router_counters *now, const struct router_counters *base,
			struct judge_counts *to)
{
	bool same_life = now->life == base->life;
	memset(to, 0, sizeof *to);
	to->requests = SINCE(started);
	to->errors[JUDGE_ERROR_SERVER] = SINCE(status_5xx);
	to->errors[JUDGE_ERROR_TIMEOUT] = SINCE(failed_timeout);
	to->errors[JUDGE_ERROR_CONNECT] = SINCE(failed_connect) + SINCE(no_backend);
	to->errors[JUDGE_ERROR_RESET] = SINCE(failed_reset) + SINCE(failed_answer);
	to->errors[JUDGE_ERROR_OVERLOAD] = SINCE(queue_full) + SINCE(queue_timeout);
	uint64_t broken = to->errors[JUDGE_ERROR_TIMEOUT] + to->errors[JUDGE_ERROR_CONNECT] +
			  to->errors[JUDGE_ERROR_RESET] + to->errors[JUDGE_ERROR_OVERLOAD];
	to->answered = since(SINCE(answered), broken);
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		to->latency[i] = SINCE(first_us[i]);
}

/* The newest sample that is at least `age_ms` old; NULL when the past does not reach so far. */
static const struct counts_sample *sample_before(const struct counts_track *track, uint64_t now,
						 uint64_t age_ms)
{
	for (uint32_t i = 1; i <= track->ring_count; i++) {
		const struct counts_sample *s =
			&track->ring[(track->ring_next + ANALYSIS_RING - i) % ANALYSIS_RING];
		if (now >= s->at_ms + age_ms)
			return s;
	}
	return NULL;
}

static uint64_t hung(const struct counts_track *track, const struct router_counters *base,
		     uint64_t now, uint64_t hang_ms)
{
	const struct counts_sample *then = hang_ms ? sample_before(track, now, hang_ms) : NULL;
	if (!then || then->life != track->now.life || then->started < base->started)
		return 0;
	/* What was cancelled by its client, or ended otherwise, has been answered for. */
	uint64_t sent = then->started - (track->now.life == base->life ? base->started : 0);
	uint64_t over =
		since(track->now.answered, track->now.life == base->life ? base->answered : 0);
	uint64_t lost = since(track->now.lost, track->now.life == base->life ? base->lost : 0);
	return since(sent, over + lost);
}

void analysis_counts(const struct counts_track *track, const struct router_counters *base,
		     struct judge_counts *ret_counts)
{
	fill_counts(&track->now, base, ret_counts);
}

/* A release that the router does not know (any more) keeps the counts that were read last. */
static void read_track(struct environment *e, struct counts_track *track)
{
	struct router *router = e->control->parts.router;
	struct router_counters counters;
	struct digest id;
	struct error err;
	if (release_id_empty(&track->id))
		return;
	memcpy(id.bytes, track->id.bytes, sizeof id.bytes);
	if (router->ops->counters(router, e->app, e->name, &id, &counters, &err) < 0)
		return;
	if (!track->present || counters.life != track->now.life) {
		const struct router_counters anew = {.life = counters.life};
		track->base = track->present ? anew : counters;
		if (track->began.life != counters.life) {
			track->began = track->began.life != 0 ? anew : counters;
			e->analysis.began_unsaved = true;
		}
		track->ring_count = track->ring_next = 0;
	}
	track->now = counters;
	track->present = true;
}

void analysis_read(struct environment *e)
{
	read_track(e, &e->analysis.fresh);
	read_track(e, &e->analysis.live);
}

static void keep_sample(struct counts_track *track, uint64_t now)
{
	const struct router_counters *c = &track->now;
	track->ring[track->ring_next] =
		(struct counts_sample){.at_ms = now,
				       .life = c->life,
				       .started = c->started,
				       .answered = c->answered,
				       .completed = c->completed,
				       .status_5xx = c->status_5xx,
				       .timeouts = c->failed_timeout,
				       .connects = c->failed_connect + c->no_backend,
				       .resets = c->failed_reset + c->failed_answer,
				       .overloads = c->queue_full + c->queue_timeout};
	track->ring_next = (track->ring_next + 1) % ANALYSIS_RING;
	if (track->ring_count < ANALYSIS_RING)
		track->ring_count++;
}

/* The counts of the last minute: differences of samples, without latencies (those the whole window has). */
static bool recent_counts(const struct counts_track *track, uint64_t now, struct judge_counts *to)
{
	const struct counts_sample *then = sample_before(track, now, ANALYSIS_RECENT_MS);
	const struct router_counters *c = &track->now;
	memset(to, 0, sizeof *to);
	if (!then || then->life != c->life)
		return false;
	to->requests = since(c->started, then->started);
	to->errors[JUDGE_ERROR_SERVER] = since(c->status_5xx, then->status_5xx);
	to->errors[JUDGE_ERROR_TIMEOUT] = since(c->failed_timeout, then->timeouts);
	to->errors[JUDGE_ERROR_CONNECT] = since(c->failed_connect + c->no_backend, then->connects);
	to->errors[JUDGE_ERROR_RESET] = since(c->failed_reset + c->failed_answer, then->resets);
	to->errors[JUDGE_ERROR_OVERLOAD] = since(c->queue_full + c->queue_timeout, then->overloads);
	uint64_t broken = to->errors[JUDGE_ERROR_TIMEOUT] + to->errors[JUDGE_ERROR_CONNECT] +
			  to->errors[JUDGE_ERROR_RESET] + to->errors[JUDGE_ERROR_OVERLOAD];
	to->answered = since(since(c->answered, then->answered), broken);
	return true;
}

static void apply_rules(struct environment *e, const struct judge_rules *rules,
			const struct router_counters *fresh_base,
			const struct router_counters *live_base, struct judge_result *result)
{
	static struct judge_window window;
	struct analysis *a = &e->analysis;
	memset(&window, 0, sizeof window);
	if (a->fresh.present) {
		fill_counts(&a->fresh.now, fresh_base, &window.new_release);
		window.new_release.errors[JUDGE_ERROR_HUNG] =
			hung(&a->fresh, fresh_base, now_ms(e), rules->hang_ms);
	}
	if (a->live.present)
		fill_counts(&a->live.now, live_base, &window.live_release);
	judge_rules_apply(rules, &window, result);
}

static void apply_recent(struct environment *e, const struct judge_rules *rules,
			 struct judge_result *result)
{
	static struct judge_window window;
	struct analysis *a = &e->analysis;
	struct judge_rules errors_only = *rules;
	memset(&window, 0, sizeof window);
	errors_only.latency_count = 0;
	result->verdict = JUDGE_VERDICT_TOO_LITTLE;
	if (!a->fresh.present || !recent_counts(&a->fresh, now_ms(e), &window.new_release))
		return;
	if (a->live.present)
		recent_counts(&a->live, now_ms(e), &window.live_release);
	judge_rules_apply(&errors_only, &window, result);
}

static const char SOURCE_CHECK[] = "check";

static void send_evidence(struct environment *e, enum verdict verdict, bool guard,
			  const char *sentence, const char *source, const char *said)
{
	const struct analysis *a = &e->analysis;
	struct active_rollout *r = e->active;
	struct rollout_event event = {.kind = EVENT_EVIDENCE,
				      .step = guard ? r->state.cursor : a->step,
				      .attempt = guard ? r->state.attempt : a->attempt,
				      .verdict = verdict,
				      .guard = guard,
				      .check = strcmp(source, SOURCE_CHECK) == 0};
	struct turn_note note = {.sentence = sentence, .source = source, .said = said};
	environment_event(e, &event, &note);
}

/* --- the shadow's answers: what the mirror counted, as if it were a window of the candidate's own */
static void judge_shadow(struct environment *e, const struct judge_rules *rules,
			 uint32_t min_samples, struct judge_result *result)
{
	static struct judge_window window;
	struct analysis *a = &e->analysis;
	const struct router_counters *now = &a->fresh.now, *base = &a->fresh.base;
	bool same_life = now->life == base->life;
	struct judge_rules errors_only = *rules;
	memset(&window, 0, sizeof window);
	errors_only.latency_count = 0;
	if (min_samples > errors_only.errors.at_least)
		errors_only.errors.at_least = min_samples;
	if (a->fresh.present) {
		window.new_release.requests = SINCE(shadow_sent);
		window.new_release.answered = SINCE(shadow_2xx) + SINCE(shadow_3xx) +
					      SINCE(shadow_4xx) + SINCE(shadow_5xx);
		window.new_release.errors[JUDGE_ERROR_SERVER] = SINCE(shadow_5xx);
		window.new_release.errors[JUDGE_ERROR_RESET] = SINCE(shadow_failed);
	}
	if (a->live.present)
		fill_counts(&a->live.now, &a->live.base, &window.live_release);
	judge_rules_apply(&errors_only, &window, result);
}

static void on_checked(void *context, bool passed, const char *sentence, const char *said)
{
	struct environment *e = context;
	struct analysis *a = &e->analysis;
	a->check_run = 0;
	if (!a->running || !e->active)
		return;
	if (!passed) {
		a->running = false;
		send_evidence(e, VERDICT_FAIL, false, sentence, SOURCE_CHECK, said);
		return;
	}
	a->checks_passed = true;
	text_copy(a->result.sentence, sizeof a->result.sentence, sentence);
}

static void start_checks(struct environment *e)
{
	static const struct check_listener listener = {.secret = secrets_give_check,
						       .base = known_of_check,
						       .found = known_keep_check,
						       .done = on_checked};
	static struct check_request request;
	struct analysis *a = &e->analysis;
	struct check_runner *runner = e->control->parts.checks;
	struct error err;
	int result = checks_request(e, a->step, &request, &err);
	if (result == ERR_RETRY)
		return; /* none is ready just now: at the next tick again */
	if (result < 0) {
		a->running = false;
		send_evidence(e, VERDICT_FAIL, false, err.text, SOURCE_CHECK, "");
	} else if (request.count == 0) {
		a->checks_passed = true;
	} else if (runner->ops->start(runner, &request, &listener, e, &a->check_run, &err) < 0) {
		log_event(LOG_WARNING, "control.check", "environment=%s error=\"%s\"", e->key,
			  err.text);
	}
}

void analysis_begin(struct environment *e, uint32_t step, uint32_t attempt)
{
	struct analysis *a = &e->analysis;
	struct active_rollout *r = e->active;
	if (!r || step >= r->plan.step_count ||
	    (a->running && a->step == step && a->attempt == attempt))
		return;
	analysis_cancel(e);
	a->running = true;
	a->step = step;
	a->attempt = attempt;
	a->wants = r->plan.steps[step].analyses;
	a->checks_passed = false;
	a->result = (struct judge_result){0};
	analysis_read(e);
	a->fresh.base = a->fresh.now;
	a->live.base = a->live.now;
	judging_step(e, step);
	kayenta_judging_step(e);
}

void analysis_cancel(struct environment *e)
{
	struct analysis *a = &e->analysis;
	struct check_runner *runner = e->control->parts.checks;
	if (a->check_run)
		runner->ops->cancel(runner, a->check_run);
	a->check_run = 0;
	a->running = false;
}

void analysis_rollout_began(struct environment *e)
{
	analysis_cancel(e);
	/* Whose counts they are does not change when the candidate becomes the live release. */
	struct digest old;
	e->analysis.fresh = (struct counts_track){.id = e->active->candidate.id};
	e->analysis.live = (struct counts_track){0};
	if (digest_parse(e->active->old_hex, &old))
		memcpy(e->analysis.live.id.bytes, old.bytes, sizeof old.bytes);
	e->analysis.result = (struct judge_result){0};
	judging_began(e);
	kayenta_judging_began(e);
}

/* Long enough steps of the ring that hang_ms and the last minute both fit into it. */
static void sample(struct environment *e, const struct judge_rules *rules)
{
	struct analysis *a = &e->analysis;
	uint64_t now = now_ms(e);
	uint64_t reach = rules->hang_ms > ANALYSIS_RECENT_MS ? rules->hang_ms : ANALYSIS_RECENT_MS;
	uint64_t every = reach / RING_STEPS;
	if (now - a->sampled_ms < every)
		return;
	a->sampled_ms = now;
	if (a->fresh.present)
		keep_sample(&a->fresh, now);
	if (a->live.present)
		keep_sample(&a->live, now);
}

static bool has_rules(const struct judge_rules *rules)
{
	return rules->on && (rules->errors.on || rules->latency_count > 0);
}

/* One sick instance is replaced, and the step goes on waiting. */
static void replace_sick(struct environment *e)
{
	char instance[INSTANCE_ID_SIZE];
	struct judge_result result;
	const struct judge *judge = judging_judge(e);
	if (!judge || judge_sick(judge) < 0 || e->control->degraded)
		return;
	judge_decide(judge, &result);
	if (!judging_replace(e, instance))
		return;
	struct turn_note note = {
		.action = "replace", .reason = instance, .sentence = result.sentence};
	struct rollout_event event = {.kind = EVENT_TICK};
	environment_event(e, &event, &note);
	if (!e->control->degraded) /* it is committed */
		instances_replace(e, instance);
}

/* The verdict of the method that the release asks for. False, and nothing set: it is judged by rules alone. */
static bool by_statistics(const struct environment *e, struct judge_result *ret_result)
{
	const struct judge *judge = judging_judge(e);
	if (judge)
		judge_decide(judge, ret_result);
	return judge || kayenta_judging_decide(e, ret_result);
}

/* Whatever the step waits for: a release that is shown to be bad goes back at once. */
static bool guard_fails(struct environment *e, const struct judge_rules *rules)
{
	struct analysis *a = &e->analysis;
	struct judge_result result = {.verdict = JUDGE_VERDICT_PASS};
	by_statistics(e, &result);
	if (result.verdict != JUDGE_VERDICT_FAIL)
		measuring_fails(e, &result);
	bool counted = a->fresh.present && a->fresh.now.started != a->fresh.began.started;
	if (result.verdict != JUDGE_VERDICT_FAIL && has_rules(rules) && counted) {
		apply_rules(e, rules, &a->fresh.began, &a->live.began, &result);
		if (result.verdict != JUDGE_VERDICT_FAIL)
			apply_recent(e, rules, &result);
	}
	if (result.verdict != JUDGE_VERDICT_FAIL)
		return false;
	a->result = result;
	a->running = false;
	send_evidence(e, VERDICT_FAIL, true, result.sentence, "judge", "");
	return true;
}

/* A pass needs both: that the statistics have shown it to be fine, and that every plain rule there is holds. */
static void judge_live(struct environment *e, const struct judge_rules *rules,
		       struct judge_result *result)
{
	struct analysis *a = &e->analysis;
	struct judge_result judged;
	bool judges = by_statistics(e, &judged);
	if (has_rules(rules) || !judges)
		apply_rules(e, rules, &a->fresh.base, &a->live.base, result);
	if (judges && result->verdict == JUDGE_VERDICT_PASS)
		*result = judged;
}

static void judge_hold(struct environment *e, const struct judge_rules *rules)
{
	struct analysis *a = &e->analysis;
	struct active_rollout *r = e->active;
	const struct plan_step *step = &r->plan.steps[a->step];
	struct judge_result result = {.verdict = JUDGE_VERDICT_PASS};
	if (a->wants & ANALYSIS_CHECKS && !a->checks_passed) {
		if (!a->check_run)
			start_checks(e);
		return;
	}
	if (a->wants & ANALYSIS_SHADOW)
		judge_shadow(e, rules, step->min_samples, &result);
	if (result.verdict == JUDGE_VERDICT_PASS && a->wants & ANALYSIS_LIVE)
		judge_live(e, rules, &result);
	if (result.sentence[0])
		a->result = result;
	if (result.verdict == JUDGE_VERDICT_FAIL) {
		a->running = false;
		send_evidence(e, VERDICT_FAIL, false, result.sentence, "judge", "");
	} else if (result.verdict == JUDGE_VERDICT_PASS && r->state.held_ms >= step->for_ms) {
		/* A pass is that of the whole step: it is given when the step's time is over. */
		a->running = false;
		send_evidence(e, VERDICT_PASS, false, a->result.sentence, "judge", "");
	}
}

void analysis_tick(struct environment *e)
{
	struct active_rollout *r = e->active;
	struct judge_rules rules;
	judging_watch(e);
	if (!r || !r->candidate.config || rollout_terminal(&r->state))
		return;
	analysis_read(e);
	if (e->analysis.began_unsaved)
		e->persisted_ms = 0; /* the next tick commits it */
	if (r->state.status != ROLLOUT_RUNNING && r->state.status != ROLLOUT_PAUSED)
		return;
	if (r->plan.urgent)
		return; /* a person went back: no count may undo that */
	release_judge_rules(r->candidate.config, &rules);
	sample(e, &rules);
	replace_sick(e);
	kayenta_judging_tick(e);
	if (rules.on && guard_fails(e, &rules))
		return;
	if (e->analysis.running && r->state.status == ROLLOUT_RUNNING &&
	    e->analysis.step == r->state.cursor && e->analysis.attempt == r->state.attempt)
		judge_hold(e, &rules);
}
