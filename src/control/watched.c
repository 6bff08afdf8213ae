/* SPDX-License-Identifier: Apache-2.0
 * watched - see watched.h for the contract. */
#include "control/watched.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void watched_init(struct watched *w)
{
	w->last = mem_zero(1, sizeof *w->last);
	w->now = mem_zero(1, sizeof *w->now);
}

void watched_free(struct watched *w)
{
	free(w->last);
	free(w->now);
}

void watched_follow(struct watched *w, const struct release_id *id)
{
	if (release_id_equal(&w->id, id))
		return;
	w->id = *id;
	w->known = false;
	w->member_count = 0;
}

static uint64_t since(uint64_t now, uint64_t then)
{
	return now > then ? now - then : 0;
}

/* Requests of a class that have been without an answer for longer than `hang_ms`. */
static uint64_t count_hanging(const struct watched *w, uint32_t class, uint64_t now_ms,
			      uint64_t hang_ms)
{
	for (uint32_t i = 1; i <= w->ring_count; i++) {
		const struct watched_started *s =
			&w->ring[(w->ring_next + WATCHED_RING - i) % WATCHED_RING];
		if (now_ms < s->at_ms + hang_ms)
			continue;
		const struct router_class_numbers *n = &w->now->classes[class];
		return since(s->started[class], n->answered + n->lost);
	}
	return 0;
}

static void watch_hanging(struct watched *w, uint64_t now_ms, uint64_t hang_ms)
{
	struct watched_started *s = &w->ring[w->ring_next];
	s->at_ms = now_ms;
	for (uint32_t c = 0; c < w->now->count; c++) {
		uint64_t hanging = count_hanging(w, c, now_ms, hang_ms);
		w->hung[c] += since(hanging, w->hanging[c]);
		w->hanging[c] = hanging;
		s->started[c] = w->now->classes[c].started;
	}
	w->ring_next = (w->ring_next + 1) % WATCHED_RING;
	if (w->ring_count < WATCHED_RING)
		w->ring_count++;
}

bool watched_read(struct environment *e, struct watched *w, uint64_t now_ms, uint64_t hang_ms)
{
	struct router *router = e->control->parts.router;
	struct digest id;
	struct error ignored;
	if (release_id_empty(&w->id))
		return false;
	memcpy(id.bytes, w->id.bytes, sizeof id.bytes);
	if (router->ops->class_counters(router, e->app, e->name, &id, w->now, &ignored) < 0)
		return false;
	if (!w->known || w->now->life != w->last->life || w->now->count != w->last->count) {
		*w->last = *w->now;
		w->known = true;
		w->ring_count = w->ring_next = 0;
		memset(w->hanging, 0, sizeof w->hanging);
		memset(w->hung, 0, sizeof w->hung);
	}
	watch_hanging(w, now_ms, hang_ms);
	return true;
}

static struct watched_member *member_of(struct watched *w, const struct router_backend_numbers *n,
					bool *fresh)
{
	for (uint32_t i = 0; i < w->member_count; i++)
		if (strcmp(w->members[i].id, n->instance) == 0)
			return &w->members[i];
	if (w->member_count == JUDGE_INSTANCES_MAX)
		return NULL;
	struct watched_member *m = &w->members[w->member_count++];
	*m = (struct watched_member){.life = n->life, .requests = n->answered, .errors = n->errors};
	text_copy(m->id, sizeof m->id, n->instance);
	*fresh = true;
	return m;
}

bool watched_read_members(struct environment *e, struct watched *w)
{
	static struct router_backend_counters counters;
	struct router *router = e->control->parts.router;
	struct digest id;
	struct error ignored;
	bool fresh = false;
	memcpy(id.bytes, w->id.bytes, sizeof id.bytes);
	if (router->ops->backend_counters(router, e->app, e->name, &id, &counters, &ignored) < 0)
		return false;
	for (uint32_t i = 0; i < counters.count; i++) {
		const struct router_backend_numbers *n = &counters.backends[i];
		struct watched_member *m = member_of(w, n, &fresh);
		if (!m)
			continue;
		if (m->life != n->life)
			*m = (struct watched_member){.life = n->life};
		text_copy(m->id, sizeof m->id, n->instance);
		m->now_requests = n->answered;
		m->now_errors = n->errors;
	}
	return fresh;
}

