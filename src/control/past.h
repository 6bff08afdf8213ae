/* SPDX-License-Identifier: Apache-2.0
 *
 * past - the last ten minutes of a live release, a tick a second: what a judge is fed with before a rollout begins.
 *
 * HOW   past_keep() takes the live release's part of a tick; past_feed() gives all that is kept, oldest first.
 * OWNS  Its own memory, about 1 KB a second; past_forget() frees it. All zero is empty.
 * LIMITS PAST_SECONDS ticks; of a tick at most PAST_SLOTS_MAX buckets, one with more is not kept.
 */
#ifndef CONTROL_PAST_H
#define CONTROL_PAST_H

#include "judge/judge.h"

/* Crashes and log errors are known of every release; what else is measured belongs to one rollout. */
enum { PAST_SECONDS = 600, PAST_SLOTS_MAX = 2048, PAST_EXTRAS = JUDGE_EXTRA_KPI };

struct past {
	uint32_t next, count;
	struct past_second *seconds[PAST_SECONDS];
};

void past_keep(struct past *past, const struct judge_tick *tick);
void past_feed(const struct past *past, void (*feed)(void *context, const struct judge_tick *tick),
	       void *context);

/* Requests and errors in it, a client's blind second tries left out. */
struct past_sum {
	double seconds, requests, errors;
	double remembered_requests,
		remembered_errors; /* by a judge, with what is older counting less */
};
void past_add_up(const struct past *past, struct past_sum *ret_sum);
void past_forget(struct past *past);

#endif
