/* SPDX-License-Identifier: Apache-2.0
 *
 * sample - a few points of a time series: sort, mean, percentiles, fences against outliers.
 *
 * WHAT  The plain statistics under mann_whitney.h and kayenta.h. Values are in caller's memory and never
 *       NaN, at most SAMPLE_MAX of them; -0 is the same as 0.
 */
#ifndef JUDGE_SAMPLE_H
#define JUDGE_SAMPLE_H

#include <stdint.h>

enum { SAMPLE_MAX = 1024 };

/* Ascending, in place. */
void sample_sort(double *values, uint32_t count);

/* 0 for no values. */
double sample_mean(const double *values, uint32_t count);

/* The percentile `percent` (0..100) of sorted values, `count` above 0: linear between the two order
 * statistics about rank 1 + (count - 1) * percent / 100. */
double sample_percentile(const double *sorted, uint32_t count, double percent);

/* Tukey's fences about sorted values, `count` above 0: what is outside of them is an outlier. */
struct sample_fences {
	double low, high; /* p25 - factor * (p75 - p25), p75 + factor * (p75 - p25) */
};

struct sample_fences sample_fences(const double *sorted, uint32_t count, double factor);

/* Keep the sorted values from `low` to `high`, both included; returns how many. */
uint32_t sample_keep(double *sorted, uint32_t count, double low, double high);

#endif
