/* SPDX-License-Identifier: Apache-2.0
 * test_screen - numbers as people read them, and the picture of a rollout. */
#include <string.h>

#include "../cmocka_all.h"
#include "cli/rollout_view.h"
#include "cli/screen.h"

static void numbers_are_short_and_keep_their_unit(void **state)
{
	char to[32];
	(void)state;
	assert_string_equal(screen_duration(823, to), "823ms");
	assert_string_equal(screen_duration(59900, to), "59.9s");
	assert_string_equal(screen_duration(723000, to), "12m03s");
	assert_string_equal(screen_duration(7380000, to), "2h03m");
	assert_string_equal(screen_share(1, 1000, to), "0.10%");
	assert_string_equal(screen_share(0, 0, to), "-");
	assert_string_equal(screen_size(999, to), "999 B");
	assert_string_equal(screen_size(6200000, to), "6.2 MB");
}

static void columns_count_what_is_seen(void **state)
{
	const char *text = "\033[1;31m✖ bad\033[0m";
	(void)state;
	assert_int_equal(screen_columns(text, strlen(text)), 5);
}

static void what_a_program_wrote_cannot_command_the_terminal(void **state)
{
	struct buf to;
	(void)state;
	buf_init(&to, 4096);
	screen_put_foreign(&to, "a\033]0;owned\007b \"c\" d\\");
	assert_string_equal(to.data, "a\\x1b]0;owned\\x07b \"c\" d\\");
	assert_null(strchr(to.data, '\033'));
	assert_null(strchr(to.data, '\007'));
	buf_done(&to);
}

static void a_colour_ends_before_its_line_does(void **state)
{
	const struct cli cli = {.colour = true};
	struct buf to;
	(void)state;
	buf_init(&to, 4096);
	screen_put(&cli, &to, TONE_GOOD, "%s\n", "fine");
	assert_string_equal(to.data, "\033[32mfine\033[0m\n");
	buf_done(&to);
}

static const char rollout_text[] =
	"{\"number\":42,\"app\":\"shop\",\"environment\":\"prod\",\"kind\":\"deploy\",\"strategy\":"
	"\"canary\","
	"\"state\":\"running\",\"ended\":false,\"new\":{\"tag\":\"v1.4.2\"},\"old\":{\"tag\":\"v1."
	"4.1\"},"
	"\"elapsed_ms\":723000,\"step\":4,\"weight_bp\":5000,"
	"\"steps\":["
	"{\"index\":0,\"op\":\"fetch\",\"label\":\"\",\"text\":\"fetch  "
	"candidate\",\"state\":\"done\"},"
	"{\"index\":1,\"op\":\"route\",\"label\":\"1%\",\"text\":\"route  candidate "
	"1%\",\"state\":\"done\"},"
	"{\"index\":2,\"op\":\"hold\",\"label\":\"1%\",\"text\":\"hold\",\"state\":\"done\",\"for_"
	"ms\":120000},"
	"{\"index\":3,\"op\":\"route\",\"label\":\"50%\",\"text\":\"route  candidate "
	"50%\",\"state\":\"done\"},"
	"{\"index\":4,\"op\":\"hold\",\"label\":\"50%\",\"text\":\"hold\",\"state\":\"active\","
	"\"for_ms\":300000},"
	"{\"index\":5,\"op\":\"hold\",\"label\":\"bake\",\"text\":\"hold\",\"state\":\"waiting\","
	"\"for_ms\":1800000,\"at_most_ms\":3600000},"
	"{\"index\":6,\"op\":\"route\",\"label\":\"100%\",\"text\":\"route  candidate "
	"100%\",\"state\":\"waiting\"}],"
	"\"hold\":{\"for_ms\":300000,\"held_ms\":192000,\"requests\":900,\"at_least_requests\":50,"
	"\"new\":{\"requests\":900,\"errors\":9,\"share_bp\":4960,\"p99_us\":244000},"
	"\"old\":{\"requests\":910,\"errors\":1,\"p99_us\":205000}},"
	"\"evidence\":[{\"step\":2,\"verdict\":\"pass\",\"held_ms\":120000,"
	"\"new\":{\"requests\":783,\"errors\":0,\"p99_us\":9100},\"old\":{\"requests\":77000,"
	"\"errors\":77,"
	"\"p99_us\":9000}}],"
	"\"instances\":{\"new\":{\"ready\":3,\"want\":6},\"old\":{\"ready\":6,\"want\":6}}}";

