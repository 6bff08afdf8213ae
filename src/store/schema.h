/* SPDX-License-Identifier: Apache-2.0
 *
 * schema - the tables, and the way from each older version of them to this one.
 *
 * HOW    Step i brings version i to version i+1; step 0 makes the tables in an empty file. Steps
 *        are only ever added. schema_prepare() runs what is missing, in one transaction, and
 *        writes the version into the file's header (user_version, beside davit's application_id).
 * LIMITS Internal to src/store; the tests pass steps of their own.
 */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include <sqlite3.h>

#include "base/err.h"

enum { SCHEMA_APPLICATION_ID = 0x64617674 /* "davt" */ };

/* STORE_VERSION of them, each a list of SQL texts that ends with NULL. */
extern const char *const *const schema_steps[];

/* Refuse a file of somebody else or of a newer davit, without touching it. One that does not exist
 * passes. `path` as for store_open(). */
MUST_CHECK int schema_probe(const char *path, int version, struct error *err);

/* The same on an open connection (its log may be ahead of the file), then bring it up to `version`.
 */
MUST_CHECK int schema_prepare(sqlite3 *db, const char *path, const char *const *const *steps,
			      int version, struct error *err);

#endif
