/* SPDX-License-Identifier: Apache-2.0
 *
 * file - ticks as files: D/ticks/NUMBER.jsonl, one a rollout.
 * SEE   provider/ticks.h for the contract.
 */
#ifndef DRIVERS_TICKS_FILE_H
#define DRIVERS_TICKS_FILE_H

#include "provider/ticks.h"

/* `state_fd` is the state directory's, which stays the caller's. */
MUST_CHECK int ticks_file_new(int state_fd, struct ticks **ret_ticks, struct error *err);
void ticks_file_free(struct ticks *ticks); /* NULL is allowed */

#endif
