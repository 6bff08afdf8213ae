/* SPDX-License-Identifier: Apache-2.0
 *
 * exchange_try - which backend gets a request, and what becomes of one that failed; see exchange.h for the contract.
 */
#include "gateway/exchange.h"

#include "gateway/access_log.h"
#include "gateway/account.h"
#include "gateway/carry.h"
#include "gateway/client.h"
#include "gateway/forward.h"
#include "gateway/live.h"
#include "gateway/loop.h"
#include "gateway/queue.h"
#include "gateway/route.h"
#include "gateway/upstream.h"
#include "wire/http1_write.h"

static const struct table_environment *environment_of(const struct exchange *x)
{
	return x->route->environment;
}

static void up_drive(struct worker *w, struct upstream *up)
{
	struct exchange *x = up->user;
	client_drive(w, x->client);
}

static void up_fail(struct worker *w, struct upstream *up, enum failure why)
{
	struct exchange *x = up->user;
	struct client *c = x->client;
	/* A client that takes its time keeps us from reading: that is not the backend's fault. */
	bool client_slow = x->answer_known && flow_pending(&x->response);
	bool client_sends = !x->answer_known && !x->request.ended;
	if (why == FAILURE_TIMEOUT && (client_slow || client_sends)) {
		upstream_deadline(w, up, environment_of(x)->timeouts.idle_ms);
		return;
	}
	if (exchange_failed(w, x, why) != TURN_BLOCKED)
		client_drive(w, c);
}

static enum turn refuse(struct worker *w, struct exchange *x, enum failure why)
{
	static const struct head_own answers[] = {
		[FAILURE_CONNECT] = {.status = 502,
				     .reason = "connect",
				     .text = "The application cannot be reached."},
		[FAILURE_RESET] =
			{.status = 502,
			 .reason = "reset",
			 .text = "The application ended the connection without an answer."},
		[FAILURE_TIMEOUT] = {.status = 504,
				     .reason = "timeout",
				     .text = "The application did not answer in time."},
		[FAILURE_ANSWER] = {.status = 502,
				    .reason = "answer",
				    .text = "The application's answer is not valid HTTP."},
	};
	return exchange_answer(w, x, &answers[why]);
}

static enum turn no_backend(struct worker *w, struct exchange *x, const char *reason,
			    const char *text)
{
	account_no_backend(w, x);
	return exchange_answer(
		w, x,
		&(struct head_own){
			.status = 503, .reason = reason, .retry_after_s = 1, .text = text});
}

enum turn exchange_try(struct worker *w, struct exchange *x)
{
	const struct live_pool *pool = &x->route->pools[x->release_index];
	int chosen =
		balance_choose(pool->entries, pool->count, x->avoid, worker_random(w), w->now_ms);
	if (chosen == ERR_LIMIT || (chosen >= 0 && queue_before(w, x)))
		return queue_enter(w, x);
	if (!x->started)
		account_start(w, x);
	if (chosen < 0)
		return no_backend(w, x, "no-backend", "No instance of the application is ready.");
	x->avoid = chosen;
	x->backend = pool->backends[chosen];
	x->tried = x->backend->values;
	x->instance = x->live->table->backends[pool->pool->first_backend + chosen].instance;
	x->backend->refs++;
	backend_started(x->backend);
	struct upstream_user user = {
		.drive = up_drive,
		.fail = up_fail,
		.user = x,
		.connect_ms = environment_of(x)->timeouts.connect_ms,
		.fresh = x->tries > 0 || x->tcp,
		.proven = !http1_method_idempotent((enum http1_method)x->head.method) ||
			  x->head.upgrade,
	};
	x->phase = EXCHANGE_CONNECTING;
	int failed = upstream_take(w, x->backend, &user, &x->up);
	if (failed == ERR_LIMIT)
		return no_backend(w, x, "limit", "The gateway is at its limit of connections.");
	if (failed)
		return exchange_failed(w, x, FAILURE_CONNECT);
	return x->up->connecting ? TURN_BLOCKED : exchange_begin(w, x);
}

enum turn exchange_begin(struct worker *w, struct exchange *x)
{
	return x->tcp ? carry_connected(w, x) : forward_begin(w, x);
}

static bool may_repeat(struct worker *w, struct exchange *x, enum failure why, bool sent)
{
	const struct retry_case c = {
		.sent = sent,
		.answered = x->response.raw > 0 || x->interims > 0,
		.idempotent = http1_method_idempotent((enum http1_method)x->head.method),
		.body_whole = route_is_whole(x),
		.tries = x->tries,
	};
	if (!environment_of(x)->retry || why == FAILURE_ANSWER)
		return false;
	/* A connection that was refused has cost nobody anything: no budget is needed for another. */
	if (why == FAILURE_CONNECT && !sent)
		return c.body_whole && x->connect_tries < EXCHANGE_CONNECTS_MAX;
	exchange_leave_budget(w, x);
	x->retried = retry_take(&w->retry, &c);
	return x->retried;
}

