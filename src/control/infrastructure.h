/* SPDX-License-Identifier: Apache-2.0
 *
 * infrastructure - what lies between the commands of `infrastructure`: the plan that one of them made, kept, shown, and
 *                  handed to the other unchanged.
 *
 * WHAT  The plan's file is provider/plans.h's, its digest and summary are rows of store/infrastructure.h. They are
 *       written before the core hears that the command has ended, and never change: what people are shown, what
 *       their answer is bound to and what is applied are one thing.
 */
#ifndef CONTROL_INFRASTRUCTURE_H
#define CONTROL_INFRASTRUCTURE_H

#include <stdbool.h>

#include "control/hook.h"
#include "store/infrastructure.h"

/* At the gate between its two commands? Until then nothing has begun. */
bool infrastructure_at_gate(const struct active_rollout *r);

/* False: nothing is planned (yet), or it cannot be read. */
bool infrastructure_read(const struct environment *e, uint32_t rollout,
			 struct store_infrastructure *ret_row);

/* Before the command of this step starts: the file that it is told of. */
MUST_CHECK int infrastructure_file(struct environment *e, const struct active_rollout *r,
				   const struct hook *hook, char *ret_path, struct error *err);

/* The plan command `instance` has ended with this code: keep what it made. ERR_INVALID: it has failed. */
MUST_CHECK int infrastructure_keep(struct environment *e, const struct active_rollout *r,
				   const char *instance, int exit_code, struct error *err);

/* The rollout is over. */
void infrastructure_forget(const struct environment *e, const struct active_rollout *r);

#endif
