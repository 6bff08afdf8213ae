/* SPDX-License-Identifier: Apache-2.0
 * serving - see serving.h for the contract. */
#include "daemon/serving.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "daemon/controller.h"
#include "daemon/launcher.h"
#include "daemon/state.h"
#include "gateway/standalone.h"
#include "gateway/supervisor.h"

enum { WORKERS_MAX = 64 };

struct options {
	const char *state, *access_log, *server_file;
	uint32_t workers;
	bool verbose;
};

static int take_workers(const char *value, uint32_t *ret_workers, struct error *err)
{
	uint64_t number;
	if (!text_parse_u64(value, WORKERS_MAX, &number))
		return error_set(err, ERR_INVALID,
				 "--workers takes a number from 0 (one a core) to %d, not \"%s\".",
				 WORKERS_MAX, value);
	*ret_workers = (uint32_t)number;
	return 0;
}

/* The processes start each other with these; people never see them. */
static int parse_own(int argc, char **argv, struct options *o, struct error *err)
{
	for (int i = 1; i < argc; i++) {
		const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
		if (strcmp(name, "--verbose") == 0) {
			o->verbose = true;
			continue;
		}
		const char **text = strcmp(name, "--state") == 0        ? &o->state
				    : strcmp(name, "--access-log") == 0 ? &o->access_log
				    : strcmp(name, "--server") == 0     ? &o->server_file
									: NULL;
		if ((!text && strcmp(name, "--workers") != 0) || !value)
			return error_set(err, ERR_INVALID, "davit %s is started by davit itself.",
					 argv[0]);
		if (text)
			*text = value;
		else if (take_workers(value, &o->workers, err) < 0)
			return (int)err->code;
		i++;
	}
	return 0;
}

/* Of up, serve and gateway, from the table of verbs. Returns an exit code. */
static int parse_line(int argc, char **argv, struct cli *cli, struct options *o)
{
	struct error err;
	int code = cli_parse(argv[0], argc, argv, cli);
	if (code != CLI_OK)
		return code;
	const char *workers = cli_option(cli, "workers");
	if (workers && take_workers(workers, &o->workers, &err) < 0)
		return cli_fail(cli, &err, NULL);
	if (cli->state)
		o->state = cli->state;
	o->access_log = cli_option(cli, "access-log");
	o->verbose = cli_option(cli, "verbose") != NULL;
	return CLI_OK;
}

static int fail(const struct error *err)
{
	return cli_fail(NULL, err, NULL);
}

static int launch(int argc, char **argv, bool service)
{
	struct options o = {.state = service ? "/var/lib/davit" : NULL};
	struct cli cli;
	struct error err;
	int code = parse_line(argc, argv, &cli, &o);
	if (code != CLI_OK)
		return code;
	o.server_file = cli_option(&cli, "server");
	struct launcher_options options = {.state = o.state,
					   .service = service,
					   .workers = o.workers,
					   .verbose = o.verbose,
					   .server_file = o.server_file,
					   .access_log = o.access_log};
	int result = launcher_run(&options, &err);
	return result < 0 ? cli_fail(&cli, &err, NULL) : result;
}

int serving_up(int argc, char **argv)
{
	return launch(argc, argv, false);
}

int serving_serve(int argc, char **argv)
{
	return launch(argc, argv, true);
}

int serving_controller(int argc, char **argv)
{
	struct options o = {0};
	struct error err;
	return parse_own(argc, argv, &o, &err) < 0
		       ? fail(&err)
		       : controller_run(o.state, o.server_file, o.verbose);
}

int serving_supervisor(int argc, char **argv)
{
	struct options o = {0};
	struct error err;
	struct state_directory *state;
	char machine[65] = "";
	if (parse_own(argc, argv, &o, &err) < 0 || state_open(o.state, false, &state, &err) < 0)
		return fail(&err);
	log_init("gateway", o.verbose ? LOG_DEBUG : LOG_INFO);
	(void)!gethostname(machine, sizeof machine - 1);
	struct supervisor_options options = {.state_fd = state_fd(state),
					     .workers = o.workers,
					     .access_log = o.access_log,
					     .machine = machine};
	int result = gateway_supervisor_run(&options, &err);
	state_close(state);
	return result < 0 ? fail(&err) : 0;
}

int serving_gateway(int argc, char **argv)
{
	struct options o = {0};
	struct cli cli;
	struct error err;
	int code = parse_line(argc, argv, &cli, &o);
	if (code != CLI_OK)
		return code;
	const char *table = cli_option(&cli, "table");
	if (!table) {
		error_set(
			&err, ERR_INVALID,
			"davit gateway serves a table by itself: name its file with --table FILE.");
		return cli_fail(&cli, &err, "davit gateway --help");
	}
	log_init("gateway", o.verbose ? LOG_DEBUG : LOG_INFO);
	struct standalone_options options = {
		.table_file = table, .workers = o.workers, .access_log = o.access_log};
	int result = gateway_standalone_run(&options, &err);
	return result < 0 ? cli_fail(&cli, &err, NULL) : 0;
}
