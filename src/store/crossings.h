/* SPDX-License-Identifier: Apache-2.0
 *
 * crossings - the points of no return of an environment: where a rollout began to change what older releases need.
 *             See store.h for the rules that hold for every function of the store.
 *
 * WHAT  Only ever added. What was live before a crossing does not fit the data any more.
 */
#ifndef STORE_CROSSINGS_H
#define STORE_CROSSINGS_H

#include "store/store.h"

struct store_crossing {
	uint32_t rollout;
	char app[STORE_NAME_SIZE];
	char environment[STORE_NAME_SIZE];
	char release[STORE_ID_SIZE]; /* that needs it */
	uint64_t at_unix_ms;
};

/* The same rollout again changes nothing. */
void store_add_crossing(struct store *s, const struct store_crossing *crossing);
/* 1 and `ret_crossing`, the last one of the environment; 0: there was none. */
MUST_CHECK int store_crossing_last(struct store *s, const char *app, const char *environment,
				   struct store_crossing *ret_crossing, struct error *err);

#endif
