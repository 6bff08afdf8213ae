/* SPDX-License-Identifier: Apache-2.0
 * builtin - see builtin.h for the contract. One table is under way at a time. An environment has
 * the document that stands (in force, as far as we know), and at most two requests: the one under way
 * and the one that waits. */
#include "drivers/router/builtin.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "drivers/router/builtin_state.h"
#include "os/memfd.h"

struct environment *builtin_find(struct builtin *b, const char *app, const char *name)
{
	for (struct environment *e = b->environments; e; e = e->next)
		if (strcmp(e->app, app) == 0 && strcmp(e->name, name) == 0)
			return e;
	return NULL;
}

struct environment *builtin_get(struct builtin *b, const char *app, const char *name)
{
	struct environment *e = builtin_find(b, app, name);
	if (e)
		return e;
	e = mem_zero(1, sizeof *e);
	text_copy(e->app, sizeof e->app, app);
	text_copy(e->name, sizeof e->name, name);
	e->next = b->environments;
	b->environments = e;
	return e;
}

void builtin_changed(struct builtin *b)
{
	if (b->router.changed)
		b->router.changed(b->router.context);
}

static struct answer *answer_add(struct builtin *b, const char *app, const char *environment,
				 void *context)
{
	struct answer *a = mem_zero(1, sizeof *a);
	a->context = context;
	text_copy(a->app, sizeof a->app, app);
	text_copy(a->environment, sizeof a->environment, environment);
	*b->answers_end = a;
	b->answers_end = &a->next;
	b->env->ops->timer_start(b->env, &b->deliver, 0);
	return a;
}

/* The request is over; its document may stay in use. */
void builtin_answer(struct builtin *b, struct environment *e, struct request *r,
		    const struct error *why, uint32_t seen_us)
{
	if (r->done) {
		struct answer *a = answer_add(b, e->app, e->name, r->context);
		a->done = r->done;
		a->seen_us = seen_us;
		if (why)
			a->error = *why;
	}
	r->done = NULL;
}

void builtin_request_drop(struct request *r)
{
	free(r->document);
	memset(r, 0, sizeof *r);
}

static void deliver_observation(struct builtin *b, const struct answer *a)
{
	struct router_observation *o = mem_zero(1, sizeof *o);
	struct error err = {0};
	struct router_answer answer = {.error = &err};
	answer.code = builtin_observation(b, a->app, a->environment, o, &err);
	a->observed(a->context, &answer, answer.code == 0 ? o : NULL);
	free(o);
}

static void deliver(void *context)
{
	struct builtin *b = context;
	builtin_pump(b);
	struct answer *list = b->answers;
	b->answers = NULL;
	b->answers_end = &b->answers;
	while (list) {
		struct answer *a = list;
		list = a->next;
		struct router_answer answer = {
			.code = a->error.code, .error = &a->error, .seen_us = a->seen_us};
		if (a->done)
			a->done(a->context, &answer);
		else
			deliver_observation(b, a);
		free(a);
	}
}

static bool same_backends(const struct router_document *a, const struct router_document *b)
{
	if (a->backend_count != b->backend_count)
		return false;
	for (uint32_t i = 0; i < a->backend_count; i++) {
		const struct router_backend *x = &a->backends[i], *y = &b->backends[i];
		if (x->release != y->release || x->state != y->state ||
		    strcmp(x->process, y->process) != 0 || strcmp(x->instance, y->instance) != 0 ||
		    strcmp(x->address, y->address) != 0)
			return false;
	}
	return true;
}

enum { TICK_MS = 200 };

static struct environment *next_waiting(struct builtin *b)
{
	struct environment *best = NULL;
	for (struct environment *e = b->environments; e; e = e->next)
		if (e->waiting.asked && (!best || e->waiting.order < best->waiting.order))
			best = e;
	return best;
}

static bool same_traffic(const struct router_document *a, const struct router_document *b)
{
	if (a->mode != b->mode || a->read_only != b->read_only ||
	    a->release_count != b->release_count || a->mirror.release != b->mirror.release ||
	    a->mirror.share_bp != b->mirror.share_bp)
		return false;
	for (uint32_t i = 0; i < a->release_count; i++)
		if (!digest_equal(&a->releases[i].id, &b->releases[i].id) ||
		    a->releases[i].weight_bp != b->releases[i].weight_bp)
			return false;
	return true;
}

static int fence(const struct environment *e, const struct router_document *d, struct error *err)
{
	const struct router_document *standing = e->standing;
	if (!standing)
		return 0;
	int order = router_version_compare(d->version, standing->version);
	/* A table does not tell everything as it was written: there the traffic alone is compared. */
	bool same = order != 0 ||
		    (e->read_back ? same_traffic(d, standing) : router_document_equal(d, standing));
	if (order > 0 || (order == 0 && same))
		return 0;
	return error_set(
		err, ERR_CONFLICT,
		"Version %llu.%llu of the traffic of \"%s/%s\" %s: the gateway has version "
		"%llu.%llu.",
		(unsigned long long)d->version.epoch, (unsigned long long)d->version.n, d->app,
		d->environment, order < 0 ? "comes too late" : "says something else than before",
		(unsigned long long)standing->version.epoch,
		(unsigned long long)standing->version.n);
}

/* What was asked is what stands already, everywhere. */
static bool stands(const struct builtin *b, const struct environment *e, const struct request *r)
{
	if (!b->table || b->seen_generation < b->table->generation || b->send_again)
		return false;
	if (r->gone)
		return !e->standing;
	return e->standing && !e->read_back && router_document_equal(e->standing, r->document) &&
	       same_backends(e->standing, r->document);
}

