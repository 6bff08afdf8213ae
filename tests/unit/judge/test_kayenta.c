/* SPDX-License-Identifier: Apache-2.0
 * test_kayenta - what Kayenta's own tests assert of its classifier, scorer and effect sizes, the series that
 * its users disputed, and the pipeline around them. */
#include "near.h"

#include <stdbool.h>
#include <string.h>

#include "judge/kayenta.h"
#include "kayenta_series.h"

#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof *(array)))
#define SERIES(array)                 \
	{                             \
		(array), COUNT(array) \
	}
#define NOTHING         \
	{               \
		NULL, 0 \
	}

struct points {
	const double *at;
	uint32_t count;
};

static struct kayenta_series experiment, control;

static void fill(struct kayenta_series *series, struct points points)
{
	series->count = points.count;
	if (points.count > 0)
		memcpy(series->points, points.at, points.count * sizeof *points.at);
}

static struct kayenta_result classify(const struct kayenta_settings *settings,
				      struct points new_one, struct points old_one)
{
	fill(&experiment, new_one);
	fill(&control, old_one);
	return kayenta_classify(settings, &experiment, &control);
}

enum asserted { UNASKED, YES, NO };

struct golden {
	const char *name;
	struct points experiment, control;
	double tolerance, confidence;
	enum kayenta_effect effect;
	double decrease, increase, critical_decrease, critical_increase; /* 0: the default */
	enum kayenta_direction direction;
	bool nan_is_zero, critical_metric;
	enum kayenta_class class;
	enum asserted critical;
	double deviation; /* 0: unasked */
};

