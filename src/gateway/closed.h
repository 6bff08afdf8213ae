/* SPDX-License-Identifier: Apache-2.0
 *
 * closed - what an environment answers that lets nobody in (maintenance), or only those who change nothing.
 *
 * HOW   Read-only refuses by method (RFC 9110, 9.2.1: GET, HEAD, OPTIONS and TRACE are safe) and refuses new
 *       WebSockets, for what goes through them is not seen. Both answer 503 with Retry-After, for both are
 *       meant to pass (RFC 9110, 15.6.4): as HTML to a client whose Accept names it, else as a sentence.
 */
#ifndef GATEWAY_CLOSED_H
#define GATEWAY_CLOSED_H

#include "gateway/core.h"

/* May the request pass in an environment that is read-only? */
bool closed_changes_nothing(const struct exchange *x);

enum turn closed_answer(struct worker *w, struct exchange *x, bool read_only);

#endif
