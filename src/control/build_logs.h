/* SPDX-License-Identifier: Apache-2.0
 *
 * build_logs - the logs of builds are kept within the bounds of the server's own file (`logs`), see kept_logs.h.
 *
 * HOW   Beside the loop: the directories are measured, in the loop it is chosen, beside it they are removed. One that
 *       cannot be removed is tried again after the next build.
 */
#ifndef CONTROL_BUILD_LOGS_H
#define CONTROL_BUILD_LOGS_H

#include "control/environment.h"

/* At the beginning, and whenever a build has ended. While it is under way, once more when that is done. */
void build_logs_tidy(struct control *c);
void build_logs_release(struct control *c);

#endif
