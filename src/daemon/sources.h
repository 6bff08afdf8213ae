/* SPDX-License-Identifier: Apache-2.0
 *
 * sources - when git repositories are looked at, and what comes of it: provider/sources.h on the controller's loop.
 *
 * WHAT  Those that the server's own file names, each at its interval and when a webhook says so; and those that this
 *       server holds (STATE/repositories), at the start and each minute: what was pushed while no server ran is built as
 *       well. Each also when the time of an environment's schedule has come (control/schedules.h). A look runs in a thread of its own, SOURCES_AT_ONCE of them; the orders that it asks for are committed
 *       before it counts as seen.
 *
 * OWNS  The parts are the caller's. sources_cancel() before the loop is freed, sources_free() after it.
 */
#ifndef DAEMON_SOURCES_H
#define DAEMON_SOURCES_H

#include "os/loop.h"
#include "provider/sources.h"

struct control;
struct server;
struct server_source;
struct store;

enum { SOURCES_AT_ONCE = 4, SOURCES_HOSTED_MAX = 256, SOURCES_HOSTED_MS = 60 * 1000 };

struct sources_parts {
	struct loop *loop;
	struct control *control;
	struct store *store;
	const struct server *(*server)(void *context); /* as it is now; NULL: there is none */
	void *server_context;
	const char *state; /* the state directory, absolute */
};

MUST_CHECK int sources_new(const struct sources_parts *parts, struct sources **ret_sources,
			   struct error *err);
void sources_cancel(struct sources *sources); /* NULL is allowed, here and below */
void sources_free(struct sources *sources);

/* What the server's file says of an application's source; NULL: nothing. Valid until the next turn. */
const struct server_source *sources_find(struct sources *sources, const char *app);

/* A request of a git host was taken, or refused. */
void sources_hooked(struct sources *sources, const char *app);
void sources_refused(struct sources *sources, const char *app, const char *why);

#endif
