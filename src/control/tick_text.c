/* SPDX-License-Identifier: Apache-2.0
 * tick_text - see tick_text.h for the contract: how lines are written. Read they are in tick_read.c. */
#include "control/tick_text.h"

#include <jansson.h>
#include <string.h>

#include "base/text.h"

static const char *const error_keys[JUDGE_ERROR_COUNT] = {
	[JUDGE_ERROR_SERVER] = "5xx",         [JUDGE_ERROR_TIMEOUT] = "timeouts",
	[JUDGE_ERROR_CONNECT] = "connects",   [JUDGE_ERROR_RESET] = "resets",
	[JUDGE_ERROR_OVERLOAD] = "overloads", [JUDGE_ERROR_HUNG] = "hung"};

static json_t *metric_to_json(const struct judge_metric_settings *m)
{
	const struct judge_proportion_settings *p = &m->proportion;
	return json_pack("{s:s, s:b, s:f, s:f, s:f, s:b, s:b, s:b, s:f, s:f, s:f, s:f, s:f}",
			 "name", m->name, "gates", m->gates, "weight", m->weight, "scale", m->scale,
			 "slack_us", m->slack_us, "common", p->common, "counts", p->counts, "fewer",
			 p->fewer, "ratio", p->ratio, "points", p->points, "fine_ratio",
			 p->fine_ratio, "fine_share", p->fine_share, "at_once", p->at_once);
}

static json_t *mean_to_json(const struct judge_mean_settings *m)
{
	return json_pack("{s:s, s:i, s:b, s:f, s:f}", "name", m->name, "unit", (int)m->unit,
			 "fewer", m->fewer, "weight", m->weight, "ratio", m->ratio);
}

static void put_line(struct buf *to, json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(17));
	ASSERT(text);
	buf_puts(to, text);
	free(text);
	json_decref(o);
}

void tick_text_begin(struct buf *to, const struct tick_text_head *head,
		     const struct judge_settings *s)
{
	json_t *metrics = json_array(), *means = json_array(), *classes = json_array();
	for (uint32_t m = 0; m < JUDGE_METRIC_COUNT; m++)
		json_array_append_new(metrics, metric_to_json(&s->metrics[m]));
	for (uint32_t i = 0; i < JUDGE_MEANS; i++)
		json_array_append_new(means, mean_to_json(&s->means[i]));
	for (uint32_t i = 0; i < head->class_count; i++)
		json_array_append_new(classes, json_string(head->classes[i]));
	put_line(to, json_pack("{s:s, s:I, s:s, s:s, s:f, s:f, s:f, s:f, s:I, s:I, s:o, s:o, s:o}",
			       "davit", "ticks/1", "rollout", (json_int_t)head->rollout, "new",
			       head->new_tag, "live", head->live_tag, "alpha", s->alpha, "beta",
			       s->beta, "trouble", s->trouble, "phi_least", s->phi_least,
			       "warm_requests", (json_int_t)s->warm_requests, "warm_ms",
			       (json_int_t)s->warm_ms, "classes", classes, "metrics", metrics,
			       "means", means));
}

static void put_number(json_t *o, const char *key, uint64_t number)
{
	if (number > 0)
		json_object_set_new(o, key, json_integer((json_int_t)number));
}

static json_t *arm_to_json(const struct judge_arm *arm)
{
	json_t *o = json_object();
	put_number(o, "n", arm->requests);
	for (uint32_t c = 0; c < JUDGE_ERROR_COUNT; c++)
		put_number(o, error_keys[c], arm->errors[c]);
	put_number(o, "4xx", arm->refused);
	put_number(o, "repeated", arm->repeated);
	put_number(o, "hangs", arm->hangs);
	if (arm->slot_count == 0)
		return o;
	json_t *slots = json_array();
	for (uint32_t i = 0; i < arm->slot_count; i++) {
		json_array_append_new(slots, json_integer(arm->slots[i].bucket));
		json_array_append_new(slots, json_integer(arm->slots[i].count));
	}
	json_object_set_new(o, "us", slots);
	return o;
}

static void put_members(json_t *o, const char *key, const struct judge_member *members,
			uint32_t count)
{
	if (count == 0)
		return;
	json_t *list = json_array();
	for (uint32_t i = 0; i < count; i++) {
		json_array_append_new(list, json_integer((json_int_t)members[i].requests));
		json_array_append_new(list, json_integer((json_int_t)members[i].errors));
	}
	json_object_set_new(o, key, list);
}

static json_t *extras_to_json(const struct judge_tick *tick)
{
	json_t *extras = json_array();
	bool some = false;
	for (uint32_t i = 0; i < JUDGE_EXTRAS; i++) {
		const struct judge_table *t = &tick->extras[i];
		some |= t->new_requests + t->live_requests + t->new_events + t->live_events > 0;
		json_array_append_new(extras, json_pack("[I, I, I, I]", (json_int_t)t->new_requests,
							(json_int_t)t->new_events,
							(json_int_t)t->live_requests,
							(json_int_t)t->live_events));
	}
	if (some)
		return extras;
	json_decref(extras);
	return NULL;
}

/* A row for each mean up to the last one that there is a batch of: empty, or requests, mean and variance of both. */
static void put_means(json_t *o, const struct judge_tick *tick)
{
	uint32_t count = JUDGE_MEANS;
	while (count > 0 && tick->means[count - 1].new_release.requests == 0 &&
	       tick->means[count - 1].live_release.requests == 0)
		count--;
	if (count == 0)
		return;
	json_t *rows = json_array();
	for (uint32_t i = 0; i < count; i++) {
		const struct normal_batch *a = &tick->means[i].new_release,
					  *b = &tick->means[i].live_release;
		json_array_append_new(
			rows, a->requests + b->requests == 0
				      ? json_array()
				      : json_pack("[I, f, f, I, f, f]", (json_int_t)a->requests,
						  a->mean, a->variance, (json_int_t)b->requests,
						  b->mean, b->variance));
	}
	json_object_set_new(o, "means", rows);
}

static void put_division(json_t *o, const struct sample_ratio_tick *d)
{
	if (d->weight_bp > 0)
		json_object_set_new(o, "divided",
				    json_pack("[I, I, I, I, I]", (json_int_t)d->weight_bp,
					      (json_int_t)d->new_done, (json_int_t)d->live_done,
					      (json_int_t)d->new_open, (json_int_t)d->live_open));
}

void tick_text_tick(struct buf *to, const struct judge_tick *tick)
{
	json_t *o = json_object(), *new_arms = json_array(), *live_arms = json_array();
	json_object_set_new(o, "ms", json_integer(tick->elapsed_ms));
	for (uint32_t s = 0; s < tick->cell_count; s++) {
		json_array_append_new(new_arms, arm_to_json(&tick->cells[s].new_release));
		json_array_append_new(live_arms, arm_to_json(&tick->cells[s].live_release));
	}
	json_object_set_new(o, "new", new_arms);
	json_object_set_new(o, "live", live_arms);
	put_members(o, "new_members", tick->new_members, tick->new_count);
	put_members(o, "live_members", tick->live_members, tick->live_count);
	json_t *extras = extras_to_json(tick);
	if (extras)
		json_object_set_new(o, "extras", extras);
	put_means(o, tick);
	put_division(o, &tick->division);
	put_line(to, o);
}

void tick_text_mark(struct buf *to, enum tick_text_line what, uint32_t number)
{
	static const char *const names[] = {
#define X(name, text) text,
		TICK_TEXT_LINES(X)
#undef X
	};
	json_t *o = json_pack("{s:s}", "mark", names[what]);
	put_number(o, "number", number);
	put_line(to, o);
}
