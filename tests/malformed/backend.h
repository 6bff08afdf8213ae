/* SPDX-License-Identifier: Apache-2.0
 *
 * backend - the server behind the gateway: looks whether all that the gateway sends is well-formed, and answers well or, one
 *       time in four, malformed.
 *
 * HOW   backend_open() listens; call backend_event() with what epoll said of a struct backend_peer, and of the listener with
 *       its data.ptr. What to answer follows from the tag of the request (mangle.h), whenever and however often it comes.
 * OWNS  Its connections, until backend_close().
 * ERRORS `wrong` is the first thing that a gateway must not send, a sentence; NULL: there was none.
 */
#ifndef MALFORMED_BACKEND_H
#define MALFORMED_BACKEND_H

#include <stdint.h>

struct backend_peer;

struct backend {
	int epoll_fd;
	int listen_fd;
	struct backend_peer *peers;
	uint64_t seed;
	uint64_t requests; /* whole ones */
	const char *wrong;
	char wrong_bytes[200]; /* of the message */
};

/* Listens at 127.0.0.1; the port, or -1. */
int backend_open(struct backend *b, int epoll_fd, uint64_t seed);

/* `peer` is NULL for the listener. */
void backend_event(struct backend *b, struct backend_peer *peer, uint32_t events);

void backend_close(struct backend *b);

#endif
