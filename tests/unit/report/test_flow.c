/* SPDX-License-Identifier: Apache-2.0
 * report/flow: what labels say stays text in both languages, ways back move nothing, and bounds hold. */
#include <string.h>

#include "../cmocka_all.h"

#include "report/flow.h"

static struct flow flow;
static struct buf text;

static int set_up(void **state)
{
	(void)state;
	memset(&flow, 0, sizeof flow);
	buf_init(&text, 1 << 20);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buf_done(&text);
	return 0;
}

static void has(const char *part)
{
	if (!strstr(buf_text(&text), part))
		fail_msg("without %s:\n%s", part, buf_text(&text));
}

static void boxes_and_arrows_become_mermaid(void **state)
{
	(void)state;
	uint32_t a = flow_box(&flow, FLOW_END, "Commit");
	uint32_t b = flow_box(&flow, FLOW_QUESTION, "good?");
	flow_arrow(&flow, a, b, "");
	flow_arrow(&flow, b, a, "no");
	flow_mermaid(&flow, &text);
	assert_string_equal(buf_text(&text), "```mermaid\nflowchart TD\n"
					     "  n0([\"Commit\"])\n"
					     "  n1{\"good?\"}\n"
					     "  n0 --> n1\n"
					     "  n1 -.->|\"no\"| n0\n"
					     "```\n\n");
}

static void what_a_label_says_is_no_markup(void **state)
{
	(void)state;
	uint32_t a = flow_box(&flow, FLOW_STEP, "\"]; click <script>`x`#\n\xff");
	flow_arrow(&flow, a, flow_box(&flow, FLOW_STEP, "b"), "a|b");
	flow_mermaid(&flow, &text);
	has("n0[\"#34;#93;#59; click #60;script#62;#96;x#96;#35;\xef\xbf\xbd\xef\xbf\xbd\"]");
	has("-->|\"a#124;b\"|");
	buf_clear(&text);
	flow_svg(&flow, &text);
	has("<title>&quot;]; click &lt;script&gt;`x`#");
	assert_null(strstr(buf_text(&text), "<script"));
}

/* Commit, then two side by side, then one after both; the way back does not push anybody down. */
static void rows_are_the_longest_way_from_the_beginning(void **state)
{
	(void)state;
	uint32_t commit = flow_box(&flow, FLOW_END, "commit"),
		 one = flow_box(&flow, FLOW_STEP, "one"), two = flow_box(&flow, FLOW_STEP, "two"),
		 last = flow_box(&flow, FLOW_STEP, "a label that is much longer than its box is");
	flow_arrow(&flow, commit, one, "");
	flow_arrow(&flow, commit, two, "");
	flow_arrow(&flow, one, last, "");
	flow_arrow(&flow, two, last, "");
	flow_arrow(&flow, last, commit, "back");
	flow_svg(&flow, &text);
	has("viewBox=\"0 0 424 226\"");
	has("y=\"12\" width");
	has("x=\"24\" y=\"94\"");
	has("x=\"224\" y=\"94\"");
	has("y=\"176\" width");
	has("a label that is much long\xe2\x80\xa6</text>");
	has("class=\"arrow back\"");
}

static void what_is_past_a_bound_is_left_out(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < FLOW_BOXES_MAX; i++)
		assert_int_equal(flow_box(&flow, FLOW_STEP, "x"), i);
	assert_int_equal(flow_box(&flow, FLOW_STEP, "x"), FLOW_NOBODY);
	flow_arrow(&flow, 0, FLOW_NOBODY, "");
	assert_int_equal(flow.arrow_count, 0);
	for (uint32_t i = 0; i < FLOW_ARROWS_MAX + 1; i++)
		flow_arrow(&flow, 0, 1, "");
	assert_int_equal(flow.arrow_count, FLOW_ARROWS_MAX);
	flow_svg(&flow, &text);
	assert_false(text.overflowed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(boxes_and_arrows_become_mermaid),
		TEST(what_a_label_says_is_no_markup),
		TEST(rows_are_the_longest_way_from_the_beginning),
		TEST(what_is_past_a_bound_is_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
