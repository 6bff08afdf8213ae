/* SPDX-License-Identifier: Apache-2.0 */
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "../small_disk.h"
#include "store/query.h"
#include "store/schema.h"

/* What the state of shop/prod reads as; "-" when it does not exist. */
static int keep_state(void *context, const struct store_environment *e)
{
	if (strcmp(e->name, "prod") == 0)
		snprintf(context, 64, "%.*s %s %llu", (int)e->state_size, (const char *)e->state,
			 e->config, (unsigned long long)e->updated_unix_ms);
	return 0;
}

static const char *state_of(struct fixture *f)
{
	static char text[64];
	text_copy(text, sizeof text, "-");
	must(store_environments(f->s, keep_state, text, &f->err), &f->err);
	return text;
}

static void put_state(struct store *s, const char *state, const char *config)
{
	struct store_environment e = {.state = state,
				      .state_size = strlen(state),
				      .config = config,
				      .updated_unix_ms = 7};
	text_copy(e.app, sizeof e.app, "shop");
	text_copy(e.name, sizeof e.name, "prod");
	store_put_environment(s, &e);
}

/* Another environment, whose state is `size` bytes. */
static void put_bytes(struct store *s, const void *bytes, size_t size)
{
	struct store_environment e = {.state = bytes, .state_size = size};
	text_copy(e.app, sizeof e.app, "shop");
	text_copy(e.name, sizeof e.name, "big");
	store_put_environment(s, &e);
}

static int keep_size(void *context, const struct store_environment *e)
{
	*(size_t *)context = e->state_size;
	return 0;
}

static void what_is_committed_is_there_after_opening_again(void **state)
{
	struct fixture *f = *state;
	store_begin(f->s);
	put_state(f->s, "one", "{\"a\":1}");
	must(store_commit(f->s, &f->err), &f->err);
	store_begin(f->s);
	put_state(f->s, "two", NULL);
	must(store_commit(f->s, &f->err), &f->err);
	store_close(f->s);
	open_again(f);
	assert_string_equal(state_of(f), "two {\"a\":1} 7");
}

static void a_rolled_back_transaction_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct store_audit_head head;
	store_begin(f->s);
	put_state(f->s, "one", NULL);
	struct store_audit_entry e = an_entry("deploy", "");
	store_add_audit(f->s, &e);
	assert_int_equal(store_add_one(f->s, "rollout"), 1);
	assert_string_equal(state_of(f), "one {} 7"); /* its own writes are seen */
	store_rollback(f->s);
	assert_string_equal(state_of(f), "-");
	must(store_audit_head(f->s, &head, &f->err), &f->err);
	assert_int_equal(head.seq, 0);
	store_begin(f->s);
	assert_int_equal(store_add_one(f->s, "rollout"), 1);
	assert_int_equal(store_add_one(f->s, "rollout"), 2);
	assert_int_equal(store_add_one(f->s, "epoch"), 1);
	store_put_at_least(f->s, "epoch", 7);
	store_put_at_least(f->s, "epoch", 3);
	assert_int_equal(store_add_one(f->s, "epoch"), 8);
	must(store_commit(f->s, &f->err), &f->err);
}

static void one_failing_write_undoes_the_whole_transaction(void **state)
{
	struct fixture *f = *state;
	struct store_rollout rollout = a_rollout(1, "s");
	struct store_transition transition = {.rollout = 1, .seq = 1, .from = "a", .to = "b"};
	store_begin(f->s);
	store_put_rollout(f->s, &rollout);
	store_add_transition(f->s, &transition);
	must(store_commit(f->s, &f->err), &f->err);

	store_begin(f->s);
	put_state(f->s, "one", NULL);
	store_add_transition(f->s, &transition); /* the key exists */
	put_state(f->s, "two", NULL);
	char *large = mem_zero(1, STORE_BLOB_MAX + 1);
	put_bytes(f->s, large, STORE_BLOB_MAX + 1); /* the first failure stays */
	free(large);
	assert_int_equal(store_add_one(f->s, "rollout"), 0);
	assert_int_equal(store_commit(f->s, &f->err), ERR_CONFLICT);
	assert_string_equal(state_of(f), "-");

	store_begin(f->s); /* and the next one is good again */
	put_state(f->s, "three", NULL);
	must(store_commit(f->s, &f->err), &f->err);
	assert_string_equal(state_of(f), "three {} 7");
}

