/* SPDX-License-Identifier: Apache-2.0
 *
 * rules - the plain rules: may the new release go on, by maxima that a person wrote down.
 *
 * WHAT  judge_rules_apply() looks at what the new release and the live one did over the same window and
 *       says PASS, FAIL, TOO_LITTLE or GO_ON, which rule decided, and one sentence with exact counts.
 *
 * HOW   FAIL        a rule's maximum is exceeded and the rule has seen `at_least` requests. At once:
 *                   nobody waits for the end of a step. Errors fail before that when they would exceed it
 *                   among `at_least` requests, all others good, and the live release cannot excuse them.
 *       GO_ON       a maximum is exceeded, but the live release exceeds it too and the new one is not
 *                   much worse (at most half again as bad): a shared outage, which says nothing about
 *                   the release. Neither a reason to abort nor a pass. Needs `at_least` requests of the
 *                   live release as well; `absolute` rules never look at it.
 *       TOO_LITTLE  a rule has not seen `at_least` requests. Missing data is never a pass.
 *       PASS        every rule has seen enough and holds.
 *       The worst of the rules decides: FAIL, then GO_ON, TOO_LITTLE, PASS. Rules that are off pass.
 *
 *       A window that only grows hides a release that goes bad late. Callers apply the rules twice, to
 *       the step so far and to its last minute: a FAIL of either aborts, a PASS is that of the step.
 *
 * UNITS Counts are differences of cumulative counters over the window. A request has an outcome once it
 *       was answered or failed; those still young and unanswered count for nothing yet. Errors are
 *       answers 500..599, and requests without an answer: those that broke and, while they are still
 *       open, those older than `hang_ms` (whoever fills the window counts them as HUNG).
 *       A latency rule is broken when even the lower edge of its quantile's bucket is above the
 *       maximum: the 3 % of a bucket are never held against a release.
 */
#ifndef JUDGE_RULES_H
#define JUDGE_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/histogram.h"

enum { JUDGE_LATENCY_RULES_MAX = 8, JUDGE_RULE_NAME_MAX = 48, JUDGE_SENTENCE_MAX = 400 };

#define JUDGE_VERDICTS(X)           \
	X(TOO_LITTLE, "too-little") \
	X(GO_ON, "go-on")           \
	X(PASS, "pass")             \
	X(FAIL, "fail")

enum judge_verdict {
#define X(name, text) JUDGE_VERDICT_##name,
	JUDGE_VERDICTS(X)
#undef X
		JUDGE_VERDICT_COUNT
};

/* What a step does that reached its longest time without a PASS or a FAIL. */
#define JUDGE_WHEN_TOO_LITTLE(X) \
	X(HOLD, "hold")          \
	X(ROLLBACK, "rollback")  \
	X(CONTINUE, "continue")

enum judge_when_too_little {
#define X(name, text) JUDGE_WHEN_TOO_LITTLE_##name,
	JUDGE_WHEN_TOO_LITTLE(X)
#undef X
		JUDGE_WHEN_TOO_LITTLE_COUNT
};

#define JUDGE_ERROR_CAUSES(X)           \
	X(SERVER, "answered 5xx")       \
	X(TIMEOUT, "timed out")         \
	X(CONNECT, "could not connect") \
	X(RESET, "broke off")           \
	X(OVERLOAD, "found no place")   \
	X(HUNG, "hang unanswered")

enum judge_error_cause {
#define X(name, text) JUDGE_ERROR_##name,
	JUDGE_ERROR_CAUSES(X)
#undef X
		JUDGE_ERROR_COUNT
};

struct judge_error_rule {
	bool on;
	bool absolute;     /* do not excuse by the live release */
	uint32_t max_bp;   /* errors in requests with an outcome, 0..10000 */
	uint32_t at_least; /* requests with an outcome, 1.. */
};

struct judge_latency_rule {
	bool absolute;
	uint32_t quantile_bp; /* 5000 9000 9900 9990 */
	uint32_t at_least;    /* answers, 1.. */
	uint64_t max_us;
};

struct judge_rules {
	bool on; /* false: `analysis: off`, everything passes */
	enum judge_when_too_little when_too_little;
	uint64_t hang_ms; /* unanswered for longer counts as an error; 0: only the gateway's
			     timeouts */
	struct judge_error_rule errors;
	uint32_t latency_count;
	struct judge_latency_rule latency[JUDGE_LATENCY_RULES_MAX];
};

struct judge_counts {
	uint64_t requests; /* sent to the release in the window, with or without outcome */
	uint64_t answered; /* answered, whatever the status */
	uint64_t errors[JUDGE_ERROR_COUNT];  /* SERVER is part of `answered`, the others are not */
	uint64_t latency[HISTOGRAM_BUCKETS]; /* whole time of each answer */
};

struct judge_window {
	struct judge_counts new_release;
	struct judge_counts live_release; /* all zero where none runs */
};

struct judge_result {
	enum judge_verdict verdict;
	char rule[JUDGE_RULE_NAME_MAX]; /* "errors", "p99", or "" where no single rule decided */
	char sentence[JUDGE_SENTENCE_MAX];
};

/* What applies where davit.yaml has no `analysis`: errors at most 2% of at least 50 requests, and a
 * request unanswered for 5 s is an error. */
void judge_rules_default(struct judge_rules *ret_rules);

void judge_rules_apply(const struct judge_rules *rules, const struct judge_window *window,
		       struct judge_result *ret_result);

/* Requests with an outcome, and those of them that failed. */
uint64_t judge_outcomes(const struct judge_counts *counts);
uint64_t judge_errors(const struct judge_counts *counts);

/* "p99" for 9900. Returns `to`. */
const char *judge_quantile_name(uint32_t quantile_bp, char to[JUDGE_RULE_NAME_MAX]);

const char *judge_verdict_name(enum judge_verdict verdict);
const char *judge_when_too_little_name(enum judge_when_too_little what);

#endif
