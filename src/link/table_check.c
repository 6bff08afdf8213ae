/* SPDX-License-Identifier: Apache-2.0
 *
 * table_check - what a table promises; see table.h for the contract.
 *
 * Both sides ask this: who makes a table, to hear what is wrong with it, and the worker that is about
 * to use one, because the guard of the data plane trusts nobody.
 */
#include <string.h>

#include "base/cidr.h"
#include "base/text.h"
#include "link/counters.h"
#include "link/table.h"

static int refuse_environment(const struct table_environment *e, struct error *err,
			      const char *what)
{
	return error_set(err, ERR_INVALID, "Environment \"%s/%s\" %s.", e->app, e->name, what);
}

/* Texts are fixed arrays: each must end within its own. */
static bool ended(const char *text, size_t size)
{
	return memchr(text, 0, size) != NULL;
}

#define ENDED(array) ended((array), sizeof(array))

static bool is_token(const char *text)
{
	for (const char *c = text; *c; c++)
		if (!strchr("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
			    *c))
			return false;
	return true;
}

static bool compares_fields(const struct table_mirror *m)
{
	if (m->header_count > TABLE_MIRROR_HEADERS_MAX)
		return false;
	for (uint32_t i = 0; i < m->header_count; i++)
		if (!m->headers[i][0] || !is_token(m->headers[i]))
			return false;
	return true;
}

static bool path_ok(const char *path)
{
	return path[0] == '/' && (!path[1] || path[strlen(path) - 1] != '/');
}

static bool queues(const struct table_queue *q)
{
	if (!q->time_ms || q->requests_max > TABLE_QUEUE_MAX ||
	    q->first_count > TABLE_QUEUE_FIRST_MAX)
		return false;
	for (uint32_t i = 0; i < q->first_count; i++)
		if (!ENDED(q->first[i]) || !path_ok(q->first[i]))
			return false;
	return true;
}

static bool rule_ok(const struct table_cohort_rule *r)
{
	struct cidr network;
	bool networks = r->kind == TABLE_COHORT_NETWORK;
	if ((unsigned)r->kind >= TABLE_COHORT_COUNT || !ENDED(r->name) || !is_token(r->name) ||
	    networks != !r->name[0] || r->value_count == 0 ||
	    r->value_count > TABLE_COHORT_VALUES_MAX)
		return false;
	for (uint32_t i = 0; i < r->value_count; i++)
		if (!ENDED(r->values[i]) || !r->values[i][0] ||
		    (networks && !cidr_parse(r->values[i], &network)))
			return false;
	return true;
}

static bool rules_ok(const struct table_cohort *c)
{
	if (c->rule_count > TABLE_COHORT_RULES_MAX)
		return false;
	for (uint32_t i = 0; i < c->rule_count; i++)
		if (!rule_ok(&c->rules[i]))
			return false;
	return true;
}

static int check_split(const struct gateway_table *t, const struct table_environment *e,
		       struct error *err)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < e->release_count; i++)
		sum += t->releases[e->first_release + i].weight_bp;
	if (e->mode == TABLE_MODE_SERVE && sum != SHARE_FULL_BP)
		return error_set(err, ERR_INVALID,
				 "The weights of environment \"%s/%s\" sum to %llu basis points "
				 "instead of %d.",
				 e->app, e->name, (unsigned long long)sum, SHARE_FULL_BP);
	if (sum > SHARE_FULL_BP)
		return refuse_environment(e, err, "has weights above 100%");
	return 0;
}

static bool owns(const struct table_environment *e, uint16_t release)
{
	return release >= e->first_release && release < e->first_release + e->release_count;
}

/* Where the next record of each kind has to begin. */
struct order {
	uint32_t release, pool, backend, class, prefix, rule;
};

static int check_classes_of(const struct gateway_table *t, const struct table_environment *e,
			    struct order *next, struct error *err)
{
	if (e->first_class != next->class || e->class_count > t->class_count - next->class)
		return refuse_environment(e, err, "does not have its classes in order");
	if (e->class_count > TABLE_ENVIRONMENT_CLASSES_MAX)
		return refuse_environment(e, err, "has more classes than it may");
	next->class += e->class_count;
	return 0;
}

