/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"

#include "store/commits.h"
#include "store/git_tags.h"
#include "store/tag_pushes.h"

static void put_rollout(struct fixture *f, uint32_t number, const char *state)
{
	struct store_rollout r = a_rollout(number, "plan");
	text_copy(r.app, sizeof r.app, "shop");
	text_copy(r.environment, sizeof r.environment, "prod");
	text_copy(r.state_name, sizeof r.state_name, state);
	store_begin(f->s);
	store_put_rollout(f->s, &r);
	must(store_commit(f->s, &f->err), &f->err);
}

static struct store_span a_span(uint32_t rollout, const char *state)
{
	struct store_span span = {.rollout = rollout, .pushed_unix_ms = 1000 + rollout};
	text_copy(span.app, sizeof span.app, "shop");
	text_copy(span.environment, sizeof span.environment, "prod");
	text_copy(span.repository, sizeof span.repository, "/srv/shop.git");
	text_copy(span.old_commit, sizeof span.old_commit, "aaaa");
	text_copy(span.new_commit, sizeof span.new_commit, "bbbb");
	text_copy(span.state, sizeof span.state, state);
	return span;
}

/* The commits are single letters. */
static void put_span(struct fixture *f, uint32_t rollout, const char *state, const char *commits)
{
	struct store_span span = a_span(rollout, state);
	struct store_change change = {.committed_unix_s = 77};
	span.count = (uint32_t)strlen(commits);
	store_begin(f->s);
	store_put_span(f->s, &span);
	for (uint32_t i = 0; i < span.count; i++) {
		change.id[0] = commits[i];
		change.merge = commits[i] == 'm';
		text_copy(change.subject, sizeof change.subject, "'; DROP TABLE span; --");
		store_add_change(f->s, rollout, i, &change);
	}
	must(store_commit(f->s, &f->err), &f->err);
}

static int add_id(void *context, const struct store_change *change)
{
	assert_string_equal(change->subject, "'; DROP TABLE span; --");
	assert_int_equal(change->committed_unix_s, 77);
	char *to = context;
	to[strlen(to)] = change->id[0];
	return 0;
}

static void a_span_comes_back_as_it_was_and_again_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct store_span got;
	char ids[16] = "";
	assert_int_equal(store_span_get(f->s, 1, &got, &f->err), 0);
	put_rollout(f, 1, "running");
	put_span(f, 1, "wanted", "");
	store_close(f->s);
	open_again(f);
	assert_int_equal(store_span_wanted(f->s, &got, &f->err), 1);
	assert_int_equal(got.rollout, 1);
	assert_string_equal(got.repository, "/srv/shop.git");
	assert_string_equal(got.old_commit, "aaaa");
	assert_string_equal(got.new_commit, "bbbb");
	assert_int_equal(got.pushed_unix_ms, 1001);
	put_span(f, 1, "known", "dcm");
	put_span(f, 1, "known", "dcm"); /* as after a crash before the controller knew */
	assert_int_equal(store_span_wanted(f->s, &got, &f->err), 0);
	assert_int_equal(store_span_get(f->s, 1, &got, &f->err), 1);
	assert_string_equal(got.state, "known");
	assert_int_equal(got.count, 3);
	assert_int_equal(store_changes(f->s, 1, add_id, ids, &f->err), 0);
	assert_string_equal(ids, "dcm");
}

static int add_delivery(void *context, const struct store_delivery *d)
{
	char *to = context;
	size_t used = strlen(to);
	snprintf(to + used, 256 - used, "%s:%u%s@%llu ", d->id, d->rollout, d->merge ? "m" : "",
		 (unsigned long long)d->pushed_unix_ms);
	return 0;
}

/* b is brought by 2, taken back, and brought again by 4; c by what never succeeded. */
static void a_commit_is_delivered_once_by_the_first_that_succeeded(void **state)
{
	struct fixture *f = *state;
	char text[256] = "";
	put_rollout(f, 2, "succeeded");
	put_rollout(f, 3, "reverted");
	put_rollout(f, 4, "succeeded");
	put_span(f, 2, "known", "ba");
	put_span(f, 3, "known", "c");
	put_span(f, 4, "known", "bdm");
	assert_int_equal(store_deliveries(f->s, "shop", "prod", add_delivery, text, &f->err), 0);
	assert_string_equal(text, "d:4@1004 m:4m@1004 a:2@1002 b:2@1002 ");
	text[0] = '\0';
	assert_int_equal(store_deliveries(f->s, "shop", "staging", add_delivery, text, &f->err), 0);
	assert_string_equal(text, "");
}

