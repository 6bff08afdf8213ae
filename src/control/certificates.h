/* SPDX-License-Identifier: Apache-2.0
 *
 * certificates - the certificates of environments: whether they can be used, how long, and orders of those that an
 *                authority gives (`tls: { acme: … }`).
 *
 * HOW   Files are looked at every CERTIFICATES_LOOK_MS. What is due (renewal.h) is ordered, one at a time for all
 *       environments, once the gateway listens; before that it is written down as tried. The gateway sees by itself
 *       that the file is another one.
 *       certificates_check() is asked before a deployment: a pair that the gateway would refuse is refused here,
 *       and so is an order that nothing here could place.
 */
#ifndef CONTROL_CERTIFICATES_H
#define CONTROL_CERTIFICATES_H

#include <stdint.h>

#include "base/err.h"
#include "control/view_certificate.h"

enum { CERTIFICATES_LOOK_MS = 10 * 1000 };

struct control;
struct environment;
struct resolved;
struct router_tls;

MUST_CHECK int certificates_check(struct control *c, const struct resolved *config,
				  struct error *err);

/* What the gateway is told of it. */
void certificates_fill(struct control *c, const struct resolved *config, struct router_tls *to);

void certificates_tick(struct control *c);
void certificates_show(struct environment *e, struct view_certificate *to);
void certificates_forget(struct environment *e);
void certificates_release(struct control *c);

#endif
