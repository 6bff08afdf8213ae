/* SPDX-License-Identifier: Apache-2.0
 * closed - see closed.h for the contract. */
#include "gateway/closed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "gateway/account.h"
#include "gateway/exchange.h"

enum { RETRY_AFTER_S = 30, HEAD_MAX = 1024 /* of such an answer */ };

_Static_assert(TABLE_PAGE_MAX + HEAD_MAX <= BUFFER_LARGE &&
		       TABLE_PAGE_MAX + HEAD_MAX <= SCRATCH_SIZE,
	       "an answer with a page fits into a buffer");

struct closed_page {
	size_t size;
	char text[];
};

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

/* ── a page of one's own ──────────────────────────────────────────────────────────────────────────── */

/* All of a plain file that is neither empty nor too large; else NULL, and why. */
static struct closed_page *read_page(int fd, const char **ret_why)
{
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		*ret_why = "it is no file";
		return NULL;
	}
	if (st.st_size <= 0 || st.st_size > TABLE_PAGE_MAX) {
		*ret_why = st.st_size > 0 ? "it is larger than 64 KiB" : "it is empty";
		return NULL;
	}
	struct closed_page *page = mem_new(sizeof(*page) + (size_t)st.st_size);
	page->size = (size_t)st.st_size;
	if (read(fd, page->text, page->size) == st.st_size)
		return page;
	*ret_why = "it cannot be read whole";
	free(page);
	return NULL;
}

static struct closed_page *open_page(const struct table_environment *e)
{
	const char *why = NULL;
	int fd = open(e->maintenance_page, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct closed_page *page = NULL;
	if (fd < 0)
		why = strerror(errno);
	else
		page = read_page(fd, &why);
	if (fd >= 0)
		close(fd);
	if (!page)
		log_event(LOG_WARNING, "gateway.page", "environment=%s/%s file=\"%s\" error=\"%s\"",
			  e->app, e->name, e->maintenance_page, why);
	return page;
}

void closed_prepare(struct live *live)
{
	const struct gateway_table *t = live->table;
	live->pages = mem_zero(t->environment_count + 1, sizeof(struct closed_page *));
	for (uint32_t i = 0; i < t->environment_count; i++) {
		const struct table_environment *e = &t->environments[i];
		if (e->mode == TABLE_MODE_MAINTENANCE && e->maintenance_page[0])
			live->pages[i] = open_page(e);
	}
}

void closed_forget(struct live *live)
{
	for (uint32_t i = 0; i < live->table->environment_count; i++)
		free(live->pages[i]);
	free(live->pages);
}

/* ── answers ──────────────────────────────────────────────────────────────────────────────────────── */

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
	const struct closed_page *page =
		html && !read_only ? x->live->pages[x->route->route->environment] : NULL;
	if (page) {
		own.text = page->text;
		own.text_size = page->size;
		own.bare = true;
	}
	account_environment(w, x->route->environment, COUNTERS_ENVIRONMENT_MAINTENANCE);
	return exchange_answer(w, x, &own);
}
