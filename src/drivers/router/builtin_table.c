/* SPDX-License-Identifier: Apache-2.0
 * builtin_table - see builtin_table.h for the contract. */
#include "drivers/router/builtin_table.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"

_Static_assert((int)ROUTER_NAME_SIZE <= (int)TABLE_NAME_SIZE, "names fit");
_Static_assert((int)ROUTER_ADDRESS_SIZE <= (int)TABLE_ADDRESS_SIZE, "addresses fit");
_Static_assert((int)ROUTER_KEY_SIZE == (int)TABLE_KEY_SIZE, "keys are the same");
_Static_assert((int)ROUTER_CLASSES_MAX == (int)TABLE_ENVIRONMENT_CLASSES_MAX &&
		       (int)ROUTER_CLASS_PATHS_MAX == (int)TABLE_CLASS_PREFIXES_MAX &&
		       (int)ROUTER_PATH_SIZE == (int)TABLE_PATH_SIZE,
	       "classes fit, both ways");
_Static_assert((int)ROUTER_PATH_SIZE <= (int)TABLE_FILE_SIZE &&
		       (int)ROUTER_PAGE_MAX == (int)TABLE_PAGE_MAX,
	       "files fit");
_Static_assert((int)ROUTER_MAINTENANCE == (int)TABLE_MODE_MAINTENANCE &&
		       (int)ROUTER_PARK == (int)TABLE_MODE_PARK,
	       "modes are the same");
_Static_assert((int)ROUTER_BACKEND_DRAINING == (int)TABLE_BACKEND_DRAINING &&
		       (int)ROUTER_BACKEND_DOWN == (int)TABLE_BACKEND_DOWN,
	       "states are the same");
_Static_assert((int)ROUTER_UNNAMED_SHOWN == (int)TABLE_TLS_SHOWN &&
		       (int)ROUTER_UNNAMED_NEVER == (int)TABLE_TLS_NEVER,
	       "rules for names are the same");

static void environment_key(char *to, const char *app, const char *environment)
{
	snprintf(to, PLACE_KEY_SIZE, "%s/%s", app, environment);
}

static void release_key(char *to, const char *app, const char *environment, const struct digest *id)
{
	char hex[DIGEST_HEX_SIZE];
	snprintf(to, PLACE_KEY_SIZE, "%s/%s/%s", app, environment, digest_format(id, hex));
}

static void backend_key(char *to, const char *app, const char *environment, const char *instance)
{
	snprintf(to, PLACE_KEY_SIZE, "%s/%s/%s", app, environment, instance);
}

static void note(struct place *place, const char *key, uint64_t generation)
{
	memcpy(place->key, key, PLACE_KEY_SIZE);
	place->last_named = generation;
}

void places_note_table(struct places *places, const struct gateway_table *t)
{
	char key[PLACE_KEY_SIZE] = "";
	for (uint32_t i = 0; i < t->environment_count; i++) {
		const struct table_environment *e = &t->environments[i];
		environment_key(key, e->app, e->name);
		note(&places->environments[e->stats_slot], key, t->generation);
	}
	for (uint32_t i = 0; i < t->release_count; i++) {
		const struct table_release *r = &t->releases[i];
		const struct table_environment *e = &t->environments[r->environment];
		release_key(key, e->app, e->name, &r->id);
		note(&places->releases[r->stats_slot], key, t->generation);
	}
	for (uint32_t i = 0; i < t->backend_count; i++) {
		const struct table_backend *b = &t->backends[i];
		uint16_t release = t->pools[b->pool].release;
		const struct table_environment *e =
			&t->environments[t->releases[release].environment];
		backend_key(key, e->app, e->name, b->instance);
		note(&places->backends[b->stats_slot], key, t->generation);
	}
}

