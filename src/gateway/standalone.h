/* SPDX-License-Identifier: Apache-2.0
 *
 * standalone - `davit gateway --table FILE`: the gateway without a controller, for tests, benchmarks and
 *              whoever wants to write the table by hand.
 *
 * HOW   The supervisor with the table of a file (gateway/table_file.h). SIGHUP reads the file again, and
 *       opens the access log anew: a bad file is refused, with file:line:column where it has one, and the
 *       last table stays. SIGTERM and SIGINT drain. Nothing is kept on disk, and workers end with their
 *       supervisor.
 * ERRORS What is wrong with the first table, or with an address that it names.
 */
#ifndef GATEWAY_STANDALONE_H
#define GATEWAY_STANDALONE_H

#include <stdint.h>

#include "base/err.h"

struct standalone_options {
	const char *table_file;
	uint32_t workers;       /* 0 = one a core */
	const char *access_log; /* NULL = none */
};

int gateway_standalone_run(const struct standalone_options *options, struct error *err) MUST_CHECK;

#endif
