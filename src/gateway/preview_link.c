/* SPDX-License-Identifier: Apache-2.0
 * preview_link - see preview_link.h for the contract. */
#include "gateway/preview_link.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/preview_token.h"
#include "gateway/client.h"
#include "gateway/exchange.h"
#include "gateway/route.h"
#include "wire/query.h"

#define QUIET "Referrer-Policy: no-referrer\r\n"

enum { LINES_SIZE = PREVIEW_LINK_TO_MAX + 512 };

bool preview_link_asked(const struct exchange *x)
{
	static const char path[] = PREVIEW_LINK_PATH;
	size_t size = sizeof(path) - 1;
	const struct http1_span *asked = &x->head.path;
	return asked->size >= size &&
	       memcmp(x->request.buffer->data + asked->at + asked->size - size, path, size) == 0;
}

static int value_of(const struct exchange *x, const char *name, char *to, size_t capacity)
{
	return query_value(x->request.buffer->data + x->head.query.at, x->head.query.size, name, to,
			   capacity);
}

static enum turn refuse(struct worker *w, struct exchange *x, unsigned status, const char *line,
			const char *text)
{
	return exchange_answer(
		w, x,
		&(struct head_own){
			.status = status, .reason = "preview-link", .line = line, .text = text});
}

/* Where to go on; false: not to a path of this host. */
static bool read_target(const struct exchange *x, char ret_target[PREVIEW_LINK_TO_MAX])
{
	char asked[PREVIEW_LINK_TO_MAX];
	int size = value_of(x, "to", asked, sizeof(asked));
	if (size == ERR_NOT_FOUND)
		memcpy(asked, "/", sizeof("/"));
	else if (size < 0)
		return false;
	return query_local_path(asked, ret_target, PREVIEW_LINK_TO_MAX) > 0;
}

enum turn preview_link_answer(struct worker *w, struct exchange *x)
{
	char token[PREVIEW_TOKEN_SIZE], target[PREVIEW_LINK_TO_MAX], lines[LINES_SIZE];
	if (x->head.method != HTTP1_METHOD_GET && x->head.method != HTTP1_METHOD_HEAD)
		return refuse(w, x, 405, QUIET "Allow: GET, HEAD\r\n",
			      "This is a link to be opened: GET it.");
	int size = value_of(x, "token", token, sizeof(token));
	if (size <= 0 || route_signed(x, token, (size_t)size) < 0)
		return refuse(w, x, 403, QUIET,
			      "This link has ended, or was never good: ask whoever gave it to you "
			      "for another one.");
	if (!read_target(x, target))
		return refuse(w, x, 400, QUIET,
			      "\"to\" of this link is no path of this site, such as /cart.");
	uint64_t now_s = (uint64_t)time(NULL), expires_s = preview_token_expires(token);
	snprintf(lines, sizeof(lines),
		 QUIET "Location: %s\r\nSet-Cookie: %s=%s; Path=/; Max-Age=%llu; HttpOnly; "
		       "SameSite=Lax%s\r\n",
		 target, ROUTE_PREVIEW_COOKIE, token,
		 (unsigned long long)(expires_s > now_s ? expires_s - now_s : 0),
		 client_connection(x->client)->tls ? "; Secure" : "");
	return exchange_answer(w, x,
			       &(struct head_own){.status = 303,
						  .line = lines,
						  .text = "You see the new release from here on."});
}
