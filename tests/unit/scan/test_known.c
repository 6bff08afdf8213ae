/* SPDX-License-Identifier: Apache-2.0
 * What is kept of findings: it reads back to what later findings can be compared with, or not at all. */
#include "kit.h"
#include "scan/compare.h"
#include "scan/known.h"
#include "scan/waivers.h"

/* A finding of rule R at a line of src/a.c, with a fingerprint. */
#define PRINTED(rule, level, line)                                                              \
	"{\"ruleId\":\"" rule "\",\"level\":\"" level "\",\"message\":{\"text\":\"" rule        \
	" at " #line "\"},\"partialFingerprints\":{\"primaryLocationLineHash\":\"" rule         \
	"\"},\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"src/a.c\"}," \
	"\"region\":{\"startLine\":" #line "}}}]}"

static struct error err;

static void written(const struct findings *list, struct buf *to)
{
	buf_init(to, KNOWN_BYTES_MAX);
	assert_int_equal(known_write(list, to, &err), 0);
}

static int read_back(const char *text, size_t size, struct findings *list)
{
	findings_init(list);
	return known_read("kept", text, size, list, &err);
}

/* What a build kept, held against this report: "NEW EXISTING FIXED". */
static const char *compared(const struct buf *kept, const char *report)
{
	static char answer[32];
	struct findings now, base;
	struct scan_counts counts;
	kit_list(report, &now);
	assert_int_equal(read_back(buf_text(kept), kept->size, &base), 0);
	findings_compare(&now, &base);
	findings_count(&now, &base, &counts);
	snprintf(answer, sizeof answer, "%u %u %u", counts.total[FINDING_NEW],
		 counts.total[FINDING_EXISTING], counts.total[FINDING_FIXED]);
	findings_done(&now);
	findings_done(&base);
	return answer;
}

static void later_findings_are_held_against_what_was_kept(void **state)
{
	(void)state;
	struct findings list;
	struct buf kept;
	kit_list(REPORT(PRINTED("one", "error", 3) "," PRINTED("two", "note", 9)), &list);
	findings_compare(&list, NULL);
	written(&list, &kept);
	assert_string_equal(
		compared(&kept, REPORT(PRINTED("one", "error", 3) "," PRINTED("two", "note", 9))),
		"0 2 0");
	assert_string_equal(compared(&kept, REPORT(PRINTED("one", "error", 70))), "0 1 1");
	assert_string_equal(
		compared(&kept, REPORT(PRINTED("one", "error", 3) "," PRINTED("six", "note", 9))),
		"1 1 1");
	assert_string_equal(compared(&kept, REPORT("")), "0 0 2");
	/* One that is known by its message alone is found by that. */
	buf_done(&kept);
	findings_done(&list);
	kit_list(REPORT(AT(7, "no fingerprint")), &list);
	findings_compare(&list, NULL);
	written(&list, &kept);
	assert_string_equal(compared(&kept, REPORT(AT(8, "no fingerprint"))), "0 1 0");
	assert_string_equal(compared(&kept, REPORT(AT(8, "another"))), "1 0 1");
	buf_done(&kept);
	findings_done(&list);
}

static void the_same_findings_are_the_same_bytes_though_lines_moved(void **state)
{
	(void)state;
	struct findings one, two;
	struct buf a, b;
	kit_list(REPORT(PRINTED("one", "error", 3) "," PRINTED("two", "note", 9)), &one);
	kit_list(REPORT(PRINTED("two", "note", 9) "," PRINTED("one", "error", 3)), &two);
	written(&one, &a);
	written(&two, &b);
	assert_string_equal(buf_text(&a), buf_text(&b));
	assert_null(strstr(buf_text(&a), "at 3")); /* no message either */
	buf_done(&a);
	buf_done(&b);
	findings_done(&one);
	findings_done(&two);
}

