/* SPDX-License-Identifier: Apache-2.0
 *
 * waivers - findings that a team has decided to live with, for a time: waivers.yaml in the repository.
 *
 *     waivers:
 *       - rule: FF1001            # as the tool calls it
 *         path: src/greet.c       # a file, or a folder that ends in "/"; left out: everywhere
 *         tool: Flawfinder        # left out: of every tool
 *         reason: the length is checked by the caller
 *         owner: ann@example.org
 *         until: 2027-01-31       # the last day on which it counts, in UTC
 *
 * WHAT  There are no patterns: what a waiver covers can be read off it. A reviewer sees it in the diff. One whose
 *       day has passed counts no more, and is told.
 *
 * OWNS  waivers_done() frees.
 * ERRORS ERR_INVALID, where = file:line:column.
 * LIMITS WAIVERS_MAX waivers; config/yaml.h.
 */
#ifndef SCAN_WAIVERS_H
#define SCAN_WAIVERS_H

#include <stddef.h>
#include <stdint.h>

#include "scan/finding.h"

enum { WAIVERS_MAX = 1000, WAIVER_DATE_SIZE = 11 };

struct waiver {
	char *rule, *path, *tool; /* path and tool: "" = any */
	char *reason, *owner;
	char until[WAIVER_DATE_SIZE]; /* "2027-01-31" */
	uint32_t line;                /* in the file */
	uint32_t used;                /* findings that it covers, or would if it had not expired */
	bool expired;
};

struct waivers {
	struct waiver *items;
	uint32_t count;
};

int waivers_read(const char *file, const char *text, size_t size, struct waivers *ret_waivers,
		 struct error *err) MUST_CHECK;
void waivers_done(struct waivers *waivers);

/* New and existing findings that a waiver covers become waived; the first in the file counts. Which have expired
 * at `now_unix_ms`, and how many findings each covers, is written into `waivers`. */
void waivers_apply(struct waivers *waivers, uint64_t now_unix_ms, struct findings *list);

#endif
