/* SPDX-License-Identifier: Apache-2.0
 *
 * local - the builder (provider/builder.h) that runs stages on this machine, for one commit.
 *
 * WHAT  Works in one directory, which only one davit may have at a time:
 *       BUILD/lock          BUILD/cache/       see drivers/builder/cache.h
 *       BUILD/logs/         STAGE.log of the last run, a time before each line
 *       BUILD/release.tar   the last archive
 *       BUILD/known/STAGE   what is no new finding of its scan (scan/known.h); written by others, only read here
 *       BUILD/findings/STAGE  what its scan found in the last run, the same way
 *       BUILD/run/          all of a run; removed at its end, and at the next beginning if that was not reached:
 *                           source/, outputs/STAGE/, stages/STAGE/{work,tmp,home}, release/
 *       BUILD/kept/         see drivers/builder/kept.h; of builds that have a number
 *
 * HOW   builder_local_open() takes the lock and makes the copy of the commit (both block), then the interface;
 *       builder_local_close() when no attempt is under way. Between the two, before the first attempt: for each stage
 *       builder_local_find() (blocks), then builder_local_take() or builder_local_drop().
 *
 * ERRORS CONFLICT another davit builds here, UNSUPPORTED no sandbox can be made (nothing is ever run without).
 * LIMITS The three of the settings; outputs and archives as in os/archive.h.
 */
#ifndef DRIVERS_BUILDER_LOCAL_H
#define DRIVERS_BUILDER_LOCAL_H

#include <stdint.h>

#include "drivers/builder/checkout.h"
#include "drivers/builder/kept.h"
#include "os/loop.h"
#include "provider/builder.h"
#include "wire/mask.h"

#define LOCAL_LOG_BYTES  (UINT64_C(16) << 20) /* of one stage */
#define LOCAL_WORK_BYTES (UINT64_C(8) << 30)  /* work, tmp and home of one stage */

struct builder_local_settings {
	const char *directory;   /* BUILD, absolute; made when missing */
	const char *application; /* its name */
	const struct checkout *checkout;
	const struct mask *mask; /* NULL: nothing is secret */
	/* Whose cache is read and written, and whose is read when that has nothing: full names of refs. Both NULL: all
	 * that is built here has one. */
	const char *cache_ref, *cache_fallback;
	/* What stages make is kept under this number, and may be taken from build `origin` (0: none); `number` 0: nothing
	 * is kept. */
	uint32_t number, origin;
	uint64_t log_bytes, work_bytes, cache_bytes;
	/* The release that BUILD/known is about, for people; NULL: it is about none, and `unknown` is why, to go on after
	 * "for". */
	const char *since, *unknown;
	/* Reads the report of a stage's scan, in another thread: 0 when nothing in it stands in the way, else the
	 * reason. `findings` is to be filled, and scan->keep written, where the report could be read. NULL: a stage
	 * with `sarif` fails. */
	int (*judge)(const struct builder_job *job, const struct builder_scan *scan,
		     struct builder_result *result, struct error *err);
};

/* Everything that `settings` points to must live until the close. */
int builder_local_open(struct loop *loop, const struct builder_local_settings *settings,
		       struct builder **ret_builder, struct error *err) MUST_CHECK;
void builder_local_close(struct builder *builder);

/* The stage has passed in this build, before a crash, or in the one that it goes on from, and all is there. */
bool builder_local_find(const struct builder *builder, const char *stage,
			struct kept_stage *ret_stage);
int builder_local_take(struct builder *builder, const char *stage, const struct kept_stage *about,
		       struct error *err) MUST_CHECK;
int builder_local_drop(struct builder *builder, const char *stage, struct error *err) MUST_CHECK;

#endif
