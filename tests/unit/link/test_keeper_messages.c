/* SPDX-License-Identifier: Apache-2.0
 * Tests of link/keeper_messages, link/instance and link/instance_record. */
#include <signal.h>
#include <string.h>

#include "../cmocka_all.h"
#include "base/text.h"
#include "link/instance_record.h"
#include "link/keeper_messages.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct error err;

static void fill(char *to, size_t size)
{
	memset(to, 'x', size - 1);
	to[size - 1] = '\0';
}

/* A status in which every field is at its bound. */
static struct instance_status largest(void)
{
	struct instance_status s;
	memset(&s, 0, sizeof s);
	fill(s.id, sizeof s.id);
	fill(s.app, sizeof s.app);
	fill(s.environment, sizeof s.environment);
	fill(s.release, sizeof s.release);
	fill(s.tag, sizeof s.tag);
	fill(s.process, sizeof s.process);
	fill(s.artifact, sizeof s.artifact);
	fill(s.address, sizeof s.address);
	fill(s.sentence, sizeof s.sentence);
	s.slot = INSTANCE_SLOT_MAX;
	s.traffic = s.healthy = s.exit_known = true;
	s.state = INSTANCE_FAILED;
	s.want = INSTANCE_STOP;
	s.applied = (struct instance_version){UINT64_MAX, UINT64_MAX - 1};
	s.ready_since_ms = 7;
	s.state_since_ms = 8;
	s.restarts = UINT32_MAX;
	s.log_errors = UINT64_MAX - 2;
	s.pid = INT32_MAX;
	s.exit_code = -1;
	s.exit_signal = 9;
	return s;
}

static void a_status_arrives_as_it_was_sent_even_the_largest(void **state)
{
	(void)state;
	struct keeper_message out = {.kind = KEEPER_STATUS, .status = largest()}, in;
	char bytes[KEEPER_MESSAGE_MAX], again[KEEPER_MESSAGE_MAX];
	size_t size = keeper_message_write(&out, bytes);
	assert_int_equal(keeper_message_read(bytes, size, &in, &err), 0);
	assert_string_equal(in.status.sentence, out.status.sentence);
	assert_int_equal(in.status.exit_code, -1);
	assert_int_equal(in.status.state_since_ms, 8);
	assert_true(in.status.log_errors == UINT64_MAX - 2);
	assert_int_equal(keeper_message_write(&in, again), size);
	assert_memory_equal(bytes, again, size);
}

static void the_end_after_which_it_was_given_up_is_a_crash_too(void **state)
{
	(void)state;
	struct instance_status s = {.state = INSTANCE_READY, .restarts = 3};
	assert_int_equal(instance_crashes(&s), 3);
	s.state = INSTANCE_EXITED;
	assert_int_equal(instance_crashes(&s), 3);
	s.state = INSTANCE_FAILED;
	assert_int_equal(instance_crashes(&s), 4);
}

static void wishes_and_refusals_arrive_as_they_were_sent(void **state)
{
	(void)state;
	struct keeper_message out = {
		.kind = KEEPER_WANT,
		.want = {.version = {3, 4}, .want = INSTANCE_STOP, .undrained = true}};
	struct keeper_message in;
	char bytes[KEEPER_MESSAGE_MAX];
	assert_int_equal(keeper_message_read(bytes, keeper_message_write(&out, bytes), &in, &err),
			 0);
	assert_int_equal(in.want.version.epoch, 3);
	assert_int_equal(in.want.version.n, 4);
	assert_int_equal(in.want.want, INSTANCE_STOP);
	assert_true(in.want.undrained);
	out = (struct keeper_message){.kind = KEEPER_REFUSED,
				      .refused = {.version = {1, 2},
						  .applied = {1, 9},
						  .code = ERR_CONFLICT,
						  .sentence = "No."}};
	assert_int_equal(keeper_message_read(bytes, keeper_message_write(&out, bytes), &in, &err),
			 0);
	assert_int_equal(in.refused.code, ERR_CONFLICT);
	assert_int_equal(in.refused.applied.n, 9);
	assert_string_equal(in.refused.sentence, "No.");
}

static void a_message_cut_short_or_too_long_is_corrupt(void **state)
{
	(void)state;
	struct keeper_message out = {.kind = KEEPER_STATUS, .status = largest()}, in;
	char bytes[KEEPER_MESSAGE_MAX];
	size_t size = keeper_message_write(&out, bytes);
	for (size_t cut = 0; cut < size; cut++)
		assert_int_equal(keeper_message_read(bytes, cut, &in, &err), ERR_CORRUPT);
	bytes[size] = 0;
	assert_int_equal(keeper_message_read(bytes, size + 1, &in, &err), ERR_CORRUPT);
}

