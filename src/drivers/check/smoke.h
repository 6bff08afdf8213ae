/* SPDX-License-Identifier: Apache-2.0
 *
 * smoke - the check runner of one machine: GETs by libcurl, commands by /bin/sh, on the controller's loop.
 * SEE   provider/check.h for the contract. No redirect is followed and no proxy used: the answer that is
 *       judged is that of the instance itself.
 */
#ifndef DRIVERS_CHECK_SMOKE_H
#define DRIVERS_CHECK_SMOKE_H

#include "os/loop.h"
#include "provider/check.h"

struct mask;

/* What a scan has left. Paths can be opened until it is judged. */
struct smoke_report {
	const struct check *check;
	const char *path;
	const char *tree;    /* the release's files */
	const char *address; /* of the instance that was scanned */
	/* What its command was given, and nobody may read; NULL: nothing. */
	const struct mask *mask;
	const struct check_base *base; /* what is known, where the check names no baseline */
	const char *known;             /* a path to its findings; NULL: there are none */
};

/* Reads it, in another thread: 0 when nothing in it stands in the way, else the reason. `ret_found` is filled also where
 * something does; its `kept` is a buffer that the caller made. */
typedef int smoke_judge(const struct smoke_report *report, struct check_found *ret_found,
			struct error *err);

/* Scans get directories below D/checks, of the state directory D; what an earlier controller left there goes. */
struct check_runner *smoke_new(struct loop *loop, int state_fd, smoke_judge *judge);
void smoke_free(struct check_runner *runner); /* cancels what is under way; NULL is allowed */

#endif
