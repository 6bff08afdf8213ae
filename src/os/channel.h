/* SPDX-License-Identifier: Apache-2.0
 *
 * channel - bounded messages with descriptors over a named UNIX socket (SOCK_SEQPACKET): how controller,
 *           gateway supervisor, workers and keepers of one machine reach each other, again and again.
 *
 * WHAT  One side listens on a name in a directory, others connect to it, both send whole messages: a
 *       message arrives complete, in order and once, or the channel is closed.
 * HOW   The socket is reached through a descriptor of its directory, so that neither the length of a path
 *       nor a rename matters. Both ends check who is at the other: the same user, or root. All
 *       descriptors are non-blocking and close-on-exec; watch them for reading with your loop.
 *       channel_listen() takes the place of a socket that a killed process left behind: hold the lock of
 *       the directory before.
 * OWNS  A returned descriptor is the caller's to close(2). Descriptors sent stay the caller's; those
 *       received are the caller's from then on, except after a failure: then none are left open.
 * ERRORS ERR_RETRY (nothing there, or no room: wait until readable or writable), ERR_CLOSED (the peer is
 *       gone), ERR_UNAVAILABLE (nobody listens), ERR_DENIED (the wrong user at the other end), ERR_LIMIT (a
 *       message or its descriptors beyond the bounds), else ERR_INTERNAL.
 * LIMITS CHANNEL_MESSAGE_MAX bytes, at least 1, and CHANNEL_FDS_MAX descriptors in one message.
 * SEE   tests/unit/os/test_channel.c; link/gateway_messages.h and link/keeper_messages.h for what is said.
 */
#ifndef OS_CHANNEL_H
#define OS_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"

enum {
	CHANNEL_MESSAGE_MAX = 65536,
	CHANNEL_FDS_MAX = 16,
	CHANNEL_NAME_MAX = 64, /* of a socket in its directory, with the NUL */
	CHANNEL_BACKLOG = 64,
};

/* The process that accepted, connected or listened; a pid is a hint, for it can be used again. */
struct channel_peer {
	pid_t pid;
	uid_t uid;
};

/* Listen as `name` (mode 0600) in the directory `dir_fd`. */
int channel_listen(int dir_fd, const char *name, int *ret_fd, struct error *err) MUST_CHECK;

/* The next client. A client of another user is turned away, and is not an error: call until ERR_RETRY. */
int channel_accept(int listen_fd, int *ret_fd, struct channel_peer *ret_peer,
		   struct error *err) MUST_CHECK;

/* Connect to `name` in the directory `dir_fd`. ERR_NOT_FOUND: there is no such socket. */
int channel_connect(int dir_fd, const char *name, int *ret_fd, struct channel_peer *ret_peer,
		    struct error *err) MUST_CHECK;

/* Two connected ends without a name, for a child process. */
int channel_pair(int ret_fds[2], struct error *err) MUST_CHECK;

/* Send one message. 0, or an error; never a part of it. */
int channel_send(int fd, const void *message, size_t size, const int *fds, size_t fd_count,
		 struct error *err) MUST_CHECK;

/*
 * Receive one message.
 *   to            CHANNEL_MESSAGE_MAX bytes
 *   ret_fds       room for CHANNEL_FDS_MAX; NULL = descriptors are not expected and closed
 *   ret_fd_count  how many came; NULL together with ret_fds
 *   returns       the message's size, at least 1, or an error
 */
int channel_receive(int fd, void *to, int *ret_fds, size_t *ret_fd_count,
		    struct error *err) MUST_CHECK;

/* Close the descriptors of a message that is not wanted. */
void channel_close_fds(const int *fds, size_t count);

#endif
