/* SPDX-License-Identifier: Apache-2.0
 * test_compare - new, existing, fixed, suppressed; and what a policy makes of their numbers. */
#include "kit.h"
#include "scan/compare.h"

#define QUOTED(line, snippet)                                                                   \
	"{\"ruleId\":\"R\",\"message\":{\"text\":\"m\"},\"locations\":[{\"physicalLocation\":{" \
	"\"artifactLocation\":{\"uri\":\"src/a.c\"},\"region\":{\"startLine\":" #line           \
	",\"snippet\":{\"text\":\"" snippet "\"}}}}]}"
#define QUIET                                                                                      \
	"{\"ruleId\":\"R\",\"message\":{\"text\":\"a\"},\"suppressions\":[{\"kind\":\"inSource\"}" \
	"]}"
#define WORSE_QUIET                                                           \
	"{\"ruleId\":\"R\",\"level\":\"error\",\"message\":{\"text\":\"a\"}," \
	"\"suppressions\":[{\"kind\":\"inSource\"}]}"
#define LOUD "{\"ruleId\":\"R\",\"message\":{\"text\":\"a\"}}"

/* base NULL: none. Expected in the order of enum finding_state, up to suppressed. */
static void expect(const char *base, const char *now, uint32_t fresh, uint32_t existing,
		   uint32_t fixed, uint32_t suppressed)
{
	struct findings old, list;
	struct scan_counts counts;
	kit_list(now, &list);
	findings_init(&old);
	if (base)
		kit_list(base, &old);
	findings_compare(&list, base ? &old : NULL);
	findings_count(&list, base ? &old : NULL, &counts);
	assert_int_equal(counts.total[FINDING_NEW], fresh);
	assert_int_equal(counts.total[FINDING_EXISTING], existing);
	assert_int_equal(counts.total[FINDING_FIXED], fixed);
	assert_int_equal(counts.total[FINDING_SUPPRESSED], suppressed);
	findings_done(&list);
	findings_done(&old);
}

static void findings_are_new_existing_or_fixed(void **state)
{
	(void)state;
	expect(NULL, REPORT(AT(1, "a")), 1, 0, 0, 0);
	expect(REPORT(""), REPORT(AT(1, "a")), 1, 0, 0, 0);
	expect(REPORT(AT(1, "a")), REPORT(AT(9, "a")), 0, 1, 0, 0);
	expect(REPORT(AT(1, "a")), REPORT(""), 0, 0, 1, 0);
	expect(REPORT(AT(1, "a")), REPORT(AT(1, "b")), 1, 0, 1, 0);
	/* One more of the same is one new one. */
	expect(REPORT(AT(1, "a")), REPORT(AT(1, "a") "," AT(5, "a")), 1, 1, 0, 0);
	expect(REPORT(AT(1, "a") "," AT(5, "a")), REPORT(AT(5, "a")), 0, 1, 1, 0);
}

static void the_same_twice_is_one(void **state)
{
	(void)state;
	expect(NULL, REPORT(AT(1, "a") "," AT(1, "a")), 1, 0, 0, 0);
	expect(NULL, SARIF(RULES_RUN("", AT(1, "a")) "," RULES_RUN("", AT(1, "a"))), 1, 0, 0, 0);
	/* Suppressed in one report only is not suppressed. */
	expect(NULL, REPORT(LOUD "," QUIET), 1, 0, 0, 0);
	expect(NULL, REPORT(QUIET "," LOUD), 1, 0, 0, 0);
	expect(NULL, REPORT(WORSE_QUIET "," LOUD), 1, 0, 0, 0);
}

static void another_way_of_knowing_them_is_bridged_by_the_message(void **state)
{
	(void)state;
	/* The baseline has no quoted lines, the report has: same message. */
	expect(REPORT(AT(1, "m")), REPORT(QUOTED(4, "bad")), 0, 1, 0, 0);
	expect(REPORT(QUOTED(4, "bad")), REPORT(AT(1, "m")), 0, 1, 0, 0);
	/* Both have them, and they differ: one is fixed, another is new, whatever the message says. */
	expect(REPORT(QUOTED(4, "bad")), REPORT(QUOTED(4, "worse")), 1, 0, 1, 0);
}

static void suppressed_ones_are_neither_new_nor_fixed(void **state)
{
	(void)state;
	expect(NULL, REPORT(QUIET), 0, 0, 0, 1);
	expect(REPORT(LOUD), REPORT(QUIET), 0, 0, 0, 1);
	expect(REPORT(QUIET), REPORT(QUIET), 0, 0, 0, 1);
	expect(REPORT(QUIET), REPORT(""), 0, 0, 0, 0);
	/* Whoever takes the comment away has to answer for it. */
	expect(REPORT(QUIET), REPORT(LOUD), 1, 0, 0, 0);
}

/* --- properties, over drawn reports */

static uint32_t draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 16) % below;
}

static void draw_report(uint32_t *seed, struct buf *to)
{
	static const char *const suppressions[] = {"[]", "[]", "[]", "[{\"kind\":\"inSource\"}]"};
	buf_puts(to, "{\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"T\"}},"
		     "\"results\":[");
	for (uint32_t i = 0, count = draw(seed, 30); i < count; i++)
		buf_printf(
			to,
			"%s{\"ruleId\":\"R%u\",\"message\":{\"text\":\"m%u\"},\"suppressions\":%s,"
			"\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"f%"
			"u\"},"
			"\"region\":{\"startLine\":%u}}}]}",
			i > 0 ? "," : "", draw(seed, 3), draw(seed, 2), suppressions[draw(seed, 4)],
			draw(seed, 3), 1 + draw(seed, 9));
	buf_puts(to, "]}]}");
}

