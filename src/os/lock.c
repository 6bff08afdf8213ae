/* SPDX-License-Identifier: Apache-2.0
 * lock - see lock.h for the contract. */
#include "os/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

/* A lock of the open file description: it ends with the descriptor, not with any close of the file, and
 * can be asked for without being taken. */
static struct flock whole_file(void)
{
	return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

static int open_lock(int dir_fd, const char *name, int *ret_fd, struct error *err)
{
	*ret_fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*ret_fd < 0)
		return error_errno(err, errno, "The lock \"%s\" cannot be opened", name);
	return 0;
}

int lock_wait(int dir_fd, const char *name, int *ret_fd, struct error *err)
{
	int fd;
	int code = open_lock(dir_fd, name, &fd, err);
	if (code < 0)
		return code;
	struct flock all = whole_file();
	do
		code = fcntl(fd, F_OFD_SETLKW, &all);
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
	int fd;
	int code = open_lock(dir_fd, name, &fd, err);
	if (code < 0)
		return code;
	struct flock all = whole_file();
	if (fcntl(fd, F_OFD_SETLK, &all) != 0) {
		if (errno == EAGAIN || errno == EACCES) {
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
	bool told = pwrite(fd, text, (size_t)size, 0) == size && ftruncate(fd, size) == 0;
	(void)told;
	*ret_fd = fd;
	return 0;
}

bool lock_held(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return false;
	struct flock all = whole_file();
	bool held = fcntl(fd, F_OFD_GETLK, &all) == 0 && all.l_type != F_UNLCK;
	close(fd);
	return held;
}
