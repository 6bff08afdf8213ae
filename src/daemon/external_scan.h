/* SPDX-License-Identifier: Apache-2.0
 *
 * external_scan - what a scan of a build that was made elsewhere found, judged as build_scan.h judges those of stages that run
 *                 here (provider/scan_job.h).
 *
 * WHAT  The commit's tree is not here: a finding is known again by the identity that davit gave it where the tree was (`davit
 *       register`), else by the tool's fingerprint, the lines that the report quotes, or its message.
 */
#ifndef DAEMON_EXTERNAL_SCAN_H
#define DAEMON_EXTERNAL_SCAN_H

#include "base/err.h"
#include "provider/scan_job.h"

int external_scan_judge(const struct scan_job *job, struct scan_verdict *ret_verdict,
			struct error *err) MUST_CHECK;

#endif
