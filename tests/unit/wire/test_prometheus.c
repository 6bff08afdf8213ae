/* SPDX-License-Identifier: Apache-2.0
 * test_prometheus - selectors, the lines of a metrics page, and what breaks one. */
#include "../cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "wire/prometheus.h"

static struct prometheus_reader reader;
static struct prometheus_selector selector;
static struct prometheus_sum sum;

static void choose(const char *text)
{
	const char *reason;
	size_t at;
	if (prometheus_selector_read(text, &selector, &reason, &at) < 0)
		fail_msg("%s at %zu: %s", text, at, reason);
}

/* Read a page in pieces of `step` bytes. */
static int read_page(const char *text, size_t step)
{
	size_t size = strlen(text);
	prometheus_begin(&reader, &selector, 1, &sum);
	for (size_t at = 0; at < size; at += step) {
		int code = prometheus_feed(&reader, text + at, size - at < step ? size - at : step);
		if (code < 0)
			return code;
	}
	return prometheus_end(&reader);
}

static void expect(const char *wanted, const char *text, uint32_t samples, double value)
{
	choose(wanted);
	for (size_t step = 1; step < strlen(text) + 2; step++) {
		if (read_page(text, step) < 0)
			fail_msg("%s, line %u: %s", text, reader.line, reader.reason);
		if (sum.samples != samples || sum.sum != value)
			fail_msg("%s of %s: %u samples, %g", wanted, text, sum.samples, sum.sum);
	}
}

static const char page[] = "# HELP orders_total Orders, \\\\ and \\n escaped.\n"
			   "# TYPE orders_total counter\n"
			   "orders_total{kind=\"paid\",shop=\"a\"} 10\n"
			   "orders_total{kind=\"paid\",shop=\"b\"} 20 1395066363000\n"
			   "orders_total{ kind = \"failed\" , shop=\"a\", }\t3.5\n"
			   "\n"
			   "# a comment { of no meaning\n"
			   "\torders 7\n"
			   "orders_total_sum 1e3\n"
			   "odd{text=\"a\\\\b \\\"c\\\" \\n}\"} 2\n";

static void a_selector_adds_up_the_series_it_names(void **state)
{
	(void)state;
	expect("orders_total", page, 3, 33.5);
	expect("orders_total{kind=\"paid\"}", page, 2, 30);
	expect("orders_total{shop=\"a\",kind=\"paid\"}", page, 1, 10);
	expect("orders_total{ kind=\"failed\", }", page, 1, 3.5);
	expect("orders_total{kind=\"pai\"}", page, 0, 0);
	expect("orders_total{nothing=\"paid\"}", page, 0, 0);
	expect("orders_total{nothing=\"\"}", page, 3, 33.5);
	expect("orders", page, 1, 7);
	expect("order", page, 0, 0);
	expect("orders_total_sum", page, 1, 1000);
	expect("odd{text=\"a\\\\b \\\"c\\\" \\n}\"}", page, 1, 2);
	expect("odd{text=\"a\"}", page, 0, 0);
	expect("odd", "", 0, 0);
}

static void several_selectors_are_served_in_one_pass(void **state)
{
	(void)state;
	static struct prometheus_selector two[2];
	struct prometheus_sum sums[2] = {{.sum = 9, .samples = 9}};
	const char *reason;
	size_t at;
	assert_int_equal(prometheus_selector_read("orders_total", &two[0], &reason, &at), 0);
	assert_int_equal(prometheus_selector_read("orders", &two[1], &reason, &at), 0);
	prometheus_begin(&reader, two, 2, sums);
	assert_int_equal(prometheus_feed(&reader, page, sizeof page - 1), 0);
	assert_int_equal(prometheus_end(&reader), 0);
	assert_true(sums[0].samples == 3 && sums[1].sum == 7);
}

static void openmetrics_has_units_exemplars_and_an_end(void **state)
{
	(void)state;
	expect("lag_seconds_bucket{le=\"0.1\"}",
	       "# TYPE lag_seconds histogram\n# UNIT lag_seconds seconds\n"
	       "lag_seconds_bucket{le=\"0.1\"} 8 # {trace_id=\"x\"} 0.054\n"
	       "lag_seconds_bucket{le=\"+Inf\"} 17 1520879607.789 # {} 1 1520879607.7\n# EOF",
	       1, 8);
	expect("a", "a 1\n# EOF\n", 1, 1);
}

static void numbers_are_as_strtod_reads_them(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"0",
		"-0",
		"+1",
		"1.",
		".5",
		"1e22",
		"1E-22",
		"123456.789",
		"9007199254740993",
		"1.79e308",
		"5e-324",
		"1e-400",
		"0.1",
		"3.14159265358979",
		"100000000000000000000",
	};
	char text[64];
	choose("a");
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		snprintf(text, sizeof text, "a %s\n", texts[i]);
		double wanted = strtod(texts[i], NULL);
		if (read_page(text, 100) < 0 || fabs(sum.sum - wanted) > fabs(wanted) * 1e-15)
			fail_msg("%s: %.17g instead of %.17g", texts[i], sum.sum, wanted);
	}
	assert_int_equal(read_page("a NaN\n", 100), 0);
	assert_true(isnan(sum.sum) && sum.samples == 1);
	assert_int_equal(read_page("a +Inf\n", 100), 0);
	assert_true(isinf(sum.sum));
	assert_int_equal(read_page("a -inf\n", 100), 0);
	assert_true(sum.sum < 0);
}

