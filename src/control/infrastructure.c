/* SPDX-License-Identifier: Apache-2.0
 * infrastructure - see infrastructure.h for the contract. */
#include "control/infrastructure.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "control/environment.h"
#include "provider/plans.h"

enum { EXIT_SAME = 0, EXIT_CHANGES = 2 /* as of `terraform plan -detailed-exitcode` */ };

bool infrastructure_at_gate(const struct active_rollout *r)
{
	const struct rollout *s = &r->state;
	bool waiting = s->status == ROLLOUT_RUNNING || s->status == ROLLOUT_PAUSED;
	return waiting && s->cursor < r->plan.step_count &&
	       r->plan.steps[s->cursor].op == PLAN_GATE &&
	       strcmp(r->plan.steps[s->cursor].label, STRATEGY_INFRA_GATE) == 0;
}

bool infrastructure_read(const struct environment *e, uint32_t rollout,
			 struct store_infrastructure *ret_row)
{
	struct error ignored;
	*ret_row = (struct store_infrastructure){.rollout = 0};
	return store_infrastructure_get(e->control->parts.store, rollout, ret_row, &ignored) == 1;
}

static const char *user_of(const struct active_rollout *r)
{
	return release_command_process(&r->candidate)->user;
}

int infrastructure_file(struct environment *e, const struct active_rollout *r,
			const struct hook *hook, char *ret_path, struct error *err)
{
	struct plans *plans = e->control->parts.plans;
	struct store_infrastructure row;
	struct digest digest;
	ret_path[0] = '\0';
	if (!plans)
		return error_set(err, ERR_UNSUPPORTED, "No infrastructure is changed from here.");
	if (strcmp(hook->label, STRATEGY_INFRA_PLAN) == 0)
		return plans->ops->ask(plans, r->number, user_of(r), ret_path, err);
	if (!infrastructure_read(e, r->number, &row) || !digest_parse(row.digest, &digest))
		return error_set(err, ERR_CORRUPT, "It is not known what was planned.");
	return plans->ops->open(plans, r->number, &digest, ret_path, err);
}

int infrastructure_keep(struct environment *e, const struct active_rollout *r, const char *instance,
			int exit_code, struct error *err)
{
	struct control *c = e->control;
	struct plans *plans = c->parts.plans;
	struct store_infrastructure row = {.rollout = r->number,
					   .changes = exit_code == EXIT_CHANGES,
					   .at_unix_ms = env_wall_ms(c->parts.env)};
	struct digest digest;
	if (exit_code != EXIT_SAME && exit_code != EXIT_CHANGES)
		return error_set(err, ERR_INVALID, "It exited with %d", exit_code);
	plans->ops->words(plans, instance, row.summary, sizeof row.summary);
	if (row.changes) {
		int result = plans->ops->seal(plans, r->number, user_of(r), &digest, err);
		if (result == ERR_NOT_FOUND)
			return error_set(
				err, ERR_INVALID,
				"It exited with 2, which says that there are changes, and wrote "
				"no file $DAVIT_PLAN");
		if (result == ERR_LIMIT)
			return error_set(err, ERR_INVALID, "The file $DAVIT_PLAN is too large");
		if (result < 0)
			return result;
		digest_format(&digest, row.digest);
	}
	control_begin(c, false);
	store_add_infrastructure(c->parts.store, &row);
	return control_commit(c, err);
}

void infrastructure_forget(const struct environment *e, const struct active_rollout *r)
{
	struct plans *plans = e->control->parts.plans;
	struct error err;
	if (plans && r->candidate.config &&
	    r->candidate.config->environment.infrastructure.set != 0 &&
	    plans->ops->forget(plans, r->number, &err) < 0)
		log_event(LOG_WARNING, "infrastructure.forget", "rollout=%u error=\"%s\"",
			  r->number, err.text);
}
