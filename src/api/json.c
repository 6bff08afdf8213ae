/* SPDX-License-Identifier: Apache-2.0
 * json - see json.h for the contract. */
#include "api/json.h"

#include <stdlib.h>
#include <string.h>

#include "api/http.h"
#include "base/buf.h"
#include "control/view_judge.h"

enum { REAL_DIGITS = 6, PLAIN_MARKS_MAX = 20000 };

static void put(json_t *object, const char *key, const char *text)
{
	json_t *value = json_string(text);
	/* jansson takes UTF-8 only; whatever else came in is shown as what it is: nothing readable. */
	json_object_set_new(object, key, value ? value : json_string("(not UTF-8)"));
}

static void put_number(json_t *object, const char *key, uint64_t value)
{
	json_object_set_new(object, key, json_integer((json_int_t)value));
}

static void put_bool(json_t *object, const char *key, bool value)
{
	json_object_set_new(object, key, json_boolean(value));
}

static json_t *release_name(const struct view_release *r)
{
	json_t *o = json_object();
	put(o, "release", r->release);
	put(o, "tag", r->tag);
	return o;
}

static json_t *release_or_null(const struct view_release *r, bool live, bool warm)
{
	if (!r->release[0])
		return json_null();
	json_t *o = release_name(r);
	put_number(o, "weight_bp", r->weight_bp);
	if (live) {
		put_number(o, "since_unix_ms", r->since_unix_ms);
		put(o, "by", r->by);
	}
	if (warm)
		put_number(o, "left_ms", r->left_ms);
	return o;
}

static json_t *traffic(const struct view_traffic *t)
{
	json_t *o = json_object();
	put_number(o, "requests", t->requests);
	put_number(o, "errors", t->errors);
	put_number(o, "share_bp", t->share_bp);
	put_number(o, "p50_us", t->p50_us);
	put_number(o, "p99_us", t->p99_us);
	put_number(o, "in_flight", t->in_flight);
	return o;
}

static json_t *class(const struct view_class *c)
{
	json_t *o = json_object();
	put(o, "name", c->name);
	put_number(o, "requests", c->requests);
	put_number(o, "errors", c->errors);
	put_number(o, "repeated", c->repeated);
	put_number(o, "overloaded", c->overloaded);
	put_number(o, "in_flight", c->in_flight);
	return o;
}

static json_t *instance(const struct view_instance *i)
{
	json_t *o = json_object();
	put(o, "id", i->id);
	put(o, "process", i->process);
	put_number(o, "slot", i->slot);
	put(o, "release", i->release);
	put(o, "tag", i->tag);
	put(o, "state", i->state);
	put_number(o, "pid", (uint64_t)i->pid);
	put(o, "address", i->address);
	put_number(o, "restarts", i->restarts);
	put_number(o, "log_errors", i->log_errors);
	put_number(o, "ready_ms", i->ready_ms);
	put(o, "probe", i->probe);
	put_number(o, "requests", i->requests);
	put_number(o, "errors", i->errors);
	put_number(o, "in_flight", i->in_flight);
	return o;
}

static json_t *certificate(const struct view_certificate *c)
{
	json_t *o = json_object();
	if (!c->state[0]) {
		json_decref(o);
		return json_null();
	}
	put(o, "state", c->state);
	put(o, "text", c->text);
	put_number(o, "until_unix_ms", c->until_unix_ms);
	put_number(o, "due_unix_ms", c->due_unix_ms);
	return o;
}

