/* SPDX-License-Identifier: Apache-2.0
 *
 * clear - what the gateway answers itself before it looks for a release: an authority that asks whether a host is
 *         here (gateway/acme.h), and clients in clear that belong to HTTPS.
 *
 * WHAT  At a listener that environments name as their `redirect`:
 *         a host of their routes, or one that their certificate is for   308 to it, by HTTPS
 *         a host that a route names at this listener itself              is served in clear
 *         every other host                                               421
 *       A host that somebody made up is never sent anywhere. Of the environment that the host belongs to,
 *       ACME_PATH is answered from its directory of challenges, at every listener; where there is no such file it
 *       is a request like any other, but at such a listener 404: an authority is not sent away.
 */
#ifndef GATEWAY_CLEAR_H
#define GATEWAY_CLEAR_H

#include "gateway/core.h"

/* live->redirects. */
void clear_prepare(struct live *live);

/* True: it has been answered, and the turn is what that came to. */
bool clear_dispatch(struct worker *w, struct exchange *x, enum turn *ret_turn);

#endif
