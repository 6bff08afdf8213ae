/* SPDX-License-Identifier: Apache-2.0
 *
 * run - one run of a pipeline: the graph decides, a builder does it, the environment brings the time.
 *
 * HOW   run_new() from davit.yaml, run_begin(); `changed` after each change of a stage, `line` with what it writes,
 *       `done` once, all from the loop; then run_free(). run_cancel() stops everything; `done` follows.
 * OWNS  The app, the environment and the builder must live as long as the run. The builder's listener is the run's.
 * ERRORS NOT_FOUND: there is no stage of that name, or no pipeline.
 */
#ifndef PIPELINE_RUN_H
#define PIPELINE_RUN_H

#include "base/env.h"
#include "config/config.h"
#include "pipeline/graph.h"
#include "provider/builder.h"

struct run;

struct run_settings {
	const char *branch; /* of the commit, for `when`; "": none */
	const char *tag;    /* that is built, for the same; "" or NULL: none */
	const char *only;   /* this stage and what it needs; NULL: all */
	uint32_t parallel;  /* at least 1 */
	/* "stages/npm=value": what stages can ask for. NULL: nothing, and `no_secrets` is why, a sentence. */
	const char *const *secrets;
	uint32_t secret_count;
	const char *no_secrets;
};

struct run_listener {
	void (*changed)(void *context, uint32_t stage);
	void (*line)(void *context, uint32_t stage, const char *text, size_t size);
	void (*done)(void *context);
	void *context;
};

/* What is known of a stage. */
struct run_stage {
	const char *name;
	const struct graph_stage *graph;
	const struct builder_result *result; /* of the last attempt that ended; all zero before */
	uint64_t took_ms;                    /* of all attempts, so far */
	const char *blame;                   /* of a skipped one: the stage that failed, or NULL */
};

int run_new(struct env *env, struct builder *builder, const struct app *app,
	    const struct run_settings *settings, const struct run_listener *listener,
	    struct run **ret_run, struct error *err) MUST_CHECK;
void run_free(struct run *run);

/* Before the beginning: a stage that passed in an earlier run of the same commit may be taken over where all that it
 * needs was, so that what one run makes never meets what another made of something else. `finally` runs every time. */
bool run_can_take(const struct run *run, uint32_t index);
bool run_is_taken(const struct run *run, uint32_t index);
void run_take(struct run *run, uint32_t index, uint32_t attempt, uint64_t took_ms,
	      const struct builder_result *result);

void run_begin(struct run *run);
void run_cancel(struct run *run);

uint32_t run_count(const struct run *run);
struct run_stage run_stage(const struct run *run, uint32_t index);
enum graph_state run_outcome(const struct run *run);

#endif
