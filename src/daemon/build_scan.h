/* SPDX-License-Identifier: Apache-2.0
 *
 * build_scan - what a scanner found in a stage of a pipeline, or in a check of a release, judged (drivers/builder/local.h,
 *              `judge`).
 *
 * WHAT  The report is read by scan/scan.h, compared with the stage's baseline, else with what the release that is live
 *       in production had, and freed of what waivers.yaml at the root of the commit lets through. Baseline and waivers are
 *       read from the commit, never from what a stage has made of it.
 * ERRORS ERR_DENIED: a new finding stands in the way; the sentence names the worst, its file and line. Others: the
 *       report, the baseline or the waivers cannot be read, which is a failure and never "nothing found".
 */
#ifndef DAEMON_BUILD_SCAN_H
#define DAEMON_BUILD_SCAN_H

#include "drivers/check/smoke.h"
#include "provider/builder.h"

struct scan_report;

int build_scan_judge(const struct builder_job *job, const struct builder_scan *scan,
		     struct builder_result *result, struct error *err) MUST_CHECK;

/* The same for a check of a running release (drivers/check/smoke.h, `judge`). What its command was given, and where the
 * instance listened, is hidden in the findings before anything is made of them. */
int build_scan_judge_check(const struct smoke_report *report, struct check_found *ret_found,
			   struct error *err) MUST_CHECK;

/* Of a report that is blocked: ERR_DENIED, with the sentence. */
int build_scan_refuse(const struct scan_report *report, struct error *err) MUST_CHECK;

#endif
