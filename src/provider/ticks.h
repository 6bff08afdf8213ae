/* SPDX-License-Identifier: Apache-2.0
 *
 * ticks - the interface to where a rollout's ticks are kept: what the judge was fed, line by line, so that it can
 *         be asked again.
 *
 * WHAT  One log of lines per rollout, appended to, never changed. The lines are control/tick_text.h's.
 *
 * HOW   begin() opens the log of a rollout, a new one or the one that an earlier controller left; add() appends a
 *       line; read() visits the lines of any rollout, all or from a place on. One log is open at a time per
 *       environment; end() closes it. A last line that was cut by a crash is dropped when the log is opened again,
 *       and not visited.
 *
 * ERRORS add() fails with ERR_LIMIT when the log has reached TICKS_BYTES_MAX, else as files do; then the log stays
 *       as it was. The judge goes on without it. read(): ERR_NOT_FOUND where nothing was kept, or no longer.
 *
 * LIMITS The newest TICKS_LOGS_MAX rollouts keep their logs.
 */
#ifndef PROVIDER_TICKS_H
#define PROVIDER_TICKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { TICKS_BYTES_MAX = 64 << 20, TICKS_LOGS_MAX = 100, TICKS_LINE_MAX = 256 << 10 };

/* Without its line end. Anything but 0 ends the reading and is its result. */
typedef int (*ticks_visit)(void *context, const char *line, size_t size, struct error *err);

struct ticks;
struct ticks_log;

struct ticks_ops {
	/* `anew`: without the lines that an earlier rollout of this number left. */
	int (*begin)(struct ticks *ticks, uint32_t rollout, bool anew, struct ticks_log **ret_log,
		     struct error *err);
	int (*add)(struct ticks_log *log, const char *line, size_t size, struct error *err);
	void (*end)(struct ticks_log *log); /* NULL is allowed */
	/* From byte `*at` on, where a line begins (0: the first); it is moved behind every line that was visited. */
	int (*read)(struct ticks *ticks, uint32_t rollout, uint64_t *at, ticks_visit visit,
		    void *context, struct error *err);
};

struct ticks {
	const struct ticks_ops *ops;
};

#endif
