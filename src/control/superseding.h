/* SPDX-License-Identifier: Apache-2.0
 *
 * superseding - a newer commit of a branch takes the place of older ones that still wait. Of builds.c only.
 *
 * WHAT  Only of builds that have not begun, of the same branch, repository and targets, and where every environment that
 *       they go to has `concurrency: supersede`. Which those are is not known before the commit is read, so it is asked
 *       of the configuration of the last release that was built of the branch; without one nobody gives way.
 *
 * HOW   superseding_find() for an order that is not in the store yet, superseding_put() in the transaction that writes
 *       it, superseding_free() in any case.
 */
#ifndef CONTROL_SUPERSEDING_H
#define CONTROL_SUPERSEDING_H

#include "control/environment.h"
#include "store/builds.h"

struct superseding;

/* NULL: there is none. */
struct superseding *superseding_find(struct control *c, const struct store_build *newer);
void superseding_put(struct control *c, const struct superseding *older, uint32_t newer);
void superseding_free(struct superseding *older);

#endif
