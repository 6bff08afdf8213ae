/* SPDX-License-Identifier: Apache-2.0
 *
 * dora - the measures of delivery, from a list of deployments of one environment: how often, how many went wrong,
 *        how long until it was well again, and how long a commit takes.
 *
 * WHAT  Exact counts over a window [from, to): a deployment belongs to the window in which it was completed.
 *       FREQUENCY  deployments that succeeded, a day. Rollbacks and the same release again are not counted.
 *       FAILED     of those that had users: taken back after that, or followed within 24 hours, and before the next
 *                  ordinary deployment began, by a rollback or a repair of it.
 *       RECOVERY   of each that failed: from its first user until the release before, or the repair, was validated.
 *       REWORK     repairs among all deployments.
 *       LEAD TIME  of each commit: from when it was made (pushed, where it claims to be younger than that) until the
 *                  deployment that first brought it was completed. Merges do not count.
 *
 * HOW   dora_compute() for the numbers, dora_row() for what stands behind them, a deployment at a time.
 * UNITS Unix milliseconds, 0 = never. Quantiles are nearest-rank: the value of place ceil(q n) in order.
 * OWNS  Nothing; the result is a value. No clock, no memory, and the order of the list changes nothing.
 * LIMITS DORA_TIMES_MAX values behind a quantile; what is beyond counts in n, and no quantile is told.
 */
#ifndef REPORT_DORA_H
#define REPORT_DORA_H

#include <stdbool.h>
#include <stdint.h>

enum {
	DORA_TIMES_MAX = 8192,
	DORA_LEAST = 5, /* fewer say nothing */
	DORA_DAY_MS = 24 * 3600 * 1000,
};

#define DORA_KINDS(X)                                                   \
	X(NORMAL, "normal")                                             \
	X(HOTFIX, "hotfix")     /* made to repair what `about` broke */ \
	X(ROLLBACK, "rollback") /* back from what `about` brought */    \
	X(REDEPLOY, "redeploy") /* what is live already */

enum dora_kind {
#define X(name, text) DORA_##name,
	DORA_KINDS(X)
#undef X
};
const char *dora_kind_name(enum dora_kind kind);

struct dora_deployment {
	uint32_t id; /* from 1, each once */
	enum dora_kind kind;
	uint32_t about; /* the deployment that it repairs or takes back; 0 = none */
	bool succeeded; /* its release took everything and passed to the end */
	bool restored;  /* taken back: the release before is validated at `completed` */
	uint64_t started_unix_ms;
	uint64_t exposed_unix_ms;   /* the first share of users' requests above 0 */
	uint64_t completed_unix_ms; /* 0: it is under way still */
};

struct dora_commit {
	uint32_t deployment; /* the first that brought it */
	bool merge;
	uint64_t made_unix_ms, pushed_unix_ms;
};

struct dora_input {
	uint64_t from_unix_ms, to_unix_ms;
	const struct dora_deployment *deployments;
	uint32_t deployment_count;
	const struct dora_commit *commits;
	uint32_t commit_count;
	bool hotfixes_known; /* that a deployment is a repair is recorded */
};

struct dora_spread {
	uint32_t n;
	uint64_t p50_ms, p90_ms; /* 0 where n < DORA_LEAST, or above DORA_TIMES_MAX */
};

struct dora_numbers {
	double days; /* of the window */
	uint32_t deployments;
	double per_day;
	struct dora_spread gap; /* between deployments that follow each other */
	uint32_t days_touched, days_with;
	uint32_t exposed, failed;
	uint32_t caught_unexposed; /* taken back before anybody met them */
	struct dora_spread recovery;
	uint32_t ongoing;                  /* failed, and not well again */
	uint32_t hotfixes, rollbacks, all; /* all: normal ones and hotfixes */
	bool hotfixes_known;
	struct dora_spread lead;
	uint64_t times[DORA_TIMES_MAX]; /* work space */
};

/* What a deployment is to each of the measures. */
struct dora_row {
	bool in_window;
	bool counted; /* FREQUENCY */
	bool exposed, failed;
	uint32_t
		by; /* the deployment that repaired or took it back; 0 = it came back itself, or not at all */
	bool restored;
	uint64_t recovery_ms; /* where failed and restored */
};

void dora_row(const struct dora_input *input, uint32_t index, struct dora_row *ret_row);
/* LEAD TIME of one of the input's commits; false: it does not count. */
bool dora_lead(const struct dora_input *input, const struct dora_commit *commit,
	       uint64_t *ret_lead_ms);
void dora_compute(const struct dora_input *input, struct dora_numbers *ret_numbers);

#endif
