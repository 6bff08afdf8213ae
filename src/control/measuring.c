/* SPDX-License-Identifier: Apache-2.0
 * measuring - see measuring.h for the contract. */
#include "control/measuring.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "control/environment.h"
#include "control/kpis.h"
#include "control/migration.h"
#include "provider/metrics.h"

enum {
	LOOK_MS = 1000,
	CPU_RULE_MS = 10000,
	LOAD_LEAST = 4,   /* a new instance has at least a quarter of the requests of a live one */
	STALE_MS = 10000, /* what no tick has taken for so long is of no moment any more */
	PUSHES_MAX = 256,
};

/* What the router counts of an instance. */
struct requests {
	bool known;
	uint64_t life, answered;
};

/* One instance of one of both releases. */
struct measured {
	struct environment *environment;
	char id[INSTANCE_ID_SIZE]; /* "" = this place is free */
	char address[INSTANCE_ADDRESS_SIZE];
	bool new_release, seen;
	uint64_t looked_ms;
	uint32_t crashes;
	uint64_t log_errors;
	struct requests requests;
	/* Of one life: */
	uint32_t restarts;
	int32_t pid;
	enum runtime_source cpu_source;
	uint64_t cpu_us;
	bool rule_runs; /* it has been ready since rule_ms, by this source */
	uint64_t rule_ms, rule_cpu_us;
	/* What it counts of itself, and when that was: */
	uint64_t scrape;
	int scrape_code;
	uint32_t page_restarts;
	int32_t page_pid;
	struct requests page_requests;
	struct kpi_page page;
};

struct measuring {
	struct metrics *metrics; /* or NULL */
	bool runs;               /* a rollout is judged */
	uint64_t looked_ms, asked_ms, batch_ms, taken_ms;
	struct measured instances[MEASURING_INSTANCES_MAX];
	struct judge_table crashes, log_errors;
	enum runtime_source cpu_source, memory_source; /* of the batch */
	struct judge_samples cpu[2], memory[2];        /* of the live release, of the new one */
	struct kpis kpis;
	struct judge_result broken;                /* by `cpu` or `memory` */
	char pushes[PUSHES_MAX][CONTROL_WHO_SIZE]; /* request ids */
	uint32_t push_next;
};

static struct measuring *measuring_of(struct environment *e)
{
	if (!e->measuring) {
		e->measuring = mem_zero(1, sizeof *e->measuring);
		e->measuring->metrics = e->control->parts.metrics;
	}
	return e->measuring;
}

static void leave(struct measuring *m, struct measured *w)
{
	if (w->scrape)
		m->metrics->ops->cancel(m->metrics, w->scrape);
	*w = (struct measured){0};
}

void measuring_free(struct measuring *m)
{
	for (size_t i = 0; m && i < MEASURING_INSTANCES_MAX; i++)
		leave(m, &m->instances[i]);
	free(m);
}

static const struct app_analysis *analysis_of(const struct environment *e)
{
	return &e->active->candidate.config->environment.analysis;
}

/* --- who is measured */

/* NULL: none. */
static const char *live_hex(const struct environment *e)
{
	const struct release_info *live = environment_release(e, e->core.stable);
	return e->active ? e->active->old_hex : live ? live->hex : NULL;
}

static struct measured *measured_of(struct environment *e, const struct instance_status *s)
{
	struct measuring *m = e->measuring;
	struct measured *place = NULL;
	const char *live = live_hex(e);
	bool fresh = e->active && strcmp(s->release, e->active->candidate.hex) == 0;
	if (!instance_of(e, s) || migration_instance(s) ||
	    !(fresh || (live && strcmp(s->release, live) == 0)))
		return NULL;
	for (size_t i = 0; i < MEASURING_INSTANCES_MAX; i++) {
		struct measured *w = &m->instances[i];
		if (strcmp(w->id, s->id) == 0) {
			w->new_release = fresh;
			return w;
		}
		place = !place && !w->id[0] ? w : place;
	}
	if (!place || s->state == INSTANCE_EXITED)
		return NULL;
	place->environment = e;
	place->new_release = fresh;
	text_copy(place->id, sizeof place->id, s->id);
	return place;
}

static struct requests requests_of(const struct router_backend_counters *counters, const char *id)
{
	for (uint32_t i = 0; i < counters->count; i++)
		if (strcmp(counters->backends[i].instance, id) == 0)
			return (struct requests){.known = true,
						 .life = counters->backends[i].life,
						 .answered = counters->backends[i].answered};
	return (struct requests){0};
}

