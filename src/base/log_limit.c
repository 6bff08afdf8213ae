/* SPDX-License-Identifier: Apache-2.0
 * log_limit - see log_limit.h for the contract. */
#include "base/log_limit.h"

#include "base/log.h"

enum { MINUTE_MS = 60 * 1000 };

bool log_limit_take(struct log_limit *l, uint64_t now_ms, uint32_t most, const char *event)
{
	if (now_ms >= l->minute_ms + MINUTE_MS) {
		if (l->unlogged > 0)
			log_event(LOG_WARNING, event, "more=%u", l->unlogged);
		*l = (struct log_limit){.minute_ms = now_ms};
	}
	if (l->logged < most) {
		l->logged++;
		return true;
	}
	l->unlogged++;
	return false;
}
