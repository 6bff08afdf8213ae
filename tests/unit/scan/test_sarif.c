/* SPDX-License-Identifier: Apache-2.0
 * test_sarif - what a SARIF report means, and every way in which one may be no evidence of a scan. */
#include "kit.h"

/* The one finding of a report. */
static struct findings one;

static const struct finding *only(const char *text)
{
	kit_list(text, &one);
	assert_int_equal(one.count, 1);
	return &one.items[0];
}

static void expect_severity(const char *text, enum severity expected)
{
	assert_int_equal(only(text)->severity, expected);
	findings_done(&one);
}

#define SCORED(score)                                                                \
	RULES_RUN("{\"id\":\"R\",\"properties\":{\"security-severity\":" score "}}", \
		  "{\"ruleId\":\"R\",\"level\":\"note\"}")
#define LEVEL(level) REPORT("{\"ruleId\":\"R\",\"level\":\"" level "\"}")

static void severity_is_the_score_else_the_level(void **state)
{
	(void)state;
	expect_severity(SARIF(SCORED("\"9.0\"")), SEVERITY_CRITICAL);
	expect_severity(SARIF(SCORED("\"8.9\"")), SEVERITY_HIGH);
	expect_severity(SARIF(SCORED("7.0")), SEVERITY_HIGH);
	expect_severity(SARIF(SCORED("\"6.9\"")), SEVERITY_MEDIUM);
	expect_severity(SARIF(SCORED("\"4\"")), SEVERITY_MEDIUM);
	expect_severity(SARIF(SCORED("\"0.1\"")), SEVERITY_LOW);
	/* No score: the level, here note. */
	expect_severity(SARIF(SCORED("\"high\"")), SEVERITY_LOW);
	expect_severity(SARIF(SCORED("11")), SEVERITY_LOW);
	expect_severity(SARIF(SCORED("\"-1\"")), SEVERITY_LOW);
	expect_severity(LEVEL("error"), SEVERITY_HIGH);
	expect_severity(LEVEL("warning"), SEVERITY_MEDIUM);
	expect_severity(LEVEL("note"), SEVERITY_LOW);
	expect_severity(LEVEL("none"), SEVERITY_LOW);
	expect_severity(REPORT("{\"ruleId\":\"R\"}"), SEVERITY_MEDIUM);
	expect_severity(
		SARIF(RULES_RUN("{\"id\":\"R\",\"defaultConfiguration\":{\"level\":\"error\"}}",
				"{\"ruleId\":\"R\"}")),
		SEVERITY_HIGH);
	kit_refused(convert_sarif, LEVEL("fatal"), "means nothing");
}

static void the_rule_is_found_by_every_way_to_name_it(void **state)
{
	static const char *const results[] = {
		"{\"ruleIndex\":1}",
		"{\"rule\":{\"index\":1}}",
		"{\"ruleId\":\"S\"}",
		"{\"rule\":{\"id\":\"S\"}}",
	};
	(void)state;
	for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
		char text[1024];
		snprintf(text, sizeof text,
			 SARIF("{\"tool\":{\"driver\":{\"name\":\"T\",\"rules\":[{\"id\":\"R\"},{"
			       "\"id\":"
			       "\"S\",\"helpUri\":\"https://"
			       "s\",\"shortDescription\":{\"text\":\"short\"}}]}},"
			       "\"results\":[%s]}"),
			 results[i]);
		const struct finding *f = only(text);
		assert_string_equal(f->rule, "S");
		assert_string_equal(f->url, "https://s");
		assert_string_equal(f->message, "short");
		findings_done(&one);
	}
	/* Of a rule with sub-rules, and of an extension. */
	expect_severity(
		SARIF(RULES_RUN("{\"id\":\"R\",\"properties\":{\"security-severity\":\"9\"}}",
				"{\"ruleId\":\"R/2\"}")),
		SEVERITY_CRITICAL);
	expect_severity(
		SARIF("{\"tool\":{\"driver\":{\"name\":\"T\",\"rules\":[{\"id\":\"A\"}]},"
		      "\"extensions\":[{\"name\":\"E\",\"rules\":[{\"id\":\"R\",\"properties\":"
		      "{\"security-severity\":\"9\"}}]}]},\"results\":[{\"ruleId\":\"R\","
		      "\"rule\":{\"index\":0,\"toolComponent\":{\"index\":0}}}]}"),
		SEVERITY_CRITICAL);
	kit_refused(convert_sarif, REPORT("{}"), "names no rule");
	kit_refused(convert_sarif, REPORT("{\"ruleIndex\":-7}"), "names no rule");
	kit_refused(convert_sarif, REPORT("{\"ruleIndex\":99999999}"), "names no rule");
}