/* Of the release with this id; none where the router does not know it. */
static void read_requests(struct environment *e, const char *hex,
			  struct router_backend_counters *to)
{
	struct router *router = e->control->parts.router;
	struct digest id;
	struct error ignored;
	to->count = 0;
	if (digest_parse(hex, &id) &&
	    router->ops->backend_counters(router, e->app, e->name, &id, to, &ignored) < 0)
		to->count = 0;
}

/* -1: not known. */
static int64_t more_requests(const struct requests *now, const struct requests *before)
{
	if (!now->known || !before->known || now->life != before->life ||
	    now->answered < before->answered)
		return -1;
	return (int64_t)(now->answered - before->answered);
}

/* --- a look, once a second */

static void count_events(struct measuring *m, struct measured *w, const struct instance_status *s,
			 const struct requests *requests, uint64_t now)
{
	uint32_t crashes = instance_crashes(s);
	int64_t answered = more_requests(requests, &w->requests);
	uint64_t elapsed = now - w->looked_ms;
	uint64_t errors = s->log_errors >= w->log_errors ? s->log_errors - w->log_errors : 0;
	uint64_t ends = crashes > w->crashes ? crashes - w->crashes : 0;
	struct judge_table *c = &m->crashes, *l = &m->log_errors;
	if (w->looked_ms == 0)
		return;
	*(w->new_release ? &c->new_requests : &c->live_requests) += elapsed;
	*(w->new_release ? &c->new_events : &c->live_events) += ends;
	if (s->traffic && answered < 0)
		return;
	*(w->new_release ? &l->new_requests : &l->live_requests) +=
		answered > 0 ? (uint64_t)answered : 0;
	*(w->new_release ? &l->new_events : &l->live_events) += errors;
}

static void break_rule(struct measuring *m, const char *rule, const struct measured *w,
		       enum judge_unit unit, double has, double most)
{
	struct judge_line line = {.to = m->broken.sentence, .size = sizeof m->broken.sentence};
	bool share = unit == JUDGE_UNIT_NUMBER;
	m->broken.verdict = JUDGE_VERDICT_FAIL;
	text_copy(m->broken.rule, sizeof m->broken.rule, rule);
	judge_line_put(&line, rule);
	judge_line_put(&line, ": the instance ");
	judge_line_put(&line, w->id);
	judge_line_put(&line, " of the new release uses ");
	judge_unit_put(&line, unit, share ? has * 100 : has);
	judge_line_put(&line, share ? "%, more than the " : ", more than the ");
	judge_unit_put(&line, unit, share ? most * 100 : most);
	judge_line_put(&line, share ? "% allowed" : " allowed");
}

static uint32_t capacity_milli(const struct environment *e, const struct instance_status *s,
			       const struct runtime_usage *usage)
{
	const struct app_environment *env = &e->active->candidate.config->environment;
	for (uint32_t i = 0; i < env->process_count; i++)
		if (strcmp(env->processes[i].name, s->process) == 0 &&
		    env->processes[i].limits.cpu_milli > 0)
			return env->processes[i].limits.cpu_milli;
	return usage->machine_milli;
}

static void check_cpu(struct environment *e, struct measured *w, const struct instance_status *s,
		      const struct runtime_usage *usage, bool same)
{
	const struct app_cpu_rule *rule = &analysis_of(e)->cpu;
	double most = (double)rule->max_bp / SHARE_FULL_BP;
	double capacity = capacity_milli(e, s, usage) / 1000.0;
	if (!same || s->state != INSTANCE_READY || !w->rule_runs) {
		w->rule_runs = s->state == INSTANCE_READY && usage->cpu_source != RUNTIME_UNKNOWN;
		w->rule_ms = usage->at_ms;
		w->rule_cpu_us = usage->cpu_us;
		return;
	}
	if (usage->at_ms < w->rule_ms + CPU_RULE_MS)
		return;
	double used = (double)(usage->cpu_us - w->rule_cpu_us) / 1000 /
		      (double)(usage->at_ms - w->rule_ms);
	w->rule_runs = false;
	if (rule->max_bp > 0 && capacity > 0 && used > most * capacity)
		break_rule(e->measuring, "cpu", w, JUDGE_UNIT_NUMBER, used / capacity, most);
}