static void every_finding_is_counted_once(void **state)
{
	uint32_t seed = 7;
	(void)state;
	for (unsigned round = 0; round < 500; round++) {
		struct findings now, base;
		struct scan_counts c;
		struct buf texts[2];
		uint32_t quiet = 0, met = 0;
		for (unsigned i = 0; i < 2; i++) {
			buf_init(&texts[i], 1 << 16);
			draw_report(&seed, &texts[i]);
			kit_list(buf_text(&texts[i]), i == 0 ? &now : &base);
			buf_done(&texts[i]);
		}
		findings_compare(&now, &base);
		findings_count(&now, &base, &c);
		for (uint32_t i = 0; i < now.count; i++)
			quiet += now.items[i].suppression != SUPPRESSED_NOT;
		for (uint32_t i = 0; i < base.count; i++)
			met += base.items[i].state == FINDING_EXISTING ||
			       base.items[i].suppression != SUPPRESSED_NOT;
		assert_int_equal(c.total[FINDING_NEW] + c.total[FINDING_EXISTING],
				 now.count - quiet);
		assert_int_equal(c.total[FINDING_SUPPRESSED], quiet);
		assert_int_equal(c.total[FINDING_FIXED], base.count - met);
		/* Against itself nothing is new and nothing is fixed. */
		findings_compare(&now, &now);
		findings_count(&now, NULL, &c);
		assert_int_equal(c.total[FINDING_NEW] + c.total[FINDING_FIXED], 0);
		findings_done(&now);
		findings_done(&base);
	}
}

/* --- the gate */

static bool judge(const char *caps, const struct scan_counts *counts, enum severity block_at,
		  char sentence[SCAN_SENTENCE_SIZE])
{
	struct scan_policy policy = scan_policy_default;
	struct error err;
	policy.block_at = block_at;
	if (caps)
		assert_int_equal(scan_caps_parse(caps, &policy, &err), 0);
	return scan_judge(counts, &policy, sentence);
}

static void new_ones_of_a_severity_and_above_block(void **state)
{
	struct scan_counts counts = {0};
	char sentence[SCAN_SENTENCE_SIZE];
	(void)state;
	assert_int_equal(scan_policy_default.block_at, SEVERITY_HIGH);
	assert_false(judge(NULL, &counts, SEVERITY_LOW, sentence));
	assert_string_equal(sentence, "No new finding is low or worse.");
	counts.of[FINDING_NEW][SEVERITY_MEDIUM] = 3;
	counts.of[FINDING_EXISTING][SEVERITY_CRITICAL] = 9;
	counts.of[FINDING_FIXED][SEVERITY_CRITICAL] = 9;
	counts.of[FINDING_WAIVED][SEVERITY_CRITICAL] = 9;
	counts.of[FINDING_SUPPRESSED][SEVERITY_CRITICAL] = 9;
	assert_false(judge(NULL, &counts, SEVERITY_HIGH, sentence));
	assert_true(judge(NULL, &counts, SEVERITY_MEDIUM, sentence));
	counts.of[FINDING_NEW][SEVERITY_CRITICAL] = 1;
	assert_true(judge(NULL, &counts, SEVERITY_HIGH, sentence));
	assert_string_equal(sentence, "1 new finding is blocked: 1 critical.");
	assert_true(judge(NULL, &counts, SEVERITY_LOW, sentence));
	assert_string_equal(sentence, "4 new findings are blocked: 1 critical, 3 medium.");
}

static void sums_past_a_cap_block(void **state)
{
	struct scan_counts counts = {0};
	struct scan_policy policy = scan_policy_default;
	struct error err;
	char sentence[SCAN_SENTENCE_SIZE];
	(void)state;
	counts.of[FINDING_EXISTING][SEVERITY_HIGH] = 3;
	counts.of[FINDING_WAIVED][SEVERITY_HIGH] = 3;
	assert_false(judge("high=3", &counts, SEVERITY_HIGH, sentence));
	assert_true(judge("critical=0,high=2", &counts, SEVERITY_HIGH, sentence));
	assert_string_equal(sentence,
			    "There are 3 high findings, new and existing; at most 2 are allowed.");
	assert_int_equal(scan_caps_parse("high", &policy, &err), ERR_INVALID);
	assert_int_equal(scan_caps_parse("high=-1", &policy, &err), ERR_INVALID);
	assert_int_equal(scan_caps_parse("huge=1", &policy, &err), ERR_INVALID);
	assert_int_equal(scan_caps_parse("high=1,,", &policy, &err), ERR_INVALID);
	policy.blocks = false;
	counts.of[FINDING_NEW][SEVERITY_CRITICAL] = 1;
	assert_false(scan_judge(&counts, &policy, sentence));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(findings_are_new_existing_or_fixed),
		cmocka_unit_test(the_same_twice_is_one),
		cmocka_unit_test(another_way_of_knowing_them_is_bridged_by_the_message),
		cmocka_unit_test(suppressed_ones_are_neither_new_nor_fixed),
		cmocka_unit_test(every_finding_is_counted_once),
		cmocka_unit_test(new_ones_of_a_severity_and_above_block),
		cmocka_unit_test(sums_past_a_cap_block),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
