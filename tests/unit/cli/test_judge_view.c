/* SPDX-License-Identifier: Apache-2.0
 * test_judge_view - what `davit why` says of the statistics. */
#include <string.h>

#include "../cmocka_all.h"
#include "cli/judge_view.h"
#include "cli/screen.h"

static const char judge_text[] =
	"{\"odds\":1240,\"fine\":0.001,\"alpha\":0.001,\"beta\":0.01,\"live_troubled\":false,"
	"\"ratio\":{\"low\":4.12,\"likeliest\":8.9,\"high\":19.3},"
	"\"latency\":{\"new_p50_us\":[12000,14200],\"live_p50_us\":[11000,12000],"
	"\"new_p99_us\":[40000,null],\"live_p99_us\":[0,null]},"
	"\"metrics\":["
	"{\"name\":\"errors\",\"tolerance\":\"1.25 times as many, or 0.02 points more\","
	"\"new_events\":9,\"new_requests\":783,\"live_events\":98,\"live_requests\":77410,"
	"\"expected\":0.83,\"evidence\":2480,\"share\":0.97,\"phi\":1},"
	"{\"name\":\"p99\",\"edge_us\":21300,\"new_events\":12,\"new_requests\":774,"
	"\"live_events\":770,\"live_requests\":77312,\"expected\":7.7,\"evidence\":0.5,"
	"\"share\":0.03,\"phi\":1},"
	"{\"name\":\"hangs\",\"new_events\":0,\"new_requests\":783,\"live_events\":0,"
	"\"live_requests\":77410,\"expected\":0,\"evidence\":1,\"share\":0,\"phi\":1}],"
	"\"classes\":[{\"name\":\"\",\"new_events\":0,\"new_requests\":700,\"live_events\":90,"
	"\"live_requests\":70000},{\"name\":\"checkout\",\"new_events\":9,\"new_requests\":83,"
	"\"live_events\":8,\"live_requests\":7410}],"
	"\"instances\":[{\"name\":\"web-1\",\"new_events\":9,\"new_requests\":390}],"
	"\"more_requests\":0,\"more_ms\":0}";

static struct buf to;

static json_t *rollout_of(const char *text)
{
	json_t *judge = json_loads(text, 0, NULL);
	assert_non_null(judge);
	return json_pack("{s:o}", "judge", judge);
}

static void draw(json_t *rollout)
{
	const struct cli cli = {0};
	buf_init(&to, 16384);
	judge_draw(&cli, rollout, &to);
	json_decref(rollout);
}

static void counts_come_first_and_the_culprit_before_the_rest(void **state)
{
	(void)state;
	draw(rollout_of(judge_text));
	assert_string_equal(
		buf_text(&to),
		"\nStatistics: the odds that this release is\n"
		"  x worse  1,240 : 1   (it fails at 1,000 : 1)\n"
		"  . fine   1 : 1,000   (a step passes at 100 : 1)\n"
		"  9 of 783 requests failed; at the live release's share it would have been 0.8.\n"
		"  It fails 8.9 times as often as the live release: 4.1 to 19 (95%, "
		"whenever one looks).\n"
		"  p50 lies within (95%): new 12 to 14 ms, live 11 to 12 ms\n"
		"  p99 lies within (95%): new 40 ms or more\n"
		"\n"
		"  metric                              new expected                       live"
		"       evidence  share\n"
		"  errors                   9 of 783 1.15%      0.8         98 of 77,410 0.13%"
		"      2,480 : 1    97%\n"
		"  p99 > 21 ms             12 of 774 1.55%      7.7        770 of 77,312 1.00%"
		"          1 : 2     3%\n"
		"  None of either release: hangs.\n"
		"  Tolerated of errors: 1.25 times as many, or 0.02 points more.\n"
		"\n  errors by class\n"
		"  (other)                  0 of 700 0.00%   live 90 of 70,000 0.13%\n"
		"  checkout                 9 of 83 10.84%   live 8 of 7,410 0.11%\n");
	for (const char *p = to.data; *p; p += strcspn(p, "\n") + 1)
		assert_true(screen_columns(p, strcspn(p, "\n")) <= 100);
	buf_done(&to);
}

static void instances_are_told_apart_when_there_are_several(void **state)
{
	json_t *rollout = rollout_of(judge_text);
	(void)state;
	json_array_append_new(
		json_object_get(json_object_get(rollout, "judge"), "instances"),
		json_pack("{s:s,s:i,s:i}", "name", "web-2", "new_events", 0, "new_requests", 393));
	draw(rollout);
	assert_non_null(strstr(to.data, "\n  errors by instance of the new release\n"
					"  web-1                    9 of 390 2.31%\n"
					"  web-2                    0 of 393 0.00%\n"));
	buf_done(&to);
}

static void a_ratio_without_a_bound_is_told_as_far_as_it_is_known(void **state)
{
	json_t *rollout = rollout_of(judge_text);
	(void)state;
	json_object_set_new(json_object_get(json_object_get(rollout, "judge"), "ratio"), "high",
			    json_real(1000));
	draw(rollout);
	assert_non_null(strstr(to.data,
			       "  It fails at least 4.1 times as often as the live release "
			       "(95%, whenever one looks).\n"));
	buf_done(&to);
}

static void what_is_still_needed_is_said(void **state)
{
	json_t *rollout = rollout_of(judge_text), *judge = json_object_get(rollout, "judge");
	(void)state;
	json_object_set_new(judge, "more_requests", json_integer(1200));
	json_object_set_new(judge, "more_ms", json_integer(12000));
	draw(rollout);
	assert_non_null(
		strstr(to.data, "  About 1,200 more requests decide it, 12.0s at this traffic.\n"));
	buf_done(&to);
}

static void without_statistics_nothing_is_said(void **state)
{
	(void)state;
	draw(json_pack("{s:n}", "judge"));
	assert_string_equal(buf_text(&to), "");
	buf_done(&to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_come_first_and_the_culprit_before_the_rest),
		cmocka_unit_test(instances_are_told_apart_when_there_are_several),
		cmocka_unit_test(a_ratio_without_a_bound_is_told_as_far_as_it_is_known),
		cmocka_unit_test(what_is_still_needed_is_said),
		cmocka_unit_test(without_statistics_nothing_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
