/* SPDX-License-Identifier: Apache-2.0
 * postmortem_ticks - the ticks of a rollout become the curves of its post-mortem, the moment from which it was bad, and
 * the verdicts of the same judge under other settings. One pass over the log, one judge for each of the settings. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "control/postmortem.h"
#include "control/tick_text.h"
#include "control/view_judge.h"
#include "provider/ticks.h"

enum { BIN_MS = 1000, VARIANTS = 5, HALF = VARIANTS - 1, P99_BP = 9900 };

/* The least that the evidence of a metric ever was, and when it was that for the last time. */
struct lowest {
	double evidence;
	uint64_t at_ms, requests;
};

struct bin {
	struct postmortem_bin counts;
	uint64_t new_us[HISTOGRAM_BUCKETS], live_us[HISTOGRAM_BUCKETS];
};

struct reading {
	struct postmortem *facts;
	struct judge judges[VARIANTS]; /* the first as it was */
	struct tick_text_reader reader;
	struct lowest lowest[JUDGE_METRIC_COUNT], lowest_odds;
	struct judge_result result;
	bool began;
	uint64_t past_ms, requests, errors;
	struct bin bins[POSTMORTEM_BINS_MAX];
};

/* --- settings */

static void be_half_as_tolerant(struct judge_settings *s)
{
	struct judge_proportion_settings *errors = &s->metrics[JUDGE_METRIC_ERRORS].proportion;
	errors->ratio = 1 + (errors->ratio - 1) / 2;
	errors->points /= 2;
}

static void begin_judges(void *context, struct judge_settings *settings)
{
	static const double alphas[VARIANTS] = {0, 0.01, 0.001, 0.0001, 0};
	static const char *const texts[VARIANTS] = {"as it was", "false alarms 1%",
						    "false alarms 0.1%", "false alarms 0.01%",
						    "errors half as tolerated"};
	struct reading *r = context;
	struct postmortem_ticks *t = &r->facts->ticks;
	struct judge_settings *changed = mem_new(sizeof *changed);
	for (uint32_t i = 1; i < VARIANTS; i++) {
		*changed = *settings;
		if (i == HALF)
			be_half_as_tolerant(changed);
		else
			changed->alpha = alphas[i];
		judge_begin(&r->judges[i], changed);
	}
	free(changed);
	for (uint32_t i = 0; i < VARIANTS; i++)
		text_copy(t->replays[i].what, sizeof t->replays[i].what, texts[i]);
	t->replay_count = VARIANTS;
	t->fails_at = 1 / settings->alpha;
}

/* --- curves */

static void fold(struct bin *to, const struct bin *from)
{
	to->counts.new_requests += from->counts.new_requests;
	to->counts.new_errors += from->counts.new_errors;
	to->counts.live_requests += from->counts.live_requests;
	to->counts.live_errors += from->counts.live_errors;
	to->counts.odds = from->counts.odds;
	for (uint32_t b = 0; b < HISTOGRAM_BUCKETS; b++) {
		to->new_us[b] += from->new_us[b];
		to->live_us[b] += from->live_us[b];
	}
}

/* Twice the time for each: so the picture keeps its size, however long it took. */
static void double_bins(struct reading *r)
{
	struct postmortem_ticks *t = &r->facts->ticks;
	for (uint32_t i = 0; i < POSTMORTEM_BINS_MAX / 2; i++) {
		if (i > 0)
			r->bins[i] = r->bins[2 * i];
		fold(&r->bins[i], &r->bins[2 * i + 1]);
	}
	memset(&r->bins[POSTMORTEM_BINS_MAX / 2], 0,
	       sizeof r->bins[0] * (POSTMORTEM_BINS_MAX - POSTMORTEM_BINS_MAX / 2));
	t->bin_ms *= 2;
	t->bin_count = POSTMORTEM_BINS_MAX / 2;
}

static void add_arm(const struct judge_arm *arm, uint64_t *requests, uint64_t *errors,
		    uint64_t us[HISTOGRAM_BUCKETS])
{
	*requests += arm->requests;
	for (uint32_t c = 0; c < JUDGE_ERROR_COUNT; c++)
		*errors += arm->errors[c];
	for (uint32_t i = 0; i < arm->slot_count; i++)
		us[arm->slots[i].bucket] += arm->slots[i].count;
}

static struct bin *bin_of(struct reading *r, uint64_t now)
{
	struct postmortem_ticks *t = &r->facts->ticks;
	uint64_t index;
	while ((index = (now > 0 ? now - 1 : 0) / t->bin_ms) >= POSTMORTEM_BINS_MAX)
		double_bins(r);
	/* In a stretch without a tick the odds are those before it. */
	for (; t->bin_count <= index; t->bin_count++)
		if (t->bin_count > 0)
			r->bins[t->bin_count].counts.odds = r->bins[t->bin_count - 1].counts.odds;
	return &r->bins[index];
}

static uint64_t now_ms(const struct reading *r)
{
	return r->judges[0].time_ms - r->past_ms;
}

static void add_counts(struct reading *r)
{
	const struct judge_tick *tick = &r->reader.tick;
	struct postmortem_ticks *t = &r->facts->ticks;
	uint64_t requests = 0, errors = 0;
	for (uint32_t s = 0; s < tick->cell_count && !r->began; s++)
		r->began = tick->cells[s].new_release.requests > 0 ||
			   tick->cells[s].new_release.hangs > 0;
	if (!r->began) {
		r->past_ms = r->judges[0].time_ms;
		return;
	}
	struct bin *bin = bin_of(r, now_ms(r));
	for (uint32_t s = 0; s < tick->cell_count; s++) {
		add_arm(&tick->cells[s].new_release, &requests, &errors, bin->new_us);
		add_arm(&tick->cells[s].live_release, &bin->counts.live_requests,
			&bin->counts.live_errors, bin->live_us);
	}
	bin->counts.new_requests += requests;
	bin->counts.new_errors += errors;
	bin->counts.odds = view_judge_odds(judge_odds(&r->judges[0]));
	r->requests += requests;
	r->errors += errors;
	t->total_ms = now_ms(r);
}

