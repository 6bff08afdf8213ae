/* SPDX-License-Identifier: Apache-2.0
 *
 * account - see account.h for the contract.
 */
#include "gateway/account.h"

#include "gateway/client.h"
#include "gateway/loop.h"

void account_release(struct worker *w, const struct exchange *x, enum counters_release_field field,
		     uint64_t amount)
{
	counters_count(w->block, x->release->stats_slot, x->class, field, amount);
}

void account_shadow(struct worker *w, const struct table_release *release, uint8_t class,
		    enum counters_release_field field)
{
	counters_count(w->block, release->stats_slot, class, field, 1);
}

void account_environment(struct worker *w, const struct table_environment *environment,
			 enum counters_environment_field field)
{
	counters_add(&w->block->environments[environment->stats_slot].values[field], 1);
}

void account_worker(struct worker *w, enum counters_worker_field field)
{
	counters_add(&w->block->values[field], 1);
}

void account_time(struct worker *w, const struct exchange *x, enum counters_histogram histogram,
		  uint64_t us)
{
	counters_time(w->block, x->release->stats_slot, x->class, histogram, us);
}

static void count_at_backend(const struct exchange *x, enum counters_backend_field field)
{
	if (x->tried)
		counters_add(&x->tried[field], 1);
}

/* What the release is judged by. */
static void count_error(struct worker *w, struct exchange *x, enum counters_release_field field)
{
	account_release(w, x, field, 1);
	count_at_backend(x, COUNTERS_BACKEND_ERRORS);
	if (repeat_failed(&client_connection(x->client)->failed, x->release->stats_slot,
			  x->fingerprint, w->now_ms))
		account_release(w, x, COUNTERS_RELEASE_REPEATED, 1);
}

void account_start(struct worker *w, struct exchange *x)
{
	x->started = true;
	x->answered = false;
	x->tried = NULL;
	account_release(w, x, COUNTERS_RELEASE_STARTED, 1);
	if (x->divided)
		account_release(w, x, COUNTERS_RELEASE_DIVIDED, 1);
}

static void answered(struct worker *w, struct exchange *x)
{
	if (x->answered)
		return;
	x->answered = true;
	account_release(w, x, COUNTERS_RELEASE_ANSWERED, 1);
	if (x->divided)
		account_release(w, x, COUNTERS_RELEASE_DIVIDED_DONE, 1);
	x->divided = false; /* whoever takes it over now was not drawn */
	count_at_backend(x, COUNTERS_BACKEND_ANSWERED);
}

void account_begun(struct worker *w, struct exchange *x)
{
	ASSERT(x->started && !x->answered);
	answered(w, x);
	x->first_us = worker_now_us() - x->taken_us;
	account_time(w, x, COUNTERS_FIRST, x->first_us);
}

void account_status(struct worker *w, struct exchange *x, unsigned status)
{
	static const enum counters_release_field fields[] = {
		COUNTERS_RELEASE_STATUS_1XX, COUNTERS_RELEASE_STATUS_2XX,
		COUNTERS_RELEASE_STATUS_3XX, COUNTERS_RELEASE_STATUS_4XX};
	unsigned hundred = status / 100 - 1;
	if (hundred >= 4) {
		count_error(w, x, COUNTERS_RELEASE_STATUS_5XX);
		return;
	}
	account_release(w, x, fields[hundred], 1);
	repeat_answered(&client_connection(x->client)->failed, x->release->stats_slot,
			x->fingerprint);
	if (x->taken_over) /* nobody has seen that failure, and nobody tries again for it */
		repeat_answered(&client_connection(x->client)->failed, x->taken_from,
				x->fingerprint);
}

void account_head(struct worker *w, struct exchange *x, unsigned status)
{
	account_begun(w, x);
	account_status(w, x, status);
}

void account_connection(struct worker *w, struct exchange *x)
{
	uint64_t from_us = x->asked_us ? x->asked_us : x->taken_us;
	x->first_us = worker_now_us() - from_us;
	if (x->answered)
		return; /* it was kept for later */
	answered(w, x);
	account_time(w, x, COUNTERS_FIRST, x->first_us);
}

void account_quiet(struct worker *w, struct exchange *x)
{
	answered(w, x);
}

void account_failure(struct worker *w, struct exchange *x, enum failure why)
{
	static const enum counters_release_field fields[] = {
		[FAILURE_CONNECT] = COUNTERS_RELEASE_FAILED_CONNECT,
		[FAILURE_RESET] = COUNTERS_RELEASE_FAILED_RESET,
		[FAILURE_TIMEOUT] = COUNTERS_RELEASE_FAILED_TIMEOUT,
		[FAILURE_ANSWER] = COUNTERS_RELEASE_FAILED_ANSWER};
	if (!x->started)
		return;
	answered(w, x);
	count_error(w, x, fields[why]);
}

void account_no_backend(struct worker *w, struct exchange *x)
{
	count_error(w, x, COUNTERS_RELEASE_NO_BACKEND);
}

void account_overload(struct worker *w, struct exchange *x, enum counters_release_field field)
{
	if (!x->started)
		account_start(w, x);
	count_error(w, x, field);
}

void account_cancelled(struct worker *w, struct exchange *x)
{
	if (!x->started)
		return;
	answered(w, x);
	account_release(w, x, COUNTERS_RELEASE_CANCELLED, 1);
}

void account_end(struct worker *w, struct exchange *x)
{
	if (!x->started)
		return;
	answered(w, x);
	x->started = false;
	account_release(w, x, COUNTERS_RELEASE_BYTES_IN, x->request.body_bytes);
	account_release(w, x, COUNTERS_RELEASE_BYTES_OUT, x->response.body_bytes);
	if (x->phase == EXCHANGE_TUNNEL || x->phase == EXCHANGE_CARRYING)
		account_release(w, x, COUNTERS_RELEASE_TUNNELS_ENDED, 1);
	else if (!x->tcp)
		account_time(w, x, COUNTERS_TOTAL, worker_now_us() - x->taken_us);
	account_release(w, x, COUNTERS_RELEASE_COMPLETED, 1);
}
