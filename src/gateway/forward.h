/* SPDX-License-Identifier: Apache-2.0
 *
 * forward - the bytes of an exchange: request to the backend, answer to the client, and tunnels.
 *
 * HOW   forward_begin() writes the request's head to an upstream that is connected; forward_pump() then
 *       moves what can be moved, both ways, until nothing moves. Small messages cost one receive and one
 *       send a direction. Nothing is received while the other side has not taken what came before.
 */
#ifndef GATEWAY_FORWARD_H
#define GATEWAY_FORWARD_H

#include "gateway/exchange.h"

enum { FORWARD_ROUNDS = 16 /* of one exchange before others have their turn */ };

enum turn forward_begin(struct worker *w, struct exchange *x);
enum turn forward_pump(struct worker *w, struct exchange *x);

#endif