static void a_message_is_filled_from_its_rule(void **state)
{
	(void)state;
	const struct finding *f =
		only(SARIF(RULES_RUN("{\"id\":\"R\",\"messageStrings\":{\"default\":{\"text\":\"{0}"
				     " of {1}{{2}} {9}\"}}}",
				     "{\"ruleId\":\"R\",\"message\":{\"id\":\"default\","
				     "\"arguments\":[\"x\",\"y\"]}}")));
	assert_string_equal(f->message, "x of y{2} {9}");
	findings_done(&one);
	assert_string_equal(only(REPORT("{\"ruleId\":\"R\"}"))->message, "R");
	findings_done(&one);
}

static void places_are_relative_to_the_root(void **state)
{
	struct findings list;
	struct error err;
	(void)state;
	static const char text[] = SARIF(
		"{\"tool\":{\"driver\":{\"name\":\"T\"}},\"originalUriBaseIds\":{\"SUB\":{\"uri\":"
		"\"sub/\","
		"\"uriBaseId\":\"ROOT\"},\"ROOT\":{\"uri\":\"file:///build/shop/"
		"\"},\"LOOP\":{\"uri\":"
		"\"l/\",\"uriBaseId\":\"LOOP\"}},\"results\":["
		"{\"ruleId\":\"1\",\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{"
		"\"uri\":"
		"\"a.c\",\"uriBaseId\":\"SUB\"}}}]},"
		"{\"ruleId\":\"2\",\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{"
		"\"uri\":"
		"\"file:///build/shop/b.c\"},\"region\":{\"startLine\":0}}}]},"
		"{\"ruleId\":\"3\",\"locations\":[{\"logicalLocations\":[{\"fullyQualifiedName\":"
		"\"shop::order\"}]}]},"
		"{\"ruleId\":\"4\",\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{"
		"\"uri\":"
		"\"c.c\",\"uriBaseId\":\"LOOP\"}}}]}]}");
	findings_init(&list);
	const struct convert_input input = {
		.name = "report", .root = "/build/shop", .text = text, .size = strlen(text)};
	assert_int_equal(sarif_read(&input, &list, &err), 0);
	assert_string_equal(list.items[0].path, "sub/a.c");
	assert_string_equal(list.items[1].path, "b.c");
	assert_int_equal(list.items[1].line, 0);
	assert_string_equal(list.items[2].path, "shop::order");
	assert_string_equal(list.items[3].path, "l/l/l/l/l/l/l/l/c.c");
	findings_done(&list);
}

static void what_is_not_wrong_is_left_out_and_counted(void **state)
{
	struct findings list;
	(void)state;
	kit_list(REPORT("{\"ruleId\":\"R\",\"kind\":\"pass\"},{\"ruleId\":\"R\",\"kind\":"
			"\"notApplicable\"},{\"ruleId\":\"R\",\"kind\":\"informational\"},"
			"{\"ruleId\":\"R\",\"baselineState\":\"absent\"},"
			"{\"ruleId\":\"R\",\"kind\":\"review\"},{\"ruleId\":\"S\",\"kind\":"
			"\"fail\"}"),
		 &list);
	assert_int_equal(list.left_out, 4);
	assert_int_equal(list.count, 2);
	findings_done(&list);
}

static void suppressions_count_when_they_are_accepted(void **state)
{
	static const struct {
		const char *list;
		enum suppression expected;
	} cases[] = {
		{"[]", SUPPRESSED_NOT},
		{"[{\"kind\":\"inSource\"}]", SUPPRESSED_IN_SOURCE},
		{"[{\"kind\":\"external\",\"status\":\"accepted\"}]", SUPPRESSED_EXTERNAL},
		{"[{\"kind\":\"external\",\"status\":\"underReview\"}]", SUPPRESSED_NOT},
		{"[{\"kind\":\"inSource\"},{\"kind\":\"external\",\"status\":\"rejected\"}]",
		 SUPPRESSED_NOT},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[512];
		snprintf(text, sizeof text, REPORT("{\"ruleId\":\"R\",\"suppressions\":%s}"),
			 cases[i].list);
		assert_int_equal(only(text)->suppression, cases[i].expected);
		findings_done(&one);
	}
}