static void a_value_over_the_limit_fails_and_one_at_it_does_not(void **state)
{
	struct fixture *f = *state;
	char *bytes = mem_zero(1, STORE_BLOB_MAX + 1);
	size_t size = 0;
	store_begin(f->s);
	put_bytes(f->s, bytes, STORE_BLOB_MAX + 1);
	assert_int_equal(store_commit(f->s, &f->err), ERR_LIMIT);
	store_begin(f->s);
	put_bytes(f->s, bytes, STORE_BLOB_MAX);
	must(store_commit(f->s, &f->err), &f->err);
	must(store_environments(f->s, keep_size, &size, &f->err), &f->err);
	assert_int_equal(size, STORE_BLOB_MAX);
	free(bytes);
}

static void a_second_open_is_refused(void **state)
{
	struct fixture *f = *state;
	struct store *second = NULL;
	assert_int_equal(store_open(f->path, &second, &f->err), ERR_CONFLICT);
	assert_non_null(strstr(f->err.text, "in use"));
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(store_open(f->path, &second, &f->err) == ERR_CONFLICT ? 0 : 1);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	store_begin(f->s); /* the first goes on */
	put_state(f->s, "one", NULL);
	must(store_commit(f->s, &f->err), &f->err);
}

/* Commits numbers, tells each, and opens one more transaction: the parent kills it in there. */
static void write_until_killed(const char *path, int tell)
{
	struct store *s;
	struct error err;
	if (store_open(path, &s, &err) < 0)
		_exit(1);
	for (uint32_t n = 1;; n++) {
		store_begin(s);
		if (store_add_one(s, "rollout") != n)
			_exit(2);
		struct store_rollout r = a_rollout(n, "state");
		store_put_rollout(s, &r);
		struct store_audit_entry e = an_entry("deploy", "again");
		store_add_audit(s, &e);
		if (store_commit(s, &err) < 0 || write(tell, &n, sizeof n) != sizeof n)
			_exit(3);
	}
}

static int count_rollout(void *context, const struct store_rollout *r)
{
	uint32_t *count = context;
	assert_int_equal(r->number, ++*count);
	return 0;
}

static void kill_9_loses_nothing_confirmed_and_keeps_nothing_by_halves(void **state)
{
	struct fixture *f = *state;
	store_close(f->s);
	f->s = NULL;
	for (int round = 0; round < 10; round++) {
		int tell[2];
		uint32_t confirmed = 0, n, enough = (uint32_t)(3 + 7 * round);
		unlink(f->path);
		char wal[96];
		snprintf(wal, sizeof wal, "%s-wal", f->path);
		unlink(wal);
		assert_int_equal(pipe(tell), 0);
		pid_t child = fork();
		assert_true(child >= 0);
		if (child == 0) {
			close(tell[0]);
			write_until_killed(f->path, tell[1]);
		}
		close(tell[1]);
		while (confirmed < enough && read(tell[0], &n, sizeof n) == sizeof n)
			confirmed = n;
		kill(child, SIGKILL);
		while (read(tell[0], &n, sizeof n) == sizeof n)
			confirmed = n;
		close(tell[0]);
		assert_int_equal(waitpid(child, NULL, 0), child);

		uint32_t found = 0;
		uint64_t broken;
		struct store_audit_head head;
		open_again(f);
		must(store_check(f->s, &f->err), &f->err);
		struct store_rollout_filter all = {.unended = true};
		must(store_rollouts(f->s, &all, count_rollout, &found, &f->err), &f->err);
		must(store_audit_verify(f->s, NULL, &head, &broken, &f->err), &f->err);
		assert_true(found == confirmed || found == confirmed + 1);
		assert_int_equal(head.seq, found);
		store_close(f->s);
		f->s = NULL;
	}
	open_again(f);
}