/* What they may say is for who applies them (gateway/rules.h). */
static int check_rules_of(const struct gateway_table *t, const struct table_environment *e,
			  struct order *next, struct error *err)
{
	if (e->first_rule != next->rule || e->rule_count > t->rule_count - next->rule)
		return refuse_environment(e, err, "does not have its header rules in order");
	if (e->rule_count > TABLE_ENVIRONMENT_RULES_MAX)
		return refuse_environment(e, err, "has more header rules than it may");
	for (uint32_t i = 0; i < e->rule_count; i++)
		if (!ENDED(t->rules[next->rule + i].name) || !ENDED(t->rules[next->rule + i].value))
			return refuse_environment(e, err, "has a broken text");
	next->rule += e->rule_count;
	return 0;
}

/* It is printed as it is. */
static bool plain(const char *path)
{
	for (const char *c = path; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127 || *c == '"' || *c == '\\')
			return false;
	return true;
}

static int check_tls(const struct gateway_table *t, const struct table_environment *e,
		     struct error *err)
{
	const struct table_tls *tls = &e->tls;
	if (!ENDED(tls->certificate) || !ENDED(tls->key) || !ENDED(tls->challenges))
		return refuse_environment(e, err, "has a broken text");
	if ((unsigned)tls->unnamed >= TABLE_TLS_UNNAMED_COUNT)
		return refuse_environment(e, err, "has an unknown rule for names");
	if (!tls->certificate[0] != !tls->key[0])
		return refuse_environment(e, err, "has only one of a certificate and its key");
	if (!tls->certificate[0] && tls->hsts_s)
		return refuse_environment(e, err, "promises HTTPS (hsts) without a certificate");
	if (!tls->certificate[0] && tls->redirect != TABLE_NONE)
		return refuse_environment(e, err, "sends to HTTPS without a certificate");
	if (tls->redirect != TABLE_NONE && tls->redirect >= t->listener_count)
		return refuse_environment(e, err, "redirects at a listener that is not there");
	if ((tls->certificate[0] && (tls->certificate[0] != '/' || tls->key[0] != '/')) ||
	    (tls->challenges[0] && tls->challenges[0] != '/'))
		return refuse_environment(e, err, "has a TLS file that is no absolute path");
	if (!plain(tls->certificate) || !plain(tls->key) || !plain(tls->challenges))
		return refuse_environment(e, err, "has a TLS file with a quote in its path");
	return 0;
}

static int check_page(const struct table_environment *e, struct error *err)
{
	if (!ENDED(e->maintenance_page))
		return refuse_environment(e, err, "has a broken text");
	if (e->maintenance_page[0] && e->maintenance_page[0] != '/')
		return refuse_environment(e, err,
					  "has a maintenance page that is no absolute path");
	if (!plain(e->maintenance_page))
		return refuse_environment(e, err,
					  "has a maintenance page with a quote in its path");
	return 0;
}

/* Nothing of what is asked of requests can be asked of bytes that nobody reads. */
static int check_tcp(const struct gateway_table *t, uint32_t index, struct error *err)
{
	const struct table_environment *e = &t->environments[index];
	const struct table_route *own = NULL;
	struct cidr network;
	if (e->proxy_count > TABLE_PROXIES_MAX)
		return refuse_environment(e, err, "has more proxies than it may");
	for (uint32_t i = 0; i < e->proxy_count; i++)
		if (!ENDED(e->proxies[i]) || !cidr_parse(e->proxies[i], &network))
			return refuse_environment(e, err, "has a proxy that is no network");
	if (!e->tcp)
		return e->proxy_v2 || e->proxy_count
			       ? refuse_environment(e, err, "tells or hears of clients without tcp")
			       : 0;
	if (e->tls.certificate[0] || e->sticky.on || e->shield || e->class_count || e->rule_count ||
	    e->mirror.release != TABLE_NONE || e->cohort.rule_count || e->queue.first_count)
		return refuse_environment(e, err, "asks of tcp what only HTTP can do");
	for (uint32_t i = 0; i < t->route_count; i++) {
		const struct table_route *r = &t->routes[i];
		if (r->environment != index)
			continue;
		if (own || r->host[0] || r->path[1])
			return refuse_environment(e, err, "has more than one route of its tcp");
		own = r;
	}
	for (uint32_t i = 0; own && i < t->route_count; i++)
		if (&t->routes[i] != own && t->routes[i].listener == own->listener)
			return refuse_environment(e, err, "shares the listener of its tcp");
	for (uint32_t i = 0; own && i < t->environment_count; i++)
		if (t->environments[i].tls.redirect == own->listener)
			return refuse_environment(e, err, "shares the listener of its tcp");
	return 0;
}

