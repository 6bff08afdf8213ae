/* SPDX-License-Identifier: Apache-2.0
 *
 * target - ENV[/PROCESS] as people write it: "prod", "prod/web", "shop/prod", "shop/prod/web".
 *
 * WHAT  "a/b" is the environment b of the application a where there is one, else the process b of the
 *       environment a: the server is asked.
 */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include "cli/client.h"

enum { TARGET_SIZE = 200 };

struct target {
	char environment[TARGET_SIZE];
	char process[TARGET_SIZE]; /* "" = none was named */
};

MUST_CHECK int target_parse(struct client *client, const char *text, struct target *ret_target,
			    struct error *err);

#endif
