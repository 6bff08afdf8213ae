/* SPDX-License-Identifier: Apache-2.0
 * world_router - documents with a fence, and the users who send requests by them. */
#include <stdio.h>
#include <string.h>

#include "world.h"

enum { DEFAULT_LATENCY_US = 5000, READY_LATELY_MS = 2500 };

struct fake_environment *world_traffic(const char *app, const char *name)
{
	for (uint32_t i = 0; i < world.environment_count; i++)
		if (strcmp(world.environments[i].app, app) == 0 &&
		    strcmp(world.environments[i].name, name) == 0)
			return &world.environments[i];
	assert_true(world.environment_count < WORLD_ENVIRONMENTS_MAX);
	struct fake_environment *e = &world.environments[world.environment_count++];
	*e = (struct fake_environment){.rate_per_s = UINT64_MAX};
	text_copy(e->app, sizeof e->app, app);
	text_copy(e->name, sizeof e->name, name);
	return e;
}

static struct fake_release *release_of(struct fake_environment *e, const struct digest *id,
				       const char *tag)
{
	for (uint32_t i = 0; i < e->release_count; i++)
		if (digest_equal(&e->releases[i].id, id))
			return &e->releases[i];
	if (!tag)
		return NULL;
	assert_true(e->release_count < WORLD_RELEASES_MAX);
	struct fake_release *r = &e->releases[e->release_count++];
	*r = (struct fake_release){.id = *id, .counters = {.life = e->release_count}};
	text_copy(r->tag, sizeof r->tag, tag);
	return r;
}

/* --- what must hold of every document */

static bool ready_lately(const struct router_document *d, uint32_t release)
{
	for (uint32_t i = 0; i < d->backend_count; i++) {
		const struct fake_instance *f = d->backends[i].release == release
							? runtime_find(d->backends[i].instance)
							: NULL;
		if (f && f->ready_last_ms > 0 && world.now_ms - f->ready_last_ms <= READY_LATELY_MS)
			return true;
	}
	return false;
}

static uint32_t weight_of(const struct router_document *d, const struct digest *id)
{
	for (uint32_t i = 0; d && i < d->release_count; i++)
		if (digest_equal(&d->releases[i].id, id))
			return d->releases[i].weight_bp;
	return 0;
}

struct back {
	bool going;
	struct digest live, candidate; /* all zero: none */
};

static void keep_back(void *context, const struct view_environment *v)
{
	struct back *back = context;
	back->going = strcmp(v->state, "reverting") == 0 || strcmp(v->state, "stuck") == 0;
	(void)!digest_parse(v->live.release, &back->live);
	(void)!digest_parse(v->candidate.release, &back->candidate);
}

/* Does its rollout go back, and from what to what? */
static struct back look_back(const struct fake_environment *e)
{
	char key[2 * ROUTER_NAME_SIZE];
	struct back back = {0};
	snprintf(key, sizeof key, "%s/%s", e->app, e->name);
	if (control_view_environments(world.control, key, keep_back, &back, &world.err) < 0)
		back.going = false;
	return back;
}

static bool release_ready_lately(const struct router_document *d, const struct digest *id)
{
	for (uint32_t i = 0; i < d->release_count; i++)
		if (digest_equal(&d->releases[i].id, id))
			return ready_lately(d, i);
	return false;
}

/* What was committed just before the control died is sent when it is back, whatever has become of the instances:
 * the gateway itself turns to those that are ready. */
static void examine(const struct fake_environment *e, const struct router_document *d,
		    const struct back *back)
{
	bool long_up = world.now_ms - world.started_ms > READY_LATELY_MS;
	uint32_t sum = 0;
	for (uint32_t i = 0; i < d->release_count; i++) {
		const struct router_release *r = &d->releases[i];
		sum += r->weight_bp;
		if (d->mode != ROUTER_SERVE || r->weight_bp <= weight_of(e->document, &r->id))
			continue;
		if (long_up && !ready_lately(d, i) && !look_back(e).going)
			world_violated("the share of %s rises to %u and none of it is ready",
				       r->tag, r->weight_bp);
		if (back->going && digest_equal(&r->id, &back->candidate) &&
		    release_ready_lately(d, &back->live))
			world_violated("the share of %s rises from %u to %u on the way back",
				       r->tag, weight_of(e->document, &r->id), r->weight_bp);
	}
	for (uint32_t i = 0; i < d->backend_count; i++) {
		const struct fake_instance *f = runtime_find(d->backends[i].instance);
		if (d->backends[i].state == ROUTER_BACKEND_READY && f &&
		    f->status.want == INSTANCE_STOP)
			world_violated("%s gets requests and was told to stop", f->status.id);
	}
	if (d->mode == ROUTER_SERVE && sum != SHARE_FULL_BP)
		world_violated("the shares of %s/%s sum to %u", e->app, e->name, sum);
}

