/* SPDX-License-Identifier: Apache-2.0
 *
 * kept - what stages that passed have made, for a build that goes on where another one, or itself before a crash, was.
 *
 * WHAT  KEPT/builds/N/STAGE      which stage of build N passed: numbers and digests, nothing that a stage wrote
 *       KEPT/builds/N/STAGE.log  its log
 *       KEPT/builds/N/STAGE.findings  what its scan found
 *       KEPT/outputs/STAGE-<sha256>  its outputs, under the digest of their tree
 *       KEPT/outputs/<sha256>.tar    its archive
 *       A stage is there when its first file is, and that is written last. What is read is compared with its digests
 *       before: a tree that was damaged, or cut by a failing machine, is none.
 *
 * HOW   kept_open(); kept_find() and then kept_take() or kept_drop() for each stage before the first one starts;
 *       kept_save() after each that passed, in any thread; kept_bound() at the end. All block.
 *       In RUN/outputs/STAGE stands a link to what is kept, so that whoever reads outputs there sees no difference.
 * OWNS  One davit at a time works on a directory of builds.
 */
#ifndef DRIVERS_BUILDER_KEPT_H
#define DRIVERS_BUILDER_KEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "provider/builder.h"

enum { KEPT_BUILDS_MAX = 10 };
#define KEPT_BYTES_MAX (UINT64_C(8) << 30)

struct kept {
	int build_fd; /* the builder's directory: not closed by kept_close() */
	int fd;       /* BUILD/kept */
	uint32_t number;
	struct digest of; /* the commit and the ref: a build of anything else is not gone on with */
};

/* One stage that passed. */
struct kept_stage {
	uint32_t number; /* of the build that it ran in */
	uint32_t attempt;
	uint64_t took_ms;
	uint32_t tests, failed, skipped; /* all 0: it has no results */
	uint32_t fresh, known, fixed, waived, suppressed;
	bool archived;
	bool scanned; /* the numbers before, and `found` */
	struct digest outputs, archive, found;
	char since[BUILDER_SINCE_SIZE]; /* what its findings were compared with; "": nothing */
};

int kept_open(struct kept *kept, int build_fd, uint32_t number, const char *commit, const char *ref,
	      struct error *err) MUST_CHECK;
void kept_close(struct kept *kept);

/* That stage of build `number`: it is there, of the same commit and ref, and undamaged. */
bool kept_find(const struct kept *kept, uint32_t number, const char *stage,
	       struct kept_stage *ret_stage);
/* It is one of this build now, with its outputs, archive and log, where the builder looks for them. */
int kept_take(const struct kept *kept, const char *stage, const struct kept_stage *about,
	      struct error *err) MUST_CHECK;
/* It is to run again: what this build had of it counts no longer. */
int kept_drop(const struct kept *kept, const char *stage, struct error *err) MUST_CHECK;

/* Keep what RUN/outputs/STAGE and BUILD/findings/STAGE have, and the archive that was just made. What cannot be kept is no error: the stage would
 * run again. < 0: the outputs are where nobody would find them. */
int kept_save(const struct kept *kept, const char *stage, struct kept_stage *about,
	      struct error *err) MUST_CHECK;

/* The last `builds_max` builds, and at most so many bytes: the oldest goes first. */
void kept_bound(const struct kept *kept, uint32_t builds_max, uint64_t bytes_max);

#endif