/* Ready to be sent from its first byte again. */
static void rewind_request(struct worker *w, struct exchange *x)
{
	struct flow *f = &x->request;
	buffer_give(&w->buffers, f->head);
	f->head = NULL;
	f->head_sent = f->head_size = 0;
	f->sent = x->head_size;
	flow_done(&x->response, &w->buffers);
	http1_head_init(&x->answer);
	x->up_ended = false;
}

static enum turn give_to(struct worker *w, struct exchange *x, uint32_t release_index)
{
	route_use(x, release_index);
	return exchange_try(w, x);
}

/* Has a release a backend that takes new requests? */
static bool has_backend(const struct exchange *x, uint32_t release_index)
{
	const struct live_pool *pool = &x->route->pools[release_index];
	return balance_ready(pool->entries, pool->count, false, 0) > 0;
}

/* The live release takes over what another one has failed at. */
static bool may_take_over(const struct exchange *x)
{
	const struct table_environment *e = environment_of(x);
	if (e->live == TABLE_NONE || x->previewed)
		return false;
	uint32_t live = (uint32_t)e->live - e->first_release;
	return live != x->release_index && has_backend(x, live);
}

static enum turn take_over(struct worker *w, struct exchange *x, enum counters_release_field field)
{
	const struct table_environment *e = environment_of(x);
	account_release(w, x, field, 1);
	account_end(w, x);
	x->taken_over = true;
	x->taken_from = x->release->stats_slot;
	rewind_request(w, x);
	x->avoid = BALANCE_NONE;
	x->connect_tries = 0;
	return give_to(w, x, (uint32_t)e->live - e->first_release);
}

bool exchange_may_shield(struct worker *w, const struct exchange *x)
{
	worker_refresh(w);
	/* By a table that is over the live release may be one whose instances are gone. */
	return environment_of(x)->shield && x->live == w->live && x->answer.status >= 500 &&
	       x->interims == 0 && x->whole && x->request.buffer && !x->head.upgrade &&
	       http1_method_idempotent((enum http1_method)x->head.method) && may_take_over(x);
}

enum turn exchange_shield(struct worker *w, struct exchange *x)
{
	account_head(w, x, x->answer.status);
	exchange_leave_budget(w, x);
	backend_succeeded(x->backend);
	exchange_detach(w, x, false);
	x->tries = 0;
	return take_over(w, x, COUNTERS_RELEASE_SHIELDED);
}

enum turn exchange_failed(struct worker *w, struct exchange *x, enum failure why)
{
	bool sent = x->up && x->up->sent;
	if (x->backend)
		backend_failed(w, x->backend, &x->route->pools[x->release_index]);
	if (x->answer_begun) {
		account_failure(w, x, why);
		account_end(w, x);
		struct client *c = x->client;
		/* In the middle of an answer: the client must see that. Where the connection's end is the
		 * answer's too, only a reset shows it. */
		c->abort =
			x->answer_known && http1_response_framing(&x->answer, exchange_minor(x)) ==
						   HTTP1_FRAMING_CLOSE;
		access_log_write(w, x);
		exchange_free(w, x);
		c->broken = true;
		client_close(w, c);
		return TURN_ENDED;
	}
	if (why == FAILURE_CONNECT)
		x->connect_tries++;
	bool repeat = why != FAILURE_TIMEOUT && may_repeat(w, x, why, sent);
	exchange_detach(w, x, false);
	route_renew(w, x);
	/* A release that is on its way out may have nobody left to try: then it has failed for good. */
	if (repeat && has_backend(x, x->release_index)) {
		if (sent)
			x->tries++;
		rewind_request(w, x);
		account_release(w, x, COUNTERS_RELEASE_RETRIES, 1);
		return exchange_try(w, x);
	}
	account_failure(w, x, why);
	x->connect_tries = 0;
	if (why != FAILURE_TIMEOUT && may_take_over(x)) {
		uint8_t tries = x->tries;
		x->tries = 0; /* a release of its own, and a try of its own */
		if (may_repeat(w, x, why, sent)) {
			x->tries = 1; /* on a connection of its own */
			return take_over(w, x, COUNTERS_RELEASE_RESCUED);
		}
		x->tries = tries;
	}
	return refuse(w, x, why);
}