/* --- requests of the control */

struct ask {
	struct fake_environment *e;
	uint64_t number;
	struct back back;                       /* when it was asked */
	const struct router_document *document; /* behind this struct; NULL: forget */
	router_done_fn *done;
	router_observed_fn *observed;
	void *context;
};

static int install(struct ask *ask, struct error *err)
{
	struct fake_environment *e = ask->e;
	struct router_document *old = e->document;
	const struct router_document *d = ask->document;
	if (world.router_down)
		return error_set(err, ERR_UNAVAILABLE, "The gateway cannot be reached.");
	if (ask->number != e->ask)
		return error_set(err, ERR_CONFLICT, "A newer document took its place.");
	if (d && d->listener[0] && strcmp(d->listener, world.taken) == 0)
		return error_set(
			err, ERR_DENIED,
			"Port 8080 is taken by another program; stop it, or choose another "
			"port.");
	int order = old && d ? router_version_compare(d->version, old->version) : 1;
	if (order < 0 || (order == 0 && !router_document_equal(d, old)))
		return error_set(err, ERR_CONFLICT, "A document as new says something else.");
	if (d) {
		examine(e, d, &ask->back);
		for (uint32_t i = 0; i < d->release_count; i++)
			release_of(e, &d->releases[i].id, d->releases[i].tag);
	}
	free(old);
	e->document = d ? mem_new(sizeof *d) : NULL;
	if (d)
		*e->document = *d;
	e->applied_count++;
	return 0;
}

static void answered(void *argument)
{
	struct ask *ask = argument;
	struct error err = {0};
	struct router_answer answer = {.error = &err};
	answer.code = install(ask, &err);
	ask->done(ask->context, &answer);
}

static void ask_router(const char *app, const char *name, const struct router_document *document,
		       router_done_fn *done, void *context)
{
	struct ask *ask = mem_new(sizeof *ask + sizeof *document);
	*ask = (struct ask){.e = world_traffic(app, name), .done = done, .context = context};
	ask->number = ++ask->e->ask;
	if (!world.store_broken) /* else nothing can be taken back: what was committed stands */
		ask->back = look_back(ask->e);
	if (document)
		ask->document = memcpy(ask + 1, document, sizeof *document);
	world_happen(1 + world.router_delay_ms + world.table_delay_ms, true, answered, ask);
}

static void apply(struct router *router, const struct router_document *document,
		  router_done_fn *done, void *context)
{
	(void)router;
	ask_router(document->app, document->environment, document, done, context);
}

static void forget(struct router *router, const char *app, const char *environment,
		   router_done_fn *done, void *context)
{
	(void)router;
	ask_router(app, environment, NULL, done, context);
}

static uint64_t in_flight_of(const char *id)
{
	const struct fake_instance *f = runtime_find(id);
	return f ? f->busy + f->hanging : 0;
}

static void fill_observation(const struct router_document *d, struct router_observation *o)
{
	o->seen = true;
	if (!d)
		return;
	o->applied = d->version;
	o->mode = d->mode;
	o->read_only = d->read_only;
	o->release_count = d->release_count;
	for (uint32_t i = 0; i < d->release_count; i++) {
		o->releases[i].id = d->releases[i].id;
		o->releases[i].weight_bp = d->releases[i].weight_bp;
		o->releases[i].mirror_bp = d->mirror.release == i ? d->mirror.share_bp : 0;
	}
	o->backend_count = d->backend_count;
	for (uint32_t i = 0; i < d->backend_count; i++) {
		text_copy(o->backends[i].instance, sizeof o->backends[i].instance,
			  d->backends[i].instance);
		o->backends[i].state = d->backends[i].state;
		o->backends[i].in_flight = in_flight_of(d->backends[i].instance);
	}
}

static void observed(void *argument)
{
	static struct router_observation o;
	struct ask *ask = argument;
	struct error err = {0};
	struct router_answer answer = {.error = &err};
	memset(&o, 0, sizeof o);
	if (world.router_down)
		answer.code = error_set(&err, ERR_UNAVAILABLE, "The gateway cannot be reached.");
	else
		fill_observation(ask->e->document, &o);
	ask->observed(ask->context, &answer, answer.code == 0 ? &o : NULL);
}

static void observe(struct router *router, const char *app, const char *environment,
		    router_observed_fn *done, void *context)
{
	(void)router;
	struct ask *ask = mem_zero(1, sizeof *ask);
	*ask = (struct ask){
		.e = world_traffic(app, environment), .observed = done, .context = context};
	world_happen(1 + world.router_delay_ms, true, observed, ask);
}