/* --- verdicts */

static void note_lowest(struct lowest *l, double evidence, const struct reading *r)
{
	if (l->evidence == 0 || evidence <= l->evidence)
		*l = (struct lowest){evidence, r->began ? now_ms(r) : 0, r->requests};
}

static void note_evidence(struct reading *r)
{
	const struct judge *j = &r->judges[0];
	for (uint32_t m = 0; m < JUDGE_METRIC_COUNT; m++)
		if (judge_metric_is_on(j, m))
			note_lowest(&r->lowest[m], judge_proportion_worse(&j->metrics[m]), r);
	note_lowest(&r->lowest_odds, judge_odds(j), r);
}

static void note_failure(struct reading *r)
{
	struct postmortem_ticks *t = &r->facts->ticks;
	const struct lowest *l = &r->lowest_odds;
	for (uint32_t m = 0; m < JUDGE_METRIC_COUNT; m++)
		if (judge_metric_is_on(&r->judges[0], m) &&
		    strcmp(judge_metric_name(&r->judges[0], m), r->result.rule) == 0)
			l = &r->lowest[m];
	t->failed = true;
	t->failed_ms = now_ms(r);
	text_copy(t->metric, sizeof t->metric, r->result.rule);
	t->first_bad_ms = l->at_ms;
	t->requests_until_bad = l->requests;
	t->requests_until_failed = r->requests;
}

static void decide(struct reading *r)
{
	struct postmortem_ticks *t = &r->facts->ticks;
	if (!t->failed)
		note_evidence(r);
	for (uint32_t i = 0; i < VARIANTS; i++) {
		struct postmortem_replay *replay = &t->replays[i];
		if (replay->failed)
			continue;
		judge_decide(&r->judges[i], &r->result);
		replay->failed = r->result.verdict == JUDGE_VERDICT_FAIL;
		replay->at_ms = now_ms(r);
		replay->requests = r->requests;
		replay->errors = r->errors;
		replay->band = t->band_count > 0 ? t->band_count - 1 : 0;
		if (i == 0 && replay->failed)
			note_failure(r);
	}
}

/* --- lines */

static void begin_band(struct reading *r)
{
	struct postmortem_ticks *t = &r->facts->ticks;
	if (t->band_count == POSTMORTEM_BANDS_MAX || t->failed)
		return;
	struct postmortem_band *band = &t->bands[t->band_count++];
	band->at_ms = r->began ? now_ms(r) : 0;
	for (uint32_t i = 0; i < r->facts->step_count; i++)
		if (r->facts->steps[i].place == r->reader.step) {
			band->weight_bp = r->facts->steps[i].weight_bp;
			text_copy(band->label, sizeof band->label, r->facts->steps[i].label);
		}
}

static void tell_others(struct reading *r)
{
	for (uint32_t i = 1; i < VARIANTS; i++)
		switch (r->reader.line) {
		case TICK_TEXT_HEAD: break;
		case TICK_TEXT_TICK: judge_tick(&r->judges[i], &r->reader.tick); break;
		case TICK_TEXT_STEP: judge_step(&r->judges[i]); break;
		case TICK_TEXT_WARM: judge_warm_up(&r->judges[i]); break;
		case TICK_TEXT_REPLACE: judge_replace(&r->judges[i], r->reader.place); break;
		}
}

static int take_line(void *context, const char *line, size_t size, struct error *err)
{
	struct reading *r = context;
	int result = tick_text_feed(&r->reader, line, size, err);
	if (result < 0)
		return result;
	tell_others(r);
	if (r->reader.line == TICK_TEXT_STEP)
		begin_band(r);
	if (r->reader.line != TICK_TEXT_TICK)
		return 0;
	add_counts(r);
	decide(r);
	return 0;
}

static uint64_t p99_of(const uint64_t us[HISTOGRAM_BUCKETS])
{
	uint64_t total = histogram_total(us);
	return total == 0 ? 0 : histogram_upper_us(histogram_quantile(us, total, P99_BP));
}

void postmortem_add_ticks(struct postmortem *facts, struct ticks *ticks)
{
	struct error ignored;
	uint64_t at = 0;
	if (!ticks)
		return;
	struct reading *r = mem_zero(1, sizeof *r);
	r->facts = facts;
	r->reader.judge = &r->judges[0];
	r->reader.adjust = begin_judges;
	r->reader.context = r;
	facts->ticks.bin_ms = BIN_MS;
	/* A line that cannot be read ends it: what was before stands. */
	(void)!ticks->ops->read(ticks, facts->number, &at, take_line, r, &ignored);
	facts->ticks.known = r->began;
	for (uint32_t i = 0; i < facts->ticks.bin_count; i++) {
		facts->ticks.bins[i] = r->bins[i].counts;
		facts->ticks.bins[i].new_p99_us = p99_of(r->bins[i].new_us);
		facts->ticks.bins[i].live_p99_us = p99_of(r->bins[i].live_us);
	}
	if (!r->began)
		facts->ticks.replay_count = 0;
	free(r);
}
