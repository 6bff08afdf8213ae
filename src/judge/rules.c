/* SPDX-License-Identifier: Apache-2.0
 * rules - see rules.h for the contract. */
#include "judge/rules.h"

#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "judge/line.h"

enum { DEFAULT_MAX_BP = 200, DEFAULT_AT_LEAST = 50, DEFAULT_HANG_MS = 5000 };

/* A new release that is more than this many times as bad as a live one in trouble is the trouble. */
static const double EXCUSE_RATIO = 1.5;

uint64_t judge_errors(const struct judge_counts *counts)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < JUDGE_ERROR_COUNT; i++)
		sum += counts->errors[i];
	return sum;
}

uint64_t judge_outcomes(const struct judge_counts *counts)
{
	return counts->answered + judge_errors(counts) - counts->errors[JUDGE_ERROR_SERVER];
}

void judge_rules_default(struct judge_rules *ret_rules)
{
	*ret_rules = (struct judge_rules){
		.on = true,
		.hang_ms = DEFAULT_HANG_MS,
		.errors = {.on = true, .max_bp = DEFAULT_MAX_BP, .at_least = DEFAULT_AT_LEAST},
	};
}

/* How one rule sees one release: `bad` of `total`, as a number that can be compared between
 * releases. */
struct reading {
	uint64_t total;
	uint64_t value; /* errors, or microseconds */
	double badness; /* share of errors, or microseconds */
	bool broken;
};

static struct reading read_errors(const struct judge_error_rule *rule,
				  const struct judge_counts *counts)
{
	struct reading r = {.total = judge_outcomes(counts), .value = judge_errors(counts)};
	if (r.total > 0)
		r.badness = (double)r.value / (double)r.total;
	r.broken = r.value * SHARE_FULL_BP > (uint64_t)rule->max_bp * r.total;
	return r;
}

static struct reading read_latency(const struct judge_latency_rule *rule,
				   const struct judge_counts *counts)
{
	struct reading r = {.total = histogram_total(counts->latency)};
	if (r.total > 0)
		r.value = histogram_lower_us(
			histogram_quantile(counts->latency, r.total, rule->quantile_bp));
	r.badness = (double)r.value;
	r.broken = r.value > rule->max_us;
	return r;
}

static enum judge_verdict weigh(const struct reading *new_one, const struct reading *live,
				uint32_t at_least, bool absolute)
{
	if (new_one->total == 0 || new_one->total < at_least)
		return JUDGE_VERDICT_TOO_LITTLE;
	if (!new_one->broken)
		return JUDGE_VERDICT_PASS;
	bool excused = !absolute && live->total >= at_least && live->broken &&
		       new_one->badness <= EXCUSE_RATIO * live->badness;
	return excused ? JUDGE_VERDICT_GO_ON : JUDGE_VERDICT_FAIL;
}

/* Too many already, even if all that is missing were good. A live release that fails too may yet excuse them. */
static bool certain(const struct judge_error_rule *rule, const struct reading *new_one,
		    const struct reading *live)
{
	if (new_one->value * SHARE_FULL_BP <= (uint64_t)rule->max_bp * rule->at_least)
		return false;
	if (rule->absolute || !live->broken)
		return true;
	double least = (double)new_one->value / rule->at_least;
	return live->total >= rule->at_least && least > EXCUSE_RATIO * live->badness;
}

/* "; 9 answered 5xx, 3 hang unanswered" */
static void put_causes(struct judge_line *line, const struct judge_counts *counts)
{
	static const char *const texts[JUDGE_ERROR_COUNT] = {
#define X(name, text) text,
		JUDGE_ERROR_CAUSES(X)
#undef X
	};
	const char *separator = "; ";
	for (size_t i = 0; i < JUDGE_ERROR_COUNT; i++) {
		if (counts->errors[i] == 0)
			continue;
		judge_line_put(line, separator);
		judge_line_count(line, counts->errors[i]);
		judge_line_put(line, " ");
		judge_line_put(line, texts[i]);
		separator = ", ";
	}
}

static const char *limit_words(enum judge_verdict verdict)
{
	return verdict == JUDGE_VERDICT_PASS ? ", within " : ", more than ";
}

static void put_excuse(struct judge_line *line, enum judge_verdict verdict)
{
	if (verdict == JUDGE_VERDICT_GO_ON)
		judge_line_put(line,
			       "; both are in trouble, which says nothing about the new release");
}

static void put_too_little(struct judge_line *line, const char *rule, uint64_t seen,
			   uint64_t needed)
{
	judge_line_put(line, "too little traffic to judge ");
	judge_line_put(line, rule);
	judge_line_put(line, ": the new release has seen ");
	judge_line_count(line, seen);
	judge_line_put(line, " of the ");
	judge_line_count(line, needed);
	judge_line_put(line, " requests it takes");
}

