/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"

#include "store/builds.h"

static struct store_build a_build(uint32_t number, const char *app, const char *state)
{
	struct store_build b = {.number = number, .created_unix_ms = 100 + number};
	text_copy(b.app, sizeof b.app, app);
	text_copy(b.repository, sizeof b.repository, "/srv/shop.git");
	text_copy(b.commit, sizeof b.commit, "0123456789012345678901234567890123456789");
	text_copy(b.ref, sizeof b.ref, "refs/heads/main");
	text_copy(b.wanted, sizeof b.wanted, "staging prod");
	text_copy(b.by, sizeof b.by, "ann");
	text_copy(b.state, sizeof b.state, state);
	return b;
}

static void put(struct fixture *f, const struct store_build *b)
{
	store_begin(f->s);
	store_put_build(f->s, b);
	must(store_commit(f->s, &f->err), &f->err);
}

static void a_build_comes_back_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct store_build got, b = a_build(7, "shop", "failed");
	text_copy(b.release, sizeof b.release, "r7");
	text_copy(b.author, sizeof b.author, "Ann Émile <ann@example.com>");
	text_copy(b.address, sizeof b.address, "ann@example.com");
	text_copy(b.subject, sizeof b.subject, "'; DROP TABLE build; --");
	text_copy(b.why, sizeof b.why, "It ended with exit code 1.");
	b.committed_unix_s = 1795705583;
	b.started_unix_ms = 200;
	b.ended_unix_ms = 300;
	b.origin = 5;
	b.starts = 2;
	b.successor = 9;
	put(f, &b);
	store_close(f->s);
	open_again(f);
	must(store_build_get(f->s, 7, &got, &f->err), &f->err);
	assert_string_equal(got.app, b.app);
	assert_string_equal(got.repository, b.repository);
	assert_string_equal(got.commit, b.commit);
	assert_string_equal(got.ref, b.ref);
	assert_string_equal(got.wanted, b.wanted);
	assert_string_equal(got.by, b.by);
	assert_string_equal(got.state, b.state);
	assert_string_equal(got.release, b.release);
	assert_string_equal(got.author, b.author);
	assert_string_equal(got.address, b.address);
	assert_string_equal(got.subject, b.subject);
	assert_string_equal(got.why, b.why);
	assert_int_equal(got.committed_unix_s, b.committed_unix_s);
	assert_int_equal(got.created_unix_ms, b.created_unix_ms);
	assert_int_equal(got.started_unix_ms, b.started_unix_ms);
	assert_int_equal(got.ended_unix_ms, b.ended_unix_ms);
	assert_int_equal(got.origin, 5);
	assert_int_equal(got.starts, 2);
	assert_int_equal(got.successor, 9);
	must(store_build_of_release(f->s, "r7", &got, &f->err), &f->err);
	assert_int_equal(got.number, 7);
	assert_int_equal(store_build_get(f->s, 8, &got, &f->err), ERR_NOT_FOUND);
	assert_int_equal(store_build_of_release(f->s, "", &got, &f->err), ERR_NOT_FOUND);
}

static void the_oldest_that_has_not_ended_is_next(void **state)
{
	struct fixture *f = *state;
	struct store_build got;
	uint64_t waiting;
	assert_int_equal(store_build_next(f->s, &got, &f->err), ERR_NOT_FOUND);
	for (uint32_t n = 1; n <= 4; n++) {
		struct store_build b = a_build(n, n % 2 ? "shop" : "till", "queued");
		b.ended_unix_ms = n == 1 ? 50 : 0;
		put(f, &b);
	}
	must(store_build_next(f->s, &got, &f->err), &f->err);
	assert_int_equal(got.number, 2);
	must(store_builds_waiting(f->s, &waiting, &f->err), &f->err);
	assert_int_equal(waiting, 3);
	got.ended_unix_ms = 60;
	text_copy(got.state, sizeof got.state, "passed");
	put(f, &got);
	must(store_build_next(f->s, &got, &f->err), &f->err);
	assert_int_equal(got.number, 3);
}

static void the_same_order_is_found_while_it_has_not_ended(void **state)
{
	struct fixture *f = *state;
	struct store_build got, other, b = a_build(1, "shop", "queued");
	put(f, &b);
	must(store_build_same(f->s, &b, &got, &f->err), &f->err);
	assert_int_equal(got.number, 1);
	other = b;
	text_copy(other.ref, sizeof other.ref, "refs/heads/next");
	assert_int_equal(store_build_same(f->s, &other, &got, &f->err), ERR_NOT_FOUND);
	other = b;
	text_copy(other.wanted, sizeof other.wanted, "staging");
	assert_int_equal(store_build_same(f->s, &other, &got, &f->err), ERR_NOT_FOUND);
	b.ended_unix_ms = 5;
	put(f, &b);
	assert_int_equal(store_build_same(f->s, &b, &got, &f->err), ERR_NOT_FOUND);
}

