/* SPDX-License-Identifier: Apache-2.0
 * state - see state.h for the contract.
 *
 * Socket paths have 108 bytes; a state directory may lie deeper. Both ends therefore go through
 * /proc/self/fd/N/name, N being a descriptor of the directory. */
#include "daemon/state.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "daemon/restoring.h"

struct state_directory {
	char path[PATH_MAX];
	int fd;
	int lock_fd;
};

enum { GROUP_MAX = 1 << 16 }; /* with the names of its members */

static const char *const folders[] = {"artifacts", "instances", "persist", "spool"};

/* `errno` says why `name` cannot be made. */
static int refused(const struct state_directory *state, const char *name, struct error *err)
{
	int number = errno;
	error_errno(err, number,
		    number == ENOSPC || number == EDQUOT
			    ? "There is no room for \"%s\" in the state directory %s: free space "
			      "there, or choose another with --state"
			    : "\"%s\" cannot be made in the state directory %s: make it writable "
			      "for davit, or choose another with --state",
		    name, state->path);
	return err->code;
}

static int take_lock(struct state_directory *state, struct error *err)
{
	char holder[32] = "";
	state->lock_fd = openat(state->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (state->lock_fd < 0)
		return refused(state, "lock", err);
	if (flock(state->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		ssize_t n = read(state->lock_fd, holder, sizeof holder - 1);
		holder[n > 0 ? strcspn(holder, "\n") : 0] = '\0';
		return error_set(
			err, ERR_CONFLICT,
			"Another davit%s%s runs on the state directory %s; stop it first, or "
			"choose another directory with --state.",
			holder[0] ? " with pid " : "", holder, state->path);
	}
	int length = snprintf(holder, sizeof holder, "%d\n", (int)getpid());
	/* Who holds it is a courtesy: a full disk must not keep us from running. */
	bool told = ftruncate(state->lock_fd, 0) == 0 &&
		    pwrite(state->lock_fd, holder, (size_t)length, 0) == length;
	(void)told;
	return 0;
}

static int make_folders(struct state_directory *state, struct error *err)
{
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
		if (mkdirat(state->fd, folders[i], 0700) != 0 && errno != EEXIST)
			return refused(state, folders[i], err);
	return 0;
}

static int open_directory(struct state_directory *state, const char *path, bool make,
			  struct error *err)
{
	if (make && mkdir(path, 0700) != 0 && errno != EEXIST)
		return error_errno(
			err, errno,
			"The state directory %s cannot be made; choose another with --state", path);
	state->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state->fd < 0 || !realpath(path, state->path))
		return error_errno(err, errno, "The state directory %s cannot be opened", path);
	return make ? make_folders(state, err) : 0;
}

int state_open(const char *path, bool lock, struct state_directory **ret_state, struct error *err)
{
	const char *named = path ? path : getenv("DAVIT_STATE");
	struct state_directory *state = mem_zero(1, sizeof *state);
	state->fd = state->lock_fd = -1;
	int result = open_directory(state, named && named[0] ? named : ".davit", lock, err);
	if (result == 0 && lock)
		result = take_lock(state, err);
	if (result == 0 && lock)
		result = restoring_finish(state->fd, err);
	if (result < 0) {
		state_close(state);
		return result;
	}
	*ret_state = state;
	return 0;
}

void state_close(struct state_directory *state)
{
	if (!state)
		return;
	if (state->lock_fd >= 0)
		close(state->lock_fd);
	if (state->fd >= 0)
		close(state->fd);
	free(state);
}

const char *state_path(const struct state_directory *state)
{
	return state->path;
}

int state_fd(const struct state_directory *state)
{
	return state->fd;
}

const char *state_file(const struct state_directory *state, const char *name, char *to, size_t size)
{
	snprintf(to, size, "%s/%s", state->path, name);
	return to;
}

static struct sockaddr_un socket_address(const struct state_directory *state, const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", state->fd, name);
	return address;
}

int state_listen(const struct state_directory *state, const char *name, int *ret_fd,
		 struct error *err)
{
	struct sockaddr_un address = socket_address(state, name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	unlinkat(state->fd, name, 0);
	/* Only the owner may connect, from the first instant on. */
	mode_t mask = umask(0177);
	bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
	umask(mask);
	if (!bound || listen(fd, SOMAXCONN) != 0) {
		int number = errno;
		if (fd >= 0)
			close(fd);
		return error_errno(err, number, "The socket %s/%s cannot be made", state->path,
				   name);
	}
	*ret_fd = fd;
	return 0;
}

/* Whether others may pass is not ours to say: instances of other users have to. */
static int let_group_pass(const struct state_directory *state, bool pass)
{
	struct stat now;
	if (fstat(state->fd, &now) != 0)
		return -1;
	return fchmod(state->fd,
		      (now.st_mode & 07707) | (pass || now.st_mode & S_IXOTH ? S_IXGRP : 0));
}

int state_share(const struct state_directory *state, const char *name, const char *group,
		struct error *err)
{
	struct group entry, *found = NULL;
	char memory[GROUP_MAX];
	if (!group[0]) {
		if (fchmodat(state->fd, name, 0600, 0) != 0 || let_group_pass(state, false) != 0)
			return error_errno(err, errno, "%s/%s cannot be closed", state->path, name);
		return 0;
	}
	if (getgrnam_r(group, &entry, memory, sizeof memory, &found) != 0 || !found)
		return error_set(err, ERR_NOT_FOUND,
				 "This machine has no group \"%s\"; make it: groupadd --system %s",
				 group, group);
	/* The directory last: nobody comes to a socket that is not closed to others yet. */
	if (fchownat(state->fd, name, (uid_t)-1, entry.gr_gid, 0) != 0 ||
	    fchmodat(state->fd, name, 0660, 0) != 0 ||
	    fchown(state->fd, (uid_t)-1, entry.gr_gid) != 0 || let_group_pass(state, true) != 0)
		return error_errno(err, errno,
				   "%s/%s cannot be given to the group %s, of which the user that "
				   "runs davit has to be a member",
				   state->path, name, group);
	return 0;
}

static bool connects(const struct sockaddr_un *address, int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	bool alive = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 ||
		     errno == EAGAIN;
	close(fd);
	return alive;
}

bool state_socket_alive(const struct state_directory *state, const char *name)
{
	struct sockaddr_un address = socket_address(state, name);
	return connects(&address, SOCK_STREAM) || connects(&address, SOCK_SEQPACKET);
}

void state_notify(const char *socket_name, const char *message)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	text_copy(address.sun_path, sizeof address.sun_path, socket_name);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(socket_name));
	if (address.sun_path[0] == '@')
		address.sun_path[0] = '\0';
	/* systemd may be gone: then there is nobody to tell. */
	(void)!sendto(fd, message, strlen(message), MSG_NOSIGNAL, (struct sockaddr *)&address,
		      size);
	close(fd);
}
