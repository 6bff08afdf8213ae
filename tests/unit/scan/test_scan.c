/* SPDX-License-Identifier: Apache-2.0
 * test_scan - one check from files to verdict, as the command line and a stage of a pipeline ask for it. */
#include <unistd.h>

#include "kit.h"
#include "scan/scan.h"

static char directory[] = "/tmp/davit-scan.XXXXXX";
static const char *const names[] = {"now.sarif", "base.sarif", "waivers.yaml", "bad.sarif"};
static char paths[4][256];

static void put(unsigned index, const char *text)
{
	FILE *file = fopen(paths[index], "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int begin(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return 1;
	for (unsigned i = 0; i < 4; i++)
		snprintf(paths[i], sizeof paths[i], "%s/%s", directory, names[i]);
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++)
		(void)remove(paths[i]);
	return rmdir(directory);
}

static int check(const char *against, const char *waivers, struct scan_report **ret_report,
		 struct error *err)
{
	const char *files[] = {paths[0]};
	struct scan_request request = {.files = files,
				       .file_count = 1,
				       .against = against,
				       .waivers = waivers,
				       .source = directory,
				       .policy = scan_policy_default,
				       .now_unix_ms = 1798718400ull * 1000};
	return scan_check(&request, ret_report, err);
}

#define HIGH "{\"ruleId\":\"R\",\"level\":\"error\",\"message\":{\"text\":\"bad\"}}"

static void expect(const char *against, const char *waivers, bool blocked, const char *sentence)
{
	struct scan_report *report;
	struct error err;
	if (check(against, waivers, &report, &err) < 0)
		fail_msg("%s: %s", err.where, err.text);
	assert_int_equal(report->blocked, blocked);
	assert_string_equal(report->sentence, sentence);
	json_t *o = scan_report_json(report);
	assert_string_equal(json_string_value(json_object_get(o, "schema")), "davit.v1/scan");
	assert_string_equal(json_string_value(json_object_get(o, "verdict")),
			    blocked ? "blocked" : "pass");
	json_decref(o);
	scan_report_free(report);
}

static void new_ones_block_known_ones_and_waived_ones_do_not(void **state)
{
	(void)state;
	put(0, REPORT(HIGH));
	put(1, REPORT(""));
	put(2, "waivers:\n  - { rule: R, reason: r, owner: o, until: 2026-12-31 }\n");
	expect(NULL, NULL, true, "1 new finding is blocked: 1 high.");
	expect(paths[1], NULL, true, "1 new finding is blocked: 1 high.");
	expect(paths[1], paths[2], false, "No new finding is high or worse.");
	put(2, "waivers:\n  - { rule: R, reason: r, owner: o, until: 2026-12-30 }\n");
	expect(paths[1], paths[2], true, "1 new finding is blocked: 1 high.");
	put(1, REPORT(HIGH));
	expect(paths[1], NULL, false, "No new finding is high or worse.");
}

static void the_report_as_json_has_all_of_it(void **state)
{
	struct scan_report *report;
	struct error err;
	(void)state;
	put(0, REPORT(HIGH "," AT(3, "kept")));
	put(1, REPORT(AT(1, "kept") "," AT(1, "gone")));
	put(2, "waivers:\n  - { rule: Q, reason: r, owner: o, until: 2026-12-31 }\n");
	assert_int_equal(check(paths[1], paths[2], &report, &err), 0);
	json_t *o = scan_report_json(report), *counts = json_object_get(o, "counts");
	assert_int_equal(json_array_size(json_object_get(o, "findings")), 2);
	assert_int_equal(json_array_size(json_object_get(o, "fixed")), 1);
	assert_int_equal(json_array_size(json_object_get(o, "waivers")), 1);
	assert_int_equal(json_array_size(json_object_get(o, "tools")), 1);
	static const char *const states[] = {"new", "existing", "fixed", "suppressed", "waived"};
	static const int expected[] = {1, 1, 1, 0, 0};
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(json_integer_value(json_object_get(
					 json_object_get(counts, states[i]), "total")),
				 expected[i]);
	json_decref(o);
	scan_report_free(report);
}

static void a_missing_or_broken_file_is_an_error_with_its_name(void **state)
{
	struct scan_report *report;
	struct error err;
	(void)state;
	put(0, REPORT(HIGH));
	put(3, "{");
	assert_int_equal(check("/nowhere.sarif", NULL, &report, &err), ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "is not there"));
	assert_int_equal(check(paths[3], NULL, &report, &err), ERR_INVALID);
	assert_non_null(strstr(err.where, "bad.sarif:1"));
	assert_int_equal(check(NULL, "/nowhere.yaml", &report, &err), ERR_NOT_FOUND);
	assert_int_equal(check(NULL, paths[3], &report, &err), ERR_INVALID);
	put(0, "");
	assert_int_equal(check(NULL, NULL, &report, &err), ERR_INVALID);
	assert_non_null(strstr(err.text, "did not run"));
}

