/* SPDX-License-Identifier: Apache-2.0
 * reserve - see reserve.h for the contract. */
#include "os/reserve.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "os/file.h"

enum { BLOCK = 512 }; /* st_blocks counts in these, whatever the file system's own are */

static bool is_whole(int fd, uint64_t bytes)
{
	struct stat about;
	return fstat(fd, &about) == 0 && S_ISREG(about.st_mode) &&
	       (uint64_t)about.st_blocks * BLOCK >= bytes;
}

/* Returns what errno would be. */
static int need_room(int fd, uint64_t bytes)
{
	struct statvfs fs;
	if (fstatvfs(fd, &fs) != 0)
		return errno;
	uint64_t blocks = geteuid() == 0 ? fs.f_bfree : fs.f_bavail;
	return blocks >= bytes / fs.f_frsize ? 0 : ENOSPC;
}

int reserve_hold(int dir_fd, const char *name, uint64_t bytes, struct error *err)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	AUTO_CLOSE int fd = openat(dir_fd, name, flags, 0600);
	if (fd < 0)
		return error_errno(err, errno, "\"%s\" cannot be made", name);
	if (is_whole(fd, bytes))
		return 0;
	int number = need_room(fd, 2 * bytes);
	if (number == 0)
		number = posix_fallocate(fd, 0, (off_t)bytes);
	/* Its word is taken: one that compresses may never show blocks for it. */
	if (number == 0)
		return 0;
	unlinkat(dir_fd, name, 0);
	return error_errno(err, number, "\"%s\" cannot get its blocks", name);
}

bool reserve_spend(int dir_fd, const char *name)
{
	if (unlinkat(dir_fd, name, 0) != 0)
		return false;
	/* Some file systems give blocks back only with their next commit. Where that fails, the second try of
	 * whoever asked finds out. */
	int synced = file_sync_parent(dir_fd, name);
	(void)synced;
	return true;
}