/* The place of `key`: the one it has, or the one that was free the longest. */
static int assign(struct place *places, uint32_t count, const char *key, uint64_t generation,
		  uint64_t oldest, uint16_t *ret_slot, struct error *err)
{
	uint32_t best = count;
	for (uint32_t i = 0; i < count; i++) {
		if (strcmp(places[i].key, key) == 0) {
			best = i;
			break;
		}
		bool free = places[i].key[0] == '\0' || places[i].last_named < oldest;
		if (free && places[i].last_named != generation &&
		    (best == count || places[i].last_named < places[best].last_named))
			best = i;
	}
	if (best == count)
		return error_set(
			err, ERR_LIMIT,
			"The gateway has no place left to count \"%s\": it has %u of them.", key,
			count);
	note(&places[best], key, generation);
	*ret_slot = (uint16_t)best;
	return 0;
}

/* What a table is made of, while it is made. */
struct making {
	struct places *places;
	struct gateway_table *table;
	uint64_t oldest;
};

static int full(const char *what, uint32_t most, struct error *err)
{
	return error_set(err, ERR_LIMIT, "The gateway's table has room for %u %s.", most, what);
}

static int add_listener(struct gateway_table *t, const char *address, uint16_t *ret_index,
			struct error *err)
{
	for (uint32_t i = 0; i < t->listener_count; i++)
		if (strcmp(t->listeners[i].address, address) == 0) {
			*ret_index = (uint16_t)i;
			return 0;
		}
	if (t->listener_count == TABLE_LISTENERS_MAX)
		return full("listeners", TABLE_LISTENERS_MAX, err);
	*ret_index = (uint16_t)t->listener_count;
	text_copy(t->listeners[t->listener_count++].address, TABLE_ADDRESS_SIZE, address);
	return 0;
}

static int add_routes(struct gateway_table *t, const struct router_document *d,
		      uint16_t environment, struct error *err)
{
	uint16_t listener = 0;
	if (d->route_count == 0)
		return 0;
	int rc = add_listener(t, d->listener, &listener, err);
	if (rc == 0 && d->tls.redirect[0])
		rc = add_listener(t, d->tls.redirect, &t->environments[environment].tls.redirect,
				  err);
	if (rc < 0)
		return rc;
	if (d->route_count > TABLE_ROUTES_MAX - t->route_count)
		return full("routes", TABLE_ROUTES_MAX, err);
	for (uint32_t i = 0; i < d->route_count; i++) {
		struct table_route *r = &t->routes[t->route_count++];
		text_copy(r->host, sizeof r->host, d->routes[i].host);
		text_copy(r->path, sizeof r->path, d->routes[i].path);
		text_copy(r->process, sizeof r->process, d->routes[i].process);
		r->listener = listener;
		r->environment = environment;
	}
	return 0;
}

static int add_classes(struct gateway_table *t, const struct router_document *d,
		       uint16_t environment, struct error *err)
{
	if (d->class_count > TABLE_CLASSES_MAX - t->class_count)
		return full("route classes", TABLE_CLASSES_MAX, err);
	for (uint32_t i = 0; i < d->class_count; i++) {
		const struct router_class *from = &d->classes[i];
		uint16_t index = (uint16_t)t->class_count++;
		struct table_class *to = &t->classes[index];
		if (from->path_count > TABLE_PREFIXES_MAX - t->prefix_count)
			return full("paths of route classes", TABLE_PREFIXES_MAX, err);
		text_copy(to->name, sizeof to->name, from->name);
		to->environment = environment;
		to->first_prefix = (uint16_t)t->prefix_count;
		to->prefix_count = (uint16_t)from->path_count;
		for (uint32_t k = 0; k < from->path_count; k++) {
			struct table_prefix *p = &t->prefixes[t->prefix_count++];
			text_copy(p->path, sizeof p->path, from->paths[k]);
			p->class = index;
		}
	}
	return 0;
}

_Static_assert((int)ROUTER_RULES_MAX == (int)TABLE_ENVIRONMENT_RULES_MAX &&
		       (int)ROUTER_VALUE_SIZE == (int)TABLE_VALUE_SIZE,
	       "header rules fit");

