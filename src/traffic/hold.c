/* SPDX-License-Identifier: Apache-2.0
 * hold - see hold.h for the contract. */
#include "traffic/hold.h"

enum { MILLI = 1000 };

const struct hold_limits hold_limits_default = {10000, 64u << 20, 30 * 1000, 2000, 64};

bool hold_admit(struct hold *h, const struct hold_limits *limits, uint64_t bytes, uint64_t now_ms,
		uint64_t *ret_deadline_ms)
{
	/* The limits may have become smaller than what is held. */
	if (h->count >= limits->count || h->bytes > limits->bytes ||
	    bytes > limits->bytes - h->bytes)
		return false;
	h->bytes += bytes;
	h->count++;
	*ret_deadline_ms = now_ms + limits->wait_ms;
	return true;
}

void hold_leave(struct hold *h, uint64_t bytes)
{
	h->count--;
	h->bytes -= bytes;
}

void hold_park(struct hold *h)
{
	h->going = false;
}

static void add_tokens(struct hold *h, const struct hold_limits *limits, uint64_t now_ms)
{
	uint64_t full = (uint64_t)limits->burst * MILLI;
	if (!h->going) {
		h->millitokens = full;
		h->going = true;
	} else {
		h->millitokens += (now_ms - h->paced_at_ms) * limits->per_s;
		if (h->millitokens > full)
			h->millitokens = full;
	}
	h->paced_at_ms = now_ms;
}

uint32_t hold_due(struct hold *h, const struct hold_limits *limits, uint64_t now_ms,
		  uint64_t *ret_again_ms)
{
	*ret_again_ms = now_ms;
	if (limits->per_s == 0)
		return h->count;
	add_tokens(h, limits, now_ms);
	uint64_t due = h->millitokens / MILLI;
	if (due > h->count)
		due = h->count;
	h->millitokens -= due * MILLI;
	if (due < h->count)
		*ret_again_ms =
			now_ms + (MILLI - h->millitokens + limits->per_s - 1) / limits->per_s;
	return (uint32_t)due;
}