static void measure_cpu(struct environment *e, struct measured *w, const struct instance_status *s,
			const struct requests *requests, const struct runtime_usage *usage)
{
	struct measuring *m = e->measuring;
	int64_t answered = more_requests(requests, &w->requests);
	bool same = w->looked_ms > 0 && w->restarts == s->restarts && w->pid == s->pid &&
		    w->cpu_source == usage->cpu_source && usage->cpu_us >= w->cpu_us &&
		    usage->cpu_source != RUNTIME_UNKNOWN;
	if (w->new_release)
		check_cpu(e, w, s, usage, same);
	if (m->cpu_source == RUNTIME_UNKNOWN)
		m->cpu_source = usage->cpu_source;
	if (same && s->traffic && answered >= 0 && usage->cpu_source == m->cpu_source)
		judge_samples_add(&m->cpu[w->new_release], (double)answered,
				  (double)(usage->cpu_us - w->cpu_us));
	w->cpu_source = usage->cpu_source;
	w->cpu_us = usage->cpu_us;
}

static void measure_memory(struct environment *e, struct measured *w,
			   const struct instance_status *s, const struct runtime_usage *usage)
{
	struct measuring *m = e->measuring;
	uint64_t most = analysis_of(e)->memory.max_bytes;
	if (usage->memory_source == RUNTIME_UNKNOWN)
		return;
	if (w->new_release && most > 0 && usage->memory_bytes > most)
		break_rule(m, "memory", w, JUDGE_UNIT_BYTES, (double)usage->memory_bytes,
			   (double)most);
	if (m->memory_source == RUNTIME_UNKNOWN)
		m->memory_source = usage->memory_source;
	if (s->traffic && s->state == INSTANCE_READY && usage->memory_source == m->memory_source)
		judge_samples_add(&m->memory[w->new_release], 1, (double)usage->memory_bytes);
}

static bool is_judged(uint32_t set, enum app_analysis_state state)
{
	return set != 0 && state == APP_ANALYSIS_ON;
}

static const struct runtime_usage *usage_of(const struct runtime_usage *usages, size_t count,
					    const char *id)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(usages[i].id, id) == 0)
			return &usages[i];
	return NULL;
}

static void look_at(struct environment *e, struct measured *w, const struct instance_status *s,
		    const struct requests *requests, const struct runtime_usage *usage)
{
	uint64_t now = env_now_ms(e->control->parts.env);
	count_events(e->measuring, w, s, requests, now);
	if (usage && is_judged(analysis_of(e)->cpu.set, analysis_of(e)->cpu.state))
		measure_cpu(e, w, s, requests, usage);
	if (usage && is_judged(analysis_of(e)->memory.set, analysis_of(e)->memory.state))
		measure_memory(e, w, s, usage);
	w->seen = s->state != INSTANCE_EXITED;
	w->looked_ms = now;
	w->crashes = instance_crashes(s);
	w->log_errors = s->log_errors;
	w->requests = *requests;
	w->restarts = s->restarts;
	w->pid = s->pid;
	bool answers = s->state == INSTANCE_READY || s->state == INSTANCE_DRAINING;
	text_copy(w->address, sizeof w->address, s->traffic && answers ? s->address : "");
}

static bool wants_usage(const struct environment *e)
{
	return e->measuring->runs &&
	       (is_judged(analysis_of(e)->cpu.set, analysis_of(e)->cpu.state) ||
		is_judged(analysis_of(e)->memory.set, analysis_of(e)->memory.state));
}

static void look(struct environment *e)
{
	static struct router_backend_counters fresh, live;
	struct measuring *m = e->measuring;
	struct runtime *runtime = e->control->parts.runtime;
	const struct instance_status *list;
	const struct runtime_usage *usages = NULL;
	size_t used = wants_usage(e) ? runtime->ops->measure(runtime, &usages) : 0;
	size_t count = runtime->ops->observe(runtime, &list);
	if (env_now_ms(e->control->parts.env) > m->taken_ms + STALE_MS)
		m->crashes = m->log_errors = (struct judge_table){0};
	read_requests(e, e->active ? e->active->candidate.hex : "", &fresh);
	read_requests(e, live_hex(e) ? live_hex(e) : "", &live);
	for (size_t i = 0; i < MEASURING_INSTANCES_MAX; i++)
		m->instances[i].seen = false;
	for (size_t i = 0; i < count; i++) {
		struct measured *w = measured_of(e, &list[i]);
		if (!w)
			continue;
		struct requests requests = requests_of(w->new_release ? &fresh : &live, w->id);
		look_at(e, w, &list[i], &requests, usage_of(usages, used, w->id));
	}
	for (size_t i = 0; i < MEASURING_INSTANCES_MAX; i++)
		if (m->instances[i].id[0] && !m->instances[i].seen)
			leave(m, &m->instances[i]);
}

