/* SPDX-License-Identifier: Apache-2.0
 * world_runtime - instances that start, crash, drain and stop, by the rules of provider/runtime.h. */
#include <stdio.h>
#include <string.h>

#include "world.h"

enum { CRASH_AT_START_MS = 40 };

struct fake_instance *runtime_find(const char *id)
{
	for (size_t i = 0; i < world.instance_count; i++)
		if (strcmp(world.instances[i].status.id, id) == 0)
			return &world.instances[i];
	return NULL;
}

static bool over(const struct fake_instance *f)
{
	return instance_state_over(f->status.state);
}

static void enter(struct fake_instance *f, enum instance_state state)
{
	if (f->status.state == state)
		return;
	f->status.state = state;
	f->status.state_since_ms = world.now_ms;
	world.runtime_changed = true;
}

static void down(struct fake_instance *f)
{
	f->status.healthy = false;
	f->status.ready_since_ms = 0;
	f->status.pid = 0;
	f->visits = f->bought = f->value = 0;
	router_instance_ended(f);
}

static void crash(struct fake_instance *f, const char *sentence)
{
	uint32_t recent = 0;
	down(f);
	text_copy(f->status.sentence, sizeof f->status.sentence, sentence);
	if (f->status.want != INSTANCE_KEEP) {
		enter(f, INSTANCE_EXITED);
		return;
	}
	if (f->crash_count == INSTANCE_RESTARTS_MAX)
		memmove(f->crash_ms, f->crash_ms + 1, sizeof f->crash_ms[0] * --f->crash_count);
	f->crash_ms[f->crash_count++] = world.now_ms;
	for (uint32_t i = 0; i < f->crash_count; i++)
		recent += world.now_ms - f->crash_ms[i] <= f->restart.window_ms;
	f->spawn_at_ms = world.now_ms + f->restart.first_ms;
	f->status.restarts += recent <= f->restart.limit; /* given up is not started again */
	enter(f, recent > f->restart.limit ? INSTANCE_FAILED : INSTANCE_STARTING);
	world.runtime_changed = true;
}

void runtime_crash(struct fake_instance *f)
{
	crash(f, "killed by signal 9");
}

static void take_note(struct fake_instance *f)
{
	f->wishes = false;
	f->status.applied = f->wish_version;
	f->status.want = f->wish_want;
	world.runtime_changed = true;
	if (over(f))
		return;
	switch (f->wish_want) {
	case INSTANCE_KEEP:
		if (f->status.state == INSTANCE_DRAINING)
			enter(f, f->status.healthy ? INSTANCE_READY : INSTANCE_RUNNING);
		if (f->status.healthy)
			f->ready_last_ms = world.now_ms;
		break;
	case INSTANCE_DRAIN:
		if (f->status.state == INSTANCE_STARTING)
			enter(f, INSTANCE_EXITED);
		else
			enter(f, INSTANCE_DRAINING);
		break;
	case INSTANCE_STOP:
		f->stop_at_ms = world.now_ms + world_behaviour(f->status.tag)->stop_ms;
		enter(f, INSTANCE_STOPPING);
		break;
	case INSTANCE_WANT_COUNT: break;
	}
}

