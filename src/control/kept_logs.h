/* SPDX-License-Identifier: Apache-2.0
 *
 * kept_logs - which logs of builds go, so that those that stay are within the bounds of the server's own file.
 *
 * WHAT  From the oldest on: one goes that is none of the newest `builds`, unless it failed and is not yet `failed` old; and
 *       one goes, however it ended, as long as all together take more than `bytes`. The newest always stays, and so does
 *       what has not ended.
 */
#ifndef CONTROL_KEPT_LOGS_H
#define CONTROL_KEPT_LOGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/server_logs.h"

struct kept_log {
	uint32_t number;
	uint64_t bytes;
	bool goes;
};

/* What became of a build. */
struct kept_log_build {
	bool ended, failed;
	uint64_t ended_unix_ms;
};

/* Sorts them by number and marks those that go; returns how many. `about` is asked of those alone that may. */
size_t kept_logs_choose(struct kept_log *logs, size_t count, const struct server_logs *bounds,
			uint64_t now_unix_ms,
			struct kept_log_build (*about)(void *context, uint32_t number),
			void *context);

#endif
