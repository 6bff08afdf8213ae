/* SPDX-License-Identifier: Apache-2.0
 *
 * scan_job - what a scan of a build that was made elsewhere found, to be judged: the texts of its reports, and what it says of
 *            them.
 *
 * HOW   control/ has a function that takes a job (struct control_parts, `judge_scan`), as daemon/external_scan.c is.
 * OWNS  A job is borrowed for the call. Of a verdict `kept` is the caller's, to be freed with buf_done() also after an error.
 * ERRORS Of that function: a report, the baseline or the waivers cannot be read (INVALID, LIMIT), what was kept cannot
 *       (CORRUPT). A finding that stands in the way is no error: `blocked`.
 */
#ifndef PROVIDER_SCAN_JOB_H
#define PROVIDER_SCAN_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { SCAN_JOB_REPORTS_MAX = 16, SCAN_JOB_WHY_SIZE = 512 };

struct scan_job {
	const char *stage; /* its name, for errors */
	uint32_t report_count;
	const char *const *reports; /* SARIF 2.1.0 */
	const char *baseline;       /* a report of what is not new; NULL: what is kept */
	const struct buf *known; /* what is kept, as scan/known.h writes it; NULL: there is none */
	const char *since;       /* what that is of, for people */
	const char *waivers;     /* the commit's waivers.yaml; NULL: it has none */
	uint32_t block_at;       /* severity, from 0, low medium high critical */
	uint64_t now_unix_ms;    /* for the waivers' days */
};

struct scan_verdict {
	bool blocked;
	char why[SCAN_JOB_WHY_SIZE]; /* it is, a sentence */
	uint32_t fresh, known, fixed, waived, suppressed;
	struct buf kept; /* of one that is not blocked: for later scans, as `known` */
};

#endif
