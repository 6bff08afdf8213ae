/* SPDX-License-Identifier: Apache-2.0
 *
 * tcp - connections to a port of this machine's loopback, without waiting.
 *
 * HOW   tcp_connect(), watch for LOOP_WRITE, tcp_connected(); then tcp_send() and tcp_receive().
 * ERRORS ERR_RETRY: not now. ERR_UNAVAILABLE: nobody listens. ERR_CLOSED: the peer ended it.
 */
#ifndef OS_TCP_H
#define OS_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Could a server listen on this port now? */
bool tcp_port_free(uint16_t port);

int tcp_connect(uint16_t port, int *ret_fd, struct error *err) MUST_CHECK;
int tcp_connected(int fd, struct error *err) MUST_CHECK;

/* The number of bytes that went; at least 1. */
int tcp_send(int fd, const void *bytes, size_t size, struct error *err) MUST_CHECK;
int tcp_receive(int fd, void *to, size_t size, struct error *err) MUST_CHECK;

#endif
