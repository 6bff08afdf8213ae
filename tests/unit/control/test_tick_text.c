/* SPDX-License-Identifier: Apache-2.0
 * Ticks as lines: what is written and read again feeds a judge the same, to the last bit; what is wrong is told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"

#include "base/text.h"
#include "control/tick_text.h"

enum { LINE_MAX_BYTES = 256 << 10, TICKS = 3000, SLOTS_A_TICK = 40 };

static uint64_t random_state;
static struct judge fed, read;
static struct tick_text_reader *reader;
static struct error err;

static int setup(void **state)
{
	(void)state;
	memset(&read, 0xa5, sizeof read); /* judge_begin() leaves nothing of it */
	reader = mem_zero(1, sizeof *reader);
	reader->judge = &read;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(reader);
	return 0;
}

/* splitmix64 */
static uint64_t any(uint64_t below)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (z ^ z >> 31) % below;
}

static void random_arm(struct judge_arm *arm, struct judge_slot *slots, uint64_t requests)
{
	*arm = (struct judge_arm){.requests = any(requests + 1), .slots = slots};
	if (any(4) == 0)
		arm->errors[any(JUDGE_ERROR_COUNT)] = any(arm->requests + 1);
	if (any(8) == 0)
		arm->refused = any(arm->requests + 1);
	arm->repeated = any(8) == 0 ? any(3) : 0;
	arm->hangs = any(30) == 0 ? any(3) : 0;
	while (arm->slot_count < SLOTS_A_TICK && any(10) > 0)
		slots[arm->slot_count++] = (struct judge_slot){
			.bucket = (uint32_t)any(HISTOGRAM_BUCKETS), .count = (uint32_t)any(9)};
}

static void random_tick(struct judge_tick *tick, struct judge_slot *slots, uint32_t classes,
			bool fresh)
{
	*tick = (struct judge_tick){.elapsed_ms = 50 + (uint32_t)any(950), .cell_count = classes};
	for (uint32_t s = 0; s < classes; s++) {
		random_arm(&tick->cells[s].new_release, slots, fresh ? 20 : 0);
		if (!fresh)
			tick->cells[s].new_release = (struct judge_arm){0};
		random_arm(&tick->cells[s].live_release, slots + SLOTS_A_TICK, 200);
		slots += 2 * SLOTS_A_TICK;
	}
	if (any(20) == 0)
		tick->extras[any(JUDGE_EXTRAS)] = (struct judge_table){
			.new_requests = 9 + any(9), .new_events = any(9), .live_requests = any(9)};
	if (any(20) == 0) /* lines in a log may be more than requests */
		tick->extras[0] = (struct judge_table){any(9), any(30), any(9), any(30)};
	if (fresh && any(50) > 0)
		tick->division = (struct sample_ratio_tick){any(900) == 0 ? 10000 : 1000, any(9),
							    any(90), any(5), any(50)};
	if (any(10) == 0)
		tick->means[any(JUDGE_MEANS)] = (struct judge_mean_batch){
			{any(40), (double)any(1000) / 7, (double)any(1000) / 3},
			{any(90), (double)any(1000) / 7, (double)any(1000) / 3}};
}

static void settings_of(struct judge_settings *settings)
{
	static const struct judge_proportion_settings crashes = {
		.counts = true, .ratio = 1.5, .points = 1.0 / 3, .fine_ratio = 3};
	judge_settings_default(settings);
	judge_settings_slowest(settings);
	judge_settings_extra(settings, 0, "crashes", &crashes, 0.1);
	settings->means[JUDGE_MEAN_CPU] = (struct judge_mean_settings){
		.name = "cpu", .unit = JUDGE_UNIT_TIME, .weight = 0.1, .ratio = 1.0 / 0.7};
	settings->means[JUDGE_MEANS - 1] = (struct judge_mean_settings){
		.name = "value", .fewer = true, .weight = 0.1, .ratio = 0.95};
	settings->alpha = 1.0 / 1237;
	settings->metrics[JUDGE_METRIC_ERRORS].proportion.points = 0.1 + 0.2;
}

