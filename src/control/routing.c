/* SPDX-License-Identifier: Apache-2.0
 * routing - the router document: the core's shares, the releases' configuration, the instances' addresses.
 *
 * The core's document says who gets what; the configuration of the release that is live says where and
 * how. Its version is the core's with the number of configuration changes below it, so that a document
 * that says something else never has the version of an earlier one. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/preview_token.h"
#include "base/text.h"
#include "control/certificates.h"
#include "control/environment.h"
#include "control/own_page.h"

enum { REVISION_BITS = 20, MIRROR_IN_FLIGHT = 64, ROUTE_RETRY_MS = 1000 };

static const uint64_t REVISION_MASK = (1u << REVISION_BITS) - 1;

static struct router_version router_version_of(const struct environment *e)
{
	struct version v = e->core.router.version;
	return (struct router_version){v.epoch,
				       v.n << REVISION_BITS | (e->config_revision & REVISION_MASK)};
}

struct version routing_core_version(struct router_version applied)
{
	return (struct version){applied.epoch, applied.n >> REVISION_BITS};
}

/* The releases with a slot, the candidate first: raising its weight moves only new units to it. */
static uint32_t order_slots(const struct environment *e, uint8_t order[ENVIRONMENT_SETS_MAX])
{
	uint8_t candidate = environment_candidate_slot(e);
	uint32_t count = 0;
	if (candidate != SLOT_NONE)
		order[count++] = candidate;
	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++)
		if (slot != candidate && !release_id_empty(&e->releases[slot].id))
			order[count++] = slot;
	return count;
}

static void fill_releases(const struct environment *e, struct router_document *d,
			  uint8_t index_of[ENVIRONMENT_SETS_MAX])
{
	const struct traffic_document *core = &e->core.router;
	uint8_t order[ENVIRONMENT_SETS_MAX];
	memset(index_of, 0xff, ENVIRONMENT_SETS_MAX);
	d->release_count = order_slots(e, order);
	d->live = ROUTER_NONE;
	for (uint32_t i = 0; i < d->release_count; i++) {
		const struct release_info *info = &e->releases[order[i]];
		struct router_release *r = &d->releases[i];
		memcpy(r->id.bytes, info->id.bytes, sizeof r->id.bytes);
		text_copy(r->tag, sizeof r->tag, info->tag);
		r->weight_bp = core->weight_bp[order[i]];
		if (order[i] == core->preview) {
			text_copy(r->preview, ROUTING_PREVIEW_SIZE, info->hex);
		}
		if (order[i] == e->core.stable)
			d->live = i;
		index_of[order[i]] = (uint8_t)i;
	}
	if (core->mirror != SLOT_NONE && index_of[core->mirror] != 0xff && core->mirror_bp > 0) {
		d->mirror.release = index_of[core->mirror];
		d->mirror.share_bp = core->mirror_bp;
		d->mirror.in_flight_max = MIRROR_IN_FLIGHT;
		memcpy(d->mirror.salt, e->mirror_salt, sizeof d->mirror.salt);
	}
}

/* All shadow steps of a strategy copy the same: what any of them does. */
static void fill_copied(const struct resolved *config, struct router_mirror *to)
{
	_Static_assert((int)ROUTER_METHOD_GET == (int)APP_METHOD_GET &&
			       (int)ROUTER_METHOD_DELETE == (int)APP_METHOD_DELETE,
		       "the same bits");
	uint32_t methods = 0, body_max = 0;
	for (uint32_t i = 0; i < config->environment.strategy.count; i++) {
		const struct app_step *step = &config->environment.strategy.steps[i];
		if (!(step->set & APP_STEP_SHADOW))
			continue;
		methods |= step->shadow.methods;
		if (step->shadow.body_max > body_max)
			body_max = (uint32_t)step->shadow.body_max;
	}
	to->methods = methods ? methods : ROUTER_METHOD_GET | ROUTER_METHOD_HEAD;
	to->body_max = body_max;
}

