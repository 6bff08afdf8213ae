/* SPDX-License-Identifier: Apache-2.0
 *
 * file - plans of infrastructure as files: STATE/plans/NUMBER/plan is written by the command, STATE/plans/NUMBER.plan is
 *        the copy that nobody else writes.
 * SEE   provider/plans.h for the contract.
 */
#ifndef DRIVERS_PLANS_FILE_H
#define DRIVERS_PLANS_FILE_H

#include "provider/plans.h"

/* `state_fd` is the state directory's and `state_path` its absolute name; both stay the caller's. */
MUST_CHECK int plans_file_new(int state_fd, const char *state_path, struct plans **ret_plans,
			      struct error *err);
void plans_file_free(struct plans *plans); /* NULL is allowed */

#endif
