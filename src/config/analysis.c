/* SPDX-License-Identifier: Apache-2.0
 * analysis - config_rules(), config_judge() and config_kayenta() of config.h: `analysis` in the words of the judge. */
#include "base/text.h"
#include "config/config.h"
#include "config/keys.h"
#include "config/schema.h"

enum { MS_IN_US = 1000, MILLI_POINTS_FULL = 100000 };

/* Beside the 1 that all others have together. Instances seldom crash: that must not make errors slower to find. */
static const double CRASHES_WEIGHT = 0.05, MEASURE_WEIGHT = 0.1;
static const double FINE_RATIO = 3; /* of metrics that gate nothing */
static const double LEAST_LEFT =
	0.05; /* of what may become less: a twentieth, the judge's greatest ratio */

static bool is_written(const struct schema_section *section, uint32_t set, const char *key)
{
	return set & schema_bit(section, schema_find(section, key));
}

static void add_latency(struct judge_rules *rules, uint32_t quantile_bp,
			const struct app_latency_rule *rule)
{
	if (rule->max_ms == 0)
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
	bool written = is_written(&schema_errors, analysis->errors.set, "max");
	judge_rules_default(ret_rules);
	ret_rules->on = analysis->state == APP_ANALYSIS_ON;
	ret_rules->hang_ms = analysis->hang_ms;
	ret_rules->when_too_little = (enum judge_when_too_little)analysis->when_too_little;
	ret_rules->errors.on = written || analysis->method == APP_JUDGE_RULES;
	if (written)
		ret_rules->errors.max_bp = analysis->errors.max_bp;
	ret_rules->errors.at_least = analysis->errors.at_least;
	ret_rules->errors.absolute = analysis->errors.absolute;
	add_latency(ret_rules, 5000, &analysis->latency.p50);
	add_latency(ret_rules, 9000, &analysis->latency.p90);
	add_latency(ret_rules, 9900, &analysis->latency.p99);
	add_latency(ret_rules, 9990, &analysis->latency.p999);
}

static double share_of(uint32_t bp)
{
	return (double)bp / SHARE_FULL_BP;
}

static double points_of(uint32_t milli)
{
	return (double)milli / MILLI_POINTS_FULL;
}

static void set_latency(struct judge_settings *to, uint32_t index,
			const struct app_latency_rule *rule)
{
	struct judge_metric_settings *metric = &to->metrics[JUDGE_METRIC_LATENCY + index];
	if (rule->set == 0)
		return;
	metric->scale = 1 + share_of(rule->worse_by_bp);
	metric->slack_us = (double)(rule->or_by_ms * MS_IN_US);
}

static void set_latencies(struct judge_settings *to, const struct app_latency *latency)
{
	if (latency->p999.set != 0)
		judge_settings_slowest(to);
	set_latency(to, 0, &latency->p50);
	set_latency(to, 1, &latency->p90);
	set_latency(to, 2, &latency->p99);
	set_latency(to, 3, &latency->p999);
	for (uint32_t i = 0; latency->state == APP_ANALYSIS_OFF && i < JUDGE_LATENCIES; i++)
		to->metrics[JUDGE_METRIC_LATENCY + i].name[0] = '\0';
}

static double greater_by(uint32_t bp)
{
	return 1 + share_of(bp);
}

static void add_counted(struct judge_settings *to, uint32_t index, const char *name, double weight,
			const struct app_count_rule *rule)
{
	const struct judge_proportion_settings counted = {
		.counts = true, .ratio = greater_by(rule->worse_by_bp), .fine_ratio = FINE_RATIO};
	if (rule->state == APP_ANALYSIS_ON)
		judge_settings_extra(to, index, name, &counted, weight);
}

static void add_mean(struct judge_settings *to, uint32_t index, const char *name,
		     enum judge_unit unit, uint32_t worse_by_bp)
{
	to->means[index] = (struct judge_mean_settings){
		.unit = unit, .weight = MEASURE_WEIGHT, .ratio = greater_by(worse_by_bp)};
	text_copy(to->means[index].name, sizeof to->means[index].name, name);
}

