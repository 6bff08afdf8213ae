/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"

#include "store/schedules.h"

static struct store_schedule a_schedule(const char *app, const char *environment, uint64_t due)
{
	struct store_schedule t = {.due_unix_ms = due, .ran_unix_ms = 7, .build = 41};
	text_copy(t.app, sizeof t.app, app);
	text_copy(t.repository, sizeof t.repository, "/srv/shop.git");
	text_copy(t.ref, sizeof t.ref, "refs/heads/main");
	text_copy(t.environment, sizeof t.environment, environment);
	text_copy(t.times, sizeof t.times, "mon-fri 02:30; sat 04:00");
	text_copy(t.zone, sizeof t.zone, "Europe/Berlin");
	text_copy(t.tip, sizeof t.tip, "0123456789012345678901234567890123456789");
	text_copy(t.last, sizeof t.last, "9876543210987654321098765432109876543210");
	text_copy(t.why, sizeof t.why, "'; DROP TABLE schedule; --");
	return t;
}

static void put(struct fixture *f, const struct store_schedule *t)
{
	store_begin(f->s);
	store_put_schedule(f->s, t);
	must(store_commit(f->s, &f->err), &f->err);
}

static int take_names(void *context, const struct store_schedule *t)
{
	size_t used = strlen(context);
	snprintf((char *)context + used, 64 - used, "%s/%s ", t->app, t->environment);
	return 0;
}

static int take(void *context, const struct store_schedule *t)
{
	*(struct store_schedule *)context = *t;
	return 1;
}

static const char *names(struct fixture *f, uint64_t due)
{
	static char to[64];
	to[0] = '\0';
	must(due > 0 ? store_schedules_due(f->s, due, take_names, to, &f->err)
		     : store_schedules(f->s, take_names, to, &f->err),
	     &f->err);
	return to;
}

static void a_schedule_comes_back_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct store_schedule got, t = a_schedule("shop", "nightly", 100);
	put(f, &t);
	store_close(f->s);
	open_again(f);
	assert_int_equal(store_schedules(f->s, take, &got, &f->err), 1);
	assert_string_equal(got.app, t.app);
	assert_string_equal(got.repository, t.repository);
	assert_string_equal(got.ref, t.ref);
	assert_string_equal(got.environment, t.environment);
	assert_string_equal(got.times, t.times);
	assert_string_equal(got.zone, t.zone);
	assert_string_equal(got.tip, t.tip);
	assert_string_equal(got.last, t.last);
	assert_string_equal(got.why, t.why);
	assert_int_equal(got.due_unix_ms, 100);
	assert_int_equal(got.ran_unix_ms, 7);
	assert_int_equal(got.build, 41);
	t.due_unix_ms = 200;
	t.why[0] = '\0';
	put(f, &t);
	assert_int_equal(store_schedules(f->s, take, &got, &f->err), 1);
	assert_int_equal(got.due_unix_ms, 200);
	assert_string_equal(got.why, "");
}

static void those_whose_time_has_come_are_found(void **state)
{
	struct fixture *f = *state;
	struct store_schedule rows[] = {
		a_schedule("shop", "weekly", 300), a_schedule("shop", "nightly", 100),
		a_schedule("other", "nightly", 200), a_schedule("other", "never", 0)};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		put(f, &rows[i]);
	assert_string_equal(names(f, 0), "other/never other/nightly shop/nightly shop/weekly ");
	assert_string_equal(names(f, 99), "");
	assert_string_equal(names(f, 100), "shop/nightly ");
	assert_string_equal(names(f, 299), "other/nightly shop/nightly ");
	store_begin(f->s);
	store_forget_schedule(f->s, &rows[1]);
	must(store_commit(f->s, &f->err), &f->err);
	assert_string_equal(names(f, 300), "other/nightly shop/weekly ");
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_schedule_comes_back_as_it_was),
		STORE_TEST(those_whose_time_has_come_are_found),
	};
	return cmocka_run_group_tests_name("store/schedules", tests, NULL, NULL);
}
