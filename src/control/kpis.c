/* SPDX-License-Identifier: Apache-2.0
 * kpis - see kpis.h for the contract. */
#include "control/kpis.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

static const double MOST = 1e15, MILLI = 1000;

void kpis_begin(struct kpis *k)
{
	*k = (struct kpis){0};
}

static const char *second_of(const struct app_kpi *kpi)
{
	return kpi->set & APP_KPI_OF ? kpi->of : kpi->set & APP_KPI_SUM ? kpi->sum : NULL;
}

size_t kpis_selectors(const struct app_analysis *analysis,
		      const char *ret_selectors[METRICS_SELECTORS_MAX])
{
	size_t count = 0;
	_Static_assert(2 * APP_KPIS_MAX <= METRICS_SELECTORS_MAX, "room for all");
	for (uint32_t i = 0; i < analysis->kpi_count; i++) {
		const char *second = second_of(&analysis->kpis[i]);
		ret_selectors[count++] = analysis->kpis[i].count;
		if (second)
			ret_selectors[count++] = second;
	}
	return count;
}

void kpis_add(struct kpis *k, const struct app_analysis *analysis, uint32_t i, bool new_release,
	      double value, double base)
{
	struct judge_table *t = &k->tables[i];
	uint64_t *events = new_release ? &t->new_events : &t->live_events;
	uint64_t *requests = new_release ? &t->new_requests : &t->live_requests;
	bool mean = analysis->kpis[i].set & APP_KPI_SUM;
	if (base > KPIS_MOST || (!mean && ((double)*events + value > KPIS_MOST ||
					   (double)*requests + base > KPIS_MOST)))
		return;
	if (new_release) {
		k->values[i] += value;
		k->bases[i] += base;
	}
	if (mean) {
		judge_samples_add(&k->samples[i][new_release], base, value);
	} else {
		*events += (uint64_t)value;
		*requests += (uint64_t)base;
	}
}

/* A number of the page. Whole where it counts, so that differences of it are. False: it says nothing. */
static bool read_number(const struct metrics_value *value, bool whole, double *ret_number)
{
	*ret_number = value->samples == 0 ? 0 : whole ? floor(value->sum) : value->sum;
	return isfinite(*ret_number) && fabs(*ret_number) <= MOST && (!whole || *ret_number >= 0);
}

void kpis_page(struct kpis *k, const struct app_analysis *analysis, bool new_release,
	       const struct metrics_answer *answer, int64_t requests, struct kpi_page *last)
{
	struct kpi_page now = {.known = true};
	size_t at = 0;
	for (uint32_t i = 0; i < analysis->kpi_count; i++) {
		const struct app_kpi *kpi = &analysis->kpis[i];
		bool sum = kpi->set & APP_KPI_SUM, both = second_of(kpi) != NULL, says = true;
		double more[2] = {0, (double)requests};
		for (size_t n = 0; n < 1 + (size_t)both; n++) {
			const struct metrics_value *value = &answer->values[at++];
			double before = last->numbers[i][n];
			k->ever[i][n] |= value->samples > 0;
			says &= read_number(value, !(sum && n == 1), &now.numbers[i][n]) &&
				k->ever[i][n];
			more[n] = now.numbers[i][n] - before;
			says &= more[n] >= 0 || (sum && n == 1);
		}
		if (!says || !last->known || more[1] < 0 || (more[0] <= 0 && more[1] <= 0))
			continue;
		if (sum)
			kpis_add(k, analysis, i, new_release, more[1], more[0]);
		else
			kpis_add(k, analysis, i, new_release, more[0], more[1]);
	}
	*last = now;
}

void kpis_take(struct kpis *k, struct judge_tick *tick)
{
	memcpy(&tick->extras[JUDGE_EXTRA_KPI], k->tables, sizeof k->tables);
	memset(k->tables, 0, sizeof k->tables);
}

void kpis_batch(struct kpis *k, struct judge_tick *tick)
{
	for (uint32_t i = 0; i < APP_KPIS_MAX; i++)
		tick->means[JUDGE_MEAN_KPI + i] =
			(struct judge_mean_batch){judge_samples_batch(&k->samples[i][true]),
						  judge_samples_batch(&k->samples[i][false])};
	memset(k->samples, 0, sizeof k->samples);
}

static void say_broken(const struct app_kpi *kpi, double value, double base, double limit,
		       struct judge_result *to)
{
	struct judge_line line = {.to = to->sentence, .size = sizeof to->sentence};
	to->verdict = JUDGE_VERDICT_FAIL;
	text_copy(to->rule, sizeof to->rule, kpi->name);
	judge_line_put(&line, kpi->name);
	judge_line_put(&line, ": ");
	judge_unit_put(&line, JUDGE_UNIT_NUMBER, value / base);
	judge_line_put(&line, " over ");
	judge_line_count(&line, (uint64_t)base);
	judge_line_put(&line, " of the new release, ");
	judge_line_put(&line, value / base > limit ? "more than " : "less than ");
	judge_unit_put(&line, JUDGE_UNIT_NUMBER, limit);
	judge_line_put(&line, " allowed");
}

bool kpis_broken(const struct kpis *k, const struct app_analysis *analysis,
		 struct judge_result *ret_result)
{
	for (uint32_t i = 0; i < analysis->kpi_count; i++) {
		const struct app_kpi *kpi = &analysis->kpis[i];
		double value = k->values[i], base = k->bases[i];
		double most = kpi->max_milli / MILLI, least = kpi->min_milli / MILLI;
		if (base < kpi->at_least)
			continue;
		bool above = kpi->set & APP_KPI_MAX && value > most * base;
		bool below = kpi->set & APP_KPI_MIN && value < least * base;
		if (!above && !below)
			continue;
		say_broken(kpi, value, base, above ? most : least, ret_result);
		return true;
	}
	return false;
}
