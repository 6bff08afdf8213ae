/* SPDX-License-Identifier: Apache-2.0
 * server_logs - see server_logs.h for the contract. */
#include "config/server_logs.h"

#include "config/keys.h"
#include "config/server.h"

static const struct schema_key logs_keys[] = {
	{"builds", SCHEMA_NUMBER, AT(server_logs, builds), .fallback = "500", .min = 1,
	 .max = 10000, .doc = "The logs of the newest so many builds are kept."},
	{"bytes", SCHEMA_SIZE, AT(server_logs, bytes), .fallback = "5GiB", .min = MIB(1),
	 .max = 1ull << 44,
	 .doc = "What they may take on the disk together. Above it the oldest go, however they "
		"ended; those of the newest build stay."},
	{"failed", SCHEMA_DURATION, AT(server_logs, failed_ms), .min = MINUTE(1), .max = DAY(366),
	 .example = "90d",
	 .doc = "A build that failed keeps its logs so long, also where `builds` newer ones have "
		"come since. Left out: no longer than others."},
};

const struct schema_section server_logs_section = {
	.title = "logs", KEYS(logs_keys), .doc = "How long the logs of builds are kept."};

struct server_logs server_logs(const struct server *server)
{
	struct server_logs logs = {.set = 0};
	if (server)
		logs = server->logs;
	schema_defaults(&server_logs_section, &logs);
	return logs;
}
