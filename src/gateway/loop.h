/* SPDX-License-Identifier: Apache-2.0
 *
 * loop - the small services of a worker's loop that its parts use: time, chance, a second turn.
 */
#ifndef GATEWAY_LOOP_H
#define GATEWAY_LOOP_H

#include "gateway/core.h"

/* Monotonic, in microseconds, now. */
uint64_t worker_now_us(void);

/* From the kernel, drawn in bulk: nobody outside can guess it. */
uint64_t worker_random(struct worker *w);

/* The client has more to do, but it is the others' turn. */
void worker_again(struct worker *w, struct client *client);

/* Use the committed table, if it is prepared; every request asks this before it is routed. */
void worker_refresh(struct worker *w);

/* Begin, or go on, accepting where there is room again. */
void worker_accept_more(struct worker *w);

#endif