static void a_baseline_of_davits_own_is_known_without_its_tree(void **state)
{
	struct findings list;
	struct error err;
	const char *files[] = {paths[0]};
	(void)state;
	/* A line of the tree makes the identity; then the line moves, and the message changes. */
	put(3, "int x;\nbad();\nint y;\n");
	static const char form[] =
		"{\"ruleId\":\"R\",\"level\":\"error\",\"message\":{\"text\":\"%s\"},\"locations\":"
		"[{"
		"\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"bad.sarif\"},\"region\":{"
		"\"startLine\":%d}}}]}";
	char result[512], text[1024];
	snprintf(result, sizeof result, form, "one", 2);
	snprintf(text, sizeof text, REPORT("%s"), result);
	put(0, text);
	findings_init(&list);
	assert_int_equal(scan_read(files, 1, convert_sarif, directory, &list, &err), 0);
	json_t *document = sarif_write(&list);
	assert_int_equal(json_dump_file(document, paths[1], 0), 0);
	json_decref(document);
	findings_done(&list);
	put(3, "new\nnew\nint x;\n  bad();\nint y;\n");
	snprintf(result, sizeof result, form, "two", 4);
	snprintf(text, sizeof text, REPORT("%s"), result);
	put(0, text);
	expect(paths[1], NULL, false, "No new finding is high or worse.");
	put(3, "new\nnew\nint x;\n  worse();\nint y;\n");
	expect(paths[1], NULL, true, "1 new finding is blocked: 1 high.");
}

static void no_more_than_stars(void *context, char *text)
{
	char *found;
	(void)context;
	while ((found = strstr(text, "sesame"))) {
		memcpy(found, "***", 3);
		memmove(found + 3, found + 6, strlen(found + 6) + 1);
	}
}

/* Nothing of it is left, in the identity either: another secret makes the same finding. */
static void what_is_hidden_is_nowhere_in_a_report(void **state)
{
	static const char form[] =
		"{\"ruleId\":\"R %s\",\"level\":\"error\",\"message\":{\"text\":\"open %s\"},"
		"\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":"
		"\"http://h/?p=%s\"}}}]}";
	const struct scan_hide hide = {no_more_than_stars, NULL};
	const char *files[] = {paths[0]};
	struct scan_request request = {
		.files = files, .file_count = 1, .hide = &hide, .policy = scan_policy_default};
	struct scan_report *report;
	struct error err;
	char result[512], text[1024], identity[2][FINDING_IDENTITY_SIZE];
	(void)state;
	for (int i = 0; i < 2; i++) {
		const char *word = i == 0 ? "s\\u0065same" : "***";
		snprintf(result, sizeof result, form, word, word, word);
		snprintf(text, sizeof text, REPORT("%s"), result);
		put(0, text);
		assert_int_equal(scan_check(&request, &report, &err), 0);
		assert_string_equal(report->now.items[0].rule, "R ***");
		assert_string_equal(report->now.items[0].path, "http://h/?p=***");
		assert_string_equal(report->now.items[0].message, "open ***");
		memcpy(identity[i], report->now.items[0].identity, FINDING_IDENTITY_SIZE);
		scan_report_free(report);
	}
	assert_string_equal(identity[0], identity[1]);
}

/* Neither stands there any more when it was put in order, or decoded. */
static void not_a_word_of_it(void *context, char *text)
{
	static const char *const words[] = {"sesame//door", "key%41"};
	(void)context;
	for (size_t i = 0; i < 2; i++) {
		char *found = strstr(text, words[i]);
		size_t size = strlen(words[i]);
		if (!found)
			continue;
		memcpy(found, "***", 3);
		memmove(found + 3, found + size, strlen(found + size) + 1);
	}
}

/* As it stands in the report: a path is put in order only then. */
static void not_even_as_a_path(void **state)
{
	static const struct {
		const char *uri, *path;
	} cases[] = {{"sesame//door/b.c", "***/b.c"}, {"src/key%41.c", "src/***.c"}};
	const struct scan_hide hide = {not_a_word_of_it, NULL};
	const char *files[] = {paths[0]};
	struct scan_request request = {
		.files = files, .file_count = 1, .hide = &hide, .policy = scan_policy_default};
	struct scan_report *report;
	struct error err;
	char result[512], text[1024];
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		snprintf(result, sizeof result,
			 "{\"ruleId\":\"R\",\"message\":{\"text\":\"m\"},\"locations\":[{"
			 "\"physicalLocation\":{\"artifactLocation\":{\"uri\":\"%s\"}}}]}",
			 cases[i].uri);
		snprintf(text, sizeof text, REPORT("%s"), result);
		put(0, text);
		assert_int_equal(scan_check(&request, &report, &err), 0);
		assert_string_equal(report->now.items[0].path, cases[i].path);
		scan_report_free(report);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_ones_block_known_ones_and_waived_ones_do_not),
		cmocka_unit_test(the_report_as_json_has_all_of_it),
		cmocka_unit_test(a_missing_or_broken_file_is_an_error_with_its_name),
		cmocka_unit_test(a_baseline_of_davits_own_is_known_without_its_tree),
		cmocka_unit_test(what_is_hidden_is_nowhere_in_a_report),
		cmocka_unit_test(not_even_as_a_path),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
