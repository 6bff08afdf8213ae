/* SPDX-License-Identifier: Apache-2.0
 * lock - see lock.h for the contract. */
#include "os/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/text.h"

static pid_t read_holder(int fd)
{
	char text[24];
	ssize_t size = pread(fd, text, sizeof text - 1, 0);
	uint64_t pid;
	if (size <= 1)
		return 0;
	text[size - 1] = '\0'; /* the newline */
	return text_parse_u64(text, INT32_MAX, &pid) ? (pid_t)pid : 0;
}

int lock_wait(int dir_fd, const char *name, int *ret_fd, struct error *err)
{
	int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(err, errno, "The lock \"%s\" cannot be opened", name);
	int code;
	do
		code = flock(fd, LOCK_EX);
	while (code != 0 && errno == EINTR);
	if (code != 0) {
		code = error_errno(err, errno, "The lock \"%s\" cannot be taken", name);
		close(fd);
		return code;
	}
	*ret_fd = fd;
	return 0;
}

int lock_take(int dir_fd, const char *name, int *ret_fd, pid_t *ret_holder, struct error *err)
{
	int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_errno(err, errno, "The lock \"%s\" cannot be opened", name);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		int code;
		if (errno == EWOULDBLOCK) {
			*ret_holder = read_holder(fd);
			code = error_set(err, ERR_CONFLICT, "Process %d holds the lock \"%s\".",
					 (int)*ret_holder, name);
		} else {
			code = error_errno(err, errno, "The lock \"%s\" cannot be taken", name);
		}
		close(fd);
		return code;
	}
	char text[24];
	int size = snprintf(text, sizeof text, "%d\n", (int)getpid());
	/* Who holds it is a courtesy: a full disk must not keep us from running. */
	bool told = ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)size, 0) == size;
	(void)told;
	*ret_fd = fd;
	return 0;
}
