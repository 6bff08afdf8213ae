/* SPDX-License-Identifier: Apache-2.0
 *
 * live - see live.h for the contract.
 *
 * The choice among backends reads a contiguous array (traffic/balance.h), but a backend's load and health
 * outlive a table: each change is made in the backend and copied to its entry in the current table.
 */
#include "gateway/live.h"

#include <stdlib.h>
#include <string.h>

#include "base/cidr.h"
#include "base/log.h"
#include "base/text.h"
#include "gateway/address.h"
#include "gateway/clear.h"
#include "gateway/closed.h"
#include "gateway/cohort.h"
#include "gateway/rules.h"
#include "gateway/tls_site.h"
#include "gateway/upstream.h"
#include "wire/url.h"

_Static_assert((int)TABLE_ENVIRONMENT_RELEASES_MAX == (int)SPLIT_RELEASE_MAX,
	       "a table has the releases that a split can have");

/* ── backends ─────────────────────────────────────────────────────────────────────────────────────── */

static void copy_state(struct backend *b)
{
	if (!b->entry)
		return;
	b->entry->in_flight = b->state.in_flight;
	b->entry->health = b->state.health;
	b->entry->full = b->state.full;
	b->entry->joined_ms = b->state.joined_ms;
}

void backend_started(struct backend *b)
{
	b->state.in_flight++;
	counters_add(&b->values[COUNTERS_BACKEND_STARTED], 1);
	copy_state(b);
}

void backend_ended(struct backend *b)
{
	b->state.in_flight--;
	counters_add(&b->values[COUNTERS_BACKEND_COMPLETED], 1);
	copy_state(b);
}

static void note_busy(struct backend *b)
{
	bool full = b->busy >= b->connections_max;
	if (full == b->state.full)
		return;
	b->state.full = full;
	copy_state(b);
}

void backend_took(struct backend *b)
{
	b->busy++;
	note_busy(b);
}

void backend_gave(struct worker *w, struct backend *b)
{
	b->busy--;
	note_busy(b);
	w->queues_due = w->queued_count > 0;
}

void backend_succeeded(struct backend *b)
{
	if (!b->state.health.failures)
		return;
	health_success(&b->state.health);
	counters_set(&b->values[COUNTERS_BACKEND_FAILED_IN_A_ROW], 0);
	copy_state(b);
}

void backend_failed(struct worker *w, struct backend *b, const struct live_pool *pool)
{
	bool may = false;
	for (size_t i = 0; i < pool->count; i++)
		if (pool->backends[i] == b)
			may = balance_may_eject(pool->entries, pool->count, i, w->now_ms);
	counters_add(&b->values[COUNTERS_BACKEND_FAILED], 1);
	if (health_failure(&b->state.health, w->now_ms, may)) {
		counters_add(&b->values[COUNTERS_BACKEND_EJECTED], 1);
		log_event(LOG_WARNING, "gateway.backend-ejected",
			  "worker=%u instance=%s address=%s for_ms=%llu", w->index, b->instance,
			  b->address,
			  (unsigned long long)(b->state.health.ejected_until_ms - w->now_ms));
	}
	counters_set(&b->values[COUNTERS_BACKEND_FAILED_IN_A_ROW], b->state.health.failures);
	copy_state(b);
}

void backend_unref(struct worker *w, struct backend *b)
{
	if (--b->refs)
		return;
	if (w->backends[b->slot] == b)
		w->backends[b->slot] = NULL;
	free(b);
}

/* The backend as it is known, or a new one where the slot has another now. Returns a reference. */
static int find_backend(struct worker *w, const struct table_backend *from,
			struct backend **ret_backend, struct error *err)
{
	struct backend *b = w->backends[from->stats_slot];
	if (b && strcmp(b->address, from->address) == 0 &&
	    strcmp(b->instance, from->instance) == 0) {
		b->refs++;
		*ret_backend = b;
		return 0;
	}
	b = mem_zero(1, sizeof(*b));
	int failed = address_parse(from->address, &b->socket, &b->socket_size, err);
	if (failed) {
		free(b);
		return failed;
	}
	text_copy(b->address, sizeof(b->address), from->address);
	text_copy(b->instance, sizeof(b->instance), from->instance);
	b->slot = from->stats_slot;
	b->http2 = from->http2;
	b->values = w->block->backends[b->slot].values;
	b->refs = 1;
	w->backends[b->slot] = b; /* an earlier owner of the slot lives on by its references */
	*ret_backend = b;
	return 0;
}

