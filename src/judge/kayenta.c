/* SPDX-License-Identifier: Apache-2.0
 * kayenta - see kayenta.h for the contract. */
#include "judge/kayenta.h"

#include <math.h>

#include "base/err.h"
#include "judge/mann_whitney.h"
#include "judge/special.h"

static const double NOISE = 1e-5, NODATA_PERCENT = 50;
static const double VALUE_MAX = MANN_WHITNEY_VALUE_MAX / 10; /* room for the noise */

struct kayenta_settings kayenta_settings_default(enum kayenta_effect effect)
{
	double neutral = effect == KAYENTA_CHANCE_ABOVE ? 0.5 : 1;
	return (struct kayenta_settings){
		.direction = KAYENTA_EITHER,
		.effect = effect,
		.outlier_factor = 3,
		.allowed_increase = neutral,
		.allowed_decrease = neutral,
		.critical_increase = neutral,
		.critical_decrease = neutral,
		.tolerance = 0.25,
		.confidence = 0.98,
	};
}

static void clean(const struct kayenta_settings *settings, struct kayenta_series *series)
{
	uint32_t kept = 0;
	ASSERT(series->count <= SAMPLE_MAX);
	for (uint32_t i = 0; i < series->count; i++) {
		double point = series->points[i];
		if (!isnan(point) || settings->nan_is_zero)
			series->points[kept++] = isnan(point) ? 0 : point;
	}
	series->count = kept;
	sample_sort(series->points, kept);
	if (!settings->drop_outliers || kept == 0)
		return;
	struct sample_fences fences = sample_fences(series->points, kept, settings->outlier_factor);
	double low = fmin(sample_percentile(series->points, kept, 1), fences.low);
	double high = fmax(sample_percentile(series->points, kept, 99), fences.high);
	series->count = sample_keep(series->points, kept, low, high);
}

static bool constant(const struct kayenta_series *sorted)
{
	return sorted->points[0] == sorted->points[sorted->count - 1];
}

static bool equal(const struct kayenta_series *a, const struct kayenta_series *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (a->points[i] != b->points[i])
			return false;
	return true;
}

static bool beyond(const struct kayenta_series *sorted)
{
	return sorted->points[0] < -VALUE_MAX || sorted->points[sorted->count - 1] > VALUE_MAX;
}

static void add_noise(struct kayenta_series *series)
{
	double width = NOISE * fabs(series->points[0]);
	for (uint32_t i = 0; i < series->count; i++)
		series->points[i] += width * normal_quantile((i + 0.5) / series->count);
}

static double mean_ratio(const struct kayenta_series *experiment,
			 const struct kayenta_series *control)
{
	double above = sample_mean(experiment->points, experiment->count);
	double below = sample_mean(control->points, control->count);
	return above == 0 || below == 0 ? NAN : above / below;
}

/* An effect size that does not exist forbids nothing. */
static bool at_least(double effect, double bound)
{
	return isnan(effect) || effect >= bound;
}

static bool at_most(double effect, double bound)
{
	return isnan(effect) || effect <= bound;
}

static struct kayenta_result compare(const struct kayenta_settings *settings,
				     const struct kayenta_series *experiment,
				     const struct kayenta_series *control)
{
	struct mann_whitney_sample x = {experiment->points, experiment->count};
	struct mann_whitney_sample y = {control->points, control->count};
	struct kayenta_result result = {.class = KAYENTA_PASS};
	struct mann_whitney_shift shift;
	result.deviation = mean_ratio(experiment, control);
	result.effect = settings->effect == KAYENTA_CHANCE_ABOVE ? mann_whitney_chance_above(&x, &y)
								 : result.deviation;
	if (!mann_whitney_shift(&x, &y, settings->confidence, &shift)) {
		result.class = KAYENTA_ERROR;
		return result;
	}
	result.shift = shift.estimate;
	double bound = settings->tolerance * fabs(shift.estimate);
	if (settings->direction != KAYENTA_DECREASE && shift.low > bound &&
	    at_least(result.effect, settings->allowed_increase)) {
		result.class = KAYENTA_HIGH;
		result.critical =
			settings->critical && at_least(result.effect, settings->critical_increase);
	} else if (settings->direction != KAYENTA_INCREASE && shift.high < -bound &&
		   at_most(result.effect, settings->allowed_decrease)) {
		result.class = KAYENTA_LOW;
		result.critical =
			settings->critical && at_most(result.effect, settings->critical_decrease);
	}
	return result;
}

