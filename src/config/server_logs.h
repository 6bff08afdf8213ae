/* SPDX-License-Identifier: Apache-2.0
 *
 * server_logs - `logs` of the server's own file: how much of what builds wrote is kept, and how long.
 */
#ifndef CONFIG_SERVER_LOGS_H
#define CONFIG_SERVER_LOGS_H

#include "config/schema.h"

struct server_logs {
	uint32_t set;
	uint32_t builds; /* the newest so many keep their logs */
	uint64_t bytes;  /* of all of them together, as they lie on the disk */
	uint64_t
		failed_ms; /* one that failed keeps its own so long, also where it is none of the newest; 0: no longer */
};

struct server;

extern const struct schema_section server_logs_section;

/* With its defaults; `server` may be NULL: there is no such file. */
struct server_logs server_logs(const struct server *server);

#endif
