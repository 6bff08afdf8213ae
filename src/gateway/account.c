/* SPDX-License-Identifier: Apache-2.0
 *
 * account - see account.h for the contract.
 */
#include "gateway/account.h"

#include "gateway/loop.h"

void account_release(struct worker *w, const struct table_release *release,
		     enum counters_release_field field, uint64_t amount)
{
	counters_add(&w->block->releases[release->stats_slot].values[field], amount);
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

void account_time(struct worker *w, const struct table_release *release,
		  enum counters_histogram histogram, uint64_t us)
{
	counters_add(
		&w->block->histograms[release->stats_slot].counts[histogram][histogram_index(us)],
		1);
}

void account_start(struct worker *w, struct exchange *x)
{
	x->started = true;
	x->answered = false;
	account_release(w, x->release, COUNTERS_RELEASE_STARTED, 1);
}

static void answered(struct worker *w, struct exchange *x)
{
	if (x->answered)
		return;
	x->answered = true;
	account_release(w, x->release, COUNTERS_RELEASE_ANSWERED, 1);
}

void account_head(struct worker *w, struct exchange *x, unsigned status)
{
	static const enum counters_release_field fields[] = {
		COUNTERS_RELEASE_STATUS_1XX, COUNTERS_RELEASE_STATUS_2XX,
		COUNTERS_RELEASE_STATUS_3XX, COUNTERS_RELEASE_STATUS_4XX,
		COUNTERS_RELEASE_STATUS_5XX};
	ASSERT(x->started && !x->answered);
	answered(w, x);
	unsigned class = status / 100 - 1;
	account_release(w, x->release, fields[class < 5 ? class : 4], 1);
	account_time(w, x->release, COUNTERS_FIRST, worker_now_us() - x->taken_us);
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
	account_release(w, x->release, fields[why], 1);
}

void account_cancelled(struct worker *w, struct exchange *x)
{
	if (!x->started)
		return;
	answered(w, x);
	account_release(w, x->release, COUNTERS_RELEASE_CANCELLED, 1);
}

void account_end(struct worker *w, struct exchange *x)
{
	if (!x->started)
		return;
	answered(w, x);
	x->started = false;
	account_release(w, x->release, COUNTERS_RELEASE_BYTES_IN, x->request.body_bytes);
	account_release(w, x->release, COUNTERS_RELEASE_BYTES_OUT, x->response.body_bytes);
	if (x->phase == EXCHANGE_TUNNEL)
		account_release(w, x->release, COUNTERS_RELEASE_TUNNELS_ENDED, 1);
	else
		account_time(w, x->release, COUNTERS_TOTAL, worker_now_us() - x->taken_us);
	account_release(w, x->release, COUNTERS_RELEASE_COMPLETED, 1);
}
