/* SPDX-License-Identifier: Apache-2.0
 * The post-mortem of whole rollouts in the made-up world: its facts, its draft, a crash before the file; and of a
 * recorded log of ticks, byte for byte (DAVIT_WRITE_EXPECTED=1 writes what is expected anew). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#include "control/deployments.h"
#include "control/postmortem.h"
#include "provider/postmortems.h"

static const char yaml_1[] =
	"app: shop\n"
	"service:\n"
	"  run: bin/server --port $PORT\n"
	"  instances: 2\n"
	"  health: { path: /up, min_healthy: 100ms, deadline: 5s }\n"
	"  drain: { requests: 1s, websockets: 1s }\n"
	"  stop: { timeout: 1s }\n"
	"strategies:\n"
	"  steps: [{ canary: { steps: [10%, 50%], each: { at_least: 20s, at_most: 5m } } }, "
	"switch,\n"
	"          { bake: 2s }]\n"
	"environments:\n"
	"  prod: { listen: \"127.0.0.1:8080\", strategy: steps, keep_warm: 20s }\n";
static const char yaml_2[] =
	"app: shop\n"
	"service:\n"
	"  run: bin/server --port $PORT\n"
	"  env: { TOKEN: 'hush' }\n"
	"  instances: 3\n"
	"  health: { path: /up, min_healthy: 100ms, deadline: 5s }\n"
	"  drain: { requests: 1s, websockets: 1s }\n"
	"  stop: { timeout: 1s }\n"
	"strategies:\n"
	"  steps: [{ canary: { steps: [10%, 50%], each: { at_least: 20s, at_most: 5m } } }, "
	"switch,\n"
	"          { bake: 2s }]\n"
	"environments:\n"
	"  prod: { listen: \"127.0.0.1:8080\", strategy: steps, keep_warm: 20s }\n";

static struct postmortem *facts;
static struct buf text;

static int setup(void **state)
{
	(void)state;
	facts = mem_zero(1, sizeof *facts);
	buf_init(&text, POSTMORTEM_BYTES_MAX);
	world_open();
	world_release("prod", "v1", yaml_1);
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	world_release("prod", "v2", yaml_2);
	world_behaviour("v1")->error_bp = 20;
	world_run(30000); /* of the live release alone: to learn from */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close();
	buf_done(&text);
	free(facts);
	return 0;
}

static void take(void *context, const struct postmortem *p)
{
	(void)context;
	*facts = *p;
}

static const char *written(uint32_t rollout)
{
	char number[16];
	snprintf(number, sizeof number, "%u", rollout);
	buf_clear(&text);
	if (control_postmortem(world.control, number, take, NULL, &world.err) < 0)
		fail_msg("%s", world.err.text);
	postmortem_write(facts, POSTMORTEM_MARKDOWN, &text);
	return buf_text(&text);
}

static uint32_t a_bad_release(void)
{
	world_behaviour("v2")->error_bp = 1000;
	uint32_t rollout = world_deploy("prod", "v2");
	assert_string_equal(world_until_end(rollout, 300000), "reverted");
	world_run(1000);
	return rollout;
}

static void a_bad_release_is_told_with_its_numbers(void **state)
{
	(void)state;
	uint32_t rollout = a_bad_release();
	written(rollout);
	struct view_rollout *view = mem_new(sizeof *view);
	assert_int_equal(control_view_number(world.control, rollout, view, &world.err), 0);
	assert_string_equal(facts->bad.tag, "v2");
	assert_string_equal(facts->back.tag, "v1");
	assert_int_equal(facts->finder, POSTMORTEM_BY_JUDGE);
	assert_int_equal(facts->new_traffic.requests, view->new_traffic.requests);
	assert_int_equal(facts->new_traffic.errors, view->new_traffic.errors);
	assert_true((double)facts->new_traffic.errors > facts->expected);
	assert_int_equal(facts->weight_most_bp, 1000);
	assert_string_equal(facts->step, "10%");
	/* Its share was constant: the integral is that of one step. */
	assert_true(facts->exposed_ms > 0);
	double minutes = (double)facts->exposed_ms / 60000 / 10;
	assert_true(facts->exposure_minutes > minutes * 0.999 &&
		    facts->exposure_minutes < minutes * 1.001);
	assert_true(facts->ticks.known && facts->ticks.failed);
	assert_true(facts->ticks.first_bad_ms <= facts->ticks.failed_ms);
	assert_true(facts->ticks.replays[0].failed && facts->ticks.replays[1].failed);
	assert_true(facts->ticks.replays[1].requests <= facts->ticks.replays[0].requests);
	uint64_t requests = 0;
	for (uint32_t i = 0; i < facts->ticks.bin_count; i++)
		requests += facts->ticks.bins[i].new_requests;
	assert_true(requests <= facts->new_traffic.requests &&
		    requests >= facts->ticks.requests_until_failed);
	free(view);
}