static int add_rules(struct gateway_table *t, const struct router_document *d,
		     struct table_environment *e, struct error *err)
{
	if (d->rule_count > TABLE_RULES_MAX - t->rule_count)
		return full("header rules", TABLE_RULES_MAX, err);
	e->first_rule = (uint16_t)t->rule_count;
	e->rule_count = (uint16_t)d->rule_count;
	for (uint32_t i = 0; i < d->rule_count; i++) {
		struct table_rule *to = &t->rules[t->rule_count++];
		text_copy(to->name, sizeof to->name, d->rules[i].name);
		text_copy(to->value, sizeof to->value, d->rules[i].value);
		to->answer = d->rules[i].answer;
	}
	return 0;
}

_Static_assert((int)ROUTER_MIRROR_HEADERS_MAX == (int)TABLE_MIRROR_HEADERS_MAX &&
		       (int)ROUTER_NAME_SIZE == (int)TABLE_NAME_SIZE,
	       "what is compared fits");

_Static_assert((int)ROUTER_COHORT_RULES_MAX == (int)TABLE_COHORT_RULES_MAX &&
		       (int)ROUTER_COHORT_VALUES_MAX == (int)TABLE_COHORT_VALUES_MAX &&
		       (int)ROUTER_NAME_SIZE == (int)TABLE_COHORT_TEXT_SIZE &&
		       (int)ROUTER_COHORT_COOKIE == (int)TABLE_COHORT_COOKIE &&
		       (int)ROUTER_COHORT_NETWORK == (int)TABLE_COHORT_NETWORK,
	       "rules of a cohort fit, both ways");

static bool too_many(const struct router_document *d)
{
	bool many = d->release_count > ROUTER_RELEASES_MAX ||
		    d->backend_count > ROUTER_BACKENDS_MAX || d->route_count > ROUTER_ROUTES_MAX ||
		    d->class_count > ROUTER_CLASSES_MAX || d->rule_count > ROUTER_RULES_MAX ||
		    d->mirror.header_count > ROUTER_MIRROR_HEADERS_MAX;
	many = many || d->cohort.rule_count > ROUTER_COHORT_RULES_MAX;
	for (uint32_t i = 0; !many && i < d->cohort.rule_count; i++)
		many = d->cohort.rules[i].value_count > ROUTER_COHORT_VALUES_MAX;
	for (uint32_t i = 0; !many && i < d->class_count; i++)
		many = d->classes[i].path_count > ROUTER_CLASS_PATHS_MAX;
	return many;
}

static int add_backend(struct making *m, const struct router_document *d,
		       const struct router_backend *from, uint16_t pool, struct error *err)
{
	struct gateway_table *t = m->table;
	char key[PLACE_KEY_SIZE] = "";
	if (t->backend_count == TABLE_BACKENDS_MAX)
		return full("backends", TABLE_BACKENDS_MAX, err);
	struct table_backend *b = &t->backends[t->backend_count++];
	text_copy(b->address, sizeof b->address, from->address);
	text_copy(b->instance, sizeof b->instance, from->instance);
	b->state = (enum table_backend_state)from->state;
	b->pool = pool;
	b->http2 = from->http2;
	t->pools[pool].backend_count++;
	backend_key(key, d->app, d->environment, from->instance);
	return assign(m->places->backends, COUNTERS_BACKENDS, key, t->generation, m->oldest,
		      &b->stats_slot, err);
}

