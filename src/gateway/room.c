/* SPDX-License-Identifier: Apache-2.0
 *
 * room - see room.h for the contract.
 */
#include "gateway/room.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "gateway/account.h"
#include "gateway/client.h"

enum { ROOM_BURST = 64 };

static uint32_t share(const struct worker *w, uint32_t whole)
{
	return whole / w->worker_count + (whole % w->worker_count != 0);
}

/* How many the other workers hold for the environment, as the shared counters say. */
static uint32_t held_elsewhere(const struct worker *w, const struct table_environment *e)
{
	uint64_t held = 0;
	for (uint32_t i = 0; i < w->counters->place_count; i++) {
		const counters_cell *v = w->counters->workers[i].environments[e->stats_slot].values;
		if (i == w->index)
			continue;
		uint64_t left = counters_get(&v[COUNTERS_ENVIRONMENT_HELD_RELEASED]) +
				counters_get(&v[COUNTERS_ENVIRONMENT_HELD_TIMEOUT]) +
				counters_get(&v[COUNTERS_ENVIRONMENT_HELD_GONE]);
		uint64_t entered = counters_get(&v[COUNTERS_ENVIRONMENT_HELD]);
		held += entered > left ? entered - left : 0;
	}
	return held < UINT32_MAX ? (uint32_t)held : UINT32_MAX;
}

static uint64_t rest(uint64_t whole, uint64_t taken)
{
	return whole > taken ? whole - taken : 0;
}

static struct hold_limits limits_of(const struct worker *w, const struct table_environment *e)
{
	uint32_t others = held_elsewhere(w, e);
	return (struct hold_limits){
		.count = (uint32_t)rest(e->hold.requests_max, others),
		.bytes = rest(e->hold.bytes_max, (uint64_t)others * BUFFER_SMALL),
		.wait_ms = e->hold.time_ms,
		.per_s = share(w, e->hold.pace_per_s),
		.burst = ROOM_BURST};
}

static const struct table_environment *environment_now(const struct worker *w,
						       const struct room *room)
{
	for (uint32_t i = 0; w->live && i < w->live->table->environment_count; i++) {
		const struct table_environment *e = &w->live->table->environments[i];
		if (strcmp(e->app, room->app) == 0 && strcmp(e->name, room->name) == 0)
			return e;
	}
	return NULL;
}

/* Some route of the environment can be served. */
static bool serves(const struct worker *w, const struct table_environment *e)
{
	if (e->mode != TABLE_MODE_SERVE)
		return e->mode == TABLE_MODE_MAINTENANCE; /* they are answered, then */
	for (uint32_t i = 0; i < w->live->table->route_count; i++) {
		const struct live_route *r = &w->live->routes[i];
		if (r->environment == e && r->serving != GUARD_NONE_READY &&
		    r->serving != GUARD_PARKED)
			return true;
	}
	return false;
}

static void unlink_held(struct room *room, struct exchange *x)
{
	if (x->room_prev)
		x->room_prev->room_next = x->room_next;
	else
		room->first = x->room_next;
	if (x->room_next)
		x->room_next->room_prev = x->room_prev;
	else
		room->last = x->room_prev;
	x->room_next = x->room_prev = NULL;
	hold_leave(&room->hold, x->held_bytes);
	x->room = NULL;
}

void room_leave(struct worker *w, struct exchange *x, enum room_leaving how)
{
	static const enum counters_environment_field fields[] = {
		[ROOM_RELEASED] = COUNTERS_ENVIRONMENT_HELD_RELEASED,
		[ROOM_TIMEOUT] = COUNTERS_ENVIRONMENT_HELD_TIMEOUT,
		[ROOM_GONE] = COUNTERS_ENVIRONMENT_HELD_GONE,
	};
	unlink_held(x->room, x);
	account_environment(w, x->route->environment, fields[how]);
}

/* Let one go on: its client may be closed by that, or it may come back at the end of the queue. */
static void let_go(struct worker *w, struct exchange *x)
{
	struct client *c = x->client;
	room_leave(w, x, ROOM_RELEASED);
	if (exchange_dispatch(w, x) != TURN_BLOCKED)
		client_drive(w, c);
}

static void room_turn(struct worker *w, struct room *room)
{
	const struct table_environment *e = environment_now(w, room);
	uint64_t again_ms = 0;
	if (!room->first)
		return;
	if (!e) {
		while (room->first)
			let_go(w, room->first); /* its environment is gone: 404 */
		return;
	}
	if (!serves(w, e)) {
		hold_park(&room->hold);
		return;
	}
	struct hold_limits limits = limits_of(w, e);
	uint32_t due = hold_due(&room->hold, &limits, w->now_ms, &again_ms);
	while (due-- > 0 && room->first)
		let_go(w, room->first);
	if (room->first && again_ms > w->now_ms) /* else: held again, until the next table */
		timer_set(&w->wheel, &room->timer, again_ms);
}

static void room_timer(struct worker *w, struct timer *timer)
{
	room_turn(w, (struct room *)((char *)timer - offsetof(struct room, timer)));
}

void room_turn_all(struct worker *w)
{
	for (struct room *room = w->rooms; room; room = room->next)
		room_turn(w, room);
}

static struct room *find_room(struct worker *w, const struct table_environment *e)
{
	for (struct room *room = w->rooms; room; room = room->next)
		if (strcmp(room->app, e->app) == 0 && strcmp(room->name, e->name) == 0)
			return room;
	struct room *room = mem_zero(1, sizeof(*room));
	text_copy(room->app, sizeof(room->app), e->app);
	text_copy(room->name, sizeof(room->name), e->name);
	room->timer.fire = room_timer;
	room->next = w->rooms;
	w->rooms = room;
	return room;
}

enum turn room_enter(struct worker *w, struct exchange *x)
{
	const struct table_environment *e = x->route->environment;
	struct room *room = find_room(w, e);
	struct hold_limits limits = limits_of(w, e);
	uint64_t until_ms;
	flow_shrink(&x->request, &w->buffers);
	x->held_bytes = x->request.buffer ? x->request.buffer->capacity : 0;
	if (!hold_admit(&room->hold, &limits, x->held_bytes, w->now_ms, &until_ms)) {
		account_environment(w, e, COUNTERS_ENVIRONMENT_HOLD_OVERFLOW);
		return exchange_answer(
			w, x,
			&(struct head_own){.status = 503,
					   .reason = "hold-overflow",
					   .retry_after_s = 5,
					   .text = "Too many requests wait already."});
	}
	if (!x->was_held)
		x->held_until_ms = until_ms;
	x->was_held = true;
	x->phase = EXCHANGE_HELD;
	x->room = room;
	x->room_prev = room->last;
	x->room_next = NULL;
	if (room->last)
		room->last->room_next = x;
	else
		room->first = x;
	room->last = x;
	account_environment(w, e, COUNTERS_ENVIRONMENT_HELD);
	timer_set(&w->wheel, &x->client->timer, x->held_until_ms);
	return TURN_BLOCKED;
}

void room_done_all(struct worker *w)
{
	while (w->rooms) {
		struct room *room = w->rooms;
		w->rooms = room->next;
		free(room);
	}
}
