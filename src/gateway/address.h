/* SPDX-License-Identifier: Apache-2.0
 *
 * address - "127.0.0.1:41001", "[::1]:80" and "unix:/run/x.sock" as what the system connects to.
 *
 * ERRORS ERR_INVALID: not of these forms (names are not looked up), or a path that is too long.
 */
#ifndef GATEWAY_ADDRESS_H
#define GATEWAY_ADDRESS_H

#include <sys/socket.h>

#include "base/err.h"

int address_parse(const char *text, struct sockaddr_storage *ret_address, socklen_t *ret_size,
		  struct error *err) MUST_CHECK;

#endif
