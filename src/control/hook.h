/* SPDX-License-Identifier: Apache-2.0
 *
 * hook - which command a HOOK of a plan is, and what it is told: the environment that docs/how-to/hooks.md promises.
 *
 * HOW   The label of the step says which of them it is (strategy/strategy.h).
 * OWNS  hook_variables_make() fills a struct of the caller's; nothing has to be freed.
 */
#ifndef CONTROL_HOOK_H
#define CONTROL_HOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "config/app.h"
#include "rollout/plan.h"

struct active_rollout;
struct environment;

enum { HOOK_VARIABLES = 6, HOOK_VARIABLE_SIZE = 192, HOOK_FILE_SIZE = 1280 };

struct hook {
	const char *label; /* of the plan's step, or what it begins with */
	const char *
		name; /* "before-step", as `davit logs ENV/…` wants it: in the place of a process's name */
	const char *word; /* DAVIT_HOOK: "before_step" */
	const char *key;  /* in DAVIT_KEY */
	bool around;      /* a step of the strategy: there are several in a plan */
	bool planned;     /* of infrastructure */
};

/* NULL: the step is no command. */
const struct hook *hook_of(const struct plan *plan, uint32_t step);

/* The step that it stands around, "10%"; "" where it stands around none. */
const char *hook_step(const struct plan *plan, uint32_t step);

/* What the configuration of the release says to run; `set` is 0 where it says nothing. */
const struct app_command *hook_command(const struct hook *hook,
				       const struct app_environment *config);

/* "shop/prod/42/before_step/7": the same in every try of one step of one rollout. */
void hook_key(const struct environment *e, uint32_t rollout, const struct plan *plan, uint32_t step,
	      char *to, size_t size);

struct hook_variables {
	char text[HOOK_VARIABLES][HOOK_VARIABLE_SIZE]; /* "NAME=value" */
	char file[HOOK_FILE_SIZE];                     /* DAVIT_PLAN, where there is one */
	const char *list[HOOK_VARIABLES + 2];          /* NULL-terminated */
};

/* Of the step where the rollout stands, which is a HOOK; `file` is "" but for infrastructure. */
void hook_variables_make(struct environment *e, const struct active_rollout *r, const char *file,
			 struct hook_variables *ret_variables);

#endif