static void what_changed_is_told_but_no_value_of_a_variable(void **state)
{
	(void)state;
	const char *document = written(a_bad_release());
	assert_true(facts->compared);
	assert_non_null(strstr(document, "env.TOKEN | - | (another value) |"));
	assert_non_null(strstr(document, "instances | 2 | 3 |"));
	assert_null(strstr(document, "hush"));
}

static void the_same_records_give_the_same_bytes_after_a_restart_too(void **state)
{
	(void)state;
	uint32_t rollout = a_bad_release();
	char *once = mem_copy_text(written(rollout));
	world_run(60000);
	assert_string_equal(written(rollout), once);
	world_kill();
	world_start();
	world_run(5000);
	assert_string_equal(written(rollout), once);
	free(once);
}

/* The caller of the world is ann; "ann" alone would be in other words, too. */
static void a_person_is_not_named_and_the_whole_way_is_measured(void **state)
{
	(void)state;
	struct control_caller ann = world_caller("");
	struct control_expect any = {.any = true};
	uint32_t rollout = world_deploy("prod", "v2");
	char number[16];
	snprintf(number, sizeof number, "%u", rollout);
	assert_true(world_until_label(rollout, "50%", 300000));
	world_run(5000);
	assert_int_equal(control_command(world.control, &ann, number, CONTROL_ABORT,
					 "orders are lost", &any, &world.err),
			 0);
	assert_string_equal(world_until_end(rollout, 60000), "reverted");
	world_run(1000);
	const char *document = written(rollout);
	assert_int_equal(facts->finder, POSTMORTEM_BY_PERSON);
	assert_string_equal(facts->verdict, "orders are lost");
	assert_null(strstr(document, "by ann"));
	assert_null(strstr(document, "| ann"));
	assert_string_equal(postmortem_severity(facts), "sev2");
	assert_int_equal(facts->weight_most_bp, 5000);
	assert_true(facts->ticks.known && !facts->ticks.failed);
	assert_int_equal(facts->ticks.band_count, 2);
	assert_int_equal(facts->ticks.bands[1].weight_bp, 5000);
	assert_true(facts->validated_ms > 0);
	/* Two shares: more than the time at a tenth, less than half of it. */
	double most = (double)facts->exposed_ms / 60000;
	assert_true(facts->exposure_minutes > most / 10 && facts->exposure_minutes < most / 2);
	/* In the order in which it happened. */
	for (uint32_t i = 1; i < facts->line_count; i++)
		assert_true(facts->lines[i].at_unix_ms >= facts->lines[i - 1].at_unix_ms);
}

static void one_that_is_under_way_has_none(void **state)
{
	(void)state;
	char number[16];
	uint32_t rollout = world_deploy("prod", "v2");
	world_run(2000);
	snprintf(number, sizeof number, "%u", rollout);
	assert_int_equal(control_postmortem(world.control, number, take, NULL, &world.err),
			 ERR_CONFLICT);
	assert_int_equal(control_postmortem(world.control, "99", take, NULL, &world.err),
			 ERR_NOT_FOUND);
}

/* --- drafts */

static struct drafts {
	struct postmortems postmortems;
	uint32_t number, count;
	bool refuse;
} drafts;

static bool has(const struct postmortems *postmortems, uint32_t rollout)
{
	(void)postmortems;
	return drafts.number == rollout;
}

static int put(const struct postmortems *postmortems, uint32_t rollout, const char *from,
	       size_t size, struct error *err)
{
	(void)postmortems, (void)from;
	if (drafts.refuse)
		return error_set(err, ERR_NO_SPACE, "The disk is full.");
	assert_true(size > 1000);
	drafts.number = rollout;
	drafts.count++;
	return 0;
}

static void keep_drafts(void)
{
	static const struct postmortems_ops ops = {.has = has, .put = put};
	drafts = (struct drafts){.postmortems.ops = &ops};
	world.postmortems = &drafts.postmortems;
	world_kill();
	world_start();
	world_run(1000);
}

static void a_draft_is_written_once_and_again_where_it_is_missing(void **state)
{
	(void)state;
	keep_drafts();
	drafts.refuse = true;
	uint32_t rollout = a_bad_release();
	assert_int_equal(drafts.count, 0);
	drafts.refuse = false;
	world_kill();
	world_start();
	assert_int_equal(drafts.number, rollout);
	world_kill();
	world_start();
	world_run(5000);
	assert_int_equal(drafts.count, 1);
}

static void a_good_release_and_one_that_nobody_met_have_no_draft(void **state)
{
	(void)state;
	keep_drafts();
	world_behaviour("v2")->never_ready = true;
	assert_string_equal(world_until_end(world_deploy("prod", "v2"), 300000), "reverted");
	world_run(1000);
	assert_int_equal(drafts.count, 0);
}

