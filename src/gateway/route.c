/* SPDX-License-Identifier: Apache-2.0
 *
 * route - see route.h for the contract.
 */
#include "gateway/route.h"

#include <string.h>
#include <time.h>

#include "base/preview_token.h"
#include "gateway/account.h"
#include "gateway/closed.h"
#include "gateway/cohort.h"
#include "gateway/live.h"
#include "gateway/loop.h"
#include "gateway/preview_link.h"

static const char *request_data(const struct exchange *x)
{
	return x->request.buffer->data;
}

static bool tokens_equal(const char *text, size_t size, const char *token)
{
	unsigned char difference = 0;
	if (size == 0 || size != strlen(token))
		return false;
	for (size_t i = 0; i < size; i++)
		difference |= (unsigned char)(text[i] ^ token[i]);
	return difference == 0;
}

bool route_is_whole(const struct exchange *x)
{
	return x->whole && (x->tcp || x->request.buffer);
}

void route_use(struct exchange *x, uint32_t release_index)
{
	x->release_index = (uint16_t)release_index;
	x->release =
		&x->live->table->releases[x->route->environment->first_release + release_index];
}

static uint32_t ready_backends(const struct live_pool *pool)
{
	uint32_t ready = 0;
	for (uint32_t i = 0; i < pool->count; i++)
		ready += pool->entries[i].ready;
	return ready;
}

int route_signed(const struct exchange *x, const char *token, size_t size)
{
	const struct table_environment *e = x->route->environment;
	const struct table_release *releases = x->live->table->releases + e->first_release;
	uint64_t now_s = (uint64_t)time(NULL);
	for (uint32_t i = 0; i < e->release_count; i++)
		if (releases[i].preview[0] &&
		    preview_token_holds(e->preview_key, releases[i].preview, token, size, now_s))
			return (int)i;
	return -1;
}

static int signed_release(const struct exchange *x, struct http1_span token)
{
	return route_signed(x, request_data(x) + token.at, token.size);
}

/* The release whose token the request carries, or -1. */
static int previewed_release(const struct exchange *x)
{
	const struct http1_field *f =
		http1_field_named(&x->head, request_data(x), ROUTE_PREVIEW_FIELD, 0);
	const struct table_environment *e = x->route->environment;
	struct http1_span cookie;
	if (f) {
		for (uint32_t i = 0; i < e->release_count; i++)
			if (tokens_equal(request_data(x) + f->value.at, f->value.size,
					 x->live->table->releases[e->first_release + i].preview))
				return (int)i;
		int release = signed_release(x, f->value);
		if (release >= 0)
			return release;
	}
	return http1_cookie_find(&x->head, request_data(x), ROUTE_PREVIEW_COOKIE, &cookie)
		       ? signed_release(x, cookie)
		       : -1;
}

