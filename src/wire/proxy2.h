/* SPDX-License-Identifier: Apache-2.0
 *
 * proxy2 - the header of the PROXY protocol, version 2: whose connection it is, before the connection's own bytes.
 *
 * WHAT  16 bytes (a signature, version and command, family and transport, the length of what follows), the addresses, and
 *       extensions (TLV). We write the command PROXY with TCP over IPv4 or IPv6, and no extensions.
 * HOW   An address is 16 bytes as in base/cidr.h. Where both are IPv4 the header is one of IPv4, else of IPv6, which
 *       can tell an IPv4 address too. Of ends that have no such address (a UNIX socket) it says that they are not known
 *       (family UNSPEC): the receiver goes by what it sees itself.
 *       Read are headers of both commands: LOCAL, of a connection that the proxy made for itself, UNSPEC and UNIX stream
 *       sockets leave the ends unknown. Extensions are skipped; they must be whole.
 * ERRORS proxy2_read(): ERR_INVALID: it is no header, of another version or command, of datagrams, shorter than its
 *       addresses, or longer than PROXY2_READ_MAX. That is said with the first byte that shows it.
 * UNITS Ports in host byte order.
 * SOURCE The PROXY protocol, versions 1 and 2, section 2.2; https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt
 */
#ifndef WIRE_PROXY2_H
#define WIRE_PROXY2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { PROXY2_ADDRESS_SIZE = 16, PROXY2_MAX = 16 + 36, PROXY2_READ_MAX = 1024 };

struct proxy2_end {
	uint8_t address[PROXY2_ADDRESS_SIZE];
	uint16_t port;
};

struct proxy2 {
	bool known;
	struct proxy2_end from, to; /* the client, and where it connected to */
};

/* Returns the header's size. */
size_t proxy2_write(const struct proxy2 *p, uint8_t to[PROXY2_MAX]);

/* The header that data[0..size) begins with: its size, or 0: there is more of it to come. */
int proxy2_read(const uint8_t *data, size_t size, struct proxy2 *ret_proxy) MUST_CHECK;

#endif
