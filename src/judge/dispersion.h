/* SPDX-License-Identifier: Apache-2.0
 *
 * dispersion - how much more the live release's events scatter than chance alone would have it.
 *
 * WHAT  phi: the variance of events from second to second over that of independent requests. 1 when every
 *       request fails or not by itself; 3 when a failing client tries three times; more when an instance
 *       pauses and delays all that it has at once.
 *       Evidence is raised to the power 1/phi. Without that, clusters of three retries make a third of all
 *       good releases look bad; with it none.
 *
 * HOW   Of two stretches of time next to each other, with n1, n2 requests and y1, y2 events, the difference from the
 *       common share, D = y2 - n2 (y1 + y2) / (n1 + n2), has the variance V = n1 n2 / (n1 + n2) p (1 - p). phi is the
 *       sum of D^2 over the sum of V, begun with a prior of phi = 1 and forgotten slowly. A drift of the share, which
 *       both releases have, is in D only as far as it happens within the two. Stretches of 1, 5 and 30 seconds: a
 *       client that fails for ten seconds shows in the longest only. The same between the backends of one second.
 *       The largest counts.
 *       One pair adds at most OUTLIER times what was expected, so that the begin of an outage of something shared
 *       does not blunt the judge for an hour; real clusters come again and again.
 *
 * UNITS Seconds are of observed time. A value; copy it as you like.
 */
#ifndef JUDGE_DISPERSION_H
#define JUDGE_DISPERSION_H

#include <stdbool.h>
#include <stdint.h>

enum { JUDGE_DISPERSION_SCALES = 3 };

struct judge_scatter {
	double squares, variances, pairs;
};

struct judge_dispersion_scale {
	double requests, events;           /* this stretch */
	double last_requests, last_events; /* the one before */
	struct judge_scatter scatter;
};

struct judge_dispersion {
	double least; /* phi is never below it */
	bool counts;  /* events without a bound by the requests: Poisson, V without (1 - p) */
	uint32_t seconds;
	struct judge_dispersion_scale scales[JUDGE_DISPERSION_SCALES];
	struct judge_scatter between;
};

void judge_dispersion_begin(struct judge_dispersion *d, bool counts);

/* The live release's part of a tick. */
void judge_dispersion_add(struct judge_dispersion *d, uint64_t requests, uint64_t events);

/* The second is over. */
void judge_dispersion_second(struct judge_dispersion *d);

/* An event is something else from here on (another edge): what was counted so far is not compared with what comes. */
void judge_dispersion_cut(struct judge_dispersion *d);

/* What its backends did in one second, count >= 2 of them. */
void judge_dispersion_between(struct judge_dispersion *d, const uint64_t *requests,
			      const uint64_t *events, uint32_t count);

/* phi, at least 1. */
double judge_dispersion_phi(const struct judge_dispersion *d);

#endif
