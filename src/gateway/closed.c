/* SPDX-License-Identifier: Apache-2.0
 * closed - see closed.h for the contract. */
#include "gateway/closed.h"

#include <string.h>

#include "gateway/account.h"
#include "gateway/exchange.h"

enum { RETRY_AFTER_S = 30 };

#define PAGE(title, text)                                                                         \
	"<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"                         \
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" title \
	"</title>\n<style>\n"                                                                     \
	":root { color-scheme: light dark }\n"                                                    \
	"body { font: 1.125rem/1.6 system-ui, sans-serif; max-width: 32rem; "                     \
	"margin: 20vh auto 0; padding: 0 1.5rem }\n"                                              \
	"h1 { font-size: 1.75rem; line-height: 1.2 }\n</style>\n<h1>" title "</h1>\n<p>" text     \
	"</p>\n</html>"

static const struct {
	const char *reason, *text, *page;
} answers[] = {
	{"maintenance", "This site is under maintenance.",
	 PAGE("Back soon", "This site is under maintenance. Please try again in a few minutes.")},
	{"read-only", "This site is read-only for now: it can be looked at, but not changed.",
	 PAGE("Read-only for now",
	      "This site can be looked at, but not changed at the moment. Nothing of what you just "
	      "sent was taken. Please try again in a few minutes.")},
};

bool closed_changes_nothing(const struct exchange *x)
{
	return http1_method_safe((enum http1_method)x->head.method) && !x->head.upgrade;
}

static bool takes_html(const struct exchange *x)
{
	static const char html[] = "text/html";
	const char *data = x->request.buffer->data;
	const struct http1_field *f = http1_field_named(&x->head, data, "accept", 0);
	return f && memmem(data + f->value.at, f->value.size, html, sizeof(html) - 1);
}

enum turn closed_answer(struct worker *w, struct exchange *x, bool read_only)
{
	bool html = takes_html(x);
	struct head_own own = {.status = 503,
			       .reason = answers[read_only].reason,
			       .text = html ? answers[read_only].page : answers[read_only].text,
			       .type = html ? "text/html; charset=utf-8" : NULL,
			       .retry_after_s = RETRY_AFTER_S};
	account_environment(w, x->route->environment, COUNTERS_ENVIRONMENT_MAINTENANCE);
	return exchange_answer(w, x, &own);
}