struct kayenta_result kayenta_classify(const struct kayenta_settings *settings,
				       struct kayenta_series *experiment,
				       struct kayenta_series *control)
{
	struct kayenta_result result = {.class = KAYENTA_PASS, .deviation = 1, .effect = 1};
	clean(settings, experiment);
	clean(settings, control);
	if (experiment->count == 0 || control->count == 0) {
		if (settings->nan_is_zero)
			return result;
		bool fails = settings->must_have_data && !settings->critical;
		result.class = fails ? KAYENTA_NODATA_FAIL : KAYENTA_NODATA;
		result.critical = settings->critical;
		return result;
	}
	if (beyond(experiment) || beyond(control)) {
		result.class = KAYENTA_ERROR;
		return result;
	}
	bool both_constant = constant(experiment) && constant(control);
	bool one_value = both_constant && experiment->points[0] == control->points[0];
	if (one_value || equal(experiment, control))
		return result;
	if (both_constant) {
		add_noise(experiment);
		add_noise(control);
	}
	return compare(settings, experiment, control);
}

/* What one group, or all metrics together, hold. */
struct tally {
	uint32_t all, passed, failed, no_data;
	bool critical; /* one did not pass that is critical */
};

static struct tally count_classes(const struct kayenta_metric *metrics, uint32_t count,
				  uint32_t groups)
{
	struct tally tally = {0};
	for (uint32_t i = 0; i < count; i++) {
		const struct kayenta_metric *m = &metrics[i];
		if (m->muted || (m->groups & groups) != groups)
			continue;
		tally.all++;
		tally.passed += m->class == KAYENTA_PASS;
		tally.no_data += m->class == KAYENTA_NODATA;
		tally.failed += m->class == KAYENTA_HIGH || m->class == KAYENTA_LOW ||
				m->class == KAYENTA_NODATA_FAIL;
		tally.critical |= m->critical && m->class != KAYENTA_PASS;
	}
	return tally;
}

/* The percents that a group without a weight of its own has. */
static double share_of_rest(const struct kayenta_thresholds *thresholds,
			    const struct kayenta_group *groups)
{
	double rest = 100;
	uint32_t unweighted = 0;
	for (uint32_t i = 0; i < KAYENTA_GROUPS_MAX; i++) {
		if (thresholds->weighted >> i & 1)
			rest -= thresholds->weight[i];
		else
			unweighted += groups[i].present;
	}
	return unweighted > 0 ? rest / unweighted : 0;
}

static double weigh(const struct kayenta_thresholds *thresholds, const struct kayenta_group *groups)
{
	double sum = 0, share = share_of_rest(thresholds, groups);
	for (uint32_t i = 0; i < KAYENTA_GROUPS_MAX; i++) {
		double weight = thresholds->weighted >> i & 1 ? thresholds->weight[i] : share;
		if (groups[i].present)
			sum += (groups[i].no_data ? 100 : groups[i].score) * (weight / 100);
	}
	return round(sum * 100) / 100;
}

struct kayenta_score kayenta_score(const struct kayenta_metric *metrics, uint32_t count,
				   const struct kayenta_thresholds *thresholds)
{
	struct kayenta_score score = {.reason = KAYENTA_BY_SCORE};
	for (uint32_t i = 0; i < KAYENTA_GROUPS_MAX; i++) {
		struct tally tally = count_classes(metrics, count, UINT32_C(1) << i);
		uint32_t known = tally.passed + tally.failed;
		score.group[i] = (struct kayenta_group){
			.present = tally.all > 0,
			.no_data = known == 0,
			.score = known > 0 ? 100.0 * tally.passed / known : 0,
		};
	}
	struct tally all = count_classes(metrics, count, 0);
	if (all.critical)
		score.reason = KAYENTA_BY_CRITICAL;
	else if (all.all > 0 && 100.0 * all.no_data / all.all >= NODATA_PERCENT)
		score.reason = KAYENTA_BY_NODATA;
	else
		score.score = weigh(thresholds, score.group);
	score.verdict = score.score >= thresholds->pass       ? KAYENTA_GOOD
			: score.score >= thresholds->marginal ? KAYENTA_MARGINAL
							      : KAYENTA_FAIL;
	return score;
}
