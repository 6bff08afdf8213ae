/* SPDX-License-Identifier: Apache-2.0
 * hook - see hook.h for the contract. */
#include "control/hook.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "control/environment.h"
#include "store/releases.h"

enum { BEFORE, AFTER, BEFORE_STEP, AFTER_STEP, INFRA_PLAN, INFRA_APPLY, KINDS };

static const struct hook hooks[KINDS] = {
	[BEFORE] = {STRATEGY_BEFORE, "migrate-before", "migrate.before", "before", false},
	[AFTER] = {STRATEGY_AFTER, "migrate-after", "migrate.after", "after", false},
	[BEFORE_STEP] = {STRATEGY_BEFORE_STEP, "before-step", "before_step", "before_step", true},
	[AFTER_STEP] = {STRATEGY_AFTER_STEP, "after-step", "after_step", "after_step", true},
	[INFRA_PLAN] = {STRATEGY_INFRA_PLAN, "infrastructure-plan", "infrastructure.plan", "plan",
			false, true},
	[INFRA_APPLY] = {STRATEGY_INFRA_APPLY, "infrastructure-apply", "infrastructure.apply",
			 "apply", false, true},
};

const struct hook *hook_of(const struct plan *plan, uint32_t step)
{
	if (step >= plan->step_count || plan->steps[step].op != PLAN_HOOK)
		return NULL;
	for (uint32_t i = 0; i < KINDS; i++)
		if (text_starts(plan->steps[step].label, hooks[i].label))
			return &hooks[i];
	return NULL;
}

const char *hook_step(const struct plan *plan, uint32_t step)
{
	const struct hook *hook = hook_of(plan, step);
	return hook && hook->around ? plan->steps[step].label + strlen(hook->label) : "";
}

const struct app_command *hook_command(const struct hook *hook,
				       const struct app_environment *config)
{
	const struct app_command *const commands[KINDS] = {
		[BEFORE] = &config->migrate.before,
		[AFTER] = &config->migrate.after,
		[BEFORE_STEP] = &config->hooks.before_step,
		[AFTER_STEP] = &config->hooks.after_step,
		[INFRA_PLAN] = &config->infrastructure.plan,
		[INFRA_APPLY] = &config->infrastructure.apply,
	};
	return commands[hook - hooks];
}

/* A plan may have two steps of the same name, but not of the same number. */
void hook_key(const struct environment *e, uint32_t rollout, const struct plan *plan, uint32_t step,
	      char *to, size_t size)
{
	const struct hook *hook = hook_of(plan, step);
	char number[16] = "";
	if (hook->around)
		snprintf(number, sizeof number, "/%u", step + 1);
	snprintf(to, size, "%s/%u/%s%s", e->key, rollout, hook->key, number);
}

/* The share of the requests that the new release has meanwhile, in percent. */
static void put_weight(const struct environment *e, const struct active_rollout *r, char *to,
		       size_t size)
{
	uint8_t slot = environment_find(&e->core, &r->state.release);
	uint32_t share_bp = slot == SLOT_NONE ? 0 : e->core.router.weight_bp[slot];
	char text[32];
	text_format_share(share_bp, text, sizeof text);
	snprintf(to, size, "DAVIT_WEIGHT=%.*s", (int)strcspn(text, "%"), text);
}

void hook_variables_make(struct environment *e, const struct active_rollout *r, const char *file,
			 struct hook_variables *ret_variables)
{
	struct hook_variables *v = ret_variables;
	const struct hook *hook = hook_of(&r->plan, r->state.cursor);
	struct store_release old = {.tag = ""};
	struct error ignored;
	char key[HOOK_VARIABLE_SIZE - 16];
	hook_key(e, r->number, &r->plan, r->state.cursor, key, sizeof key);
	if (r->old_hex[0] &&
	    store_release_get(e->control->parts.store, r->old_hex, &old, NULL, &ignored) < 0)
		text_copy(old.tag, sizeof old.tag, r->old_hex);
	snprintf(v->text[0], sizeof v->text[0], "DAVIT_KEY=%s", key);
	snprintf(v->text[1], sizeof v->text[1], "DAVIT_HOOK=%s", hook->word);
	snprintf(v->text[2], sizeof v->text[2], "DAVIT_STEP=%s",
		 hook_step(&r->plan, r->state.cursor));
	snprintf(v->text[3], sizeof v->text[3], "DAVIT_ROLLOUT=%u", r->number);
	snprintf(v->text[4], sizeof v->text[4], "DAVIT_PREVIOUS=%s", old.tag);
	put_weight(e, r, v->text[5], sizeof v->text[5]);
	for (uint32_t i = 0; i < HOOK_VARIABLES; i++)
		v->list[i] = v->text[i];
	snprintf(v->file, sizeof v->file, "DAVIT_PLAN=%s", file);
	v->list[HOOK_VARIABLES] = file[0] ? v->file : NULL;
	v->list[HOOK_VARIABLES + 1] = NULL;
}
