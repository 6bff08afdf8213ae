/* SPDX-License-Identifier: Apache-2.0
 * standalone - see standalone.h for the contract. */
#include "gateway/standalone.h"

#include "gateway/supervisor.h"
#include "gateway/table_file.h"

int gateway_standalone_run(const struct standalone_options *options, struct error *err)
{
	const struct supervisor_options supervisor = {
		.state_fd = -1,
		.workers = options->workers,
		.access_log = options->access_log,
		.machine = "",
		.table_file = options->table_file,
		.table_read = table_file_read,
	};
	return gateway_supervisor_run(&supervisor, err);
}
