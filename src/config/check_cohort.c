/* SPDX-License-Identifier: Apache-2.0
 * check_cohort - see check.h for the contract. */
#include "config/check.h"

static bool has_step(const struct app_strategy *strategy, uint32_t kinds)
{
	for (uint32_t i = 0; i < strategy->count; i++)
		if (strategy->steps[i].set & kinds)
			return true;
	return false;
}

void check_cohort(struct reader *r, const struct yaml_node *node, const struct resolved *resolved)
{
	const struct app_environment *environment = &resolved->environment;
	const struct app_cohort *cohort = &environment->cohort;
	const struct yaml_node *at = yaml_get(node, "cohort");
	if (!cohort->set)
		return;
	if (!has_step(&environment->strategy, APP_STEP_CANARY | APP_STEP_ROLLING))
		reader_error(
			r, at,
			"A cohort meets a release that has a share of the requests, and the "
			"strategy \"%s\" gives it none before all; use one with \"canary\", or "
			"remove \"cohort\".",
			environment->strategy.name);
	else if (cohort->only && !has_step(&environment->strategy, APP_STEP_CANARY))
		reader_error(r, at,
			     "\"only\" keeps others out of the steps of \"canary\", and the "
			     "strategy \"%s\" has none; remove it.",
			     environment->strategy.name);
}
