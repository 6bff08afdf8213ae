/* SPDX-License-Identifier: Apache-2.0
 * test_waivers - a waiver lets one rule through in one place until one day, and says who answers for it. */
#include "kit.h"
#include "scan/compare.h"
#include "scan/waivers.h"

#define WAIVER(members) "waivers:\n  - { reason: why, owner: ann, " members " }\n"

static const uint64_t noon = 1798718400ull * 1000; /* 2026-12-31T12:00:00Z */

/* How many of two findings (R in src/a.c, S nowhere) it lets through. */
static uint32_t waived(const char *yaml, struct waivers *waivers)
{
	struct findings list;
	struct scan_counts counts;
	struct error err;
	if (waivers_read("waivers.yaml", yaml, strlen(yaml), waivers, &err) < 0)
		fail_msg("%s: %s", err.where, err.text);
	kit_list(REPORT(AT(1, "a") ",{\"ruleId\":\"S\"}"), &list);
	findings_compare(&list, NULL);
	waivers_apply(waivers, noon, &list);
	findings_count(&list, NULL, &counts);
	assert_int_equal(counts.total[FINDING_NEW] + counts.total[FINDING_WAIVED], 2);
	findings_done(&list);
	return counts.total[FINDING_WAIVED];
}

static void expect_waived(const char *yaml, uint32_t expected)
{
	struct waivers waivers;
	assert_int_equal(waived(yaml, &waivers), expected);
	waivers_done(&waivers);
}

static void it_covers_what_it_names_and_no_more(void **state)
{
	(void)state;
	expect_waived("waivers:\n", 0);
	expect_waived(WAIVER("rule: R, until: 2026-12-31"), 1);
	expect_waived(WAIVER("rule: R, until: 2027-01-01, path: src/a.c"), 1);
	expect_waived(WAIVER("rule: R, until: 2027-01-01, path: src/"), 1);
	expect_waived(WAIVER("rule: R, until: 2027-01-01, path: src"), 0);
	expect_waived(WAIVER("rule: R, until: 2027-01-01, path: sr/"), 0);
	expect_waived(WAIVER("rule: R, until: 2027-01-01, tool: T"), 1);
	expect_waived(WAIVER("rule: R, until: 2027-01-01, tool: U"), 0);
	expect_waived(WAIVER("rule: Q, until: 2027-01-01"), 0);
}

static void one_that_has_expired_covers_nothing_and_says_so(void **state)
{
	struct waivers waivers;
	(void)state;
	assert_int_equal(waived(WAIVER("rule: R, until: 2026-12-30"), &waivers), 0);
	assert_true(waivers.items[0].expired);
	assert_int_equal(waivers.items[0].used, 1);
	assert_int_equal(waivers.items[0].line, 2);
	assert_string_equal(waivers.items[0].owner, "ann");
	waivers_done(&waivers);
	/* A later one in the file takes over. */
	expect_waived("waivers:\n  - { rule: R, reason: w, owner: o, until: 2026-01-01 }\n"
		      "  - { rule: R, reason: w, owner: o, until: 2027-01-01 }\n",
		      1);
}

static void what_is_wrong_in_the_file_is_told_with_its_line(void **state)
{
	static const struct {
		const char *yaml, *words, *where;
	} cases[] = {
		{"", "one key", "w.yaml"},
		{"waiver: []\n", "one key", "w.yaml:1"},
		{"waivers: [], more: 1\n", "", "w.yaml:1"},
		{"waivers: yes\n", "one key", "w.yaml:1"},
		{"waivers: [x]\n", "mapping", "w.yaml:1"},
		{WAIVER("rule: R"), "\"until\" is missing", "w.yaml:2"},
		{"waivers:\n  - { rule: R, owner: o, until: 2027-01-01 }\n",
		 "\"reason\" is missing", "w.yaml:2"},
		{"waivers:\n  - { rule: R, reason: r, until: 2027-01-01 }\n",
		 "\"owner\" is missing", "w.yaml:2"},
		{WAIVER("until: 2027-01-01"), "\"rule\" is missing", "w.yaml:2"},
		{WAIVER("rule: R, until: 2027-13-01"), "not a day", "w.yaml:2"},
		{WAIVER("rule: R, until: never"), "not a day", "w.yaml:2"},
		{WAIVER("rule: R, until: 2027-01-01T"), "not a day", "w.yaml:2"},
		{WAIVER("rule: \"*\", until: 2027-01-01"), "no patterns", "w.yaml:2"},
		{WAIVER("rule: R, path: \"src/*.c\", until: 2027-01-01"), "no patterns",
		 "w.yaml:2"},
		{WAIVER("rule: R, path: /src/, until: 2027-01-01"), "root of the repository",
		 "w.yaml:2"},
		{WAIVER("rule: R, untill: 2027-01-01"), "did you mean \"until\"", "w.yaml:2"},
		{WAIVER("rule: [R], until: 2027-01-01"), "one text", "w.yaml:2"},
		{WAIVER("rule:, until: 2027-01-01"), "one text", "w.yaml:2"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct waivers waivers;
		struct error err = {0};
		if (waivers_read("w.yaml", cases[i].yaml, strlen(cases[i].yaml), &waivers, &err) >=
		    0)
			fail_msg("accepted: %s", cases[i].yaml);
		if (!strstr(err.text, cases[i].words) ||
		    strncmp(err.where, cases[i].where, strlen(cases[i].where)) != 0)
			fail_msg("%s: %s: %s", cases[i].yaml, err.where, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_covers_what_it_names_and_no_more),
		cmocka_unit_test(one_that_has_expired_covers_nothing_and_says_so),
		cmocka_unit_test(what_is_wrong_in_the_file_is_told_with_its_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