static void a_scan_that_did_not_happen_is_never_clean(void **state)
{
	(void)state;
	kit_refused(convert_sarif, "", "did not run");
	kit_refused(convert_sarif, " \n", "did not run");
	kit_refused(convert_sarif, "{}", "not SARIF 2.1.0");
	kit_refused(convert_sarif, "{\"version\":\"2.0.0\",\"runs\":[]}", "not SARIF 2.1.0");
	kit_refused(convert_sarif, "{\"version\":\"2.1.0\"}", "no runs");
	kit_refused(convert_sarif, "{\"version\":\"2.1.0\",\"runs\":null}", "no runs");
	kit_refused(convert_sarif, SARIF(""), "no runs");
	kit_refused(convert_sarif, SARIF("{\"tool\":{\"driver\":{\"name\":\"T\"}}}"),
		    "did not look");
	kit_refused(convert_sarif,
		    SARIF("{\"tool\":{\"driver\":{\"name\":\"T\"}},\"results\":null}"),
		    "did not look");
	kit_refused(convert_sarif,
		    SARIF("{\"tool\":{\"driver\":{\"name\":\"T\"}},\"results\":[],\"invocations\":["
			  "{\"executionSuccessful\":true},{\"executionSuccessful\":false}]}"),
		    "it failed");
	kit_refused(convert_sarif, SARIF("{\"results\":[]}"), "name is missing");
	/* The first run is fine, the second is not. */
	kit_refused(convert_sarif,
		    SARIF(RULES_RUN("", "") ",{\"tool\":{\"driver\":{\"name\":\"U\"}}}"),
		    "runs[1]");
}

static void wrong_types_are_told_with_their_place(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"[]", "not an object"},
		{"{\"version\":2.1}", "\"version\" is not text"},
		{"{\"version\":\"2.1.0\",\"runs\":{}}", "\"runs\" is not a list"},
		{SARIF("7"), "runs[0]"},
		{SARIF("{\"tool\":[],\"results\":[]}"), "\"tool\" is not an object"},
		{SARIF("{\"tool\":{\"driver\":{\"name\":\"T\"}},\"results\":{}}"),
		 "\"results\" is not"},
		{REPORT("\"x\""), "runs[0].results[0]"},
		{REPORT("{\"ruleId\":\"R\"},{\"ruleId\":7}"), "runs[0].results[1]"},
		{REPORT("{\"ruleId\":\"R\",\"message\":\"text\"}"), "\"message\" is not an object"},
		{REPORT("{\"ruleId\":\"R\",\"level\":[]}"), "\"level\" is not text"},
		{REPORT("{\"ruleId\":\"R\",\"locations\":\"a.c:1\"}"),
		 "\"locations\" is not a list"},
		{REPORT("{\"ruleId\":\"R\",\"locations\":[1]}"), "A location is not"},
		{REPORT("{\"ruleId\":\"R\",\"locations\":[{\"physicalLocation\":{\"region\":"
			"{\"startLine\":\"1\"}}}]}"),
		 "\"startLine\" is not"},
		{REPORT("{\"ruleId\":\"R\",\"locations\":[{\"physicalLocation\":{\"region\":"
			"{\"startLine\":99999999999}}}]}"),
		 "\"startLine\" is not"},
		{REPORT("{\"ruleId\":\"R\",\"suppressions\":true}"), "\"suppressions\" is not"},
		{REPORT("{\"ruleId\":\"R\",\"fingerprints\":[]}"), "\"fingerprints\" is not"},
		{SARIF(RULES_RUN("1", "")), "A rule is not"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		kit_refused(convert_sarif, cases[i].text, cases[i].words);
}

static void hostile_json_is_refused(void **state)
{
	(void)state;
	kit_refused(convert_sarif, "{\"version\":\"2.1.0\",\"version\":\"2.1.0\",\"runs\":[]}",
		    "not JSON");
	kit_refused(convert_sarif, "{\"runs\":1e999}", "not JSON");
	kit_refused(convert_sarif, "{\"runs\":99999999999999999999999999}", "not JSON");
	kit_refused(convert_sarif, "{\"version\":\"\xff\"}", "not JSON");
	kit_refused(convert_sarif, "{\"version\":\"a\\u0000b\"}", "not JSON");
	kit_refused(convert_sarif, "{\"version\":\"a\nb\"}", "not JSON");
	kit_refused(convert_sarif, SARIF(RULES_RUN("", "")) "x", "not JSON");
}