static void unknown_kinds_states_and_protocols_are_refused(void **state)
{
	(void)state;
	struct keeper_message out = {.kind = KEEPER_WANT, .want = {.want = INSTANCE_STOP}}, in;
	char bytes[KEEPER_MESSAGE_MAX];
	size_t size = keeper_message_write(&out, bytes);
	bytes[20] = INSTANCE_WANT_COUNT; /* after protocol, kind and version */
	assert_int_equal(keeper_message_read(bytes, size, &in, &err), ERR_CORRUPT);
	keeper_message_write(&out, bytes);
	bytes[21] = 2; /* neither false nor true */
	assert_int_equal(keeper_message_read(bytes, size, &in, &err), ERR_CORRUPT);
	keeper_message_write(&out, bytes);
	bytes[2] = 99;
	assert_int_equal(keeper_message_read(bytes, size, &in, &err), ERR_CORRUPT);
	keeper_message_write(&out, bytes);
	bytes[0] = KEEPER_PROTOCOL + 1;
	assert_int_equal(keeper_message_read(bytes, size, &in, &err), ERR_UNSUPPORTED);
}

static struct instance_spec example(void)
{
	return (struct instance_spec){
		.id = "prod-web-1-0123456789ab",
		.app = "shop",
		.environment = "prod",
		.release = HEX64,
		.tag = "v1.2.3",
		.process = "web",
		.slot = 1,
		.traffic = true,
		.artifact = HEX64,
		.persist = {"storage/", "a/b", NULL},
		.argv = {"bin/server", "--port", "$PORT", NULL},
		.expand = true,
		.variables = {"A=b", NULL},
		.user = "shop",
		.memory_bytes = 512u << 20,
		.cpu_milli = 1500,
		.files = 4096,
		.health = {.kind = INSTANCE_HEALTH_HTTP,
			   .path = "/up",
			   .interval_ms = 1000,
			   .timeout_ms = 2000,
			   .passes = 3,
			   .fails = 3,
			   .min_healthy_ms = 10000,
			   .deadline_ms = 60000},
		.stop_signal = SIGTERM,
		.stop_timeout_ms = 30000,
		.restart = {.first_ms = 100, .most_ms = 30000, .limit = 10, .window_ms = 600000},
	};
}

static void a_spec_is_read_as_it_was_written(void **state)
{
	(void)state;
	struct instance_spec out = example(), in;
	struct instance_version version;
	struct buf first, second;
	out.variables[1] = "B=ü\n\"";
	buf_init(&first, INSTANCE_SPEC_MAX_BYTES);
	buf_init(&second, INSTANCE_SPEC_MAX_BYTES);
	struct instance_version given = {.epoch = 2, .n = 77};
	assert_int_equal(instance_spec_write(&out, given, &first, &err), 0);
	assert_int_equal(instance_spec_read(first.data, first.size, &in, &version, &err), 0);
	assert_int_equal(version.n, 77);
	assert_string_equal(in.variables[1], out.variables[1]);
	assert_string_equal(in.persist[1], "a/b");
	assert_null(in.persist[2]);
	assert_null(in.script);
	assert_int_equal(in.health.deadline_ms, 60000);
	assert_int_equal(instance_spec_write(&in, version, &second, &err), 0);
	assert_string_equal(first.data, second.data);
	instance_spec_done(&in);
	buf_done(&first);
	buf_done(&second);
}

