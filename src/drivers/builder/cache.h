/* SPDX-License-Identifier: Apache-2.0
 *
 * cache - what stages need not make again: directories by the content of the files that they depend on.
 *
 * WHAT  CACHE/<sha256>/ holds the paths of one stage, for one content of its key files. It is written apart and
 *       renamed when it is whole, so that half of one is never read; what is there is never changed. Past
 *       CACHE_BYTES_MAX the one that was not used for the longest time goes first.
 * HOW   cache_key(), then cache_restore() before and, after a success without a hit, cache_save(). Block.
 * OWNS  One davit at a time works on a cache; its stages may run side by side.
 */
#ifndef DRIVERS_BUILDER_CACHE_H
#define DRIVERS_BUILDER_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "os/graft.h"
#include "provider/builder.h"

#define CACHE_BYTES_MAX (UINT64_C(4) << 30)

/* Of the job's stage, its paths, and the content of its key files in the commit; a file that is not there counts
 * as such. */
int cache_key(const struct builder_job *job, int source_fd, char ret_key[DIGEST_HEX_SIZE],
	      struct error *err) MUST_CHECK;

/* Copy what is kept under the key. `ret_hit`: there was something. */
int cache_restore(int cache_fd, const char *key, const struct builder_job *job, int work_fd,
		  struct graft *graft, bool *ret_hit, struct error *err) MUST_CHECK;

/* Keep the job's paths, those that are there, and make room: at most `bytes_max` in all. */
int cache_save(int cache_fd, const char *key, const struct builder_job *job, int work_fd,
	       uint64_t bytes_max, struct error *err) MUST_CHECK;

#endif
