/* SPDX-License-Identifier: Apache-2.0
 * tick_read - see tick_text.h for the contract: how lines are read. They may have been written by hand. */
#include <jansson.h>
#include <string.h>

#include "base/text.h"
#include "control/tick_text.h"

static const char *const error_keys[JUDGE_ERROR_COUNT] = {
	[JUDGE_ERROR_SERVER] = "5xx",         [JUDGE_ERROR_TIMEOUT] = "timeouts",
	[JUDGE_ERROR_CONNECT] = "connects",   [JUDGE_ERROR_RESET] = "resets",
	[JUDGE_ERROR_OVERLOAD] = "overloads", [JUDGE_ERROR_HUNG] = "hung"};

enum { PHI_MOST = 1000 };
static const double MEAN_LEAST = 0.01, MEAN_MOST = 20;
static const json_int_t MEAN_OVER_MOST = 1000000000000;

static int refuse(struct error *err, const char *what)
{
	return error_set(err, ERR_INVALID, "This is not a line of ticks: %s.", what);
}

static int refuse_key(struct error *err, const char *key, const char *what)
{
	return error_set(err, ERR_INVALID, "This is not a line of ticks: \"%s\" is not %s.", key,
			 what);
}

/* 0 where it is missing. */
static int take_whole(const json_t *o, const char *key, uint64_t most, uint64_t *to,
		      struct error *err)
{
	const json_t *value = json_object_get(o, key);
	json_int_t number = json_integer_value(value);
	*to = 0;
	if (value && (!json_is_integer(value) || number < 0 || (uint64_t)number > most))
		return error_set(err, ERR_INVALID,
				 "This is not a line of ticks: \"%s\" is not a whole number from 0 "
				 "to %llu.",
				 key, (unsigned long long)most);
	*to = (uint64_t)number;
	return 0;
}

/* What is missing stays as it is. */
static int take_share(const json_t *o, const char *key, double *to, struct error *err)
{
	const json_t *value = json_object_get(o, key);
	double number = json_number_value(value);
	if (!value)
		return 0;
	if (!(number > 0 && number < 1))
		return refuse_key(err, key, "a share between 0 and 1");
	*to = number;
	return 0;
}

/* "" where it is missing. It is shown on terminals. */
static int take_name(const json_t *value, const char *key, char *to, size_t size, struct error *err)
{
	const char *text = json_string_value(value);
	to[0] = '\0';
	if (!value || (text && strlen(text) == json_string_length(value) &&
		       text_is_printable(text) && text_copy(to, size, text)))
		return 0;
	return refuse_key(err, key, "a short text without control characters");
}

