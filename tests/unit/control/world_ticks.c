/* SPDX-License-Identifier: Apache-2.0
 * world_ticks - what the judge is fed with, kept in memory: it outlives the control. */
#include <stdlib.h>
#include <string.h>

#include "world.h"

static int begin(struct ticks *ticks, uint32_t rollout, bool anew, struct ticks_log **ret_log,
		 struct error *err)
{
	(void)ticks;
	if (rollout >= WORLD_TICK_LOGS_MAX)
		return error_set(err, ERR_LIMIT, "There are no more than %d logs.",
				 WORLD_TICK_LOGS_MAX);
	if (anew)
		buf_done(&world.tick_logs[rollout]);
	*ret_log = (struct ticks_log *)&world.tick_logs[rollout];
	return 0;
}

static int add(struct ticks_log *log, const char *line, size_t size, struct error *err)
{
	struct buf *b = (struct buf *)log;
	if (b->max == 0)
		buf_init(b, TICKS_BYTES_MAX);
	buf_append(b, line, size);
	buf_append(b, "\n", 1);
	return b->overflowed ? error_set(err, ERR_LIMIT, "The log of ticks is full.") : 0;
}

static void end(struct ticks_log *log)
{
	(void)log;
}

static int visit_lines(struct ticks *ticks, uint32_t rollout, uint64_t *at, ticks_visit visit,
		       void *context, struct error *err)
{
	(void)ticks;
	const struct buf *b = rollout < WORLD_TICK_LOGS_MAX ? &world.tick_logs[rollout] : NULL;
	if (!b || b->max == 0)
		return error_set(err, ERR_NOT_FOUND, "Nothing is kept of rollout %u.", rollout);
	int result = 0;
	while (result == 0 && *at < b->size) {
		const char *line = b->data + *at;
		size_t size = strcspn(line, "\n");
		*at += size + 1;
		result = visit(context, line, size, err);
	}
	return result;
}

void ticks_open(void)
{
	static const struct ticks_ops ops = {
		.begin = begin, .add = add, .end = end, .read = visit_lines};
	world.ticks.ops = &ops;
}

void ticks_close(void)
{
	for (uint32_t i = 0; i < WORLD_TICK_LOGS_MAX; i++)
		buf_done(&world.tick_logs[i]);
}
