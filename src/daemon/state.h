/* SPDX-License-Identifier: Apache-2.0
 *
 * state - the state directory of one davit: made when missing, locked by the launcher, known to all.
 *
 * WHAT  STATE/lock          held by the launcher; a second one is refused with the first one's pid
 *       STATE/davit.db      the store          STATE/api.sock      the API
 *       STATE/davit.db-reserve, STATE/table.reserve  room on a full disk, see os/reserve.h
 *       STATE/gateway.sock  the supervisor     STATE/table         the gateway's last table
 *       STATE/artifacts/    files of releases  STATE/instances/    one directory per instance
 *       STATE/postmortems/  drafts        STATE/ticks/      what rollouts were judged by
 *       STATE/plans/        of infrastructure
 *       STATE/persist/      what survives releases
 *       STATE/sources/      mirrors of repositories elsewhere, and what of their refs was seen
 *       STATE/spool/        uploads under way
 * HOW   state_open() with `lock` for the launcher, without for everybody whom it started.
 */
#ifndef DAEMON_STATE_H
#define DAEMON_STATE_H

#include <stdbool.h>

#include "base/err.h"

struct state_directory;

/* `path` NULL: DAVIT_STATE from the environment, else ./.davit. ERR_CONFLICT: another launcher has it. */
MUST_CHECK int state_open(const char *path, bool lock, struct state_directory **ret_state,
			  struct error *err);
void state_close(struct state_directory *state);

const char *state_path(const struct state_directory *state); /* absolute */
int state_fd(const struct state_directory *state);           /* of the directory itself */

/* "STATE/name" in `to`. */
const char *state_file(const struct state_directory *state, const char *name, char *to,
		       size_t size);

/* A stream socket listening at STATE/name; what an earlier owner left there is removed. */
MUST_CHECK int state_listen(const struct state_directory *state, const char *name, int *ret_fd,
			    struct error *err);
/* Let the users of this group of the machine ("": nobody else any more) speak to STATE/name: they may pass through the
 * directory, whose other files and folders stay closed, and connect. */
MUST_CHECK int state_share(const struct state_directory *state, const char *name, const char *group,
			   struct error *err);
bool state_socket_alive(const struct state_directory *state, const char *name);

/* sd_notify(3) in one line: nothing happens when the socket is not there. */
void state_notify(const char *socket_name, const char *message);

#endif
