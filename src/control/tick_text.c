/* SPDX-License-Identifier: Apache-2.0
 * tick_text - see tick_text.h for the contract. */
#include "control/tick_text.h"

#include <jansson.h>
#include <string.h>

#include "base/text.h"

static const char *const error_keys[JUDGE_ERROR_COUNT] = {[JUDGE_ERROR_SERVER] = "5xx",
							  [JUDGE_ERROR_TIMEOUT] = "timeouts",
							  [JUDGE_ERROR_CONNECT] = "connects",
							  [JUDGE_ERROR_RESET] = "resets",
							  [JUDGE_ERROR_HUNG] = "hung"};

/* --- write */

static json_t *metric_to_json(const struct judge_metric_settings *m)
{
	const struct judge_proportion_settings *p = &m->proportion;
	return json_pack("{s:s, s:b, s:f, s:f, s:b, s:b, s:b, s:f, s:f, s:f, s:f}", "name", m->name,
			 "gates", m->gates, "weight", m->weight, "scale", m->scale, "common",
			 p->common, "counts", p->counts, "fewer", p->fewer, "ratio", p->ratio,
			 "points", p->points, "fine_ratio", p->fine_ratio, "fine_share",
			 p->fine_share);
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
	json_t *metrics = json_array(), *classes = json_array();
	for (uint32_t m = 0; m < JUDGE_METRIC_COUNT; m++)
		json_array_append_new(metrics, metric_to_json(&s->metrics[m]));
	for (uint32_t i = 0; i < head->class_count; i++)
		json_array_append_new(classes, json_string(head->classes[i]));
	put_line(to, json_pack("{s:s, s:I, s:s, s:s, s:f, s:f, s:f, s:f, s:I, s:I, s:o, s:o}",
			       "davit", "ticks/1", "rollout", (json_int_t)head->rollout, "new",
			       head->new_tag, "live", head->live_tag, "alpha", s->alpha, "beta",
			       s->beta, "trouble", s->trouble, "phi_least", s->phi_least,
			       "warm_requests", (json_int_t)s->warm_requests, "warm_ms",
			       (json_int_t)s->warm_ms, "classes", classes, "metrics", metrics));
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
		some |= t->new_requests + t->live_requests > 0;
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
	put_line(to, o);
}

void tick_text_mark(struct buf *to, const char *mark)
{
	buf_printf(to, "{\"mark\":\"%s\"}", mark);
}

/* --- read */

static int refuse(struct error *err, const char *what)
{
	return error_set(err, ERR_INVALID, "This is not a line of ticks: %s.", what);
}

static double real(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static uint64_t whole(const json_t *o, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(o, key));
	return value > 0 ? (uint64_t)value : 0;
}

static bool metric_from_json(const json_t *o, struct judge_metric_settings *m)
{
	const char *name = json_string_value(json_object_get(o, "name"));
	struct judge_proportion_settings *p = &m->proportion;
	*m = (struct judge_metric_settings){.gates = json_is_true(json_object_get(o, "gates")),
					    .weight = real(o, "weight"),
					    .scale = real(o, "scale")};
	*p = (struct judge_proportion_settings){
		.common = json_is_true(json_object_get(o, "common")),
		.counts = json_is_true(json_object_get(o, "counts")),
		.fewer = json_is_true(json_object_get(o, "fewer")),
		.ratio = real(o, "ratio"),
		.points = real(o, "points"),
		.fine_ratio = real(o, "fine_ratio"),
		.fine_share = real(o, "fine_share")};
	if (!name || !text_copy(m->name, sizeof m->name, name))
		return false;
	return m->name[0] == '\0' ||
	       (p->ratio >= 1 && p->ratio <= 20 && p->points >= 0 && p->points <= 1 &&
		p->fine_ratio > 1 && p->fine_ratio <= 1000 && p->fine_share >= 0 &&
		p->fine_share < 1 && m->weight > 0 && m->weight <= 1000 && m->scale >= 0 &&
		m->scale <= 1000);
}

static int read_head(struct tick_text_reader *reader, const json_t *o, struct error *err)
{
	static struct judge_settings settings;
	const json_t *metrics = json_object_get(o, "metrics"),
		     *classes = json_object_get(o, "classes");
	settings = (struct judge_settings){.alpha = real(o, "alpha"),
					   .beta = real(o, "beta"),
					   .trouble = real(o, "trouble"),
					   .warm_requests = (uint32_t)whole(o, "warm_requests"),
					   .warm_ms = (uint32_t)whole(o, "warm_ms"),
					   .phi_least = real(o, "phi_least")};
	if (settings.phi_least < 1)
		settings.phi_least = 1;
	if (strcmp(json_string_value(json_object_get(o, "davit")), "ticks/1") != 0)
		return refuse(err, "it is of a version that this davit does not know");
	if (!(settings.alpha > 0 && settings.alpha < 1 && settings.beta > 0 && settings.beta < 1))
		return refuse(err, "alpha and beta are shares between 0 and 1");
	if (json_array_size(metrics) != JUDGE_METRIC_COUNT)
		return refuse(err, "it has another number of metrics than this davit");
	for (uint32_t m = 0; m < JUDGE_METRIC_COUNT; m++)
		if (!metric_from_json(json_array_get(metrics, m), &settings.metrics[m]))
			return refuse(err, "a metric's settings are out of their ranges");
	if (settings.metrics[JUDGE_METRIC_ERRORS].name[0] == '\0')
		return refuse(err, "errors are not judged");
	reader->class_count = (uint32_t)json_array_size(classes);
	if (reader->class_count > JUDGE_STRATA_MAX)
		return refuse(err, "it has too many classes");
	for (uint32_t i = 0; i < reader->class_count; i++) {
		const char *name = json_string_value(json_array_get(classes, i));
		text_copy(reader->classes[i], sizeof reader->classes[i], name ? name : "");
	}
	if (reader->adjust)
		reader->adjust(reader->context, &settings);
	judge_begin(reader->judge, &settings);
	reader->begun = true;
	return 0;
}

