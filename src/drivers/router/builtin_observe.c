/* SPDX-License-Identifier: Apache-2.0
 * builtin_observe - see builtin_state.h for the contract. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "drivers/router/builtin_state.h"

int builtin_not_there(struct error *err)
{
	return error_set(err, ERR_UNAVAILABLE,
			 "The gateway cannot be asked: it is not running, or it is just starting.");
}

static void observe_releases(const struct builtin *b, const struct router_document *d,
			     const struct table_environment *te, struct router_observation *o)
{
	struct counters_release *sum = mem_zero(1, sizeof *sum);
	o->release_count = d->release_count;
	for (uint32_t i = 0; i < d->release_count; i++) {
		o->releases[i].id = d->releases[i].id;
		o->releases[i].weight_bp = d->releases[i].weight_bp;
		o->releases[i].mirror_bp = d->mirror.release == i ? d->mirror.share_bp : 0;
		if (!te || i >= te->release_count || !b->counters)
			continue;
		counters_sum_release(b->counters,
				     b->table->releases[te->first_release + i].stats_slot, sum);
		o->releases[i].in_flight = counters_release_in_flight(sum);
	}
	free(sum);
}

static uint64_t backend_in_flight(const struct builtin *b, const struct table_environment *te,
				  const char *instance)
{
	if (!te || !b->counters)
		return 0;
	const struct gateway_table *t = b->table;
	for (uint32_t i = 0; i < t->backend_count; i++) {
		const struct table_backend *backend = &t->backends[i];
		const struct table_release *r = &t->releases[t->pools[backend->pool].release];
		if (&t->environments[r->environment] != te ||
		    strcmp(backend->instance, instance) != 0)
			continue;
		struct counters_backend sum;
		counters_sum_backend(b->counters, backend->stats_slot, &sum);
		return counters_backend_in_flight(&sum);
	}
	return 0;
}

const struct table_environment *builtin_in_table(const struct builtin *b, const char *app,
						 const char *name)
{
	for (uint32_t i = 0; b->table && i < b->table->environment_count; i++)
		if (strcmp(b->table->environments[i].app, app) == 0 &&
		    strcmp(b->table->environments[i].name, name) == 0)
			return &b->table->environments[i];
	return NULL;
}

int builtin_observation(struct builtin *b, const char *app, const char *name,
			struct router_observation *o, struct error *err)
{
	if (!b->welcome)
		return builtin_not_there(err);
	struct environment *e = builtin_find(b, app, name);
	const struct table_environment *te = builtin_in_table(b, app, name);
	memset(o, 0, sizeof *o);
	o->seen = b->table && b->seen_generation >= b->table->generation;
	if (!e || !e->standing)
		return 0;
	const struct router_document *d = e->standing;
	o->applied = d->version;
	o->mode = d->mode;
	o->read_only = d->read_only;
	observe_releases(b, d, te, o);
	o->backend_count = d->backend_count;
	for (uint32_t i = 0; i < d->backend_count; i++) {
		text_copy(o->backends[i].instance, sizeof o->backends[i].instance,
			  d->backends[i].instance);
		o->backends[i].state = d->backends[i].state;
		/* Each of those that count where nobody reads may have one there: it is given its time. */
		o->backends[i].in_flight =
			backend_in_flight(b, te, d->backends[i].instance) + b->status.uncounted;
	}
	return 0;
}

static uint64_t mixed(uint64_t a, uint64_t b)
{
	a = (a ^ b) * 0x9e3779b97f4a7c15u;
	return (a ^ a >> 29) | 1; /* never 0 */
}