struct list {
	char text[256];
};

static void add(struct list *l, const char *text, uint32_t number)
{
	size_t used = strlen(l->text);
	snprintf(l->text + used, sizeof l->text - used, "%s:%u ", text, number);
}

static int list_build(void *context, const struct store_build *b)
{
	add(context, b->app, b->number);
	return 0;
}

static int list_stage(void *context, const struct store_build_stage *t)
{
	add(context, t->name, t->attempt);
	return 0;
}

static int list_rollout(void *context, const struct store_build_rollout *r)
{
	add(context, r->environment, r->rollout);
	return 0;
}

static void the_newest_come_first_of_one_application_or_of_all(void **state)
{
	struct fixture *f = *state;
	struct list all = {""}, one = {""}, few = {""};
	for (uint32_t n = 1; n <= 4; n++) {
		struct store_build b = a_build(n, n % 2 ? "shop" : "till", "queued");
		put(f, &b);
	}
	must(store_builds(f->s, NULL, 10, list_build, &all, &f->err), &f->err);
	assert_string_equal(all.text, "till:4 shop:3 till:2 shop:1 ");
	must(store_builds(f->s, "shop", 10, list_build, &one, &f->err), &f->err);
	assert_string_equal(one.text, "shop:3 shop:1 ");
	must(store_builds(f->s, NULL, 1, list_build, &few, &f->err), &f->err);
	assert_string_equal(few.text, "till:4 ");
}

static void stages_and_rollouts_are_replaced_one_by_one(void **state)
{
	struct fixture *f = *state;
	struct list stages = {""}, rollouts = {""};
	struct store_build b = a_build(1, "shop", "running");
	struct store_build_stage unit = {.build = 1, .position = 1, .name = "unit", .attempt = 1},
				 make = {.build = 1, .position = 0, .name = "make", .attempt = 1};
	struct store_build_rollout prod = {.build = 1, .environment = "prod", .rollout = 9},
				   dev = {.build = 1, .environment = "dev", .why = "It is frozen."};
	put(f, &b);
	store_begin(f->s);
	store_put_build_stage(f->s, &unit);
	store_put_build_stage(f->s, &make);
	unit.attempt = 2;
	store_put_build_stage(f->s, &unit);
	store_put_build_rollout(f->s, &prod);
	store_put_build_rollout(f->s, &dev);
	must(store_commit(f->s, &f->err), &f->err);
	must(store_build_stages(f->s, 1, list_stage, &stages, &f->err), &f->err);
	assert_string_equal(stages.text, "make:1 unit:2 ");
	must(store_build_rollouts(f->s, 1, list_rollout, &rollouts, &f->err), &f->err);
	assert_string_equal(rollouts.text, "dev:0 prod:9 ");
}

static int take_stage(void *context, const struct store_build_stage *t)
{
	*(struct store_build_stage *)context = *t;
	return 0;
}

static void what_a_stage_found_comes_back_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct store_build b = a_build(1, "shop", "running");
	struct store_build_stage got, scan = {.build = 1,
					      .name = "scan",
					      .scanned = true,
					      .fresh = 1,
					      .known = 2,
					      .fixed = 3,
					      .waived = 4,
					      .suppressed = 5,
					      .since = "v1.2.3 (prod)"};
	memset(scan.found, 'a', sizeof scan.found - 1);
	put(f, &b);
	store_begin(f->s);
	store_put_build_stage(f->s, &scan);
	must(store_commit(f->s, &f->err), &f->err);
	must(store_build_stages(f->s, 1, take_stage, &got, &f->err), &f->err);
	assert_true(got.scanned);
	assert_int_equal(got.fresh, 1);
	assert_int_equal(got.known, 2);
	assert_int_equal(got.fixed, 3);
	assert_int_equal(got.waived, 4);
	assert_int_equal(got.suppressed, 5);
	assert_string_equal(got.since, "v1.2.3 (prod)");
	assert_string_equal(got.found, scan.found);
}

static int list_state(void *context, const struct store_build_stage *t)
{
	add(context, t->state, t->origin);
	return 0;
}

