/* SPDX-License-Identifier: Apache-2.0
 *
 * deliveries - requests of git hosts that were taken, by the digest of their body: none is taken twice. See store.h for
 *              the rules that hold for every function of the store.
 */
#ifndef STORE_DELIVERIES_H
#define STORE_DELIVERIES_H

#include "base/digest.h"
#include "store/store.h"

enum { STORE_DELIVERIES_KEPT = 1000 };

/* 1: taken before, 0: not. */
MUST_CHECK int store_delivery_find(struct store *s, const char *app, const struct digest *body,
				   struct error *err);
/* The last STORE_DELIVERIES_KEPT of an application are kept. */
void store_add_delivery(struct store *s, const char *app, const struct digest *body,
			uint64_t at_unix_ms);

#endif