static void feed(const struct buf *line)
{
	if (tick_text_feed(reader, line->data, line->size, &err) < 0)
		fail_msg("%s: %s", err.text, buf_text(line));
}

static void put_head(struct buf *line, const struct judge_settings *settings)
{
	static const struct tick_text_head head = {.rollout = 42,
						   .new_tag = "v2",
						   .live_tag = "v1",
						   .class_count = 2,
						   .classes = {"", "checkout \"a\" \\ b"}};
	buf_clear(line);
	tick_text_begin(line, &head, settings);
	assert_null(memchr(line->data, '\n', line->size));
	feed(line);
}

static void what_is_read_again_feeds_the_judge_the_same_bit_by_bit(void **state)
{
	(void)state;
	static struct judge_slot slots[2 * SLOTS_A_TICK * JUDGE_STRATA_MAX];
	struct judge_settings settings;
	struct judge_tick tick;
	struct buf line;
	random_state = 20;
	settings_of(&settings);
	buf_init(&line, LINE_MAX_BYTES);
	judge_begin(&fed, &settings);
	put_head(&line, &settings);
	for (uint32_t i = 0; i < TICKS; i++) {
		buf_clear(&line);
		if (any(200) == 0) {
			bool step = any(2) == 0;
			step ? judge_step(&fed) : judge_warm_up(&fed);
			tick_text_mark(&line, step ? TICK_TEXT_STEP : TICK_TEXT_WARM, step ? i : 0);
		} else {
			random_tick(&tick, slots, 1 + (uint32_t)any(JUDGE_STRATA_MAX), i > 400);
			judge_tick(&fed, &tick);
			tick_text_tick(&line, &tick);
		}
		feed(&line);
		if (memcmp(&fed, &read, sizeof fed) != 0)
			fail_msg("after line %u the judges differ: %s", i + 2, buf_text(&line));
	}
	assert_true(fed.new_requests > 1000 && judge_odds(&fed) != 1);
	assert_true(sample_ratio_known(&fed.division) && sample_ratio_odds(&fed.division) != 1);
	assert_false(line.overflowed);
	buf_done(&line);
}

/* As many buckets and as large numbers as there may be. */
static void the_longest_line_fits(void **state)
{
	(void)state;
	static struct judge_slot slots[HISTOGRAM_BUCKETS];
	struct judge_tick tick = {.elapsed_ms = 1000, .cell_count = JUDGE_STRATA_MAX};
	struct judge_arm full = {
		.requests = TICK_TEXT_COUNT_MAX, .slot_count = HISTOGRAM_BUCKETS, .slots = slots};
	struct judge_settings settings;
	struct buf line;
	for (uint32_t b = 0; b < HISTOGRAM_BUCKETS; b++)
		slots[b] = (struct judge_slot){.bucket = b,
					       .count = TICK_TEXT_COUNT_MAX / HISTOGRAM_BUCKETS};
	for (uint32_t s = 0; s < JUDGE_STRATA_MAX; s++)
		tick.cells[s] = (struct judge_cell){.new_release = full, .live_release = full};
	judge_settings_default(&settings);
	buf_init(&line, LINE_MAX_BYTES);
	put_head(&line, &settings);
	buf_clear(&line);
	tick_text_tick(&line, &tick);
	assert_false(line.overflowed);
	feed(&line);
	assert_int_equal(reader->tick.cells[7].live_release.slots[697].bucket, 697);
	buf_done(&line);
}

