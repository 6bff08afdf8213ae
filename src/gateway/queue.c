/* SPDX-License-Identifier: Apache-2.0
 *
 * queue - see queue.h for the contract.
 */
#include "gateway/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "gateway/account.h"
#include "gateway/client.h"
#include "gateway/route.h"
#include "wire/url.h"

enum { LINE_FIRST, LINE_OTHERS };

_Static_assert(LINE_OTHERS + 1 == QUEUE_LINES, "each has its line");

static const struct table_queue *limits_of(const struct exchange *x)
{
	return &x->route->environment->queue;
}

static bool empty(const struct queue *q)
{
	return !q->lines[LINE_FIRST].first && !q->lines[LINE_OTHERS].first;
}

static int line_of(const struct exchange *x)
{
	const struct table_queue *limits = limits_of(x);
	if (x->tcp)
		return LINE_OTHERS;
	const char *path = x->request.buffer->data + x->head.path.at;
	for (uint32_t i = 0; i < limits->first_count; i++)
		if (url_path_under(path, x->head.path.size, limits->first[i],
				   strlen(limits->first[i])))
			return LINE_FIRST;
	return LINE_OTHERS;
}

static bool is_queue_of(const struct queue *q, const struct exchange *x)
{
	return q->slot == x->release->stats_slot &&
	       strcmp(q->process, x->route->route->process) == 0;
}

static struct queue *find(const struct worker *w, const struct exchange *x)
{
	for (struct queue *q = w->queues; q; q = q->next)
		if (is_queue_of(q, x))
			return q;
	return NULL;
}

bool queue_before(const struct worker *w, const struct exchange *x)
{
	if (w->queued_count == 0 || x->queue_passed)
		return false;
	const struct queue *q = find(w, x);
	if (!q)
		return false;
	return q->lines[LINE_FIRST].first ||
	       (q->lines[LINE_OTHERS].first && line_of(x) == LINE_OTHERS);
}

static void unlink_waiting(struct worker *w, struct exchange *x)
{
	struct queue_line *line = &x->queue->lines[x->queue_line];
	if (x->room_prev)
		x->room_prev->room_next = x->room_next;
	else
		line->first = x->room_next;
	if (x->room_next)
		x->room_next->room_prev = x->room_prev;
	else
		line->last = x->room_prev;
	x->room_next = x->room_prev = NULL;
	x->queue = NULL;
	line->count--;
	w->queued_count--;
}

void queue_gone(struct worker *w, struct exchange *x)
{
	unlink_waiting(w, x);
	account_release(w, x, COUNTERS_RELEASE_QUEUE_GONE, 1);
}

static enum turn overloaded(struct worker *w, struct exchange *x, enum counters_release_field field,
			    const char *reason)
{
	account_overload(w, x, field);
	return exchange_answer(w, x,
			       &(struct head_own){.status = 503,
						  .reason = reason,
						  .retry_after_s = QUEUE_RETRY_AFTER_S,
						  .text = "The application is at its limit."});
}

enum turn queue_timeout(struct worker *w, struct exchange *x)
{
	unlink_waiting(w, x);
	return overloaded(w, x, COUNTERS_RELEASE_QUEUE_TIMEOUT, "queue-timeout");
}

/* What waits for its first try is routed by the table that is in force now; else its release is the same. */
static enum turn resume(struct worker *w, struct exchange *x)
{
	bool begun = x->started || x->taken_over;
	timer_set(&w->wheel, &x->client->timer, w->now_ms + EXCHANGE_PACE_MS);
	if (begun)
		route_renew(w, x);
	if (x->live == w->live)
		return exchange_try(w, x);
	/* Of a release that is gone nobody is left who could take it. */
	return begun ? overloaded(w, x, COUNTERS_RELEASE_NO_BACKEND, "no-backend")
		     : exchange_dispatch(w, x);
}

/* Its client may be closed by that, or it may come back at the end of a queue. */
static void let_go(struct worker *w, struct exchange *x)
{
	struct client *c = x->client;
	unlink_waiting(w, x);
	x->queue_passed = true;
	if (resume(w, x) != TURN_BLOCKED)
		client_drive(w, c);
}

/* By an older table nobody waits: it may be that nothing there comes free any more. */
static bool may_go(const struct worker *w, const struct exchange *x)
{
	const struct live_pool *pool = &x->route->pools[x->release_index];
	return x->live != w->live ||
	       balance_choose(pool->entries, pool->count, x->avoid, 0, w->now_ms) != ERR_LIMIT;
}

static void turn_queue(struct worker *w, struct queue *q)
{
	for (int i = 0; i < QUEUE_LINES; i++)
		while (q->lines[i].first && may_go(w, q->lines[i].first))
			let_go(w, q->lines[i].first);
	if (!empty(q))
		timer_set(&w->wheel, &q->timer, w->now_ms + QUEUE_LOOK_MS);
}

static void queue_timer(struct worker *w, struct timer *timer)
{
	turn_queue(w, (struct queue *)((char *)timer - offsetof(struct queue, timer)));
}

void queue_turn_all(struct worker *w)
{
	w->queues_due = false;
	for (struct queue *q = w->queues; q && w->queued_count > 0; q = q->next)
		turn_queue(w, q);
}

/* The release's own, or one that nobody waits in. */
static struct queue *find_or_make(struct worker *w, const struct exchange *x)
{
	struct queue *q = find(w, x);
	if (q)
		return q;
	for (q = w->queues; q && !empty(q);)
		q = q->next;
	if (!q) {
		q = mem_zero(1, sizeof(*q));
		q->timer.fire = queue_timer;
		q->next = w->queues;
		w->queues = q;
	}
	q->slot = x->release->stats_slot;
	text_copy(q->process, sizeof(q->process), x->route->route->process);
	return q;
}

enum turn queue_enter(struct worker *w, struct exchange *x)
{
	struct queue *q = find_or_make(w, x);
	int line = line_of(x);
	struct queue_line *to = &q->lines[line];
	if (to->count >= limits_of(x)->requests_max)
		return overloaded(w, x, COUNTERS_RELEASE_QUEUE_FULL, "queue-full");
	flow_shrink(&x->request, &w->buffers);
	if (!x->was_queued)
		x->queued_until_ms = w->now_ms + limits_of(x)->time_ms;
	x->was_queued = true;
	x->queue_passed = false;
	x->phase = EXCHANGE_QUEUED;
	x->queue = q;
	x->queue_line = (uint8_t)line;
	x->room_prev = to->last;
	x->room_next = NULL;
	if (to->last)
		to->last->room_next = x;
	else
		to->first = x;
	to->last = x;
	to->count++;
	w->queued_count++;
	account_release(w, x, COUNTERS_RELEASE_QUEUED, 1);
	timer_set(&w->wheel, &x->client->timer, x->queued_until_ms);
	if (!timer_runs(&q->timer))
		timer_set(&w->wheel, &q->timer, w->now_ms + QUEUE_LOOK_MS);
	return TURN_BLOCKED;
}

void queue_done_all(struct worker *w)
{
	while (w->queues) {
		struct queue *q = w->queues;
		w->queues = q->next;
		free(q);
	}
}