static void add_kpi(struct judge_settings *to, uint32_t i, const struct app_kpi *kpi)
{
	bool higher = kpi->direction == APP_HIGHER;
	double left = 1 - share_of(kpi->worse_by_bp);
	if (kpi->set & APP_KPI_SUM) {
		add_mean(to, JUDGE_MEAN_KPI + i, kpi->name, JUDGE_UNIT_NUMBER, kpi->worse_by_bp);
		struct judge_mean_settings *mean = &to->means[JUDGE_MEAN_KPI + i];
		mean->fewer = higher;
		if (higher)
			mean->ratio = left > LEAST_LEFT ? left : LEAST_LEFT;
		return;
	}
	struct judge_proportion_settings counted = {.common = kpi->set & APP_KPI_OF,
						    .counts = !(kpi->set & APP_KPI_OF),
						    .fewer = higher,
						    .ratio = greater_by(kpi->worse_by_bp),
						    .fine_ratio = FINE_RATIO};
	if (higher)
		counted.ratio = 1 / (left > LEAST_LEFT ? left : LEAST_LEFT);
	judge_settings_extra(to, JUDGE_EXTRA_KPI + i, kpi->name, &counted, MEASURE_WEIGHT);
}

static void add_measures(struct judge_settings *to, const struct app_analysis *analysis)
{
	add_counted(to, JUDGE_EXTRA_CRASHES, "crashes", CRASHES_WEIGHT, &analysis->crashes);
	if (analysis->log_errors.set != 0)
		add_counted(to, JUDGE_EXTRA_LOG_ERRORS, "log errors", MEASURE_WEIGHT,
			    &analysis->log_errors);
	if (analysis->cpu.set != 0 && analysis->cpu.state == APP_ANALYSIS_ON)
		add_mean(to, JUDGE_MEAN_CPU, "cpu", JUDGE_UNIT_TIME, analysis->cpu.worse_by_bp);
	if (analysis->memory.set != 0 && analysis->memory.state == APP_ANALYSIS_ON)
		add_mean(to, JUDGE_MEAN_MEMORY, "memory", JUDGE_UNIT_BYTES,
			 analysis->memory.worse_by_bp);
	for (uint32_t i = 0; i < analysis->kpi_count; i++)
		add_kpi(to, i, &analysis->kpis[i]);
}

bool config_judge(const struct resolved *resolved, struct judge_settings *ret_settings)
{
	const struct app_analysis *analysis = &resolved->environment.analysis;
	judge_settings_default(ret_settings);
	ret_settings->alpha = share_of(analysis->false_alarms_bp);
	ret_settings->beta = share_of(analysis->wrong_passes_bp);
	struct judge_proportion_settings *errors =
		&ret_settings->metrics[JUDGE_METRIC_ERRORS].proportion;
	errors->ratio = 1 + share_of(analysis->errors.worse_by_bp);
	errors->points = points_of(analysis->errors.or_points_milli);
	errors->fine_share = share_of(analysis->errors.pass_below_bp);
	struct judge_metric_settings *refused = &ret_settings->metrics[JUDGE_METRIC_REFUSED];
	refused->proportion.ratio = 1 + share_of(analysis->refused.worse_by_bp);
	refused->proportion.points = points_of(analysis->refused.or_points_milli);
	if (analysis->refused.state == APP_ANALYSIS_OFF)
		refused->name[0] = '\0';
	set_latencies(ret_settings, &analysis->latency);
	add_measures(ret_settings, analysis);
	return analysis->state == APP_ANALYSIS_ON && analysis->method == APP_JUDGE_SEQUENTIAL;
}

bool config_kayenta(const struct resolved *resolved, struct config_kayenta *ret_settings)
{
	const struct app_analysis *analysis = &resolved->environment.analysis;
	const struct app_kayenta *kayenta = &analysis->kayenta;
	struct kayenta_settings metric = kayenta_settings_default(KAYENTA_MEAN_RATIO);
	metric.direction = KAYENTA_INCREASE;
	metric.tolerance = share_of(kayenta->tolerance_bp);
	metric.allowed_increase = 1 + share_of(kayenta->allowed_increase_bp);
	*ret_settings = (struct config_kayenta){
		.interval_ms = kayenta->interval_ms,
		.points = kayenta->points,
		.thresholds = {.pass = kayenta->pass, .marginal = kayenta->marginal},
	};
	for (uint32_t m = 0; m < CONFIG_KAYENTA_METRICS; m++) {
		ret_settings->metrics[m].settings = metric;
		ret_settings->metrics[m].settings.critical = kayenta->critical >> m & 1;
		ret_settings->metrics[m].muted =
			m != CONFIG_KAYENTA_ERRORS && analysis->latency.state == APP_ANALYSIS_OFF;
	}
	return analysis->state == APP_ANALYSIS_ON && analysis->method == APP_JUDGE_MANN_WHITNEY;
}
