/* SPDX-License-Identifier: Apache-2.0
 *
 * timer - see timer.h for the contract.
 */
#include "gateway/timer.h"

#include <stddef.h>

void wheel_init(struct wheel *wheel, uint64_t now_ms)
{
	for (uint32_t i = 0; i < WHEEL_SLOTS; i++)
		wheel->slots[i].next = wheel->slots[i].prev = &wheel->slots[i];
	wheel->tick = now_ms / WHEEL_TICK_MS;
	wheel->count = 0;
}

static void unlink_timer(struct timer *timer)
{
	timer->next->prev = timer->prev;
	timer->prev->next = timer->next;
	timer->next = timer->prev = NULL;
}

static void link_timer(struct wheel *wheel, struct timer *timer)
{
	uint64_t tick = timer->deadline_ms / WHEEL_TICK_MS + 1; /* never early */
	if (tick < wheel->tick)
		tick = wheel->tick;
	struct timer *head = &wheel->slots[tick % WHEEL_SLOTS];
	timer->slot_tick = tick;
	timer->next = head->next;
	timer->prev = head;
	head->next->prev = timer;
	head->next = timer;
}

void timer_set(struct wheel *wheel, struct timer *timer, uint64_t deadline_ms)
{
	timer->deadline_ms = deadline_ms;
	if (timer->next) {
		if (deadline_ms / WHEEL_TICK_MS + 1 >= timer->slot_tick)
			return;
		unlink_timer(timer);
	} else {
		wheel->count++;
	}
	link_timer(wheel, timer);
}

void timer_stop(struct wheel *wheel, struct timer *timer)
{
	if (!timer->next)
		return;
	unlink_timer(timer);
	wheel->count--;
}

bool timer_runs(const struct timer *timer)
{
	return timer->next != NULL;
}

/* One slot: fire what is due, move what was set to later, leave what belongs to a later round. */
static void turn_slot(struct wheel *wheel, struct worker *w, uint64_t tick, uint64_t now_ms)
{
	struct timer *head = &wheel->slots[tick % WHEEL_SLOTS];
	struct timer due = {.next = &due, .prev = &due};
	if (head->next == head)
		return;
	/* Take the whole list: what a callback sets anew must not be met again in this turn. */
	due.next = head->next;
	due.prev = head->prev;
	due.next->prev = &due;
	due.prev->next = &due;
	head->next = head->prev = head;
	while (due.next != &due) {
		struct timer *timer = due.next;
		unlink_timer(timer);
		if (timer->deadline_ms > now_ms) {
			link_timer(wheel, timer);
			continue;
		}
		wheel->count--;
		timer->fire(w, timer);
	}
}

void wheel_turn(struct wheel *wheel, struct worker *w, uint64_t now_ms)
{
	uint64_t until = now_ms / WHEEL_TICK_MS;
	if (until >= wheel->tick + WHEEL_SLOTS)
		wheel->tick = until - WHEEL_SLOTS + 1; /* once round is all there is */
	while (wheel->tick <= until) {
		uint64_t tick = wheel->tick++;
		turn_slot(wheel, w, tick, now_ms);
	}
}

uint32_t wheel_sleep_ms(const struct wheel *wheel, uint64_t now_ms, uint32_t most_ms)
{
	if (!wheel->count)
		return most_ms;
	for (uint64_t tick = wheel->tick; tick * WHEEL_TICK_MS <= now_ms + most_ms; tick++) {
		const struct timer *head = &wheel->slots[tick % WHEEL_SLOTS];
		if (head->next == head)
			continue;
		uint64_t at_ms = tick * WHEEL_TICK_MS;
		return at_ms <= now_ms ? 1 : (uint32_t)(at_ms - now_ms);
	}
	return most_ms;
}