static const struct golden goldens[] = {
	{"alike", SERIES(series_0), SERIES(series_1), .tolerance = 0.1, .confidence = 0.95,
	 .class = KAYENTA_PASS},
	{"twice as high", SERIES(series_2), SERIES(series_1), .tolerance = 0.1, .confidence = 0.95,
	 .class = KAYENTA_HIGH},
	{"half as high", SERIES(series_0), SERIES(series_3), .tolerance = 0.1, .confidence = 0.95,
	 .class = KAYENTA_LOW},
	{"lower, where more is bad", SERIES(series_0), SERIES(series_3), .tolerance = 0.1,
	 .confidence = 0.95, .direction = KAYENTA_INCREASE, .class = KAYENTA_PASS},
	{"higher, where less is bad", SERIES(series_2), SERIES(series_1), .tolerance = 0.1,
	 .confidence = 0.95, .direction = KAYENTA_DECREASE, .class = KAYENTA_PASS},
	{"higher, where more is bad", SERIES(series_2), SERIES(series_1), .tolerance = 0.1,
	 .confidence = 0.95, .direction = KAYENTA_INCREASE, .class = KAYENTA_HIGH, .critical = NO},
	{"lower, where less is bad", SERIES(series_0), SERIES(series_3), .tolerance = 0.1,
	 .confidence = 0.95, .direction = KAYENTA_DECREASE, .class = KAYENTA_LOW},
	{"many points, higher", SERIES(series_4), SERIES(series_5), .tolerance = 0.1,
	 .confidence = 0.95, .class = KAYENTA_HIGH, .critical = NO},
	{"tenfold, which is more than allowed", SERIES(series_6), SERIES(series_7),
	 .tolerance = 0.1, .confidence = 0.95, .decrease = 0.8, .increase = 1.2,
	 .class = KAYENTA_HIGH},
	{"halved, which is less than allowed", SERIES(series_0), SERIES(series_3), .tolerance = 0.1,
	 .confidence = 0.95, .decrease = 0.8, .increase = 1.2, .direction = KAYENTA_DECREASE,
	 .class = KAYENTA_LOW},
	{"halved, which is allowed", SERIES(series_8), SERIES(series_6), .tolerance = 0.1,
	 .confidence = 0.95, .decrease = 0.5, .increase = 1, .class = KAYENTA_PASS},
	{"many points, higher, which is allowed", SERIES(series_4), SERIES(series_5),
	 .tolerance = 0.1, .confidence = 0.95, .decrease = 1, .increase = 5, .class = KAYENTA_PASS},
	{"above in too few pairs", SERIES(series_9), SERIES(series_10), .tolerance = 0.2,
	 .confidence = 0.98, .effect = KAYENTA_CHANCE_ABOVE, .decrease = 0.5, .increase = 0.8,
	 .class = KAYENTA_PASS},
	{"above in nearly all pairs", SERIES(series_11), SERIES(series_12), .tolerance = 0.2,
	 .confidence = 0.98, .effect = KAYENTA_CHANCE_ABOVE, .decrease = 0.2, .increase = 0.8,
	 .class = KAYENTA_HIGH},
	{"above in nearly no pair", SERIES(series_13), SERIES(series_14), .tolerance = 0.2,
	 .confidence = 0.98, .effect = KAYENTA_CHANCE_ABOVE, .decrease = 0.2, .increase = 0.8,
	 .class = KAYENTA_LOW},
	{"tenfold, which is critical", SERIES(series_6), SERIES(series_7), .tolerance = 0.1,
	 .confidence = 0.95, .critical_decrease = 1, .critical_increase = 1.2,
	 .critical_metric = true, .class = KAYENTA_HIGH, .critical = YES},
	{"a tenth, which is critical", SERIES(series_15), SERIES(series_16), .tolerance = 0.1,
	 .confidence = 0.95, .critical_decrease = 1.2, .critical_increase = 1,
	 .critical_metric = true, .class = KAYENTA_LOW, .critical = YES},
	{"tenfold, which is not critical yet", SERIES(series_6), SERIES(series_7), .tolerance = 0.1,
	 .confidence = 0.95, .decrease = 1, .increase = 5, .critical_decrease = 1,
	 .critical_increase = 13, .critical_metric = true, .class = KAYENTA_HIGH, .critical = NO},
	{"tenfold, which is allowed", SERIES(series_6), SERIES(series_7), .tolerance = 0.1,
	 .confidence = 0.95, .decrease = 1, .increase = 13, .critical_decrease = 1,
	 .critical_increase = 15, .critical_metric = true, .class = KAYENTA_PASS, .critical = NO},
	{"tenfold, critical without bounds", SERIES(series_6), SERIES(series_7), .tolerance = 0.1,
	 .confidence = 0.95, .critical_metric = true, .class = KAYENTA_HIGH, .critical = YES},
	{"one value in all", SERIES(series_17), SERIES(series_18), .tolerance = 0.1,
	 .confidence = 0.95, .direction = KAYENTA_DECREASE, .class = KAYENTA_PASS},
	{"the same in another order", SERIES(series_19), SERIES(series_20), .tolerance = 0.1,
	 .confidence = 0.95, .direction = KAYENTA_DECREASE, .class = KAYENTA_PASS},
	{"one point less, where less is bad", SERIES(series_21), SERIES(series_22),
	 .tolerance = 0.1, .confidence = 0.95, .direction = KAYENTA_DECREASE,
	 .class = KAYENTA_PASS},
	{"nothing", NOTHING, SERIES(series_19), .tolerance = 0.1, .confidence = 0.95,
	 .direction = KAYENTA_DECREASE, .class = KAYENTA_NODATA},
	{"nothing, critical", NOTHING, SERIES(series_19), .tolerance = 0.1, .confidence = 0.95,
	 .direction = KAYENTA_DECREASE, .critical_metric = true, .class = KAYENTA_NODATA,
	 .critical = YES},
	{"nothing, where that is zero", NOTHING, SERIES(series_19), .tolerance = 0.1,
	 .confidence = 0.95, .direction = KAYENTA_DECREASE, .nan_is_zero = true,
	 .class = KAYENTA_PASS},
	{"one of five points higher", SERIES(series_24), SERIES(series_22), .tolerance = 0.1,
	 .confidence = 0.95, .class = KAYENTA_PASS},
	{"two constants", SERIES(series_25), SERIES(series_22), .tolerance = 0.1,
	 .confidence = 0.95, .class = KAYENTA_HIGH},
	{"two constants, one of them 0", SERIES(series_25), SERIES(series_26), .tolerance = 0.1,
	 .confidence = 0.95, .class = KAYENTA_HIGH},
	{"from 0, without a ratio", SERIES(series_27), SERIES(series_26), .tolerance = 0.1,
	 .confidence = 0.95, .decrease = 0.8, .increase = 1.2, .class = KAYENTA_HIGH,
	 .deviation = NAN},
	{"to 0, without a ratio", SERIES(series_26), SERIES(series_27), .tolerance = 0.1,
	 .confidence = 0.95, .decrease = 0.8, .increase = 1.2, .class = KAYENTA_LOW,
	 .deviation = NAN},
	{"from 0, critical without a ratio", SERIES(series_28), SERIES(series_29), .tolerance = 0.1,
	 .confidence = 0.95, .critical_decrease = 0.8, .critical_increase = 1.2,
	 .nan_is_zero = true, .critical_metric = true, .class = KAYENTA_HIGH, .critical = YES},
	{"nothing but 0", SERIES(series_26), SERIES(series_26), .tolerance = 0.1,
	 .confidence = 0.95, .decrease = 0.8, .increase = 1.2, .class = KAYENTA_PASS,
	 .deviation = 1},
};

