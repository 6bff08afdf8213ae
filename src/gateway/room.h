/* SPDX-License-Identifier: Apache-2.0
 *
 * room - where requests wait while their environment is parked, or while none of its backends is ready.
 *
 * HOW   First in, first out; bounds and pace are traffic/hold.h. The bounds are the environment's less what
 *       the other workers hold, the pace is divided among them. A held request is routed anew when it
 *       goes, so that it never goes where an older table would have sent it.
 */
#ifndef GATEWAY_ROOM_H
#define GATEWAY_ROOM_H

#include "gateway/exchange.h"

/* Let it wait, or answer it 503 when there is no place. */
enum turn room_enter(struct worker *w, struct exchange *x);

enum room_leaving { ROOM_RELEASED, ROOM_TIMEOUT, ROOM_GONE };
void room_leave(struct worker *w, struct exchange *x, enum room_leaving how);

/* After a change of table: let go what may go. */
void room_turn_all(struct worker *w);
void room_done_all(struct worker *w);

#endif
