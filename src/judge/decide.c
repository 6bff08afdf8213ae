/* SPDX-License-Identifier: Apache-2.0
 * decide - see judge.h for the contract: the verdict and its sentence. */
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "judge/judge.h"
#include "judge/line.h"

/* Nothing passes while the odds are this much against it: a person would want to look. */
static const double DOUBT = 20;

/* The metric that says most against the release. */
static uint32_t culprit(const struct judge *j)
{
	uint32_t worst = JUDGE_METRIC_ERRORS;
	for (uint32_t m = 0; m < JUDGE_METRIC_ALL; m++)
		if (judge_share_of_odds(j, m) > judge_share_of_odds(j, worst))
			worst = m;
	return worst;
}

/* The gate that has shown least. */
static uint32_t laggard(const struct judge *j)
{
	uint32_t least = JUDGE_METRIC_COUNT;
	for (uint32_t m = 0; m < JUDGE_METRIC_COUNT; m++) {
		if (!judge_gates(j, m))
			continue;
		if (least == JUDGE_METRIC_COUNT ||
		    judge_proportion_fine(&j->metrics[m]) <
			    judge_proportion_fine(&j->metrics[least]))
			least = m;
	}
	return least;
}

static struct judge_table total_of(const struct judge *j, uint32_t metric)
{
	struct judge_table sum = {0};
	for (uint32_t s = 0; s < JUDGE_STRATA_MAX; s++) {
		const struct judge_table *t = &j->totals[metric][s];
		sum.new_requests += t->new_requests;
		sum.new_events += t->new_events;
		sum.live_requests += t->live_requests;
		sum.live_events += t->live_events;
	}
	return sum;
}

static bool is_latency(uint32_t metric)
{
	return metric >= JUDGE_METRIC_LATENCY && metric < JUDGE_METRIC_LATENCY + JUDGE_LATENCIES;
}

/* "9 of 783 requests (1.15%)" */
static void put_counted(struct judge_line *line, uint64_t events, uint64_t requests,
			const char *what)
{
	judge_line_count(line, events);
	judge_line_put(line, " of ");
	judge_line_count(line, requests);
	judge_line_put(line, what);
	if (what[0])
		judge_line_put(line, requests == 1 ? "" : "s");
	if (requests > 0 && events <= requests) {
		judge_line_put(line, " (");
		judge_line_share(line, events, requests);
		judge_line_put(line, ")");
	}
}

/* " (7 answered 5xx, 2 timed out)", blind second tries among them */
static void put_causes(struct judge_line *line, const struct judge *j)
{
	static const char *const texts[JUDGE_ERROR_COUNT] = {
#define X(name, text) text,
		JUDGE_ERROR_CAUSES(X)
#undef X
	};
	const char *separator = " (";
	for (uint32_t c = 0; c < JUDGE_ERROR_COUNT; c++) {
		if (j->causes[c] == 0)
			continue;
		judge_line_put(line, separator);
		judge_line_count(line, j->causes[c]);
		judge_line_put(line, " ");
		judge_line_put(line, texts[c]);
		separator = ", ";
	}
	if (separator[0] == ',')
		judge_line_put(line, ")");
}

/* " failed", " took longer than 21 ms": what an event is. */
static void put_event(struct judge_line *line, const struct judge *j, uint32_t metric)
{
	if (metric == JUDGE_METRIC_ERRORS) {
		judge_line_put(line, " failed");
		put_causes(line, j);
	} else if (metric == JUDGE_METRIC_REFUSED) {
		judge_line_put(line, " were answered with 4xx");
	} else if (metric == JUDGE_METRIC_HANGS) {
		judge_line_put(line, " hung");
	} else if (is_latency(metric)) {
		judge_line_put(line, " took longer than ");
		judge_line_time(line, j->edges[metric - JUDGE_METRIC_LATENCY].live_us);
	} else if (!j->settings.metrics[metric].proportion.counts) {
		judge_line_put(line, " counted as ");
		judge_line_put(line, j->settings.metrics[metric].name);
	}
}

/* What the live release's share, now and before, would have made of the new one's requests. */
static void put_expected(struct judge_line *line, const struct judge_proportion *p)
{
	static const double NONE = 0.05;
	if (p->past_requests <= 0)
		return;
	judge_line_put(line, ", ");
	if (p->expected < NONE)
		judge_line_put(line, "none");
	else
		judge_line_number(line, p->expected);
	judge_line_put(line, " would have been expected");
}

/* "3 crashes in 48 s of instances", "120 orders in 4,800 requests": what may happen more than once in one of these. */
static void put_happened(struct judge_line *line, const struct judge *j, uint32_t metric,
			 uint64_t events, uint64_t exposure)
{
	bool crashes = metric == JUDGE_METRIC_EXTRA + JUDGE_EXTRA_CRASHES;
	judge_line_count(line, events);
	judge_line_put(line, " ");
	judge_line_put(line, judge_metric_name(j, metric));
	judge_line_put(line, " in ");
	judge_line_count(line, crashes ? exposure / 1000 : exposure);
	judge_line_put(line, crashes ? " s of instances" : " requests");
}