static void copy_counters(const struct counters_release *sum, struct router_counters *to)
{
	const uint64_t *v = sum->values;
	*to = (struct router_counters){
		.started = v[COUNTERS_RELEASE_STARTED],
		.answered = v[COUNTERS_RELEASE_ANSWERED],
		.completed = v[COUNTERS_RELEASE_COMPLETED],
		.lost = v[COUNTERS_RELEASE_LOST],
		.status_1xx = v[COUNTERS_RELEASE_STATUS_1XX],
		.status_2xx = v[COUNTERS_RELEASE_STATUS_2XX],
		.status_3xx = v[COUNTERS_RELEASE_STATUS_3XX],
		.status_4xx = v[COUNTERS_RELEASE_STATUS_4XX],
		.status_5xx = v[COUNTERS_RELEASE_STATUS_5XX],
		.failed_connect = v[COUNTERS_RELEASE_FAILED_CONNECT],
		.failed_reset = v[COUNTERS_RELEASE_FAILED_RESET],
		.failed_timeout = v[COUNTERS_RELEASE_FAILED_TIMEOUT],
		.failed_answer = v[COUNTERS_RELEASE_FAILED_ANSWER],
		.no_backend = v[COUNTERS_RELEASE_NO_BACKEND],
		.queued = v[COUNTERS_RELEASE_QUEUED],
		.queue_full = v[COUNTERS_RELEASE_QUEUE_FULL],
		.queue_timeout = v[COUNTERS_RELEASE_QUEUE_TIMEOUT],
		.queue_gone = v[COUNTERS_RELEASE_QUEUE_GONE],
		.repeated = v[COUNTERS_RELEASE_REPEATED],
		.cancelled = v[COUNTERS_RELEASE_CANCELLED],
		.retries = v[COUNTERS_RELEASE_RETRIES],
		.rescued = v[COUNTERS_RELEASE_RESCUED],
		.shielded = v[COUNTERS_RELEASE_SHIELDED],
		.upgraded = v[COUNTERS_RELEASE_UPGRADED],
		.tunnels_ended = v[COUNTERS_RELEASE_TUNNELS_ENDED],
		.shadow_sent = v[COUNTERS_RELEASE_SHADOW_SENT],
		.shadow_dropped = v[COUNTERS_RELEASE_SHADOW_DROPPED],
		.shadow_2xx = v[COUNTERS_RELEASE_SHADOW_2XX],
		.shadow_3xx = v[COUNTERS_RELEASE_SHADOW_3XX],
		.shadow_4xx = v[COUNTERS_RELEASE_SHADOW_4XX],
		.shadow_5xx = v[COUNTERS_RELEASE_SHADOW_5XX],
		.shadow_failed = v[COUNTERS_RELEASE_SHADOW_FAILED],
		.shadow_pairs = v[COUNTERS_RELEASE_SHADOW_PAIRS],
		.shadow_differ = v[COUNTERS_RELEASE_SHADOW_DIFFER],
		.shadow_unpaired = v[COUNTERS_RELEASE_SHADOW_UNPAIRED],
		.shadow_untold = v[COUNTERS_RELEASE_SHADOW_UNTOLD],
		.noise_sent = v[COUNTERS_RELEASE_NOISE_SENT],
		.noise_pairs = v[COUNTERS_RELEASE_NOISE_PAIRS],
		.noise_differ = v[COUNTERS_RELEASE_NOISE_DIFFER],
		.noise_unpaired = v[COUNTERS_RELEASE_NOISE_UNPAIRED],
	};
	memcpy(to->first_us, sum->histograms[COUNTERS_FIRST], sizeof to->first_us);
	memcpy(to->total_us, sum->histograms[COUNTERS_TOTAL], sizeof to->total_us);
}

/* The release in the table in force; NULL with an error. */
static const struct table_release *known_release(const struct builtin *b, const char *app,
						 const char *environment,
						 const struct digest *release, struct error *err)
{
	const struct table_environment *te = builtin_in_table(b, app, environment);
	if (!b->counters) {
		builtin_not_there(err);
		return NULL;
	}
	for (uint32_t i = 0; te && i < te->release_count; i++) {
		const struct table_release *r = &b->table->releases[te->first_release + i];
		if (digest_equal(&r->id, release))
			return r;
	}
	error_set(err, ERR_NOT_FOUND, "The gateway does not know that release of \"%s/%s\".", app,
		  environment);
	return NULL;
}