static void a_rollout_is_drawn_as_shares_with_what_was_measured_at_each(void **state)
{
	const struct cli cli = {0};
	struct buf to;
	json_t *rollout = json_loads(rollout_text, 0, NULL);
	(void)state;
	assert_non_null(rollout);
	buf_init(&to, 16384);
	rollout_draw(&cli, rollout, &to);
	assert_string_equal(
		to.data,
		"shop -> prod  v1.4.1 -> v1.4.2  canary  rollout 42  > running"
		"                                 12m03s\n"
		"  + 1%    2m00s   errors 0.00% vs 0.10%   p99 9.1 vs 9.0 ms   783 requests\n"
		"  > 50%   3m12s   errors 1.00% vs 0.11%   p99 244 vs 205 ms   [######----]"
		"   900 requests\n"
		"  . bake  30m00s to 1h00m\n"
		"  . 100%  candidate 100%\n"
		"  instances  new 3/6 ready   old 6/6 serving   weight 50%   49.6% of traffic\n"
		"  Ctrl-C leaves it running. Steer it: davit promote|pause|abort prod\n");
	buf_done(&to);
	json_decref(rollout);
}

/* What the judge adds to the same rollout. */
static json_t *judged_rollout(double odds, int passed_bp, int more)
{
	json_t *rollout = json_loads(rollout_text, 0, NULL), *hold;
	assert_non_null(rollout);
	hold = json_object_get(rollout, "hold");
	json_object_set_new(hold, "judged", json_true());
	json_object_set_new(hold, "odds", json_real(odds));
	json_object_set_new(json_array_get(json_object_get(rollout, "evidence"), 0), "odds",
			    json_real(0.025));
	json_object_set_new(rollout, "judge",
			    json_pack("{s:i,s:i,s:i,s:[{s:s,s:i,s:i,s:f}]}", "passed_bp", passed_bp,
				      "more_requests", more, "more_ms", 12000, "metrics", "name",
				      "errors", "new_events", 9, "new_requests", 1683, "expected",
				      1.8));
	return rollout;
}

static void draw(json_t *rollout, struct buf *to)
{
	const struct cli cli = {0};
	buf_init(to, 16384);
	rollout_draw(&cli, rollout, to);
	json_decref(rollout);
}

static void what_speaks_against_it_is_drawn_beside_the_numbers(void **state)
{
	struct buf to;
	(void)state;
	draw(judged_rollout(0.5, 10000, 0), &to);
	assert_non_null(strstr(to.data, "   783 requests   evidence of harm 1 : 40\n"));
	assert_non_null(strstr(to.data, "[######----]   evidence of harm 1 : 2\n"));
	assert_non_null(strstr(to.data, "\n          9 of 1,683 requests failed, 1.8 expected\n"));
	buf_done(&to);
}

static void the_bar_is_as_far_as_what_is_behind(void **state)
{
	struct buf to;
	(void)state;
	draw(judged_rollout(0.5, 2000, 120), &to);
	assert_non_null(strstr(to.data, "[##--------]"));
	assert_non_null(strstr(to.data, "1.8 expected; about 120 more decide it, in 12.0s\n"));
	buf_done(&to);
}

/* Without a terminal there are 100 columns. */
static void no_line_is_wider_than_the_terminal(void **state)
{
	struct buf to;
	json_t *rollout = judged_rollout(123456, 2000, 120000);
	(void)state;
	json_object_set_new(json_object_get(json_object_get(rollout, "hold"), "new"), "p99_us",
			    json_integer(1234567000));
	draw(rollout, &to);
	for (const char *p = to.data; *p; p += strcspn(p, "\n") + 1)
		assert_true(screen_columns(p, strcspn(p, "\n")) <= 100);
	assert_non_null(strstr(to.data, "[##--------]   harm 123,456 : 1\n"));
	buf_done(&to);
}

static void odds_are_short(void **state)
{
	char to[32];
	(void)state;
	assert_string_equal(screen_odds(1240, to), "1,240 : 1");
	assert_string_equal(screen_odds(0.025, to), "1 : 40");
	assert_string_equal(screen_odds(1, to), "1 : 1");
	assert_string_equal(screen_odds(0.4, to), "1 : 2.5");
	assert_string_equal(screen_odds(9.96, to), "10 : 1");
	assert_string_equal(screen_odds(1e12, to), "over 1,000,000,000 : 1");
	assert_string_equal(screen_odds(0, to), "1 : 1,000,000,000");
	assert_string_equal(screen_count(77410, to), "77,410");
	assert_string_equal(screen_count(100, to), "100");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_short_and_keep_their_unit),
		cmocka_unit_test(columns_count_what_is_seen),
		cmocka_unit_test(what_a_program_wrote_cannot_command_the_terminal),
		cmocka_unit_test(a_colour_ends_before_its_line_does),
		cmocka_unit_test(a_rollout_is_drawn_as_shares_with_what_was_measured_at_each),
		cmocka_unit_test(what_speaks_against_it_is_drawn_beside_the_numbers),
		cmocka_unit_test(the_bar_is_as_far_as_what_is_behind),
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
		cmocka_unit_test(odds_are_short),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
