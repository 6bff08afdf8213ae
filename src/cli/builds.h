/* SPDX-License-Identifier: Apache-2.0
 *
 * builds - a build in the server, followed as it goes and shown when it is over. */
#ifndef CLI_BUILDS_H
#define CLI_BUILDS_H

#include "cli/client.h"
#include "cli/command.h"

/* Order a build (`body` is released) and follow it; returns the exit code. `lines`: show what the stages write. */
int build_ordered(struct cli *cli, struct client *client, const char *path, json_t *body,
		  bool lines);

/* "build/41" or "build/41/unit": the logs of its stages. */
int build_logs(struct cli *cli, struct client *client, const char *target);

#endif
