/* SPDX-License-Identifier: Apache-2.0
 *
 * infrastructure - what a rollout plans to change of the infrastructure: what an approval is bound to, beside the
 *                  release. See store.h for the rules that hold for every function of the store.
 *
 * WHAT  One row a rollout, written once its plan has ended well, never changed after that.
 */
#ifndef STORE_INFRASTRUCTURE_H
#define STORE_INFRASTRUCTURE_H

#include "store/store.h"

enum { STORE_SUMMARY_SIZE = 2048 };

struct store_infrastructure {
	uint32_t rollout;
	bool changes;               /* false: there is nothing to do */
	char digest[STORE_ID_SIZE]; /* of the plan's file; "" where there is nothing to do */
	char summary[STORE_SUMMARY_SIZE];
	uint64_t at_unix_ms;
};

/* The same rollout again changes nothing. */
void store_add_infrastructure(struct store *s, const struct store_infrastructure *row);
/* 1 and `ret_row`; 0: it has planned nothing yet. */
MUST_CHECK int store_infrastructure_get(struct store *s, uint32_t rollout,
					struct store_infrastructure *ret_row, struct error *err);

#endif
