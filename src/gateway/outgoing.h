/* SPDX-License-Identifier: Apache-2.0
 *
 * outgoing - the bytes of a copy of a request, head and body, in buffers of the pool until they are sent.
 *
 * HOW   outgoing_head(), then outgoing_add() as the body comes, in the form in which it goes to the backend; then
 *       outgoing_send() whenever the connection takes more. Buffers are given back as soon as they are sent.
 * OWNS  All zero bytes hold nothing; else outgoing_done() gives the buffers back.
 * LIMITS The body's bytes are the caller's to bound. What is held beyond the first buffer counts in worker.pairing_bytes,
 *       of which there are at most PAIRING_BYTES_MAX.
 */
#ifndef GATEWAY_OUTGOING_H
#define GATEWAY_OUTGOING_H

#include "gateway/core.h"

/* The head of a copy of the request. False: it does not fit into a buffer. */
bool outgoing_head(struct worker *w, struct outgoing *o, const struct exchange *x);

/* False: over the worker's budget. What is held then is of no use. */
bool outgoing_add(struct worker *w, struct outgoing *o, const char *bytes, size_t size);

/* Everything that was added is sent. */
bool outgoing_sent(const struct outgoing *o);

/* Send what the connection takes. False: it takes no more for now, or is lost, as its next receive tells. */
bool outgoing_send(struct worker *w, struct outgoing *o, struct upstream *up);

void outgoing_done(struct worker *w, struct outgoing *o);

#endif
