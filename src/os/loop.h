/* SPDX-License-Identifier: Apache-2.0
 *
 * loop - the event loop of a process with one thread: timers, descriptors, signals (libuv).
 *
 * HOW   loop_new(), watch and start timers, loop_run() until somebody calls loop_stop(), loop_free().
 *       loop_env() is the same loop as base/env.h knows it: give that to code that must also run in
 *       the simulator.
 * OWNS  A watch belongs to its loop until loop_watch_stop(), and does not own the descriptor: stop the
 *       watch first, then close. Stopping a watch or a timer from within its own callback is allowed.
 * TIME  now_ms is CLOCK_MONOTONIC at this instant, comparable between processes of one boot.
 */
#ifndef OS_LOOP_H
#define OS_LOOP_H

#include <stdint.h>

#include "base/env.h"
#include "base/err.h"

struct loop;
struct loop_watch;
struct loop_signal;

enum {
	LOOP_READ = 1,
	LOOP_WRITE = 2,
	LOOP_GONE = 4 /* reported only: the peer hung up or an error */
};

int loop_new(struct loop **ret_loop, struct error *err) MUST_CHECK;
void loop_free(struct loop *loop); /* stops every watch, timer and signal that is left */

struct env *loop_env(struct loop *loop);

void loop_run(struct loop *loop);  /* until loop_stop() */
void loop_stop(struct loop *loop); /* the current turn is finished first */

/* Call `ready` whenever one of `events` is true (level-triggered). `events` may be 0: only LOOP_GONE. */
int loop_watch_start(struct loop *loop, int fd, int events,
		     void (*ready)(void *context, int events), void *context,
		     struct loop_watch **ret_watch, struct error *err) MUST_CHECK;
void loop_watch_change(struct loop_watch *watch, int events);
void loop_watch_stop(struct loop_watch *watch); /* NULL is allowed */

int loop_signal_start(struct loop *loop, int number, void (*arrived)(void *context, int number),
		      void *context, struct loop_signal **ret_signal, struct error *err) MUST_CHECK;
void loop_signal_stop(struct loop_signal *signal); /* NULL is allowed */

/* Run `work` in another thread, then `done` in the loop. For what blocks: archives, large files. `work` may
 * touch nothing but its context. */
void loop_work(struct loop *loop, void (*work)(void *context), void (*done)(void *context),
	       void *context);

#endif
