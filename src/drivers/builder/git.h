/* SPDX-License-Identifier: Apache-2.0
 *
 * git - ask the `git` command something: with no shell, no configuration of the system or the user, no hooks, no pager,
 *       no network but where it is asked for. What runs programs of a repository's choice is off, whatever its own configuration says.
 *
 * HOW   git_run() for all that it answers, git_line() for one line. Blocks; may run in any thread; `cancelled` ends it.
 *       The caller's words come after git's own options: the names of strangers behind "--" or inside of a longer word.
 * ERRORS INVALID what git refuses, in its own words (escaped) · UNSUPPORTED it is not installed · TIMEOUT · CLOSED
 *       cancelled.
 */
#ifndef DRIVERS_BUILDER_GIT_H
#define DRIVERS_BUILDER_GIT_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { GIT_LINE_MAX = 4096, GIT_VARIABLES_MAX = 16 };

struct git_ask {
	const char *directory;
	const char *verb; /* for the sentence: "git cannot VERB: ..." */
	uint64_t deadline_ms;
	const char *const
		*variables; /* NULL, or more of them: up to GIT_VARIABLES_MAX, then NULL */
	const atomic_bool *cancelled; /* NULL: never */
	const char *protocols;        /* "https:ssh": what may be fetched by; NULL: nothing */
};

int git_run(const struct git_ask *ask, const char *const *words, struct buf *out,
	    struct error *err) MUST_CHECK;
int git_line(const struct git_ask *ask, const char *const *words, char *to, size_t size,
	     struct error *err) MUST_CHECK;

#endif