/* A checkpoint writes page 1, which says how many pages there are, and then the disk is full, or kill -9.
 * Page 1 is in the log as well, once the file has grown. */
static void interrupt_checkpoint(const char *path)
{
	unsigned char header[100];
	int fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, header, sizeof header, 0), sizeof header);
	memcpy(header + 28, "\0\0\x10\0", 4);
	memcpy(header + 92, header + 24, 4); /* that count is valid for this change */
	assert_int_equal(pwrite(fd, header, sizeof header, 0), sizeof header);
	close(fd);
}

static void an_interrupted_checkpoint_does_not_look_like_damage(void **state)
{
	struct fixture *f = *state;
	uint32_t confirmed = 0, found = 0;
	int tell[2];
	assert_int_equal(pipe(tell), 0);
	store_close(f->s);
	f->s = NULL;
	unlink(f->path);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(tell[0]);
		write_until_killed(f->path, tell[1]);
	}
	close(tell[1]);
	while (confirmed < 300 && read(tell[0], &confirmed, sizeof confirmed) == sizeof confirmed)
		;
	kill(child, SIGKILL);
	close(tell[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	interrupt_checkpoint(f->path);
	open_again(f);
	must(store_check(f->s, &f->err), &f->err);
	struct store_rollout_filter all = {.unended = true};
	must(store_rollouts(f->s, &all, count_rollout, &found, &f->err), &f->err);
	assert_true(found >= confirmed);
}

static void a_transaction_that_is_killed_before_commit_never_was(void **state)
{
	struct fixture *f = *state;
	store_close(f->s);
	f->s = NULL;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct error err;
		struct store *s;
		if (store_open(f->path, &s, &err) < 0)
			_exit(1);
		store_begin(s);
		put_state(s, "half", NULL);
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	open_again(f);
	assert_string_equal(state_of(f), "-");
}

static void a_full_disk_fails_the_commit_and_changes_nothing(void **state)
{
	struct fixture *f = *state;
	char wal[96];
	struct stat st;
	struct rlimit before, tight;
	char *bytes = mem_zero(1, 1 << 20);
	store_begin(f->s);
	put_state(f->s, "before", NULL);
	must(store_commit(f->s, &f->err), &f->err);

	/* No file may grow past what the log has now and two pages: write() fails with EFBIG. */
	snprintf(wal, sizeof wal, "%s-wal", f->path);
	assert_int_equal(stat(wal, &st), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	tight = before;
	tight.rlim_cur = (rlim_t)st.st_size + 8192;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	for (int i = 0; i < 3; i++) {
		store_begin(f->s);
		put_state(f->s, "after", NULL);
		put_bytes(f->s, bytes, 1 << 20);
		struct store_audit_entry e = an_entry("deploy", "");
		store_add_audit(f->s, &e);
		assert_int_equal(store_commit(f->s, &f->err), ERR_NO_SPACE);
		assert_string_equal(state_of(f), "before {} 7"); /* and it can be read */
	}
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);

	struct store_audit_head head;
	must(store_audit_head(f->s, &head, &f->err), &f->err);
	assert_int_equal(head.seq, 0);
	store_begin(f->s); /* space again: goes on by itself */
	put_state(f->s, "after", NULL);
	put_bytes(f->s, bytes, 1 << 20);
	must(store_commit(f->s, &f->err), &f->err);
	must(store_check(f->s, &f->err), &f->err);
	assert_string_equal(state_of(f), "after {} 7");
	free(bytes);
}

/* --- a full disk, and the reserve; on a real full file system, where this process may mount one */

static void mount_or_skip(struct fixture *f)
{
	store_close(f->s);
	f->s = NULL;
	if (!small_disk_mount(f->directory, "12m"))
		skip();
	open_again(f);
}

static void unmount(struct fixture *f)
{
	store_close(f->s);
	f->s = NULL;
	assert_int_equal(umount(f->directory), 0);
}

/* A transaction that needs more than any log has left. */
static int write_much(struct fixture *f, bool urgent)
{
	char *bytes = mem_zero(1, 1 << 20);
	struct store_audit_entry e = an_entry("deploy", "");
	if (urgent)
		store_begin_urgent(f->s);
	else
		store_begin(f->s);
	store_add_audit(f->s, &e);
	put_bytes(f->s, bytes, 1 << 20);
	free(bytes);
	return store_commit(f->s, &f->err);
}

static uint64_t audited(struct fixture *f)
{
	struct store_audit_head head;
	uint64_t broken;
	must(store_audit_verify(f->s, NULL, &head, &broken, &f->err), &f->err);
	return head.seq;
}

static const char *filler_of(const struct fixture *f)
{
	static char name[96];
	snprintf(name, sizeof name, "%s/filler", f->directory);
	return name;
}

static void a_full_tmpfs_fails_the_commit_and_the_store_goes_on_after(void **state)
{
	struct fixture *f = *state;
	mount_or_skip(f);
	small_disk_fill(f->directory);
	for (int i = 0; i < 3; i++)
		assert_int_equal(write_much(f, false), ERR_NO_SPACE);
	assert_non_null(strstr(f->err.text, "free space there"));
	small_disk_empty(f->directory);
	must(write_much(f, false), &f->err);
	assert_int_equal(audited(f), 1);
	unmount(f);
}

static void an_urgent_transaction_takes_the_reserve(void **state)
{
	struct fixture *f = *state;
	struct error err;
	mount_or_skip(f);
	must(store_room(f->s, &f->err), &f->err);
	small_disk_fill(f->directory);
	assert_int_equal(write_much(f, true), ERR_NO_SPACE);
	assert_true(store_spend_reserve(f->s));
	must(write_much(f, true), &f->err);
	assert_false(store_spend_reserve(f->s));
	/* There is room for small things, and it is kept for those who cannot wait. */
	assert_int_equal(store_room(f->s, &err), ERR_NO_SPACE);
	store_begin(f->s);
	put_state(f->s, "after", NULL);
	assert_int_equal(store_commit(f->s, &f->err), ERR_NO_SPACE);
	assert_string_equal(f->err.text, err.text);
	assert_non_null(strstr(err.text, "free 8 MiB"));
	assert_string_equal(state_of(f), "-");
	must(write_much(f, true), &f->err);
	small_disk_empty(f->directory);
	must(write_much(f, false), &f->err);
	must(store_room(f->s, &f->err), &f->err);
	assert_int_equal(audited(f), 3);
	must(store_check(f->s, &f->err), &f->err);
	unmount(f);
}

static void a_store_opens_on_a_full_disk_and_finds_its_reserve(void **state)
{
	struct fixture *f = *state;
	mount_or_skip(f);
	store_close(f->s);
	small_disk_fill(f->directory);
	open_again(f);
	must(store_room(f->s, &f->err), &f->err);
	assert_int_equal(write_much(f, true), ERR_NO_SPACE);
	assert_true(store_spend_reserve(f->s));
	must(write_much(f, true), &f->err);
	assert_int_equal(audited(f), 1);
	unmount(f);
}

static void without_room_for_the_reserve_only_urgent_transactions_are_taken(void **state)
{
	struct fixture *f = *state;
	mount_or_skip(f);
	assert_true(store_spend_reserve(f->s));
	store_close(f->s);
	small_disk_fill(f->directory);
	assert_int_equal(truncate(filler_of(f), 7 << 20), 0);
	open_again(f);
	assert_int_equal(write_much(f, false), ERR_NO_SPACE);
	must(write_much(f, true), &f->err);
	unmount(f);
}

/* The disk has room, and nobody is told to free some. */
static void a_reserve_that_cannot_be_made_says_why(void **state)
{
	struct fixture *f = *state;
	char name[sizeof f->path + 16];
	snprintf(name, sizeof name, "%s-reserve", f->path);
	assert_true(store_spend_reserve(f->s));
	assert_int_equal(mkdir(name, 0700), 0);
	assert_int_equal(write_much(f, false), ERR_UNAVAILABLE);
	assert_non_null(strstr(f->err.text, "-reserve\" cannot be made: Is a directory."));
	assert_null(strstr(f->err.text, "full:"));
	must(write_much(f, true), &f->err);
	assert_int_equal(rmdir(name), 0);
	must(write_much(f, false), &f->err);
}

static void a_store_in_memory_needs_no_reserve(void **state)
{
	struct fixture *f = *state;
	struct store *s;
	must(store_open(":memory:", &s, &f->err), &f->err);
	must(store_room(s, &f->err), &f->err);
	assert_false(store_spend_reserve(s));
	must(store_room(s, &f->err), &f->err);
	store_close(s);
}

static struct digest digest_of_file(const char *path)
{
	char bytes[65536];
	FILE *file = fopen(path, "rb");
	struct digester *d = digester_new();
	size_t size;
	assert_non_null(file);
	while ((size = fread(bytes, 1, sizeof bytes, file)) > 0)
		digester_add(d, bytes, size);
	fclose(file);
	return digester_finish(d);
}

static void a_newer_store_is_refused_in_one_sentence_and_not_touched(void **state)
{
	struct fixture *f = *state;
	store_close(f->s);
	f->s = NULL;
	raw(f->path, "UPDATE value SET value = CAST('9.8.7' AS BLOB) WHERE key = 'davit';"
		     "PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE)");
	struct digest before = digest_of_file(f->path), after;
	assert_int_equal(store_open(f->path, &f->s, &f->err), ERR_UNSUPPORTED);
	assert_non_null(strstr(f->err.text, "use davit 9.8.7 or newer."));
	after = digest_of_file(f->path);
	assert_true(digest_equal(&before, &after));
	assert_null(f->s);
	char wal[96];
	snprintf(wal, sizeof wal, "%s-wal", f->path);
	assert_int_equal(access(wal, F_OK), -1); /* nor is anything put beside it */
}

/* The newer davit was killed right after its migration: only its log knows the version. */
static void a_newer_version_that_stands_only_in_the_log_is_refused_too(void **state)
{
	struct fixture *f = *state;
	store_close(f->s);
	f->s = NULL;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		sqlite3 *db;
		if (sqlite3_open(f->path, &db) != SQLITE_OK ||
		    sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL) != SQLITE_OK)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	char wal[96];
	snprintf(wal, sizeof wal, "%s-wal", f->path);
	struct digest before = digest_of_file(f->path), log_before = digest_of_file(wal), after;
	assert_int_equal(store_open(f->path, &f->s, &f->err), ERR_UNSUPPORTED);
	after = digest_of_file(f->path);
	assert_true(digest_equal(&before, &after));
	after = digest_of_file(wal);
	assert_true(digest_equal(&log_before, &after));
}

