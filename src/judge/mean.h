/* SPDX-License-Identifier: Apache-2.0
 *
 * mean - one metric that is a mean: processor time of a request, memory of an instance, value of an order.
 *
 * WHAT  Evidence that the new release's mean is worse than tolerated: more than `ratio` times the live one's of the
 *       same moments, or (`fewer`) less than that part of it. By normal_mixture.h, so nothing is said before 30 batches.
 *
 * HOW   judge_mean_begin(); judge_mean_add() with each batch of 5 to 10 s; judge_mean_worse() at any time. The tolerance
 *       scales the live release's arm; what is worse when it is less is judged by its negative.
 *       Neighbouring seconds are alike (a heap grows for minutes), so that a batch tells less than its own scatter
 *       says: its mean is taken to be known to 5 % of itself, at best.
 *
 * UNITS Requests of a batch are what the mean is over: requests, orders, looks at an instance. Its variance is that
 *       of one of them.
 * OWNS  A value; copy it as you like.
 */
#ifndef JUDGE_MEAN_H
#define JUDGE_MEAN_H

#include <stdbool.h>

#include "judge/line.h"
#include "judge/normal_mixture.h"
#include "judge/rules.h"

enum judge_unit { JUDGE_UNIT_NUMBER, JUDGE_UNIT_TIME, JUDGE_UNIT_BYTES, JUDGE_UNIT_COUNT };

struct judge_mean_settings {
	char name[JUDGE_RULE_NAME_MAX]; /* "" = this one is off */
	enum judge_unit unit;           /* TIME: microseconds of a request; BYTES: of an instance */
	bool fewer;                     /* less than the live release has is worse */
	double weight;                  /* relative to the other metrics of the judge */
	double ratio; /* tolerated: 1.25 times; where `fewer` is worse 0.95 times */
};

struct judge_mean_batch {
	struct normal_batch new_release, live_release;
};

struct judge_mean {
	struct judge_mean_settings settings;
	struct normal_mixture test;
	double new_requests, new_sum, live_requests, live_sum; /* of batches with both */
};

void judge_mean_begin(struct judge_mean *mean, const struct judge_mean_settings *settings,
		      double alpha);

/* A batch with a mean or variance that is not finite counts for nothing. */
void judge_mean_add(struct judge_mean *mean, const struct judge_mean_batch *batch);

/* Against it, 1 = none. */
double judge_mean_worse(const struct judge_mean *mean);

/* "cpu: 1.9 ms per request of the new release, 1.2 ms of the live one" */
void judge_mean_put(struct judge_line *line, const struct judge_mean *mean);

/* "1.9 ms", "312 MiB", "12.3" */
void judge_unit_put(struct judge_line *line, enum judge_unit unit, double value);

#endif
