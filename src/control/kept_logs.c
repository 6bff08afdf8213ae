/* SPDX-License-Identifier: Apache-2.0
 * kept_logs - see kept_logs.h for the contract. */
#include "control/kept_logs.h"

#include <stdlib.h>

static int by_number(const void *a, const void *b)
{
	const struct kept_log *one = a, *other = b;
	return (one->number > other->number) - (one->number < other->number);
}

size_t kept_logs_choose(struct kept_log *logs, size_t count, const struct server_logs *bounds,
			uint64_t now_unix_ms,
			struct kept_log_build (*about)(void *context, uint32_t number),
			void *context)
{
	uint64_t bytes = 0;
	size_t going = 0;
	qsort(logs, count, sizeof *logs, by_number);
	for (size_t i = 0; i < count; i++)
		bytes += logs[i].bytes;
	for (size_t i = 0; i + 1 < count; i++) {
		bool old = count - i > bounds->builds, large = bytes > bounds->bytes;
		if (!old && !large)
			break; /* nor may any that is newer */
		struct kept_log_build build = about(context, logs[i].number);
		bool spared = build.failed && now_unix_ms < build.ended_unix_ms + bounds->failed_ms;
		logs[i].goes = build.ended && (large || !spared);
		if (!logs[i].goes)
			continue;
		bytes -= logs[i].bytes;
		going++;
	}
	return going;
}