static void what_was_waived_is_new_without_its_waiver_and_fixed_when_it_is_gone(void **state)
{
	(void)state;
	static const char text[] =
		"waivers: [{ rule: one, reason: checked, owner: ann, until: 2027-01-31 }]\n";
	struct waivers waivers;
	struct findings list;
	struct buf kept;
	kit_list(REPORT(PRINTED("one", "error", 3)), &list);
	findings_compare(&list, NULL);
	assert_int_equal(waivers_read("waivers.yaml", text, sizeof text - 1, &waivers, &err), 0);
	waivers_apply(&waivers, 1000, &list);
	assert_int_equal(list.items[0].state, FINDING_WAIVED);
	written(&list, &kept);
	assert_string_equal(compared(&kept, REPORT(PRINTED("one", "error", 3))), "1 0 0");
	assert_string_equal(compared(&kept, REPORT("")), "0 0 1");
	waivers_done(&waivers);
	buf_done(&kept);
	findings_done(&list);
}

static void names_that_strangers_chose_stay_in_their_field(void **state)
{
	(void)state;
	struct findings list, back;
	struct buf kept;
	kit_list(REPORT("{\"ruleId\":\"a\\tb\\nc\",\"message\":{\"text\":\"x\"}}"), &list);
	written(&list, &kept);
	assert_int_equal(read_back(buf_text(&kept), kept.size, &back), 0);
	assert_int_equal(back.count, 1);
	assert_string_equal(back.items[0].rule, "a?b?c");
	assert_string_equal(back.items[0].identity, list.items[0].identity);
	buf_done(&kept);
	findings_done(&back);
	findings_done(&list);
}

static void refused(const char *text, size_t size)
{
	struct findings list;
	if (read_back(text, size, &list) != ERR_INVALID)
		fail_msg("accepted: %.*s", (int)size, text);
	assert_non_null(strstr(err.text, "not whole"));
	assert_string_equal(err.where, "kept");
	findings_done(&list);
}

static void what_is_not_whole_is_refused(void **state)
{
	(void)state;
	struct findings list;
	struct buf kept;
	kit_list(REPORT(PRINTED("one", "error", 3) "," PRINTED("two", "note", 9)), &list);
	written(&list, &kept);
	for (size_t size = 0; size < kept.size; size++)
		refused(buf_text(&kept), size);
	buf_puts(&kept, "\n");
	refused(buf_text(&kept), kept.size);
	refused("davit findings 2 0\n", 19);
	refused("davit findings 1 25001\n", 23);
	buf_clear(&kept);
	/* A severity that there is not, a kind, an identity, too few fields and too many. */
	static const char id[] = "00112233445566778899aabbccddeeff";
	static const char *const lines[] = {
		"4\t0\t0\t%s\t%s\tT\tR\tp\n", "0\t4\t0\t%s\t%s\tT\tR\tp\n",
		"0\t0\t4\t%s\t%s\tT\tR\tp\n", "0\t0\t0\tX%s\t%s\tT\tR\tp\n",
		"0\t0\t0\t%s\t%s\tT\tR\n",    "0\t0\t0\t%s\t%s\tT\tR\tp\tq\n",
		"0\t0\t0\t%s\t%s\t\tR\tp\n",  "0\t0\t0\t%s\t%s\tT\t\tp\n"};
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		char line[256];
		const char *first = strstr(lines[i], "%s"), *second = strstr(first + 2, "%s");
		snprintf(line, sizeof line, "davit findings 1 1\n%.*s%s%.*s%s%s",
			 (int)(first - lines[i]), lines[i], id, (int)(second - first - 2),
			 first + 2, id, second + 2);
		refused(line, strlen(line));
	}
	buf_done(&kept);
	findings_done(&list);
}

static void more_than_is_kept_is_refused_when_it_is_written(void **state)
{
	(void)state;
	struct findings list;
	struct buf kept;
	kit_list(REPORT(PRINTED("one", "error", 3)), &list);
	buf_init(&kept, 40);
	assert_int_equal(known_write(&list, &kept, &err), ERR_LIMIT);
	assert_non_null(strstr(err.text, "scan less at a time"));
	buf_done(&kept);
	findings_done(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(later_findings_are_held_against_what_was_kept),
		cmocka_unit_test(the_same_findings_are_the_same_bytes_though_lines_moved),
		cmocka_unit_test(
			what_was_waived_is_new_without_its_waiver_and_fixed_when_it_is_gone),
		cmocka_unit_test(names_that_strangers_chose_stay_in_their_field),
		cmocka_unit_test(what_is_not_whole_is_refused),
		cmocka_unit_test(more_than_is_kept_is_refused_when_it_is_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
