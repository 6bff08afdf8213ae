/* SPDX-License-Identifier: Apache-2.0
 *
 * builtin_table - router documents to one gateway table and back, and the places in the counters.
 *
 * WHAT  A place ("stats slot") belongs to an environment, a release of one, or an instance, by name. It
 *       stays for as long as a table names it, and goes to another only when no request can count into
 *       it any more; the one that was free the longest goes first.
 *
 * OWNS  Everything is the caller's. Names are copied.
 * ERRORS ERR_LIMIT when a table has no room for the documents.
 */
#ifndef DRIVERS_ROUTER_BUILTIN_TABLE_H
#define DRIVERS_ROUTER_BUILTIN_TABLE_H

#include "base/err.h"
#include "link/counters.h"
#include "link/table.h"
#include "provider/router_document.h"

enum { PLACE_KEY_SIZE = 3 * ROUTER_NAME_SIZE };

struct place {
	char key[PLACE_KEY_SIZE]; /* "" = never used */
	uint64_t last_named;      /* generation of the last table that had it */
};

struct places {
	struct place environments[COUNTERS_ENVIRONMENTS];
	struct place releases[COUNTERS_RELEASES];
	struct place backends[COUNTERS_BACKENDS];
};

/* The places as a table that is in force has them. */
void places_note_table(struct places *places, const struct gateway_table *table);

/*
 * Make the table `generation` of `documents`.
 *   oldest  counters_oldest(): requests of older generations are all over
 */
int builtin_table_make(struct places *places, const struct router_document *const *documents,
		       size_t count, uint64_t generation, uint64_t oldest,
		       struct gateway_table *ret_table, struct error *err) MUST_CHECK;

/* The document that environment `index` of a table is the rendering of, as far as the table tells. */
void builtin_table_read(const struct gateway_table *table, uint32_t index,
			struct router_document *ret_document);

#endif
