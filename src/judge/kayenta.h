/* SPDX-License-Identifier: Apache-2.0
 *
 * kayenta - the judge of Netflix's and Google's Kayenta ("NetflixACAJudge-v1.0"), for those who come from
 *           there with its settings, and as the mark that the judge of davit is measured against.
 *
 * WHAT  A metric is two series of points, one a minute or so: of the new release (experiment) and of a
 *       control. Each metric is classified; the classes become scores of groups, one score from 0 to 100,
 *       and PASS, MARGINAL or FAIL. Every number that Kayenta's own tests assert comes out the same.
 *
 * HOW   kayenta_classify() for each metric, then kayenta_score() over the results.
 *
 *       1. Points that are NAN are dropped, or become 0 (`nan_is_zero`).
 *       2. `drop_outliers`: what is outside min(p1, p25 - f IQR) .. max(p99, p75 + f IQR) of its own series.
 *       3. A series without points is NODATA, NODATA_FAIL where the metric `must_have_data` and is not
 *          critical, and PASS with `nan_is_zero`.
 *       4. Equal series, and series of a single value between them, PASS.
 *       5. HIGH: the interval of mann_whitney.h lies above `tolerance` times the estimated shift, and the
 *          effect size is at least `allowed_increase` or does not exist. LOW in mirror image.
 *       6. A HIGH or LOW beyond the critical effect size of a `critical` metric is critical.
 *
 *       Two constant series: Kayenta adds random noise of 1e-5 of the value. Here the i-th of n points is
 *       moved by the normal quantile of (i + 1/2) / n times that, so that equal input gives equal output.
 *
 * RANGES Up to SAMPLE_MAX points a series, groups up to KAYENTA_GROUPS_MAX. A point that is infinite or
 *       beyond 1e299 makes the metric ERROR, as does a single point against a single one.
 *
 * WARNS A series of minutes knows nothing of how many requests a minute had; looking again and again makes
 *       false alarms; a regression in a bit over half of the minutes passes. The judge of davit does not
 *       decide by it.
 */
#ifndef JUDGE_KAYENTA_H
#define JUDGE_KAYENTA_H

#include <stdbool.h>
#include <stdint.h>

#include "judge/sample.h"

enum kayenta_class {
	KAYENTA_PASS,
	KAYENTA_HIGH,
	KAYENTA_LOW,
	KAYENTA_NODATA,
	KAYENTA_NODATA_FAIL, /* counts as a failed metric of its group */
	KAYENTA_ERROR,       /* counts as nothing */
};

enum kayenta_direction { KAYENTA_EITHER, KAYENTA_INCREASE, KAYENTA_DECREASE };

enum kayenta_effect {
	KAYENTA_MEAN_RATIO,   /* mean of the experiment / mean of the control; NAN if one is 0 */
	KAYENTA_CHANCE_ABOVE, /* "cles": mann_whitney_chance_above() */
};

struct kayenta_settings {
	bool nan_is_zero, drop_outliers, critical, must_have_data;
	enum kayenta_direction direction; /* which changes are bad */
	enum kayenta_effect effect;
	double outlier_factor;
	double allowed_increase, allowed_decrease;   /* effect sizes from which a change counts */
	double critical_increase, critical_decrease; /* and from which it is critical */
	double tolerance, confidence;
};

/* Kayenta's defaults: both directions, mean ratio, tolerance 0.25, confidence 0.98. */
struct kayenta_settings kayenta_settings_default(enum kayenta_effect effect);

struct kayenta_series {
	uint32_t count;
	double points[SAMPLE_MAX];
};

struct kayenta_result {
	enum kayenta_class class;
	bool critical;
	double deviation; /* the mean ratio; 1 where nothing was compared, or NAN */
	double effect;    /* in the chosen measure, else as `deviation` */
	double shift; /* of experiment against control, estimated; 0 where nothing was compared */
};

/* Cleans and sorts both series in place. */
struct kayenta_result kayenta_classify(const struct kayenta_settings *settings,
				       struct kayenta_series *experiment,
				       struct kayenta_series *control);

enum { KAYENTA_GROUPS_MAX = 32 };

struct kayenta_metric {
	enum kayenta_class class;
	bool critical;
	bool muted;      /* left out */
	uint32_t groups; /* a bit for each group that it belongs to */
};

struct kayenta_thresholds {
	double pass, marginal;             /* scores; usual are 95 and 75 */
	uint32_t weighted;                 /* a bit for each group that has a weight */
	double weight[KAYENTA_GROUPS_MAX]; /* percent; groups without share what is left of 100 */
};

enum kayenta_verdict { KAYENTA_FAIL, KAYENTA_MARGINAL, KAYENTA_GOOD };

enum kayenta_reason {
	KAYENTA_BY_SCORE,
	KAYENTA_BY_CRITICAL, /* a critical metric did not pass: the score is 0 */
	KAYENTA_BY_NODATA,   /* half of the metrics or more have no data: the score is 0 */
};

struct kayenta_group {
	bool present, no_data; /* a group without data scores 0 and counts as 100 */
	double score;
};

struct kayenta_score {
	double score; /* 0..100, two digits */
	enum kayenta_verdict verdict;
	enum kayenta_reason reason;
	struct kayenta_group group[KAYENTA_GROUPS_MAX];
};

struct kayenta_score kayenta_score(const struct kayenta_metric *metrics, uint32_t count,
				   const struct kayenta_thresholds *thresholds);

#endif