static void a_tag_comes_back_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct store_git_tag got, tag = {.rollout = 1, .at_unix_ms = 77};
	text_copy(tag.repository, sizeof tag.repository, "/srv/shop.git");
	text_copy(tag.commit, sizeof tag.commit, "aaaa");
	text_copy(tag.name, sizeof tag.name, "v1");
	text_copy(tag.message, sizeof tag.message, "several\n\nlines\n");
	text_copy(tag.state, sizeof tag.state, "wanted");
	put_rollout(f, 1, "succeeded");
	assert_int_equal(store_git_tag_get(f->s, 1, &got, &f->err), 0);
	store_begin(f->s);
	store_put_git_tag(f->s, &tag);
	must(store_commit(f->s, &f->err), &f->err);
	store_close(f->s);
	open_again(f);
	assert_int_equal(store_git_tag_wanted(f->s, &got, &f->err), 1);
	assert_string_equal(got.repository, tag.repository);
	assert_string_equal(got.commit, tag.commit);
	assert_string_equal(got.name, tag.name);
	assert_string_equal(got.message, tag.message);
	assert_int_equal(got.at_unix_ms, 77);
	text_copy(got.state, sizeof got.state, "refused");
	text_copy(got.why, sizeof got.why, "It is taken.");
	store_begin(f->s);
	store_put_git_tag(f->s, &got);
	must(store_commit(f->s, &f->err), &f->err);
	assert_int_equal(store_git_tag_wanted(f->s, &tag, &f->err), 0);
	assert_int_equal(store_git_tag_get(f->s, 1, &tag, &f->err), 1);
	assert_string_equal(tag.state, "refused");
	assert_string_equal(tag.why, "It is taken.");
}

static void put_push(struct fixture *f, uint32_t rollout, const char *tag_state,
		     const char *push_state, uint64_t due)
{
	struct store_git_tag tag = {.rollout = rollout};
	struct store_tag_push push = {.rollout = rollout, .at_unix_ms = 5, .due_unix_ms = due};
	text_copy(tag.commit, sizeof tag.commit, "aaaa");
	snprintf(tag.name, sizeof tag.name, "v%u", rollout);
	text_copy(tag.state, sizeof tag.state, tag_state);
	text_copy(push.app, sizeof push.app, "shop");
	text_copy(push.remote, sizeof push.remote, "https://h/shop.git");
	text_copy(push.state, sizeof push.state, push_state);
	store_begin(f->s);
	store_put_git_tag(f->s, &tag);
	store_put_tag_push(f->s, &push);
	must(store_commit(f->s, &f->err), &f->err);
}

static void a_push_waits_for_its_tag_and_the_earliest_is_next(void **state)
{
	struct fixture *f = *state;
	struct store_tag_push got;
	for (uint32_t i = 1; i <= 4; i++)
		put_rollout(f, i, "succeeded");
	assert_int_equal(store_tag_push_next(f->s, &got, &f->err), 0);
	put_push(f, 1, "wanted", "wanted", 1); /* it is not made yet */
	put_push(f, 2, "made", "wanted", 30);
	put_push(f, 3, "elsewhere", "wanted", 20);
	put_push(f, 4, "made", "pushed", 2);
	store_close(f->s);
	open_again(f);
	assert_int_equal(store_tag_push_next(f->s, &got, &f->err), 1);
	assert_int_equal(got.rollout, 3);
	assert_string_equal(got.remote, "https://h/shop.git");
	assert_string_equal(got.app, "shop");
	assert_int_equal(got.at_unix_ms, 5);
	got.due_unix_ms = 40;
	got.tries = 7;
	text_copy(got.why, sizeof got.why, "It is away.");
	store_begin(f->s);
	store_put_tag_push(f->s, &got);
	must(store_commit(f->s, &f->err), &f->err);
	assert_int_equal(store_tag_push_next(f->s, &got, &f->err), 1);
	assert_int_equal(got.rollout, 2);
	assert_int_equal(store_tag_push_get(f->s, 3, &got, &f->err), 1);
	assert_int_equal(got.tries, 7);
	assert_string_equal(got.why, "It is away.");
	store_begin(f->s);
	store_forget_tag_push(f->s, 3);
	must(store_commit(f->s, &f->err), &f->err);
	assert_int_equal(store_tag_push_get(f->s, 3, &got, &f->err), 0);
}

static void a_tag_that_is_pushed_is_known_by_name_and_commit(void **state)
{
	struct fixture *f = *state;
	put_rollout(f, 1, "succeeded");
	put_push(f, 1, "elsewhere", "wanted", 1);
	assert_int_equal(store_tag_push_ours(f->s, "shop", "v1", "aaaa", &f->err), 1);
	assert_int_equal(store_tag_push_ours(f->s, "shop", "v1", "bbbb", &f->err), 0);
	assert_int_equal(store_tag_push_ours(f->s, "shop", "v2", "aaaa", &f->err), 0);
	assert_int_equal(store_tag_push_ours(f->s, "other", "v1", "aaaa", &f->err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_span_comes_back_as_it_was_and_again_changes_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_commit_is_delivered_once_by_the_first_that_succeeded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_tag_comes_back_as_it_was, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_push_waits_for_its_tag_and_the_earliest_is_next,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_tag_that_is_pushed_is_known_by_name_and_commit,
						set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
