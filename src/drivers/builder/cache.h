/* SPDX-License-Identifier: Apache-2.0
 *
 * cache - what stages need not make again: directories by the content of the files that they depend on.
 *
 * WHAT  CACHE/<sha256>/ holds the paths of one stage of one ref, for one content of its key files: what a ref keeps,
 *       another finds only where it asks for it by that ref. It is written apart and renamed when it is whole, so that
 *       half of one is never read; what is there is never changed. Past the bytes that the user gives, and past 1,024
 *       of them, the one that was not used for the longest time goes first.
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

/* Of the ref ("": of all that is built here), the job's stage, its paths, and the content of its key files in the
 * commit; a file that is not there counts as such. */
int cache_key(const struct builder_job *job, const char *ref, int source_fd,
	      char ret_key[DIGEST_HEX_SIZE], struct error *err) MUST_CHECK;

/* Copy what is kept under the key. `ret_hit`: there was something. */
int cache_restore(int cache_fd, const char *key, const struct builder_job *job, int work_fd,
		  struct graft *graft, bool *ret_hit, struct error *err) MUST_CHECK;

/* Keep the job's paths, those that are there, and make room: at most `bytes_max` in all. */
int cache_save(int cache_fd, const char *key, const struct builder_job *job, int work_fd,
	       uint64_t bytes_max, struct error *err) MUST_CHECK;

#endif