static void fill_compared(const struct app_compare *compare, struct router_mirror *to)
{
	static const char *const usual[] = {"content-type", "location"};
	bool written = compare->set & APP_COMPARE_HEADERS;
	to->noise_bp = compare->set ? compare->noise_bp : APP_COMPARE_NOISE_BP;
	to->header_count = written ? compare->headers.count : 2;
	for (uint32_t i = 0; i < to->header_count; i++)
		text_copy(to->headers[i], sizeof to->headers[i],
			  written ? compare->headers.items[i] : usual[i]);
}

static void fill_classes(const struct app_analysis *analysis, struct router_document *d)
{
	_Static_assert((int)APP_CLASSES_MAX == (int)ROUTER_CLASSES_MAX &&
			       (int)APP_CLASS_PATHS_MAX == (int)ROUTER_CLASS_PATHS_MAX,
		       "classes fit");
	d->class_count = analysis->class_count;
	for (uint32_t i = 0; i < analysis->class_count; i++) {
		const struct app_texts *paths = &analysis->classes[i].paths;
		struct router_class *to = &d->classes[i];
		text_copy(to->name, sizeof to->name, analysis->classes[i].name);
		to->path_count = paths->count;
		for (uint32_t k = 0; k < paths->count; k++)
			text_copy(to->paths[k], sizeof to->paths[k], paths->items[k]);
	}
}

/* Of a process whose health is asked: its path, without a query. All of them is none of them. */
static void add_health(const struct app_process *process, struct router_queue *to)
{
	const char *path = process->health.path;
	size_t size = path && process->serves ? strcspn(path, "?") : 0;
	while (size > 0 && path[size - 1] == '/')
		size--;
	if (size == 0 || size >= ROUTER_PATH_SIZE || to->first_count == ROUTER_QUEUE_FIRST_MAX)
		return;
	memcpy(to->first[to->first_count], path, size);
	to->first[to->first_count++][size] = 0;
}

static void fill_queue(const struct app_environment *env, struct router_queue *to)
{
	_Static_assert((int)APP_QUEUE_FIRST_MAX == (int)ROUTER_QUEUE_FIRST_MAX, "paths fit");
	const struct app_queue *queue = &env->requests.queue;
	if (!queue->set) /* of a release that an older build has stored: the router's own */
		return;
	to->connections_max = env->requests.connections;
	to->requests_max = queue->most;
	to->time_ms = (uint32_t)queue->time_ms;
	to->first_count = 0;
	for (uint32_t i = 0; i < queue->first.count; i++)
		text_copy(to->first[to->first_count++], ROUTER_PATH_SIZE, queue->first.items[i]);
	for (uint32_t i = 0; !(queue->set & APP_QUEUE_FIRST) && i < env->process_count; i++)
		add_health(&env->processes[i], to);
}

static void fill_rule(struct router_document *d, bool answer, const char *name, const char *value)
{
	struct router_rule *to = &d->rules[d->rule_count++];
	text_copy(to->name, sizeof to->name, name);
	text_copy(to->value, sizeof to->value, value);
	to->answer = answer;
}

static void fill_rules(const struct app_field_rules *from, bool answer, struct router_document *d)
{
	_Static_assert((int)APP_HEADER_RULES_MAX == (int)ROUTER_RULES_MAX, "header rules fit");
	for (uint32_t i = 0; i < from->set_count; i++)
		fill_rule(d, answer, from->fields[i].name, from->fields[i].value);
	for (uint32_t i = 0; i < from->remove.count; i++)
		fill_rule(d, answer, from->remove.items[i], "");
}

/* One that cannot be found is none: the gateway's own page stands in for it. Whoever lets nobody in was told. */
static void fill_page(const struct environment *e, const struct app_requests *requests,
		      struct router_document *d)
{
	struct digest artifact;
	struct error ignored;
	if (!digest_parse(environment_traffic_release(e)->artifact, &artifact) ||
	    own_page_path(e->control->parts.artifacts, &artifact, requests, d->maintenance_page,
			  &ignored) < 0)
		d->maintenance_page[0] = '\0';
}

