/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"

struct list {
	char text[512];
};

static int list_rollout(void *context, const struct store_rollout *r)
{
	struct list *l = context;
	size_t used = strlen(l->text);
	snprintf(l->text + used, sizeof l->text - used, "%u:%.*s:%.*s:%s:%.*s ", r->number,
		 (int)r->plan_size, (const char *)r->plan, (int)r->state_size,
		 (const char *)r->state, r->baseline ? r->baseline : "-", (int)r->began_size,
		 r->began_size > 0 ? (const char *)r->began : "");
	return 0;
}

static void put(struct fixture *f, const struct store_rollout *r)
{
	store_begin(f->s);
	store_put_rollout(f->s, r);
	must(store_commit(f->s, &f->err), &f->err);
}

static void an_update_without_plan_baseline_and_beginning_leaves_them(void **state)
{
	struct fixture *f = *state;
	struct list l = {0};
	struct store_rollout r = a_rollout(1, "one");
	r.baseline = "{}";
	r.began = "first";
	r.began_size = 5;
	put(f, &r);
	r.began = NULL;
	r.began_size = 0;
	r.plan = NULL;
	r.plan_size = 0;
	r.baseline = NULL;
	r.state = "two";
	put(f, &r);
	must(store_rollout_get(f->s, 1, list_rollout, &l, &f->err), &f->err);
	assert_string_equal(l.text, "1:plan:two:{}:first ");
	assert_int_equal(store_rollout_get(f->s, 2, list_rollout, &l, &f->err), ERR_NOT_FOUND);
}

static int compare_rollout(void *context, const struct store_rollout *r)
{
	const struct store_rollout *want = context;
	assert_string_equal(r->app, want->app);
	assert_string_equal(r->environment, want->environment);
	assert_string_equal(r->kind, want->kind);
	assert_string_equal(r->strategy, want->strategy);
	assert_string_equal(r->new_release, want->new_release);
	assert_string_equal(r->old_release, want->old_release);
	assert_string_equal(r->state_name, want->state_name);
	assert_string_equal(r->status, want->status);
	assert_string_equal(r->by, want->by);
	assert_string_equal(r->reason, want->reason);
	assert_int_equal(r->created_unix_ms, want->created_unix_ms);
	assert_int_equal(r->started_unix_ms, want->started_unix_ms);
	assert_int_equal(r->ended_unix_ms, want->ended_unix_ms);
	assert_int_equal(r->verdict_to_zero_ms, want->verdict_to_zero_ms);
	return 5;
}

static void every_field_comes_back_as_it_was_written(void **state)
{
	struct fixture *f = *state;
	struct store_rollout r = a_rollout(3, "s");
	memset(r.new_release, 'a', 64);
	memset(r.old_release, 'b', 64);
	text_copy(r.status, sizeof r.status, "At 10 %, for 3 min.");
	text_copy(r.by, sizeof r.by, "ann \" ' ; --");
	memset(r.reason, 'x', sizeof r.reason - 1);
	r.started_unix_ms = 11;
	r.ended_unix_ms = 12;
	r.verdict_to_zero_ms = 0;
	put(f, &r);
	assert_int_equal(store_rollout_get(f->s, 3, compare_rollout, &r, &f->err), 5);
}

static void rollouts_are_listed_by_environment_page_and_whether_they_ended(void **state)
{
	struct fixture *f = *state;
	for (uint32_t i = 1; i <= 6; i++) {
		struct store_rollout r = a_rollout(i, "s");
		if (i % 2)
			text_copy(r.environment, sizeof r.environment, "staging");
		r.ended_unix_ms = i < 3 ? 1 : 0;
		put(f, &r);
	}
	struct list page = {0}, unended = {0}, prod = {0};
	struct store_rollout_filter filter = {.before = 5, .limit = 2};
	must(store_rollouts(f->s, &filter, list_rollout, &page, &f->err), &f->err);
	assert_string_equal(page.text, "4:plan:s:-: 3:plan:s:-: ");
	filter = (struct store_rollout_filter){
		.unended = true, .environment = "prod", .app = "shop"};
	must(store_rollouts(f->s, &filter, list_rollout, &unended, &f->err), &f->err);
	assert_string_equal(unended.text, "4:plan:s:-: 6:plan:s:-: ");
	filter = (struct store_rollout_filter){.app = "shop", .environment = "prod", .limit = 1};
	must(store_rollouts(f->s, &filter, list_rollout, &prod, &f->err), &f->err);
	assert_string_equal(prod.text, "6:plan:s:-: ");
}

static int list_evidence(void *context, const struct store_evidence *e)
{
	struct list *l = context;
	size_t used = strlen(l->text);
	snprintf(l->text + used, sizeof l->text - used, "%u.%u %s %s %s %s; ", e->step, e->attempt,
		 e->source, e->verdict, e->sentence, e->data ? e->data : "-");
	return 0;
}

