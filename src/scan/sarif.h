/* SPDX-License-Identifier: Apache-2.0
 *
 * sarif - scan reports in SARIF 2.1.0, read and written.
 *
 * WHAT  Read: all runs of a report become findings. Severity is the `security-severity` of the result or of its
 *       rule (critical from 9, high from 7, medium from 4), else the level: error is high, warning medium, note
 *       low. Results of the kinds pass, notApplicable and informational, and those that the report itself
 *       calls absent, are left out and counted.
 *       Written: one run a tool, with the identities of the findings, so that a later scan can be held against
 *       it without the tree that it was made of. What was written reads back to the same findings.
 *
 * ERRORS A report that does not show that the scan took place is an error, never "nothing found": not SARIF
 *       2.1.0, no run, a run without `results` or with `executionSuccessful: false`, a wrong type.
 *       ERR_INVALID and ERR_LIMIT, where = the file and the member.
 * LIMITS json_input.h, finding.h; SARIF_RUNS_MAX runs. `$schema` is not looked at.
 */
#ifndef SCAN_SARIF_H
#define SCAN_SARIF_H

#include <jansson.h>
#include <stddef.h>

#include "scan/convert.h"
#include "scan/finding.h"

enum { SARIF_RUNS_MAX = 64 };

/* What davit calls the identity in partialFingerprints: "context:" and hex. */
#define SARIF_IDENTITY "davit/v1"

/* Adds to `to`. The root is for reports with absolute paths. */
int sarif_read(const struct convert_input *input, struct findings *to,
	       struct error *err) MUST_CHECK;

/* The whole document, to be released with json_decref(). The list was through findings_identify(). */
json_t *sarif_write(const struct findings *list);

#endif
