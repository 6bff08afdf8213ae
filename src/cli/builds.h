/* SPDX-License-Identifier: Apache-2.0
 *
 * builds - a build in the server, followed as it goes and shown when it is over.
 *
 * HOW   Each returns the exit code; what was wrong has been told.
 */
#ifndef CLI_BUILDS_H
#define CLI_BUILDS_H

#include "cli/client.h"
#include "cli/command.h"

/* Order a build (`body` is released) and follow it. `lines`: show what the stages write. */
int build_ordered(struct cli *cli, struct client *client, const char *path, json_t *body,
		  bool lines);

/* "build/41": follow one that was ordered already, in the same way. */
int build_watch(struct cli *cli, struct client *client, const char *target);

/* "build/41" or "build/41/unit": the logs of its stages, with --follow until it has ended; the last `lines` of each (0:
 * all). */
int build_logs(const struct cli *cli, struct client *client, const char *target, uint64_t lines);

#endif
