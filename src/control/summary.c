/* SPDX-License-Identifier: Apache-2.0
 * summary - see summary.h for the contract. */
#include "control/summary.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "control/view_judge.h"

static json_t *traffic_to_json(const struct view_traffic *t)
{
	return json_pack("{s:I,s:I,s:I,s:I,s:I}", "requests", (json_int_t)t->requests, "errors",
			 (json_int_t)t->errors, "share_bp", (json_int_t)t->share_bp, "p50_us",
			 (json_int_t)t->p50_us, "p99_us", (json_int_t)t->p99_us);
}

static void traffic_from_json(const json_t *o, struct view_traffic *t)
{
	if (!json_is_object(o))
		return;
	t->requests = (uint64_t)json_integer_value(json_object_get(o, "requests"));
	t->errors = (uint64_t)json_integer_value(json_object_get(o, "errors"));
	t->share_bp = (uint32_t)json_integer_value(json_object_get(o, "share_bp"));
	t->p50_us = (uint64_t)json_integer_value(json_object_get(o, "p50_us"));
	t->p99_us = (uint64_t)json_integer_value(json_object_get(o, "p99_us"));
}

void summary_write(const struct view_rollout *view, struct buf *to)
{
	json_t *steps = json_array();
	for (uint32_t i = 0; i < view->step_count; i++) {
		const struct view_step *s = &view->steps[i];
		json_array_append_new(steps, json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:I}", "op", s->op,
						       "label", s->label, "text", s->text, "state",
						       s->state, "for_ms", (json_int_t)s->for_ms,
						       "at_most_ms", (json_int_t)s->at_most_ms,
						       "weight_bp", (json_int_t)s->weight_bp));
	}
	json_t *o = json_object();
	json_object_set_new(o, "steps", steps);
	json_object_set_new(o, "new", traffic_to_json(&view->new_traffic));
	json_object_set_new(o, "old", traffic_to_json(&view->old_traffic));
	json_object_set_new(o, "judge", view_judge_to_json(&view->judge));
	char *text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(6));
	json_decref(o);
	buf_puts(to, text);
	free(text);
}

static void take(const json_t *o, const char *key, char *to, size_t size)
{
	const char *text = json_string_value(json_object_get(o, key));
	text_copy(to, size, text ? text : "");
}

void summary_read(const char *json, struct view_rollout *view)
{
	json_t *o = json_loads(json, 0, NULL);
	const json_t *steps = json_object_get(o, "steps");
	size_t count = json_array_size(steps);
	for (size_t i = 0; i < count && i < VIEW_STEPS_MAX; i++) {
		const json_t *from = json_array_get(steps, i);
		struct view_step *s = &view->steps[i];
		take(from, "op", s->op, sizeof s->op);
		take(from, "label", s->label, sizeof s->label);
		take(from, "text", s->text, sizeof s->text);
		take(from, "state", s->state, sizeof s->state);
		s->for_ms = (uint64_t)json_integer_value(json_object_get(from, "for_ms"));
		s->at_most_ms = (uint64_t)json_integer_value(json_object_get(from, "at_most_ms"));
		s->weight_bp = (uint32_t)json_integer_value(json_object_get(from, "weight_bp"));
		view->step_count = (uint32_t)i + 1;
	}
	traffic_from_json(json_object_get(o, "new"), &view->new_traffic);
	traffic_from_json(json_object_get(o, "old"), &view->old_traffic);
	view_judge_from_json(json_object_get(o, "judge"), &view->judge);
	json_decref(o);
}

static void numbers_to_json(const struct view_numbers *numbers, json_t *o)
{
	json_object_set_new(o, "held_ms", json_integer((json_int_t)numbers->held_ms));
	json_object_set_new(o, "new", traffic_to_json(&numbers->new_traffic));
	json_object_set_new(o, "old", traffic_to_json(&numbers->old_traffic));
	json_object_set_new(o, "odds", json_real(numbers->odds));
	json_object_set_new(o, "fine", json_real(numbers->fine));
}

void summary_write_numbers(const struct view_numbers *numbers, const char *said, struct buf *to)
{
	json_t *o = json_object();
	if (numbers)
		numbers_to_json(numbers, o);
	if (said[0])
		json_object_set_new(o, "said", json_string(said));
	char *text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(6));
	json_decref(o);
	buf_puts(to, text);
	free(text);
}

void summary_read_numbers(const char *json, struct view_numbers *ret_numbers,
			  char ret_said[VIEW_SAID_SIZE])
{
	json_t *o = json_loads(json, 0, NULL);
	*ret_numbers = (struct view_numbers){.known = json_object_get(o, "new") != NULL};
	const char *said = json_string_value(json_object_get(o, "said"));
	text_copy(ret_said, VIEW_SAID_SIZE, said ? said : "");
	ret_numbers->held_ms = (uint64_t)json_integer_value(json_object_get(o, "held_ms"));
	traffic_from_json(json_object_get(o, "new"), &ret_numbers->new_traffic);
	traffic_from_json(json_object_get(o, "old"), &ret_numbers->old_traffic);
	ret_numbers->odds = json_number_value(json_object_get(o, "odds"));
	ret_numbers->fine = json_number_value(json_object_get(o, "fine"));
	json_decref(o);
}
