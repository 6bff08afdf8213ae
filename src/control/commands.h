/* SPDX-License-Identifier: Apache-2.0
 *
 * commands - what the commands share that are answered once, whoever repeats them, and those that begin a rollout.
 */
#ifndef CONTROL_COMMANDS_H
#define CONTROL_COMMANDS_H

#include "control/environment.h"

/* 1: this very request was carried out before, and `ret_rollout` is what it gave. `ret_digest` is what the turn
 * notes with it otherwise. */
MUST_CHECK int command_asked_before(struct control *c, const struct control_caller *caller,
				    struct digest *ret_digest, uint32_t *ret_rollout,
				    struct error *err, const char *format, ...)
	__attribute__((format(printf, 6, 7)));

/* In a transaction: the answer stands with what the request did, or not at all; it is kept for as long as somebody may
 * repeat it. */
void command_answered(struct control *c, const struct control_caller *caller,
		      const struct digest *request, uint32_t number);

/* Is the release, or its commit, marked bad here? ERR_DENIED, with the sentence that says what lifts it. */
MUST_CHECK int command_check_bad(struct environment *e, const char *release, struct error *err);

struct active_rollout *command_rollout_new(const char *kind, const char *reason);

/* Into the queue, with its place there committed; environment_start_next() sees to the rest. `r` is taken over.
 * `sentence`: for the audit log; may be "". */
MUST_CHECK int command_submit(struct environment *e, struct active_rollout *r,
			      const struct control_caller *caller, const struct digest *request,
			      const char *sentence, uint32_t *ret_rollout, struct error *err);

#endif
