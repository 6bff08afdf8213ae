/* SPDX-License-Identifier: Apache-2.0
 * channel - see channel.h for the contract. The name is reached as /proc/self/fd/DIR/NAME, which is
 * always short enough for a socket address and follows the directory, not its path. */
#include "os/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int address_of(int dir_fd, const char *name, struct sockaddr_un *ret_address,
		      struct error *err)
{
	if (strlen(name) >= CHANNEL_NAME_MAX || strchr(name, '/') || name[0] == '\0')
		return error_set(err, ERR_INVALID, "\"%s\" cannot name a socket.", name);
	memset(ret_address, 0, sizeof *ret_address);
	ret_address->sun_family = AF_UNIX;
	snprintf(ret_address->sun_path, sizeof ret_address->sun_path, "/proc/self/fd/%d/%s", dir_fd,
		 name);
	return 0;
}

static int seqpacket(int *ret_fd, struct error *err)
{
	*ret_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*ret_fd < 0)
		return error_errno(err, errno, "A socket between davit's processes cannot be made");
	return 0;
}

static int peer_of(int fd, struct channel_peer *ret_peer, struct error *err)
{
	struct ucred who;
	socklen_t size = sizeof who;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
		return error_errno(err, errno, "The process behind a socket cannot be told");
	if (who.uid != geteuid() && who.uid != 0)
		return error_set(
			err, ERR_DENIED,
			"Process %d of user %u is at the other end of the socket; only this "
			"user and root may be.",
			(int)who.pid, (unsigned)who.uid);
	*ret_peer = (struct channel_peer){.pid = who.pid, .uid = who.uid};
	return 0;
}

int channel_listen(int dir_fd, const char *name, int *ret_fd, struct error *err)
{
	struct sockaddr_un address;
	int fd = -1;
	int rc = address_of(dir_fd, name, &address, err);
	if (rc == 0)
		rc = seqpacket(&fd, err);
	if (rc < 0)
		return rc;
	if (unlinkat(dir_fd, name, 0) != 0 && errno != ENOENT) {
		rc = error_errno(err, errno, "The old socket \"%s\" cannot be removed", name);
		goto out;
	}
	/* The mode of the descriptor becomes the mode of the name: there is no instant of a wider one. */
	if (fchmod(fd, 0600) != 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
	    listen(fd, CHANNEL_BACKLOG) != 0)
		rc = error_errno(err, errno, "Cannot listen on the socket \"%s\"", name);
out:
	if (rc < 0)
		close(fd);
	else
		*ret_fd = fd;
	return rc;
}

int channel_accept(int listen_fd, int *ret_fd, struct channel_peer *ret_peer, struct error *err)
{
	for (;;) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return error_set(err, ERR_RETRY, "Nobody has connected.");
		if (fd < 0)
			return error_errno(err, errno, "A connection cannot be accepted");
		struct error stranger;
		if (peer_of(fd, ret_peer, &stranger) == 0) {
			*ret_fd = fd;
			return 0;
		}
		close(fd);
	}
}

int channel_connect(int dir_fd, const char *name, int *ret_fd, struct channel_peer *ret_peer,
		    struct error *err)
{
	struct sockaddr_un address;
	int fd = -1;
	int rc = address_of(dir_fd, name, &address, err);
	if (rc == 0)
		rc = seqpacket(&fd, err);
	if (rc < 0)
		return rc;
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
		int number = errno;
		if (number == ENOENT)
			rc = error_set(err, ERR_NOT_FOUND, "There is no socket \"%s\".", name);
		else if (number == ECONNREFUSED || number == EAGAIN)
			rc = error_set(err, ERR_UNAVAILABLE, "Nobody answers on the socket \"%s\".",
				       name);
		else
			rc = error_errno(err, number, "Cannot connect to the socket \"%s\"", name);
	} else {
		rc = peer_of(fd, ret_peer, err);
	}
	if (rc < 0)
		close(fd);
	else
		*ret_fd = fd;
	return rc;
}

int channel_pair(int ret_fds[2], struct error *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ret_fds) != 0)
		return error_errno(err, errno, "A pair of sockets cannot be made");
	return 0;
}

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * CHANNEL_FDS_MAX)];
};

int channel_send(int fd, const void *message, size_t size, const int *fds, size_t fd_count,
		 struct error *err)
{
	if (size == 0 || size > CHANNEL_MESSAGE_MAX || fd_count > CHANNEL_FDS_MAX)
		return error_set(err, ERR_LIMIT,
				 "A message of %zu bytes and %zu descriptors is beyond the bounds.",
				 size, fd_count);
	struct iovec part = {.iov_base = (void *)message, .iov_len = size};
	struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
	union control control;
	if (fd_count > 0) {
		memset(&control, 0, sizeof control);
		header.msg_control = control.bytes;
		header.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(rights), fds, sizeof(int) * fd_count);
	}
	ssize_t sent;
	do
		sent = sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return 0;
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == ETOOMANYREFS)
		return error_set(err, ERR_RETRY, "The other process does not take messages now.");
	if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN)
		return error_set(err, ERR_CLOSED, "The other process has gone.");
	return error_errno(err, errno, "A message cannot be sent");
}

/* Take the descriptors out of a received header; those beyond `max` are closed and counted too. */
static size_t take_fds(struct msghdr *header, int *to, size_t max)
{
	size_t count = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++, count++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (count < max)
				to[count] = fd;
			else
				close(fd);
		}
	}
	return count;
}

int channel_receive(int fd, void *to, int *ret_fds, size_t *ret_fd_count, struct error *err)
{
	struct iovec part = {.iov_base = to, .iov_len = CHANNEL_MESSAGE_MAX};
	union control control;
	struct msghdr header = {.msg_iov = &part,
				.msg_iovlen = 1,
				.msg_control = control.bytes,
				.msg_controllen = sizeof control};
	ssize_t got;
	do
		got = recvmsg(fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return error_set(err, ERR_RETRY, "No message is there.");
	if (got < 0 && errno != ECONNRESET)
		return error_errno(err, errno, "A message cannot be received");
	if (got <= 0)
		return error_set(err, ERR_CLOSED, "The other process has gone.");

	int fds[CHANNEL_FDS_MAX];
	size_t count = take_fds(&header, fds, CHANNEL_FDS_MAX);
	if (count > CHANNEL_FDS_MAX || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		channel_close_fds(fds, count < CHANNEL_FDS_MAX ? count : CHANNEL_FDS_MAX);
		return error_set(err, ERR_LIMIT, "A message came that is beyond the bounds.");
	}
	if (!ret_fds) {
		channel_close_fds(fds, count);
		return (int)got;
	}
	memcpy(ret_fds, fds, sizeof(int) * count);
	*ret_fd_count = count;
	return (int)got;
}

void channel_close_fds(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
}
