/* SPDX-License-Identifier: Apache-2.0
 *
 * migration - the commands of `migrate` and of `hooks`: started for the step that wants them, found again, ended; and the
 *             point of no return.
 *
 * WHAT  A HOOK of a plan is a command of the candidate (control/hook.h says which). Each runs as an instance of its own (provider/
 *       runtime.h): no traffic, no second start, a slot that no set document has. Its keeper outlives this controller,
 *       so the next one finds it running, or how it ended. Where nobody can say that, it is run again: DAVIT_KEY is
 *       the same in every try of one step, and so a command has to look whether its work is done.
 *
 * HOW   migration_tick() makes what runs follow the core's state, which is committed: it starts what the step wants,
 *       answers EVENT_HOOKED when that has ended, and ends every other one. migration_put() writes what has to be in
 *       the store before the command runs.
 */
#ifndef CONTROL_MIGRATION_H
#define CONTROL_MIGRATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "provider/runtime.h"
#include "rollout/rollout.h"

struct active_rollout;
struct environment;

enum { MIGRATION_SLOT = INSTANCE_SLOT_MAX };

void migration_tick(struct environment *e);

/* Is this instance a command, not a process of the application? */
bool migration_instance(const struct instance_status *status);

/* Will the rollout still run the command behind MARK, or does it now? */
bool migration_ahead(const struct active_rollout *r);

/* "migrate-before", as `davit logs ENV/…` wants it; NULL: the step is no command. */
const char *migration_name(const struct plan *plan, uint32_t step);

/* Does this change begin a command? Then its rows; between control_begin() and control_commit(). */
void migration_put(struct environment *e, const struct active_rollout *r, const struct plan *plan,
		   const struct rollout *next);

/* May the environment go back to this release? ERR_DENIED with what to say where a point of no return lies between,
 * unless `across`: then the sentence for the audit log, "" where there is none. */
MUST_CHECK int migration_check_back(struct environment *e, const char *release, bool across,
				    char *ret_sentence, size_t size, struct error *err);

#endif
