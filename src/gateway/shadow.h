/* SPDX-License-Identifier: Apache-2.0
 *
 * shadow - copies of requests for a release that is being tried: its answers are counted, compared, and thrown away.
 *
 * HOW   shadow_send() is called when the request's head has been sent; a copy has a connection, buffers
 *       and a deadline of its own, and nothing waits for it. Only requests of the mirror's methods, served by the live
 *       release, sampled by a salt of their own. A body is gathered as it comes (shadow_body()), and the copy sent once it is
 *       whole: what a client breaks off never reaches the mirror. Of those that are told to the controller
 *       (gateway/pairing.h) some are copied to the live release as well, but never one with a body or of a method that
 *       changes something: what it does there would be done twice. Connections that carry copies carry nothing else.
 * LIMITS table_mirror.in_flight_max per worker, of copies that are sent or gathered; table_mirror.body_max of a body, and
 *       PAIRING_BYTES_MAX of all in a worker: over one of them a copy is dropped and counted. An answer longer
 *       than SHADOW_ANSWER_MAX costs its connection. A copy is not sent by another table than the one it was made by.
 */
#ifndef GATEWAY_SHADOW_H
#define GATEWAY_SHADOW_H

#include "gateway/core.h"

enum { SHADOW_ANSWER_MAX = 1 << 20 };

void shadow_send(struct worker *w, struct exchange *x);

/* More of the request's body has become ready, from there on in its flow. */
void shadow_body(struct worker *w, struct exchange *x, uint32_t from);

/* The request is over: a copy that still waits for its body is dropped. */
void shadow_leave(struct worker *w, struct exchange *x);

#endif
