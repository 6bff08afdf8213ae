/* SPDX-License-Identifier: Apache-2.0
 * test_builder - parts of the builder that need no sandbox: its log, the names of commits, the spec for the inside, and
 * the room in a cache. tests/system/10_build.bats has the whole. */
#include "../cmocka_all.h"

#include "../os/scratch.h"
#include "drivers/builder/cache.h"
#include "drivers/builder/checkout.h"
#include "drivers/builder/inside_spec.h"
#include "drivers/builder/stage_log.h"

static struct scratch scratch;
static struct error err;

static int set_up(void **state)
{
	(void)state;
	scratch_make(&scratch);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_remove(&scratch);
	return 0;
}

/* --- log */

static struct buf heard;

static void on_line(void *context, const char *text, size_t size)
{
	(void)context;
	buf_append(&heard, text, size);
	buf_puts(&heard, "|");
}

/* The file, without the times. */
static void log_is(const char *wanted)
{
	struct buf file, plain;
	buf_init(&file, 1 << 20);
	buf_init(&plain, 1 << 20);
	assert_int_equal(file_read(scratch.fd, "x.log", &file, &err), 0);
	for (const char *at = buf_text(&file); *at; at = strchr(at, '\n') + 1) {
		const char *text = strchr(at, ' ') + 1;
		assert_int_equal(text - at, 25);
		buf_append(&plain, text, strcspn(text, "\n"));
		buf_puts(&plain, "|");
	}
	assert_string_equal(buf_text(&plain), wanted);
	assert_string_equal(buf_text(&heard), wanted);
	buf_done(&file);
	buf_done(&plain);
	buf_done(&heard);
}

static struct stage_log *open_log(const struct mask *mask, uint64_t bytes_max)
{
	static struct stage_log log;
	log = (struct stage_log){.mask = mask, .bytes_max = bytes_max, .line = on_line};
	buf_init(&heard, 1 << 20);
	assert_int_equal(stage_log_open(&log, scratch.fd, "x.log", false, &err), 0);
	return &log;
}

static void lines_are_cut_where_they_end_however_they_come(void **state)
{
	(void)state;
	struct stage_log *log = open_log(NULL, 1 << 20);
	for (const char *c = "one\n\ntwo\nthr"; *c; c++)
		stage_log_take(log, c, 1);
	stage_log_note(log, "davit: a note");
	stage_log_take(log, "rest", 4);
	stage_log_close(log);
	log_is("one||two|thr|davit: a note|rest|");
}

static void a_secret_is_in_neither_the_file_nor_the_lines(void **state)
{
	(void)state;
	static struct mask mask;
	mask_init(&mask);
	assert_true(mask_add(&mask, "hunter2!", 8));
	struct stage_log *log = open_log(&mask, 1 << 20);
	stage_log_take(log, "pass hun", 8);
	stage_log_take(log, "ter2! ok\nhunte", 14);
	stage_log_close(log);
	log_is("pass *** ok|hunte|");
}

static void a_full_log_says_so_once(void **state)
{
	(void)state;
	struct stage_log *log = open_log(NULL, 200);
	for (int i = 0; i < 100; i++)
		stage_log_take(log, "0123456789\n", 11);
	stage_log_close(log);
	log_is("0123456789|0123456789|0123456789|0123456789|0123456789|davit: output past 200 is "
	       "not kept.|");
}

/* --- names */

