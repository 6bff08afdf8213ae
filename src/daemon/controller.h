/* SPDX-License-Identifier: Apache-2.0
 *
 * controller - the process that decides: builds the object graph and runs the loop.
 *
 * HOW   Started by the launcher as `davit controller --state DIR`. TERM: leave, everything else goes on. INT:
 *       end every instance first, then leave.
 *
 * ERRORS Returns the process's exit code. 2: a refusal that another try would not change (a newer store, a
 *       damaged one); the launcher then gives up.
 */
#ifndef DAEMON_CONTROLLER_H
#define DAEMON_CONTROLLER_H

#include <stdbool.h>

/* `server_file` NULL: the usual one. */
int controller_run(const char *state_path, const char *server_file, bool verbose);

#endif