/* --- pages */

static const struct instance_status *status_of(const struct environment *e, const char *id)
{
	struct runtime *runtime = e->control->parts.runtime;
	const struct instance_status *list;
	size_t count = runtime->ops->observe(runtime, &list);
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].id, id) == 0)
			return &list[i];
	return NULL;
}

static void on_page(void *context, const struct metrics_answer *answer)
{
	static struct router_backend_counters counters;
	struct measured *w = context;
	struct environment *e = w->environment;
	const struct instance_status *s = status_of(e, w->id);
	w->scrape = 0;
	if (answer->code < 0 && answer->code != w->scrape_code)
		log_event(LOG_WARNING, "measuring.scrape", "instance=%s error=\"%s\"", w->id,
			  answer->sentence);
	w->scrape_code = answer->code;
	if (answer->code < 0 || !s || !e->active || !e->measuring->runs)
		return;
	read_requests(e, s->release, &counters);
	struct requests requests = requests_of(&counters, w->id);
	if (w->page_restarts != s->restarts || w->page_pid != s->pid)
		w->page.known = false;
	kpis_page(&e->measuring->kpis, analysis_of(e), w->new_release, answer,
		  more_requests(&requests, &w->page_requests), &w->page);
	w->page_restarts = s->restarts;
	w->page_pid = s->pid;
	w->page_requests = requests;
}

/* All at once, so that releases are compared at the same moments. One that refuses is asked the next time. */
static void ask_pages(struct environment *e, uint64_t now)
{
	struct measuring *m = e->measuring;
	const struct app_analysis *analysis = analysis_of(e);
	const char *selectors[METRICS_SELECTORS_MAX];
	struct metrics_request request = {.path = analysis->scrape.path, .selectors = selectors};
	struct error ignored;
	if (now < m->asked_ms + analysis->scrape.interval_ms)
		return;
	m->asked_ms = now;
	request.selector_count = kpis_selectors(analysis, selectors);
	for (size_t i = 0; i < MEASURING_INSTANCES_MAX; i++) {
		struct measured *w = &m->instances[i];
		if (!w->address[0] || w->scrape)
			continue;
		request.address = w->address;
		if (m->metrics->ops->scrape(m->metrics, &request, on_page, w, &w->scrape,
					    &ignored) < 0)
			w->scrape = 0;
	}
}

/* --- what the control calls */

void measuring_began(struct environment *e)
{
	struct measuring *m = measuring_of(e);
	measuring_ended(e);
	m->runs = e->active->candidate.config && analysis_of(e)->state == APP_ANALYSIS_ON &&
		  strcmp(e->active->candidate.hex, e->active->old_hex) != 0;
	m->batch_ms = env_now_ms(e->control->parts.env);
}

void measuring_ended(struct environment *e)
{
	struct measuring *m = measuring_of(e);
	m->runs = false;
	m->broken = (struct judge_result){0};
	kpis_begin(&m->kpis);
	for (size_t i = 0; i < MEASURING_INSTANCES_MAX; i++) {
		struct measured *w = &m->instances[i];
		if (w->scrape)
			m->metrics->ops->cancel(m->metrics, w->scrape);
		w->scrape = 0;
		w->page.known = w->rule_runs = false;
		w->cpu_source = RUNTIME_UNKNOWN;
	}
}

void measuring_watch(struct environment *e)
{
	struct measuring *m = measuring_of(e);
	uint64_t now = env_now_ms(e->control->parts.env);
	if (!e->active && m->runs)
		measuring_ended(e);
	if (now >= m->looked_ms + LOOK_MS) {
		m->looked_ms = now;
		look(e);
	}
	if (m->runs && m->metrics && analysis_of(e)->kpi_count > 0)
		ask_pages(e, now);
}

/* Are the instances of both releases busy enough to be compared? */
static bool comparable(const struct judge_samples cpu[2])
{
	return LOAD_LEAST * cpu[true].n * cpu[false].count >= cpu[false].n * cpu[true].count;
}

