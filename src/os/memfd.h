/* SPDX-License-Identifier: Apache-2.0
 *
 * memfd - memory with a descriptor, to be handed to other processes: sealed blocks that can never change,
 *         and segments that several processes map and write.
 *
 * OWNS  Descriptors are the caller's to close (close-on-exec), mappings the caller's to memfd_unmap().
 * ERRORS ERR_CORRUPT from memfd_read_sealed() for one that could still change, ERR_LIMIT for a size beyond
 *       `size_max`, ERR_NO_SPACE when the system has no memory left.
 */
#ifndef OS_MEMFD_H
#define OS_MEMFD_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* A block that nobody can change any more, not even its maker. */
int memfd_seal(const char *name, const void *data, size_t size, int *ret_fd,
	       struct error *err) MUST_CHECK;

/* Append a sealed block to `to`; whoever sent it cannot change it under our eyes. */
int memfd_read_sealed(int fd, size_t size_max, struct buf *to, struct error *err) MUST_CHECK;

/* A segment of zeros, of fixed size, mapped for writing. */
int memfd_share(const char *name, size_t size, int *ret_fd, void **ret_memory,
		struct error *err) MUST_CHECK;

/* Map a segment that came from another process, for writing. */
int memfd_map(int fd, size_t size_max, void **ret_memory, size_t *ret_size,
	      struct error *err) MUST_CHECK;

void memfd_unmap(void *memory, size_t size);

#endif
