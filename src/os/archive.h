/* SPDX-License-Identifier: Apache-2.0
 *
 * archive - directories to tar, archives of strangers to directories, and the digest of a tree.
 *
 * WHAT   A tree is directories, files (executable or not) and symbolic links that stay inside; owners,
 *        times and other permission bits do not belong to it. Its digest is over the sorted list of
 *        entries and the SHA-256 of each file's content, so that the same tree has the same digest,
 *        whether it came as a directory, a tar or a zip.
 *
 * HOW    Archives are read by libarchive, but davit alone writes: every name is checked, every parent is
 *        opened beneath the target and never through a symbolic link, nothing is written over. Refused
 *        are absolute names, "..", links that lead outside, devices, FIFOs, sockets, a name given twice,
 *        names that are not UTF-8 or hold control characters, encrypted entries. Setuid, setgid and
 *        sticky bits are dropped.
 *
 * ERRORS INVALID broken or hostile, LIMIT past a bound: the sentence names the entry. NO_SPACE disk full.
 *        After a failure the target holds a part of the tree: remove it.
 *
 * LIMITS below; they hold for what comes out, so that a small bomb is stopped where it begins to grow. All
 *        functions block, use no globals and may run in several threads at once.
 */
#ifndef OS_ARCHIVE_H
#define OS_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

enum {
	ARCHIVE_ENTRIES_MAX = 200000,
	ARCHIVE_PATH_MAX = 1024, /* bytes of a name from the tree's root, and of a link's target */
	ARCHIVE_DEPTH_MAX = 48,  /* directories; less than file_copy_tree() can take */
	ARCHIVE_RATIO_MAX = 200, /* bytes out for each byte in ... */
	ARCHIVE_RATIO_FREE_BYTES = 64 << 20, /* ... once this much came out */
};
#define ARCHIVE_BYTES_MAX \
	(UINT64_C(2) << 30) /* of all files together, hard links counted each time */

struct archive_limits {
	uint64_t bytes;
	uint64_t ratio_free_bytes;
	uint32_t ratio;
	uint32_t entries;
};

extern const struct archive_limits archive_limits_default;

struct archive_tree {
	struct digest digest;
	uint64_t size_bytes; /* of the files' content */
	uint32_t entries;    /* directories, files and links */
};

/* Is this the name of an archive: .tar .tar.gz .tgz .tar.xz .txz .tar.zst .tar.bz2 .tbz2 .zip? Anything
 * else (a program, a .jar) is one plain file. */
bool archive_is_archive_name(const char *name);

/* Unpack tar (plain, gzip, xz, zstd, bzip2) or zip from the seekable file `fd`, from its beginning, into the
 * empty directory `dir_fd`. */
int archive_unpack(int fd, int dir_fd, const struct archive_limits *limits,
		   struct error *err) MUST_CHECK;

/* Copy one file from where `fd` stands into the empty directory, as `name`, executable. */
int archive_unpack_file(int fd, const char *name, int dir_fd, const struct archive_limits *limits,
			struct error *err) MUST_CHECK;

/* The digest of a tree, and its measures. ERR_CORRUPT for an entry that no tree has (a device, ...). */
int archive_tree_digest(int dir_fd, struct archive_tree *ret_tree, struct error *err) MUST_CHECK;
/* The measures alone, without reading the files; the digest is zero. */
int archive_tree_measure(int dir_fd, struct archive_tree *ret_tree, struct error *err) MUST_CHECK;

/* Take away everybody's right to write, for everything in the tree and its root. */
int archive_tree_seal(int dir_fd, struct error *err) MUST_CHECK;

/* Gets the next bytes of a packed directory; < 0 and an error ends the packing. */
typedef int (*archive_sink)(void *context, const void *bytes, size_t size, struct error *err);

/* Pack a directory as a tar, in a fixed order and without owners and times: the same tree gives the same
 * bytes. Entries named ".git" or ".davit" are left out, at any depth. */
int archive_pack(int dir_fd, archive_sink sink, void *context, struct error *err) MUST_CHECK;
/* The same, and nothing is left out. */
int archive_pack_all(int dir_fd, archive_sink sink, void *context, struct error *err) MUST_CHECK;

#endif
