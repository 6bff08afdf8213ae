/* SPDX-License-Identifier: Apache-2.0
 * The keeper as a program of its own, for the tests: what `davit keeper --dir DIRECTORY` runs. */
#include <stdio.h>
#include <string.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "keeper/keeper.h"

int main(int argc, char **argv)
{
	if (argc != 4 || strcmp(argv[1], "keeper") != 0 || strcmp(argv[2], "--dir") != 0) {
		fprintf(stderr, "usage: keeper_process keeper --dir DIRECTORY\n");
		return 2;
	}
	log_init("keeper", LOG_INFO);
	failpoint_from_environment();
	return keeper_main(argv[3]);
}
