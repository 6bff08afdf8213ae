/* SPDX-License-Identifier: Apache-2.0
 * A file system of a few MiB at a directory, seen by this process and its children alone, that a test can
 * fill to the last byte. */
#ifndef TESTS_UNIT_SMALL_DISK_H
#define TESTS_UNIT_SMALL_DISK_H

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

/* False where this process may not mount: skip() then. */
static inline bool small_disk_mount(const char *directory, const char *size)
{
	char option[32];
	snprintf(option, sizeof option, "size=%s", size);
	return unshare(CLONE_NEWNS) == 0 &&
	       mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       mount("tmpfs", directory, "tmpfs", 0, option) == 0;
}

/* What is free goes into `directory`/filler; again takes what has become free since. */
static inline void small_disk_fill(const char *directory)
{
	static const char bytes[4096];
	char name[256];
	snprintf(name, sizeof name, "%s/filler", directory);
	int fd = open(name, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
	while (write(fd, bytes, sizeof bytes) > 0)
		;
	close(fd);
}

static inline void small_disk_empty(const char *directory)
{
	char name[256];
	snprintf(name, sizeof name, "%s/filler", directory);
	unlink(name);
}

#endif
