/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"

enum { ENTRIES = 20 };

static void write_entries(struct fixture *f)
{
	for (int i = 1; i <= ENTRIES; i++) {
		char reason[32];
		snprintf(reason, sizeof reason, "reason %d", i);
		struct store_audit_entry e = an_entry(i % 2 ? "deploy" : "abort", reason);
		e.rollout = (uint32_t)i / 4;
		store_begin(f->s);
		store_add_audit(f->s, &e);
		must(store_commit(f->s, &f->err), &f->err);
	}
}

static void a_whole_chain_verifies_and_runs_through_heads_taken_earlier(void **state)
{
	struct fixture *f = *state;
	struct store_audit_head start, middle, end;
	uint64_t broken;
	must(store_audit_verify(f->s, NULL, &start, &broken, &f->err), &f->err);
	assert_int_equal(start.seq, 0);
	write_entries(f);
	must(store_audit_head(f->s, &middle, &f->err), &f->err);
	write_entries(f);
	must(store_audit_verify(f->s, &start, &end, &broken, &f->err), &f->err);
	must(store_audit_verify(f->s, &middle, &end, &broken, &f->err), &f->err);
	assert_int_equal(middle.seq, ENTRIES);
	assert_int_equal(end.seq, 2 * ENTRIES);
}

struct tampering {
	const char *sql;
	uint64_t broken;
};

/* Each against a fresh chain of 20, with the guards of the database taken away. */
static const struct tampering tamperings[] = {
	{"UPDATE audit SET who = 'eve' WHERE seq = 7", 7},
	{"UPDATE audit SET at = at + 1 WHERE seq = 1", 1},
	{"UPDATE audit SET reason = '' WHERE seq = 20", 20},
	{"UPDATE audit SET evidence = 'x' WHERE seq = 3", 3},
	{"UPDATE audit SET action = 'x' WHERE seq = 3", 3},
	{"UPDATE audit SET rollout = 9 WHERE seq = 3", 3},
	{"UPDATE audit SET app = 'shopprod', environment = '' WHERE seq = 3", 3},
	{"UPDATE audit SET hash = zeroblob(32) WHERE seq = 5", 5},
	{"UPDATE audit SET hash = (SELECT hash FROM audit WHERE seq = 4) WHERE seq = 5", 5},
	{"UPDATE audit SET who = hex(zeroblob(200)) WHERE seq = 5", 5},
	{"DELETE FROM audit WHERE seq = 1", 1},
	{"DELETE FROM audit WHERE seq = 9", 9},
	{"DELETE FROM audit WHERE seq = 20", 20},
	{"DELETE FROM audit WHERE seq > 12", 13},
	{"DELETE FROM audit", 1},
	{"DELETE FROM audit; DELETE FROM audit_head", 1}, /* caught by the known head alone */
	{"DELETE FROM audit WHERE seq > 12;"
	 "UPDATE audit_head SET seq = 12, hash = (SELECT hash FROM audit WHERE seq = 12)",
	 13}, /* as well */
	{"DELETE FROM audit WHERE seq = 9; UPDATE audit SET seq = seq - 1 WHERE seq > 9", 9},
	{"UPDATE audit SET seq = 100 WHERE seq = 8; UPDATE audit SET seq = 8 WHERE seq = 9;"
	 "UPDATE audit SET seq = 9 WHERE seq = 100",
	 8},
	{"INSERT INTO audit SELECT 21, at, who, action, app, environment, rollout, reason, "
	 "evidence,"
	 " hash FROM audit WHERE seq = 20",
	 21},
	{"INSERT INTO audit SELECT 0, at, who, action, app, environment, rollout, reason, evidence,"
	 " hash FROM audit WHERE seq = 20",
	 1},
	{"UPDATE audit_head SET hash = zeroblob(32)", 21},
	{"UPDATE audit_head SET seq = 19", 20},
	{"UPDATE audit_head SET seq = 21", 21},
	{"DELETE FROM audit_head", 1},
};

static void every_tampering_is_found_at_its_entry(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof tamperings / sizeof tamperings[0]; i++) {
		void *fresh;
		set_up(&fresh);
		struct fixture *f = fresh;
		struct store_audit_head known, head;
		uint64_t broken = 0;
		write_entries(f);
		must(store_audit_head(f->s, &known, &f->err), &f->err);
		store_close(f->s);
		raw(f->path, "DROP TRIGGER audit_stays; DROP TRIGGER audit_is");
		raw(f->path, tamperings[i].sql);
		open_again(f);
		if (store_audit_verify(f->s, &known, &head, &broken, &f->err) != ERR_CORRUPT ||
		    broken != tamperings[i].broken)
			fail_msg("%s: broken at %d", tamperings[i].sql, (int)broken);
		if (strcmp(tamperings[i].sql, "DELETE FROM audit WHERE seq = 9") == 0)
			assert_string_equal(f->err.text,
					    "The audit trail is broken at entry 9: it is missing.");
		tear_down(&fresh);
	}
}