static void what_is_not_of_the_format_is_refused_with_its_line(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint32_t line;
		const char *word;
	} rows[] = {
		{"<html>\n", 1, "name"},
		{"a 1\nb\n", 2, "name has"},
		{"a 1\nb \n", 2, "not a number"},
		{"a 1\n\nb{ 1\n", 3, "no name"},
		{"a{b} 1\n", 1, "\"=\""},
		{"a{b=\"c\" 1\n", 1, "\"}\""},
		{"a{b=\"c} 1\n", 1, "does not end"},
		{"a{b=c} 1\n", 1, "quotes"},
		{"a{b=\"\\x\"} 1\n", 1, "escape"},
		{"a{b=\"\\", 1, "escape"},
		{"a{1=\"c\"} 1\n", 1, "no name"},
		{"a{,} 1\n", 1, "no name"},
		{"a{\"quoted.name\"} 1\n", 1, "no name"},
		{"a-b 1\n", 1, "may not be"},
		{"1a 1\n", 1, "no metric"},
		{"a 0x1p3\n", 1, "not a number"},
		{"a 1_000\n", 1, "not a number"},
		{"a 1e\n", 1, "not a number"},
		{"a 1e999\n", 1, "not a number"},
		{"a .\n", 1, "not a number"},
		{"a 1\r\n", 1, "not a number"},
		{"a 1 soon\n", 1, "timestamp"},
		{"a 1 2 3\n", 1, "more after"},
		{"# TYPE\n", 1, "names no metric"},
		{"# TYPE a\n", 1, "no type"},
		{"# HELP  \n", 1, "names no metric"},
		{"# EOF\na 1\n", 2, "after \"# EOF\""},
		{"a 1\na 12", 2, "within a line"},
	};
	choose("a");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (size_t step = 1; step < 40; step += 38) {
			int code = read_page(rows[i].text, step);
			if (code != ERR_INVALID || reader.line != rows[i].line ||
			    !strstr(reader.reason, rows[i].word))
				fail_msg("%s: %d, line %u: %s", rows[i].text, code, reader.line,
					 reader.reason ? reader.reason : "-");
		}
	}
}

static void lines_and_labels_are_bounded(void **state)
{
	(void)state;
	static char text[PROMETHEUS_LINE_MAX + 8];
	choose("a");
	memset(text, ' ', sizeof text - 1);
	memcpy(text, "a 1", 3);
	text[PROMETHEUS_LINE_MAX] = '\n';
	assert_int_equal(read_page(text, 7), ERR_INVALID); /* blanks follow the line's end */
	text[PROMETHEUS_LINE_MAX + 1] = '\0';
	assert_int_equal(read_page(text, 1000), 0);
	text[PROMETHEUS_LINE_MAX] = ' ';
	text[PROMETHEUS_LINE_MAX + 1] = '\n';
	assert_int_equal(read_page(text, sizeof text), ERR_LIMIT);
	assert_int_equal(read_page(text, 1000), ERR_LIMIT);
	size_t size = (size_t)snprintf(text, sizeof text, "a{");
	for (int i = 0; i <= PROMETHEUS_LABELS_MAX; i++)
		size += (size_t)snprintf(text + size, sizeof text - size, "l%d=\"\",", i);
	snprintf(text + size, sizeof text - size, "} 1\n");
	assert_int_equal(read_page(text, sizeof text), ERR_LIMIT);
	assert_non_null(strstr(reader.reason, "64 labels"));
	prometheus_begin(&reader, &selector, 1, &sum);
	for (int i = 0; i < PROMETHEUS_LINES_MAX; i++)
		assert_int_equal(prometheus_feed(&reader, "a 1\n", 4), 0);
	assert_int_equal(prometheus_feed(&reader, "a 1\n", 4), ERR_LIMIT);
	assert_int_equal(sum.samples, PROMETHEUS_LINES_MAX);
}

static void selectors_that_are_none_are_refused_with_the_place(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t at;
		const char *word;
	} rows[] = {
		{"", 0, "no metric"},
		{"1a", 0, "no metric"},
		{" a", 0, "no metric"},
		{"a b", 1, "only a name"},
		{"sum(a)", 3, "only a name"},
		{"a{b!=\"c\"}", 3, "\"=\""},
		{"a{b=\"c\"", 7, "\"}\""},
		{"a{b=\"c\"} 1", 8, "only a name"},
		{"a{b=\"c\",b=\"d\"}", 14, "twice"},
		{"a{b=\"\\t\"}", 6, "escape"},
	};
	const char *reason;
	size_t at;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (prometheus_selector_read(rows[i].text, &selector, &reason, &at) !=
			    ERR_INVALID ||
		    at != rows[i].at || !strstr(reason, rows[i].word))
			fail_msg("%s: at %zu", rows[i].text, at);
	char text[PROMETHEUS_SELECTOR_SIZE + 1];
	memset(text, 'a', sizeof text);
	text[PROMETHEUS_SELECTOR_SIZE] = '\0';
	assert_int_equal(prometheus_selector_read(text, &selector, &reason, &at), ERR_LIMIT);
	text[PROMETHEUS_SELECTOR_SIZE - 1] = '\0';
	assert_int_equal(prometheus_selector_read(text, &selector, &reason, &at), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_selector_adds_up_the_series_it_names),
		cmocka_unit_test(several_selectors_are_served_in_one_pass),
		cmocka_unit_test(openmetrics_has_units_exemplars_and_an_end),
		cmocka_unit_test(numbers_are_as_strtod_reads_them),
		cmocka_unit_test(what_is_not_of_the_format_is_refused_with_its_line),
		cmocka_unit_test(lines_and_labels_are_bounded),
		cmocka_unit_test(selectors_that_are_none_are_refused_with_the_place),
	};
	return cmocka_run_group_tests_name("wire/prometheus", tests, NULL, NULL);
}