/* --- what came since the last tick */

static uint32_t take_slots(const struct router_class_numbers *now,
			   const struct router_class_numbers *last, struct judge_slot *slots)
{
	uint32_t count = 0;
	for (uint32_t b = 0; b < HISTOGRAM_BUCKETS; b++) {
		uint64_t more = since(now->first_us[b], last->first_us[b]);
		if (more > 0)
			slots[count++] = (struct judge_slot){
				.bucket = b,
				.count = more < UINT32_MAX ? (uint32_t)more : UINT32_MAX};
	}
	return count;
}

uint32_t watched_arm(const struct watched *w, uint32_t class, struct judge_slot *slots,
		     struct judge_arm *arm)
{
	*arm = (struct judge_arm){0};
	if (!w->known || class >= w->now->count)
		return 0;
	const struct router_class_numbers *now = &w->now->classes[class],
					  *last = &w->last->classes[class];
	arm->requests = since(now->answered, last->answered);
	arm->errors[JUDGE_ERROR_SERVER] = since(now->status_5xx, last->status_5xx);
	arm->errors[JUDGE_ERROR_TIMEOUT] = since(now->failed_timeout, last->failed_timeout);
	arm->errors[JUDGE_ERROR_CONNECT] = since(now->failed_connect, last->failed_connect) +
					   since(now->no_backend, last->no_backend);
	arm->errors[JUDGE_ERROR_RESET] = since(now->failed_reset, last->failed_reset) +
					 since(now->failed_answer, last->failed_answer);
	arm->errors[JUDGE_ERROR_OVERLOAD] = since(now->overloaded, last->overloaded);
	arm->refused = since(now->status_4xx, last->status_4xx);
	arm->repeated = since(now->repeated, last->repeated);
	arm->hangs = w->hung[class];
	arm->slots = slots;
	arm->slot_count = take_slots(now, last, slots);
	return arm->slot_count;
}

uint32_t watched_members(const struct watched *w, struct judge_member *to)
{
	for (uint32_t i = 0; w->known && i < w->member_count; i++) {
		const struct watched_member *m = &w->members[i];
		to[i] = (struct judge_member){.requests = since(m->now_requests, m->requests),
					      .errors = since(m->now_errors, m->errors)};
	}
	return w->known ? w->member_count : 0;
}

void watched_division(const struct watched *w, uint64_t *ret_done, uint64_t *ret_open)
{
	uint64_t hanging = 0;
	*ret_done = *ret_open = 0;
	for (uint32_t c = 0; w->known && c < w->now->count; c++) {
		const struct router_class_numbers *now = &w->now->classes[c];
		*ret_done += since(now->divided_done, w->last->classes[c].divided_done);
		*ret_open += since(now->divided, now->divided_done);
		hanging += w->hanging[c];
	}
	*ret_open = since(*ret_open, hanging);
}

bool watched_did_something(const struct watched *w)
{
	for (uint32_t c = 0; w->known && c < w->now->count; c++)
		if (w->now->classes[c].answered != w->last->classes[c].answered || w->hung[c] > 0)
			return true;
	return false;
}

void watched_taken(struct watched *w)
{
	struct router_class_counters *last = w->last;
	if (!w->known)
		return;
	w->last = w->now;
	w->now = last;
	memset(w->hung, 0, sizeof w->hung);
	for (uint32_t m = 0; m < w->member_count; m++) {
		w->members[m].requests = w->members[m].now_requests;
		w->members[m].errors = w->members[m].now_errors;
	}
}
