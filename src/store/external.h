/* SPDX-License-Identifier: Apache-2.0
 *
 * external - builds that were made elsewhere, by the name that the other system has for each. See store.h for the rules that
 *            hold for every function of the store. The build itself is a row of store/builds.h.
 */
#ifndef STORE_EXTERNAL_H
#define STORE_EXTERNAL_H

#include "store/store.h"

enum { STORE_RUN_SIZE = 129, STORE_URL_SIZE = 513 };

struct store_external {
	char app[STORE_NAME_SIZE];
	char run[STORE_RUN_SIZE]; /* "github/acme/shop/8123/1" */
	char url[STORE_URL_SIZE]; /* for people; "": none */
	uint32_t build;
	struct digest content; /* of what was said of it */
};

void store_add_external(struct store *s, const struct store_external *external);
/* 1 and the row, 0: there is none. */
MUST_CHECK int store_external_find(struct store *s, const char *app, const char *run,
				   struct store_external *ret_external, struct error *err);
MUST_CHECK int store_external_of_build(struct store *s, uint32_t build,
				       struct store_external *ret_external, struct error *err);

#endif