static void no_stage_runs_in_a_build_that_has_ended(void **state)
{
	struct fixture *f = *state;
	static const char *const states[] = {"taken", "passed", "failed", "running", "pending"};
	struct list found = {""}, other = {""};
	struct store_build b = a_build(1, "shop", "running");
	put(f, &b);
	b.number = 2;
	put(f, &b);
	store_begin(f->s);
	for (uint32_t i = 0; i < 5; i++) {
		struct store_build_stage t = {.build = 1, .position = i};
		snprintf(t.name, sizeof t.name, "s%u", i);
		text_copy(t.state, sizeof t.state, states[i]);
		t.origin = i == 0 ? 7 : 0;
		store_put_build_stage(f->s, &t);
		t.build = 2;
		store_put_build_stage(f->s, &t);
	}
	store_end_build_stages(f->s, 1);
	must(store_commit(f->s, &f->err), &f->err);
	must(store_build_stages(f->s, 1, list_state, &found, &f->err), &f->err);
	assert_string_equal(found.text, "taken:7 passed:0 failed:0 cancelled:0 cancelled:0 ");
	must(store_build_stages(f->s, 2, list_state, &other, &f->err), &f->err);
	assert_string_equal(other.text, "taken:7 passed:0 failed:0 running:0 pending:0 ");
}

static void what_is_older_waits_for_the_same_with_another_commit(void **state)
{
	struct fixture *f = *state;
	struct list older = {.text = ""};
	struct store_build b, last;
	static const struct {
		const char *state, *ref, *wanted, *commit, *app;
	} rows[] = {
		{"queued", "refs/heads/main", "staging prod", "1", "shop"},
		{"running", "refs/heads/main", "staging prod", "2", "shop"},
		{"queued", "refs/heads/other", "staging prod", "3", "shop"},
		{"queued", "refs/heads/main", "prod", "4", "shop"},
		{"queued", "refs/heads/main", "staging prod",
		 "0123456789012345678901234567890123456789", "shop"},
		{"queued", "refs/heads/main", "staging prod", "6", "blog"},
		{"queued", "refs/heads/main", "staging prod", "7", "shop"},
	};
	for (uint32_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		b = a_build(i + 1, rows[i].app, rows[i].state);
		text_copy(b.ref, sizeof b.ref, rows[i].ref);
		text_copy(b.wanted, sizeof b.wanted, rows[i].wanted);
		text_copy(b.commit, sizeof b.commit, rows[i].commit);
		put(f, &b);
	}
	b = a_build(8, "shop", "queued");
	must(store_builds_older(f->s, &b, list_build, &older, &f->err), &f->err);
	assert_string_equal(older.text, "shop:1 shop:7 ");
	assert_int_equal(store_build_last(f->s, "shop", "refs/heads/main", &last, &f->err),
			 ERR_NOT_FOUND);
	for (uint32_t number = 20; number <= 22; number++) {
		b = a_build(number, "shop", "passed");
		b.ended_unix_ms = 1;
		text_copy(b.release, sizeof b.release, number < 22 ? "r" : "");
		put(f, &b);
	}
	must(store_build_last(f->s, "shop", "refs/heads/main", &last, &f->err), &f->err);
	assert_int_equal(last.number, 21);
}

static void an_order_that_came_since_is_found_also_when_it_has_ended(void **state)
{
	struct fixture *f = *state;
	struct store_build got, order = a_build(0, "shop", ""), b = a_build(3, "shop", "failed");
	b.ended_unix_ms = 500;
	put(f, &b); /* it came at 103 */
	must(store_build_since(f->s, &order, 103, &got, &f->err), &f->err);
	assert_int_equal(got.number, 3);
	assert_int_equal(store_build_since(f->s, &order, 104, &got, &f->err), ERR_NOT_FOUND);
	text_copy(order.wanted, sizeof order.wanted, "staging");
	assert_int_equal(store_build_since(f->s, &order, 103, &got, &f->err), ERR_NOT_FOUND);
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(a_build_comes_back_as_it_was),
		STORE_TEST(the_oldest_that_has_not_ended_is_next),
		STORE_TEST(the_same_order_is_found_while_it_has_not_ended),
		STORE_TEST(the_newest_come_first_of_one_application_or_of_all),
		STORE_TEST(stages_and_rollouts_are_replaced_one_by_one),
		STORE_TEST(what_a_stage_found_comes_back_as_it_was),
		STORE_TEST(no_stage_runs_in_a_build_that_has_ended),
		STORE_TEST(an_order_that_came_since_is_found_also_when_it_has_ended),
		STORE_TEST(what_is_older_waits_for_the_same_with_another_commit),
	};
	return cmocka_run_group_tests_name("store/builds", tests, NULL, NULL);
}
