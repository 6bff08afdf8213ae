/* SPDX-License-Identifier: Apache-2.0
 * version - davit version: the version of this program. */
#include <stdio.h>

#include "cli/verbs.h"

int verb_version(struct cli *cli)
{
	if (cli->json)
		puts("{\"schema\":\"davit.v1/version\",\"version\":\"" DAVIT_VERSION "\"}");
	else
		puts("davit " DAVIT_VERSION);
	return CLI_OK;
}
