/* SPDX-License-Identifier: Apache-2.0
 *
 * process - the builds (provider/builds.h) that a process of davit's own runs, see daemon/builder_role.h.
 *
 * WHAT  STATE/builds/apps/APP/   where it works, with the cache of that application (drivers/builder/local.h)
 *       STATE/builds/logs/N/STAGE.log of a build that has ended
 */
#ifndef DRIVERS_BUILDS_PROCESS_H
#define DRIVERS_BUILDS_PROCESS_H

#include "os/loop.h"
#include "provider/builds.h"

/* `directory` is STATE/builds, absolute; made when missing. */
int builds_process_new(struct loop *loop, const char *directory, struct builds **ret_builds,
		       struct error *err) MUST_CHECK;
/* Ends a build under way, before the loop ends; what runs beside the loop still needs the rest. NULL is allowed. */
void builds_process_cancel(struct builds *builds);
void builds_process_free(struct builds *builds); /* NULL is allowed */

#endif
