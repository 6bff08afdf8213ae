/* SPDX-License-Identifier: Apache-2.0
 *
 * agreement - what a service tells a load generator (tests/load) so that each answer can be
 * checked.
 *
 * WHAT  Every answer names the request (X-Load-Id, as received), the release (X-Release) and the
 * instance (X-Instance) and carries a digest of its body; a body that came in is answered with its
 * length and digest. All of it is plain HTTP and harmless to any other client.
 */
#ifndef SHOP_AGREEMENT_H
#define SHOP_AGREEMENT_H

#include "httpd.h"

/* From DAVIT_RELEASE and DAVIT_INSTANCE where they are set, else `release` and the process id. */
void agreement_init(const char *release);
const char *agreement_release(void);

/* Call first in every handler. */
void agreement_sign(struct http_exchange *x);

/* 200 with this text: digest and framing (`chunked` cuts it into pieces). Takes in the request's
 * body. */
void agreement_answer(struct http_exchange *x, const char *type, const char *text, size_t size,
		      bool chunked);

/* 200 with `size` bytes that start with `text` and go on with filler. */
void agreement_page(struct http_exchange *x, const char *text, size_t size, bool chunked);

/* Server-sent events: "data: ID k" for k = from .. count-1, `gap_ms` apart, then "data: ID end". */
void agreement_events(struct http_exchange *x, uint64_t from, uint64_t count, uint64_t gap_ms);

#endif