int builtin_counters(struct router *router, const char *app, const char *environment,
		     const struct digest *release, struct router_counters *ret_counters,
		     struct error *err)
{
	const struct builtin *b = builtin_of(router);
	const struct table_release *r = known_release(b, app, environment, release, err);
	if (!r)
		return err->code;
	struct counters_release *sum = mem_zero(1, sizeof *sum);
	counters_sum_release(b->counters, r->stats_slot, sum);
	copy_counters(sum, ret_counters);
	ret_counters->life = mixed(b->counters->segment, r->stats_slot);
	free(sum);
	return 0;
}

/* Another one as soon as a name or a path is another: what is counted under a number is then something else. */
static uint64_t life_of_classes(const struct gateway_table *t, const struct table_environment *te,
				uint64_t life)
{
	static const uint8_t key[HASH_KEY_SIZE];
	for (uint32_t i = 0; i < te->class_count; i++) {
		const struct table_class *c = &t->classes[te->first_class + i];
		life = mixed(life, hash_keyed(key, c->name, strlen(c->name)));
		for (uint32_t k = 0; k < c->prefix_count; k++) {
			const char *path = t->prefixes[c->first_prefix + k].path;
			life = mixed(life, hash_keyed(key, path, strlen(path)));
		}
	}
	return life;
}

static void copy_class(const struct counters_class *sum, struct router_class_numbers *to)
{
	const uint64_t *v = sum->values;
	to->started = v[COUNTERS_RELEASE_STARTED];
	to->answered = v[COUNTERS_RELEASE_ANSWERED];
	to->completed = v[COUNTERS_RELEASE_COMPLETED];
	to->lost = v[COUNTERS_RELEASE_LOST];
	to->status_4xx = v[COUNTERS_RELEASE_STATUS_4XX];
	to->status_5xx = v[COUNTERS_RELEASE_STATUS_5XX];
	to->failed_connect = v[COUNTERS_RELEASE_FAILED_CONNECT];
	to->failed_reset = v[COUNTERS_RELEASE_FAILED_RESET];
	to->failed_timeout = v[COUNTERS_RELEASE_FAILED_TIMEOUT];
	to->failed_answer = v[COUNTERS_RELEASE_FAILED_ANSWER];
	to->no_backend = v[COUNTERS_RELEASE_NO_BACKEND];
	to->overloaded = v[COUNTERS_RELEASE_QUEUE_FULL] + v[COUNTERS_RELEASE_QUEUE_TIMEOUT];
	to->repeated = v[COUNTERS_RELEASE_REPEATED];
	to->cancelled = v[COUNTERS_RELEASE_CANCELLED];
	to->divided = v[COUNTERS_RELEASE_DIVIDED];
	to->divided_done = v[COUNTERS_RELEASE_DIVIDED_DONE];
	memcpy(to->first_us, sum->first, sizeof to->first_us);
}

int builtin_class_counters(struct router *router, const char *app, const char *environment,
			   const struct digest *release, struct router_class_counters *ret_counters,
			   struct error *err)
{
	const struct builtin *b = builtin_of(router);
	const struct table_release *r = known_release(b, app, environment, release, err);
	struct counters_class sum;
	if (!r)
		return err->code;
	const struct table_environment *te = &b->table->environments[r->environment];
	ret_counters->life =
		life_of_classes(b->table, te, mixed(b->counters->segment, r->stats_slot));
	ret_counters->count = te->class_count + 1u;
	for (uint32_t i = 0; i < ret_counters->count; i++) {
		struct router_class_numbers *to = &ret_counters->classes[i];
		counters_sum_class(b->counters, r->stats_slot, i, &sum);
		copy_class(&sum, to);
		text_copy(to->name, sizeof to->name,
			  i == 0 ? "" : b->table->classes[te->first_class + i - 1].name);
	}
	return 0;
}

