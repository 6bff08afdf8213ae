/* SPDX-License-Identifier: Apache-2.0
 *
 * pairing - answers to copies of a request, compared with the answer that the user gets.
 *
 * WHAT  A mirrored request has a pairing: what is seen of its answer, of that of the copy for the release that is tried,
 *       and, of a sample, of that of a second copy which goes to the live release itself (noise). Compared are the status,
 *       the fields that the mirror names, and the body by its length and a running hash: nothing of it is kept. Of pairs that
 *       are chosen before an answer is there (at most PAIRING_LOOKS_PER_S a second) the beginning of the bodies is
 *       kept too, and the controller is told of them (link/shadow_pair.h), the same or not.
 * HOW   pairing_new(); pairing_ask() when a request has been sent; then for each side pairing_head(), its body's bytes
 *       (pairing_body(), or pairing_raw() as they come from the wire), and once pairing_over().
 *       What becomes of one side never changes what another one does: nothing here can fail, or wait.
 * OWNS  A pairing lives until all sides are over. It holds the table that it was routed by.
 * LIMITS Per worker PAIRINGS_MAX, and PAIRING_BYTES_MAX of bodies, those of requests that wait to be copied among them
 *       (outgoing.h): over the first the request is not copied, over the
 *       second its bodies are told without their bytes.
 */
#ifndef GATEWAY_PAIRING_H
#define GATEWAY_PAIRING_H

#include "gateway/core.h"

enum {
	PAIRINGS_MAX = 1024,
	PAIRING_BYTES_MAX = 8 << 20,
	PAIRING_LOOKS_PER_S = 50,
	PAIRING_TELL_AGAIN_MS = 1000, /* until a lost controller is looked for again */
};

/* NULL: over the limit. Its first side, the user's answer, is under way; `new_release` gets the copies. */
struct pairing *pairing_new(struct worker *w, const struct exchange *x,
			    const struct table_release *new_release);

/* Another side is under way. */
void pairing_expect(struct pairing *p, enum pairing_side side);
bool pairing_chosen(const struct pairing *p);

void pairing_ask(struct pairing *p, enum pairing_side side);
void pairing_head(struct pairing *p, enum pairing_side side, const struct http1_head *head,
		  const char *data);
void pairing_body(struct worker *w, struct pairing *p, enum pairing_side side, const char *bytes,
		  size_t size);
/* The same from bytes as they came, framed as the head said. Uses the worker's scratch. */
void pairing_raw(struct worker *w, struct pairing *p, enum pairing_side side, const char *bytes,
		 size_t size);

/* The pairing may be gone after it. */
void pairing_over(struct worker *w, struct pairing *p, enum pairing_side side,
		  enum pairing_end end);

/* The user's answer, on its way through: bytes that came and were not looked at yet; and its end. */
void pairing_pass(struct worker *w, struct exchange *x);
void pairing_leave(struct worker *w, struct exchange *x, enum pairing_end end);

void pairing_done(struct worker *w); /* forget the controller */

#endif
