/* SPDX-License-Identifier: Apache-2.0
 *
 * compare - what has become of each finding since the baseline, and whether the policy lets that through. Pure: no
 *           clock, no file; every text that it is given is borrowed.
 *
 * WHAT  Of the findings now each is new, existing, suppressed or waived; of the baseline's each is existing or
 *       fixed. A finding that the report suppresses counts as known to the baseline, and is not new when the
 *       comment goes: it is new when the baseline had it suppressed and nobody does any more. The same holds for what
 *       was waived when a kept baseline (known.h) was made: when the waiver is over, it is new.
 *       The gate blocks new findings of a severity and above, and sums of new and existing ones past a cap.
 *
 * HOW   findings_compare() with both lists identified; waivers_apply() (waivers.h); findings_count(); scan_judge().
 */
#ifndef SCAN_COMPARE_H
#define SCAN_COMPARE_H

#include "scan/finding.h"

enum { SCAN_NO_CAP = -1, SCAN_SENTENCE_SIZE = 256 };

struct scan_policy {
	bool blocks;                 /* new findings at all */
	enum severity block_at;      /* this one and above */
	int32_t at_most[SEVERITIES]; /* new and existing ones of just this severity; SCAN_NO_CAP */
};

/* Blocks what is new and high or critical, and has no caps. */
extern const struct scan_policy scan_policy_default;

struct scan_counts {
	uint32_t of[FINDING_STATES][SEVERITIES];
	uint32_t total[FINDING_STATES];
};

/* `base` may be NULL: everything is new then. */
void findings_compare(struct findings *now, struct findings *base);

void findings_count(const struct findings *now, const struct findings *base,
		    struct scan_counts *ret_counts);

/* True: blocked. `sentence` says why, or why not. */
bool scan_judge(const struct scan_counts *counts, const struct scan_policy *policy,
		char sentence[SCAN_SENTENCE_SIZE]);

/* "critical=0,high=10" into at_most. */
int scan_caps_parse(const char *text, struct scan_policy *policy, struct error *err) MUST_CHECK;

#endif