int builtin_backend_counters(struct router *router, const char *app, const char *environment,
			     const struct digest *release,
			     struct router_backend_counters *ret_counters, struct error *err)
{
	const struct builtin *b = builtin_of(router);
	const struct table_release *r = known_release(b, app, environment, release, err);
	if (!r)
		return err->code;
	ret_counters->count = 0;
	for (uint32_t i = 0; i < b->table->backend_count; i++) {
		const struct table_backend *from = &b->table->backends[i];
		struct counters_backend sum;
		if (&b->table->releases[b->table->pools[from->pool].release] != r ||
		    ret_counters->count == ROUTER_BACKENDS_MAX)
			continue;
		counters_sum_backend(b->counters, from->stats_slot, &sum);
		struct router_backend_numbers *to = &ret_counters->backends[ret_counters->count++];
		text_copy(to->instance, sizeof to->instance, from->instance);
		to->life = mixed(b->counters->segment, from->stats_slot);
		to->started = sum.values[COUNTERS_BACKEND_STARTED];
		to->completed = sum.values[COUNTERS_BACKEND_COMPLETED];
		to->lost = sum.values[COUNTERS_BACKEND_LOST];
		to->failed = sum.values[COUNTERS_BACKEND_FAILED];
		to->answered = sum.values[COUNTERS_BACKEND_ANSWERED];
		to->errors = sum.values[COUNTERS_BACKEND_ERRORS];
	}
	return 0;
}

int builtin_environment_counters(struct router *router, const char *app, const char *environment,
				 struct router_environment_counters *ret_counters,
				 struct error *err)
{
	struct builtin *b = builtin_of(router);
	const struct table_environment *te = builtin_in_table(b, app, environment);
	struct counters_environment sum;
	if (!b->counters)
		return builtin_not_there(err);
	if (!te)
		return error_set(err, ERR_NOT_FOUND, "The gateway does not know \"%s/%s\".", app,
				 environment);
	counters_sum_environment(b->counters, te->stats_slot, &sum);
	*ret_counters = (struct router_environment_counters){
		.life = mixed(b->counters->segment, te->stats_slot),
		.requests = sum.values[COUNTERS_ENVIRONMENT_REQUESTS],
		.held = sum.values[COUNTERS_ENVIRONMENT_HELD],
		.held_released = sum.values[COUNTERS_ENVIRONMENT_HELD_RELEASED],
		.held_timeout = sum.values[COUNTERS_ENVIRONMENT_HELD_TIMEOUT],
		.held_gone = sum.values[COUNTERS_ENVIRONMENT_HELD_GONE],
		.hold_overflow = sum.values[COUNTERS_ENVIRONMENT_HOLD_OVERFLOW],
		.maintenance = sum.values[COUNTERS_ENVIRONMENT_MAINTENANCE],
		.unrouted = sum.values[COUNTERS_ENVIRONMENT_UNROUTED],
	};
	return 0;
}

int builtin_totals(struct router *router, struct router_totals *ret_totals, struct error *err)
{
	const struct builtin *b = builtin_of(router);
	struct counters_totals sum;
	if (!b->counters)
		return builtin_not_there(err);
	counters_sum_totals(b->counters, &sum);
	const uint64_t *v = sum.values;
	*ret_totals = (struct router_totals){
		.connections = sum.connections,
		.accepted = v[COUNTERS_WORKER_ACCEPTED],
		.closed = v[COUNTERS_WORKER_CLOSED],
		.refused = v[COUNTERS_WORKER_REFUSED],
		.bad_requests = v[COUNTERS_WORKER_BAD_REQUESTS],
		.no_route = v[COUNTERS_WORKER_NO_ROUTE],
		.slow_clients = v[COUNTERS_WORKER_SLOW_CLIENTS],
		.log_dropped = v[COUNTERS_WORKER_LOG_DROPPED],
		.tls_handshakes = v[COUNTERS_WORKER_TLS_HANDSHAKES],
		.tls_resumed = v[COUNTERS_WORKER_TLS_RESUMED],
		.tls_failed = v[COUNTERS_WORKER_TLS_FAILED],
	};
	return 0;
}
