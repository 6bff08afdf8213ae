/* SPDX-License-Identifier: Apache-2.0
 *
 * source_look - one look at a git repository: which branches and tags have moved since the last one, and which of them
 *               are to be built.
 *
 * WHAT  A repository elsewhere is fetched into a mirror of our own, with no configuration or hook but ours; one that this
 *       server holds is read where it is. What was seen is a file: the place, and the output of git for-each-ref. Without
 *       one, or with one of another place, it is the first look: branches count as moved, tags as known, for nobody wants to deploy all that ever was.
 *       Only the file davit.yaml of the commit itself says whether a ref is built, and at which times. A commit whose file
 *       is wrong changes nothing of the times that the one before it said.
 *
 * HOW   source_look() blocks: in a thread of its own. The caller orders the builds, and then writes the file with
 *       source_look_seen(): in between nothing is lost, and an order is taken once.
 * OWNS  source_look_free().
 * LIMITS SOURCE_CHANGES_MAX refs a look, or as many as have SOURCE_SCHEDULES_MAX environments with times, the others at the next one; SOURCE_REFS_MAX bytes of refs.
 * ERRORS What git says, in its words; CLOSED cancelled; DENIED the token's file is open to others.
 */
#ifndef DAEMON_SOURCE_LOOK_H
#define DAEMON_SOURCE_LOOK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "drivers/builder/checkout.h"
#include "store/schedules.h"

enum {
	SOURCE_CHANGES_MAX = 100,
	SOURCE_SCHEDULES_MAX = 100,
	SOURCE_REFS_MAX = 8 << 20,
	SOURCE_REF_SIZE = CHECKOUT_NAME_MAX + 16,
	SOURCE_NOTE_SIZE = 512
};

struct source_place {
	const char *app;
	const char *git;        /* NULL: nothing is fetched, `repository` is the place itself */
	const char *token_file; /* NULL: none */
	const char *repository; /* absolute, and the following */
	const char *seen;
	const char *scratch; /* a directory that is made and removed */
};

struct source_change {
	char ref[SOURCE_REF_SIZE];
	char commit[CHECKOUT_ID_SIZE];
};

struct source_found {
	uint32_t refs;
	bool more; /* look again at once */
	uint32_t count;
	struct source_change
		changes[SOURCE_CHANGES_MAX]; /* to be built, in the order of their names */
	char note
		[SOURCE_NOTE_SIZE]; /* the last one that is not built although it moved; "": none */
	struct buf seen;
	bool seen_changed;
	struct buf
		read; /* refs that have moved to a commit with a good file: " NAME" and a newline each */
	uint32_t scheduled;
	struct store_schedule *schedules; /* of those: ref, environment, times, zone and tip */
};

MUST_CHECK int source_look(const struct source_place *place, const atomic_bool *cancelled,
			   struct source_found *ret_found, struct error *err);
MUST_CHECK int source_look_seen(const struct source_place *place, const struct source_found *found,
				struct error *err);
void source_look_free(struct source_found *found); /* also of one that failed */

#endif
