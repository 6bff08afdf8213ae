/* SPDX-License-Identifier: Apache-2.0
 * loop - see loop.h for the contract.
 *
 * libuv closes a handle one turn after it was asked to; so each of ours is heap memory that begins with
 * its uv handle and is freed by the close callback. loop_free() walks libuv's own list of handles. */
#include "os/loop.h"

#include <stdlib.h>
#include <uv.h>

#include "base/buf.h"
#include "os/clock.h"
#include "os/random.h"

struct loop {
	struct env env; /* first: the env we hand out is the loop itself */
	uv_loop_t uv;
};

struct loop_watch {
	uv_poll_t uv; /* first, as in the next two: what the close callback frees */
	void (*ready)(void *context, int events);
	void *context;
};

struct loop_signal {
	uv_signal_t uv;
	void (*arrived)(void *context, int number);
	void *context;
};

struct loop_timer {
	uv_timer_t uv;
	struct env_timer *owner;
};

static void closed(uv_handle_t *handle)
{
	free(handle);
}

static void close_handle(void *handle)
{
	uv_handle_t *uv = handle;
	if (!uv_is_closing(uv))
		uv_close(uv, closed);
}

static uint64_t now_ms(struct env *env)
{
	(void)env;
	return clock_now_ms();
}

static uint64_t wall_ms(struct env *env)
{
	(void)env;
	return clock_wall_ms();
}

static void fill_random(struct env *env, void *to, size_t size)
{
	(void)env;
	random_bytes(to, size);
}

static const char *boot_id(struct env *env)
{
	(void)env;
	return clock_boot_id();
}

static void timer_stop(struct env *env, struct env_timer *timer)
{
	(void)env;
	if (timer->handle)
		close_handle(timer->handle);
	timer->handle = NULL;
}

static void timer_fired(uv_timer_t *uv)
{
	struct loop_timer *timer = (struct loop_timer *)uv;
	timer->owner->fire(timer->owner->context);
}

static void timer_start(struct env *env, struct env_timer *owner, uint64_t after_ms)
{
	struct loop *loop = (struct loop *)env;
	if (!owner->handle) {
		struct loop_timer *timer = mem_zero(1, sizeof *timer);
		timer->owner = owner;
		uv_timer_init(&loop->uv, &timer->uv);
		owner->handle = timer;
	}
	struct loop_timer *timer = owner->handle;
	uv_update_time(&loop->uv); /* else a long turn would make the timer early */
	int code = uv_timer_start(&timer->uv, timer_fired, after_ms, 0);
	ASSERT(code == 0);
}

static const struct env_ops ops = {
	.now_ms = now_ms,
	.wall_ms = wall_ms,
	.random = fill_random,
	.timer_start = timer_start,
	.timer_stop = timer_stop,
	.boot_id = boot_id,
};

int loop_new(struct loop **ret_loop, struct error *err)
{
	struct loop *loop = mem_zero(1, sizeof *loop);
	int code = uv_loop_init(&loop->uv);
	if (code < 0) {
		free(loop);
		return error_errno(err, -code, "The event loop cannot be made");
	}
	loop->env.ops = &ops;
	*ret_loop = loop;
	return 0;
}

static void close_each(uv_handle_t *handle, void *context)
{
	(void)context;
	close_handle(handle);
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	uv_walk(&loop->uv, close_each, NULL);
	while (uv_run(&loop->uv, UV_RUN_DEFAULT) != 0)
		;
	int code = uv_loop_close(&loop->uv);
	ASSERT(code == 0);
	free(loop);
}

struct env *loop_env(struct loop *loop)
{
	return &loop->env;
}

void loop_run(struct loop *loop)
{
	uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
	uv_stop(&loop->uv);
}

static int to_uv(int events)
{
	return UV_DISCONNECT | (events & LOOP_READ ? UV_READABLE : 0) |
	       (events & LOOP_WRITE ? UV_WRITABLE : 0);
}

static void watch_ready(uv_poll_t *uv, int status, int events)
{
	struct loop_watch *watch = (struct loop_watch *)uv;
	int ours = (events & UV_READABLE ? LOOP_READ : 0) |
		   (events & UV_WRITABLE ? LOOP_WRITE : 0) |
		   (status < 0 || (events & UV_DISCONNECT) ? LOOP_GONE : 0);
	watch->ready(watch->context, ours);
}

int loop_watch_start(struct loop *loop, int fd, int events,
		     void (*ready)(void *context, int events), void *context,
		     struct loop_watch **ret_watch, struct error *err)
{
	struct loop_watch *watch = mem_zero(1, sizeof *watch);
	int code = uv_poll_init(&loop->uv, &watch->uv, fd);
	if (code < 0) {
		free(watch);
		return error_errno(err, -code, "Descriptor %d cannot be watched", fd);
	}
	watch->ready = ready;
	watch->context = context;
	code = uv_poll_start(&watch->uv, to_uv(events), watch_ready);
	ASSERT(code == 0);
	*ret_watch = watch;
	return 0;
}

void loop_watch_change(struct loop_watch *watch, int events)
{
	int code = uv_poll_start(&watch->uv, to_uv(events), watch_ready);
	ASSERT(code == 0);
}

void loop_watch_stop(struct loop_watch *watch)
{
	if (watch)
		close_handle(watch);
}

static void signal_arrived(uv_signal_t *uv, int number)
{
	struct loop_signal *signal = (struct loop_signal *)uv;
	signal->arrived(signal->context, number);
}

int loop_signal_start(struct loop *loop, int number, void (*arrived)(void *context, int number),
		      void *context, struct loop_signal **ret_signal, struct error *err)
{
	struct loop_signal *signal = mem_zero(1, sizeof *signal);
	uv_signal_init(&loop->uv, &signal->uv);
	signal->arrived = arrived;
	signal->context = context;
	int code = uv_signal_start(&signal->uv, signal_arrived, number);
	if (code < 0) {
		close_handle(signal);
		return error_errno(err, -code, "Signal %d cannot be caught", number);
	}
	*ret_signal = signal;
	return 0;
}

void loop_signal_stop(struct loop_signal *signal)
{
	if (signal)
		close_handle(signal);
}

struct loop_work {
	uv_work_t uv;
	void (*work)(void *context);
	void (*done)(void *context);
	void *context;
};

static void work_run(uv_work_t *uv)
{
	struct loop_work *work = (struct loop_work *)uv;
	work->work(work->context);
}

static void work_done(uv_work_t *uv, int status)
{
	struct loop_work *work = (struct loop_work *)uv;
	(void)status;
	work->done(work->context);
	free(work);
}

void loop_work(struct loop *loop, void (*run)(void *context), void (*done)(void *context),
	       void *context)
{
	struct loop_work *work = mem_zero(1, sizeof *work);
	work->work = run;
	work->done = done;
	work->context = context;
	int code = uv_queue_work(&loop->uv, &work->uv, work_run, work_done);
	ASSERT(code == 0);
}