static void fill_tcp(const struct app_tcp *tcp, struct router_document *d)
{
	_Static_assert((int)APP_PROXIES_MAX == (int)ROUTER_PROXIES_MAX, "proxies fit");
	d->tcp = true;
	d->proxy_v2 = tcp->proxy == APP_PROXY_V2;
	d->timeouts.tunnel_idle_ms = (uint32_t)tcp->idle_ms;
	d->proxy_count = tcp->proxies.count;
	for (uint32_t i = 0; i < tcp->proxies.count; i++)
		text_copy(d->proxies[i], sizeof d->proxies[i], tcp->proxies.items[i]);
}

static void fill_config(const struct environment *e, const struct resolved *config,
			struct router_document *d)
{
	const struct app_environment *env = &config->environment;
	text_copy(d->listener, sizeof d->listener, env->listen);
	d->route_count = env->route_count;
	for (uint32_t i = 0; i < env->route_count && i < ROUTER_ROUTES_MAX; i++) {
		text_copy(d->routes[i].host, sizeof d->routes[i].host,
			  env->routes[i].host ? env->routes[i].host : "");
		text_copy(d->routes[i].path, sizeof d->routes[i].path, env->routes[i].path);
		text_copy(d->routes[i].process, sizeof d->routes[i].process, env->routes[i].to);
	}
	fill_classes(&env->analysis, d);
	fill_rules(&env->requests.headers.request, false, d);
	fill_rules(&env->requests.headers.response, true, d);
	d->sticky.on = env->sticky.cookie || env->sticky.header;
	text_copy(d->sticky.cookie, sizeof d->sticky.cookie,
		  env->sticky.cookie ? env->sticky.cookie : "");
	text_copy(d->sticky.header, sizeof d->sticky.header,
		  env->sticky.header ? env->sticky.header : "");
	memcpy(d->sticky.salt, e->salt, sizeof d->sticky.salt);
	memcpy(d->sticky.key, e->sign_key, sizeof d->sticky.key);
	preview_key(e->sign_key, d->preview_key);
	d->hold.requests_max = env->hold.requests;
	d->hold.time_ms = (uint32_t)env->hold.time_ms;
	fill_queue(env, &d->queue);
	for (uint32_t i = 0; i < env->process_count; i++)
		if (env->processes[i].serves)
			d->timeouts.tunnel_drain_ms =
				(uint32_t)env->processes[i].drain.websockets_ms;
	certificates_fill(e->control, config, &d->tls);
	fill_page(e, &env->requests, d);
	d->retry = true;
	d->shield = env->requests.shield;
	d->http1_only = env->requests.http2 == APP_HTTP2_OFF;
	if (env->protocol == APP_PROTOCOL_TCP)
		fill_tcp(&env->tcp, d);
	d->timeouts.answer_ms = d->timeouts.idle_ms = (uint32_t)env->requests.answer_ms;
	d->body_max_bytes = (uint32_t)env->requests.body_max;
	d->slow_start_ms = (uint32_t)env->requests.slow_start_ms;
	d->log = (enum router_log)env->requests.log;
}

static void add_rule(enum router_cohort_kind kind, const char *name, const struct app_texts *values,
		     struct router_cohort *to)
{
	_Static_assert((int)APP_MEMBERS_MAX == (int)ROUTER_COHORT_RULES_MAX &&
			       (int)APP_MEMBER_VALUES_MAX == (int)ROUTER_COHORT_VALUES_MAX,
		       "members fit");
	struct router_cohort_rule *rule = &to->rules[to->rule_count++];
	rule->kind = kind;
	text_copy(rule->name, sizeof rule->name, name);
	rule->value_count = values->count;
	for (uint32_t i = 0; i < values->count; i++)
		text_copy(rule->values[i], sizeof rule->values[i], values->items[i]);
}

static uint32_t largest_canary_bp(const struct app_strategy *strategy)
{
	uint32_t most_bp = 0;
	for (uint32_t i = 0; i < strategy->count; i++) {
		const struct app_step *step = &strategy->steps[i];
		if ((step->set & APP_STEP_CANARY) && step->canary.steps.count > 0 &&
		    step->canary.steps.items_bp[step->canary.steps.count - 1] > most_bp)
			most_bp = step->canary.steps.items_bp[step->canary.steps.count - 1];
	}
	return most_bp;
}