static void files_that_are_not_a_store_are_refused(void **state)
{
	struct fixture *f = *state;
	store_close(f->s);
	f->s = NULL;
	unlink(f->path);
	raw(f->path, "CREATE TABLE somebody (elses TEXT)");
	assert_int_equal(store_open(f->path, &f->s, &f->err), ERR_INVALID);
	FILE *file = fopen(f->path, "wb");
	for (int i = 0; i < 1000; i++)
		fputs("this is no database ", file);
	fclose(file);
	struct digest before = digest_of_file(f->path), after;
	assert_int_equal(store_open(f->path, &f->s, &f->err), ERR_CORRUPT);
	after = digest_of_file(f->path);
	assert_true(digest_equal(&before, &after));
	unlink(f->path);
	assert_int_equal(store_open("/nowhere/davit.db", &f->s, &f->err), ERR_NOT_FOUND);
}

static void older_schemas_are_brought_up_in_one_transaction(void **state)
{
	struct fixture *f = *state;
	static const char *const good[] = {
		"ALTER TABLE environment ADD COLUMN until INTEGER NOT NULL DEFAULT 0",
		"UPDATE environment SET until = 5", NULL};
	static const char *const bad[] = {"CREATE TABLE half (done TEXT)", "SELECT nonsense", NULL};
	const char *const *failing[STORE_VERSION + 2], *const *working[STORE_VERSION + 1];
	for (int i = 0; i < STORE_VERSION; i++)
		failing[i] = working[i] = schema_steps[i];
	failing[STORE_VERSION] = working[STORE_VERSION] = good;
	failing[STORE_VERSION + 1] = bad;
	store_begin(f->s);
	put_state(f->s, "one", NULL);
	must(store_commit(f->s, &f->err), &f->err);
	store_close(f->s);
	f->s = NULL;

	sqlite3 *db;
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	assert_true(schema_prepare(db, f->path, failing, STORE_VERSION + 2, &f->err) < 0);
	assert_int_not_equal(sqlite3_exec(db, "SELECT until FROM environment", NULL, NULL, NULL),
			     SQLITE_OK);
	assert_int_not_equal(sqlite3_exec(db, "SELECT done FROM half", NULL, NULL, NULL),
			     SQLITE_OK);
	must(schema_prepare(db, f->path, working, STORE_VERSION + 1, &f->err), &f->err);
	assert_int_equal(sqlite3_exec(db, "SELECT until FROM environment", NULL, NULL, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(store_open(f->path, &f->s, &f->err), ERR_UNSUPPORTED); /* newer now */
}

static int keep_began(void *context, const struct store_rollout *r)
{
	*(size_t *)context = r->began_size;
	return 0;
}

static void what_the_first_schema_held_is_still_there(void **state)
{
	struct fixture *f = *state;
	size_t began = 1;
	sqlite3 *db;
	store_close(f->s);
	f->s = NULL;
	unlink(f->path);
	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	must(schema_prepare(db, f->path, schema_steps, 1, &f->err), &f->err);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	raw(f->path,
	    "INSERT INTO pin VALUES ('r', 'why');"
	    "INSERT INTO rollout VALUES (1, 'shop', 'prod', 'deploy', 'canary', '', '', 'running',"
	    " '', x'01', x'02', 1, 1, 0, 'ann', '', -1, NULL)");
	open_again(f);
	must(store_rollout_get(f->s, 1, keep_began, &began, &f->err), &f->err);
	assert_int_equal(began, 0);
}

static void a_store_in_memory_works_alike(void **state)
{
	(void)state;
	struct fixture f = {0};
	must(store_open(":memory:", &f.s, &f.err), &f.err);
	store_begin(f.s);
	put_state(f.s, "one", NULL);
	must(store_commit(f.s, &f.err), &f.err);
	assert_string_equal(state_of(&f), "one {} 7");
	store_close(f.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(what_is_committed_is_there_after_opening_again),
		TEST(a_rolled_back_transaction_leaves_nothing),
		TEST(one_failing_write_undoes_the_whole_transaction),
		TEST(a_value_over_the_limit_fails_and_one_at_it_does_not),
		TEST(a_second_open_is_refused),
		TEST(kill_9_loses_nothing_confirmed_and_keeps_nothing_by_halves),
		TEST(an_interrupted_checkpoint_does_not_look_like_damage),
		TEST(a_transaction_that_is_killed_before_commit_never_was),
		TEST(a_full_disk_fails_the_commit_and_changes_nothing),
		TEST(a_full_tmpfs_fails_the_commit_and_the_store_goes_on_after),
		TEST(an_urgent_transaction_takes_the_reserve),
		TEST(a_store_opens_on_a_full_disk_and_finds_its_reserve),
		TEST(without_room_for_the_reserve_only_urgent_transactions_are_taken),
		TEST(a_reserve_that_cannot_be_made_says_why),
		TEST(a_store_in_memory_needs_no_reserve),
		TEST(a_newer_store_is_refused_in_one_sentence_and_not_touched),
		TEST(a_newer_version_that_stands_only_in_the_log_is_refused_too),
		TEST(files_that_are_not_a_store_are_refused),
		TEST(older_schemas_are_brought_up_in_one_transaction),
		TEST(what_the_first_schema_held_is_still_there),
		cmocka_unit_test(a_store_in_memory_works_alike),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
