/* SPDX-License-Identifier: Apache-2.0
 *
 * gateway_state - what a gateway counts of itself (link/counters.h), read from outside.
 *
 * HOW   gateway_state_open() finds the segment among the descriptors of the supervisor `pid` and notes the workers, for which
 *       it waits; then ask gateway_state_quiet() until it is, and gateway_state_close().
 */
#ifndef MALFORMED_GATEWAY_STATE_H
#define MALFORMED_GATEWAY_STATE_H

#include <stdbool.h>
#include <stddef.h>

struct gateway_state;

struct gateway_state *gateway_state_open(int pid); /* NULL: no such gateway */

/* The same workers, no client connected, no request or try in flight. `text` says how it is, in words. */
bool gateway_state_quiet(const struct gateway_state *state, char *text, size_t size);

void gateway_state_close(struct gateway_state *state);

#endif
