/* SPDX-License-Identifier: Apache-2.0
 * json_postmortem - the facts of a post-mortem as davit.v1/postmortem. See json.h. */
#include <string.h>

#include "api/json.h"

static json_t *whole(uint64_t number)
{
	return json_integer((json_int_t)number);
}

/* Texts from outside may be cut in the middle of a character. */
static json_t *text(const char *from)
{
	json_t *value = json_string(from);
	return value ? value : json_string("(not UTF-8)");
}

static void set(json_t *o, const char *key, const char *value)
{
	json_object_set_new(o, key, text(value));
}

static void count(json_t *o, const char *key, uint64_t value)
{
	json_object_set_new(o, key, whole(value));
}

static json_t *release_of(const struct postmortem_release *r)
{
	json_t *o = json_object();
	set(o, "release", r->id);
	set(o, "tag", r->tag);
	set(o, "artifact", r->artifact);
	set(o, "config", r->config);
	if (r->commit[0]) {
		set(o, "commit", r->commit);
		set(o, "author", r->author);
		set(o, "subject", r->subject);
	}
	return o;
}

static json_t *traffic_of(const struct postmortem_traffic *t)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "requests", whole(t->requests), "errors",
			 whole(t->errors), "p50_us", whole(t->p50_us), "p99_us", whole(t->p99_us));
}

static json_t *impact_of(const struct postmortem *p)
{
	json_t *o = json_object();
	count(o, "first_exposed_unix_ms", p->exposed_unix_ms);
	count(o, "exposed_ms", p->exposed_ms);
	count(o, "weight_most_bp", p->weight_most_bp);
	json_object_set_new(o, "exposure_minutes", json_real(p->exposure_minutes));
	json_object_set_new(o, "counted", json_boolean(p->counted));
	json_object_set_new(o, "bad", traffic_of(&p->new_traffic));
	json_object_set_new(o, "live", traffic_of(&p->live_traffic));
	json_object_set_new(o, "expected_errors",
			    p->expected >= 0 ? json_real(p->expected) : json_null());
	return o;
}

static json_t *detection_of(const struct postmortem *p)
{
	const struct postmortem_ticks *t = &p->ticks;
	json_t *o = json_object();
	set(o, "by", postmortem_finder_text(p->finder));
	count(o, "verdict_unix_ms", p->verdict_unix_ms);
	set(o, "evidence", p->verdict);
	set(o, "step", p->step);
	if (!t->failed)
		return o;
	set(o, "metric", t->metric);
	count(o, "first_bad_tick_ms", t->first_bad_ms);
	count(o, "verdict_ms", t->failed_ms);
	count(o, "time_to_detect_ms", t->failed_ms - t->first_bad_ms);
	count(o, "requests_until_bad", t->requests_until_bad);
	count(o, "requests_until_verdict", t->requests_until_failed);
	return o;
}