/* A connection's first bytes are the same to all environments behind its listener. */
static int check_sharing(const struct gateway_table *t, struct error *err)
{
	const struct table_environment *first[TABLE_LISTENERS_MAX] = {NULL};
	for (uint32_t i = 0; i < t->route_count; i++) {
		const struct table_environment *e = &t->environments[t->routes[i].environment];
		uint16_t l = t->routes[i].listener;
		if (!first[l])
			first[l] = e;
		if (!first[l]->tls.certificate[0] != !e->tls.certificate[0])
			return error_set(err, ERR_INVALID,
					 "Environments \"%s/%s\" and \"%s/%s\" share the listener "
					 "\"%s\", but only one of them has tls.",
					 first[l]->app, first[l]->name, e->app, e->name,
					 t->listeners[l].address);
	}
	for (uint32_t i = 0; i < t->environment_count; i++) {
		const struct table_environment *e = &t->environments[i];
		uint16_t l = e->tls.redirect;
		if (l != TABLE_NONE && first[l] && first[l]->tls.certificate[0])
			return error_set(err, ERR_INVALID,
					 "Environment \"%s/%s\" redirects at \"%s\", but that "
					 "address has tls itself; name another one.",
					 e->app, e->name, t->listeners[l].address);
	}
	return 0;
}

static int check_environment(const struct gateway_table *t, uint32_t index, struct order *next,
			     struct error *err)
{
	const struct table_environment *e = &t->environments[index];
	if (!ENDED(e->app) || !ENDED(e->name) || !ENDED(e->sticky.cookie) ||
	    !ENDED(e->sticky.header) || !text_is_name(e->app) || !text_is_name(e->name))
		return error_set(err, ERR_INVALID, "Environment %u has no valid name.", index);
	for (uint32_t i = 0; i < index; i++) {
		if (strcmp(t->environments[i].app, e->app) == 0 &&
		    strcmp(t->environments[i].name, e->name) == 0)
			return refuse_environment(e, err, "is there twice");
		if (t->environments[i].stats_slot == e->stats_slot)
			return refuse_environment(e, err, "shares its place in the counters");
	}
	if (e->stats_slot >= COUNTERS_ENVIRONMENTS)
		return refuse_environment(e, err, "has no place in the counters");
	if ((unsigned)e->log >= TABLE_LOG_COUNT)
		return refuse_environment(e, err, "has an unknown form of access log");
	if ((unsigned)e->mode >= TABLE_MODE_COUNT)
		return refuse_environment(e, err, "has an unknown mode");
	if (e->first_release != next->release ||
	    e->release_count > t->release_count - next->release)
		return refuse_environment(e, err, "does not have its releases in order");
	if (e->release_count > TABLE_ENVIRONMENT_RELEASES_MAX)
		return refuse_environment(e, err, "has more releases than a split can have");
	next->release += e->release_count;
	if (e->live != TABLE_NONE && !owns(e, e->live))
		return refuse_environment(e, err, "has a live release that is not its own");
	if (e->mirror.release != TABLE_NONE && !owns(e, e->mirror.release))
		return refuse_environment(e, err, "mirrors to a release that is not its own");
	if (e->mirror.share_bp > SHARE_FULL_BP || e->mirror.noise_bp > SHARE_FULL_BP ||
	    e->mirror.methods > TABLE_METHODS || e->mirror.body_max > TABLE_MIRROR_BODY_MAX ||
	    !compares_fields(&e->mirror))
		return refuse_environment(e, err, "has a mirror out of range");
	if (e->cohort.release != TABLE_NONE && !owns(e, e->cohort.release))
		return refuse_environment(e, err, "has a cohort of a release that is not its own");
	if (!rules_ok(&e->cohort))
		return refuse_environment(
			e, err,
			"has a cohort by something else than a field, a cookie or networks");
	if (!is_token(e->sticky.cookie) || !is_token(e->sticky.header))
		return refuse_environment(e, err, "has a sticky name that is no HTTP token");
	if (e->sticky.on && !e->sticky.cookie[0] && !e->sticky.header[0])
		return refuse_environment(e, err, "is sticky by neither a cookie nor a header");
	if (!e->timeouts.connect_ms || !e->timeouts.answer_ms || !e->timeouts.idle_ms ||
	    !e->timeouts.tunnel_idle_ms || !e->hold.time_ms)
		return refuse_environment(e, err, "has a timeout of 0");
	if (!queues(&e->queue))
		return refuse_environment(e, err, "has a queue out of range");
	int failed = check_classes_of(t, e, next, err);
	if (!failed)
		failed = check_rules_of(t, e, next, err);
	return failed ? failed : check_split(t, e, err);
}

