/* SPDX-License-Identifier: Apache-2.0
 * store/backup: a copy taken in steps while the store is written is whole, and is that of the last step. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "store/audit.h"
#include "store/backup.h"

struct fixture {
	char directory[64], path[96], copy[96];
	struct store *store;
};

static int open_fixture(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct error err;
	snprintf(f->directory, sizeof f->directory, "/tmp/davit-store-backup.XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	snprintf(f->path, sizeof f->path, "%s/davit.db", f->directory);
	snprintf(f->copy, sizeof f->copy, "%s/copy.db", f->directory);
	assert_int_equal(store_open(f->path, &f->store, &err), 0);
	*state = f;
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;
	char command[128];
	store_close(f->store);
	snprintf(command, sizeof command, "rm -rf %s", f->directory);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void write_entries(struct store *s, int count)
{
	struct error err;
	struct store_audit_entry entry = {.at_unix_ms = 1};
	text_copy(entry.who, sizeof entry.who, "ann");
	text_copy(entry.action, sizeof entry.action, "deploy");
	for (size_t i = 0; i < sizeof entry.reason - 1; i++)
		entry.reason[i] = 'r';
	store_begin(s);
	for (int i = 0; i < count; i++)
		store_add_audit(s, &entry);
	assert_int_equal(store_commit(s, &err), 0);
}

static uint64_t entries_of(const char *path)
{
	struct store *s;
	struct store_audit_head head;
	struct error err;
	uint64_t broken;
	assert_int_equal(store_open(path, &s, &err), 0);
	assert_int_equal(store_check(s, &err), 0);
	assert_int_equal(store_audit_verify(s, NULL, &head, &broken, &err), 0);
	store_close(s);
	return head.seq;
}

static void written_meanwhile(void **state)
{
	struct fixture *f = *state;
	struct store_backup *b;
	struct error err;
	uint32_t left, all;
	int more;
	write_entries(f->store, 200);
	assert_int_equal(store_backup_begin(f->store, f->copy, &b, &err), 0);
	assert_int_equal(store_backup_step(b, 2, &left, &all, &err), 1);
	assert_true(left > 0 && left < all);
	/* Between two steps: what has been copied already, and what was not there. */
	for (int i = 0; i < 10; i++) {
		write_entries(f->store, 7);
		assert_int_equal(store_backup_step(b, 2, &left, &all, &err), 1);
	}
	/* One that is undone. */
	store_begin(f->store);
	store_add_one(f->store, "rollout");
	store_rollback(f->store);
	while ((more = store_backup_step(b, 3, &left, &all, &err)) > 0)
		;
	assert_int_equal(more, 0);
	store_backup_end(b);
	write_entries(f->store, 1); /* too late */
	assert_int_equal(entries_of(f->copy), 270);
}

static void given_up(void **state)
{
	struct fixture *f = *state;
	struct store_backup *b;
	struct error err;
	uint32_t left, all;
	write_entries(f->store, 200);
	assert_int_equal(store_backup_begin(f->store, f->copy, &b, &err), 0);
	assert_int_equal(store_backup_step(b, 1, &left, &all, &err), 1);
	store_backup_end(b);
	write_entries(f->store, 1);
	assert_int_equal(store_check(f->store, &err), 0);
}

static void no_place_for_it(void **state)
{
	struct fixture *f = *state;
	struct store_backup *b;
	struct error err;
	assert_true(store_backup_begin(f->store, "/nowhere/copy.db", &b, &err) < 0);
	assert_true(err.text[0]);
	write_entries(f->store, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(written_meanwhile, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(given_up, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(no_place_for_it, open_fixture, close_fixture),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
