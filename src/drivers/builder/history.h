/* SPDX-License-Identifier: Apache-2.0
 *
 * history - the commits of repositories by the `git` command; see provider/history.h for the interface.
 *
 * HOW   `scratch` is a directory of its own, made when it is needed: commits are read from there, with the objects of the
 *       repository alone, so that its configuration has no say. Only tags are written into a repository, and only
 *       below `hosted`.
 *       history_cancel() ends what is under way, for good; history_free() when nothing is.
 */
#ifndef DRIVERS_BUILDER_HISTORY_H
#define DRIVERS_BUILDER_HISTORY_H

#include "provider/history.h"

MUST_CHECK int history_new(const char *scratch, const char *hosted, const char *copies,
			   struct history **ret_history, struct error *err);
void history_cancel(struct history *history);
void history_free(struct history *history); /* NULL is allowed */

#endif
