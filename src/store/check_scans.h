/* SPDX-License-Identifier: Apache-2.0
 *
 * check_scans - what the scans of running releases found, kept so that later releases can be held against it. See store.h
 *               for the rules that hold for every function of the store.
 *
 * WHAT  A row for each scan of a check, by release and environment: the last one that nothing stood in the way of. The
 *       findings themselves are a set of findings.h.
 */
#ifndef STORE_CHECK_SCANS_H
#define STORE_CHECK_SCANS_H

#include "store/store.h"

struct store_check_scan {
	char release[STORE_ID_SIZE];
	char environment[STORE_NAME_SIZE];
	char name[STORE_NAME_SIZE]; /* of the check */
	uint32_t position;          /* of the scan, among those of the check */
	uint32_t rollout;           /* that it was a part of */
	uint64_t at_unix_ms;
	uint32_t fresh, known, fixed, waived, suppressed;
	char since[STORE_TAG_SIZE]; /* the baseline, for people; "": there was none */
	char found[STORE_ID_SIZE];
};

typedef int (*store_check_scan_visit)(void *context, const struct store_check_scan *scan);

void store_put_check_scan(struct store *s, const struct store_check_scan *scan);
/* What the scan of that release found: in this environment, else where it was made last. ERR_NOT_FOUND. */
MUST_CHECK int store_check_scan_find(struct store *s, const struct store_check_scan *which,
				     struct store_check_scan *ret_scan, struct error *err);
/* All of a release, by check and position, the newest first of each. */
MUST_CHECK int store_check_scans(struct store *s, const char *release, store_check_scan_visit visit,
				 void *context, struct error *err);
/* Those of rollouts up to this number stay only where their release was ever live. */
void store_forget_check_scans(struct store *s, uint32_t up_to);

#endif
