/* SPDX-License-Identifier: Apache-2.0
 *
 * tls - a client's connection that is encrypted: its handshake, its bytes, its end.
 *
 * HOW   tls_accept() for every new client; where c->tls is set then, tls_handshake() until it is done, from
 *       when on tls_receive() and tls_send() stand for flow_receive() and flow_send(). Every event of such
 *       a connection makes it worth trying both ways, for either may wait for either.
 * TIME  The handshake and the first byte of a request have `limits.header` together.
 * ERRORS As gateway/flow.h has them. An end without a close_notify is FLOW_ERROR: what came was cut short.
 */
#ifndef GATEWAY_TLS_H
#define GATEWAY_TLS_H

#include "gateway/core.h"

enum { TLS_RECORD_MAX = 16384 };

/* False: it cannot be served. */
bool tls_accept(struct worker *w, struct client *c) MUST_CHECK;

/* 1: done, FLOW_WAIT, FLOW_ERROR, or FLOW_END: it was not TLS, and has been told so in
 * clear, or an authority (gateway/acme.h) that has seen its certificate. */
int tls_handshake(struct worker *w, struct client *c) MUST_CHECK;

int tls_receive(struct worker *w, struct client *c, struct flow *f) MUST_CHECK;
int tls_send(struct worker *w, struct client *c, struct flow *f, const char *head,
	     uint32_t head_size) MUST_CHECK;

/* Bytes as they are: how many were taken, FLOW_WAIT or FLOW_ERROR. */
int tls_write(struct client *c, const char *data, uint32_t size) MUST_CHECK;

/* Whether its handshake has agreed on HTTP/2. */
bool tls_speaks_http2(const struct client *c);

/* Say close_notify, unless the connection is broken or its last message was cut short. */
void tls_say_end(struct client *c);
void tls_free(struct worker *w, struct client *c);

/* "TLSv1.3", or "-" for a connection in clear. */
const char *tls_version(const struct client *c);

#endif