static bool host_ok(const char *host)
{
	for (const char *c = host; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-._:[]", *c))
			return false;
	return true;
}

static int check_route(const struct gateway_table *t, uint32_t index, struct error *err)
{
	const struct table_route *r = &t->routes[index];
	if (!ENDED(r->host) || !ENDED(r->path) || !ENDED(r->process) || !text_is_name(r->process))
		return error_set(err, ERR_INVALID, "Route %u has a broken text.", index);
	if (r->listener >= t->listener_count || r->environment >= t->environment_count)
		return error_set(err, ERR_INVALID,
				 "Route %u names a listener or an environment that is not there.",
				 index);
	if (!host_ok(r->host))
		return error_set(err, ERR_INVALID,
				 "The host \"%s\" of route %u is not in lower case or not a host.",
				 r->host, index);
	if (!path_ok(r->path))
		return error_set(err, ERR_INVALID,
				 "The path \"%s\" of route %u must start with \"/\" and must not "
				 "end with one.",
				 r->path, index);
	for (uint32_t i = 0; i < index; i++)
		if (t->routes[i].listener == r->listener &&
		    strcmp(t->routes[i].host, r->host) == 0 &&
		    strcmp(t->routes[i].path, r->path) == 0)
			return error_set(err, ERR_INVALID,
					 "Two routes of listener \"%s\" have host \"%s\" and path "
					 "\"%s\".",
					 t->listeners[r->listener].address, r->host, r->path);
	return 0;
}

static int check_release(const struct gateway_table *t, uint32_t index, struct order *next,
			 struct error *err)
{
	const struct table_release *r = &t->releases[index];
	if (!ENDED(r->tag) || !ENDED(r->preview))
		return error_set(err, ERR_INVALID, "Release %u has a broken text.", index);
	if (r->environment >= t->environment_count ||
	    !owns(&t->environments[r->environment], (uint16_t)index))
		return error_set(err, ERR_INVALID, "Release \"%s\" belongs to no environment.",
				 r->tag);
	if (r->weight_bp > SHARE_FULL_BP)
		return error_set(err, ERR_INVALID, "Release \"%s\" has a weight above 100%%.",
				 r->tag);
	if (r->stats_slot >= COUNTERS_RELEASES)
		return error_set(err, ERR_INVALID, "Release \"%s\" has no place in the counters.",
				 r->tag);
	for (uint32_t i = 0; i < index; i++)
		if (t->releases[i].stats_slot == r->stats_slot)
			return error_set(
				err, ERR_INVALID,
				"Releases \"%s\" and \"%s\" share a place in the counters.",
				t->releases[i].tag, r->tag);
	if (r->first_pool != next->pool || r->pool_count > t->pool_count - next->pool)
		return error_set(err, ERR_INVALID,
				 "Release \"%s\" does not have its pools in order.", r->tag);
	next->pool += r->pool_count;
	return 0;
}

static int check_pool(const struct gateway_table *t, uint32_t index, struct order *next,
		      struct error *err)
{
	const struct table_pool *p = &t->pools[index];
	if (!ENDED(p->process) || !text_is_name(p->process))
		return error_set(err, ERR_INVALID, "Pool %u has no valid process name.", index);
	if (p->release >= t->release_count || index < t->releases[p->release].first_pool ||
	    index >= (uint32_t)t->releases[p->release].first_pool +
			     t->releases[p->release].pool_count)
		return error_set(err, ERR_INVALID, "Pool \"%s\" belongs to no release.",
				 p->process);
	if (p->first_backend != next->backend ||
	    p->backend_count > t->backend_count - next->backend)
		return error_set(err, ERR_INVALID,
				 "Pool \"%s\" does not have its backends in order.", p->process);
	next->backend += p->backend_count;
	return 0;
}

static int check_backend(const struct gateway_table *t, uint32_t index, uint8_t *slots,
			 struct error *err)
{
	const struct table_backend *b = &t->backends[index];
	if (!ENDED(b->address) || !ENDED(b->instance) || !ENDED(b->machine) || !b->address[0])
		return error_set(err, ERR_INVALID, "Backend %u has a broken text.", index);
	if ((unsigned)b->state >= TABLE_BACKEND_COUNT)
		return error_set(err, ERR_INVALID, "Backend \"%s\" has an unknown state.",
				 b->instance);
	if (b->pool >= t->pool_count || index < t->pools[b->pool].first_backend ||
	    index >= (uint32_t)t->pools[b->pool].first_backend + t->pools[b->pool].backend_count)
		return error_set(err, ERR_INVALID, "Backend \"%s\" belongs to no pool.",
				 b->instance);
	if (b->stats_slot >= COUNTERS_BACKENDS || slots[b->stats_slot])
		return error_set(err, ERR_INVALID,
				 "Backend \"%s\" has no place of its own in the counters.",
				 b->instance);
	if (b->http2 && t->environments[t->releases[t->pools[b->pool].release].environment].tcp)
		return error_set(err, ERR_INVALID,
				 "Backend \"%s\" speaks HTTP/2, and its environment is of tcp.",
				 b->instance);
	slots[b->stats_slot] = 1;
	return 0;
}

static int check_class(const struct gateway_table *t, uint32_t index, struct order *next,
		       struct error *err)
{
	const struct table_class *c = &t->classes[index];
	if (!ENDED(c->name) || !text_is_name(c->name))
		return error_set(err, ERR_INVALID, "Class %u has no valid name.", index);
	if (c->environment >= t->environment_count ||
	    index < t->environments[c->environment].first_class ||
	    index >= (uint32_t)t->environments[c->environment].first_class +
			     t->environments[c->environment].class_count)
		return error_set(err, ERR_INVALID, "Class \"%s\" belongs to no environment.",
				 c->name);
	for (uint32_t i = t->environments[c->environment].first_class; i < index; i++)
		if (strcmp(t->classes[i].name, c->name) == 0)
			return error_set(err, ERR_INVALID, "Class \"%s\" is there twice.", c->name);
	if (c->first_prefix != next->prefix || c->prefix_count > t->prefix_count - next->prefix)
		return error_set(err, ERR_INVALID, "Class \"%s\" does not have its paths in order.",
				 c->name);
	if (c->prefix_count == 0 || c->prefix_count > TABLE_CLASS_PREFIXES_MAX)
		return error_set(err, ERR_INVALID, "Class \"%s\" must have 1 to %d paths.", c->name,
				 TABLE_CLASS_PREFIXES_MAX);
	next->prefix += c->prefix_count;
	return 0;
}

static int check_prefix(const struct gateway_table *t, uint32_t index, struct error *err)
{
	const struct table_prefix *p = &t->prefixes[index];
	if (!ENDED(p->path) || p->class >= t->class_count ||
	    index < t->classes[p->class].first_prefix ||
	    index >=
		    (uint32_t)t->classes[p->class].first_prefix + t->classes[p->class].prefix_count)
		return error_set(err, ERR_INVALID, "Path %u of the classes belongs to none.",
				 index);
	const struct table_class *c = &t->classes[p->class];
	if (!path_ok(p->path))
		return error_set(err, ERR_INVALID,
				 "The path \"%s\" of class \"%s\" must start with \"/\" and must "
				 "not end with one.",
				 p->path, c->name);
	const struct table_environment *e = &t->environments[c->environment];
	for (uint32_t i = t->classes[e->first_class].first_prefix; i < index; i++)
		if (strcmp(t->prefixes[i].path, p->path) == 0)
			return error_set(err, ERR_INVALID,
					 "Two classes of environment \"%s/%s\" have the path "
					 "\"%s\".",
					 e->app, e->name, p->path);
	return 0;
}

static int check_head(const struct gateway_table *t, struct error *err)
{
	if (t->listener_count > TABLE_LISTENERS_MAX ||
	    t->environment_count > TABLE_ENVIRONMENTS_MAX || t->route_count > TABLE_ROUTES_MAX ||
	    t->release_count > TABLE_RELEASES_MAX || t->pool_count > TABLE_POOLS_MAX ||
	    t->backend_count > TABLE_BACKENDS_MAX || t->class_count > TABLE_CLASSES_MAX ||
	    t->prefix_count > TABLE_PREFIXES_MAX || t->rule_count > TABLE_RULES_MAX ||
	    t->trusted_count > TABLE_TRUSTED_MAX)
		return error_set(err, ERR_INVALID,
				 "The gateway's table has more records than it may.");
	if (!t->generation)
		return error_set(err, ERR_INVALID, "The gateway's table has no generation.");
	if (!ENDED(t->machine))
		return error_set(err, ERR_INVALID, "The gateway table's machine name is broken.");
	if (!t->limits.header_ms || !t->limits.client_idle_ms || !t->limits.connections_max ||
	    !t->limits.backend_connections_max)
		return error_set(err, ERR_INVALID, "The gateway's table has a limit of 0.");
	for (uint32_t i = 0; i < t->trusted_count; i++)
		if (!ENDED(t->trusted[i]))
			return error_set(err, ERR_INVALID, "A trusted network is a broken text.");
	for (uint32_t i = 0; i < t->listener_count; i++) {
		if (!ENDED(t->listeners[i].address) || !t->listeners[i].address[0])
			return error_set(err, ERR_INVALID, "Listener %u has no address.", i);
		for (uint32_t j = 0; j < i; j++)
			if (strcmp(t->listeners[i].address, t->listeners[j].address) == 0)
				return error_set(err, ERR_INVALID,
						 "The listener \"%s\" is there twice.",
						 t->listeners[i].address);
	}
	return 0;
}

int table_check(const struct gateway_table *t, struct error *err)
{
	struct order next = {0};
	uint8_t slots[COUNTERS_BACKENDS] = {0};
	int failed = check_head(t, err);
	for (uint32_t i = 0; !failed && i < t->environment_count; i++)
		failed = check_environment(t, i, &next, err);
	for (uint32_t i = 0; !failed && i < t->environment_count; i++)
		failed = check_tls(t, &t->environments[i], err);
	for (uint32_t i = 0; !failed && i < t->environment_count; i++)
		failed = check_page(&t->environments[i], err);
	for (uint32_t i = 0; !failed && i < t->route_count; i++)
		failed = check_route(t, i, err);
	for (uint32_t i = 0; !failed && i < t->environment_count; i++)
		failed = check_tcp(t, i, err);
	if (!failed)
		failed = check_sharing(t, err);
	for (uint32_t i = 0; !failed && i < t->release_count; i++)
		failed = check_release(t, i, &next, err);
	for (uint32_t i = 0; !failed && i < t->pool_count; i++)
		failed = check_pool(t, i, &next, err);
	for (uint32_t i = 0; !failed && i < t->backend_count; i++)
		failed = check_backend(t, i, slots, err);
	for (uint32_t i = 0; !failed && i < t->class_count; i++)
		failed = check_class(t, i, &next, err);
	for (uint32_t i = 0; !failed && i < t->prefix_count; i++)
		failed = check_prefix(t, i, err);
	if (failed)
		return failed;
	if (next.release != t->release_count || next.pool != t->pool_count ||
	    next.backend != t->backend_count || next.class != t->class_count ||
	    next.prefix != t->prefix_count || next.rule != t->rule_count)
		return error_set(err, ERR_INVALID,
				 "The gateway's table has records that belong to nothing.");
	return 0;
}
