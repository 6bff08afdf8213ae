/* SPDX-License-Identifier: Apache-2.0
 * A store in a directory of its own, and short ways to write and to count what is in it. */
#ifndef UNIT_STORE_COMMON_H
#define UNIT_STORE_COMMON_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../cmocka_all.h"

#include <sqlite3.h>

#include "base/text.h"
#include "store/audit.h"
#include "store/builds.h"
#include "store/crossings.h"
#include "store/infrastructure.h"
#include "store/releases.h"
#include "store/rollouts.h"
#include "store/store.h"

struct fixture {
	char directory[64];
	char path[80];
	struct store *s;
	struct error err;
};

static inline void must(int code, const struct error *err)
{
	if (code < 0)
		fail_msg("%s: %s", err_name((enum err)code), err->text);
}

static inline void open_again(struct fixture *f)
{
	must(store_open(f->path, &f->s, &f->err), &f->err);
}

static inline int set_up(void **state)
{
	struct fixture *f = mem_zero(1, sizeof *f);
	text_copy(f->directory, sizeof f->directory, "/tmp/davit-store-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	snprintf(f->path, sizeof f->path, "%s/davit.db", f->directory);
	open_again(f);
	*state = f;
	return 0;
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal", "-reserve"};
	store_close(f->s);
	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		char name[96];
		snprintf(name, sizeof name, "%s%s", f->path, suffixes[i]);
		unlink(name);
	}
	assert_int_equal(rmdir(f->directory), 0);
	free(f);
	return 0;
}

/* SQL by the back door, while the store is closed. */
static inline void raw(const char *path, const char *sql)
{
	sqlite3 *db;
	char *message = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static inline struct store_rollout a_rollout(uint32_t number, const char *state)
{
	struct store_rollout r = {.number = number,
				  .plan = "plan",
				  .plan_size = 4,
				  .state = state,
				  .state_size = strlen(state),
				  .created_unix_ms = 1000 + number,
				  .verdict_to_zero_ms = -1};
	text_copy(r.app, sizeof r.app, "shop");
	text_copy(r.environment, sizeof r.environment, "prod");
	text_copy(r.kind, sizeof r.kind, "deploy");
	text_copy(r.strategy, sizeof r.strategy, "canary");
	text_copy(r.state_name, sizeof r.state_name, "RUNNING");
	return r;
}

static inline struct store_audit_entry an_entry(const char *action, const char *reason)
{
	struct store_audit_entry e = {.at_unix_ms = 42, .rollout = 1};
	text_copy(e.who, sizeof e.who, "ann");
	text_copy(e.action, sizeof e.action, action);
	text_copy(e.app, sizeof e.app, "shop");
	text_copy(e.environment, sizeof e.environment, "prod");
	text_copy(e.reason, sizeof e.reason, reason);
	return e;
}

#endif
