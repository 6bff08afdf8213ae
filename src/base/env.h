/* SPDX-License-Identifier: Apache-2.0
 *
 * env - what the decision-making shell (control/, pipeline/) needs of the world: time, timers, chance.
 *       The real one stands on the event loop (os/loop.h); the simulator brings its own.
 *
 * TIME  now_ms is monotonic, never goes back within one process; wall_ms is for people and for records.
 * HOW   A timer fires once, from the loop, never from inside timer_start(). Starting a timer that runs
 *       moves it. Stopping one that does not run is allowed.
 */
#ifndef BASE_ENV_H
#define BASE_ENV_H

#include <stddef.h>
#include <stdint.h>

struct env;

struct env_timer {
	void (*fire)(void *context); /* set by the owner before the first start */
	void *context;
	void *handle; /* the environment's, opaque */
};

struct env_ops {
	uint64_t (*now_ms)(struct env *env);
	uint64_t (*wall_ms)(struct env *env);
	void (*random)(struct env *env, void *to, size_t size);
	void (*timer_start)(struct env *env, struct env_timer *timer, uint64_t after_ms);
	void (*timer_stop)(struct env *env,
			   struct env_timer *timer); /* also frees what `handle` holds */
	const char *(*boot_id)(struct env *env);     /* changes at a reboot */
};

struct env {
	const struct env_ops *ops;
};

static inline uint64_t env_now_ms(struct env *env)
{
	return env->ops->now_ms(env);
}

static inline uint64_t env_wall_ms(struct env *env)
{
	return env->ops->wall_ms(env);
}

#endif