/* ── making ───────────────────────────────────────────────────────────────────────────────────────── */

static int by_precedence(const void *left, const void *right)
{
	const struct live_route *a = left, *b = right;
	if (a->route->listener != b->route->listener)
		return a->route->listener < b->route->listener ? -1 : 1;
	if (!a->host_size != !b->host_size)
		return a->host_size ? -1 : 1;
	if (a->path_size != b->path_size)
		return a->path_size > b->path_size ? -1 : 1;
	return strcmp(a->route->host, b->route->host);
}

static int32_t index_within(const struct table_environment *e, uint16_t release)
{
	return release == TABLE_NONE ? GUARD_NONE : release - e->first_release;
}

/* The pools and the split of one route. The guard refuses what makes no sense. */
static int make_route(struct live *live, struct live_route *r, struct error *err)
{
	const struct gateway_table *t = live->table;
	const struct table_environment *e = r->environment;
	struct guard_document document = {
		.parked = e->mode != TABLE_MODE_SERVE,
		.count = e->release_count,
		.live = index_within(e, e->live),
		.mirror = index_within(e, e->mirror.release),
		.mirror_bp = e->mirror.release == TABLE_NONE ? 0 : e->mirror.share_bp,
	};
	for (uint32_t i = 0; i < e->release_count; i++) {
		const struct table_release *release = &t->releases[e->first_release + i];
		struct live_pool *pool = &r->pools[i];
		for (uint32_t p = 0; p < release->pool_count; p++) {
			const struct table_pool *from = &t->pools[release->first_pool + p];
			if (strcmp(from->process, r->route->process) != 0)
				continue;
			*pool = (struct live_pool){
				.pool = from,
				.entries = live->entries + from->first_backend,
				.backends = live->backends + from->first_backend,
				.count = from->backend_count,
			};
		}
		for (uint32_t b = 0; b < pool->count; b++)
			document.release[i].ready += pool->entries[b].ready;
		document.release[i].weight_bp = release->weight_bp;
	}
	int failed = guard_check(&document, err);
	if (failed)
		return error_prefix(err, "The route to environment \"%s/%s\"", e->app, e->name);
	r->serving = guard_apply(&document, &r->split);
	r->cohort = live->cohorts[r->route->environment];
	r->tried = (struct cohort_choice){.release = index_within(e, e->cohort.release),
					  .live = document.live,
					  .only = e->cohort.only};
	return 0;
}

static const struct table_environment *environment_of(const struct gateway_table *t,
						      const struct table_backend *b)
{
	return &t->environments[t->releases[t->pools[b->pool].release].environment];
}

static int make_backends(struct worker *w, struct live *live, struct error *err)
{
	const struct gateway_table *t = live->table;
	for (uint32_t i = 0; i < t->backend_count; i++) {
		int failed = find_backend(w, &t->backends[i], &live->backends[i], err);
		if (failed)
			return failed;
		live->entries[i] = live->backends[i]->state;
		live->entries[i].ready = t->backends[i].state == TABLE_BACKEND_READY;
		live->entries[i].warms_ms = environment_of(t, &t->backends[i])->slow_start_ms;
	}
	return 0;
}

static int by_length(const void *left, const void *right)
{
	const struct live_prefix *a = left, *b = right;
	if (a->environment != b->environment)
		return a->environment < b->environment ? -1 : 1;
	if (a->size != b->size)
		return a->size > b->size ? -1 : 1;
	return strcmp(a->path, b->path);
}

static void make_prefixes(struct live *live)
{
	const struct gateway_table *t = live->table;
	for (uint32_t i = 0; i < t->prefix_count; i++) {
		const struct table_prefix *from = &t->prefixes[i];
		const struct table_class *class = &t->classes[from->class];
		const struct table_environment *e = &t->environments[class->environment];
		live->prefixes[i] = (struct live_prefix){
			.path = from->path,
			.size = strlen(from->path),
			.environment = class->environment,
			.class = (uint8_t)(from->class - e->first_class + 1),
		};
	}
	qsort(live->prefixes, t->prefix_count, sizeof(*live->prefixes), by_length);
}

