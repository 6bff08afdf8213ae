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

/* What a scan has left. */
struct smoke_report {
	const struct check *check;
	const char *path; /* can be opened until it is judged */
	const char *tree; /* the release's files */
	const struct mask
		*mask; /* what its command was given, and nobody may read; NULL: nothing */
};

/* Reads it, in another thread: 0 when nothing in it stands in the way, else the reason. */
typedef int smoke_judge(const struct smoke_report *report, struct error *err);

/* Scans get directories below D/checks, of the state directory D; what an earlier controller left there goes. */
struct check_runner *smoke_new(struct loop *loop, int state_fd, smoke_judge *judge);
void smoke_free(struct check_runner *runner); /* cancels what is under way; NULL is allowed */

#endif
