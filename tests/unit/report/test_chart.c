/* SPDX-License-Identifier: Apache-2.0
 * chart - a picture whose places can be computed by hand, with words for who cannot see it. */
#include <string.h>

#include "../cmocka_all.h"

#include "report/chart.h"
#include "report/writer.h"

static struct chart c;
static struct buf b;

static int setup(void **state)
{
	(void)state;
	c = (struct chart){.id = "errors",
			   .title = "Failed <requests>",
			   .description = "a & b",
			   .unit = "%",
			   .total_ms = 4000,
			   .point_ms = 1000,
			   .point_count = 4,
			   .fresh = {0, 10, -1, 5},
			   .band_count = 1,
			   .bands = {{0, "5% \"x\""}}};
	buf_init(&b, 1 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_done(&b);
	return 0;
}

static void has(const char *part)
{
	if (!strstr(buf_text(&b), part))
		fail_msg("nowhere: %s in\n%s", part, buf_text(&b));
}

static void a_line_goes_where_its_values_are_and_has_gaps(void **state)
{
	(void)state;
	chart_svg(&c, &b);
	/* x: 70 + 678 / 8 and 3 / 8, 7 / 8; y: 238 down to 44 for 20, the top above 10.5. */
	has("d=\"M154.8 238.0L324.2 141.0M663.2 189.5h0\"");
	has("role=\"img\" aria-labelledby=\"errors-t errors-d\"");
	has("<title id=\"errors-t\">Failed &lt;requests&gt;</title>");
	has("<desc id=\"errors-d\">a &amp; b</desc>");
	has("5% &quot;x&quot;");
	has(">20%</text>");
}

static void odds_go_by_powers_of_ten(void **state)
{
	(void)state;
	c.logarithmic = true;
	c.limit = 1000;
	c.unit = "";
	c.fresh[0] = 1;
	c.fresh[1] = 1000;
	chart_svg(&c, &b);
	has("d=\"M154.8 238.0L324.2 44.0M");
	has("class=\"limit\" x1=\"70\" x2=\"748\" y1=\"44.0\" y2=\"44.0\"");
	has(">1,000 : 1</text>");
}

static void the_table_says_the_same_and_may_be_thinned_out(void **state)
{
	(void)state;
	struct writer w = {.ops = &writer_markdown, .to = &b};
	chart_table(&c, &w, 2);
	has("| 0:02.0 | 5% \"x\" | 10% |\n| 0:04.0 | 5% \"x\" | 5% |\n");
	buf_clear(&b);
	chart_table(&c, &w, 60);
	has("| 0:03.0 | 5% \"x\" | - |");
}

static void a_chart_of_nothing_is_one(void **state)
{
	(void)state;
	c = (struct chart){.id = "x", .unit = ""};
	chart_svg(&c, &b);
	has("</svg>");
	assert_null(strstr(buf_text(&b), "nan"));
	assert_null(strstr(buf_text(&b), "inf"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_line_goes_where_its_values_are_and_has_gaps,
						setup, teardown),
		cmocka_unit_test_setup_teardown(odds_go_by_powers_of_ten, setup, teardown),
		cmocka_unit_test_setup_teardown(the_table_says_the_same_and_may_be_thinned_out,
						setup, teardown),
		cmocka_unit_test_setup_teardown(a_chart_of_nothing_is_one, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
