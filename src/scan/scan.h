/* SPDX-License-Identifier: Apache-2.0
 *
 * scan - one check of scan reports from beginning to end: read, compare with a baseline, apply waivers, judge.
 *
 * WHAT  What `davit scan check` does, and what a stage of a pipeline with `sarif:` and `block_at:` asks: are these
 *       reports of a scan that took place, and may the commit go on? Three answers: passed, blocked, and an
 *       error; a report that is missing or says nothing is an error and never a pass.
 *
 * HOW   Fill a struct scan_request, call scan_check(), read the report, scan_report_free(). scan_report_json()
 *       is the report as davit.v1/scan, to show and to keep. No clock is read: the request has the time.
 * OWNS  The request is borrowed for the call.
 * ERRORS ERR_INVALID, ERR_LIMIT, ERR_NOT_FOUND and those of reading files: one sentence, where = file and place.
 */
#ifndef SCAN_SCAN_H
#define SCAN_SCAN_H

#include <jansson.h>

#include "scan/compare.h"
#include "scan/convert.h"
#include "scan/hide.h"
#include "scan/waivers.h"

enum { SCAN_FILES_MAX = 64 };

struct scan_request {
	const char *const *files; /* SARIF; "-" is standard input */
	uint32_t file_count;      /* 1 to SCAN_FILES_MAX */
	const char *against;      /* SARIF of the baseline, or NULL: every finding is new */
	const char *known;        /* the baseline as known.h writes it, where `against` is NULL */
	const char *waivers;      /* a file, or NULL */
	const char *source;       /* the tree that was scanned, or NULL */
	const struct scan_hide *hide; /* NULL: nothing */
	struct scan_policy policy;
	uint64_t now_unix_ms; /* for the waivers' days */
};

struct scan_report {
	struct findings now, base; /* base is empty without a baseline */
	bool has_base;
	struct waivers waivers;
	struct scan_policy policy;
	struct scan_counts counts;
	bool blocked;
	char sentence[SCAN_SENTENCE_SIZE]; /* why, or why not */
};

int scan_check(const struct scan_request *request, struct scan_report **ret_report,
	       struct error *err) MUST_CHECK;
void scan_report_free(struct scan_report *report);

/* The end of scan_check(), for who has read everything without files: the lists have their identities, `has_base`, `waivers`
 * and `policy` are filled; what is made of them is filled in here. */
void scan_conclude(struct scan_report *report, uint64_t now_unix_ms);

/* davit.v1/scan, without exit code and next command; to be released with json_decref(). */
json_t *scan_report_json(const struct scan_report *report);

/* Reports of one format, read into one list with identities. `list` is empty before, and findings_done() frees it in
 * every case. */
int scan_read(const char *const *files, uint32_t count, convert_read *read, const char *source,
	      struct findings *list, struct error *err) MUST_CHECK;

#endif