static int counters(struct router *router, const char *app, const char *environment,
		    const struct digest *release, struct router_counters *ret_counters,
		    struct error *err)
{
	(void)router;
	struct fake_release *r = release_of(world_traffic(app, environment), release, NULL);
	if (world.router_down)
		return error_set(err, ERR_UNAVAILABLE, "The gateway cannot be reached.");
	if (!r)
		return error_set(err, ERR_NOT_FOUND, "The gateway knows no such release.");
	*ret_counters = r->counters;
	return 0;
}

static void copy_class(const struct router_counters *c, struct router_class_numbers *to)
{
	*to = (struct router_class_numbers){.started = c->started,
					    .answered = c->answered,
					    .completed = c->completed,
					    .lost = c->lost,
					    .status_4xx = c->status_4xx,
					    .status_5xx = c->status_5xx,
					    .failed_connect = c->failed_connect,
					    .failed_reset = c->failed_reset,
					    .failed_timeout = c->failed_timeout,
					    .failed_answer = c->failed_answer,
					    .no_backend = c->no_backend,
					    .repeated = c->repeated,
					    .cancelled = c->cancelled};
	memcpy(to->first_us, c->first_us, sizeof to->first_us);
}

/* The users here ask for nothing that a class names. */
static int class_counters(struct router *router, const char *app, const char *environment,
			  const struct digest *release, struct router_class_counters *ret_counters,
			  struct error *err)
{
	static struct router_counters all;
	const struct router_document *d = world_traffic(app, environment)->document;
	int rc = counters(router, app, environment, release, &all, err);
	if (rc < 0)
		return rc;
	ret_counters->life = all.life;
	ret_counters->count = 1 + (d ? d->class_count : 0);
	copy_class(&all, &ret_counters->classes[0]);
	const struct fake_release *r = release_of(world_traffic(app, environment), release, NULL);
	ret_counters->classes[0].divided = r->divided;
	ret_counters->classes[0].divided_done = r->divided_done;
	for (uint32_t i = 1; i < ret_counters->count; i++) {
		ret_counters->classes[i] = (struct router_class_numbers){0};
		text_copy(ret_counters->classes[i].name, ROUTER_NAME_SIZE, d->classes[i - 1].name);
	}
	return 0;
}

static int backend_counters(struct router *router, const char *app, const char *environment,
			    const struct digest *release,
			    struct router_backend_counters *ret_counters, struct error *err)
{
	static struct router_counters all;
	const struct router_document *d = world_traffic(app, environment)->document;
	int rc = counters(router, app, environment, release, &all, err);
	if (rc < 0)
		return rc;
	ret_counters->count = 0;
	for (uint32_t i = 0; d && i < d->backend_count; i++) {
		const struct fake_instance *f = runtime_find(d->backends[i].instance);
		if (!f || !digest_equal(&d->releases[d->backends[i].release].id, release))
			continue;
		struct router_backend_numbers *to = &ret_counters->backends[ret_counters->count++];
		*to = f->counts;
		text_copy(to->instance, sizeof to->instance, d->backends[i].instance);
	}
	return 0;
}

static int environment_counters(struct router *router, const char *app, const char *environment,
				struct router_environment_counters *ret_counters, struct error *err)
{
	(void)router;
	(void)err;
	*ret_counters = world_traffic(app, environment)->counters;
	return 0;
}

static bool settled(struct router *router)
{
	(void)router;
	return !world.router_down && world.now_ms >= world.settled_at_ms;
}

/* --- users */

static void count_answer(struct router_counters *c, struct fake_instance *f, uint64_t latency_us,
			 bool error)
{
	c->answered++;
	c->completed++;
	metrics_count(f);
	f->counts.answered++;
	f->counts.completed++;
	f->counts.errors += error;
	c->first_us[histogram_index(latency_us)]++;
	c->total_us[histogram_index(latency_us)]++;
	if (error)
		c->status_5xx++;
	else
		c->status_2xx++;
}

/* A ready backend of the release that truly lives; they take turns. */
static struct fake_instance *choose(const struct router_document *d, uint32_t release)
{
	uint32_t start = (uint32_t)world_random() % (d->backend_count + 1);
	for (uint32_t i = 0; i < d->backend_count; i++) {
		const struct router_backend *b = &d->backends[(start + i) % d->backend_count];
		struct fake_instance *f = b->release == release && b->state == ROUTER_BACKEND_READY
						  ? runtime_find(b->instance)
						  : NULL;
		if (f && f->status.healthy)
			return f;
	}
	return NULL;
}

static bool fails(struct behaviour *b, const struct fake_instance *f)
{
	if (b->sick_slot && b->sick_pid == 0 && f->status.slot == b->sick_slot)
		b->sick_pid = f->status.pid;
	uint32_t error_bp =
		b->sick_pid && b->sick_pid == f->status.pid ? SHARE_FULL_BP / 2 : b->error_bp;
	return world_random() % SHARE_FULL_BP < error_bp;
}