static void find_prefixes(const struct live *live, struct live_route *r)
{
	for (uint32_t i = 0; i < live->table->prefix_count; i++) {
		if (live->prefixes[i].environment != r->route->environment)
			continue;
		if (r->prefix_count == 0)
			r->prefixes = &live->prefixes[i];
		r->prefix_count++;
	}
}

static void lower(char *text)
{
	for (; *text; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text + ('a' - 'A'));
}

/* Names of fields are compared in lower case. */
static void make_cohorts(struct live *live)
{
	for (uint32_t i = 0; i < live->table->environment_count; i++) {
		struct table_environment *e = &live->table->environments[i];
		lower(e->sticky.header);
		for (uint32_t k = 0; k < e->cohort.rule_count; k++)
			if (e->cohort.rules[k].kind == TABLE_COHORT_HEADER)
				lower(e->cohort.rules[k].name);
		live->cohorts[i] = cohort_make(&e->cohort);
	}
}

static int make_routes(struct live *live, struct error *err)
{
	const struct gateway_table *t = live->table;
	for (uint32_t i = 0; i < t->route_count; i++) {
		struct live_route *r = &live->routes[i];
		r->route = &t->routes[i];
		r->environment = &t->environments[r->route->environment];
		r->host_size = strlen(r->route->host);
		r->path_size = strlen(r->route->path);
		find_prefixes(live, r);
		r->rules = live->rules[r->route->environment];
		live->http1_only[r->route->listener] |= r->environment->http1_only;
		int failed = make_route(live, r, err);
		if (failed)
			return failed;
	}
	qsort(live->routes, t->route_count, sizeof(*live->routes), by_precedence);
	uint32_t at = 0;
	for (uint32_t l = 0; l <= t->listener_count; l++) {
		while (at < t->route_count && live->routes[at].route->listener < l)
			at++;
		live->listener_routes[l] = &live->routes[at];
	}
	return 0;
}

static void free_live(struct worker *w, struct live *live)
{
	for (uint32_t i = 0; i < live->table->backend_count; i++) {
		struct backend *b = live->backends[i];
		if (!b)
			continue;
		if (b->entry == &live->entries[i])
			b->entry = NULL;
		backend_unref(w, b);
	}
	tls_forget(w, live);
	rules_forget(live);
	closed_forget(live);
	for (uint32_t i = 0; i < live->table->environment_count; i++)
		free(live->cohorts[i]);
	free(live->cohorts);
	table_free(live->table);
	free(live->routes);
	free(live->prefixes);
	free(live->backends);
	free(live->entries);
	free(live);
}

int live_prepare(struct worker *w, struct gateway_table *table, const int *listener_fds, bool saved,
		 struct error *err)
{
	struct live *live = mem_zero(1, sizeof(*live));
	live->refs = 1;
	live->table = table;
	memcpy(live->listener_fds, listener_fds, table->listener_count * sizeof(int));
	live->routes = mem_zero(table->route_count + 1, sizeof(*live->routes));
	live->prefixes = mem_zero(table->prefix_count + 1, sizeof(*live->prefixes));
	live->backends = mem_zero(table->backend_count + 1, sizeof(struct backend *));
	live->entries = mem_zero(table->backend_count + 1, sizeof(*live->entries));
	live->rules = mem_zero(table->environment_count + 1, sizeof(struct rules *));
	live->sites = mem_zero(table->environment_count + 1, sizeof(struct tls_site *));
	live->cohorts = mem_zero(table->environment_count + 1, sizeof(struct cohort *));
	int failed = make_backends(w, live, err);
	make_prefixes(live);
	make_cohorts(live);
	clear_prepare(live);
	closed_prepare(live);
	if (!failed)
		failed = tls_prepare(w, live, saved, err);
	if (!failed)
		failed = rules_prepare(live, err);
	if (!failed)
		failed = make_routes(live, err);
	for (uint32_t i = 0; !failed && i < table->trusted_count; i++)
		if (!cidr_parse(table->trusted[i], &live->trusted[i]))
			failed = error_set(err, ERR_INVALID,
					   "The trusted network \"%s\" is not of the form "
					   "\"10.0.0.0/8\".",
					   table->trusted[i]);
	if (failed) {
		free_live(w, live);
		return failed;
	}
	if (w->prepared)
		free_live(w, w->prepared);
	w->prepared = live;
	counters_set(&w->block->prepared, table->generation);
	return 0;
}