static enum judge_verdict judge_error_rate(const struct judge_error_rule *rule,
					   const struct judge_window *window,
					   struct judge_line *line)
{
	struct reading fresh = read_errors(rule, &window->new_release);
	struct reading live = read_errors(rule, &window->live_release);
	enum judge_verdict verdict = weigh(&fresh, &live, rule->at_least, rule->absolute);
	bool early = verdict == JUDGE_VERDICT_TOO_LITTLE && certain(rule, &fresh, &live);
	if (early)
		verdict = JUDGE_VERDICT_FAIL;
	if (verdict == JUDGE_VERDICT_TOO_LITTLE) {
		put_too_little(line, "errors", fresh.total, rule->at_least);
		return verdict;
	}
	judge_line_put(line, "errors ");
	judge_line_count(line, fresh.value);
	judge_line_put(line, " of ");
	judge_line_count(line, fresh.total);
	judge_line_put(line, " requests (");
	judge_line_share(line, fresh.value, fresh.total);
	judge_line_put(line, ") of the new release");
	judge_line_put(line, limit_words(verdict));
	judge_line_share(line, rule->max_bp, SHARE_FULL_BP);
	judge_line_put(line, " allowed");
	if (early) {
		judge_line_put(line, " even if all others of the ");
		judge_line_count(line, rule->at_least);
		judge_line_put(line, " it takes were good");
	}
	if (live.total > 0) {
		judge_line_put(line, "; the live release had ");
		judge_line_count(line, live.value);
		judge_line_put(line, " of ");
		judge_line_count(line, live.total);
		judge_line_put(line, " (");
		judge_line_share(line, live.value, live.total);
		judge_line_put(line, ")");
	}
	if (verdict != JUDGE_VERDICT_PASS)
		put_causes(line, &window->new_release);
	put_excuse(line, verdict);
	return verdict;
}

static enum judge_verdict judge_latency(const struct judge_latency_rule *rule,
					const struct judge_window *window, struct judge_line *line)
{
	char name[JUDGE_RULE_NAME_MAX];
	struct reading fresh = read_latency(rule, &window->new_release);
	struct reading live = read_latency(rule, &window->live_release);
	enum judge_verdict verdict = weigh(&fresh, &live, rule->at_least, rule->absolute);
	judge_quantile_name(rule->quantile_bp, name);
	if (verdict == JUDGE_VERDICT_TOO_LITTLE) {
		put_too_little(line, name, fresh.total, rule->at_least);
		return verdict;
	}
	judge_line_put(line, name);
	judge_line_put(line, " ");
	judge_line_time(line, fresh.value);
	judge_line_put(line, " over ");
	judge_line_count(line, fresh.total);
	judge_line_put(line, " answers of the new release");
	judge_line_put(line, limit_words(verdict));
	judge_line_time(line, rule->max_us);
	judge_line_put(line, " allowed");
	if (live.total > 0) {
		judge_line_put(line, "; the live release had ");
		judge_line_time(line, live.value);
		judge_line_put(line, " over ");
		judge_line_count(line, live.total);
	}
	put_excuse(line, verdict);
	return verdict;
}

/* Which of two verdicts decides. */
static int gravity(enum judge_verdict verdict)
{
	switch (verdict) {
	case JUDGE_VERDICT_PASS: return 0;
	case JUDGE_VERDICT_TOO_LITTLE: return 1;
	case JUDGE_VERDICT_GO_ON: return 2;
	case JUDGE_VERDICT_FAIL: return 3;
	case JUDGE_VERDICT_COUNT: break;
	}
	ASSERT(!"a verdict");
}

/* The first rule's sentence stands until a graver one comes. */
static void add_verdict(struct judge_result *result, enum judge_verdict verdict, const char *rule,
			const char *sentence)
{
	bool first = result->sentence[0] == '\0';
	if (!first && gravity(verdict) <= gravity(result->verdict))
		return;
	result->verdict = verdict;
	text_copy(result->rule, sizeof result->rule, verdict == JUDGE_VERDICT_PASS ? "" : rule);
	text_copy(result->sentence, sizeof result->sentence, sentence);
}

void judge_rules_apply(const struct judge_rules *rules, const struct judge_window *window,
		       struct judge_result *ret_result)
{
	char sentence[JUDGE_SENTENCE_MAX], name[JUDGE_RULE_NAME_MAX];
	*ret_result = (struct judge_result){.verdict = JUDGE_VERDICT_PASS};
	ASSERT(rules->latency_count <= JUDGE_LATENCY_RULES_MAX);
	if (rules->on && rules->errors.on) {
		struct judge_line line = {.to = sentence, .size = sizeof sentence};
		enum judge_verdict verdict = judge_error_rate(&rules->errors, window, &line);
		add_verdict(ret_result, verdict, "errors", sentence);
	}
	for (uint32_t i = 0; rules->on && i < rules->latency_count; i++) {
		struct judge_line line = {.to = sentence, .size = sizeof sentence};
		enum judge_verdict verdict = judge_latency(&rules->latency[i], window, &line);
		add_verdict(ret_result, verdict,
			    judge_quantile_name(rules->latency[i].quantile_bp, name), sentence);
	}
	if (ret_result->sentence[0] == '\0')
		text_copy(ret_result->sentence, sizeof ret_result->sentence,
			  "analysis is off: nothing is judged, only time passes");
}

const char *judge_quantile_name(uint32_t quantile_bp, char to[JUDGE_RULE_NAME_MAX])
{
	struct judge_line line = {.to = to, .size = JUDGE_RULE_NAME_MAX};
	judge_line_put(&line, "p");
	judge_line_count(&line, quantile_bp / 100);
	if (quantile_bp % 100 > 0) {
		judge_line_put(&line, ".");
		judge_line_count(&line, quantile_bp % 100 / 10);
	}
	return to;
}

const char *judge_verdict_name(enum judge_verdict verdict)
{
	static const char *const names[] = {
#define X(name, text) text,
		JUDGE_VERDICTS(X)
#undef X
	};
	ASSERT(verdict < JUDGE_VERDICT_COUNT);
	return names[verdict];
}

const char *judge_when_too_little_name(enum judge_when_too_little what)
{
	static const char *const names[] = {
#define X(name, text) text,
		JUDGE_WHEN_TOO_LITTLE(X)
#undef X
	};
	ASSERT(what < JUDGE_WHEN_TOO_LITTLE_COUNT);
	return names[what];
}
