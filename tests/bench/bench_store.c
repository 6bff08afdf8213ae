/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_store - what a transition costs: state, transition, evidence and audit in one commit,
 *               against one bare BEGIN; INSERT; COMMIT of the same SQLite with the same settings, in the
 *               same directory, in turns.
 *
 * HOW   bench_store [DIRECTORY] [SECONDS]   (default: /tmp, 2 a side)
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "store/audit.h"
#include "store/rollouts.h"
#include "store/store.h"

enum { ROUNDS = 10, STATE_BYTES = 4096 };

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "bench_store: %s\n", what);
		exit(1);
	}
}

/* One transition of rollout 1, as control commits it. */
static void transition(struct store *s, uint32_t n)
{
	static uint8_t state[STATE_BYTES];
	struct error err;
	struct store_rollout r = {.number = 1,
				  .app = "shop",
				  .environment = "prod",
				  .strategy = "canary",
				  .state_name = "RUNNING",
				  .plan = n == 1 ? state : NULL,
				  .plan_size = STATE_BYTES,
				  .state = state,
				  .state_size = STATE_BYTES};
	struct store_transition t = {.rollout = 1, .seq = n, .from = "RUNNING", .to = "RUNNING"};
	struct store_evidence e = {.rollout = 1, .step = n, .attempt = 1, .verdict = "pass"};
	struct store_audit_entry a = {.who = "davit", .action = "rollout.step", .rollout = 1};
	memcpy(state, &n, sizeof n);
	store_begin(s);
	store_put_rollout(s, &r);
	store_add_transition(s, &t);
	store_add_evidence(s, &e);
	store_add_audit(s, &a);
	must(store_commit(s, &err) == 0, err.text);
}

static sqlite3 *open_bare(const char *path)
{
	sqlite3 *db;
	must(sqlite3_open(path, &db) == SQLITE_OK, "open");
	must(sqlite3_exec(db,
			  "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
			  "PRAGMA synchronous = FULL; CREATE TABLE t (a INTEGER PRIMARY KEY, b)",
			  NULL, NULL, NULL) == SQLITE_OK,
	     "create");
	return db;
}

static void bare(sqlite3 *db)
{
	must(sqlite3_exec(db, "BEGIN; INSERT INTO t (b) VALUES (1); COMMIT", NULL, NULL, NULL) ==
		     SQLITE_OK,
	     "insert");
}

static void clean(const char *directory, const char *name)
{
	static const char *const suffixes[] = {"", "-wal", "-reserve"};
	char path[256];
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		snprintf(path, sizeof path, "%s/%s%s", directory, name, suffixes[i]);
		unlink(path);
	}
}

int main(int argc, char **argv)
{
	char directory[128], path[160];
	double seconds = argc > 2 ? strtod(argv[2], NULL) : 2, took[2] = {0};
	uint32_t count[2] = {0};
	struct store *s;
	struct error err;
	snprintf(directory, sizeof directory, "%s/bench-store-XXXXXX", argc > 1 ? argv[1] : "/tmp");
	must(mkdtemp(directory) != NULL, "mkdtemp");
	snprintf(path, sizeof path, "%s/davit.db", directory);
	must(store_open(path, &s, &err) == 0, "store_open");
	snprintf(path, sizeof path, "%s/bare.db", directory);
	sqlite3 *db = open_bare(path);
	/* In turns, so that a noisy neighbour meets both. */
	for (int round = 0; round < ROUNDS; round++) {
		for (int side = 0; side < 2; side++) {
			double start = now_s();
			while (now_s() - start < seconds / ROUNDS) {
				count[side]++;
				if (side == 0)
					transition(s, count[0]);
				else
					bare(db);
			}
			took[side] += now_s() - start;
		}
	}
	double ours = count[0] / took[0], theirs = count[1] / took[1];
	printf("store: %.0f transitions/s (4 writes each), bare insert: %.0f commits/s, ratio "
	       "%.2f\n",
	       ours, theirs, ours / theirs);
	store_close(s);
	sqlite3_close(db);
	clean(directory, "davit.db");
	clean(directory, "bare.db");
	return rmdir(directory) == 0 ? 0 : 1;
}
