/* SPDX-License-Identifier: Apache-2.0
 *
 * trigger - does a push bring a release to an environment?
 *
 * HOW   PURE. `ref` is a full name as git has it: refs/heads/main, refs/tags/v1.4.2; a stranger's bytes.
 */
#ifndef CONFIG_TRIGGER_H
#define CONFIG_TRIGGER_H

#include <stdbool.h>
#include <stddef.h>

#include "config/app.h"

/* Of the whole file: true, and their names with commas between, as many as have room. */
bool trigger_environments(const struct app *app, const char *ref, char *to, size_t size);
/* The same of those that get what the ref is at times. */
bool trigger_timed_environments(const struct app *app, const char *ref, char *to, size_t size);

/* Is it about this ref, be it for a push or for its times? */
bool trigger_names(const struct app_trigger *trigger, const char *ref);
/* For a push: one that has times waits for them. */
bool trigger_matches(const struct app_trigger *trigger, const char *ref);
/* For its times. */
bool trigger_is_timed(const struct app_trigger *trigger, const char *ref);

/* "main", or "release/" for all below it. */
bool trigger_branch_is(const char *pattern, const char *branch);
/* "v1.4.2", or "v*" for all that begin so. */
bool trigger_tag_is(const char *pattern, const char *tag);

/* The branch that one which brings a release nowhere may learn from: the first that a trigger names in full. NULL for a
 * ref that has a trigger itself, and where no branch is named. */
const char *trigger_fallback(const struct app *app, const char *ref);

#endif
