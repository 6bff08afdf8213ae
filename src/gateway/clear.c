/* SPDX-License-Identifier: Apache-2.0
 * clear - see clear.h for the contract. */
#include "gateway/clear.h"

#include <stdio.h>
#include <string.h>

#include "gateway/account.h"
#include "gateway/acme.h"
#include "gateway/exchange.h"
#include "gateway/head.h"
#include "gateway/live.h"
#include "gateway/loop.h"
#include "gateway/tls_site.h"

enum { NAME_SIZE = 254, LINE_SIZE = HTTP1_HEAD_MAX + NAME_SIZE + 64 };

void clear_prepare(struct live *live)
{
	const struct gateway_table *t = live->table;
	for (uint32_t i = 0; i < t->environment_count; i++)
		if (t->environments[i].tls.redirect != TABLE_NONE)
			live->redirects[t->environments[i].tls.redirect] = true;
}

static const char *text_at(const struct exchange *x, const struct http1_span *span)
{
	return x->request.buffer->data + span->at;
}

/* The request's host without its port and last dot, in lower case; false where it is no name. */
static bool read_name(const struct exchange *x, char ret_name[NAME_SIZE])
{
	const char *host = text_at(x, &x->head.host);
	size_t size = 0;
	for (; size < x->head.host.size && host[size] != ':'; size++) {
		char c = host[size];
		bool upper = c >= 'A' && c <= 'Z';
		if (size + 1 == NAME_SIZE || (!upper && !(c >= 'a' && c <= 'z') &&
					      !(c >= '0' && c <= '9') && c != '-' && c != '.'))
			return false;
		ret_name[size] = (char)(upper ? c + ('a' - 'A') : c);
	}
	if (size > 0 && ret_name[size - 1] == '.')
		size--;
	ret_name[size] = '\0';
	return size > 0 && ret_name[0] != '.';
}

/* Of the environments that redirect at `listener` the route that this name belongs to, or NULL. */
static const struct live_route *find_redirected(const struct live *live, int listener,
						const char *name)
{
	for (uint32_t i = 0; i < live->table->route_count; i++) {
		const struct live_route *r = &live->routes[i];
		if (r->environment->tls.redirect == listener && r->host_size > 0 &&
		    strcmp(r->route->host, name) == 0)
			return r;
	}
	for (uint32_t i = 0; i < live->table->route_count; i++) {
		const struct live_route *r = &live->routes[i];
		const struct tls_site *site = live->sites[r->route->environment];
		if (r->environment->tls.redirect == listener && r->host_size == 0 && site &&
		    tls_site_covers(site, name, false))
			return r;
	}
	return NULL;
}

static const struct live_route *find_served(const struct live *live, const struct exchange *x,
					    int listener)
{
	return live_route_find(live, listener, text_at(x, &x->head.host), x->head.host.size,
			       text_at(x, &x->head.path), x->head.path.size);
}

/* ── challenges ───────────────────────────────────────────────────────────────────────────────────── */

static bool asks_challenge(const struct exchange *x)
{
	const struct http1_span *path = &x->head.path;
	size_t size = strlen(ACME_PATH);
	return path->size > size && memcmp(text_at(x, path), ACME_PATH, size) == 0 &&
	       (x->head.method == HTTP1_METHOD_GET || x->head.method == HTTP1_METHOD_HEAD);
}

static bool find_answer(const struct exchange *x, const struct live_route *route,
			char ret_answer[ACME_ANSWER_SIZE])
{
	size_t skip = strlen(ACME_PATH);
	const char *directory = route ? route->environment->tls.challenges : "";
	return directory[0] && acme_answer(directory, text_at(x, &x->head.path) + skip,
					   x->head.path.size - skip, ret_answer);
}

/* ── redirects ────────────────────────────────────────────────────────────────────────────────────── */

static enum turn redirect(struct worker *w, struct exchange *x, const struct live_route *route,
			  const char *name)
{
	char line[LINE_SIZE];
	const char *address = w->live->table->listeners[route->route->listener].address;
	const char *port = strrchr(address, ':');
	if (!port || strncmp(address, "unix:", 5) == 0 || strcmp(port, ":443") == 0)
		port = "";
	bool asterisk = x->head.path.size == 0 || *text_at(x, &x->head.path) != '/';
	snprintf(line, sizeof(line), "Location: https://%s%s%.*s%s%.*s\r\n", name, port,
		 asterisk ? 1 : (int)x->head.path.size, asterisk ? "/" : text_at(x, &x->head.path),
		 x->head.has_query ? "?" : "", (int)x->head.query.size, text_at(x, &x->head.query));
	return exchange_answer(w, x,
			       &(struct head_own){.status = 308,
						  .line = line,
						  .text = "This site is served by HTTPS."});
}

static enum turn refuse(struct worker *w, struct exchange *x)
{
	account_worker(w, COUNTERS_WORKER_NO_ROUTE);
	return exchange_answer(w, x,
			       &(struct head_own){.status = 421,
						  .reason = "no-route",
						  .text = "No such host is served here."});
}

bool clear_dispatch(struct worker *w, struct exchange *x, enum turn *ret_turn)
{
	char name[NAME_SIZE], answer[ACME_ANSWER_SIZE];
	worker_refresh(w);
	int listener = x->client->listener->index;
	bool asks = asks_challenge(x);
	if (!w->live || listener < 0 || (!asks && !w->live->redirects[listener]))
		return false;
	bool redirects = w->live->redirects[listener];
	const struct live_route *served = find_served(w->live, x, listener);
	if (served && (served->host_size > 0 || !redirects))
		redirects = false;
	const struct live_route *route =
		redirects && read_name(x, name) ? find_redirected(w->live, listener, name) : NULL;
	if (asks && find_answer(x, route ? route : served, answer)) {
		*ret_turn = exchange_answer(
			w, x, &(struct head_own){.status = 200, .bare = true, .text = answer});
		return true;
	}
	if (!redirects || (!route && served))
		return false;
	if (route && asks)
		*ret_turn = exchange_answer(w, x,
					    &(struct head_own){.status = 404,
							       .reason = "no-challenge",
							       .text = "No such challenge."});
	else
		*ret_turn = route ? redirect(w, x, route, name) : refuse(w, x);
	return true;
}