static void the_first_line_tells_what_is_judged(void **state)
{
	(void)state;
	struct judge_settings settings;
	struct buf line;
	settings_of(&settings);
	buf_init(&line, LINE_MAX_BYTES);
	put_head(&line, &settings);
	assert_int_equal(reader->line, TICK_TEXT_HEAD);
	assert_int_equal(reader->rollout, 42);
	assert_string_equal(reader->new_tag, "v2");
	assert_string_equal(reader->live_tag, "v1");
	assert_int_equal(reader->class_count, 2);
	assert_string_equal(reader->classes[1], "checkout \"a\" \\ b");
	assert_memory_equal(&read.settings, &settings, sizeof settings);
	buf_done(&line);
}

static int feed_text(const char *text)
{
	return tick_text_feed(reader, text, strlen(text), &err);
}

static void what_is_left_out_of_the_settings_is_as_usual(void **state)
{
	(void)state;
	struct judge_settings settings;
	judge_settings_default(&settings);
	settings.alpha = 0.01;
	assert_int_equal(feed_text("{\"davit\": \"ticks/1\", \"alpha\": 0.01}"), 0);
	assert_memory_equal(&read.settings, &settings, sizeof settings);
	assert_int_equal(feed_text("{\"ms\": 1000, \"new\": [{\"n\": 5}], \"live\": [{}]}"), 0);
	assert_int_equal(read.new_requests, 5);
}

static void halve_alpha(void *context, struct judge_settings *settings)
{
	*(double *)context = settings->alpha;
	settings->alpha /= 2;
}

static void settings_can_be_changed_before_it_begins(void **state)
{
	(void)state;
	double was = 0;
	reader->adjust = halve_alpha;
	reader->context = &was;
	assert_int_equal(feed_text("{\"davit\": \"ticks/1\", \"alpha\": 0.01}"), 0);
	assert_true(was == 0.01 && read.settings.alpha == 0.005);
}

static void what_is_wrong_is_told_and_leaves_the_judge_as_it_was(void **state)
{
	(void)state;
	static const struct {
		const char *line, *says;
	} wrong[] = {
		{"", "end of file"},
		{"{\"ms\":1", "near"},
		{"[]", "no object"},
		{"{\"davit\":\"ticks/1\"}", "only the first line"},
		{"{\"ms\":1}", "\"new\" and \"live\""},
		{"{\"ms\":1,\"new\":[{}],\"live\":[{},{}]}", "\"new\" and \"live\""},
		{"{\"ms\":1,\"new\":[],\"live\":[]}", "\"new\" and \"live\""},
		{"{\"ms\":1,\"new\":[5],\"live\":[{}]}", "is an object"},
		{"{\"ms\":-1,\"new\":[{}],\"live\":[{}]}", "\"ms\" is not a whole number from 0"},
		{"{\"ms\":60001,\"new\":[{}],\"live\":[{}]}", "to 60000"},
		{"{\"ms\":1,\"new\":[{\"n\":1.5}],\"live\":[{}]}", "\"n\" is not a whole number"},
		{"{\"ms\":1,\"new\":[{\"n\":1000001}],\"live\":[{}]}", "to 1000000"},
		{"{\"ms\":1,\"new\":[{}],\"live\":[{\"5xx\":\"3\"}]}", "\"5xx\""},
		{"{\"ms\":1,\"new\":[{\"us\":[5]}],\"live\":[{}]}", "a list of pairs"},
		{"{\"ms\":1,\"new\":[{\"us\":[698,1]}],\"live\":[{}]}", "pairs of a bucket"},
		{"{\"ms\":1,\"new\":[{\"us\":[5,1000000,6,1]}],\"live\":[{}]}", "too many"},
		{"{\"ms\":1,\"new\":[{}],\"live\":[{}],\"extras\":[[1,2,3]]}", "four numbers"},
		{"{\"ms\":1,\"new\":[{}],\"live\":[{}],\"divided\":[10001,0,0,0,0]}",
		 "a weight and four numbers"},
		{"{\"ms\":1,\"new\":[{}],\"live\":[{}],\"divided\":[1000,0,0,0]}",
		 "a weight and four numbers"},
		{"{\"ms\":1,\"new\":[{}],\"live\":[{}],\"divided\":[1000,0,-1,0,0]}",
		 "a weight and four numbers"},
		{"{\"mark\":\"stop\"}", "\"mark\" is not"},
		{"{\"mark\":\"step\",\"number\":-1}", "\"number\" is not a whole number"},
		{"{\"mark\":7}", "\"mark\" is not"},
	};
	assert_int_equal(feed_text("{\"davit\":\"ticks/1\"}"), 0);
	fed = read;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		if (feed_text(wrong[i].line) != ERR_INVALID || !strstr(err.text, wrong[i].says))
			fail_msg("%s: %s", wrong[i].line, err.text);
		assert_memory_equal(&read, &fed, sizeof read);
	}
}

