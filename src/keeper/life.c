/* SPDX-License-Identifier: Apache-2.0
 * life - see life.h for the contract. */
#include "keeper/life.h"

#include <string.h>

void life_init(struct life *life, struct instance_version version, uint64_t now_ms)
{
	*life = (struct life){.applied = version, .due_ms = now_ms};
}

int life_want(struct life *life, const struct instance_spec *spec, const struct keeper_want *want,
	      struct error *err)
{
	const struct instance_status now = {.traffic = spec->traffic,
					    .state = life_state(life),
					    .want = life->want,
					    .applied = life->applied};
	int code = instance_want_check(&now, want->version, want->want, want->undrained, err);
	if (code < 0)
		return code;
	life->applied = want->version;
	life->want = want->want;
	if (life->want != INSTANCE_KEEP && life->phase == LIFE_WAITING)
		life->phase = LIFE_OVER;
	return 0;
}

void life_started(struct life *life, const struct instance_spec *spec, uint64_t now_ms)
{
	life->phase = LIFE_RUNNING;
	life->healthy = spec->health.kind == INSTANCE_HEALTH_NONE;
	life->was_ready = false;
	life->streak = 0;
	life->changed_ms = now_ms;
	life->ready_since_ms = 0;
}

void life_probed(struct life *life, const struct instance_spec *spec, bool passed, uint64_t now_ms)
{
	if (life->phase != LIFE_RUNNING)
		return;
	if (passed == life->healthy) {
		life->streak = 0;
		return;
	}
	if (++life->streak < (passed ? spec->health.passes : spec->health.fails))
		return;
	life->healthy = passed;
	life->streak = 0;
	life->changed_ms = now_ms;
	if (!passed)
		life->ready_since_ms = 0;
}

void life_ending(struct life *life)
{
	life->phase = LIFE_ENDING;
	life->healthy = false;
	life->ready_since_ms = 0;
}

/* Keep the crashes of the window only, and add this one. */
static void note_crash(struct life *life, const struct instance_restart *rules, uint64_t now_ms)
{
	uint32_t kept = 0;
	for (uint32_t i = 0; i < life->crash_count; i++)
		if (life->crashes_ms[i] + rules->window_ms > now_ms)
			life->crashes_ms[kept++] = life->crashes_ms[i];
	if (kept == LIFE_CRASHES_MAX) {
		memmove(life->crashes_ms, life->crashes_ms + 1,
			(LIFE_CRASHES_MAX - 1) * sizeof life->crashes_ms[0]);
		kept--;
	}
	life->crashes_ms[kept] = now_ms;
	life->crash_count = kept + 1;
}

static uint64_t pause_ms(const struct life *life, const struct instance_restart *rules)
{
	uint64_t pause = rules->first_ms;
	for (uint32_t i = 1; i < life->crash_count && pause < rules->most_ms; i++)
		pause *= 2;
	return pause < rules->most_ms ? pause : rules->most_ms;
}

void life_ended(struct life *life, const struct instance_spec *spec, uint64_t now_ms)
{
	life->healthy = false;
	life->ready_since_ms = 0;
	if (life->want != INSTANCE_KEEP) {
		life->phase = LIFE_OVER;
		return;
	}
	note_crash(life, &spec->restart, now_ms);
	if (life->crash_count > spec->restart.limit) {
		life->phase = LIFE_OVER;
		life->failed = true;
		return;
	}
	life->phase = LIFE_WAITING;
	life->restarts++;
	life->due_ms = now_ms + pause_ms(life, &spec->restart);
}

void life_postponed(struct life *life, uint64_t until_ms)
{
	life->phase = LIFE_WAITING;
	life->due_ms = until_ms;
}

void life_refused(struct life *life, const struct instance_spec *spec, uint64_t now_ms)
{
	if (life->restarts == 0 && !life->was_ready && life->want == INSTANCE_KEEP)
		life_give_up(life);
	else
		life_ended(life, spec, now_ms);
}

void life_give_up(struct life *life)
{
	life->phase = LIFE_OVER;
	life->failed = true;
}

static uint64_t ready_at_ms(const struct life *life, const struct instance_spec *spec)
{
	return life->changed_ms + spec->health.min_healthy_ms;
}

static uint64_t hung_at_ms(const struct life *life, const struct instance_spec *spec)
{
	return life->changed_ms + spec->health.deadline_ms;
}

enum life_action life_next(struct life *life, const struct instance_spec *spec, uint64_t now_ms)
{
	if (life->phase == LIFE_WAITING)
		return now_ms >= life->due_ms ? LIFE_START : LIFE_NOTHING;
	if (life->phase != LIFE_RUNNING)
		return LIFE_NOTHING;
	if (life->want == INSTANCE_STOP)
		return LIFE_STOP;
	if (!life->healthy)
		return now_ms >= hung_at_ms(life, spec) ? LIFE_KILL : LIFE_NOTHING;
	if (!life->ready_since_ms && now_ms >= ready_at_ms(life, spec)) {
		life->ready_since_ms = now_ms;
		life->was_ready = true;
	}
	return LIFE_NOTHING;
}

uint64_t life_wake_ms(const struct life *life, const struct instance_spec *spec)
{
	if (life->phase == LIFE_WAITING)
		return life->due_ms;
	if (life->phase != LIFE_RUNNING)
		return UINT64_MAX;
	if (!life->healthy)
		return hung_at_ms(life, spec);
	return life->ready_since_ms ? UINT64_MAX : ready_at_ms(life, spec);
}

enum instance_state life_state(const struct life *life)
{
	switch (life->phase) {
	case LIFE_WAITING: return INSTANCE_STARTING;
	case LIFE_ENDING: /* after a crash or a hang it is to come again */
		return life->want == INSTANCE_KEEP ? INSTANCE_STARTING : INSTANCE_STOPPING;
	case LIFE_OVER: return life->failed ? INSTANCE_FAILED : INSTANCE_EXITED;
	case LIFE_RUNNING:
	case LIFE_PHASE_COUNT: break;
	}
	if (life->want == INSTANCE_DRAIN)
		return INSTANCE_DRAINING;
	if (life->ready_since_ms)
		return INSTANCE_READY;
	return life->was_ready ? INSTANCE_UNHEALTHY : INSTANCE_RUNNING;
}
