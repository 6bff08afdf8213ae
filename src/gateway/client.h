/* SPDX-License-Identifier: Apache-2.0
 *
 * client - connections from outside: taking them, one exchange after the other, ending them properly.
 *
 * HOW   A client connection is never ended by a change of table. It ends when either side asks for it, by
 *       a timeout, or when the worker drains. After an answer that ends a connection the rest that the
 *       client still sends is thrown away for a while, so that the answer is not lost to a reset.
 */
#ifndef GATEWAY_CLIENT_H
#define GATEWAY_CLIENT_H

#include "gateway/core.h"

enum {
	CLIENT_LINGER_MS = 2000,
	CLIENT_SHED_MS = 1000,     /* at the limit, one that has been idle for so long makes room */
	CLIENT_ACCEPT_BUDGET = 16, /* accepted per wake-up */
	CLIENT_REQUEST_BUDGET = 32, /* exchanges in one turn of one client */
};

void client_init(struct worker *w);
void client_done(struct worker *w);

/* Watch the listening sockets of the current table, and no others. */
void client_listen(struct worker *w);
void client_listen_stop(struct worker *w);

/* Go on with whatever the client's exchange waits for, and with its next requests. */
void client_drive(struct worker *w, struct client *client);

/* The exchange is over: wait for the next one, or end the connection. */
void client_exchange_over(struct worker *w, struct client *client, bool keep, bool clean);

/* flow_receive() and flow_send() of its connection, in clear or not. */
int client_take(struct worker *w, struct client *client, struct flow *f);
int client_put(struct worker *w, struct client *client, struct flow *f, char *head,
	       uint32_t head_size);

/* Bytes to its connection as they are: how many were taken, FLOW_WAIT or FLOW_ERROR. */
int client_write(struct client *client, const char *data, uint32_t size);

/* A client for a stream of HTTP/2; and the client whose connection it is, for others itself. */
struct client *client_of_stream(struct worker *w, struct http2_stream *s);
struct client *client_connection(struct client *client);

void client_close(struct worker *w, struct client *client);

#endif
