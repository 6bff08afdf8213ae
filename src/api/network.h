/* SPDX-License-Identifier: Apache-2.0
 *
 * network - an http server on a TCP socket that the server's own file names, with TLS or without: the API for the holders
 *           of tokens, and the place where webhooks are taken.
 *
 * HOW   network_keep() again and again, with what the file says now: what cannot be listened at is tried again, and said
 *       once. A certificate or a key that has changed on disk is taken into use without a connection lost: the listening
 *       socket goes to a new server, and the old one ends with its last request.
 * OWNS  network_free() lets go of every client.
 * LIMITS NETWORK_CONNECTIONS connections, NETWORK_PER_ADDRESS of one address.
 */
#ifndef API_NETWORK_H
#define API_NETWORK_H

#include "api/http.h"

struct server_listen;

enum { NETWORK_CONNECTIONS = 256, NETWORK_PER_ADDRESS = 64, NETWORK_PEM_MAX = 1 << 20 };

struct network;

/* `name` is the event's in the log, such as "api.listens"; `options` all but the socket, the certificate and the limits. */
struct network *network_new(struct loop *loop, const char *name,
			    const struct http_options *options);
void network_free(struct network *network); /* NULL is allowed */

void network_keep(struct network *network, const struct server_listen *wanted); /* NULL: none */
const char *network_address(const struct network *network); /* NULL: it listens nowhere */

/* As http_wake() and http_cut(). */
void network_wake(struct network *network);
void network_cut(struct network *network, bool (*ends)(void *context, const char *who),
		 void *context);

#endif
