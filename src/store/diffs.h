/* SPDX-License-Identifier: Apache-2.0
 *
 * diffs - what the comparison of a rollout's shadow found (control/diffs.h), as bytes that the store does not read. See
 *         store.h for the rules that hold for every function of the store.
 *
 * LIMITS The newest STORE_DIFFS_KEPT rollouts that were compared keep theirs.
 */
#ifndef STORE_DIFFS_H
#define STORE_DIFFS_H

#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

enum { STORE_DIFFS_KEPT = 100 };

/* Instead of what was kept of this rollout before. */
void store_put_diffs(struct store *s, uint32_t rollout, const void *bytes, size_t size);

typedef void (*store_diffs_visit)(void *context, const void *bytes, size_t size);

/* 1 after `visit`, or 0: nothing is kept of it. */
MUST_CHECK int store_diffs_get(struct store *s, uint32_t rollout, store_diffs_visit visit,
			       void *context, struct error *err);

#endif
