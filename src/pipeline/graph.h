/* SPDX-License-Identifier: Apache-2.0
 *
 * graph - which stage of a run starts when: (plan, state, event) to state and effects.
 *
 * WHAT  A stage starts when all it needs have passed and fewer than `parallel` run. One that was left out
 *       (`when`) counts as passed for those that need it. After a failure no further stage starts, but what
 *       runs goes on to its end: its result is worth having. Those that did not start are skipped, and know
 *       which stage was to blame.
 *       What an earlier run did already is `taken`: it has passed from the beginning.
 *       A `finally` stage waits for the end of what it needs, however it ends; without needs, for the end of
 *       every stage that is none. It starts after a failure as well, but not after a cancellation.
 *
 * HOW   PURE: no clock, no allocator. graph_begin(), then graph_step() with each event, and do what the effects
 *       say. An attempt has a number: START says which, and ENDED must repeat it; an answer for any other is
 *       ignored, so that late and double ones do no harm. After a restart GRAPH_BOOT makes a new attempt of
 *       every stage that ran, and takes none of its tries.
 *       A stage that was told to STOP is running until its ENDED comes. Time comes with GRAPH_TICK alone.
 *
 * OWNS  Caller's memory. The state is plain data and may be stored as it is, with its plan.
 * LIMITS GRAPH_STAGES_MAX stages; a plan has no circles (config/ refuses them).
 */
#ifndef PIPELINE_GRAPH_H
#define PIPELINE_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

enum { GRAPH_STAGES_MAX = 32, GRAPH_EFFECTS_MAX = 2 * GRAPH_STAGES_MAX + 1, GRAPH_NOBODY = 255 };

struct graph_plan {
	uint32_t count;
	uint32_t parallel; /* at least 1 */
	struct graph_plan_stage {
		uint32_t needs;      /* a bit for each */
		uint64_t timeout_ms; /* of one attempt; 0: none */
		uint32_t retry;
		bool finally;
		bool left_out;  /* by `when`, or because only a part is wanted */
		uint32_t taken; /* the attempt that passed before this run; 0: none did */
	} stages[GRAPH_STAGES_MAX];
};

enum graph_state {
	GRAPH_PENDING,
	GRAPH_RUNNING,
	GRAPH_PASSED,
	GRAPH_FAILED,
	GRAPH_SKIPPED,
	GRAPH_CANCELLED,
	GRAPH_STATE_COUNT
};

enum graph_stop { GRAPH_STOP_NOT, GRAPH_STOP_TIMEOUT, GRAPH_STOP_CANCEL };

struct graph_stage {
	enum graph_state state;
	enum graph_stop stop; /* of the attempt that runs, or of the last */
	uint32_t attempt;     /* counts from 1; 0: none yet */
	uint32_t failures;    /* attempts that count against `retry` */
	uint64_t elapsed_ms;  /* of this attempt */
	uint8_t blame; /* of a skipped one: the stage that failed; GRAPH_NOBODY: it was left out */
};

struct graph {
	struct graph_stage stages[GRAPH_STAGES_MAX];
	uint8_t failed; /* the first stage that did; GRAPH_NOBODY: none */
	bool cancelled;
	bool done;
};

enum graph_result {
	GRAPH_RESULT_PASSED,
	GRAPH_RESULT_FAILED,
	GRAPH_RESULT_BROKEN, /* failed in a way that another try cannot mend */
};

enum graph_event_kind { GRAPH_ENDED, GRAPH_TICK, GRAPH_CANCEL, GRAPH_BOOT };

struct graph_event {
	enum graph_event_kind kind;
	uint8_t stage;            /* ENDED */
	uint32_t attempt;         /* ENDED */
	enum graph_result result; /* ENDED */
	uint64_t ms;              /* TICK: since the last one */
};

enum graph_effect_kind { GRAPH_START, GRAPH_STOP, GRAPH_DONE };

struct graph_effect {
	enum graph_effect_kind kind;
	uint8_t stage;
	uint32_t attempt;
	enum graph_stop why; /* STOP */
};

struct graph_effects {
	uint32_t count;
	struct graph_effect items[GRAPH_EFFECTS_MAX];
};

/* The first stages of a run. */
void graph_begin(const struct graph_plan *plan, struct graph *ret_graph,
		 struct graph_effects *ret_effects);

void graph_step(const struct graph_plan *plan, struct graph *graph, const struct graph_event *event,
		struct graph_effects *ret_effects);

/* All that a stage needs, and what those need: a bit for each, its own as well. */
uint32_t graph_closure(const struct graph_plan *plan, uint32_t stage);

/* How a done run ended: PASSED, FAILED or CANCELLED; RUNNING before. */
enum graph_state graph_outcome(const struct graph *graph);

/* When the next attempt runs out of time, if no event comes before: its rest in ms; UINT64_MAX: never. */
uint64_t graph_next_ms(const struct graph_plan *plan, const struct graph *graph);

/* "pending", "running", "passed", "failed", "skipped", "cancelled". */
const char *graph_state_name(enum graph_state state);

#endif