static double real(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static bool is_latency(uint32_t metric)
{
	return metric >= JUDGE_METRIC_LATENCY && metric < JUDGE_METRIC_LATENCY + JUDGE_LATENCIES;
}

static int read_metric(const json_t *o, uint32_t metric, struct judge_metric_settings *m,
		       struct error *err)
{
	struct judge_proportion_settings *p = &m->proportion;
	*m = (struct judge_metric_settings){.gates = json_is_true(json_object_get(o, "gates")),
					    .weight = real(o, "weight"),
					    .scale = real(o, "scale"),
					    .slack_us = real(o, "slack_us")};
	*p = (struct judge_proportion_settings){
		.common = json_is_true(json_object_get(o, "common")),
		.counts = json_is_true(json_object_get(o, "counts")),
		.fewer = json_is_true(json_object_get(o, "fewer")),
		.ratio = real(o, "ratio"),
		.points = real(o, "points"),
		.fine_ratio = real(o, "fine_ratio"),
		.fine_share = real(o, "fine_share"),
		.at_once = real(o, "at_once")};
	int result = take_name(json_object_get(o, "name"), "name", m->name, sizeof m->name, err);
	if (result < 0 || m->name[0] == '\0')
		return result;
	bool fine = p->ratio >= 1 && p->ratio <= 20 && p->points >= 0 && p->points <= 1 &&
		    p->fine_ratio > 1 && p->fine_ratio <= 1000 && p->fine_share >= 0 &&
		    p->fine_share < 1 && p->at_once >= 0 && p->at_once <= 1 && m->weight > 0 &&
		    m->weight <= 1000 && m->slack_us >= 0 && m->slack_us <= 1e9 &&
		    (is_latency(metric) ? m->scale >= 1 && m->scale <= 1000 : m->scale >= 0);
	return fine ? 0
		    : error_set(err, ERR_INVALID,
				"This is not a line of ticks: the numbers of the metric \"%s\" are "
				"out of their ranges.",
				m->name);
}

static int read_metrics(const json_t *metrics, struct judge_settings *settings, struct error *err)
{
	int result = 0;
	if (!metrics)
		return 0;
	if (json_array_size(metrics) != JUDGE_METRIC_COUNT)
		return error_set(err, ERR_INVALID,
				 "This is not a line of ticks: \"metrics\" is not a list of the %d "
				 "metrics that this davit has.",
				 JUDGE_METRIC_COUNT);
	for (uint32_t m = 0; m < JUDGE_METRIC_COUNT && result == 0; m++)
		result = read_metric(json_array_get(metrics, m), m, &settings->metrics[m], err);
	if (result == 0 && settings->metrics[JUDGE_METRIC_ERRORS].name[0] == '\0')
		return refuse(err, "the first metric, which is the errors, must not be off");
	return result;
}

static int read_mean(const json_t *o, struct judge_mean_settings *m, struct error *err)
{
	uint64_t unit;
	*m = (struct judge_mean_settings){.fewer = json_is_true(json_object_get(o, "fewer")),
					  .weight = real(o, "weight"),
					  .ratio = real(o, "ratio")};
	int result = take_whole(o, "unit", JUDGE_UNIT_COUNT - 1, &unit, err);
	if (result == 0)
		result =
			take_name(json_object_get(o, "name"), "name", m->name, sizeof m->name, err);
	if (result < 0 || m->name[0] == '\0')
		return result;
	m->unit = (enum judge_unit)unit;
	return m->ratio >= MEAN_LEAST && m->ratio <= MEAN_MOST && m->weight > 0 && m->weight <= 1000
		       ? 0
		       : error_set(
				 err, ERR_INVALID,
				 "This is not a line of ticks: the numbers of the mean \"%s\" are "
				 "out of their ranges.",
				 m->name);
}

static int read_all_means(const json_t *means, struct judge_settings *settings, struct error *err)
{
	int result = 0;
	size_t count = json_array_size(means);
	if (means && (!json_is_array(means) || count > JUDGE_MEANS))
		return refuse_key(err, "means", "a list of means that this davit has");
	for (size_t i = 0; i < count && result == 0; i++)
		result = read_mean(json_array_get(means, i), &settings->means[i], err);
	return result;
}

static int read_classes(struct tick_text_reader *reader, const json_t *classes, struct error *err)
{
	int result = 0;
	reader->class_count = (uint32_t)json_array_size(classes);
	if (reader->class_count > JUDGE_STRATA_MAX)
		return refuse(err, "it has too many classes");
	for (uint32_t i = 0; i < reader->class_count && result == 0; i++)
		result = take_name(json_array_get(classes, i), "classes", reader->classes[i],
				   sizeof reader->classes[i], err);
	return result;
}

static int read_settings(const json_t *o, struct judge_settings *s, struct error *err)
{
	uint64_t requests = s->warm_requests, ms = s->warm_ms;
	const json_t *phi = json_object_get(o, "phi_least");
	int result = take_share(o, "alpha", &s->alpha, err);
	if (result == 0)
		result = take_share(o, "beta", &s->beta, err);
	if (result == 0)
		result = take_share(o, "trouble", &s->trouble, err);
	if (result == 0 && json_object_get(o, "warm_requests"))
		result = take_whole(o, "warm_requests", UINT32_MAX, &requests, err);
	if (result == 0 && json_object_get(o, "warm_ms"))
		result = take_whole(o, "warm_ms", UINT32_MAX, &ms, err);
	if (phi)
		s->phi_least = json_number_value(phi);
	if (result == 0 && !(s->phi_least >= 1 && s->phi_least <= PHI_MOST))
		return refuse_key(err, "phi_least", "a number from 1 to 1000");
	s->warm_requests = (uint32_t)requests;
	s->warm_ms = (uint32_t)ms;
	if (result == 0)
		result = read_metrics(json_object_get(o, "metrics"), s, err);
	return result < 0 ? result : read_all_means(json_object_get(o, "means"), s, err);
}

static int read_head(struct tick_text_reader *reader, const json_t *o, struct error *err)
{
	static struct judge_settings settings;
	uint64_t rollout = 0;
	judge_settings_default(&settings);
	if (reader->begun)
		return refuse(err, "only the first line says how it is judged");
	if (strcmp(json_string_value(json_object_get(o, "davit")), "ticks/1") != 0)
		return refuse(err, "it is of a version that this davit does not know");
	int result = take_whole(o, "rollout", UINT32_MAX, &rollout, err);
	if (result == 0)
		result = take_name(json_object_get(o, "new"), "new", reader->new_tag,
				   sizeof reader->new_tag, err);
	if (result == 0)
		result = take_name(json_object_get(o, "live"), "live", reader->live_tag,
				   sizeof reader->live_tag, err);
	if (result == 0)
		result = read_classes(reader, json_object_get(o, "classes"), err);
	if (result == 0)
		result = read_settings(o, &settings, err);
	if (result < 0)
		return result;
	reader->rollout = (uint32_t)rollout;
	if (reader->adjust)
		reader->adjust(reader->context, &settings);
	judge_begin(reader->judge, &settings);
	reader->begun = true;
	reader->line = TICK_TEXT_HEAD;
	return 0;
}

static int read_slots(struct tick_text_reader *reader, const json_t *list, uint32_t *used,
		      struct judge_arm *arm, struct error *err)
{
	size_t size = json_array_size(list);
	uint64_t answers = 0;
	arm->slots = &reader->slots[*used];
	if (list && (!json_is_array(list) || size % 2 != 0))
		return refuse_key(err, "us", "a list of pairs");
	for (size_t i = 0; i < size; i += 2) {
		const json_t *bucket = json_array_get(list, i),
			     *count = json_array_get(list, i + 1);
		json_int_t b = json_integer_value(bucket), n = json_integer_value(count);
		if (!json_is_integer(bucket) || b < 0 || b >= HISTOGRAM_BUCKETS ||
		    !json_is_integer(count) || n < 0 || n > TICK_TEXT_COUNT_MAX ||
		    arm->slot_count == HISTOGRAM_BUCKETS)
			return refuse_key(err, "us",
					  "pairs of a bucket and how many answers fell into it");
		answers += (uint64_t)n;
		reader->slots[(*used)++] =
			(struct judge_slot){.bucket = (uint32_t)b, .count = (uint32_t)n};
		arm->slot_count++;
	}
	return answers <= TICK_TEXT_COUNT_MAX ? 0 : refuse(err, "\"us\" has too many answers");
}

static int read_arm(struct tick_text_reader *reader, const json_t *o, uint32_t *used,
		    struct judge_arm *arm, struct error *err)
{
	const struct {
		const char *key;
		uint64_t *to;
	} numbers[] = {{"n", &arm->requests},
		       {"4xx", &arm->refused},
		       {"repeated", &arm->repeated},
		       {"hangs", &arm->hangs}};
	int result = json_is_object(o) ? 0 : refuse(err, "what a release did is an object");
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && result == 0; i++)
		result = take_whole(o, numbers[i].key, TICK_TEXT_COUNT_MAX, numbers[i].to, err);
	for (uint32_t c = 0; c < JUDGE_ERROR_COUNT && result == 0; c++)
		result = take_whole(o, error_keys[c], TICK_TEXT_COUNT_MAX, &arm->errors[c], err);
	return result < 0 ? result : read_slots(reader, json_object_get(o, "us"), used, arm, err);
}