/* One pool for each process that backend `first` and those after it of a release have. */
static int add_pool(struct making *m, const struct router_document *d, uint32_t first,
		    uint16_t release, struct error *err)
{
	struct gateway_table *t = m->table;
	const struct router_backend *backends = d->backends;
	if (t->pool_count == TABLE_POOLS_MAX)
		return full("pools", TABLE_POOLS_MAX, err);
	uint16_t index = (uint16_t)t->pool_count++;
	struct table_pool *pool = &t->pools[index];
	text_copy(pool->process, sizeof pool->process, backends[first].process);
	pool->release = release;
	pool->first_backend = (uint16_t)t->backend_count;
	t->releases[release].pool_count++;
	for (uint32_t i = first; i < d->backend_count; i++) {
		if (backends[i].release != backends[first].release ||
		    strcmp(backends[i].process, backends[first].process) != 0)
			continue;
		int rc = add_backend(m, d, &backends[i], index, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static bool first_of_pool(const struct router_document *d, uint32_t index)
{
	for (uint32_t i = 0; i < index; i++)
		if (d->backends[i].release == d->backends[index].release &&
		    strcmp(d->backends[i].process, d->backends[index].process) == 0)
			return false;
	return true;
}

static int add_release(struct making *m, const struct router_document *d, uint32_t index,
		       uint16_t environment, struct error *err)
{
	struct gateway_table *t = m->table;
	const struct router_release *from = &d->releases[index];
	char key[PLACE_KEY_SIZE] = "";
	if (t->release_count == TABLE_RELEASES_MAX)
		return full("releases", TABLE_RELEASES_MAX, err);
	uint16_t release = (uint16_t)t->release_count++;
	struct table_release *r = &t->releases[release];
	r->id = from->id;
	text_copy(r->tag, sizeof r->tag, from->tag);
	text_copy(r->preview, sizeof r->preview, from->preview);
	r->environment = environment;
	r->first_pool = (uint16_t)t->pool_count;
	r->weight_bp = from->weight_bp;
	release_key(key, d->app, d->environment, &from->id);
	int rc = assign(m->places->releases, COUNTERS_RELEASES, key, t->generation, m->oldest,
			&r->stats_slot, err);
	for (uint32_t i = 0; rc == 0 && i < d->backend_count; i++)
		if (d->backends[i].release == index && first_of_pool(d, i))
			rc = add_pool(m, d, i, release, err);
	return rc;
}

static void copy_queue(const struct router_queue *from, struct table_queue *to)
{
	_Static_assert((int)ROUTER_QUEUE_FIRST_MAX == (int)TABLE_QUEUE_FIRST_MAX &&
			       (int)ROUTER_PATH_SIZE == (int)TABLE_PATH_SIZE,
		       "paths fit");
	*to = (struct table_queue){.connections_max = from->connections_max,
				   .requests_max = from->requests_max,
				   .time_ms = from->time_ms,
				   .first_count = from->first_count};
	memcpy(to->first, from->first, sizeof to->first);
}

_Static_assert((int)ROUTER_PROXIES_MAX == (int)TABLE_PROXIES_MAX &&
		       (int)ROUTER_NAME_SIZE == (int)TABLE_NAME_SIZE,
	       "proxies fit");

static void copy_settings(const struct router_document *d, struct table_environment *e)
{
	text_copy(e->app, sizeof e->app, d->app);
	text_copy(e->name, sizeof e->name, d->environment);
	e->document_epoch = d->version.epoch;
	e->document_n = d->version.n;
	e->mode = (enum table_mode)d->mode;
	e->read_only = d->read_only;
	e->retry = d->retry;
	e->shield = d->shield;
	e->http1_only = d->http1_only;
	e->tcp = d->tcp;
	e->proxy_v2 = d->proxy_v2;
	e->proxy_count = d->proxy_count;
	memcpy(e->proxies, d->proxies, sizeof e->proxies);
	e->slow_start_ms = d->slow_start_ms;
	e->log = (enum table_log)d->log;
	e->body_max_bytes = d->body_max_bytes;
	e->hold = (struct table_hold){.requests_max = d->hold.requests_max,
				      .bytes_max = d->hold.bytes_max,
				      .time_ms = d->hold.time_ms,
				      .pace_per_s = d->hold.pace_per_s};
	copy_queue(&d->queue, &e->queue);
	e->timeouts = (struct table_timeouts){.connect_ms = d->timeouts.connect_ms,
					      .answer_ms = d->timeouts.answer_ms,
					      .idle_ms = d->timeouts.idle_ms,
					      .tunnel_idle_ms = d->timeouts.tunnel_idle_ms,
					      .tunnel_drain_ms = d->timeouts.tunnel_drain_ms};
	e->sticky.on = d->sticky.on;
	text_copy(e->sticky.cookie, sizeof e->sticky.cookie, d->sticky.cookie);
	text_copy(e->sticky.header, sizeof e->sticky.header, d->sticky.header);
	memcpy(e->sticky.salt, d->sticky.salt, sizeof e->sticky.salt);
	memcpy(e->sticky.key, d->sticky.key, sizeof e->sticky.key);
	memcpy(e->preview_key, d->preview_key, sizeof e->preview_key);
	text_copy(e->maintenance_page, sizeof e->maintenance_page, d->maintenance_page);
	text_copy(e->tls.certificate, sizeof e->tls.certificate, d->tls.certificate);
	text_copy(e->tls.key, sizeof e->tls.key, d->tls.key);
	text_copy(e->tls.challenges, sizeof e->tls.challenges, d->tls.challenges);
	e->tls.unnamed = (enum table_tls_unnamed)d->tls.unnamed;
	e->tls.hsts_s = d->tls.hsts_s;
	e->mirror.methods = (uint16_t)d->mirror.methods;
	e->mirror.share_bp = d->mirror.share_bp;
	e->mirror.in_flight_max = d->mirror.in_flight_max;
	e->mirror.noise_bp = d->mirror.noise_bp;
	e->mirror.body_max = d->mirror.body_max;
	e->mirror.header_count = d->mirror.header_count;
	memcpy(e->mirror.headers, d->mirror.headers, sizeof e->mirror.headers);
	memcpy(e->mirror.salt, d->mirror.salt, sizeof e->mirror.salt);
}

static void add_cohort(const struct router_cohort *from, uint32_t release_count,
		       struct table_environment *e)
{
	struct table_cohort *to = &e->cohort;
	if (from->release >= release_count)
		return;
	to->release = (uint16_t)(e->first_release + from->release);
	to->only = from->only;
	to->rule_count = from->rule_count;
	for (uint32_t i = 0; i < from->rule_count; i++) {
		to->rules[i].kind = (enum table_cohort_kind)from->rules[i].kind;
		to->rules[i].value_count = from->rules[i].value_count;
		memcpy(to->rules[i].name, from->rules[i].name, sizeof to->rules[i].name);
		memcpy(to->rules[i].values, from->rules[i].values, sizeof to->rules[i].values);
	}
}

static int add_document(struct making *m, const struct router_document *d, struct error *err)
{
	struct gateway_table *t = m->table;
	char key[PLACE_KEY_SIZE] = "";
	if (t->environment_count == TABLE_ENVIRONMENTS_MAX)
		return full("environments", TABLE_ENVIRONMENTS_MAX, err);
	if (too_many(d))
		return error_set(
			err, ERR_INVALID,
			"The traffic of \"%s/%s\" has more releases, routes, classes, rules or "
			"backends than it may.",
			d->app, d->environment);
	uint16_t index = (uint16_t)t->environment_count++;
	struct table_environment *e = &t->environments[index];
	table_environment_init(e);
	copy_settings(d, e);
	e->first_release = (uint16_t)t->release_count;
	e->release_count = (uint16_t)d->release_count;
	e->first_class = (uint16_t)t->class_count;
	e->class_count = (uint16_t)d->class_count;
	e->live = d->live < d->release_count ? (uint16_t)(e->first_release + d->live) : TABLE_NONE;
	e->mirror.release = d->mirror.release < d->release_count
				    ? (uint16_t)(e->first_release + d->mirror.release)
				    : TABLE_NONE;
	add_cohort(&d->cohort, d->release_count, e);
	environment_key(key, d->app, d->environment);
	int rc = assign(m->places->environments, COUNTERS_ENVIRONMENTS, key, t->generation,
			m->oldest, &e->stats_slot, err);
	if (rc == 0)
		rc = add_routes(t, d, index, err);
	if (rc == 0)
		rc = add_classes(t, d, index, err);
	if (rc == 0)
		rc = add_rules(t, d, e, err);
	for (uint32_t i = 0; rc == 0 && i < d->release_count; i++)
		rc = add_release(m, d, i, index, err);
	return rc;
}

int builtin_table_make(struct places *places, const struct router_document *const *documents,
		       size_t count, uint64_t generation, uint64_t oldest,
		       struct gateway_table *ret_table, struct error *err)
{
	struct making making = {.places = places, .table = ret_table, .oldest = oldest};
	ret_table->generation = generation;
	for (size_t i = 0; i < count; i++) {
		int rc = add_document(&making, documents[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void read_settings(const struct table_environment *e, struct router_document *d)
{
	text_copy(d->app, sizeof d->app, e->app);
	text_copy(d->environment, sizeof d->environment, e->name);
	d->version = (struct router_version){e->document_epoch, e->document_n};
	d->mode = (enum router_mode)e->mode;
	d->read_only = e->read_only;
	d->retry = e->retry;
	d->shield = e->shield;
	d->http1_only = e->http1_only;
	d->tcp = e->tcp;
	d->proxy_v2 = e->proxy_v2;
	d->proxy_count = e->proxy_count;
	memcpy(d->proxies, e->proxies, sizeof d->proxies);
	d->slow_start_ms = e->slow_start_ms;
	d->log = (enum router_log)e->log;
	d->body_max_bytes = e->body_max_bytes;
	d->hold = (struct router_hold){.requests_max = e->hold.requests_max,
				       .bytes_max = e->hold.bytes_max,
				       .time_ms = e->hold.time_ms,
				       .pace_per_s = e->hold.pace_per_s};
	d->queue = (struct router_queue){.connections_max = e->queue.connections_max,
					 .requests_max = e->queue.requests_max,
					 .time_ms = e->queue.time_ms,
					 .first_count = e->queue.first_count};
	memcpy(d->queue.first, e->queue.first, sizeof d->queue.first);
	d->timeouts = (struct router_timeouts){.connect_ms = e->timeouts.connect_ms,
					       .answer_ms = e->timeouts.answer_ms,
					       .idle_ms = e->timeouts.idle_ms,
					       .tunnel_idle_ms = e->timeouts.tunnel_idle_ms,
					       .tunnel_drain_ms = e->timeouts.tunnel_drain_ms};
	d->sticky.on = e->sticky.on;
	text_copy(d->sticky.cookie, sizeof d->sticky.cookie, e->sticky.cookie);
	text_copy(d->sticky.header, sizeof d->sticky.header, e->sticky.header);
	memcpy(d->sticky.salt, e->sticky.salt, sizeof d->sticky.salt);
	memcpy(d->sticky.key, e->sticky.key, sizeof d->sticky.key);
	memcpy(d->preview_key, e->preview_key, sizeof d->preview_key);
	text_copy(d->maintenance_page, sizeof d->maintenance_page, e->maintenance_page);
	text_copy(d->tls.certificate, sizeof d->tls.certificate, e->tls.certificate);
	text_copy(d->tls.key, sizeof d->tls.key, e->tls.key);
	text_copy(d->tls.challenges, sizeof d->tls.challenges, e->tls.challenges);
	d->tls.unnamed = (enum router_unnamed)e->tls.unnamed;
	d->tls.hsts_s = e->tls.hsts_s;
	d->mirror.methods = e->mirror.methods;
	d->mirror.share_bp = e->mirror.share_bp;
	d->mirror.in_flight_max = e->mirror.in_flight_max;
	d->mirror.noise_bp = e->mirror.noise_bp;
	d->mirror.body_max = e->mirror.body_max;
	d->mirror.header_count = e->mirror.header_count;
	memcpy(d->mirror.headers, e->mirror.headers, sizeof d->mirror.headers);
	memcpy(d->mirror.salt, e->mirror.salt, sizeof d->mirror.salt);
}

static void read_cohort(const struct table_environment *e, struct router_document *d)
{
	const struct table_cohort *from = &e->cohort;
	struct router_cohort *to = &d->cohort;
	if (from->release == TABLE_NONE)
		return;
	to->release = (uint32_t)(from->release - e->first_release);
	to->only = from->only;
	to->rule_count = from->rule_count;
	for (uint32_t i = 0; i < from->rule_count; i++) {
		to->rules[i].kind = (enum router_cohort_kind)from->rules[i].kind;
		to->rules[i].value_count = from->rules[i].value_count;
		memcpy(to->rules[i].name, from->rules[i].name, sizeof to->rules[i].name);
		memcpy(to->rules[i].values, from->rules[i].values, sizeof to->rules[i].values);
	}
}

static void read_classes(const struct gateway_table *t, const struct table_environment *e,
			 struct router_document *d)
{
	d->class_count = e->class_count;
	for (uint32_t i = 0; i < e->class_count; i++) {
		const struct table_class *from = &t->classes[e->first_class + i];
		struct router_class *to = &d->classes[i];
		text_copy(to->name, sizeof to->name, from->name);
		to->path_count = from->prefix_count;
		for (uint32_t k = 0; k < from->prefix_count; k++)
			text_copy(to->paths[k], sizeof to->paths[k],
				  t->prefixes[from->first_prefix + k].path);
	}
}

static void read_rules(const struct gateway_table *t, const struct table_environment *e,
		       struct router_document *d)
{
	d->rule_count = e->rule_count;
	for (uint32_t i = 0; i < e->rule_count; i++) {
		const struct table_rule *from = &t->rules[e->first_rule + i];
		text_copy(d->rules[i].name, sizeof d->rules[i].name, from->name);
		text_copy(d->rules[i].value, sizeof d->rules[i].value, from->value);
		d->rules[i].answer = from->answer;
	}
}

static void read_release(const struct gateway_table *t, const struct table_release *r,
			 struct router_document *d)
{
	uint32_t index = d->release_count++;
	struct router_release *to = &d->releases[index];
	to->id = r->id;
	to->weight_bp = r->weight_bp;
	text_copy(to->tag, sizeof to->tag, r->tag);
	text_copy(to->preview, sizeof to->preview, r->preview);
	for (uint32_t p = r->first_pool; p < (uint32_t)r->first_pool + r->pool_count; p++) {
		const struct table_pool *pool = &t->pools[p];
		for (uint32_t i = 0; i < pool->backend_count; i++) {
			const struct table_backend *from = &t->backends[pool->first_backend + i];
			if (d->backend_count == ROUTER_BACKENDS_MAX)
				return;
			struct router_backend *b = &d->backends[d->backend_count++];
			b->release = index;
			b->state = (enum router_backend_state)from->state;
			b->http2 = from->http2;
			text_copy(b->process, sizeof b->process, pool->process);
			text_copy(b->instance, sizeof b->instance, from->instance);
			text_copy(b->address, sizeof b->address, from->address);
		}
	}
}

void builtin_table_read(const struct gateway_table *t, uint32_t index,
			struct router_document *ret_document)
{
	const struct table_environment *e = &t->environments[index];
	struct router_document *d = ret_document;
	router_document_init(d);
	read_settings(e, d);
	for (uint32_t i = 0; i < t->route_count && d->route_count < ROUTER_ROUTES_MAX; i++) {
		const struct table_route *r = &t->routes[i];
		if (r->environment != index)
			continue;
		struct router_route *to = &d->routes[d->route_count++];
		text_copy(to->host, sizeof to->host, r->host);
		text_copy(to->path, sizeof to->path, r->path);
		text_copy(to->process, sizeof to->process, r->process);
		text_copy(d->listener, sizeof d->listener, t->listeners[r->listener].address);
	}
	if (e->tls.redirect != TABLE_NONE)
		text_copy(d->tls.redirect, sizeof d->tls.redirect,
			  t->listeners[e->tls.redirect].address);
	for (uint32_t i = 0; i < e->release_count && i < ROUTER_RELEASES_MAX; i++)
		read_release(t, &t->releases[e->first_release + i], d);
	read_classes(t, e, d);
	read_rules(t, e, d);
	read_cohort(e, d);
	d->live = e->live == TABLE_NONE ? (uint32_t)ROUTER_NONE
					: (uint32_t)(e->live - e->first_release);
	d->mirror.release = e->mirror.release == TABLE_NONE
				    ? (uint32_t)ROUTER_NONE
				    : (uint32_t)(e->mirror.release - e->first_release);
}
