/* SPDX-License-Identifier: Apache-2.0
 * view_judge_json - see view_judge.h for the contract: the numbers as JSON, and back. */
#include <string.h>

#include "base/text.h"
#include "control/view_judge.h"

static void put(json_t *o, const char *key, json_t *value)
{
	json_object_set_new(o, key, value);
}

static void put_text(json_t *o, const char *key, const char *text)
{
	json_t *value = json_string(text);
	put(o, key, value ? value : json_string("(not UTF-8)"));
}

static json_t *whole(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static void put_counts(json_t *o, const struct view_counts *c, bool live)
{
	put(o, "new_events", whole(c->new_events));
	put(o, "new_requests", whole(c->new_requests));
	if (!live)
		return;
	put(o, "live_events", whole(c->live_events));
	put(o, "live_requests", whole(c->live_requests));
}

static json_t *metric_to_json(const struct view_metric *m)
{
	json_t *o = json_object();
	put_text(o, "name", m->name);
	put_text(o, "tolerance", m->tolerance);
	put(o, "gates", json_boolean(m->gates));
	put_counts(o, &m->counts, true);
	put(o, "expected", m->expected < 0 ? json_null() : json_real(m->expected));
	put(o, "evidence", json_real(m->evidence));
	put(o, "fine", json_real(m->fine));
	put(o, "share", json_real(m->share));
	put(o, "phi", json_real(m->phi));
	if (m->edge_us > 0)
		put(o, "edge_us", whole(m->edge_us));
	return o;
}

static json_t *means_to_json(const struct view_judge *v)
{
	json_t *list = json_array();
	for (uint32_t i = 0; i < v->mean_count; i++) {
		json_t *o = json_object();
		put_text(o, "name", v->means[i].name);
		put_text(o, "text", v->means[i].text);
		put(o, "evidence", json_real(v->means[i].evidence));
		put(o, "share", json_real(v->means[i].share));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *parts_to_json(const struct view_part *parts, uint32_t count, bool live)
{
	json_t *list = json_array();
	for (uint32_t i = 0; i < count; i++) {
		json_t *o = json_object();
		put_text(o, "name", parts[i].name);
		put_counts(o, &parts[i].counts, live);
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *band_to_json(const struct view_band *band)
{
	json_t *list = json_array();
	json_array_append_new(list, whole(band->low_us));
	json_array_append_new(list,
			      band->high_us == UINT64_MAX ? json_null() : whole(band->high_us));
	return list;
}

static json_t *latency_to_json(const struct view_judge *v)
{
	json_t *o = json_object();
	put(o, "new_p50_us", band_to_json(&v->new_p50));
	put(o, "live_p50_us", band_to_json(&v->live_p50));
	put(o, "new_p99_us", band_to_json(&v->new_p99));
	put(o, "live_p99_us", band_to_json(&v->live_p99));
	return o;
}

static json_t *division_to_json(const struct view_division *d)
{
	if (!d->known)
		return json_null();
	json_t *o = json_object();
	put(o, "off", json_boolean(d->off));
	put(o, "weight_bp", whole(d->weight_bp));
	put(o, "new_requests", whole(d->new_requests));
	put(o, "requests", whole(d->requests));
	put(o, "odds", json_real(d->odds));
	put(o, "phi", json_real(d->phi));
	put_text(o, "text", d->text);
	return o;
}

json_t *view_judge_to_json(const struct view_judge *v)
{
	if (!v->known)
		return json_null();
	json_t *o = json_object(), *metrics = json_array();
	for (uint32_t i = 0; i < v->metric_count; i++)
		json_array_append_new(metrics, metric_to_json(&v->metrics[i]));
	put(o, "metrics", metrics);
	put(o, "means", means_to_json(v));
	put(o, "odds", json_real(v->odds));
	put(o, "fine", json_real(v->fine));
	put(o, "alpha", json_real(v->alpha));
	put(o, "beta", json_real(v->beta));
	put(o, "passed_bp", whole(v->passed_bp));
	put(o, "live_troubled", json_boolean(v->live_troubled));
	put(o, "division", division_to_json(&v->division));
	put(o, "ratio",
	    v->ratio_known ? json_pack("{s:f,s:f,s:f}", "low", v->ratio_low, "likeliest", v->ratio,
				       "high", v->ratio_high)
			   : json_null());
	put(o, "latency", latency_to_json(v));
	put(o, "classes", parts_to_json(v->classes, v->class_count, true));
	put(o, "instances", parts_to_json(v->instances, v->instance_count, false));
	put(o, "more_requests", whole(v->more_requests));
	put(o, "more_ms", whole(v->more_ms));
	return o;
}

/* --- back */

static uint64_t whole_of(const json_t *o, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(o, key));
	return value > 0 ? (uint64_t)value : 0;
}

static double real_of(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static void take_text(const json_t *o, const char *key, char *to, size_t size)
{
	const char *text = json_string_value(json_object_get(o, key));
	text_copy(to, size, text ? text : "");
}

static struct view_counts counts_of(const json_t *o)
{
	return (struct view_counts){.new_events = whole_of(o, "new_events"),
				    .new_requests = whole_of(o, "new_requests"),
				    .live_events = whole_of(o, "live_events"),
				    .live_requests = whole_of(o, "live_requests")};
}

static void metric_from_json(const json_t *o, struct view_metric *m)
{
	*m = (struct view_metric){.gates = json_is_true(json_object_get(o, "gates")),
				  .counts = counts_of(o),
				  .expected = json_is_number(json_object_get(o, "expected"))
						      ? real_of(o, "expected")
						      : -1,
				  .evidence = real_of(o, "evidence"),
				  .fine = real_of(o, "fine"),
				  .share = real_of(o, "share"),
				  .phi = real_of(o, "phi"),
				  .edge_us = whole_of(o, "edge_us")};
	take_text(o, "name", m->name, sizeof m->name);
	take_text(o, "tolerance", m->tolerance, sizeof m->tolerance);
}

static uint32_t parts_from_json(const json_t *list, struct view_part *parts, uint32_t most)
{
	uint32_t count = 0;
	for (; count < most && count < json_array_size(list); count++) {
		const json_t *o = json_array_get(list, count);
		take_text(o, "name", parts[count].name, sizeof parts[count].name);
		parts[count].counts = counts_of(o);
	}
	return count;
}

static struct view_band band_from_json(const json_t *list)
{
	const json_t *high = json_array_get(list, 1);
	return (struct view_band){
		.low_us = (uint64_t)json_integer_value(json_array_get(list, 0)),
		.high_us = json_is_integer(high) ? (uint64_t)json_integer_value(high) : UINT64_MAX};
}

static void means_from_json(const json_t *list, struct view_judge *v)
{
	for (; v->mean_count < VIEW_MEANS_MAX && v->mean_count < json_array_size(list);
	     v->mean_count++) {
		const json_t *o = json_array_get(list, v->mean_count);
		struct view_mean *to = &v->means[v->mean_count];
		take_text(o, "name", to->name, sizeof to->name);
		take_text(o, "text", to->text, sizeof to->text);
		to->evidence = real_of(o, "evidence");
		to->share = real_of(o, "share");
	}
}

static void division_from_json(const json_t *o, struct view_division *d)
{
	d->known = json_is_object(o);
	d->off = json_is_true(json_object_get(o, "off"));
	d->weight_bp = (uint32_t)whole_of(o, "weight_bp");
	d->new_requests = whole_of(o, "new_requests");
	d->requests = whole_of(o, "requests");
	d->odds = real_of(o, "odds");
	d->phi = real_of(o, "phi");
	take_text(o, "text", d->text, sizeof d->text);
}

void view_judge_from_json(const json_t *o, struct view_judge *v)
{
	const json_t *metrics = json_object_get(o, "metrics"), *ratio = json_object_get(o, "ratio"),
		     *latency = json_object_get(o, "latency");
	memset(v, 0, sizeof *v);
	v->known = json_is_object(o);
	if (!v->known)
		return;
	v->odds = real_of(o, "odds");
	v->fine = real_of(o, "fine");
	v->alpha = real_of(o, "alpha");
	v->beta = real_of(o, "beta");
	v->passed_bp = (uint32_t)whole_of(o, "passed_bp");
	v->live_troubled = json_is_true(json_object_get(o, "live_troubled"));
	for (; v->metric_count < VIEW_METRICS_MAX && v->metric_count < json_array_size(metrics);
	     v->metric_count++)
		metric_from_json(json_array_get(metrics, v->metric_count),
				 &v->metrics[v->metric_count]);
	means_from_json(json_object_get(o, "means"), v);
	division_from_json(json_object_get(o, "division"), &v->division);
	v->ratio_known = json_is_object(ratio);
	v->ratio_low = real_of(ratio, "low");
	v->ratio = real_of(ratio, "likeliest");
	v->ratio_high = real_of(ratio, "high");
	v->new_p50 = band_from_json(json_object_get(latency, "new_p50_us"));
	v->live_p50 = band_from_json(json_object_get(latency, "live_p50_us"));
	v->new_p99 = band_from_json(json_object_get(latency, "new_p99_us"));
	v->live_p99 = band_from_json(json_object_get(latency, "live_p99_us"));
	v->class_count =
		parts_from_json(json_object_get(o, "classes"), v->classes, VIEW_CLASSES_MAX);
	v->instance_count =
		parts_from_json(json_object_get(o, "instances"), v->instances, VIEW_JUDGED_MAX);
	v->more_requests = whole_of(o, "more_requests");
	v->more_ms = whole_of(o, "more_ms");
}