/* ── using ────────────────────────────────────────────────────────────────────────────────────────── */

static void publish_oldest(struct worker *w)
{
	if (w->lives)
		counters_set(&w->block->oldest, w->lives->table->generation);
}

struct live *live_ref(struct live *live)
{
	live->refs++;
	return live;
}

void live_unref(struct worker *w, struct live *live)
{
	if (--live->refs)
		return;
	struct live **at = &w->lives;
	while (*at != live)
		at = &(*at)->next;
	*at = live->next;
	free_live(w, live);
	publish_oldest(w);
}

/* Those that get ready by `live` are cold, while the entries of the table before it still count. */
static void note_joined(const struct worker *w, const struct live *live)
{
	for (uint32_t i = 0; i < live->table->backend_count; i++) {
		struct backend *b = live->backends[i];
		if (live->entries[i].ready && !(b->entry && b->entry->ready))
			b->state.joined_ms = w->now_ms;
	}
}

static uint32_t connections_max(const struct gateway_table *t, const struct table_backend *b)
{
	uint32_t most = environment_of(t, b)->queue.connections_max;
	uint32_t limit = t->limits.backend_connections_max;
	return most && most < limit ? most : limit;
}

/* From now on the entries of `live` are the ones that count. */
static void adopt_entries(struct live *live)
{
	for (uint32_t i = 0; i < live->table->backend_count; i++) {
		struct backend *b = live->backends[i];
		b->entry = &live->entries[i];
		b->connections_max = connections_max(live->table, &live->table->backends[i]);
		note_busy(b);
		copy_state(b);
	}
}

bool live_activate(struct worker *w, uint64_t generation)
{
	struct live *live = w->prepared, *old = w->live;
	if (!live || live->table->generation != generation)
		return false;
	w->prepared = NULL;
	struct live **end = &w->lives;
	while (*end)
		end = &(*end)->next;
	*end = live;
	w->live = live;
	if (old)
		note_joined(w, live);
	for (uint32_t i = 0; old && i < old->table->backend_count; i++)
		old->backends[i]->entry = NULL;
	adopt_entries(live);
	for (uint32_t i = 0; old && i < old->table->backend_count; i++) {
		struct backend *b = old->backends[i];
		if (!b->entry || !b->entry->ready)
			upstream_close_idle(w, b);
	}
	for (struct listener *l = w->listeners; l; l = l->next) {
		l->index = -1;
		for (uint32_t i = 0; i < live->table->listener_count; i++)
			if (strcmp(l->address, live->table->listeners[i].address) == 0)
				l->index = (int)i;
	}
	w->table_changed = true;
	if (old)
		live_unref(w, old);
	publish_oldest(w);
	counters_set(&w->block->seen, generation);
	return true;
}

void live_done(struct worker *w)
{
	if (w->prepared)
		free_live(w, w->prepared);
	w->prepared = NULL;
	if (w->live)
		live_unref(w, w->live);
	w->live = NULL;
}

const struct live_route *live_route_find(const struct live *live, int index, const char *host,
					 size_t host_size, const char *path, size_t path_size)
{
	if (index < 0)
		return NULL;
	const struct live_route *r = live->listener_routes[index];
	const struct live_route *end = live->listener_routes[index + 1];
	bool host_known = false;
	for (; r < end && r->host_size; r++) {
		if (!url_host_is(host, host_size, r->route->host, r->host_size))
			continue;
		host_known = true;
		if (url_path_under(path, path_size, r->route->path, r->path_size))
			return r;
	}
	for (; !host_known && r < end; r++)
		if (url_path_under(path, path_size, r->route->path, r->path_size))
			return r;
	return NULL;
}

uint8_t live_class(const struct live_route *route, const char *path, size_t size)
{
	for (uint32_t i = 0; i < route->prefix_count; i++) {
		const struct live_prefix *p = &route->prefixes[i];
		if (url_path_under(path, size, p->path, p->size))
			return p->class;
	}
	return 0;
}

bool live_trusts(const struct live *live, const char *address)
{
	uint8_t bytes[CIDR_ADDRESS_SIZE];
	if (!live->table->trusted_count || !cidr_address(address, bytes))
		return false;
	for (uint32_t i = 0; i < live->table->trusted_count; i++)
		if (cidr_holds(&live->trusted[i], bytes))
			return true;
	return false;
}