json_t *json_of_environment(const struct view_environment *e)
{
	json_t *o = json_object(), *list = json_array(), *classes = json_array(),
	       *rollout = json_null();
	put(o, "app", e->app);
	put(o, "name", e->name);
	put(o, "listen", e->listen);
	put(o, "host", e->host);
	put(o, "state", e->state);
	json_object_set_new(o, "live", release_or_null(&e->live, true, false));
	json_object_set_new(o, "candidate", release_or_null(&e->candidate, false, false));
	json_object_set_new(o, "warm", release_or_null(&e->warm, false, true));
	if (e->rollout) {
		rollout = json_object();
		put_number(rollout, "number", e->rollout);
		put(rollout, "state", e->rollout_state);
		put_number(rollout, "step", e->rollout_step);
		put_number(rollout, "steps", e->rollout_steps);
		put(rollout, "label", e->rollout_label);
	}
	json_object_set_new(o, "rollout", rollout);
	put_bool(o, "maintenance", e->maintenance);
	put_bool(o, "read_only", e->read_only);
	put_bool(o, "applied", e->applied);
	put(o, "trouble", e->trouble);
	json_object_set_new(o, "freeze", json_of_freeze(&e->freeze));
	json_object_set_new(o, "drift", json_of_drift(&e->drift));
	json_object_set_new(o, "certificate", certificate(&e->certificate));
	json_object_set_new(o, "traffic", traffic(&e->traffic));
	for (uint32_t i = 0; i < e->class_count; i++)
		json_array_append_new(classes, class(&e->classes[i]));
	json_object_set_new(o, "classes", classes);
	for (uint32_t i = 0; i < e->instance_count; i++)
		if (!e->instances[i].log_only)
			json_array_append_new(list, instance(&e->instances[i]));
	json_object_set_new(o, "instances", list);
	return o;
}

