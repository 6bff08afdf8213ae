/* SPDX-License-Identifier: Apache-2.0
 * memory_directory - see memory_directory.h for the contract. */
#include "os/memory_directory.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

void memory_directory_name(const char *prefix, int state_fd, char to[MEMORY_NAME_SIZE])
{
	struct stat about = {0};
	fstat(state_fd, &about);
	snprintf(to, MEMORY_NAME_SIZE, "%s-%u-%llx-%llx", prefix, (unsigned)geteuid(),
		 (unsigned long long)about.st_dev, (unsigned long long)about.st_ino);
}

static bool in_memory(const char *directory)
{
	struct statfs about;
	return directory && directory[0] == '/' && statfs(directory, &about) == 0 &&
	       (about.f_type == TMPFS_MAGIC || about.f_type == RAMFS_MAGIC) &&
	       access(directory, W_OK) == 0;
}

static const char *find_memory(void)
{
	const char *own = getenv("XDG_RUNTIME_DIR");
	if (geteuid() == 0 && in_memory("/run"))
		return "/run";
	if (geteuid() != 0 && in_memory(own) && strlen(own) < MEMORY_PATH_SIZE / 2)
		return own;
	return in_memory("/dev/shm") ? "/dev/shm" : NULL;
}

static int check_own(const char *path, struct error *err)
{
	struct stat about;
	if (lstat(path, &about) != 0)
		return error_errno(err, errno, "The directory of secrets, %s, cannot be read",
				   path);
	if (!S_ISDIR(about.st_mode) || about.st_uid != geteuid() || (about.st_mode & 022))
		return error_set(err, ERR_DENIED,
				 "%s is to hold secrets, and somebody else may write there; remove "
				 "it.",
				 path);
	return 0;
}

int memory_directory_make(const char *name, char ret_path[MEMORY_PATH_SIZE], struct error *err)
{
	const char *memory = find_memory();
	char path[MEMORY_PATH_SIZE];
	ret_path[0] = '\0';
	if (!memory)
		return error_set(err, ERR_UNSUPPORTED,
				 "Secrets are kept in memory alone, and neither /run nor /dev/shm "
				 "is a tmpfs that davit may write to; mount one at /dev/shm.");
	snprintf(path, sizeof path, "%s/%s", memory, name);
	if (mkdir(path, 0711) != 0 && errno != EEXIST)
		return error_errno(err, errno, "The directory of secrets, %s, cannot be made",
				   path);
	int code = check_own(path, err);
	if (code == 0 && chmod(path, 0711) != 0)
		code = error_errno(err, errno, "%s cannot be opened to other users", path);
	if (code == 0)
		memcpy(ret_path, path, sizeof path);
	return code;
}

bool memory_directory_find(const char *name, char ret_path[MEMORY_PATH_SIZE])
{
	struct error ignored;
	const char *memory = find_memory();
	snprintf(ret_path, MEMORY_PATH_SIZE, "%s/%s", memory ? memory : "", name);
	return memory && check_own(ret_path, &ignored) == 0;
}
