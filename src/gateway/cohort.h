/* SPDX-License-Identifier: Apache-2.0
 *
 * cohort - is this request one of a cohort's member?
 *
 * HOW   cohort_make() reads an environment's rules once, for a table; cohort_has() asks for each request. The first rule
 *       that holds is enough. Values are compared byte for byte; of a field that comes several times each value counts.
 *       The client's address is the peer's, or behind proxies that the table trusts the last one in X-Forwarded-For
 *       that is none of them: what stands before it, anybody can have written.
 * OWNS  The caller frees a cohort with free(); it points into the table.
 * SEE   link/table_cohort.h, traffic/cohort.h
 */
#ifndef GATEWAY_COHORT_H
#define GATEWAY_COHORT_H

#include "base/cidr.h"
#include "gateway/core.h"
#include "link/table_cohort.h"

struct cohort;

/* NULL where no release is tried, or there are no rules. They have passed table_check(); names of fields are in lower case. */
struct cohort *cohort_make(const struct table_cohort *rules);

/* `address` is the client's; NULL: not known, and in no network. */
bool cohort_has(const struct cohort *cohort, const struct http1_head *head, const char *data,
		const uint8_t *address);

/* False: it is not known. */
bool cohort_address(const struct live *live, const struct http1_head *head, const char *data,
		    const char *peer, uint8_t ret_address[CIDR_ADDRESS_SIZE]);

/* Is it a member's? */
bool cohort_takes(const struct exchange *x);

#endif