static json_t *steps(const struct view_step *rows, uint32_t count, bool plan)
{
	json_t *list = json_array();
	for (uint32_t i = 0; i < count; i++) {
		json_t *o = json_object();
		put_number(o, "index", i);
		put(o, "op", rows[i].op);
		put(o, "label", rows[i].label);
		put(o, "text", rows[i].text);
		if (plan)
			put_number(o, "expected_ms", rows[i].expected_ms);
		else
			put(o, "state", rows[i].state);
		put_number(o, "for_ms", rows[i].for_ms);
		put_number(o, "at_most_ms", rows[i].at_most_ms);
		put_number(o, "weight_bp", rows[i].weight_bp);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *ready_of(uint32_t ready, uint32_t want)
{
	json_t *o = json_object();
	put_number(o, "ready", ready);
	put_number(o, "want", want);
	return o;
}

static void put_numbers(json_t *o, const struct view_numbers *numbers)
{
	if (!numbers->known)
		return;
	put_number(o, "held_ms", numbers->held_ms);
	if (numbers->odds > 0) {
		json_object_set_new(o, "odds", json_real(numbers->odds));
		json_object_set_new(o, "fine", json_real(numbers->fine));
	}
	json_object_set_new(o, "new", traffic(&numbers->new_traffic));
	json_object_set_new(o, "old", traffic(&numbers->old_traffic));
}

static json_t *evidence(const struct view_rollout *r)
{
	json_t *list = json_array();
	for (uint32_t i = 0; i < r->evidence_count; i++) {
		const struct view_evidence *e = &r->evidence[i];
		json_t *o = json_object();
		put_number(o, "step", e->step);
		put_number(o, "attempt", e->attempt);
		put(o, "verdict", e->verdict);
		put(o, "text", e->text);
		if (e->said[0])
			put(o, "said", e->said);
		put_number(o, "at_unix_ms", e->at_unix_ms);
		put_numbers(o, &e->numbers);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *history(const struct view_rollout *r)
{
	json_t *list = json_array();
	for (uint32_t i = 0; i < r->history_count; i++) {
		const struct view_transition *t = &r->history[i];
		json_t *o = json_object();
		put_number(o, "seq", t->seq);
		put_number(o, "at_unix_ms", t->at_unix_ms);
		put(o, "from", t->from);
		put(o, "to", t->to);
		put(o, "text", t->text);
		json_array_append_new(list, o);
	}
	return list;
}

/* Two objects of one key each, as "traffic" and "instances" are shown. */
static void put_pair(json_t *o, const char *key, json_t *new_value, json_t *old_value)
{
	json_t *pair = json_object();
	json_object_set_new(pair, "new", new_value);
	json_object_set_new(pair, "old", old_value);
	json_object_set_new(o, key, pair);
}

json_t *json_of_rollout(const struct view_rollout *r)
{
	json_t *o = json_object(), *hold = json_object(), *tail = json_array();
	put(o, "schema", "davit.v1/rollout");
	put_number(o, "number", r->number);
	put(o, "app", r->app);
	put(o, "environment", r->environment);
	put(o, "kind", r->kind);
	put(o, "strategy", r->strategy);
	put(o, "state", r->state);
	put(o, "reason", r->reason);
	put(o, "by", r->by);
	put_bool(o, "ended", r->ended);
	put_number(o, "exit_code", r->exit_code);
	json_object_set_new(o, "new", release_name(&r->new_release));
	json_object_set_new(o, "old", release_name(&r->old_release));
	put_number(o, "started_unix_ms", r->started_unix_ms);
	put_number(o, "ended_unix_ms", r->ended_unix_ms);
	put_number(o, "elapsed_ms", r->elapsed_ms);
	put_number(o, "step", r->step);
	put_number(o, "attempt", r->attempt);
	put_number(o, "plan_step", r->plan_step);
	json_object_set_new(o, "steps", steps(r->steps, r->step_count, false));
	put_pair(o, "traffic", traffic(&r->new_traffic), traffic(&r->old_traffic));
	put_number(o, "weight_bp", r->weight_bp);
	put_pair(o, "instances", ready_of(r->new_ready, r->new_want),
		 ready_of(r->old_ready, r->old_want));
	put_numbers(hold, &r->hold_numbers);
	put_number(hold, "for_ms", r->hold_for_ms);
	put_number(hold, "held_ms", r->hold_held_ms);
	put_number(hold, "at_most_ms", r->hold_at_most_ms);
	put_number(hold, "requests", r->hold_requests);
	put_number(hold, "at_least_requests", r->hold_at_least_requests);
	put_bool(hold, "judged", r->hold_judged);
	json_object_set_new(o, "hold", hold);
	json_object_set_new(o, "gate", json_of_gate(&r->gate));
	json_object_set_new(o, "infrastructure", json_of_infrastructure(&r->infrastructure));
	json_object_set_new(o, "git_tag", json_of_git_tag(&r->git_tag));
	json_object_set_new(o, "judge", view_judge_to_json(&r->judge));
	json_object_set_new(o, "evidence", evidence(r));
	json_object_set_new(o, "history", history(r));
	put_number(o, "verdict_to_zero_ms", r->verdict_to_zero_ms);
	json_object_set_new(o, "way_back", json_of_way_back(&r->way_back));
	for (uint32_t i = 0; i < r->log_line_count; i++) {
		json_t *line = json_string(r->log_tail[i]);
		json_array_append_new(tail, line ? line : json_string("(not UTF-8)"));
	}
	json_object_set_new(o, "log_tail", tail);
	put(o, "serving", r->serving);
	put(o, "why", r->why);
	put(o, "next", r->next);
	return o;
}

static json_t *supposed(const struct view_supposed *s)
{
	json_t *o = json_object();
	put_number(o, "errors_ppm", s->errors_ppm);
	put_number(o, "slow_bp", s->slow_bp);
	put_number(o, "caught_bp", s->caught_bp);
	put_number(o, "held_bp", s->held_bp);
	put_number(o, "passed_bp", s->passed_bp);
	put_number(o, "after_requests", s->after_requests);
	put_number(o, "exposed_requests", s->exposed_requests);
	put_number(o, "failed_requests", s->failed_requests);
	return o;
}

static json_t *proposal(const struct view_proposal *p)
{
	json_t *o = json_object();
	put_number(o, "errors_ppm", p->errors_ppm);
	put_bool(o, "found", p->found);
	put(o, "sentence", p->sentence);
	put(o, "yaml", p->yaml);
	put_number(o, "good_ms", p->good_ms);
	json_object_set_new(o, "supposed", p->found ? supposed(&p->supposed) : json_null());
	return o;
}

static json_t *forecast(const struct view_forecast *f)
{
	json_t *o = json_object(), *rows = json_array();
	put_number(o, "live_errors_ppm", f->live_errors_ppm);
	put_number(o, "good_ms", f->good_ms);
	json_object_set_new(o, "good", supposed(&f->good));
	for (uint32_t i = 0; i < f->supposed_count; i++)
		json_array_append_new(rows, supposed(&f->supposed[i]));
	json_object_set_new(o, "supposed", rows);
	put_number(o, "sees_ppm", f->sees_ppm);
	put_number(o, "sees_bp", VIEW_SEES_BP);
	return o;
}

json_t *json_of_plan(const struct view_plan *p)
{
	json_t *o = json_object(), *notes = json_array();
	put(o, "schema", "davit.v1/plan");
	put(o, "app", p->app);
	put(o, "environment", p->environment);
	put(o, "strategy", p->strategy);
	put(o, "hash", p->hash);
	json_object_set_new(o, "new", release_name(&p->new_release));
	json_object_set_new(o, "old", release_name(&p->old_release));
	json_object_set_new(o, "steps", steps(p->steps, p->step_count, true));
	put_number(o, "least_ms", p->least_ms);
	put_number(o, "most_ms", p->most_ms);
	put_number(o, "exposed_requests", p->exposed_requests);
	json_object_set_new(o, "requests_per_second", json_real(p->forecast.requests_per_s));
	json_object_set_new(o, "forecast",
			    p->forecast.known ? forecast(&p->forecast) : json_null());
	json_object_set_new(o, "proposal",
			    p->forecast.proposal.asked ? proposal(&p->forecast.proposal)
						       : json_null());
	for (uint32_t i = 0; i < p->note_count; i++)
		json_array_append_new(notes, json_string(p->notes[i]));
	json_object_set_new(o, "notes", notes);
	return o;
}

json_t *json_of_audit_entry(const struct store_audit_entry *e)
{
	char hex[DIGEST_HEX_SIZE];
	json_t *o = json_object();
	put_number(o, "seq", e->seq);
	put_number(o, "at_unix_ms", e->at_unix_ms);
	put(o, "who", e->who);
	put(o, "action", e->action);
	put(o, "app", e->app);
	put(o, "environment", e->environment);
	put_number(o, "rollout", e->rollout);
	put(o, "reason", e->reason);
	put(o, "evidence", e->evidence);
	put(o, "hash", digest_format(&e->hash, hex));
	return o;
}

json_t *json_of_release(const struct store_release *r)
{
	json_t *o = json_object();
	put(o, "release", r->id);
	put(o, "tag", r->tag);
	put(o, "app", r->app);
	put(o, "artifact", r->artifact);
	put(o, "config", r->config_digest);
	put_number(o, "created_unix_ms", r->created_unix_ms);
	put(o, "by", r->by);
	put_number(o, "size_bytes", r->size_bytes);
	if (r->source[0])
		put(o, "source", r->source);
	return o;
}

json_t *json_of_error(const struct error *err, const char *next)
{
	json_t *o = json_object();
	put(o, "schema", "davit.v1/error");
	put(o, "error", err_name(err->code));
	put(o, "message", err->text);
	put(o, "where", err->where);
	if (next && next[0])
		put(o, "next", next);
	return o;
}

char *json_text(json_t *object, bool line)
{
	struct buf text;
	char *dump = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS));
	ASSERT(dump);
	json_decref(object);
	buf_init(&text, 16 << 20);
	buf_puts(&text, dump);
	free(dump);
	if (line)
		buf_puts(&text, "\n");
	return buf_take(&text);
}

/* Is its tree of about the size of its text? */
static bool is_plain(const char *text, size_t size)
{
	uint32_t marks = 0;
	bool quoted = false;
	for (size_t i = 0; i < size && marks <= PLAIN_MARKS_MAX; i++) {
		if (quoted && text[i] == '\\')
			i++;
		else if (text[i] == '"')
			quoted = !quoted;
		else if (!quoted)
			marks += text[i] == ',' || text[i] == '[' || text[i] == '{';
	}
	return marks <= PLAIN_MARKS_MAX;
}

json_t *json_object_read(const char *text, size_t size, struct error *err)
{
	json_error_t where;
	if (size > HTTP_BODY_MAX && !is_plain(text, size)) {
		error_set(err, ERR_LIMIT, "The body has more values than davit takes.");
		return NULL;
	}
	json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, &where);
	if (json_is_object(object))
		return object;
	if (object)
		error_set(err, ERR_INVALID, "The body is JSON, but not an object.");
	else
		error_set(err, ERR_INVALID, "The body is not a JSON object: %s.", where.text);
	json_decref(object);
	return NULL;
}
