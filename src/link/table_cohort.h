/* SPDX-License-Identifier: Apache-2.0
 *
 * table_cohort - whose requests a release gets that is tried, whatever its weight; a part of link/table.h.
 *
 * WHAT  A request of which one rule holds is a member's: a field or a cookie has one of the values, byte for byte, or the
 *       client's address is in one of the networks (base/cidr.h).
 * LIMITS The enum below. Rules without a release do nothing: they may stand while nothing is tried.
 * SEE   traffic/cohort.h for where members go, gateway/cohort.h for who is one
 */
#ifndef LINK_TABLE_COHORT_H
#define LINK_TABLE_COHORT_H

#include <stdbool.h>
#include <stdint.h>

enum {
	TABLE_COHORT_RULES_MAX = 16,
	TABLE_COHORT_VALUES_MAX = 16, /* of one rule */
	TABLE_COHORT_TEXT_SIZE = 96,  /* with the NUL */
};

enum table_cohort_kind {
	TABLE_COHORT_HEADER,
	TABLE_COHORT_COOKIE,
	TABLE_COHORT_NETWORK,
	TABLE_COHORT_COUNT
};

struct table_cohort_rule {
	enum table_cohort_kind kind;
	char name[TABLE_COHORT_TEXT_SIZE]; /* of the field or cookie; "" of networks */
	uint32_t value_count;              /* at least 1 */
	char values[TABLE_COHORT_VALUES_MAX][TABLE_COHORT_TEXT_SIZE];
};

struct table_cohort {
	uint16_t
		release; /* index in releases[], of the same environment; TABLE_NONE = none is tried */
	bool only; /* nobody else gets there; those who are no members stay with the live release */
	uint32_t rule_count;
	struct table_cohort_rule rules[TABLE_COHORT_RULES_MAX];
};

#endif