/* `count` times `unit`, in a report, ended or not. */
static char *repeated(const char *before, const char *unit, uint32_t count, const char *after)
{
	struct buf text;
	buf_init(&text, KIT_TEXT_MAX);
	buf_puts(&text, before);
	for (uint32_t i = 0; i < count; i++)
		buf_puts(&text, unit);
	buf_puts(&text, after);
	assert_false(text.overflowed);
	return buf_take(&text);
}

static void every_bound_is_told_and_none_is_silent(void **state)
{
	static const char head[] =
		"{\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"T\"}},"
		"\"results\":[{\"ruleId\":\"R\"}";
	struct findings list;
	(void)state;
	char *text = repeated("", "[", 65, "");
	kit_refused(convert_sarif, text, "64 levels");
	free(text);
	text = repeated("[", "[],", 400 * 1000, "0]");
	kit_refused(convert_sarif, text, "lists and objects");
	free(text);
	text = repeated("[", "0,", 1000 * 1000, "0]");
	kit_refused(convert_sarif, text, "values");
	free(text);
	text = repeated("\"", "0123456789", 1 << 20, "x\"");
	kit_refused(convert_sarif, text, "larger than");
	free(text);
	text = repeated("{\"version\":\"2.1.0\",\"runs\":[0", ",0", 64, "]}");
	kit_refused(convert_sarif, text, "64 runs");
	free(text);
	/* Just as many as may be, each another one, and one more. */
	struct buf rows;
	buf_init(&rows, KIT_TEXT_MAX);
	buf_puts(&rows, head);
	for (uint32_t i = 1; i < FINDINGS_MAX; i++)
		buf_printf(&rows, ",{\"ruleId\":\"R%u\"}", i);
	text = mem_copy_text(buf_text(&rows));
	buf_puts(&rows, "]}]}");
	kit_list(buf_text(&rows), &list);
	assert_int_equal(list.count, FINDINGS_MAX);
	findings_done(&list);
	buf_done(&rows);
	char *more = repeated(text, ",{\"ruleId\":\"more\"}", 1, "]}]}");
	kit_refused(convert_sarif, more, "more than 25000 findings");
	free(more);
	free(text);
	text = repeated("{\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"T\"}},"
			"\"results\":"
			"[{\"ruleId\":\"",
			"r", FINDING_NAME_SIZE, "\"}]}]}");
	kit_refused(convert_sarif, text, "longer than 255");
	free(text);
}

static void long_messages_are_cut_between_characters(void **state)
{
	(void)state;
	char *text =
		repeated("{\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"T\"}},"
			 "\"results\":[{\"ruleId\":\"R\",\"message\":{\"text\":\"",
			 "\xe2\x82\xac", 1000, "\"}}]}]}");
	const struct finding *f = only(text);
	size_t size = strlen(f->message);
	assert_true(size < FINDING_MESSAGE_SIZE && size > FINDING_MESSAGE_SIZE - 8);
	assert_string_equal(f->message + size - 3, "...");
	assert_int_equal((size - 3) % 3, 0);
	findings_done(&one);
	free(text);
}

static void a_byte_order_mark_and_any_schema_are_fine(void **state)
{
	struct findings list;
	(void)state;
	kit_list("\xef\xbb\xbf{\"$schema\":\"https://example/"
		 "else.json\",\"version\":\"2.1.0\",\"runs\":["
		 "{\"tool\":{\"driver\":{\"name\":\"T\"}},\"results\":[]}]}",
		 &list);
	assert_int_equal(list.count, 0);
	assert_string_equal(list.tools[0].name, "T");
	findings_done(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(severity_is_the_score_else_the_level),
		cmocka_unit_test(the_rule_is_found_by_every_way_to_name_it),
		cmocka_unit_test(a_message_is_filled_from_its_rule),
		cmocka_unit_test(places_are_relative_to_the_root),
		cmocka_unit_test(what_is_not_wrong_is_left_out_and_counted),
		cmocka_unit_test(suppressions_count_when_they_are_accepted),
		cmocka_unit_test(a_scan_that_did_not_happen_is_never_clean),
		cmocka_unit_test(wrong_types_are_told_with_their_place),
		cmocka_unit_test(hostile_json_is_refused),
		cmocka_unit_test(every_bound_is_told_and_none_is_silent),
		cmocka_unit_test(long_messages_are_cut_between_characters),
		cmocka_unit_test(a_byte_order_mark_and_any_schema_are_fine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