static int read_members(const json_t *o, const char *key, struct judge_member *members,
			uint32_t *ret_count, struct error *err)
{
	const json_t *list = json_object_get(o, key);
	size_t size = json_array_size(list);
	uint64_t v[2 * JUDGE_INSTANCES_MAX];
	if (list && (!json_is_array(list) || size % 2 != 0 || size > 2 * JUDGE_INSTANCES_MAX))
		return refuse_key(err, key, "a short list of pairs");
	for (size_t i = 0; i < size; i++) {
		const json_t *value = json_array_get(list, i);
		json_int_t number = json_integer_value(value);
		if (!json_is_integer(value) || number < 0 || number > TICK_TEXT_COUNT_MAX)
			return refuse_key(err, key, "pairs of requests and errors");
		v[i] = (uint64_t)number;
	}
	*ret_count = (uint32_t)size / 2;
	for (uint32_t i = 0; i < *ret_count; i++)
		members[i] = (struct judge_member){.requests = v[2 * i], .errors = v[2 * i + 1]};
	return 0;
}

static int read_extras(const json_t *extras, struct judge_tick *tick, struct error *err)
{
	size_t rows = json_array_size(extras);
	if (extras && (!json_is_array(extras) || rows > JUDGE_EXTRAS))
		return refuse_key(err, "extras", "a list of rows");
	for (size_t i = 0; i < rows; i++) {
		const json_t *row = json_array_get(extras, i);
		uint64_t v[4];
		for (size_t k = 0; k < 4; k++) {
			const json_t *value = json_array_get(row, k);
			json_int_t number = json_integer_value(value);
			if (json_array_size(row) != 4 || !json_is_integer(value) || number < 0 ||
			    number > TICK_TEXT_COUNT_MAX)
				return refuse_key(err, "extras", "rows of four numbers");
			v[k] = (uint64_t)number;
		}
		tick->extras[i] = (struct judge_table){.new_requests = v[0],
						       .new_events = v[1],
						       .live_requests = v[2],
						       .live_events = v[3]};
	}
	return 0;
}

