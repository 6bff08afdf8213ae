/* SPDX-License-Identifier: Apache-2.0
 * api_rollouts - rollouts are listed, shown, followed and told what to do. See routes.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/routes.h"
#include "base/text.h"
#include "control/view.h"
#include "store/rollouts.h"

enum { ROLLOUTS_LIMIT_MAX = 500, ROLLOUTS_LIMIT_DEFAULT = 50 };

struct numbers {
	uint32_t count;
	uint32_t items[ROLLOUTS_LIMIT_MAX];
};

static int add_number(void *context, const struct store_rollout *r)
{
	struct numbers *numbers = context;
	numbers->items[numbers->count++] = r->number;
	return 0;
}

/* The list shows rollouts without their steps and evidence: one line each. */
static json_t *without_details(json_t *rollout)
{
	static const char *const details[] = {"steps",    "evidence", "history",
					      "log_tail", "schema",   NULL};
	for (const char *const *key = details; *key; key++)
		json_object_del(rollout, *key);
	return rollout;
}

void get_rollouts(struct api *api, struct http_request *request)
{
	const char *environment = http_query(request, "environment");
	char key[CONTROL_KEY_SIZE];
	struct store_rollout_filter filter = {0};
	struct numbers numbers = {0};
	struct error err;
	uint64_t number;
	if (environment) {
		if (control_resolve_environment(api->parts.control, environment, key, &err) < 0) {
			answer_error(request, &err, "davit status");
			return;
		}
		char *slash = strchr(key, '/');
		*slash = '\0';
		filter.app = key;
		filter.environment = slash + 1;
	}
	if (!parameter_number(request, "limit", 1, ROLLOUTS_LIMIT_MAX, ROLLOUTS_LIMIT_DEFAULT,
			      &number))
		return;
	filter.limit = (uint32_t)number;
	if (store_rollouts(api->parts.store, &filter, add_number, &numbers, &err) < 0) {
		answer_error(request, &err, NULL);
		return;
	}
	json_t *o = json_object(), *list = json_array();
	struct view_rollout *view = mem_new(sizeof *view);
	for (uint32_t i = 0; i < numbers.count; i++) {
		char text[16];
		snprintf(text, sizeof text, "%u", numbers.items[i]);
		if (control_view_rollout(api->parts.control, text, view, &err) == 0)
			json_array_append_new(list, without_details(json_of_rollout(view)));
	}
	free(view);
	json_object_set_new(o, "schema", json_string("davit.v1/rollouts"));
	json_object_set_new(o, "rollouts", list);
	answer_json(request, 200, o);
}

void get_rollout(struct api *api, struct http_request *request)
{
	struct view_rollout *view = mem_new(sizeof *view);
	struct error err;
	if (control_view_rollout(api->parts.control, http_segment(request, 2), view, &err) < 0)
		answer_error(request, &err, "davit history");
	else {
		add_log_tail(api, view);
		answer_json(request, 200, json_of_rollout(view));
	}
	free(view);
}

static bool body_expect(struct http_request *request, const json_t *seen,
			struct control_expect *expect)
{
	const json_t *step = json_object_get(seen, "step"),
		     *attempt = json_object_get(seen, "attempt");
	struct error err;
	json_int_t most = UINT32_MAX;
	expect->any = false;
	if (json_is_string(json_object_get(seen, "state")) && json_is_integer(step) &&
	    json_is_integer(attempt) && json_integer_value(step) >= 0 &&
	    json_integer_value(step) <= most && json_integer_value(attempt) >= 0 &&
	    json_integer_value(attempt) <= most) {
		expect->step = (uint32_t)json_integer_value(step);
		expect->attempt = (uint32_t)json_integer_value(attempt);
		return body_text(request, seen, "state", expect->state, sizeof expect->state);
	}
	error_set(&err, ERR_INVALID,
		  "\"expect\" must say the state, step and attempt that were seen.");
	answer_error(request, &err, NULL);
	return false;
}

