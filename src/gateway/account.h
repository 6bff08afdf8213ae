/* SPDX-License-Identifier: Apache-2.0
 *
 * account - the numbers that the controller judges by: each given request is started once and completed
 *           once in its release, and answered once before that.
 *
 * HOW   account_start() when a release is chosen, account_head() when the head of its answer is there,
 *       account_failure(), account_no_backend() or account_overload() when davit gave up on the release, account_end() when it
 *       is over either way (which answers it, if nothing did). Errors are counted at the backend that was
 *       tried last too, and once more as repeated where traffic/repeat.h says so.
 *       Of gRPC the head says nothing of how it went: account_begun() stands for account_head() then, and account_status() is
 *       called at its end.
 *       A request is counted as divided where its release was drawn by weight for it alone: so that these are
 *       independent draws, whatever users do. That is not one of a preview; nor of a user who has a unit already, for
 *       that was divided with the first one; nor one that the live release takes over; nor while a release without
 *       a ready backend leaves its weight to others.
 */
#ifndef GATEWAY_ACCOUNT_H
#define GATEWAY_ACCOUNT_H

#include "gateway/core.h"

/* In the release and the class of the request; a shadow's are those of the mirror. */
void account_release(struct worker *w, const struct exchange *x, enum counters_release_field field,
		     uint64_t amount);
void account_shadow(struct worker *w, const struct table_release *release, uint8_t class,
		    enum counters_release_field field);
void account_environment(struct worker *w, const struct table_environment *environment,
			 enum counters_environment_field field);
void account_worker(struct worker *w, enum counters_worker_field field);
void account_time(struct worker *w, const struct exchange *x, enum counters_histogram histogram,
		  uint64_t us);

void account_start(struct worker *w, struct exchange *x);
void account_head(struct worker *w, struct exchange *x, unsigned status);
void account_begun(struct worker *w, struct exchange *x);
void account_status(struct worker *w, struct exchange *x, unsigned status);
/* The first byte of a connection of TCP came from its backend: measured from its client's first byte, or, where the backend
 * speaks first, from its beginning. */
void account_connection(struct worker *w, struct exchange *x);
/* Nothing was asked in it, and so nothing is missing. */
void account_quiet(struct worker *w, struct exchange *x);
void account_failure(struct worker *w, struct exchange *x, enum failure why);
void account_no_backend(struct worker *w, struct exchange *x);
/* It was not served where it waited, or was to wait; it is given to its release, if it was not yet. */
void account_overload(struct worker *w, struct exchange *x, enum counters_release_field field);
void account_cancelled(struct worker *w, struct exchange *x);
void account_end(struct worker *w, struct exchange *x);

#endif