static void each_field_out_of_bounds_is_named(void **state)
{
	(void)state;
	struct instance_spec s;
#define BAD(word, ...)                                                        \
	do {                                                                  \
		s = example();                                                \
		assert_int_equal(instance_spec_check(&s, &err), 0);           \
		__VA_ARGS__;                                                  \
		assert_int_equal(instance_spec_check(&s, &err), ERR_INVALID); \
		assert_non_null(strstr(err.text, word));                      \
	} while (0)
	BAD("id", s.id = "../up");
	BAD("id", s.id = "");
	BAD("app", s.app = "Shop");
	BAD("environment", s.environment = NULL);
	BAD("process", s.process = "a b");
	BAD("release", s.release = "0123");
	BAD("artifact", s.artifact = "../../etc");
	BAD("slot", s.slot = 0);
	BAD("slot", s.slot = INSTANCE_SLOT_MAX + 1);
	BAD("script", s.script = "both");
	BAD("script", s.argv[0] = NULL);
	BAD("persist", s.persist[0] = "../x");
	BAD("persist", s.persist[0] = "/etc");
	BAD("persist", s.persist[1] = "a/../../b");
	BAD("variables", s.variables[0] = "1A=b");
	BAD("variables", s.variables[0] = "novalue");
	BAD("user", s.user = "");
	BAD("stop_signal", s.stop_signal = 0);
	BAD("restart", s.restart.first_ms = 0);
	BAD("restart.limit", s.restart.limit = INSTANCE_RESTARTS_MAX + 1);
	BAD("health.path", s.health.path = "up");
	BAD("health.path", s.health.path = "/up\r\nX: y");
	BAD("health.command", s.health.kind = INSTANCE_HEALTH_COMMAND);
	BAD("health", s.health.passes = 0);
	BAD("port", s.traffic = false);
#undef BAD
}

static void a_spec_that_is_not_one_is_corrupt(void **state)
{
	(void)state;
	static const char *const texts[] = {"", "{", "[]", "{}", "{\"epoch\":1,\"n\":\"1\"}"};
	struct instance_spec in;
	struct instance_version version;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		assert_int_equal(
			instance_spec_read(texts[i], strlen(texts[i]), &in, &version, &err),
			ERR_CORRUPT);
	struct instance_spec out = example();
	struct buf text;
	buf_init(&text, INSTANCE_SPEC_MAX_BYTES);
	out.tag = "\xff";
	assert_int_equal(instance_spec_write(&out, version, &text, &err), ERR_INVALID);
	buf_done(&text);
}

static void a_record_is_read_as_it_was_written_also_by_an_older_reader(void **state)
{
	(void)state;
	struct instance_record out, in;
	struct buf text;
	memset(&out, 0, sizeof out);
	out.applied = (struct instance_version){1, 5};
	out.want = INSTANCE_DRAIN;
	out.state = INSTANCE_DRAINING;
	text_copy(out.boot, sizeof out.boot, "814c4f4b-2c2a-4062-8489-f654177c3e5d");
	out.pid = 4711;
	out.start = 123456;
	out.port = 20001;
	out.crash_count = INSTANCE_RESTARTS_MAX + 1;
	out.crashes_ms[INSTANCE_RESTARTS_MAX] = 99;
	out.exit_code = -1;
	out.exit_signal = 11;
	text_copy(out.sentence, sizeof out.sentence, "It was \"ended\".");
	buf_init(&text, RECORD_MAX_BYTES);
	instance_record_write(&out, &text);
	char *brace = strchr(text.data, '{');
	brace[1] = ' ';
	struct buf newer;
	buf_init(&newer, RECORD_MAX_BYTES);
	buf_printf(&newer, "{\"of_the_future\": [1], %s", brace + 1);
	assert_int_equal(instance_record_read(newer.data, newer.size, &in, &err), 0);
	assert_memory_equal(&in, &out, sizeof in);
	assert_int_equal(instance_record_read(text.data, text.size - 3, &in, &err), ERR_CORRUPT);
	buf_done(&text);
	buf_done(&newer);
}

static void a_record_with_bytes_that_are_not_utf8_can_be_written(void **state)
{
	(void)state;
	struct instance_record out, in;
	struct buf text;
	memset(&out, 0, sizeof out);
	text_copy(out.sentence, sizeof out.sentence, "said \xff\xfe");
	buf_init(&text, RECORD_MAX_BYTES);
	instance_record_write(&out, &text);
	assert_int_equal(instance_record_read(text.data, text.size, &in, &err), 0);
	assert_string_equal(in.sentence, "said \\xff\\xfe");
	buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_status_arrives_as_it_was_sent_even_the_largest),
		cmocka_unit_test(the_end_after_which_it_was_given_up_is_a_crash_too),
		cmocka_unit_test(wishes_and_refusals_arrive_as_they_were_sent),
		cmocka_unit_test(a_message_cut_short_or_too_long_is_corrupt),
		cmocka_unit_test(unknown_kinds_states_and_protocols_are_refused),
		cmocka_unit_test(a_spec_is_read_as_it_was_written),
		cmocka_unit_test(each_field_out_of_bounds_is_named),
		cmocka_unit_test(a_spec_that_is_not_one_is_corrupt),
		cmocka_unit_test(a_record_is_read_as_it_was_written_also_by_an_older_reader),
		cmocka_unit_test(a_record_with_bytes_that_are_not_utf8_can_be_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