/* Of the release that is tried. Others are kept from it by its weight, not by where the plan stands: a way back begins
 * with the weight that it had. */
static void fill_cohort(const struct environment *e, const uint8_t index_of[ENVIRONMENT_SETS_MAX],
			struct router_document *d)
{
	uint8_t slot = e->active ? environment_candidate_slot(e) : SLOT_NONE;
	if (slot == SLOT_NONE || index_of[slot] == 0xff || !e->active->candidate.config)
		return;
	const struct app_environment *asked = &e->active->candidate.config->environment;
	const struct app_cohort *cohort = &asked->cohort;
	for (uint32_t i = 0; i < cohort->member_count; i++) {
		const struct app_member *m = &cohort->members[i];
		if (m->set & APP_MEMBER_NETWORK)
			add_rule(ROUTER_COHORT_NETWORK, "", &m->network, &d->cohort);
		else
			add_rule(m->header ? ROUTER_COHORT_HEADER : ROUTER_COHORT_COOKIE,
				 m->header ? m->header : m->cookie, &m->is, &d->cohort);
	}
	if (d->cohort.rule_count == 0)
		return;
	d->cohort.release = index_of[slot];
	d->cohort.only = cohort->only &&
			 e->core.router.weight_bp[slot] <= largest_canary_bp(&asked->strategy);
}

static enum router_backend_state backend_state_of(const struct instance_status *s)
{
	if (s->want != INSTANCE_KEEP || s->state == INSTANCE_DRAINING ||
	    s->state == INSTANCE_STOPPING)
		return ROUTER_BACKEND_DRAINING;
	return s->state == INSTANCE_READY ? ROUTER_BACKEND_READY : ROUTER_BACKEND_DOWN;
}

/* What the release says of the process. */
static bool speaks_http2(const struct release_info *release, const char *process)
{
	const struct app_process *app =
		release->config ? release_process(release->config, process) : NULL;
	return app && app->speaks == APP_SPEAKS_HTTP2;
}

static void fill_backends(struct environment *e, const uint8_t index_of[ENVIRONMENT_SETS_MAX],
			  struct router_document *d)
{
	struct runtime *runtime = e->control->parts.runtime;
	const struct instance_status *list;
	size_t count = runtime->ops->observe(runtime, &list);
	for (size_t i = 0; i < count && d->backend_count < ROUTER_BACKENDS_MAX; i++) {
		const struct instance_status *s = &list[i];
		uint8_t slot = instance_of(e, s) ? instance_slot(e, s) : SLOT_NONE;
		if (slot == SLOT_NONE || !s->traffic || !s->address[0] ||
		    s->state == INSTANCE_EXITED || s->state == INSTANCE_FAILED ||
		    index_of[slot] == 0xff)
			continue;
		struct router_backend *b = &d->backends[d->backend_count++];
		b->release = index_of[slot];
		text_copy(b->process, sizeof b->process, s->process);
		text_copy(b->instance, sizeof b->instance, s->id);
		text_copy(b->address, sizeof b->address, s->address);
		b->state = backend_state_of(s);
		/* What passes unread is its clients' matter, whatever another release says. */
		b->http2 = !d->tcp && speaks_http2(&e->releases[slot], s->process);
	}
}

static bool backends_equal(const struct router_document *a, const struct router_document *b)
{
	if (a->backend_count != b->backend_count)
		return false;
	for (uint32_t i = 0; i < a->backend_count; i++)
		if (a->backends[i].state != b->backends[i].state ||
		    a->backends[i].http2 != b->backends[i].http2 ||
		    a->backends[i].release != b->backends[i].release ||
		    strcmp(a->backends[i].instance, b->backends[i].instance) != 0 ||
		    strcmp(a->backends[i].address, b->backends[i].address) != 0)
			return false;
	return true;
}

static bool nobody_has_a_share(const struct traffic_document *d)
{
	for (uint8_t slot = 0; slot < ENVIRONMENT_SETS_MAX; slot++)
		if (d->weight_bp[slot] > 0)
			return false;
	return true;
}

