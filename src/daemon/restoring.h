/* SPDX-License-Identifier: Apache-2.0
 *
 * restoring - the state directory gets the store of a backup, all of it or nothing, whenever the machine stops.
 *
 * HOW    Under the state's lock: restoring_begin() gives an empty directory STATE/restoring; what is to be there
 *        goes into its folder "new": davit.db, ticks and postmortems, each of them. Until restoring_commit() nothing of the state has changed. That brings it to disk and
 *        renames the directory to STATE/restored: from this instant on the new state counts. Then one after the
 *        other the old is moved into its folder "old" and the new into its place, each by a rename; whoever takes the lock
 *        of a state directory after a crash does the rest first (restoring_finish()). At last the directory becomes
 *        STATE/before-restore-TIME, with the old state in "old".
 *
 * NOTE   Instances, keepers and the gateway may run all the while: their directories are not touched.
 */
#ifndef DAEMON_RESTORING_H
#define DAEMON_RESTORING_H

#include <stddef.h>

#include "base/err.h"

MUST_CHECK int restoring_begin(int state_fd, int *ret_new_fd, struct error *err);
/* `ret_old` gets the name beneath the state under which the old state lies, "" when there was none. */
MUST_CHECK int restoring_commit(int state_fd, char *ret_old, size_t size, struct error *err);
/* Do what a crash has left to do, and remove what it left behind. */
MUST_CHECK int restoring_finish(int state_fd, struct error *err);

#endif
