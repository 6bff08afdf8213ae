/* SPDX-License-Identifier: Apache-2.0
 *
 * preview_link - a link that lets a browser see a release before users do: it sets the cookie of a signed token.
 *
 * WHAT  GET PREVIEW_LINK_PATH?token=TOKEN[&to=PATH], at every host of an environment and below every path of it: a
 *       token that holds (base/preview_token.h) is answered 303 to PATH, or to "/", with the cookie
 *       ROUTE_PREVIEW_COOKIE for the rest of the token's life; any other is answered 403.
 * HOW   What is asked for there is the gateway's own in every environment and mode: it goes to no backend and to no
 *       shadow, and the access log has no query of it. Nor does a page that it leads to learn where its reader came
 *       from (Referrer-Policy), or a cache keep it. PATH leads to no other host (wire/query.h).
 * LIMITS PREVIEW_LINK_TO_MAX bytes of PATH, as it is sent back.
 */
#ifndef GATEWAY_PREVIEW_LINK_H
#define GATEWAY_PREVIEW_LINK_H

#include "gateway/core.h"

enum { PREVIEW_LINK_TO_MAX = 2048 };

/* Its head is parsed. */
bool preview_link_asked(const struct exchange *x);

/* Its route is known. */
enum turn preview_link_answer(struct worker *w, struct exchange *x);

#endif