static int read_arm(struct tick_text_reader *reader, const json_t *o, uint32_t *used,
		    struct judge_arm *arm, struct error *err)
{
	const json_t *slots = json_object_get(o, "us");
	*arm = (struct judge_arm){.requests = whole(o, "n"),
				  .refused = whole(o, "4xx"),
				  .repeated = whole(o, "repeated"),
				  .hangs = whole(o, "hangs"),
				  .slots = &reader->slots[*used]};
	for (uint32_t c = 0; c < JUDGE_ERROR_COUNT; c++)
		arm->errors[c] = whole(o, error_keys[c]);
	for (size_t i = 0; i + 1 < json_array_size(slots); i += 2) {
		json_int_t bucket = json_integer_value(json_array_get(slots, i));
		json_int_t count = json_integer_value(json_array_get(slots, i + 1));
		if (bucket < 0 || bucket >= HISTOGRAM_BUCKETS || count < 0 || count > UINT32_MAX ||
		    *used == TICK_TEXT_SLOTS_MAX)
			return refuse(err, "\"us\" is pairs of a bucket and a count");
		reader->slots[(*used)++] =
			(struct judge_slot){.bucket = (uint32_t)bucket, .count = (uint32_t)count};
		arm->slot_count++;
	}
	return 0;
}

static uint32_t read_members(const json_t *list, struct judge_member *members)
{
	uint32_t count = 0;
	for (size_t i = 0; i + 1 < json_array_size(list) && count < JUDGE_INSTANCES_MAX; i += 2) {
		json_int_t n = json_integer_value(json_array_get(list, i));
		json_int_t x = json_integer_value(json_array_get(list, i + 1));
		members[count++] = (struct judge_member){.requests = n > 0 ? (uint64_t)n : 0,
							 .errors = x > 0 ? (uint64_t)x : 0};
	}
	return count;
}

static void read_extras(const json_t *extras, struct judge_tick *tick)
{
	for (uint32_t i = 0; i < JUDGE_EXTRAS && i < json_array_size(extras); i++) {
		uint64_t v[4];
		const json_t *row = json_array_get(extras, i);
		for (size_t k = 0; k < 4; k++) {
			json_int_t value = json_integer_value(json_array_get(row, k));
			v[k] = value > 0 ? (uint64_t)value : 0;
		}
		tick->extras[i] = (struct judge_table){.new_requests = v[0] > v[1] ? v[0] : v[1],
						       .new_events = v[1],
						       .live_requests = v[2] > v[3] ? v[2] : v[3],
						       .live_events = v[3]};
	}
}

static int read_tick(struct tick_text_reader *reader, const json_t *o, struct error *err)
{
	const json_t *new_arms = json_object_get(o, "new"), *live_arms = json_object_get(o, "live");
	struct judge_tick *tick = &reader->tick;
	uint32_t used = 0;
	size_t count = json_array_size(new_arms);
	uint64_t elapsed = whole(o, "ms");
	if (count == 0 || count > JUDGE_STRATA_MAX || json_array_size(live_arms) != count)
		return refuse(err, "\"new\" and \"live\" are lists of one entry per class");
	*tick = (struct judge_tick){.elapsed_ms =
					    elapsed < UINT32_MAX ? (uint32_t)elapsed : UINT32_MAX,
				    .cell_count = (uint32_t)count};
	for (uint32_t s = 0; s < count; s++) {
		int result = read_arm(reader, json_array_get(new_arms, s), &used,
				      &tick->cells[s].new_release, err);
		if (result == 0)
			result = read_arm(reader, json_array_get(live_arms, s), &used,
					  &tick->cells[s].live_release, err);
		if (result < 0)
			return result;
	}
	read_extras(json_object_get(o, "extras"), tick);
	tick->new_count = read_members(json_object_get(o, "new_members"), tick->new_members);
	tick->live_count = read_members(json_object_get(o, "live_members"), tick->live_members);
	judge_tick(reader->judge, tick);
	reader->ticked = true;
	return 0;
}

static int read_line(struct tick_text_reader *reader, const json_t *o, struct error *err)
{
	static const char REPLACE[] = "replace ";
	const char *mark = json_string_value(json_object_get(o, "mark"));
	uint64_t place;
	if (json_is_string(json_object_get(o, "davit")))
		return read_head(reader, o, err);
	if (!reader->begun)
		return refuse(err, "the first line must say how it is judged");
	if (!mark)
		return read_tick(reader, o, err);
	if (strcmp(mark, "step") == 0)
		judge_step(reader->judge);
	else if (strcmp(mark, "warm") == 0)
		judge_warm_up(reader->judge);
	else if (text_starts(mark, REPLACE) &&
		 text_parse_u64(mark + strlen(REPLACE), JUDGE_INSTANCES_MAX, &place))
		judge_replace(reader->judge, (uint32_t)place);
	return 0;
}

int tick_text_feed(struct tick_text_reader *reader, const char *line, size_t size,
		   struct error *err)
{
	json_error_t json_error;
	json_t *o = json_loadb(line, size, JSON_REJECT_DUPLICATES, &json_error);
	reader->ticked = false;
	int result = json_is_object(o) ? read_line(reader, o, err)
				       : refuse(err, o ? "it is no object" : json_error.text);
	json_decref(o);
	return result;
}
