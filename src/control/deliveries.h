/* SPDX-License-Identifier: Apache-2.0
 *
 * deliveries - what git hosts sent, once each: a request that is sent again, by whomever, starts nothing.
 */
#ifndef CONTROL_DELIVERIES_H
#define CONTROL_DELIVERIES_H

#include "control/control.h"

/* Committed when it returns 0. ERR_CONFLICT: this body was taken before. */
MUST_CHECK int control_take_delivery(struct control *c, const struct control_caller *caller,
				     const char *app, const struct digest *body, const char *about,
				     struct error *err);

#endif