/* Entries that are good in themselves, from a chain of its own. */
static void entries_of_another_chain_do_not_fit(void **state)
{
	struct fixture *f = *state;
	void *fresh;
	char splice[256];
	struct store_audit_head known, head;
	uint64_t broken = 0;
	set_up(&fresh);
	struct fixture *other = fresh;
	struct store_audit_entry e = an_entry("deploy", "of the other");
	store_begin(other->s);
	store_add_audit(other->s, &e);
	must(store_commit(other->s, &other->err), &other->err);
	write_entries(other);
	write_entries(f);
	must(store_audit_head(f->s, &known, &f->err), &f->err);
	assert_int_equal(store_audit_verify(other->s, &known, &head, &broken, &other->err),
			 ERR_CORRUPT);
	assert_int_equal(broken, ENTRIES);
	store_close(f->s);
	store_close(other->s);
	snprintf(splice, sizeof splice,
		 "DROP TRIGGER audit_stays; DROP TRIGGER audit_is; ATTACH '%s' AS other;"
		 "DELETE FROM audit WHERE seq = 7;"
		 "INSERT INTO audit SELECT * FROM other.audit WHERE seq = 7",
		 other->path);
	raw(f->path, splice);
	open_again(f);
	open_again(other);
	assert_int_equal(store_audit_verify(f->s, NULL, &head, &broken, &f->err), ERR_CORRUPT);
	assert_int_equal(broken, 7);
	tear_down(&fresh);
}

static void the_database_refuses_to_change_or_delete_history(void **state)
{
	struct fixture *f = *state;
	static const char *const forbidden[] = {
		"DELETE FROM audit",      "UPDATE audit SET who = 'eve'",
		"DELETE FROM evidence",   "UPDATE evidence SET verdict = 'pass'",
		"DELETE FROM transition", "UPDATE transition SET why = ''",
	};
	write_entries(f);
	store_begin(f->s);
	struct store_rollout r = a_rollout(1, "state");
	struct store_evidence e = {.rollout = 1};
	struct store_transition t = {.rollout = 1, .seq = 1};
	store_put_rollout(f->s, &r);
	store_add_evidence(f->s, &e);
	store_add_transition(f->s, &t);
	must(store_commit(f->s, &f->err), &f->err);
	store_close(f->s);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++)
		assert_int_equal(sqlite3_exec(db, forbidden[i], NULL, NULL, NULL),
				 SQLITE_CONSTRAINT);
	sqlite3_close(db);
	open_again(f);
}

struct seen {
	uint64_t seqs[8];
	size_t count;
	size_t stop_after;
};

static int note_entry(void *context, const struct store_audit_entry *e)
{
	struct seen *seen = context;
	assert_true(seen->count < 8);
	seen->seqs[seen->count++] = e->seq;
	assert_string_equal(e->who, "ann");
	return seen->count == seen->stop_after ? 77 : 0;
}

static void entries_are_listed_newest_first_by_any_filter(void **state)
{
	struct fixture *f = *state;
	write_entries(f);
	struct seen page = {0}, rollout = {0}, none = {0}, stopped = {.stop_after = 2};
	struct store_audit_filter filter = {.before = 18, .limit = 3};
	must(store_audit(f->s, &filter, note_entry, &page, &f->err), &f->err);
	assert_int_equal(page.count, 3);
	assert_int_equal(page.seqs[0], 17);
	filter = (struct store_audit_filter){.app = "shop", .environment = "prod", .rollout = 3};
	must(store_audit(f->s, &filter, note_entry, &rollout, &f->err), &f->err);
	assert_int_equal(rollout.count, 4);
	assert_int_equal(rollout.seqs[3], 12);
	filter = (struct store_audit_filter){.app = "other"};
	must(store_audit(f->s, &filter, note_entry, &none, &f->err), &f->err);
	assert_int_equal(none.count, 0);
	filter = (struct store_audit_filter){.app = "shop"};
	assert_int_equal(store_audit(f->s, &filter, note_entry, &stopped, &f->err), 77);
	assert_int_equal(stopped.count, 2);
}

static int keep_answer(void *context, const struct store_answer *a)
{
	snprintf(context, 64, "%u %s", a->status, a->body);
	return 0;
}

static void a_request_asked_twice_gets_the_same_answer(void **state)
{
	struct fixture *f = *state;
	char text[64] = "";
	struct store_answer a = {.status = 202, .body = "{\"rollout\":1}", .at_unix_ms = 50};
	struct digest other = digest_of("other", 5);
	a.request = digest_of("deploy", 6);
	text_copy(a.id, sizeof a.id, "id-1");
	assert_int_equal(store_answer_find(f->s, "id-1", &a.request, keep_answer, text, &f->err),
			 0);
	store_begin(f->s);
	store_add_answer(f->s, &a);
	must(store_commit(f->s, &f->err), &f->err);
	assert_int_equal(store_answer_find(f->s, "id-1", &a.request, keep_answer, text, &f->err),
			 1);
	assert_string_equal(text, "202 {\"rollout\":1}");
	assert_int_equal(store_answer_find(f->s, "id-1", &other, keep_answer, text, &f->err),
			 ERR_CONFLICT);
	store_begin(f->s);
	store_add_answer(f->s, &a);
	assert_int_equal(store_commit(f->s, &f->err), ERR_CONFLICT);
	store_begin(f->s);
	store_forget_answers(f->s, 51);
	must(store_commit(f->s, &f->err), &f->err);
	assert_int_equal(store_answer_find(f->s, "id-1", &a.request, keep_answer, text, &f->err),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_whole_chain_verifies_and_runs_through_heads_taken_earlier),
		cmocka_unit_test(every_tampering_is_found_at_its_entry),
		TEST(entries_of_another_chain_do_not_fit),
		TEST(the_database_refuses_to_change_or_delete_history),
		TEST(entries_are_listed_newest_first_by_any_filter),
		TEST(a_request_asked_twice_gets_the_same_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