enum router_mode routing_mode(const struct environment *e)
{
	const struct traffic_document *d = &e->core.router;
	return d->access == ACCESS_CLOSED         ? ROUTER_MAINTENANCE
	       : d->park || nobody_has_a_share(d) ? ROUTER_PARK
						  : ROUTER_SERVE;
}

/* Without a listener there is nothing to do for a router; nor while nothing is live and nothing gets a request. */
bool routing_wanted(const struct environment *e)
{
	const struct traffic_document *d = &e->core.router;
	const struct resolved *config = environment_traffic_config(e);
	bool idle = e->core.stable == SLOT_NONE && nobody_has_a_share(d) && !d->park &&
		    d->access == ACCESS_OPEN && d->mirror == SLOT_NONE && d->preview == SLOT_NONE;
	/* The configuration of a release that cannot be read is no reason to take anything away. */
	return !idle && (!config || config->environment.listen);
}

/* The document as it should be now; NULL while there is nothing to route. */
static struct router_document *make_document(struct environment *e)
{
	const struct resolved *config = environment_traffic_config(e);
	uint8_t index_of[ENVIRONMENT_SETS_MAX];
	if (!config || e->core.router.version.n == 0 || !routing_wanted(e))
		return NULL;
	struct router_document *d = mem_zero(1, sizeof *d);
	router_document_init(d);
	text_copy(d->app, sizeof d->app, e->app);
	text_copy(d->environment, sizeof d->environment, e->name);
	d->version = router_version_of(e);
	fill_config(e, config, d);
	fill_releases(e, d, index_of);
	fill_cohort(e, index_of, d);
	fill_backends(e, index_of, d);
	if (d->mirror.share_bp > 0) {
		/* The candidate's, with the strategy that was asked for. */
		const struct resolved *asked = e->active ? e->active->candidate.config : config;
		fill_copied(asked, &d->mirror);
		fill_compared(&asked->environment.analysis.compare, &d->mirror);
	}
	d->mode = routing_mode(e);
	d->read_only = e->core.router.access == ACCESS_READS;
	return d;
}

static bool serves(const struct environment *e, const uint8_t release[RELEASE_ID_SIZE])
{
	for (uint32_t i = 0; e->sent && i < e->sent->release_count; i++)
		if (memcmp(e->sent->releases[i].id.bytes, release, RELEASE_ID_SIZE) == 0)
			return e->sent->releases[i].weight_bp > 0;
	return false;
}

bool routing_serves_candidate(const struct environment *e)
{
	return e->active && serves(e, e->active->candidate.id.bytes);
}

/* Has what was found bad requests? A rollback leaves what was live; every other way back, the candidate. */
static bool serves_bad(const struct environment *e, const struct active_rollout *r)
{
	struct digest old;
	if (r->plan.reverts || strcmp(r->kind, "rollback") != 0)
		return serves(e, r->candidate.id.bytes);
	return digest_parse(r->old_hex, &old) && serves(e, old.bytes);
}

static void note_zero(struct environment *e)
{
	struct active_rollout *r = e->active;
	if (!r || !r->verdict_at_ms || serves_bad(e, r))
		return;
	r->verdict_to_zero_ms = (int64_t)(env_now_ms(e->control->parts.env) - r->verdict_at_ms);
	r->verdict_at_ms = 0;
	log_event(LOG_INFO, "rollout.weight-zero", "environment=%s rollout=%u ms=%lld", e->key,
		  r->number, (long long)r->verdict_to_zero_ms);
}

static void note_failure(struct environment *e, const struct router_answer *answer)
{
	if (!e->route_failed || strcmp(e->route_error, answer->error->text) != 0)
		log_event(LOG_WARNING, "control.route", "environment=%s error=\"%s\"", e->key,
			  answer->error->text);
	e->route_failed = true;
	e->route_failed_ms = env_now_ms(e->control->parts.env);
	text_copy(e->route_error, sizeof e->route_error, answer->error->text);
}

static void after_answer(struct environment *e)
{
	if (e->route_again)
		routing_send(e);
	observe_request(e);
}

