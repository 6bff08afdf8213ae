/* SPDX-License-Identifier: Apache-2.0
 *
 * local_state - what local.c (the order of things) and local_work.c (what blocks) share. Internal to
 *               drivers/builder/.
 *
 * HOW   local_prepare() and local_collect() run in other threads, one attempt each, and touch the attempt alone, and
 *       of `local` what never changes after it was opened. Stages have directories of their own.
 */
#ifndef DRIVERS_BUILDER_LOCAL_STATE_H
#define DRIVERS_BUILDER_LOCAL_STATE_H

#include <stdatomic.h>

#include "base/digest.h"
#include "drivers/builder/local.h"
#include "drivers/builder/sandbox.h"
#include "drivers/builder/stage_log.h"

struct attempt;

struct local {
	struct builder builder; /* first: what is handed out */
	struct loop *loop;
	struct builder_local_settings settings;
	int lock_fd, build_fd, run_fd, source_fd, cache_fd, logs_fd;
	struct kept kept;                  /* of a build with a number */
	char run[SANDBOX_PATH_SIZE - 128]; /* absolute */
	struct attempt *attempts;
};

struct attempt {
	struct attempt *next;
	struct local *local;
	const struct builder_job *job;
	struct builder_result result;
	struct sandbox *sandbox;
	struct sandbox_place place;
	struct sandbox_end end;
	struct stage_log log;
	struct env_timer timer; /* measures */
	uid_t user;
	int stage_fd; /* stages/NAME */
	char key[DIGEST_HEX_SIZE];
	bool stopped;   /* somebody asked for it */
	bool measuring; /* in another thread */
	bool over;      /* the sandbox has ended, but not yet the measuring */
	uint64_t taken; /* bytes of its directory */
	uint64_t began_ms, took_ms;
	int code; /* of local_prepare() and local_collect() */
	struct error err;
};

int local_make(struct local *local, struct error *err) MUST_CHECK;
void local_prepare(void *attempt);
void local_collect(void *attempt);
void local_measure(void *attempt);

#endif
