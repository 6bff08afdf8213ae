/* SPDX-License-Identifier: Apache-2.0
 *
 * shadow - copies of requests for a release that is being tried: its answers are counted, compared, and thrown away.
 *
 * HOW   shadow_send() is called when the request itself has been sent; a copy has a connection, buffers
 *       and a deadline of its own, and nothing waits for it. Only requests without a body, of safe
 *       methods, served by the live release, sampled by a salt of their own. Of those that are told to the controller
 *       (gateway/pairing.h) some are copied to the live release as well. Connections that carry copies carry nothing else.
 * LIMITS table_mirror.in_flight_max per worker: over it a copy is dropped and counted. An answer longer
 *       than SHADOW_ANSWER_MAX costs its connection.
 */
#ifndef GATEWAY_SHADOW_H
#define GATEWAY_SHADOW_H

#include "gateway/core.h"

enum { SHADOW_ANSWER_MAX = 1 << 20 };

void shadow_send(struct worker *w, struct exchange *x);

#endif
