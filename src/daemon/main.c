/* SPDX-License-Identifier: Apache-2.0
 * main - davit is one binary: the verbs that are processes or need more than a client has are started here, all
 * others are the client's.
 *
 * `controller`, `gateway-supervisor`, `gateway-worker`, `keeper`, `builder` and `sandbox-inside` are how the processes start each other:
 * they are not for people and appear in no help. */
#include <stdio.h>
#include <string.h>

#include "base/failpoint.h"
#include "cli/cli.h"
#include "daemon/api_stream.h"
#include "daemon/backup_verb.h"
#include "daemon/build_order.h"
#include "daemon/build_verb.h"
#include "daemon/builder_role.h"
#include "daemon/judge_verb.h"
#include "daemon/register_verb.h"
#include "daemon/restore_verb.h"
#include "daemon/serving.h"
#include "drivers/builder/inside.h"
#include "gateway/worker_link.h"
#include "keeper/keeper.h"

static int run_keeper(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "--dir") == 0)
		return keeper_main(argv[2]);
	fputs("davit: the keeper is started by davit itself.\n", stderr);
	return 2;
}

static const struct {
	const char *verb;
	int (*run)(int argc, char **argv); /* argv[0] is the verb */
} processes[] = {
	{"up", serving_up},
	{"serve", serving_serve},
	{"gateway", serving_gateway},
	{"build", build_verb},
	{"remote", remote_verb},
	{"register", register_verb},
	{"receive", receive_verb},
	{"judge", judge_verb},
	{"backup", backup_verb},
	{"restore", restore_verb},
	{"api-stream", api_stream},
	{"controller", serving_controller},
	{"gateway-supervisor", serving_supervisor},
	{"gateway-worker", gateway_worker_main},
	{"keeper", run_keeper},
	{"builder", builder_role},
	{"sandbox-inside", inside_main},
};

int main(int argc, char **argv)
{
#ifdef DAVIT_FAILPOINTS
	failpoint_from_environment();
#endif
	cli_verb_first(argc, argv);
	for (size_t i = 0; argc > 1 && i < sizeof processes / sizeof processes[0]; i++)
		if (strcmp(argv[1], processes[i].verb) == 0 && !cli_help_wanted(argc, argv))
			return processes[i].run(argc - 1, argv + 1);
	return cli_main(argc, argv);
}