static void set(double *to, double value)
{
	if (value != 0)
		*to = value;
}

static void check_golden(const struct golden *g)
{
	struct kayenta_settings settings = kayenta_settings_default(g->effect);
	settings.tolerance = g->tolerance;
	settings.confidence = g->confidence;
	settings.direction = g->direction;
	settings.nan_is_zero = g->nan_is_zero;
	settings.critical = g->critical_metric;
	set(&settings.allowed_decrease, g->decrease);
	set(&settings.allowed_increase, g->increase);
	/* what the classifier itself takes where a measure is given without critical bounds */
	settings.critical_decrease = settings.critical_increase = 1;
	set(&settings.critical_decrease, g->critical_decrease);
	set(&settings.critical_increase, g->critical_increase);
	struct kayenta_result result = classify(&settings, g->experiment, g->control);
	if (result.class != g->class)
		fail_msg("%s: class %d, not %d", g->name, result.class, g->class);
	if (g->critical != UNASKED && result.critical != (g->critical == YES))
		fail_msg("%s: critical is %d", g->name, result.critical);
	if (isnan(g->deviation) ? !isnan(result.deviation)
				: g->deviation != 0 && g->deviation != result.deviation)
		fail_msg("%s: deviation %g", g->name, result.deviation);
}

static void classes_are_those_of_its_own_tests(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(goldens); i++)
		check_golden(&goldens[i]);
}

/* The mean ratio, and the chance to be above, as its tests of effect sizes have them. */
static void effect_sizes_are_those_of_its_own_tests(void **state)
{
	(void)state;
	static const double ones[] = {1, 1, 1, 1, 1}, tens[] = {10, 10, 10, 10, 10};
	static const double hundreds[] = {100, 100, 100, 100, 100}, zeros[] = {0, 0, 0, 0, 0};
	static const double up[] = {1, 2, 3, 4, 5};
	static const double few[] = {2.27776335, 2.61149434, 3.26894105, 2.91672701, 1.40656921,
				     2.18292082, 3.47901292, 3.00034118, 3.02402043, 4.69912745};
	static const double many[] = {25.31531073, 25.19450817, 24.6288846,  24.37991861,
				      26.40999244, 25.28524759, 24.99788745, 26.13841676,
				      22.93604649, 24.56817832};
	struct kayenta_settings ratio = kayenta_settings_default(KAYENTA_MEAN_RATIO);
	struct kayenta_settings above = kayenta_settings_default(KAYENTA_CHANCE_ABOVE);
	assert_near(
		classify(&ratio, (struct points)SERIES(ones), (struct points)SERIES(ones)).effect,
		1, 0);
	/* the constants are moved by 1e-5 of themselves, symmetrically */
	assert_near(
		classify(&ratio, (struct points)SERIES(tens), (struct points)SERIES(ones)).effect,
		10, 1e-12);
	assert_near(classify(&ratio, (struct points)SERIES(tens), (struct points)SERIES(hundreds))
			    .effect,
		    0.1, 1e-12);
	assert_true(
		isnan(classify(&ratio, (struct points)SERIES(tens), (struct points)SERIES(zeros))
			      .effect));
	assert_near(
		classify(&above, (struct points)SERIES(few), (struct points)SERIES(many)).effect, 0,
		0);
	static const double shuffled[] = {5, 1, 4, 2, 3.0000001};
	assert_near(
		classify(&above, (struct points)SERIES(up), (struct points)SERIES(shuffled)).effect,
		0.48, 1e-12);
	assert_near(classify(&above, (struct points)SERIES(clear_high),
			     (struct points)SERIES(clear_high_control))
			    .effect,
		    0.771, 0.001);
	assert_near(classify(&above, (struct points)SERIES(clear_low),
			     (struct points)SERIES(clear_low_control))
			    .effect,
		    0.12, 1e-12);
}

