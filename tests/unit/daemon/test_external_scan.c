/* SPDX-License-Identifier: Apache-2.0
 * Scans of builds that were made elsewhere: judged by their texts alone, and never clean where a text says nothing. */
#include <stdlib.h>

#include "../scan/kit.h"

#include "daemon/external_scan.h"
#include "scan/known.h"

enum { HIGH = 2, CRITICAL = 3 };

#define BAD(rule)                                                                    \
	"{\"ruleId\":\"" rule "\",\"level\":\"error\",\"message\":{\"text\":\"" rule \
	"\"},\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"src/a.c\"}}}]}"

static struct error err;
static struct scan_verdict verdict;

static struct scan_job job_of(const char *const *report)
{
	return (struct scan_job){.stage = "scan",
				 .report_count = 1,
				 .reports = report,
				 .block_at = HIGH,
				 .now_unix_ms = 1795000000000};
}

static void judged(const struct scan_job *job, uint32_t fresh, uint32_t known, uint32_t fixed,
		   uint32_t waived)
{
	buf_done(&verdict.kept);
	if (external_scan_judge(job, &verdict, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(verdict.fresh, fresh);
	assert_int_equal(verdict.known, known);
	assert_int_equal(verdict.fixed, fixed);
	assert_int_equal(verdict.waived, waived);
}

static void refused(const struct scan_job *job, enum err code, const char *sentence)
{
	buf_done(&verdict.kept);
	assert_int_equal(external_scan_judge(job, &verdict, &err), code);
	assert_false(verdict.blocked);
	if (!strstr(err.text, sentence))
		fail_msg("%s", err.text);
}

static void what_is_new_and_severe_blocks(void **state)
{
	const char *reports[] = {REPORT(BAD("one")), REPORT(BAD("two") "," AT(3, "m"))};
	struct scan_job job = job_of(reports);
	(void)state;
	judged(&job, 1, 0, 0, 0);
	assert_true(verdict.blocked);
	assert_string_equal(
		verdict.why,
		"1 new finding is blocked: 1 high. The worst: T/one at src/a.c (high).");
	assert_int_equal(verdict.kept.size, 0);
	job.report_count = 2;
	judged(&job, 3, 0, 0, 0);
	job.block_at = CRITICAL;
	judged(&job, 3, 0, 0, 0);
	assert_false(verdict.blocked);
	assert_true(verdict.kept.size > 0);
}

static void what_is_known_is_not_new(void **state)
{
	const char *before = REPORT(BAD("one") "," BAD("two")), *now = REPORT(BAD("two"));
	struct scan_job job = job_of(&before);
	struct buf kept;
	(void)state;
	job.block_at = CRITICAL;
	judged(&job, 2, 0, 0, 0);
	buf_init(&kept, KNOWN_BYTES_MAX);
	buf_append(&kept, verdict.kept.data, verdict.kept.size);
	job = job_of(&now);
	job.known = &kept;
	job.since = "v1 (prod)";
	judged(&job, 0, 1, 1, 0);
	assert_false(verdict.blocked);
	/* A baseline of the commit comes first. */
	job.baseline = REPORT("");
	judged(&job, 1, 0, 0, 0);
	job.baseline = before;
	judged(&job, 0, 1, 1, 0);
	/* What is not whole is no clean one. */
	job.baseline = NULL;
	kept.size--;
	refused(&job, ERR_CORRUPT, "What this stage found in v1 (prod) is no longer");
	kept.size = 0;
	refused(&job, ERR_CORRUPT, "name a \"baseline\"");
	buf_done(&kept);
}

static void waivers_count_until_their_day(void **state)
{
	const char *now = REPORT(BAD("one"));
	struct scan_job job = job_of(&now);
	(void)state;
	job.waivers =
		"waivers: [{ rule: one, reason: r, owner: o, until: 2026-11-18 }]\n"; /* it is that day */
	judged(&job, 0, 0, 0, 1);
	assert_false(verdict.blocked);
	/* It is kept as what it is. */
	struct buf kept;
	buf_init(&kept, KNOWN_BYTES_MAX);
	buf_append(&kept, verdict.kept.data, verdict.kept.size);
	job.known = &kept;
	job.now_unix_ms += 24 * 3600 * 1000ull;
	judged(&job, 1, 0, 0, 0);
	assert_true(verdict.blocked);
	buf_done(&kept);
}

static void what_says_nothing_is_an_error(void **state)
{
	const char *report = "";
	struct scan_job job = job_of(&report);
	(void)state;
	refused(&job, ERR_INVALID, "The scan \"scan\" cannot be judged");
	report = SARIF("");
	refused(&job, ERR_INVALID, "cannot be judged");
	report = SARIF("{\"tool\":{\"driver\":{\"name\":\"T\"}}}");
	refused(&job, ERR_INVALID, "the scanner did not look");
	report = REPORT("");
	job.baseline = "{}";
	refused(&job, ERR_INVALID, "cannot be judged");
	job.baseline = NULL;
	job.waivers = "waivers: [{ rule: one }]\n";
	refused(&job, ERR_INVALID, "\"reason\" is missing");
	job.waivers = NULL;
	judged(&job, 0, 0, 0, 0);
}

static int teardown(void **state)
{
	(void)state;
	buf_done(&verdict.kept);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_new_and_severe_blocks),
		cmocka_unit_test(what_is_known_is_not_new),
		cmocka_unit_test(waivers_count_until_their_day),
		cmocka_unit_test(what_says_nothing_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, teardown);
}
