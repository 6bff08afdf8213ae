/* SPDX-License-Identifier: Apache-2.0
 * rules - see rules.h for the contract. */
#include "judge/rules.h"

#include <string.h>

#include "base/err.h"
#include "base/text.h"

enum { DEFAULT_MAX_BP = 200, DEFAULT_AT_LEAST = 50, DEFAULT_HANG_MS = 5000 };

/* A new release that is more than this many times as bad as a live one in trouble is the trouble. */
static const double EXCUSE_RATIO = 1.5;

/* A sentence under construction; what does not fit is cut. */
struct line {
	char *to;
	size_t used, size;
};

static void put(struct line *line, const char *text)
{
	size_t left = line->size - line->used - 1, length = strlen(text);
	if (length > left)
		length = left;
	memcpy(line->to + line->used, text, length);
	line->used += length;
	line->to[line->used] = '\0';
}

/* 4800 as "4,800". */
static void put_count(struct line *line, uint64_t count)
{
	char digits[32];
	size_t at = sizeof digits - 1, written = 0;
	digits[at] = '\0';
	do {
		if (written > 0 && written % 3 == 0)
			digits[--at] = ',';
		digits[--at] = (char)('0' + count % 10);
		count /= 10;
		written++;
	} while (count > 0);
	put(line, digits + at);
}

static void put_share(struct line *line, uint64_t part, uint64_t whole)
{
	char text[16];
	double bp = (double)part * SHARE_FULL_BP / (double)whole + 0.5;
	put(line, text_format_share((uint32_t)bp, text, sizeof text));
}

/* 812 us, 1.2 ms, 812 ms, 12.3 s: three digits say enough. */
static void put_time(struct line *line, uint64_t us)
{
	uint64_t unit = us < 1000 ? 1 : us < 10000000 ? 1000 : 1000000;
	put_count(line, us / unit);
	if (unit > 1 && us / unit < 100 && us % unit / (unit / 10) > 0) {
		put(line, ".");
		put_count(line, us % unit / (unit / 10));
	}
	put(line, unit == 1 ? " us" : unit == 1000 ? " ms" : " s");
}

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

/* "; 9 answered 5xx, 3 hang unanswered" */
static void put_causes(struct line *line, const struct judge_counts *counts)
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
		put(line, separator);
		put_count(line, counts->errors[i]);
		put(line, " ");
		put(line, texts[i]);
		separator = ", ";
	}
}

static const char *limit_words(enum judge_verdict verdict)
{
	return verdict == JUDGE_VERDICT_PASS ? ", within " : ", more than ";
}

static void put_excuse(struct line *line, enum judge_verdict verdict)
{
	if (verdict == JUDGE_VERDICT_GO_ON)
		put(line, "; both are in trouble, which says nothing about the new release");
}

static void put_too_little(struct line *line, const char *rule, uint64_t seen, uint64_t needed)
{
	put(line, "too little traffic to judge ");
	put(line, rule);
	put(line, ": the new release has seen ");
	put_count(line, seen);
	put(line, " of the ");
	put_count(line, needed);
	put(line, " requests it takes");
}

static enum judge_verdict judge_error_rate(const struct judge_error_rule *rule,
					   const struct judge_window *window, struct line *line)
{
	struct reading fresh = read_errors(rule, &window->new_release);
	struct reading live = read_errors(rule, &window->live_release);
	enum judge_verdict verdict = weigh(&fresh, &live, rule->at_least, rule->absolute);
	if (verdict == JUDGE_VERDICT_TOO_LITTLE) {
		put_too_little(line, "errors", fresh.total, rule->at_least);
		return verdict;
	}
	put(line, "errors ");
	put_count(line, fresh.value);
	put(line, " of ");
	put_count(line, fresh.total);
	put(line, " requests (");
	put_share(line, fresh.value, fresh.total);
	put(line, ") of the new release");
	put(line, limit_words(verdict));
	put_share(line, rule->max_bp, SHARE_FULL_BP);
	put(line, " allowed");
	if (live.total > 0) {
		put(line, "; the live release had ");
		put_count(line, live.value);
		put(line, " of ");
		put_count(line, live.total);
		put(line, " (");
		put_share(line, live.value, live.total);
		put(line, ")");
	}
	if (verdict != JUDGE_VERDICT_PASS)
		put_causes(line, &window->new_release);
	put_excuse(line, verdict);
	return verdict;
}

static enum judge_verdict judge_latency(const struct judge_latency_rule *rule,
					const struct judge_window *window, struct line *line)
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
	put(line, name);
	put(line, " ");
	put_time(line, fresh.value);
	put(line, " over ");
	put_count(line, fresh.total);
	put(line, " answers of the new release");
	put(line, limit_words(verdict));
	put_time(line, rule->max_us);
	put(line, " allowed");
	if (live.total > 0) {
		put(line, "; the live release had ");
		put_time(line, live.value);
		put(line, " over ");
		put_count(line, live.total);
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
		struct line line = {.to = sentence, .size = sizeof sentence};
		enum judge_verdict verdict = judge_error_rate(&rules->errors, window, &line);
		add_verdict(ret_result, verdict, "errors", sentence);
	}
	for (uint32_t i = 0; rules->on && i < rules->latency_count; i++) {
		struct line line = {.to = sentence, .size = sizeof sentence};
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
	struct line line = {.to = to, .size = JUDGE_RULE_NAME_MAX};
	put(&line, "p");
	put_count(&line, quantile_bp / 100);
	if (quantile_bp % 100 > 0) {
		put(&line, ".");
		put_count(&line, quantile_bp % 100 / 10);
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
