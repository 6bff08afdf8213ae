/* SPDX-License-Identifier: Apache-2.0
 *
 * schedule_view - what the API says of an environment that is deployed to at times, as a line.
 */
#ifndef CLI_SCHEDULE_VIEW_H
#define CLI_SCHEDULE_VIEW_H

#include "cli/screen.h"

/* "main at mon-fri 02:30 (Europe/Berlin), next 2026-11-30 02:30; build 41 was the last", without a newline. */
void schedule_view_put(const struct cli *cli, struct buf *to, const json_t *schedule);

#endif