static void a_first_line_that_is_wrong_begins_nothing(void **state)
{
	(void)state;
	static const struct {
		const char *line, *says;
	} wrong[] = {
		{"{\"ms\":1,\"new\":[{}],\"live\":[{}]}", "how it is judged"},
		{"{\"davit\":\"ticks/2\"}", "version"},
		{"{\"davit\":\"ticks/1\",\"alpha\":1}", "\"alpha\" is not a share"},
		{"{\"davit\":\"ticks/1\",\"beta\":0}", "\"beta\" is not a share"},
		{"{\"davit\":\"ticks/1\",\"warm_ms\":-1}", "\"warm_ms\""},
		{"{\"davit\":\"ticks/1\",\"new\":\"v\\u001b[2J\"}", "\"new\" is not a short text"},
		{"{\"davit\":\"ticks/1\",\"live\":7}", "\"live\" is not a short text"},
		{"{\"davit\":\"ticks/1\",\"classes\":[1,2,3,4,5,6,7,8,9]}", "too many classes"},
		{"{\"davit\":\"ticks/1\",\"metrics\":[]}", "\"metrics\" is not a list of the 17"},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		if (feed_text(wrong[i].line) != ERR_INVALID || !strstr(err.text, wrong[i].says))
			fail_msg("%s: %s", wrong[i].line, err.text);
		assert_false(reader->begun);
	}
}

/* Every number of a metric, out of its range. */
static void a_metric_out_of_its_ranges_is_refused(void **state)
{
	(void)state;
	static const char *const wrong[][2] = {
		{"\"ratio\":1.25", "\"ratio\":0.5"},         {"\"ratio\":1.25", "\"ratio\":21"},
		{"\"fine_ratio\":3.0", "\"fine_ratio\":1"},  {"\"weight\":0.5", "\"weight\":0"},
		{"\"fine_share\":0.02", "\"fine_share\":1"}, {"\"scale\":1.0", "\"scale\":0.0"},
		{"\"name\":\"errors\"", "\"name\":\"\""},
	};
	struct judge_settings settings;
	struct buf line;
	judge_settings_default(&settings);
	buf_init(&line, LINE_MAX_BYTES);
	tick_text_begin(&line, &(struct tick_text_head){.new_tag = "", .live_tag = ""}, &settings);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		char *at = strstr(line.data, wrong[i][0]), *text;
		assert_non_null(at);
		assert_true(asprintf(&text, "%.*s%s%s", (int)(at - line.data), line.data,
				     wrong[i][1], at + strlen(wrong[i][0])) > 0);
		if (feed_text(text) != ERR_INVALID)
			fail_msg("%s was taken", wrong[i][1]);
		free(text);
	}
	assert_int_equal(feed_text(line.data), 0);
	buf_done(&line);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_read_again_feeds_the_judge_the_same_bit_by_bit),
		TEST(the_longest_line_fits),
		TEST(the_first_line_tells_what_is_judged),
		TEST(what_is_left_out_of_the_settings_is_as_usual),
		TEST(settings_can_be_changed_before_it_begins),
		TEST(what_is_wrong_is_told_and_leaves_the_judge_as_it_was),
		TEST(a_first_line_that_is_wrong_begins_nothing),
		TEST(a_metric_out_of_its_ranges_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
