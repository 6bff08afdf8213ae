/* SPDX-License-Identifier: Apache-2.0
 * keys_hooks - see keys.h for the contract. What runs around the steps of a strategy. */
#include "config/app.h"
#include "config/keys.h"

static const struct schema_key hook_keys[] = {
	{"before_step", SCHEMA_SECTION, AT(app_hooks, before_step), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_command, .example = "bin/announce",
	 .doc = "Runs before each step, once per step of a rollout: before its first instance "
		"starts "
		"and before its share of the requests. The step waits for it. When it fails, the "
		"rollout goes back."},
	{"after_step", SCHEMA_SECTION, AT(app_hooks, after_step), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_command, .example = "bin/measure",
	 .doc = "Runs after each step has passed, once. The next step waits for it. When it fails, "
		"the "
		"rollout goes back."},
	{"timeout", SCHEMA_DURATION, AT(app_hooks, timeout_ms), .fallback = "5m", .min = SECOND(1),
	 .max = DAY(1), .doc = "How long each may take. Then it is ended, and has failed."},
};

const struct schema_section schema_hooks = {
	.title = "hooks",
	KEYS(hook_keys),
	.doc = "Commands around each step of the strategy: a `check`, a `shadow`, each share of a "
	       "`canary`, each batch of a `rolling`, a `recreate`, a `switch`, a `bake`. They run "
	       "as "
	       "those of `migrate` do, as an instance of the new release would, and are told which "
	       "step it is (`DAVIT_STEP`). None runs on a rollback, on the way back, or on a "
	       "restart: going back waits for nothing. `DAVIT_KEY` is the same in every try of one "
	       "step's command."};