void post_rollout_command(struct api *api, struct http_request *request)
{
	static const char *const verbs[] = {"promote", "pause", "resume", "abort"};
	struct control_caller caller = caller_of(request);
	struct control_expect expect = {.any = true};
	char reason[CONTROL_REASON_SIZE];
	struct error err;
	uint32_t verb = 0;
	while (strcmp(verbs[verb], http_segment(request, 3)) != 0)
		verb++;
	static const char *const fields[] = {"reason", "expect", NULL};
	json_t *body = body_of(request, fields);
	if (!body)
		return;
	bool fine = body_text(request, body, "reason", reason, sizeof reason);
	const json_t *seen = json_object_get(body, "expect");
	fine = fine && (!seen || body_expect(request, seen, &expect));
	json_decref(body);
	if (!fine)
		return;
	if (control_command(api->parts.control, &caller, http_segment(request, 2),
			    (enum control_verb)verb, reason, &expect, &err) < 0) {
		answer_error(request, &err, NULL);
		return;
	}
	get_rollout(api, request);
}

/* A follower: gets every transition once, and the rollout as it is now whenever it changed. */
struct follower {
	struct api *api;
	char rollout[16];
	uint32_t seq;
	bool follow;
	uint64_t last_shown_ms;
	uint32_t last_step;
	bool began;
};

enum { PROGRESS_MS = 200 };

static void append_event(struct api *api, struct buf *to, const char *kind, uint32_t seq,
			 uint64_t at_unix_ms, const char *text, struct view_rollout *view)
{
	add_log_tail(api, view);
	json_t *o = json_object();
	json_object_set_new(o, "schema", json_string("davit.v1/event"));
	json_object_set_new(o, "seq", json_integer(seq));
	json_object_set_new(o, "at_unix_ms", json_integer((json_int_t)at_unix_ms));
	json_object_set_new(o, "kind", json_string(kind));
	json_object_set_new(o, "text", json_string(text));
	json_object_set_new(o, "rollout", json_of_rollout(view));
	char *line = json_text(o, true);
	buf_puts(to, line);
	free(line);
}

static bool follow_more(void *context, struct buf *to)
{
	struct follower *f = context;
	struct view_rollout *view = mem_new(sizeof *view);
	struct error err;
	struct env *env = loop_env(f->api->parts.loop);
	bool more = false;
	if (control_view_rollout(f->api->parts.control, f->rollout, view, &err) == 0) {
		bool news = false;
		for (uint32_t i = 0; i < view->history_count; i++) {
			const struct view_transition *t = &view->history[i];
			if (t->seq <= f->seq)
				continue;
			append_event(f->api, to, "transition", t->seq, t->at_unix_ms, t->text,
				     view);
			f->seq = t->seq;
			news = true;
		}
		uint64_t now = env_now_ms(env);
		if (f->follow && !news && !view->ended &&
		    (!f->began || view->step != f->last_step ||
		     now - f->last_shown_ms >= PROGRESS_MS)) {
			append_event(f->api, to, "progress", f->seq, env_wall_ms(env), "", view);
			news = true;
		}
		if (news) {
			f->last_shown_ms = now;
			f->last_step = view->step;
			f->began = true;
		}
		if (view->ended)
			append_event(f->api, to, "end", f->seq, view->ended_unix_ms, view->why,
				     view);
		more = f->follow && !view->ended;
	}
	free(view);
	return more;
}

void get_rollout_events(struct api *api, struct http_request *request)
{
	const char *follow = http_query(request, "follow");
	struct view_rollout *view = mem_new(sizeof *view);
	struct error err;
	uint64_t seq;
	if (!parameter_number(request, "since", 0, UINT32_MAX, 0, &seq)) {
		free(view);
		return;
	}
	if (control_view_rollout(api->parts.control, http_segment(request, 2), view, &err) < 0) {
		answer_error(request, &err, "davit history");
		free(view);
		return;
	}
	struct follower *f = mem_zero(1, sizeof *f);
	f->api = api;
	f->follow = follow != NULL;
	snprintf(f->rollout, sizeof f->rollout, "%u", view->number);
	f->seq = (uint32_t)seq;
	free(view);
	http_stream(request, "application/x-ndjson", follow_more, free, f);
}
