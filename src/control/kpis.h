/* SPDX-License-Identifier: Apache-2.0
 *
 * kpis - what an application counts of itself, between two ticks and since a rollout began.
 *
 * WHAT  Pages of instances become differences, and these tables and batches for the judge. A person's or a job's
 *       own counts are added to them.
 *
 * HOW   A KPI (config/steps.h) is `value` over `base`: a share counts `count` over `of`, a rate `count` over requests, a
 *       mean `sum` over `count`. kpis_page() with each page of an instance, kpis_add() with what somebody says;
 *       kpis_take() and kpis_batch() give what has come since and forget it; kpis_broken() looks at all.
 *       An index is that of `analysis`, which stays the same from kpis_begin() on.
 *
 * LIMITS More than KPIS_MOST at once, or of a table between two ticks, is left out. A page says nothing of a KPI when a number in it is not finite, negative or above 1e15, went down, or is of
 *       a counter that no instance has ever had.
 * OWNS  A value; all zero has none.
 */
#ifndef CONTROL_KPIS_H
#define CONTROL_KPIS_H

#include "config/steps.h"
#include "judge/judge.h"
#include "judge/samples.h"
#include "provider/metrics.h"

enum { KPIS_MOST = 1000000 }; /* what a line of ticks may say, control/tick_text.h */

struct kpis {
	bool ever[APP_KPIS_MAX][2]; /* some instance has had this counter */
	struct judge_table tables[APP_KPIS_MAX];
	struct judge_samples samples[APP_KPIS_MAX][2];    /* of the live release, of the new one */
	double values[APP_KPIS_MAX], bases[APP_KPIS_MAX]; /* of the new release, since it began */
};

/* The counters of one life of an instance, as they were last: `count`, and `of` or `sum`. */
struct kpi_page {
	bool known;
	double numbers[APP_KPIS_MAX][2];
};

void kpis_begin(struct kpis *kpis);

/* Returns their number. They are `analysis`'s. */
size_t kpis_selectors(const struct app_analysis *analysis,
		      const char *ret_selectors[METRICS_SELECTORS_MAX]);

/* `requests` are those of the instance since `last`, which is replaced; -1: not known. Where `last` is not known, the
 * page is a beginning. */
void kpis_page(struct kpis *kpis, const struct app_analysis *analysis, bool new_release,
	       const struct metrics_answer *answer, int64_t requests, struct kpi_page *last);

void kpis_add(struct kpis *kpis, const struct app_analysis *analysis, uint32_t kpi,
	      bool new_release, double value, double base);

void kpis_take(struct kpis *kpis, struct judge_tick *tick);
void kpis_batch(struct kpis *kpis, struct judge_tick *tick);

/* Is one of the new release's beyond its `max` or `min`? Then which, and by what. */
bool kpis_broken(const struct kpis *kpis, const struct app_analysis *analysis,
		 struct judge_result *ret_result);

#endif
