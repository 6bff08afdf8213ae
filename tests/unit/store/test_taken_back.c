/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"

#include "store/taken_back.h"

static void put_release(struct fixture *f, char letter, const char *commit, uint32_t build)
{
	struct store_release r = {.config = "{}", .created_unix_ms = build};
	struct store_build b = {.number = build};
	memset(r.id, letter, STORE_ID_SIZE - 1);
	memset(r.artifact, '0', STORE_ID_SIZE - 1);
	memset(r.config_digest, '1', STORE_ID_SIZE - 1);
	text_copy(r.app, sizeof r.app, "shop");
	snprintf(r.tag, sizeof r.tag, "v%c", letter);
	text_copy(b.app, sizeof b.app, "shop");
	text_copy(b.commit, sizeof b.commit, commit);
	text_copy(b.subject, sizeof b.subject, "A change");
	text_copy(b.release, sizeof b.release, r.id);
	store_begin(f->s);
	store_add_release(f->s, &r);
	store_put_build(f->s, &b);
	must(store_commit(f->s, &f->err), &f->err);
}

static void put_rollout(struct fixture *f, uint32_t number, const char *kind, const char *state,
			char new_release, char old_release)
{
	struct store_rollout r = a_rollout(number, "plan");
	text_copy(r.app, sizeof r.app, "shop");
	text_copy(r.environment, sizeof r.environment, "prod");
	text_copy(r.kind, sizeof r.kind, kind);
	text_copy(r.state_name, sizeof r.state_name, state);
	text_copy(r.reason, sizeof r.reason, "it hurts");
	memset(r.new_release, 0, sizeof r.new_release);
	memset(r.old_release, 0, sizeof r.old_release);
	memset(r.new_release, new_release, STORE_ID_SIZE - 1);
	memset(r.old_release, old_release, STORE_ID_SIZE - 1);
	store_begin(f->s);
	store_put_rollout(f->s, &r);
	must(store_commit(f->s, &f->err), &f->err);
}

static void put_mark(struct fixture *f, char release, bool clear)
{
	struct store_bad_mark m = {.at_unix_ms = 5};
	text_copy(m.app, sizeof m.app, "shop");
	text_copy(m.environment, sizeof m.environment, "prod");
	text_copy(m.reason, sizeof m.reason, "it leaks");
	memset(m.release, release, STORE_ID_SIZE - 1);
	store_begin(f->s);
	if (clear)
		store_clear_bad_mark(f->s, "shop", "prod", m.release, "ann", "", 6);
	else
		store_add_bad_mark(f->s, &m);
	must(store_commit(f->s, &f->err), &f->err);
}

/* "aaaa!7:it leaks " : commit, marked, rollout, reason */
static int add_words(void *context, const struct store_taken_back *row)
{
	char *to = context;
	size_t used = strlen(to);
	snprintf(to + used, 256 - used, "%s%s%u:%s ", row->commit, row->marked ? "!" : "-",
		 row->rollout, row->reason);
	return 0;
}

static void is(struct fixture *f, const char *environment, const char *commit, uint32_t rollout,
	       const char *want)
{
	char got[256] = "";
	must(store_taken_back(f->s, "shop", environment, commit, rollout, add_words, got, &f->err),
	     &f->err);
	assert_string_equal(got, want);
}

static void marks_and_rollbacks_are_found_by_commit(void **state)
{
	struct fixture *f = *state;
	put_release(f, 'a', "aaaa", 1);
	put_release(f, 'b', "bbbb", 2);
	put_release(f, 'c', "cccc", 3);
	put_rollout(f, 7, "deploy", "reverted", 'b', 'a');
	put_rollout(f, 8, "rollback", "succeeded", 'a', 'c');
	put_rollout(f, 9, "rollback", "reverted", 'd', 'a');
	is(f, "prod", "bbbb", 0, ""); /* what was aborted has no mark */
	put_mark(f, 'b', false);
	is(f, "prod", "bbbb", 0, "bbbb!7:it leaks ");
	is(f, "staging", "bbbb", 0, "");
	is(f, "prod", "cccc", 0, "cccc-8:it hurts ");
	is(f, "prod", "aaaa", 0, "");
	put_mark(f, 'c', false);
	is(f, "prod", "cccc", 0, "cccc!8:it leaks cccc-8:it hurts ");
	put_mark(f, 'b', true);
	is(f, "prod", "bbbb", 0, "");
	/* One that somebody marked by hand, and no rollout took back. */
	put_mark(f, 'a', false);
	is(f, "prod", "aaaa", 0, "aaaa!0:it leaks ");
}

static void of_a_rollout_all_that_it_brings_are_looked_at(void **state)
{
	struct fixture *f = *state;
	struct store_span span = {.rollout = 12, .state = "known", .count = 2};
	struct store_change change = {.id = "dddd"};
	put_release(f, 'b', "bbbb", 2);
	put_rollout(f, 7, "deploy", "reverted", 'b', 'a');
	put_rollout(f, 12, "deploy", "gated", 'd', 'a');
	put_mark(f, 'b', false);
	store_begin(f->s);
	store_put_span(f->s, &span);
	store_add_change(f->s, 12, 0, &change);
	text_copy(change.id, sizeof change.id, "bbbb");
	store_add_change(f->s, 12, 1, &change);
	must(store_commit(f->s, &f->err), &f->err);
	is(f, "prod", "dddd", 12, "bbbb!7:it leaks ");
	is(f, "prod", "dddd", 0, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(marks_and_rollbacks_are_found_by_commit, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(of_a_rollout_all_that_it_brings_are_looked_at,
						set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
