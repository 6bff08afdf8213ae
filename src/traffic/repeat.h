/* SPDX-License-Identifier: Apache-2.0
 *
 * repeat - whether a failure is news, or the same client's blind second try of what has just failed.
 *
 * WHAT  A client that sends a failed request again at once makes one incident look like many. A failure is
 *       a repetition when a failure of the same client, release and request was counted as news less
 *       than REPEAT_MS ago. A repetition does not renew that time: who fails all the time is news once in
 *       REPEAT_MS, and never silent.
 * HOW   The caller keeps a struct repeat for each client connection, all zero bytes at first, and names
 *       a request by a hash of its method and target. The last failed request of REPEAT_RELEASES releases
 *       is remembered: the new one and the live one that took over from it, or whom the split hit next.
 * UNITS Monotonic milliseconds, never 0.
 */
#ifndef TRAFFIC_REPEAT_H
#define TRAFFIC_REPEAT_H

#include <stdbool.h>
#include <stdint.h>

enum { REPEAT_MS = 1000, REPEAT_RELEASES = 2 };

struct repeat {
	struct repeat_failure {
		uint64_t request;
		uint64_t at_ms; /* 0 = none */
		uint32_t release;
	} last[REPEAT_RELEASES];
};

/* The request has failed in the release. True: it is a repetition. */
bool repeat_failed(struct repeat *repeat, uint32_t release, uint64_t request, uint64_t now_ms);

/* The release has answered it well: what fails next is news. Else a connection that many people share, as one of a
 * proxy that is not trusted, would count one failure a second of a page that all of them ask for. */
void repeat_answered(struct repeat *repeat, uint32_t release, uint64_t request);

#endif
