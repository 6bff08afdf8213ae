/* SPDX-License-Identifier: Apache-2.0
 *
 * head - the heads that davit writes: a request for a backend, an answer for a client, an answer of its own.
 *
 * HOW   A request's X-Forwarded-*, Forwarded, X-Real-Ip and davit's own fields are thrown away, unless a
 *       trusted network sent it, and written anew; Host is kept; X-Request-Id is kept or made; Via is
 *       added. The environment's header rules (gateway/rules.h) come after that. An answer gets its rules
 *       applied, and then the sticky cookie where one is due. Answers of our own are one sentence of
 *       text, plain unless they say otherwise, with Server, and X-Davit-Error with the reason in a word.
 * OWNS  The caller's memory. Sizes are returned; 0: it does not fit.
 */
#ifndef GATEWAY_HEAD_H
#define GATEWAY_HEAD_H

#include "gateway/core.h"

enum head_kind { HEAD_REAL, HEAD_SHADOW };

uint32_t head_write_request(const struct exchange *x, enum head_kind kind, char *to,
			    size_t capacity);

/* The parsed answer's, also an interim one. `close`: the connection ends after it. */
uint32_t head_write_answer(const struct exchange *x, bool close, char *to, size_t capacity);

struct head_own {
	unsigned status;
	const char *reason; /* one word; NULL: nothing is wrong */
	const char *text;   /* one sentence */
	size_t text_size;   /* 0: it ends with a NUL */
	const char *type;   /* of `text`; NULL: plain text */
	const char *line;   /* more fields, each with its CRLF; NULL: none */
	uint32_t retry_after_s;
	bool close;
	bool bare; /* `text` is the whole body, without a line end */
};
uint32_t head_write_own(const struct exchange *x, const struct head_own *own, char *to,
			size_t capacity);

/* x->request_id: the client's, if it is one, or ours. */
void head_identify(struct worker *w, struct exchange *x);

#endif
