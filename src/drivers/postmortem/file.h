/* SPDX-License-Identifier: Apache-2.0
 *
 * file - drafts of post-mortems as files: D/postmortems/NUMBER.md.
 * SEE   provider/postmortems.h for the contract.
 */
#ifndef DRIVERS_POSTMORTEM_FILE_H
#define DRIVERS_POSTMORTEM_FILE_H

#include "provider/postmortems.h"

/* `state_fd` is the state directory's, which stays the caller's. */
MUST_CHECK int postmortem_file_new(int state_fd, struct postmortems **ret_postmortems,
				   struct error *err);
void postmortem_file_free(struct postmortems *postmortems); /* NULL is allowed */

#endif