static void only_plain_names_of_commits_are_taken(void **state)
{
	(void)state;
	char longest[CHECKOUT_NAME_MAX + 2];
	static const char *const good[] = {"main", "v1.2.3", "release/1_0", "HEAD", "a-b"};
	static const char *const bad[] = {
		"",     "-x",   "--upload-pack=x", "a b",    "a;b",      "a$b", "a\nb", "../x",
		"a..b", "/etc", "a@{1}",           "HEAD~1", "\xc3\xa9", "a^",  "a:b"};
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(checkout_is_name(good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(checkout_is_name(bad[i]));
	memset(longest, 'x', sizeof longest);
	longest[CHECKOUT_NAME_MAX + 1] = '\0';
	assert_false(checkout_is_name(longest));
	longest[CHECKOUT_NAME_MAX] = '\0';
	assert_true(checkout_is_name(longest));
}

/* --- spec */

static void the_inside_is_told_what_was_meant_and_refuses_anything_else(void **state)
{
	(void)state;
	const char *const argv[] = {"bin/queue", "--x"};
	const char *const variables[] = {"A=1", "B="};
	const struct builder_job job = {.stage = "unit",
					.run = {.script = "make test"},
					.service_count = 1,
					.services = {{.name = "q",
						      .run = {.argv = {2, argv}},
						      .ready_tcp = 5,
						      .deadline_ms = 9}}};
	const struct builder_texts environment = {2, variables};
	const struct inside_limits limits = {1, 2, 3, 4, 5};
	struct inside_spec spec = {0};
	struct buf bytes;
	buf_init(&bytes, INSIDE_SPEC_MAX);
	assert_int_equal(inside_pack(&job, &environment, &limits, &bytes, &err), 0);
	assert_int_equal(inside_unpack(bytes.data, bytes.size, &spec, &err), 0);
	assert_string_equal(spec.run.argv[0], "/bin/sh");
	assert_string_equal(spec.run.argv[3], "make test");
	assert_null(spec.run.argv[4]);
	assert_string_equal(spec.environment[1], "B=");
	assert_string_equal(spec.services[0].run.argv[1], "--x");
	assert_int_equal(spec.services[0].tcp, 5);
	assert_int_equal(spec.limits.uid, 1);
	for (size_t size = 0; size < bytes.size; size++) {
		struct inside_spec other = {0};
		assert_true(inside_unpack(bytes.data, size, &other, &err) < 0);
		inside_spec_done(&other);
	}
	inside_spec_done(&spec);
	buf_done(&bytes);
}

/* --- cache */

static void fill(const char *name, size_t size)
{
	char *text = mem_zero(1, size + 1);
	memset(text, 'x', size);
	assert_int_equal(file_write(scratch.fd, name, text, size, 0644, &err), 0);
	free(text);
}

static void the_oldest_of_a_cache_goes_first_when_there_is_no_room(void **state)
{
	(void)state;
	const char *const paths[] = {"deps"}, *const key_files[] = {"lock", "missing"};
	const struct builder_job job = {
		.stage = "a", .cache_key = {2, key_files}, .cache_paths = {1, paths}};
	struct graft graft = {
		.uid = (uid_t)-1, .gid = (gid_t)-1, .bytes_max = 1 << 20, .entries_max = 99};
	char keys[3][DIGEST_HEX_SIZE];
	bool hit;
	int cache, work;
	assert_int_equal(mkdirat(scratch.fd, "cache", 0700), 0);
	assert_int_equal(mkdirat(scratch.fd, "work", 0700), 0);
	assert_int_equal(file_open_directory(scratch.fd, "cache", &cache, &err), 0);
	assert_int_equal(file_open_directory(scratch.fd, "work", &work, &err), 0);
	fill("work/deps", 40000);
	for (int i = 0; i < 3; i++) {
		fill("lock", (size_t)i + 1);
		assert_int_equal(cache_key(&job, "", scratch.fd, keys[i], &err), 0);
		assert_int_equal(cache_save(cache, keys[i], &job, work, 100000, &err), 0);
		const struct timespec times[2] = {{1000 + i, 0}, {1000 + i, 0}};
		if (i < 2)
			assert_int_equal(utimensat(cache, keys[i], times, 0), 0);
	}
	assert_string_not_equal(keys[0], keys[1]);
	assert_int_equal(cache_restore(cache, keys[0], &job, work, &graft, &hit, &err), 0);
	assert_false(hit);
	assert_int_equal(cache_restore(cache, keys[2], &job, work, &graft, &hit, &err), 0);
	assert_true(hit);
	close(cache);
	close(work);
}

static void what_a_ref_keeps_is_found_under_its_name_only(void **state)
{
	(void)state;
	const char *const paths[] = {"deps"}, *const key_files[] = {"lock"};
	const struct builder_job job = {
		.stage = "a", .cache_key = {1, key_files}, .cache_paths = {1, paths}};
	char one[DIGEST_HEX_SIZE], same[DIGEST_HEX_SIZE], other[DIGEST_HEX_SIZE];
	fill("lock", 3);
	assert_int_equal(cache_key(&job, "refs/heads/main", scratch.fd, one, &err), 0);
	assert_int_equal(cache_key(&job, "refs/heads/main", scratch.fd, same, &err), 0);
	assert_int_equal(cache_key(&job, "refs/heads/mai", scratch.fd, other, &err), 0);
	assert_string_equal(one, same);
	assert_string_not_equal(one, other);
	assert_int_equal(cache_key(&job, "refs/tags/main", scratch.fd, other, &err), 0);
	assert_string_not_equal(one, other);
}

int main(void)
{
#define BUILDER_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		BUILDER_TEST(lines_are_cut_where_they_end_however_they_come),
		BUILDER_TEST(a_secret_is_in_neither_the_file_nor_the_lines),
		BUILDER_TEST(a_full_log_says_so_once),
		BUILDER_TEST(only_plain_names_of_commits_are_taken),
		BUILDER_TEST(the_inside_is_told_what_was_meant_and_refuses_anything_else),
		BUILDER_TEST(the_oldest_of_a_cache_goes_first_when_there_is_no_room),
		BUILDER_TEST(what_a_ref_keeps_is_found_under_its_name_only),
	};
	return cmocka_run_group_tests_name("builder", tests, NULL, NULL);
}