static void beat(struct fake_instance *f)
{
	static int32_t pids = 1000;
	const struct behaviour *b = world_behaviour(f->status.tag);
	if (f->wishes && world.now_ms >= f->wish_at_ms)
		take_note(f);
	switch (f->status.state) {
	case INSTANCE_STARTING:
		if (world.now_ms < f->spawn_at_ms)
			return;
		f->spawned_ms = world.now_ms;
		f->status.pid = ++pids;
		enter(f, INSTANCE_RUNNING);
		return;
	case INSTANCE_RUNNING:
		if (b->crash_at_start && world.now_ms >= f->spawned_ms + CRASH_AT_START_MS)
			crash(f, "exited with status 3");
		else if (!b->never_ready &&
			 world.now_ms >= f->spawned_ms + b->start_ms + f->min_healthy_ms) {
			f->status.healthy = true;
			f->status.ready_since_ms = f->ready_last_ms = world.now_ms;
			enter(f, INSTANCE_READY);
		} else if (world.now_ms >= f->spawned_ms + f->deadline_ms)
			crash(f, "GET /up was answered 503 for 10s");
		return;
	case INSTANCE_READY:
		f->ready_last_ms = world.now_ms;
		if (b->crash_unseen_ms && world.now_ms >= f->spawned_ms + b->crash_unseen_ms) {
			f->spawned_ms = world.now_ms;
			f->status.pid = ++pids;
			f->status.restarts++;
		}
		if (b->crash_after_ms &&
		    world.now_ms >= f->status.ready_since_ms + b->crash_after_ms)
			crash(f, "killed by signal 11");
		return;
	case INSTANCE_STOPPING:
		if (world.now_ms >= f->stop_at_ms) {
			down(f);
			enter(f, INSTANCE_EXITED);
		}
		return;
	case INSTANCE_UNHEALTHY:
	case INSTANCE_DRAINING:
	case INSTANCE_EXITED:
	case INSTANCE_FAILED:
	case INSTANCE_STATE_COUNT: return;
	}
}

static void announce(void *argument)
{
	(void)argument;
	if (world.runtime.changed)
		world.runtime.changed(world.runtime.context);
}

void runtime_beat(void)
{
	for (size_t i = 0; i < world.instance_count; i++)
		beat(&world.instances[i]);
	if (world.runtime_changed)
		world_happen(1, true, announce, NULL);
	world.runtime_changed = false;
}

static int ask(struct fake_instance *f, enum instance_want want, struct instance_version version,
	       bool undrained, struct error *err)
{
	struct instance_status now = f->status;
	if (f->wishes) {
		now.applied = f->wish_version;
		now.want = f->wish_want;
	}
	int code = instance_want_check(&now, version, want, undrained, err);
	if (code < 0)
		return code;
	if (f->wishes && want == f->wish_want &&
	    instance_version_compare(version, f->wish_version) == 0)
		return 0; /* on its way */
	f->wish_version = version;
	f->wish_want = want;
	f->wish_at_ms = world.now_ms + world.runtime_delay_ms;
	f->wishes =
		instance_version_compare(version, f->status.applied) != 0 || want != f->status.want;
	if (f->wishes && world.runtime_delay_ms == 0)
		take_note(f);
	return 0;
}

static int refused(struct error *err)
{
	return error_set(err, ERR_NO_SPACE, "The disk is full: no instance can be started.");
}

static void fill(struct fake_instance *f, const struct instance_spec *spec,
		 struct instance_version version)
{
	*f = (struct fake_instance){.restart = spec->restart,
				    .min_healthy_ms = spec->health.min_healthy_ms,
				    .deadline_ms = spec->health.deadline_ms,
				    .spawn_at_ms = world.now_ms + world.runtime_delay_ms};
	instance_status_init(&f->status, spec, version);
	f->status.state_since_ms = world.now_ms;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct fake_instance *)a)->status.id,
		      ((const struct fake_instance *)b)->status.id);
}

static int start(struct runtime *runtime, const struct instance_spec *spec,
		 struct instance_version version, struct error *err)
{
	static uint32_t ports;
	(void)runtime;
	int code = instance_spec_check(spec, err);
	if (code < 0)
		return code;
	struct fake_instance *f = runtime_find(spec->id);
	if (f && !over(f)) {
		if (strcmp(f->status.release, spec->release) != 0 ||
		    strcmp(f->status.environment, spec->environment) != 0 ||
		    strcmp(f->status.process, spec->process) != 0 || f->status.slot != spec->slot)
			world_violated("the id %s names two instances", spec->id);
		return ask(f, INSTANCE_KEEP, version, false, err);
	}
	if (world.runtime_denies)
		return error_set(err, ERR_DENIED, "Only root can run a program as another user.");
	if (world.runtime_refuses)
		return refused(err);
	if (f) {
		int order = instance_version_compare(version, f->status.applied);
		if (order == 0 && f->status.want == INSTANCE_KEEP)
			return 0;
		if (order <= 0)
			return error_set(err, ERR_CONFLICT,
					 "A newer document has been applied already.");
	} else {
		assert_true(world.instance_count < WORLD_INSTANCES_MAX);
		f = &world.instances[world.instance_count++];
	}
	fill(f, spec, version);
	if (spec->traffic)
		snprintf(f->status.address, sizeof f->status.address, "127.0.0.1:%u",
			 20000 + ports++ % 10000);
	qsort(world.instances, world.instance_count, sizeof world.instances[0], by_id);
	world.runtime_changed = true;
	return 0;
}