static int list_transition(void *context, const struct store_transition *t)
{
	struct list *l = context;
	size_t used = strlen(l->text);
	snprintf(l->text + used, sizeof l->text - used, "%s>%s %s; ", t->from, t->to, t->why);
	return 0;
}

static void evidence_and_transitions_are_kept_in_order(void **state)
{
	struct fixture *f = *state;
	struct list evidence = {0}, transitions = {0};
	struct store_rollout r = a_rollout(1, "s"), other = a_rollout(2, "s");
	struct store_evidence e = {.rollout = 1,
				   .step = 3,
				   .attempt = 1,
				   .source = "judge",
				   .verdict = "inconclusive"};
	struct store_transition t = {.rollout = 1, .seq = 1, .from = "QUEUED", .to = "RUNNING"};
	store_begin(f->s);
	store_put_rollout(f->s, &r);
	store_put_rollout(f->s, &other);
	store_add_evidence(f->s, &e);
	e.attempt = 2;
	text_copy(e.verdict, sizeof e.verdict, "pass");
	e.data = "[1]";
	store_add_evidence(f->s, &e);
	e.rollout = 2;
	store_add_evidence(f->s, &e);
	store_add_transition(f->s, &t);
	t.seq = 2;
	text_copy(t.from, sizeof t.from, "RUNNING");
	text_copy(t.to, sizeof t.to, "PAUSED");
	text_copy(t.why, sizeof t.why, "by ann");
	store_add_transition(f->s, &t);
	must(store_commit(f->s, &f->err), &f->err);
	must(store_evidence(f->s, 1, list_evidence, &evidence, &f->err), &f->err);
	assert_string_equal(evidence.text, "3.1 judge inconclusive  -; 3.2 judge pass  [1]; ");
	must(store_transitions(f->s, 1, list_transition, &transitions, &f->err), &f->err);
	assert_string_equal(transitions.text, "QUEUED>RUNNING ; RUNNING>PAUSED by ann; ");
	store_begin(f->s);
	store_add_transition(f->s, &t); /* a seq counts once */
	assert_int_equal(store_commit(f->s, &f->err), ERR_CONFLICT);
	store_begin(f->s);
	e.rollout = 77; /* of no rollout */
	store_add_evidence(f->s, &e);
	assert_int_equal(store_commit(f->s, &f->err), ERR_CONFLICT);
}

static void the_last_point_of_no_return_of_an_environment_is_found(void **state)
{
	struct fixture *f = *state;
	struct store_rollout first = a_rollout(1, "s"), second = a_rollout(2, "s");
	struct store_crossing c = {.rollout = 1, .at_unix_ms = 5}, found;
	text_copy(c.app, sizeof c.app, "shop");
	text_copy(c.environment, sizeof c.environment, "prod");
	assert_int_equal(store_crossing_last(f->s, "shop", "prod", &found, &f->err), 0);
	store_begin(f->s);
	store_put_rollout(f->s, &first);
	store_put_rollout(f->s, &second);
	store_add_crossing(f->s, &c);
	store_add_crossing(f->s, &c); /* told twice, there once */
	c.rollout = 2;
	text_copy(c.release, sizeof c.release, "abc");
	store_add_crossing(f->s, &c);
	must(store_commit(f->s, &f->err), &f->err);
	assert_int_equal(store_crossing_last(f->s, "shop", "prod", &found, &f->err), 1);
	assert_int_equal(found.rollout, 2);
	assert_string_equal(found.release, "abc");
	assert_int_equal(store_crossing_last(f->s, "shop", "staging", &found, &f->err), 0);
}

static void a_plan_of_infrastructure_never_changes(void **state)
{
	struct fixture *f = *state;
	struct store_infrastructure row = {.rollout = 7, .changes = true, .at_unix_ms = 5}, found;
	text_copy(row.digest, sizeof row.digest, "abc");
	text_copy(row.summary, sizeof row.summary, "Plan: 1\n");
	assert_int_equal(store_infrastructure_get(f->s, 7, &found, &f->err), 0);
	store_begin(f->s);
	store_add_infrastructure(f->s, &row);
	text_copy(row.digest, sizeof row.digest, "another");
	row.changes = false;
	store_add_infrastructure(f->s, &row);
	must(store_commit(f->s, &f->err), &f->err);
	assert_int_equal(store_infrastructure_get(f->s, 7, &found, &f->err), 1);
	assert_string_equal(found.digest, "abc");
	assert_string_equal(found.summary, "Plan: 1\n");
	assert_true(found.changes && found.rollout == 7 && found.at_unix_ms == 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(an_update_without_plan_baseline_and_beginning_leaves_them),
		TEST(every_field_comes_back_as_it_was_written),
		TEST(rollouts_are_listed_by_environment_page_and_whether_they_ended),
		TEST(evidence_and_transitions_are_kept_in_order),
		TEST(the_last_point_of_no_return_of_an_environment_is_found),
		TEST(a_plan_of_infrastructure_never_changes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
