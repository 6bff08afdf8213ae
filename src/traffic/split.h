/* SPDX-License-Identifier: Apache-2.0
 *
 * split - which release of an environment serves a request.
 *
 * WHAT  Per request by weight, at random, or sticky by a unit (a user): the unit's keyed hash is a
 *       point on a line of 10000, and the releases lie on it one after the other, newest first.
 *       Raising the newest release's weight only lets more units in and moves nobody else;
 *       lowering it gives back exactly those who came last. Shadow requests are sampled apart,
 *       with a salt of their own, so that who is mirrored says nothing about who is split.
 *
 * HOW   Pure: the caller brings the random number and the unit. Use weights that guard_apply()
 *       made.
 *
 * UNITS Weights in basis points; their sum is 10000, or 0 while the environment is parked.
 *
 * LIMITS SPLIT_RELEASE_MAX releases.
 *
 * SEE   traffic/guard.h; tests/unit/traffic/test_split.c has the properties over 10^6 keys.
 */
#ifndef TRAFFIC_SPLIT_H
#define TRAFFIC_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"

enum { SPLIT_RELEASE_MAX = 16, SPLIT_FULL_BP = 10000 };

struct split {
	uint32_t count;
	uint32_t weight_bp[SPLIT_RELEASE_MAX]; /* newest release first */
};

/* The release for one request. `random` is any uniform 64-bit number.
 * Returns its index, or ERR_UNAVAILABLE when no release has a weight (parked). */
int split_choose(const struct split *s, uint64_t random);

/* The release for a unit; the same unit and salt give the same point for ever. */
int split_choose_sticky(const struct split *s, const uint8_t salt[HASH_KEY_SIZE], const void *unit,
			size_t size);

/* Whether this request is mirrored, at a share of `mirror_bp`. `salt` must not be the split's. */
bool split_mirrored(uint32_t mirror_bp, const uint8_t salt[HASH_KEY_SIZE], const void *request_id,
		    size_t size);

/* Where a 64-bit hash or random number lies on the line: 0..9999. */
uint32_t split_point(uint64_t hash);

#endif