static int ask_by_id(const char *id, enum instance_want want, struct instance_version version,
		     bool undrained, struct error *err)
{
	struct fake_instance *f = runtime_find(id);
	if (!f)
		return error_set(err, ERR_NOT_FOUND, "There is no instance \"%s\".", id);
	return over(f) ? 0 : ask(f, want, version, undrained, err);
}

static int drain(struct runtime *runtime, const char *id, struct instance_version version,
		 struct error *err)
{
	(void)runtime;
	return ask_by_id(id, INSTANCE_DRAIN, version, false, err);
}

/* Does the router give it requests? */
static bool served(const char *id)
{
	for (uint32_t i = 0; i < world.environment_count; i++) {
		const struct router_document *d = world.environments[i].document;
		for (uint32_t k = 0; d && k < d->backend_count; k++)
			if (strcmp(d->backends[k].instance, id) == 0 &&
			    d->backends[k].state == ROUTER_BACKEND_READY)
				return true;
	}
	return false;
}

static int stop(struct runtime *runtime, const char *id, struct instance_version version,
		bool undrained, struct error *err)
{
	(void)runtime;
	struct fake_instance *f = runtime_find(id);
	if (f && !over(f) && !undrained && served(id) && f->status.healthy)
		world_violated("%s is stopped while it gets requests", id);
	return ask_by_id(id, INSTANCE_STOP, version, undrained, err);
}

static int forget(struct runtime *runtime, const char *id, struct error *err)
{
	(void)runtime;
	struct fake_instance *f = runtime_find(id);
	if (!f)
		return 0;
	if (!over(f))
		return error_set(err, ERR_CONFLICT, "The instance \"%s\" is not over.", id);
	size_t index = (size_t)(f - world.instances);
	memmove(f, f + 1, (--world.instance_count - index) * sizeof *f);
	world.runtime_changed = true;
	return 0;
}

static size_t observe(struct runtime *runtime, const struct instance_status **ret_statuses)
{
	(void)runtime;
	for (size_t i = 0; i < world.instance_count; i++)
		world.statuses[i] = world.instances[i].status;
	*ret_statuses = world.statuses;
	return world.instance_count;
}

static size_t measure(struct runtime *runtime, const struct runtime_usage **ret_usages)
{
	(void)runtime;
	for (size_t i = 0; i < world.instance_count; i++) {
		const struct fake_instance *f = &world.instances[i];
		bool runs = f->status.pid != 0;
		struct runtime_usage *to = &world.usages[i];
		*to = (struct runtime_usage){.at_ms = world.now_ms};
		text_copy(to->id, sizeof to->id, f->status.id);
		if (!runs)
			continue;
		to->cpu_source = to->memory_source = RUNTIME_CGROUP;
		to->cpu_us = f->cpu_us;
		to->memory_bytes = world_behaviour(f->status.tag)->memory_bytes;
		to->machine_milli = 4000;
	}
	*ret_usages = world.usages;
	return world.instance_count;
}

static bool settled(struct runtime *runtime)
{
	(void)runtime;
	return world.now_ms >= world.settled_at_ms;
}

static const char *trouble(struct runtime *runtime)
{
	(void)runtime;
	return "";
}

void runtime_open(void)
{
	static const struct runtime_ops ops = {.name = "fake",
					       .start = start,
					       .drain = drain,
					       .stop = stop,
					       .forget = forget,
					       .observe = observe,
					       .measure = measure,
					       .settled = settled,
					       .trouble = trouble};
	world.runtime.ops = &ops;
}
