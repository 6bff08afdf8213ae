/* SPDX-License-Identifier: Apache-2.0
 *
 * schedules - environments that are deployed to at times: what the tip of a branch is then is built, and goes out.
 *
 * WHAT  The davit.yaml of a branch's tip says which environments (`trigger: { branch: …, schedule: … }`). A row in the
 *       store is one of them, with its next time. A time that has come is served by the first look at the repository that
 *       begins after it, so that the tip is that of the time; however many times have passed without a server,
 *       they are served once. What went out the last time is not built again.
 *
 * HOW   After each look at a repository: schedules_take() what it found, before it counts as seen, and then
 *       schedules_run(). Who looks at repositories looks at those of store_schedules_due().
 *       A crash between the order and its note in the row orders nothing twice.
 * LIMITS SCHEDULES_MAX in a server.
 */
#ifndef CONTROL_SCHEDULES_H
#define CONTROL_SCHEDULES_H

#include "control/control.h"
#include "store/schedules.h"

enum { SCHEDULES_MAX = 4096 };

struct schedules_found {
	const char *app, *repository;
	const char *refs; /* all that there are, lines "ID NAME"; NULL: not all are known */
	const char *read; /* those whose davit.yaml was read, also " NAME" and a newline each */
	uint32_t count;
	const struct store_schedule
		*rows; /* ref, environment, times, zone and tip, of those that were read */
};

/* Committed when it returns 0: rows of branches that are gone, or that say so no more, are forgotten. */
MUST_CHECK int schedules_take(struct control *c, const struct schedules_found *found,
			      struct error *err);

/* Serve what was due when the look began. The first failure; what it is about stays due. */
MUST_CHECK int schedules_run(struct control *c, const char *app, const char *repository,
			     uint64_t looked_unix_ms, struct error *err);

/* At the start: a next time that is further away than it can be, for the clock was wrong, is told anew. */
void schedules_begin(struct control *c);

enum schedules_act {
	SCHEDULES_WAIT,   /* its time has not come, or was not looked after yet */
	SCHEDULES_KNOWN,  /* the tip went out the last time */
	SCHEDULES_DENIED, /* the server's own file lets signed tags alone in */
	SCHEDULES_GO
};

/* PURE. `signed_only`: environments, a blank between two. */
enum schedules_act schedules_decide(const struct store_schedule *row, uint64_t looked_unix_ms,
				    const char *signed_only);

#endif
