/* SPDX-License-Identifier: Apache-2.0
 *
 * diffs - what the comparison of a rollout's shadow has found so far.
 *
 * WHAT  The gateway's counts of all copies; of the pairs that were told (link/shadow_pair.h), how many there were, how fast
 *       both sides answered, and the places where they differ (control/answer_diff.h): how often, how often the live
 *       release's own answers do there (noise), and the first example of each.
 * RULE  Which places differ more than noise does is judge/noise.h's to say.
 * HOW   diffs_begin(); diffs_count() with the counts as they are read; diffs_add() with each pair. diffs_pack() makes the
 *       bytes that are kept, diffs_unpack() reads them: a rollout that outlives its controller goes on where it was.
 * OWNS  A value without pointers, about 50 KB.
 * LIMITS JUDGE_NOISE_PLACES places; pairs that differ in further ones are counted in `more`.
 * SEE   control/comparing.h, which fills one; docs/how-to/shadow.md
 */
#ifndef CONTROL_DIFFS_H
#define CONTROL_DIFFS_H

#include "base/histogram.h"
#include "control/answer_diff.h"
#include "judge/noise.h"

enum { DIFFS_BYTES_MAX = 128 << 10, DIFFS_METHOD_SIZE = 16, DIFFS_PATH_SIZE = 192 };

struct router_counters;
struct shadow_pair;

/* Of the gateway; each only grows. */
#define DIFFS_COUNTS(X) \
	X(sent)         \
	X(dropped)      \
	X(failed)       \
	X(pairs)        \
	X(differ)       \
	X(unpaired)     \
	X(untold)       \
	X(noise_sent)   \
	X(noise_pairs)  \
	X(noise_differ) \
	X(noise_unpaired)

struct diffs_counts {
#define X(name) uint64_t name;
	DIFFS_COUNTS(X)
#undef X
};

struct diffs_place {
	struct answer_difference
		first; /* the first one that was seen, of the new release if there is one */
	bool first_is_noise;
	char method[DIFFS_METHOD_SIZE], path[DIFFS_PATH_SIZE]; /* of it */
	struct judge_noise noise;                              /* without the open block */
	uint64_t open_fresh, open_noise; /* pairs of the open block that differ */
};

struct diffs {
	uint32_t rollout; /* 0: nothing was compared */
	struct diffs_counts counts;
	uint64_t life; /* of the gateway's counting, and what was read last of it */
	struct diffs_counts read;
	uint64_t looked, looked_noise; /* pairs that were told */
	uint64_t looked_differ; /* of the first: with a difference that is not to be ignored */
	uint64_t skipped;       /* told, and too many at once to be looked at */
	uint64_t open_fresh, open_noise; /* of those, in the open block */
	uint64_t slower, faster; /* pairs in which the new release answered later, or sooner */
	uint64_t more;           /* pairs that differ in a place for which there was no room */
	uint64_t first_us[2][HISTOGRAM_BUCKETS]; /* live and new, of the same pairs */
	uint32_t place_count;
	struct diffs_place places[JUDGE_NOISE_PLACES];
};

void diffs_begin(struct diffs *d, uint32_t rollout, const struct router_counters *base);
/* True: something is new. */
bool diffs_count(struct diffs *d, const struct router_counters *now);
void diffs_add(struct diffs *d, const struct shadow_pair *pair,
	       const struct answer_differences *found);

/* So many pairs of the new release, or of noise, differ in this place, the open block included. */
uint64_t diffs_place_fresh(const struct diffs_place *place);
uint64_t diffs_place_noise(const struct diffs_place *place);
/* ret_reported[i]: place i differs more than noise does. */
void diffs_report(const struct diffs *d, bool ret_reported[JUDGE_NOISE_PLACES]);

/* Bytes written to `to`, which has room for DIFFS_BYTES_MAX. */
size_t diffs_pack(const struct diffs *d, void *to);
bool diffs_unpack(struct diffs *d, const void *bytes, size_t size);

#endif