/* What a mean is over, the mean, and the variance of one. */
static bool read_batch(const json_t *row, size_t at, struct normal_batch *batch)
{
	const json_t *requests = json_array_get(row, at);
	json_int_t n = json_integer_value(requests);
	*batch = (struct normal_batch){.requests = (uint64_t)n,
				       .mean = json_number_value(json_array_get(row, at + 1)),
				       .variance = json_number_value(json_array_get(row, at + 2))};
	return json_is_integer(requests) && n >= 0 && n <= MEAN_OVER_MOST &&
	       json_is_number(json_array_get(row, at + 1)) &&
	       json_is_number(json_array_get(row, at + 2)) && batch->variance >= 0;
}

static int read_means(const json_t *means, struct judge_tick *tick, struct error *err)
{
	size_t rows = json_array_size(means);
	if (means && (!json_is_array(means) || rows > JUDGE_MEANS))
		return refuse_key(err, "means", "a list of rows");
	for (size_t i = 0; i < rows; i++) {
		const json_t *row = json_array_get(means, i);
		struct judge_mean_batch *batch = &tick->means[i];
		if (json_array_size(row) == 0 && json_is_array(row))
			continue;
		if (json_array_size(row) != 6 || !read_batch(row, 0, &batch->new_release) ||
		    !read_batch(row, 3, &batch->live_release))
			return refuse_key(err, "means", "rows of six numbers");
	}
	return 0;
}

