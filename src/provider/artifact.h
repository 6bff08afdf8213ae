/* SPDX-License-Identifier: Apache-2.0
 *
 * artifact - the interface to what keeps the files of releases, by their digest.
 *
 * WHAT  An artifact is a tree of files, named by the digest of its content. Importing one takes a
 * tar (plain, gz, xz, zst, bz2), a zip or one plain file and refuses what is hostile; the same tree
 *       has the same digest from whichever of them it came.
 *
 * HOW   All functions block (they read, write and sync): the controller calls them from a worker
 * thread. They may run at the same time in several threads, also for the same artifact.
 *
 * OWNS  The driver's object is made and freed by its own functions (drivers/artifact/local.h).
 *       A descriptor passed in stays the caller's and is read from where it stands.
 *
 * ERRORS INVALID the archive is broken or hostile, and the sentence names the entry · LIMIT too
 * large, too many files, a bomb · NO_SPACE disk full, nothing is left behind · NOT_FOUND no such
 * artifact · CORRUPT its files are not those that were imported.
 */
#ifndef PROVIDER_ARTIFACT_H
#define PROVIDER_ARTIFACT_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

struct artifact_store;

struct artifact_info {
	struct digest digest;
	uint64_t size_bytes; /* of the files' content */
	uint32_t entries;    /* files, directories and links */
};

struct artifact_collected {
	uint32_t removed;
	uint32_t kept;
	uint64_t removed_bytes;
	uint64_t kept_bytes;
};

struct artifact_ops {
	/* Read `fd` to its end. `file_name` says what it is: NULL or the name of an archive (.tar .tar.gz
	 * .tgz .tar.xz .txz .tar.zst .tar.bz2 .tbz2 .zip) is unpacked, anything else is kept as one
	 * executable file of that name. When this returns 0 the artifact is complete and durable; one that
	 * was there already is fine. */
	int (*import)(struct artifact_store *a, int fd, const char *file_name,
		      struct artifact_info *ret_info, struct error *err);
	/* The directory of an artifact, absolute, read-only for everyone; ERR_NOT_FOUND. */
	int (*path)(struct artifact_store *a, const struct digest *digest, char *ret_path,
		    size_t size, struct error *err);
	/* Compute the digest again from the files; ERR_CORRUPT when it is another. */
	int (*verify)(struct artifact_store *a, const struct digest *digest,
		      struct artifact_info *ret_info, struct error *err);
	/* Remove what is not among `keep` and was last imported more than `grace_ms` ago (one that
	 * is being imported just now is not in any list yet), and what broken imports left behind.
	 */
	int (*collect)(struct artifact_store *a, const struct digest *keep, size_t keep_count,
		       uint64_t grace_ms, struct artifact_collected *ret_collected,
		       struct error *err);
};

struct artifact_store {
	const struct artifact_ops *ops;
};

#endif