static uint64_t latency_of(const struct behaviour *b)
{
	uint64_t latency_us = b->latency_us ? b->latency_us : DEFAULT_LATENCY_US;
	bool slow = b->slow_bp > 0 && world_random() % SHARE_FULL_BP < b->slow_bp;
	return slow ? 10 * latency_us : latency_us;
}

static void send_to(struct fake_environment *e, uint32_t release, bool divided)
{
	const struct router_document *d = e->document;
	struct fake_release *r = release_of(e, &d->releases[release].id, d->releases[release].tag);
	struct router_counters *c = &r->counters;
	struct behaviour *b = world_behaviour(d->releases[release].tag);
	struct fake_instance *f = choose(d, release);
	c->started++;
	r->divided += divided;
	if (!f) {
		r->divided_done += divided;
		c->no_backend++;
		c->answered++;
		c->completed++;
		e->failed++;
		return;
	}
	f->busy++;
	f->counts.started++;
	if (world_random() % SHARE_FULL_BP < b->hang_bp) {
		f->hanging++;
		return;
	}
	r->divided_done += divided;
	count_answer(c, f, latency_of(b), fails(b, f));
}

static void mirror(struct fake_environment *e)
{
	const struct router_document *d = e->document;
	if (d->mirror.release == ROUTER_NONE || d->mirror.release >= d->release_count ||
	    world_random() % SHARE_FULL_BP >= d->mirror.share_bp)
		return;
	const struct router_release *r = &d->releases[d->mirror.release];
	struct router_counters *c = &release_of(e, &r->id, r->tag)->counters;
	const struct behaviour *b = world_behaviour(r->tag);
	c->shadow_sent++;
	if (!choose(d, d->mirror.release))
		c->shadow_failed++;
	else if (world_random() % SHARE_FULL_BP < b->error_bp)
		c->shadow_5xx++;
	else
		c->shadow_2xx++;
}

static void request(struct fake_environment *e)
{
	const struct router_document *d = e->document;
	e->counters.requests++;
	if (d->mode != ROUTER_SERVE) {
		e->counters.held += d->mode == ROUTER_PARK;
		e->counters.maintenance += d->mode == ROUTER_MAINTENANCE;
		return;
	}
	if (world.previews_bp > 0 && d->live > 0 && choose(d, 0) &&
	    world_random() % SHARE_FULL_BP < world.previews_bp) {
		send_to(e, 0, false);
		return;
	}
	uint32_t unit = (uint32_t)(world_random() % SHARE_FULL_BP);
	for (uint32_t i = 0; i < d->release_count; i++) {
		if (unit < d->releases[i].weight_bp) {
			bool astray = i != d->live && world.astray_bp > 0 &&
				      world_random() % SHARE_FULL_BP < world.astray_bp;
			send_to(e, astray ? d->live : i, true);
			break;
		}
		unit -= d->releases[i].weight_bp;
	}
	mirror(e);
}

/* Who hung there is let go by the gateway, and counts as a broken answer. */
void router_instance_ended(struct fake_instance *f)
{
	struct fake_environment *e = world_traffic(f->status.app, f->status.environment);
	for (uint32_t i = 0; i < e->release_count; i++) {
		char hex[DIGEST_HEX_SIZE];
		if (strcmp(digest_format(&e->releases[i].id, hex), f->status.release) != 0)
			continue;
		e->releases[i].counters.answered += f->hanging;
		e->releases[i].counters.completed += f->hanging;
		e->releases[i].counters.failed_reset += f->hanging;
		e->releases[i].divided_done += f->hanging;
	}
	f->counts.answered += f->hanging;
	f->counts.completed += f->hanging;
	f->counts.errors += f->hanging;
	f->hanging = f->busy = 0;
}

void router_beat(void)
{
	for (size_t i = 0; i < world.instance_count; i++)
		world.instances[i].busy = 0;
	for (uint32_t i = 0; i < world.environment_count; i++) {
		struct fake_environment *e = &world.environments[i];
		if (!e->document)
			continue;
		e->owed += (e->rate_per_s == UINT64_MAX ? world.rate_per_s : e->rate_per_s) *
			   WORLD_BEAT_MS;
		for (; e->owed >= 1000; e->owed -= 1000)
			request(e);
	}
}

void router_open(void)
{
	static const struct router_ops ops = {.name = "fake",
					      .apply = apply,
					      .forget = forget,
					      .observe = observe,
					      .counters = counters,
					      .class_counters = class_counters,
					      .backend_counters = backend_counters,
					      .environment_counters = environment_counters,
					      .settled = settled};
	world.router.ops = &ops;
}

void router_close(void)
{
	for (uint32_t i = 0; i < world.environment_count; i++)
		free(world.environments[i].document);
}