static void on_forgotten(void *context, const struct router_answer *answer)
{
	struct environment *e = context;
	e->routing = false;
	e->unrouted = answer->code == 0;
	if (answer->code == 0)
		e->route_failed = false;
	else
		note_failure(e, answer);
	after_answer(e);
}

static bool resting(const struct environment *e)
{
	return e->route_failed &&
	       env_now_ms(e->control->parts.env) - e->route_failed_ms < ROUTE_RETRY_MS;
}

/* What is no more is taken out of the gateway's table: its listener, its routes. An earlier controller may have
 * put it there, so this is said at least once. */
static void forget(struct environment *e)
{
	struct router *router = e->control->parts.router;
	e->route_again = e->routing;
	if (e->unrouted || e->routing || resting(e))
		return;
	free(e->sent);
	e->sent = NULL;
	e->seen_valid = false;
	e->routing = true;
	router->ops->forget(router, e->app, e->name, on_forgotten, e);
}

static void on_applied(void *context, const struct router_answer *answer)
{
	struct environment *e = context;
	e->routing = false;
	if (answer->code == 0) {
		e->route_failed = false;
		note_zero(e);
	} else if (answer->code != ERR_CONFLICT || !e->route_again) {
		note_failure(e, answer);
		if (answer->code == ERR_CONFLICT) {
			/* It has something that we do not know of: ask what, before the next one. */
			free(e->sent);
			e->sent = NULL;
			e->seen_valid = false;
		}
	}
	after_answer(e);
}

/* After a start nothing is sent before the core has looked at the world once: what it wants may be another thing
 * then, such as to take back a share that nobody has confirmed. */
static bool has_looked(const struct environment *e)
{
	return e->seen_valid && e->serial > 0;
}

/* What the gateway has may say something else than this document under the same version of the core: a release
 * became the live one, or got a slot. Then the number below the core's version is raised. Right after a start
 * it is not known what was sent before; the gateway is asked, and its number raised. */
static bool choose_revision(struct environment *e, struct router_document *d)
{
	struct version now = e->core.router.version;
	if (!e->sent) {
		if (!has_looked(e))
			return false;
		bool known = version_compare(routing_core_version(e->seen->applied), now) == 0;
		e->config_revision = known ? (e->seen->applied.n & REVISION_MASK) + 1 : 0;
	} else if (version_compare(routing_core_version(e->sent->version), now) == 0) {
		d->version = e->sent->version;
		if (!router_document_equal(e->sent, d))
			e->config_revision++;
	} else {
		e->config_revision = 0;
	}
	d->version = router_version_of(e);
	return true;
}

/* The gateway had it, and has an older one: it began anew without its table. */
static bool lost(const struct environment *e)
{
	return e->seen_valid && e->seen->seen &&
	       router_version_compare(e->seen->applied, e->sent->version) < 0 &&
	       env_now_ms(e->control->parts.env) - e->route_sent_ms >= ROUTE_RETRY_MS;
}

static bool worth_sending(const struct environment *e, const struct router_document *d)
{
	if (!e->sent)
		return !resting(e);
	if (!router_document_equal(e->sent, d) || !backends_equal(e->sent, d))
		return true;
	return e->route_failed ? !resting(e) : lost(e);
}

void routing_send(struct environment *e)
{
	struct control *c = e->control;
	if (c->stopping || !c->parts.runtime->ops->settled(c->parts.runtime) ||
	    !c->parts.router->ops->settled(c->parts.router))
		return;
	struct router_document *d = make_document(e);
	if (!d) {
		if (!routing_wanted(e))
			forget(e);
		return;
	}
	/* One at a time: this one would only take the place of the one under way. */
	e->route_again = e->routing;
	if (e->routing || !choose_revision(e, d) || !worth_sending(e, d)) {
		free(d);
		if (!e->sent && !has_looked(e))
			observe_request(e);
		return;
	}
	free(e->sent);
	e->sent = d;
	e->routing = e->route_unseen = true;
	e->look_follows = e->unrouted = false;
	e->route_sent_ms = env_now_ms(c->parts.env);
	c->parts.router->ops->apply(c->parts.router, d, on_applied, e);
}
