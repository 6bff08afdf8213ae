/* SPDX-License-Identifier: Apache-2.0
 *
 * noise - do the answers of a release differ in something more often than the live release's own do from one another?
 *
 * WHAT  A place where answers can differ (a status, a field, a path in a document) is looked at in pairs. A pair of the new
 *       release is (live answer, the new release's answer to a copy), a pair of noise (live answer, the live release's own
 *       answer to a second copy). In each the place differs or not. Null: p_new <= p_noise.
 * RULE  A block is what has come when at least JUDGE_NOISE_BLOCK pairs of the new release and one of noise are there. Of a block with y of n pairs of the new
 *       release and z of m of noise that differ, the evidence is multiplied by
 *           L = a^y (1-a)^(n-y) b^z (1-b)^(m-z) / (c^(y+z) (1-c)^(n+m-y-z)),   c = (n a + m b) / (n + m),
 *       where a and b are what was seen before this block, (differing + 1/2) / (pairs + 1), and L = 1 where a <= b.
 *       That is the two-sample e-value for the null a = b (Turner, Ly, Gruenwald: "Generic E-variables for exact sequential
 *       k-sample tests"): its expectation is at most 1 whatever the common share is, and it is less for p_new < p_noise,
 *       for L grows with y and falls with z. So the product reaches 1/alpha with a probability of at most alpha, however often
 *       it is looked at (Ville).
 *       A place is known only from the first time that it differed. Its evidence begins with the block after that one, so
 *       that what made it known does not count for it.
 * MANY  Places are looked for in the data. Of at most JUDGE_NOISE_PLACES the k with the most evidence are reported for the
 *       largest k for which the k-th has at least JUDGE_NOISE_PLACES / (k alpha): of what is reported a share of at most
 *       alpha is false, in expectation, however the places depend on each other (e-BH; Wang, Ramdas 2022).
 *       Besides, a difference must be one that matters: p_new at least JUDGE_NOISE_RATIO times p_noise.
 * NONE  Without a pair of noise nothing can be said of it: such a place is told as it is, as not compared with noise.
 * OWNS  Values without pointers.
 * LIMITS Pairs are taken to be independent given the place's shares.
 * SEE   docs/how-to/shadow.md, tests/unit/judge/test_noise.c
 */
#ifndef JUDGE_NOISE_H
#define JUDGE_NOISE_H

#include <stdbool.h>
#include <stdint.h>

enum { JUDGE_NOISE_PLACES = 64, JUDGE_NOISE_BLOCK = 4 };

#define JUDGE_NOISE_ALPHA 0.01
#define JUDGE_NOISE_RATIO 1.2

/* Pairs, and those of them in which the place differs. */
struct judge_noise_counts {
	uint64_t pairs, differ;
};

/* Of one place. Zeros: nothing was seen of it yet. */
struct judge_noise {
	struct judge_noise_counts fresh, noise; /* all that was settled */
	double log_evidence;
	bool known; /* it has differed in a block that is settled */
};

/* Is this enough for a block? */
bool judge_noise_block_full(uint64_t fresh_pairs, uint64_t noise_pairs);

/* A block is over: every place is settled with the same numbers of pairs. */
void judge_noise_settle(struct judge_noise *place, const struct judge_noise_counts *fresh,
			const struct judge_noise_counts *noise);

/* ret_reported[i]: place i differs more than noise does. At most JUDGE_NOISE_PLACES. */
void judge_noise_report(const struct judge_noise *const *places, uint32_t count,
			bool *ret_reported);

#endif
