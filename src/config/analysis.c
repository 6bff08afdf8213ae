/* SPDX-License-Identifier: Apache-2.0
 * analysis - config_rules() of config.h: `analysis` in the words of the judge. */
#include "config/config.h"

enum { MS_IN_US = 1000 };

static void add_latency(struct judge_rules *rules, uint32_t quantile_bp,
			const struct app_latency_rule *rule)
{
	if (rule->set == 0)
		return;
	rules->latency[rules->latency_count++] =
		(struct judge_latency_rule){.quantile_bp = quantile_bp,
					    .max_us = rule->max_ms * MS_IN_US,
					    .at_least = rule->at_least,
					    .absolute = rule->absolute};
}

void config_rules(const struct resolved *resolved, struct judge_rules *ret_rules)
{
	const struct app_analysis *analysis = &resolved->environment.analysis;
	*ret_rules = (struct judge_rules){
		.on = analysis->state == APP_ANALYSIS_ON,
		.hang_ms = analysis->hang_ms,
		.when_too_little = (enum judge_when_too_little)analysis->when_too_little,
		.errors = {.on = true,
			   .max_bp = analysis->errors.max_bp,
			   .at_least = analysis->errors.at_least,
			   .absolute = analysis->errors.absolute},
	};
	add_latency(ret_rules, 5000, &analysis->latency.p50);
	add_latency(ret_rules, 9000, &analysis->latency.p90);
	add_latency(ret_rules, 9900, &analysis->latency.p99);
	add_latency(ret_rules, 9990, &analysis->latency.p999);
}