static void format_hex(uint64_t value, char to[STICKY_UNIT_SIZE])
{
	for (int i = 0; i < STICKY_UNIT_SIZE; i++)
		to[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
}

void route_cookie(const struct exchange *x, char to[ROUTE_COOKIE_SIZE])
{
	memcpy(to, x->unit, STICKY_UNIT_SIZE);
	to[STICKY_UNIT_SIZE] = '.';
	format_hex(hash_keyed(x->route->environment->sticky.key, x->unit, STICKY_UNIT_SIZE),
		   to + STICKY_UNIT_SIZE + 1);
}

/* The unit in a cookie of ours; false when there is none, or it is not ours. */
static bool unit_from_cookie(struct exchange *x)
{
	struct http1_span value;
	char expected[ROUTE_COOKIE_SIZE];
	if (!http1_cookie_find(&x->head, request_data(x), x->route->environment->sticky.cookie,
			       &value) ||
	    value.size != ROUTE_COOKIE_SIZE)
		return false;
	const char *text = request_data(x) + value.at;
	memcpy(x->unit, text, STICKY_UNIT_SIZE);
	route_cookie(x, expected);
	unsigned char difference = 0;
	for (size_t i = 0; i < ROUTE_COOKIE_SIZE; i++)
		difference |= (unsigned char)(text[i] ^ expected[i]);
	return difference == 0;
}

/* For this request alone. */
static int draw_release(struct worker *w, struct exchange *x)
{
	x->divided = x->route->serving == GUARD_AS_WANTED;
	return split_choose(&x->route->split, worker_random(w));
}

static int split_release(struct worker *w, struct exchange *x)
{
	const struct table_sticky *sticky = &x->route->environment->sticky;
	const struct split *split = &x->route->split;
	if (!sticky->on)
		return draw_release(w, x);
	if (sticky->header[0]) {
		const struct http1_field *f =
			http1_field_named(&x->head, request_data(x), sticky->header, 0);
		if (f && f->value.size > 0)
			return split_choose_sticky(split, sticky->salt,
						   request_data(x) + f->value.at, f->value.size);
	}
	if (!sticky->cookie[0])
		return draw_release(w, x);
	if (!unit_from_cookie(x)) {
		format_hex(worker_random(w), x->unit);
		x->set_cookie = true;
		x->divided = x->route->serving == GUARD_AS_WANTED;
	}
	return split_choose_sticky(split, sticky->salt, x->unit, STICKY_UNIT_SIZE);
}

/* A member's release was not drawn: it says nothing of how requests are divided. Nor is one who stays with the live release
 * because only members may leave it. */
static int choose_release(struct worker *w, struct exchange *x)
{
	const struct live_route *route = x->route;
	int release = route->cohort ? cohort_choose(&route->split, &route->tried, cohort_takes(x))
				    : COHORT_NONE;
	return release == COHORT_NONE ? split_release(w, x) : release;
}

static bool has_pool(const struct live_route *route)
{
	for (uint32_t i = 0; i < route->environment->release_count; i++)
		if (route->pools[i].pool)
			return true;
	return false;
}

/* "/" where the request has none, as in "OPTIONS *". */
static const char *path_of(const struct exchange *x, size_t *ret_size)
{
	const char *path = request_data(x) + x->head.path.at;
	*ret_size = x->head.path.size;
	if (*ret_size > 0 && path[0] != '*')
		return path;
	*ret_size = 1;
	return "/";
}

static const struct live_route *find_route(const struct live *live, const struct exchange *x)
{
	size_t size = 1;
	const char *path = x->tcp ? "/" : path_of(x, &size);
	const char *host = x->tcp ? "" : request_data(x) + x->head.host.at;
	const struct live_route *route = live_route_find(live, x->client->listener->index, host,
							 x->head.host.size, path, size);
	/* What began by another protocol than is spoken there now has nowhere to go. */
	return route && route->environment->tcp == x->tcp ? route : NULL;
}

/* Method and target; behind a proxy that is believed, also whom it speaks for. */
static uint64_t fingerprint(const struct worker *w, const struct exchange *x)
{
	const char *data = request_data(x);
	uint32_t from = x->head.method_text.at, to = x->head.target.at + x->head.target.size;
	uint64_t hash = hash_keyed(w->hash_key, data + from, to - from);
	const struct http1_field *f =
		live_trusts(x->live, x->client->address)
			? http1_field_find(&x->head, HTTP1_FIELD_X_FORWARDED_FOR)
			: NULL;
	return f ? hash ^ hash_keyed(w->hash_key, data + f->value.at, f->value.size) : hash;
}

/* Under what the request is counted, whatever becomes of it. */
static void classify(const struct worker *w, struct exchange *x)
{
	size_t size;
	const char *path = path_of(x, &size);
	x->class = live_class(x->route, path, size);
	x->fingerprint = fingerprint(w, x);
}

static void pin(struct worker *w, struct exchange *x, const struct live_route *route)
{
	struct live *old = x->live;
	x->live = live_ref(w->live);
	x->route = route;
	x->instance = NULL;
	if (old)
		live_unref(w, old);
}

/* By weight, where its environment lets it in. */
static enum route_decision choose_by_weight(struct worker *w, struct exchange *x)
{
	const struct live_route *route = x->route;
	if (route->environment->mode == TABLE_MODE_PARK)
		return ROUTE_HOLD;
	if (!has_pool(route))
		return ROUTE_UNSERVED;
	if (route->serving == GUARD_NONE_READY || route->serving == GUARD_PARKED)
		return ROUTE_HOLD;
	int release = choose_release(w, x);
	if (release < 0)
		return ROUTE_HOLD;
	route_use(x, (uint32_t)release);
	return ROUTE_RELEASE;
}

static void count_request(struct worker *w, const struct exchange *x)
{
	if (!x->was_held && !x->was_queued)
		account_environment(w, x->route->environment, COUNTERS_ENVIRONMENT_REQUESTS);
}

enum route_decision route_choose_connection(struct worker *w, struct exchange *x)
{
	worker_refresh(w);
	const struct live_route *route = w->live ? find_route(w->live, x) : NULL;
	if (!route)
		return ROUTE_NOWHERE;
	pin(w, x, route);
	x->divided = false;
	count_request(w, x);
	if (route->environment->mode == TABLE_MODE_MAINTENANCE)
		return ROUTE_MAINTENANCE;
	return route->environment->read_only ? ROUTE_READ_ONLY : choose_by_weight(w, x);
}

enum route_decision route_choose(struct worker *w, struct exchange *x)
{
	worker_refresh(w);
	const struct live_route *route = w->live ? find_route(w->live, x) : NULL;
	if (!route)
		return ROUTE_NOWHERE;
	pin(w, x, route);
	classify(w, x);
	x->divided = false;
	count_request(w, x);
	if (preview_link_asked(x))
		return ROUTE_LINK;
	int preview = previewed_release(x);
	if (preview >= 0) {
		x->previewed = true;
		route_use(x, (uint32_t)preview);
		return ready_backends(&route->pools[preview]) ? ROUTE_RELEASE : ROUTE_UNSERVED;
	}
	if (route->environment->mode == TABLE_MODE_MAINTENANCE)
		return ROUTE_MAINTENANCE;
	if (route->environment->read_only && !closed_changes_nothing(x))
		return ROUTE_READ_ONLY;
	return choose_by_weight(w, x);
}

void route_renew(struct worker *w, struct exchange *x)
{
	worker_refresh(w);
	if (x->live == w->live || !route_is_whole(x))
		return;
	const struct live_route *route = find_route(w->live, x);
	if (!route)
		return;
	const struct table_environment *e = route->environment;
	for (uint32_t i = 0; i < e->release_count; i++) {
		const struct table_release *r = &w->live->table->releases[e->first_release + i];
		if (r->stats_slot != x->release->stats_slot ||
		    !digest_equal(&r->id, &x->release->id))
			continue;
		pin(w, x, route);
		route_use(x, i);
		x->avoid = BALANCE_NONE;
		return;
	}
}