static void take_batch(struct measuring *m, struct judge_tick *tick)
{
	if (comparable(m->cpu))
		tick->means[JUDGE_MEAN_CPU] = (struct judge_mean_batch){
			judge_samples_batch(&m->cpu[true]), judge_samples_batch(&m->cpu[false])};
	tick->means[JUDGE_MEAN_MEMORY] = (struct judge_mean_batch){
		judge_samples_batch(&m->memory[true]), judge_samples_batch(&m->memory[false])};
	kpis_batch(&m->kpis, tick);
	memset(m->cpu, 0, sizeof m->cpu);
	memset(m->memory, 0, sizeof m->memory);
	m->cpu_source = m->memory_source = RUNTIME_UNKNOWN;
}

void measuring_take(struct environment *e, struct judge_tick *tick)
{
	struct measuring *m = measuring_of(e);
	uint64_t now = env_now_ms(e->control->parts.env);
	tick->extras[JUDGE_EXTRA_CRASHES] = m->crashes;
	tick->extras[JUDGE_EXTRA_LOG_ERRORS] = m->log_errors;
	m->crashes = m->log_errors = (struct judge_table){0};
	m->taken_ms = now;
	kpis_take(&m->kpis, tick);
	if (!m->runs || now < m->batch_ms + MEASURING_BATCH_MS)
		return;
	m->batch_ms = now;
	take_batch(m, tick);
}

bool measuring_fails(const struct environment *e, struct judge_result *ret_result)
{
	const struct measuring *m = e->measuring;
	if (!m || !m->runs)
		return false;
	if (m->broken.verdict == JUDGE_VERDICT_FAIL) {
		*ret_result = m->broken;
		return true;
	}
	return kpis_broken(&m->kpis, analysis_of(e), ret_result);
}

/* --- what somebody else counts */

static bool is_release(const char *text, const char *hex, const char *tag)
{
	return strcmp(text, tag) == 0 || (strlen(text) >= 8 && text_starts(hex, text));
}

static bool pushed_before(struct measuring *m, const char *request_id)
{
	for (uint32_t i = 0; request_id[0] && i < PUSHES_MAX; i++)
		if (strcmp(m->pushes[i], request_id) == 0)
			return true;
	if (request_id[0])
		text_copy(m->pushes[m->push_next++ % PUSHES_MAX], CONTROL_WHO_SIZE, request_id);
	return false;
}

static int check_push(const struct app_kpi *kpi, const struct control_kpi *push, struct error *err)
{
	bool mean = kpi->set & APP_KPI_SUM;
	if (mean != push->has_sum || mean == push->has_of)
		return error_set(err, ERR_INVALID,
				 mean ? "\"%s\" is a mean: send \"count\" and \"sum\"."
				      : "\"%s\" needs \"count\" and \"of\".",
				 kpi->name);
	if (kpi->set & APP_KPI_OF && push->count > push->of)
		return error_set(err, ERR_INVALID,
				 "\"%s\" is a share: \"count\" is not greater than \"of\".",
				 kpi->name);
	return 0;
}

int measuring_push(struct environment *e, const char *request_id, const struct control_kpi *push,
		   bool *ret_counted, struct error *err)
{
	struct measuring *m = measuring_of(e);
	uint32_t i = 0;
	*ret_counted = false;
	if (!m->runs)
		return 0;
	const struct app_analysis *analysis = analysis_of(e);
	const struct release_info *candidate = &e->active->candidate;
	const struct release_info *live = environment_release(e, e->core.stable);
	bool fresh = is_release(push->release, candidate->hex, candidate->tag);
	if (!fresh && !(live && is_release(push->release, live->hex, live->tag)) &&
	    !is_release(push->release, e->active->old_hex, ""))
		return error_set(err, ERR_NOT_FOUND,
				 "\"%s\" is neither the release that is tried nor the live one.",
				 push->release);
	while (i < analysis->kpi_count && strcmp(analysis->kpis[i].name, push->name) != 0)
		i++;
	if (i == analysis->kpi_count)
		return error_set(err, ERR_NOT_FOUND, "davit.yaml of %s has no kpi \"%s\".",
				 candidate->tag, push->name);
	int result = check_push(&analysis->kpis[i], push, err);
	if (result < 0)
		return result;
	*ret_counted = true;
	if (pushed_before(m, request_id))
		return 0;
	if (push->has_sum)
		kpis_add(&m->kpis, analysis, i, fresh, push->sum, (double)push->count);
	else
		kpis_add(&m->kpis, analysis, i, fresh, (double)push->count, (double)push->of);
	return 0;
}
