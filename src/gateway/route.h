/* SPDX-License-Identifier: Apache-2.0
 *
 * route - what a request's head decides: environment, release, and whether it may go there now.
 *
 * HOW   route_choose() pins the current table in the exchange and picks, in this order: the route by host
 *       and path; the release that a preview token names; the environment's mode, and whether it is read-only; the
 *       release that is tried, for a member of its cohort (gateway/cohort.h); the sticky unit's
 *       release; a release by weight, at random. route_renew() brings a request that failed over to the
 *       current table, if its release is still there. Nothing a client sends but the token, what makes
 *       it a member, and its unit can choose a release.
 *       A preview token is the release's own (table_release.preview), in the field alone, or a signed one
 *       (base/preview_token.h), in the field or the cookie. Neither goes on to a backend.
 * UNITS A sticky cookie is "unit.mac", each 16 lower-case hex digits; the mac is the keyed hash of the unit
 *       under the environment's key, so that nobody can pick a unit that hashes to a release.
 */
#ifndef GATEWAY_ROUTE_H
#define GATEWAY_ROUTE_H

#include "gateway/core.h"

#define ROUTE_PREVIEW_FIELD  "x-davit-preview"
#define ROUTE_PREVIEW_COOKIE "davit-preview"

enum { ROUTE_COOKIE_SIZE = 2 * STICKY_UNIT_SIZE + 1 };

enum route_decision {
	ROUTE_RELEASE,     /* x->release is chosen */
	ROUTE_HOLD,        /* parked, or no backend is ready: wait in the room */
	ROUTE_MAINTENANCE, /* 503 */
	ROUTE_READ_ONLY,   /* 503: it may change something, and may not now */
	ROUTE_UNSERVED,    /* 503: no release has a process for it, or none for the preview */
	ROUTE_LINK,        /* it brings a preview's token: preview_link_answer() */
	ROUTE_NOWHERE,     /* 404 */
};

enum route_decision route_choose(struct worker *w, struct exchange *x);
/* The release, within the environment, that a signed token is of, while it lasts, or -1. */
int route_signed(const struct exchange *x, const char *token, size_t size);

/* The same of a connection of TCP: by mode and weight alone. In an environment that is read-only it is let in no more than in
 * one under maintenance: nobody can say what it may change. */
enum route_decision route_choose_connection(struct worker *w, struct exchange *x);

/* All that came of it is still there, so that another backend may have it. */
bool route_is_whole(const struct exchange *x);

void route_use(struct exchange *x, uint32_t release_index);
void route_renew(struct worker *w, struct exchange *x);

/* "unit.mac" of x->unit; not terminated. */
void route_cookie(const struct exchange *x, char to[ROUTE_COOKIE_SIZE]);

#endif