/* Series of which people wrote that the class is wrong. The judge of davit is to be right on them;
 * this one is to be as it is. */
static void disputed_series_are_classified_as_it_does(void **state)
{
	(void)state;
	static const double sparse[] = {0, 1, 2, 1, 0, 0}, none[] = {0, 0, 0, 0, 0, 0};
	static const double seven[] = {100, 100, 100, 100, 100, 100, 100, 1, 1, 1};
	static const double eight[] = {100, 100, 100, 100, 100, 100, 100, 100, 1, 1};
	static const double ones[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
	static const double wide[] = {10,   10.1, 10.2, 10.3, 10.4, 10.5, 10.6, 17,
				      17.1, 17.2, 17.3, 17.4, 17.5, 17.6, 17.7};
	static const double wider[] = {1, 100, 4, 101, 5, 102, 6, 103, 7, 104, 8, 105, 9, 106, 17};
	static const double errors[] = {1, 4, 2, 3, 1}, no_errors[] = {0, 0, 0, 0, 0};
	static const double each_fifth[] = {1,   NAN, NAN, NAN, NAN, 2,   NAN, NAN, NAN,
					    NAN, 1,   NAN, NAN, NAN, NAN, 2,   NAN, NAN,
					    NAN, NAN, 1,   NAN, NAN, NAN, NAN};
	static const double nans[25] = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN,
					NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN,
					NAN, NAN, NAN, NAN, NAN, NAN, NAN};
	static const double redirects[] = {NAN, 0.048, NAN,   0.18, 0.089,
					   NAN, 0.098, 0.035, NAN,  NAN};
	struct kayenta_settings s = kayenta_settings_default(KAYENTA_MEAN_RATIO);
#define CLASS(x, y) classify(&s, (struct points)SERIES(x), (struct points)SERIES(y)).class
	assert_int_equal(CLASS(sparse, none), KAYENTA_PASS); /* half of the points have errors */
	s.allowed_increase = 1.05;
	assert_int_equal(CLASS(seven, ones), KAYENTA_PASS); /* 7 of 10 points a hundredfold */
	assert_int_equal(CLASS(eight, ones), KAYENTA_HIGH);
	s = kayenta_settings_default(KAYENTA_MEAN_RATIO);
	s.tolerance = 0.1;
	s.confidence = 0.95;
	assert_int_equal(CLASS(wide, wider), KAYENTA_PASS);
	s = kayenta_settings_default(KAYENTA_MEAN_RATIO);
	s.critical = true;
	assert_int_equal(CLASS(each_fifth, nans), KAYENTA_NODATA);
	s.nan_is_zero = true;
	assert_int_equal(CLASS(each_fifth, nans), KAYENTA_PASS);
	assert_int_equal(CLASS(errors, no_errors), KAYENTA_HIGH);
	s.direction = KAYENTA_INCREASE;
	assert_int_equal(CLASS(redirects, redirects), KAYENTA_PASS);
	static const double no_redirects[10] = {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
	assert_int_equal(CLASS(redirects, no_redirects), KAYENTA_PASS);
#undef CLASS
}

static void a_few_thousandths_are_lost_in_its_tolerance(void **state)
{
	(void)state;
	double low[30], high[30], low_small[30], high_small[30];
	for (int i = 0; i < 30; i++) {
		low[i] = 1 + i % 7 * 0.1;
		high[i] = 1.5 * low[i];
		low_small[i] = low[i] * 1e-5;
		high_small[i] = high[i] * 1e-5;
	}
	struct kayenta_settings s = kayenta_settings_default(KAYENTA_MEAN_RATIO);
	struct kayenta_result at_1 =
		classify(&s, (struct points)SERIES(high), (struct points)SERIES(low));
	struct kayenta_result at_1e5 =
		classify(&s, (struct points)SERIES(high_small), (struct points)SERIES(low_small));
	assert_int_equal(at_1.class, KAYENTA_HIGH);
	assert_int_equal(at_1e5.class, KAYENTA_PASS);
	assert_near(at_1.effect, at_1e5.effect, 1e-12);
}

static void missing_points_are_dropped_or_zero(void **state)
{
	(void)state;
	static const double holes[] = {NAN, 10.1, 20.2, 30.3, NAN, 40.4};
	static const double other[] = {0, 1, NAN, 1, 0}, nans[] = {NAN, NAN, NAN};
	struct kayenta_settings s = kayenta_settings_default(KAYENTA_MEAN_RATIO);
	classify(&s, (struct points)SERIES(holes), (struct points)SERIES(other));
	assert_int_equal(experiment.count, 4);
	assert_int_equal(control.count, 4);
	assert_true(experiment.points[0] == 10.1 && control.points[3] == 1);
	s.nan_is_zero = true;
	classify(&s, (struct points)SERIES(holes), (struct points)SERIES(nans));
	assert_int_equal(experiment.count, 6);
	assert_int_equal(control.count, 3);
	assert_true(experiment.points[1] == 0 && control.points[2] == 0);
}

static void outliers_are_dropped_beyond_both_fences(void **state)
{
	(void)state;
	double spike[200], plain[200];
	for (int i = 0; i < 200; i++)
		spike[i] = plain[i] = i % 10;
	spike[7] = 1000;
	struct kayenta_settings s = kayenta_settings_default(KAYENTA_MEAN_RATIO);
	classify(&s, (struct points)SERIES(spike), (struct points)SERIES(plain));
	assert_int_equal(experiment.count, 200);
	s.drop_outliers = true;
	classify(&s, (struct points)SERIES(spike), (struct points)SERIES(plain));
	assert_int_equal(experiment.count, 199);
	assert_int_equal(control.count, 200);
	/* more than one in a hundred are no outliers: p99 holds them */
	spike[9] = spike[11] = spike[13] = 1000;
	classify(&s, (struct points)SERIES(spike), (struct points)SERIES(plain));
	assert_int_equal(experiment.count, 200);
}

static void no_data_is_what_the_settings_say(void **state)
{
	(void)state;
	static const double some[] = {1, 2, 3};
	struct kayenta_settings s = kayenta_settings_default(KAYENTA_MEAN_RATIO);
	s.must_have_data = true;
	struct kayenta_result r = classify(&s, (struct points)SERIES(some), (struct points)NOTHING);
	assert_int_equal(r.class, KAYENTA_NODATA_FAIL);
	assert_false(r.critical);
	s.critical = true;
	r = classify(&s, (struct points)SERIES(some), (struct points)NOTHING);
	assert_int_equal(r.class, KAYENTA_NODATA);
	assert_true(r.critical);
}

static void what_has_no_interval_is_an_error(void **state)
{
	(void)state;
	static const double one[] = {10}, other[] = {1}, some[] = {1, 2};
	static const double huge[] = {1, INFINITY}, huge_too[] = {1e300, 1e300};
	static const double large[] = {1e299, 1e299}, large_less[] = {-1e299, -1e299};
	struct kayenta_settings s = kayenta_settings_default(KAYENTA_MEAN_RATIO);
	s.critical = true;
	struct kayenta_result r =
		classify(&s, (struct points)SERIES(one), (struct points)SERIES(other));
	assert_int_equal(r.class, KAYENTA_ERROR);
	assert_false(r.critical);
	r = classify(&s, (struct points)SERIES(huge), (struct points)SERIES(some));
	assert_int_equal(r.class, KAYENTA_ERROR);
	r = classify(&s, (struct points)SERIES(huge_too), (struct points)SERIES(some));
	assert_int_equal(r.class, KAYENTA_ERROR);
	r = classify(&s, (struct points)SERIES(large), (struct points)SERIES(large_less));
	assert_int_equal(r.class, KAYENTA_PASS); /* two points a side are too few for more */
}

static void equal_input_gives_equal_output(void **state)
{
	(void)state;
	static const double tens[] = {10, 10, 10, 10, 10}, ones[] = {1, 1, 1, 1, 1};
	struct kayenta_settings s = kayenta_settings_default(KAYENTA_MEAN_RATIO);
	struct kayenta_result a, b;
	a = classify(&s, (struct points)SERIES(tens), (struct points)SERIES(ones));
	b = classify(&s, (struct points)SERIES(tens), (struct points)SERIES(ones));
	assert_int_equal(a.class, KAYENTA_HIGH);
	assert_true(a.deviation == b.deviation);
}

static void the_estimated_shift_is_told(void **state)
{
	(void)state;
	static const double ones[] = {1, 2, 3, 4, 5, 6}, more[] = {4, 5, 6, 7, 8, 9};
	struct kayenta_settings s = kayenta_settings_default(KAYENTA_MEAN_RATIO);
	struct kayenta_result up, down, none;
	up = classify(&s, (struct points)SERIES(more), (struct points)SERIES(ones));
	down = classify(&s, (struct points)SERIES(ones), (struct points)SERIES(more));
	none = classify(&s, (struct points)SERIES(ones), (struct points)SERIES(ones));
	assert_near(up.shift, 3, 1e-3);
	assert_near(down.shift, -3, 1e-3);
	assert_true(none.shift == 0);
}

#define IN(group) (UINT32_C(1) << (group))

static const struct kayenta_thresholds unweighted = {.pass = 95, .marginal = 75};

#define SCORE(thresholds, ...)                                      \
	kayenta_score((const struct kayenta_metric[]){__VA_ARGS__}, \
		      COUNT(((const struct kayenta_metric[]){__VA_ARGS__})), thresholds)
#define METRIC(class_, group)                                  \
	{                                                      \
		.class = KAYENTA_##class_, .groups = IN(group) \
	}
#define METRIC_THAT(class_, group, ...)                                     \
	{                                                                   \
		.class = KAYENTA_##class_, .groups = IN(group), __VA_ARGS__ \
	}

static void scores_are_those_of_its_own_tests(void **state)
{
	(void)state;
	struct kayenta_thresholds unequal = unweighted, equal = unweighted, small = unweighted;
	unequal.weighted = equal.weighted = small.weighted = IN(1) | IN(2);
	unequal.weight[1] = 75, unequal.weight[2] = 25;
	equal.weight[1] = equal.weight[2] = 50;
	small.weight[1] = 15, small.weight[2] = 85;
	assert_near(SCORE(&unweighted, METRIC(PASS, 0)).score, 100, 0);
	assert_near(SCORE(&unweighted, METRIC(HIGH, 0)).score, 0, 0);
	struct kayenta_score nodata = SCORE(&unweighted, METRIC(NODATA, 0));
	assert_true(nodata.group[0].present && !nodata.group[1].present);
	assert_true(nodata.group[0].score == 0 && nodata.group[0].no_data);
	assert_near(nodata.score, 0, 0);
	struct kayenta_score two =
		SCORE(&unweighted, METRIC(PASS, 0), METRIC(PASS, 0), METRIC(NODATA, 1));
	assert_true(two.group[0].present && two.group[1].present);
	assert_true(two.group[0].score == 100 && two.group[1].score == 0);
	assert_near(two.score, 100, 0);
	assert_near(SCORE(&unweighted, METRIC(PASS, 0), METRIC(HIGH, 0)).score, 50, 0);
	assert_near(SCORE(&unweighted, METRIC(PASS, 0), METRIC(HIGH, 0), METRIC(LOW, 0)).score,
		    33.33, 1e-12);
	assert_near(SCORE(&unequal, METRIC(PASS, 1), METRIC(PASS, 1), METRIC(HIGH, 2)).score, 75,
		    0);
	assert_near(SCORE(&equal, METRIC(PASS, 1), METRIC(HIGH, 1), METRIC(HIGH, 2)).score, 25, 0);
	assert_near(SCORE(&equal, METRIC(PASS, 1), METRIC(NODATA, 1), METRIC(HIGH, 2)).score, 50,
		    0);
	struct kayenta_score critical =
		SCORE(&unweighted, METRIC(PASS, 0), METRIC_THAT(HIGH, 0, .critical = true));
	assert_near(critical.score, 0, 0);
	assert_int_equal(critical.reason, KAYENTA_BY_CRITICAL);
	assert_near(
		SCORE(&unweighted, METRIC(LOW, 0), METRIC_THAT(PASS, 0, .critical = true)).score,
		50, 0);
	assert_near(
		SCORE(&unweighted, METRIC(PASS, 0), METRIC_THAT(NODATA, 0, .critical = true)).score,
		0, 0);
	assert_near(SCORE(&small, METRIC(HIGH, 1), METRIC(LOW, 1), METRIC(PASS, 1), METRIC(HIGH, 2))
			    .score,
		    5, 0);
}

static void half_without_data_fails(void **state)
{
	(void)state;
	struct kayenta_score half = SCORE(&unweighted, METRIC(PASS, 0), METRIC(NODATA, 0));
	assert_int_equal(half.reason, KAYENTA_BY_NODATA);
	assert_near(half.score, 0, 0);
	struct kayenta_score less =
		SCORE(&unweighted, METRIC(PASS, 0), METRIC(PASS, 0), METRIC(NODATA, 0));
	assert_int_equal(less.reason, KAYENTA_BY_SCORE);
	assert_near(less.score, 100, 0);
	/* required data counts as a failed metric instead; what went wrong counts as nothing */
	assert_near(SCORE(&unweighted, METRIC(PASS, 0), METRIC(NODATA_FAIL, 0)).score, 50, 0);
	assert_near(SCORE(&unweighted, METRIC(PASS, 0), METRIC(ERROR, 0)).score, 100, 0);
}

static void muted_metrics_are_left_out(void **state)
{
	(void)state;
	struct kayenta_score score = SCORE(&unweighted, METRIC(PASS, 0),
					   METRIC_THAT(HIGH, 0, .critical = true, .muted = true),
					   METRIC_THAT(NODATA, 1, .muted = true));
	assert_near(score.score, 100, 0);
	assert_false(score.group[1].present);
	assert_near(kayenta_score(NULL, 0, &unweighted).score, 0, 0);
}

static void a_metric_may_be_in_several_groups(void **state)
{
	(void)state;
	struct kayenta_thresholds some = {
		.pass = 95, .marginal = 75, .weighted = IN(31), .weight[31] = 60};
	/* group 31: 1 of 2 at 60; groups 0 and 5 share the other 40: 0 and 100 */
	struct kayenta_score score =
		SCORE(&some, METRIC_THAT(HIGH, 31, .muted = false),
		      {.class = KAYENTA_PASS, .groups = IN(31) | IN(5)}, METRIC(LOW, 0));
	assert_near(score.score, 30 + 0 + 20, 0);
}

static void verdicts_are_at_or_above_their_threshold(void **state)
{
	(void)state;
	struct kayenta_thresholds t = {.pass = 75, .marginal = 50, .weighted = IN(1) | IN(2)};
	t.weight[1] = 75, t.weight[2] = 25;
	assert_int_equal(SCORE(&t, METRIC(PASS, 1), METRIC(HIGH, 2)).verdict, KAYENTA_GOOD);
	t.weight[1] = 74.99, t.weight[2] = 25.01;
	assert_int_equal(SCORE(&t, METRIC(PASS, 1), METRIC(HIGH, 2)).verdict, KAYENTA_MARGINAL);
	t.weight[1] = t.weight[2] = 50;
	assert_int_equal(SCORE(&t, METRIC(PASS, 1), METRIC(HIGH, 2)).verdict, KAYENTA_MARGINAL);
	t.weight[1] = 49.99, t.weight[2] = 50.01;
	assert_int_equal(SCORE(&t, METRIC(PASS, 1), METRIC(HIGH, 2)).verdict, KAYENTA_FAIL);
	assert_int_equal(SCORE(&t, METRIC_THAT(PASS, 1, .critical = true), METRIC(PASS, 2)).verdict,
			 KAYENTA_GOOD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes_are_those_of_its_own_tests),
		cmocka_unit_test(effect_sizes_are_those_of_its_own_tests),
		cmocka_unit_test(disputed_series_are_classified_as_it_does),
		cmocka_unit_test(a_few_thousandths_are_lost_in_its_tolerance),
		cmocka_unit_test(missing_points_are_dropped_or_zero),
		cmocka_unit_test(outliers_are_dropped_beyond_both_fences),
		cmocka_unit_test(no_data_is_what_the_settings_say),
		cmocka_unit_test(what_has_no_interval_is_an_error),
		cmocka_unit_test(equal_input_gives_equal_output),
		cmocka_unit_test(the_estimated_shift_is_told),
		cmocka_unit_test(scores_are_those_of_its_own_tests),
		cmocka_unit_test(half_without_data_fails),
		cmocka_unit_test(muted_metrics_are_left_out),
		cmocka_unit_test(a_metric_may_be_in_several_groups),
		cmocka_unit_test(verdicts_are_at_or_above_their_threshold),
	};
	return cmocka_run_group_tests_name("judge/kayenta", tests, NULL, NULL);
}
