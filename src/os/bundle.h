/* SPDX-License-Identifier: Apache-2.0
 *
 * bundle - several members of known sizes into one compressed tar, one after the other.
 *
 * HOW    bundle_begin(fd, &b, err); for each: bundle_member(b, name, size, err), then exactly `size` bytes by
 *        bundle_write() in pieces; bundle_end(b, err). archive_unpack() reads it again, which checks every name.
 *        zstd where libarchive has it built in, else gzip; no program is started for it.
 *
 * OWNS   The descriptor stays the caller's, who syncs it. bundle_end() frees, also when it fails.
 * ERRORS NO_SPACE, INTERNAL: what was written is of no use. After one of them only bundle_end() may follow.
 */
#ifndef OS_BUNDLE_H
#define OS_BUNDLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct bundle;

MUST_CHECK int bundle_begin(int fd, struct bundle **ret_bundle, struct error *err);
MUST_CHECK int bundle_member(struct bundle *b, const char *name, uint64_t size, struct error *err);
MUST_CHECK int bundle_write(struct bundle *b, const void *bytes, size_t size, struct error *err);
MUST_CHECK int bundle_end(struct bundle *b, struct error *err);

#endif