static void put_part(struct judge_line *line, const struct judge *j, uint32_t metric,
		     uint64_t events, uint64_t requests, const char *what)
{
	if (j->settings.metrics[metric].proportion.counts)
		put_happened(line, j, metric, events, requests);
	else
		put_counted(line, events, requests, what);
}

static const char *what_happens(uint32_t metric)
{
	if (is_latency(metric))
		return " answer";
	return metric < JUDGE_METRIC_EXTRA ? " request" : "";
}

/* "9 of 783 requests (1.15%) failed, 0.8 would have been expected; of the live release 98 of 77,410 (0.13%)" */
static void put_comparison(struct judge_line *line, const struct judge *j, uint32_t metric)
{
	if (metric >= JUDGE_METRIC_MEAN) {
		judge_mean_put(line, &j->means[metric - JUDGE_METRIC_MEAN]);
		return;
	}
	struct judge_table t = total_of(j, metric);
	put_part(line, j, metric, t.new_events, t.new_requests, what_happens(metric));
	put_event(line, j, metric);
	put_expected(line, &j->metrics[metric]);
	if (t.live_requests > 0) {
		judge_line_put(line, "; of the live release ");
		put_part(line, j, metric, t.live_events, t.live_requests, "");
	} else {
		judge_line_put(line, "; there is no live release to compare with");
	}
}

static void put_odds(struct judge_line *line, const char *before, double odds, const char *after)
{
	judge_line_put(line, before);
	judge_line_odds(line, odds);
	judge_line_put(line, after);
}

static void say_worse(struct judge_line *line, const struct judge *j, uint32_t metric)
{
	put_comparison(line, j, metric);
	put_odds(line, "; the odds are ", judge_odds(j), " that this release is worse");
}

static void say_fine(struct judge_line *line, const struct judge *j)
{
	put_comparison(line, j, JUDGE_METRIC_ERRORS);
	put_odds(line, "; the odds are ", judge_fine(j), " that this release is fine");
	put_odds(line, ", and ", judge_odds(j), " that it is worse");
}

static void say_open(struct judge_line *line, const struct judge *j)
{
	uint32_t metric = laggard(j);
	bool counted = metric != JUDGE_METRIC_COUNT && total_of(j, metric).new_requests > 0;
	put_comparison(line, j, counted ? metric : JUDGE_METRIC_ERRORS);
	if (!counted && is_latency(metric))
		judge_line_put(line, "; its speed cannot be judged before the live release has "
				     "had some hundred answers");
	put_odds(line, "; too early to say: the odds are ", judge_fine(j),
		 " that this release is fine");
	put_odds(line, " (", 1 / j->settings.beta, " passes)");
	put_odds(line, ", and ", judge_odds(j), " that it is worse");
	put_odds(line, " (", 1 / j->settings.alpha, " fails)");
}

static void say_sick(struct judge_line *line, const struct judge *j, uint32_t place)
{
	const struct judge_suspect *s = &j->suspects[place];
	judge_line_put(line, "one instance of the new release is sick: ");
	put_counted(line, s->errors, s->requests, " request");
	judge_line_put(line, " to it failed, and hardly any to those beside it; it is replaced");
}

void judge_decide(const struct judge *j, struct judge_result *ret_result)
{
	struct judge_line line = {.to = ret_result->sentence, .size = sizeof ret_result->sentence};
	uint32_t metric = culprit(j);
	*ret_result = (struct judge_result){.verdict = JUDGE_VERDICT_GO_ON};
	int sick = judge_sick(j);
	if (sick >= 0) {
		say_sick(&line, j, (uint32_t)sick);
	} else if (judge_odds(j) >= 1 / j->settings.alpha) {
		ret_result->verdict = JUDGE_VERDICT_FAIL;
		text_copy(ret_result->rule, sizeof ret_result->rule, judge_metric_name(j, metric));
		say_worse(&line, j, metric);
	} else if (sample_ratio_is_off(&j->division)) {
		sample_ratio_put(&line, &j->division);
	} else if (j->new_requests == 0) {
		ret_result->verdict = JUDGE_VERDICT_TOO_LITTLE;
		judge_line_put(&line, "the new release has had no request yet");
	} else if (judge_live_troubled(j)) {
		judge_line_put(&line, "the live release itself is in trouble, and no measure for "
				      "this one: ");
		put_comparison(&line, j, JUDGE_METRIC_ERRORS);
	} else if (judge_fine(j) >= 1 / j->settings.beta && judge_odds(j) < DOUBT) {
		ret_result->verdict = JUDGE_VERDICT_PASS;
		say_fine(&line, j);
	} else {
		say_open(&line, j);
	}
}