void builtin_pump(struct builtin *b)
{
	struct environment *e;
	struct error err;
	while (b->welcome && !b->sent && !b->send_again && (e = next_waiting(b))) {
		e->under_way = e->waiting;
		memset(&e->waiting, 0, sizeof e->waiting);
		int rc = 0;
		if (!e->under_way.gone)
			rc = fence(e, e->under_way.document, &err);
		if (rc == 0 && stands(b, e, &e->under_way)) {
			builtin_answer(b, e, &e->under_way, NULL, 0);
			builtin_request_drop(&e->under_way);
			continue;
		}
		if (rc == 0)
			rc = builtin_send(b, e, &err);
		if (rc < 0) {
			builtin_answer(b, e, &e->under_way, &err, 0);
			builtin_request_drop(&e->under_way);
			continue;
		}
		b->changing = e;
	}
	if (b->welcome && !b->sent && b->send_again) {
		b->send_again = false;
		if (builtin_send(b, NULL, &err) < 0)
			b->send_again = true; /* tick() tries again */
	}
}

static void expire(struct builtin *b, struct environment *e, struct request *r, uint64_t now_ms)
{
	struct error err;
	if (!r->asked || !r->done || now_ms < r->until_ms)
		return;
	if (b->welcome)
		error_set(&err, ERR_TIMEOUT, "The gateway did not answer within %d s.",
			  BUILTIN_ANSWER_MS / 1000);
	else
		builtin_not_there(&err);
	builtin_answer(b, e, r, &err, 0);
	if (r == &e->waiting)
		builtin_request_drop(r);
}

static void tick(void *context)
{
	struct builtin *b = context;
	uint64_t now_ms = env_now_ms(b->env);
	b->env->ops->timer_start(b->env, &b->tick, b->welcome ? TICK_MS : BUILTIN_RETRY_MS);
	if (b->channel_fd < 0)
		builtin_connect(b);
	for (struct environment *e = b->environments; e; e = e->next) {
		expire(b, e, &e->under_way, now_ms);
		expire(b, e, &e->waiting, now_ms);
	}
	builtin_pump(b);
}

static void ask(struct builtin *b, struct environment *e, struct router_document *document,
		router_done_fn *done, void *context)
{
	struct error err;
	if (e->waiting.asked) {
		error_set(&err, ERR_CONFLICT, "A newer request took the place of this one.");
		builtin_answer(b, e, &e->waiting, &err, 0);
		builtin_request_drop(&e->waiting);
	}
	e->waiting = (struct request){.asked = true,
				      .gone = document == NULL,
				      .document = document,
				      .done = done,
				      .context = context,
				      .until_ms = env_now_ms(b->env) + BUILTIN_ANSWER_MS,
				      .order = ++b->order};
	b->env->ops->timer_start(b->env, &b->deliver, 0);
}

static void builtin_apply(struct router *router, const struct router_document *document,
			  router_done_fn *done, void *context)
{
	struct builtin *b = builtin_of(router);
	struct router_document *copy = mem_new(sizeof *copy);
	*copy = *document;
	ask(b, builtin_get(b, document->app, document->environment), copy, done, context);
}

static void builtin_forget(struct router *router, const char *app, const char *environment,
			   router_done_fn *done, void *context)
{
	struct builtin *b = builtin_of(router);
	ask(b, builtin_get(b, app, environment), NULL, done, context);
}

static void builtin_observe(struct router *router, const char *app, const char *environment,
			    router_observed_fn *done, void *context)
{
	answer_add(builtin_of(router), app, environment, context)->observed = done;
}

static bool builtin_settled(struct router *router)
{
	return builtin_of(router)->settled;
}

static void builtin_free(struct router *router)
{
	struct builtin *b = builtin_of(router);
	b->router.changed = NULL;
	builtin_lose(b);
	builtin_pairs_close(b);
	b->env->ops->timer_stop(b->env, &b->tick);
	b->env->ops->timer_stop(b->env, &b->deliver);
	while (b->answers) {
		struct answer *a = b->answers;
		b->answers = a->next;
		free(a);
	}
	while (b->environments) {
		struct environment *e = b->environments;
		b->environments = e->next;
		builtin_request_drop(&e->waiting);
		builtin_request_drop(&e->under_way);
		free(e->standing);
		free(e);
	}
	memfd_unmap(b->counters, b->counters_size);
	table_free(b->table);
	table_free(b->sent);
	free(b);
}

static const struct router_ops ops = {
	.name = "builtin",
	.apply = builtin_apply,
	.forget = builtin_forget,
	.observe = builtin_observe,
	.counters = builtin_counters,
	.class_counters = builtin_class_counters,
	.backend_counters = builtin_backend_counters,
	.environment_counters = builtin_environment_counters,
	.totals = builtin_totals,
	.settled = builtin_settled,
	.free = builtin_free,
};

struct router *builtin_router_new(struct loop *loop, int state_fd)
{
	struct builtin *b = mem_zero(1, sizeof *b);
	b->router.ops = &ops;
	b->loop = loop;
	b->env = loop_env(loop);
	b->state_fd = state_fd;
	b->channel_fd = -1;
	b->answers_end = &b->answers;
	builtin_pairs_open(b);
	b->deliver.fire = deliver;
	b->deliver.context = b;
	b->tick.fire = tick;
	b->tick.context = b;
	b->env->ops->timer_start(b->env, &b->tick, 0);
	return &b->router;
}