static json_t *timeline_of(const struct postmortem *p)
{
	json_t *list = json_array();
	for (uint32_t i = 0; i < p->line_count; i++) {
		const struct postmortem_line *l = &p->lines[i];
		json_t *o = json_object();
		set(o, "event", l->event);
		count(o, "at_unix_ms", l->at_unix_ms);
		set(o, "who", l->by_person ? "a person" : "davit");
		set(o, "what", l->what);
		set(o, "text", l->text);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *changes_of(const struct postmortem *p)
{
	json_t *list = json_array();
	for (uint32_t i = 0; i < p->change_count; i++) {
		const struct postmortem_change *c = &p->changes[i];
		json_t *o = json_object();
		set(o, "key", c->key);
		if (!c->hidden) {
			set(o, "before", c->from);
			set(o, "after", c->to);
		}
		json_object_set_new(o, "hidden", json_boolean(c->hidden));
		json_array_append_new(list, o);
	}
	return list;
}

/* null: what lies between is not known. */
static json_t *commits_of(const struct postmortem *p)
{
	json_t *list = p->commits_known ? json_array() : json_null();
	for (uint32_t i = 0; p->commits_known && i < p->commit_count; i++) {
		const struct postmortem_commit *c = &p->commits[i];
		json_t *o = json_object();
		set(o, "commit", c->id);
		count(o, "committed_unix_ms", c->committed_unix_ms);
		json_object_set_new(o, "merge", json_boolean(c->merge));
		set(o, "subject", c->subject);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *series_of(const struct postmortem_ticks *t)
{
	json_t *o = json_object(), *bins = json_array(), *bands = json_array();
	for (uint32_t i = 0; i < t->bin_count; i++) {
		const struct postmortem_bin *b = &t->bins[i];
		json_array_append_new(
			bins, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:f}", "new_requests",
					whole(b->new_requests), "new_errors", whole(b->new_errors),
					"live_requests", whole(b->live_requests), "live_errors",
					whole(b->live_errors), "new_p99_us", whole(b->new_p99_us),
					"live_p99_us", whole(b->live_p99_us), "odds", b->odds));
	}
	for (uint32_t i = 0; i < t->band_count; i++) {
		json_t *band = json_object();
		count(band, "at_ms", t->bands[i].at_ms);
		count(band, "weight_bp", t->bands[i].weight_bp);
		set(band, "label", t->bands[i].label);
		json_array_append_new(bands, band);
	}
	count(o, "total_ms", t->total_ms);
	count(o, "each_ms", t->bin_ms);
	json_object_set_new(o, "fails_at", json_real(t->fails_at));
	json_object_set_new(o, "steps", bands);
	json_object_set_new(o, "values", bins);
	return o;
}

static json_t *review_of(const struct postmortem *p)
{
	const struct postmortem_ticks *t = &p->ticks;
	char longer[POSTMORTEM_TEXT_SIZE];
	json_t *o = json_object(), *list = json_array();
	for (uint32_t i = 0; i < t->replay_count; i++) {
		const struct postmortem_replay *r = &t->replays[i];
		json_t *row = json_object();
		set(row, "judged", r->what);
		json_object_set_new(row, "caught", json_boolean(r->failed));
		count(row, "at_ms", r->at_ms);
		count(row, "requests", r->requests);
		count(row, "errors", r->errors);
		set(row, "step", r->band < t->band_count ? t->bands[r->band].label : "");
		json_array_append_new(list, row);
	}
	postmortem_longer_step(p, longer);
	json_object_set_new(o, "replays", list);
	set(o, "longer_steps", longer);
	return o;
}

static json_t *summary_of(const struct postmortem *p)
{
	char sentences[3][2 * POSTMORTEM_TEXT_SIZE];
	json_t *list = json_array();
	postmortem_summary(p, sentences);
	for (uint32_t i = 0; i < 3; i++)
		json_array_append_new(list, text(sentences[i]));
	return list;
}

json_t *json_of_postmortem(const struct postmortem *p)
{
	char due[16];
	json_t *o = json_object(), *response = json_object();
	set(o, "schema", "davit.v1/postmortem");
	count(o, "rollout", p->number);
	set(o, "app", p->app);
	set(o, "environment", p->environment);
	set(o, "kind", p->kind);
	set(o, "strategy", p->strategy);
	set(o, "outcome", p->state);
	set(o, "severity_proposed", postmortem_severity(p));
	set(o, "review_due", postmortem_review_due(p, due));
	count(o, "started_unix_ms", p->started_unix_ms);
	count(o, "ended_unix_ms", p->ended_unix_ms);
	set(o, "audit_hash", p->chain);
	json_object_set_new(o, "bad", release_of(&p->bad));
	json_object_set_new(o, "back_on", release_of(&p->back));
	json_object_set_new(o, "summary", summary_of(p));
	json_object_set_new(o, "impact", impact_of(p));
	json_object_set_new(o, "detection", detection_of(p));
	count(response, "verdict_to_zero_ms", p->zero_ms);
	count(response, "zero_to_validated_ms", p->validated_ms);
	json_object_set_new(o, "response", response);
	json_object_set_new(o, "timeline", timeline_of(p));
	json_object_set_new(o, "changes", changes_of(p));
	json_object_set_new(o, "commits", commits_of(p));
	json_object_set_new(o, "commits_more",
			    json_boolean(p->commits_cut || p->commits_left_out > 0));
	json_object_set_new(o, "series", p->ticks.known ? series_of(&p->ticks) : json_null());
	json_object_set_new(o, "gate_review", review_of(p));
	return o;
}