static void dora_counts_a_failure_and_its_recovery(void **state)
{
	(void)state;
	uint32_t rollout = a_bad_release();
	struct deployment_list *list = mem_new(sizeof *list);
	assert_int_equal(control_deployments(world.control, "shop", "prod", list, &world.err), 0);
	assert_int_equal(list->count, 2);
	assert_int_equal(list->items[0].id, rollout);
	assert_true(list->items[0].exposed_unix_ms > list->items[0].started_unix_ms);
	assert_true(list->items[0].restored && !list->items[0].succeeded);
	assert_true(list->items[1].succeeded && list->items[1].exposed_unix_ms > 0);
	free(list);
}

/* --- a recorded log */

static void read_file(const char *name, struct buf *to)
{
	char path[512], chunk[4096];
	size_t size;
	snprintf(path, sizeof path, "%s/postmortem/%s", SOURCE_DIR, name);
	FILE *file = fopen(path, "re");
	if (!file)
		return;
	while ((size = fread(chunk, 1, sizeof chunk, file)) > 0)
		buf_append(to, chunk, size);
	fclose(file);
}

static void is_as_expected(enum postmortem_format format, const char *name)
{
	struct buf expected;
	char path[512];
	buf_init(&expected, POSTMORTEM_BYTES_MAX);
	buf_clear(&text);
	postmortem_write(facts, format, &text);
	if (getenv("DAVIT_WRITE_EXPECTED")) {
		snprintf(path, sizeof path, "%s/postmortem/%s", SOURCE_DIR, name);
		FILE *file = fopen(path, "we");
		assert_non_null(file);
		assert_int_equal(fwrite(text.data, 1, text.size, file), text.size);
		fclose(file);
	}
	read_file(name, &expected);
	assert_string_equal(buf_text(&text), buf_text(&expected));
	buf_done(&expected);
}

static void set(char *to, const char *from)
{
	memcpy(to, from, strlen(from) + 1);
}

static void a_recorded_log_gives_this_document(void **state)
{
	(void)state;
	struct buf *log = &world.tick_logs[42];
	static const uint64_t began = 1795680000000;
	buf_init(log, TICKS_BYTES_MAX);
	read_file("ticks.jsonl", log);
	memset(facts, 0, sizeof *facts);
	facts->number = 42;
	set(facts->app, "shop"), set(facts->environment, "prod"), set(facts->kind, "deploy");
	set(facts->strategy, "canary"), set(facts->state, "reverted"), set(facts->step, "20%");
	set(facts->bad.tag, "v2.0.0"), set(facts->back.tag, "v1.4.1");
	set(facts->bad.id, "2222"), set(facts->back.id, "1111");
	facts->started_unix_ms = began;
	facts->exposed_unix_ms = began + 2000;
	facts->exposed_ms = 32000;
	facts->weight_most_bp = 2000;
	facts->exposure_minutes = 0.0567;
	facts->verdict_unix_ms = began + 34000;
	facts->zero_ms = 12;
	facts->validated_ms = 900;
	facts->ended_unix_ms = began + 34912;
	facts->counted = true;
	facts->expected = 0.5;
	facts->finder = POSTMORTEM_BY_JUDGE;
	facts->new_traffic = (struct postmortem_traffic){340, 18, 30000, 90000};
	facts->live_traffic = (struct postmortem_traffic){2860, 3, 12000, 20000};
	facts->step_count = 2;
	facts->steps[0] = (struct postmortem_step){4, 500, "5%"};
	facts->steps[1] = (struct postmortem_step){6, 2000, "20%"};
	postmortem_add_ticks(facts, &world.ticks);
	assert_int_equal(facts->ticks.band_count, 2);
	assert_int_equal(facts->ticks.bands[1].at_ms, 20000);
	assert_true(facts->ticks.failed);
	/* It went bad with the fifth second of the second step; in the fourth nothing happened at all. */
	assert_int_equal(facts->ticks.first_bad_ms, 24000);
	set(facts->verdict, "the odds are over 1,000 : 1 that this release is worse");
	is_as_expected(POSTMORTEM_MARKDOWN, "expected.md");
	is_as_expected(POSTMORTEM_HTML, "expected.html");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_bad_release_is_told_with_its_numbers),
		TEST(what_changed_is_told_but_no_value_of_a_variable),
		TEST(the_same_records_give_the_same_bytes_after_a_restart_too),
		TEST(a_person_is_not_named_and_the_whole_way_is_measured),
		TEST(one_that_is_under_way_has_none),
		TEST(a_draft_is_written_once_and_again_where_it_is_missing),
		TEST(a_good_release_and_one_that_nobody_met_have_no_draft),
		TEST(dora_counts_a_failure_and_its_recovery),
		TEST(a_recorded_log_gives_this_document),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