static int read_division(const json_t *row, struct sample_ratio_tick *to, struct error *err)
{
	uint64_t v[5] = {0};
	if (!row)
		return 0;
	for (size_t i = 0; i < 5; i++) {
		const json_t *value = json_array_get(row, i);
		json_int_t number = json_integer_value(value),
			   most = i == 0 ? SHARE_FULL_BP : TICK_TEXT_COUNT_MAX;
		if (json_array_size(row) != 5 || !json_is_integer(value) || number < 0 ||
		    number > most)
			return refuse_key(err, "divided", "a weight and four numbers");
		v[i] = (uint64_t)number;
	}
	*to = (struct sample_ratio_tick){(uint32_t)v[0], v[1], v[2], v[3], v[4]};
	return 0;
}

static int read_tick(struct tick_text_reader *reader, const json_t *o, struct error *err)
{
	const json_t *new_arms = json_object_get(o, "new"), *live_arms = json_object_get(o, "live");
	struct judge_tick *tick = &reader->tick;
	uint32_t used = 0;
	uint64_t elapsed;
	size_t count = json_array_size(new_arms);
	if (count == 0 || count > JUDGE_STRATA_MAX || json_array_size(live_arms) != count)
		return refuse(err,
			      "\"new\" and \"live\" are not lists of one entry for each class");
	int result = take_whole(o, "ms", TICK_TEXT_MS_MAX, &elapsed, err);
	*tick = (struct judge_tick){.elapsed_ms = (uint32_t)elapsed, .cell_count = (uint32_t)count};
	for (uint32_t s = 0; s < count && result == 0; s++) {
		struct judge_cell *cell = &tick->cells[s];
		result = read_arm(reader, json_array_get(new_arms, s), &used, &cell->new_release,
				  err);
		if (result == 0)
			result = read_arm(reader, json_array_get(live_arms, s), &used,
					  &cell->live_release, err);
	}
	if (result == 0)
		result = read_extras(json_object_get(o, "extras"), tick, err);
	if (result == 0)
		result = read_means(json_object_get(o, "means"), tick, err);
	if (result == 0)
		result = read_division(json_object_get(o, "divided"), &tick->division, err);
	if (result == 0)
		result = read_members(o, "new_members", tick->new_members, &tick->new_count, err);
	if (result == 0)
		result =
			read_members(o, "live_members", tick->live_members, &tick->live_count, err);
	if (result < 0)
		return result;
	judge_tick(reader->judge, tick);
	reader->line = TICK_TEXT_TICK;
	return 0;
}

static int read_mark(struct tick_text_reader *reader, const json_t *o, struct error *err)
{
	const char *mark = json_string_value(json_object_get(o, "mark"));
	uint64_t number;
	int result = take_whole(o, "number", UINT16_MAX, &number, err);
	if (result < 0)
		return result;
	if (mark && strcmp(mark, "step") == 0) {
		reader->line = TICK_TEXT_STEP;
		reader->step = (uint32_t)number;
		judge_step(reader->judge);
	} else if (mark && strcmp(mark, "warm") == 0) {
		reader->line = TICK_TEXT_WARM;
		judge_warm_up(reader->judge);
	} else if (mark && strcmp(mark, "replace") == 0) {
		reader->line = TICK_TEXT_REPLACE;
		reader->place = (uint32_t)number;
		judge_replace(reader->judge, (uint32_t)number);
	} else {
		return refuse_key(err, "mark", "\"step\", \"warm\" or \"replace\"");
	}
	return 0;
}

static int read_line(struct tick_text_reader *reader, const json_t *o, struct error *err)
{
	if (json_is_string(json_object_get(o, "davit")))
		return read_head(reader, o, err);
	if (!reader->begun)
		return refuse(err,
			      "the first one must say how it is judged: {\"davit\": \"ticks/1\"}");
	return json_object_get(o, "mark") ? read_mark(reader, o, err) : read_tick(reader, o, err);
}

int tick_text_feed(struct tick_text_reader *reader, const char *line, size_t size,
		   struct error *err)
{
	json_error_t json_error;
	json_t *o = json_loadb(line, size, JSON_REJECT_DUPLICATES, &json_error);
	int result = json_is_object(o) ? read_line(reader, o, err)
				       : refuse(err, o ? "it is no object" : json_error.text);
	json_decref(o);
	return result;
}
