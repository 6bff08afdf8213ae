/* SPDX-License-Identifier: Apache-2.0
 *
 * listen - a listening socket from the text that names it: "0.0.0.0:8080", "[::1]:80", "unix:/run/x.sock".
 *
 * HOW   Non-blocking, close-on-exec. "[::]" means IPv6 alone. A UNIX socket that a killed process left
 *       behind is replaced; one on which somebody answers is not.
 * OWNS  The descriptor is the caller's. The file of a UNIX socket stays: listen_forget() removes it.
 * ERRORS ERR_DENIED: taken, or not allowed to this user; ERR_INVALID: not an address of this machine, or
 *       no address at all.
 * LIMITS LISTEN_BACKLOG connections wait to be accepted (the system may allow fewer).
 */
#ifndef OS_LISTEN_H
#define OS_LISTEN_H

#include "base/err.h"

enum { LISTEN_BACKLOG = 4096 };

int listen_open(const char *address, int *ret_fd, struct error *err) MUST_CHECK;
void listen_forget(const char *address);

#endif
