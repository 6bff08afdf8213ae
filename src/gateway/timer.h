/* SPDX-License-Identifier: Apache-2.0
 *
 * timer - a hashed wheel: deadlines by the thousand that mostly never come.
 *
 * HOW   timer_set() costs a store when a running timer moves to a later instant, as most do: it stays in
 *       its slot, and is put where it belongs when the wheel passes there. wheel_turn() fires what is
 *       due, from the loop, each once; a timer may be set and stopped from inside.
 * TIME  Monotonic milliseconds, the caller's. A timer fires at most WHEEL_TICK_MS late, never early.
 * OWNS  A timer is a part of its owner, zeroed at first, with `fire` set before the first start.
 */
#ifndef GATEWAY_TIMER_H
#define GATEWAY_TIMER_H

#include <stdbool.h>
#include <stdint.h>

enum { WHEEL_SLOTS = 1024, WHEEL_TICK_MS = 8 };

struct worker;

struct timer {
	struct timer *next, *prev; /* NULL: not in the wheel */
	uint64_t deadline_ms;
	uint64_t slot_tick;
	void (*fire)(struct worker *w, struct timer *timer);
};

struct wheel {
	struct timer slots[WHEEL_SLOTS]; /* heads of circular lists */
	uint64_t tick;                   /* all before it have been turned */
	uint32_t count;
};

void wheel_init(struct wheel *wheel, uint64_t now_ms);
void timer_set(struct wheel *wheel, struct timer *timer, uint64_t deadline_ms);
void timer_stop(struct wheel *wheel, struct timer *timer);
bool timer_runs(const struct timer *timer);

void wheel_turn(struct wheel *wheel, struct worker *w, uint64_t now_ms);

/* How long one may sleep before the next turn: at most `most_ms`. */
uint32_t wheel_sleep_ms(const struct wheel *wheel, uint64_t now_ms, uint32_t most_ms);

#endif
