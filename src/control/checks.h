/* SPDX-License-Identifier: Apache-2.0
 *
 * checks - the smoke checks of a step, as a request to the check runner.
 *
 * WHAT  Which of the configuration's named checks belong to a HOLD, and where and with what they run: an instance
 *       of the candidate that is ready, asked directly, before any user is.
 * OWNS  The request is the caller's; it is large: not on the stack.
 * ERRORS ERR_RETRY no instance of the candidate is ready just now · ERR_INVALID, ERR_LIMIT a check that cannot be
 *       made as it is written: one that failed.
 */
#ifndef CONTROL_CHECKS_H
#define CONTROL_CHECKS_H

#include "provider/check.h"

struct environment;

/* `step`: of the running plan. No check at all leaves `count` 0. */
MUST_CHECK int checks_request(const struct environment *e, uint32_t step,
			      struct check_request *ret_request, struct error *err);

#endif
