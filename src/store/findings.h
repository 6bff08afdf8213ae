/* SPDX-License-Identifier: Apache-2.0
 *
 * findings - what scans of builds and of running releases found, kept so that later builds can be held against it. See store.h for the rules
 *            that hold for every function of the store.
 *
 * WHAT  A set is called by the digest of its bytes (scan/known.h), so that what many builds found is there once. Which
 *       stage found which set is in store_build_stage (builds.h), and which check in store_check_scan (check_scans.h).
 */
#ifndef STORE_FINDINGS_H
#define STORE_FINDINGS_H

#include "store/store.h"

/* Of STORE_BLOB_MAX bytes at most. `ret_digest` is its name, also where it is there already. */
void store_put_findings(struct store *s, const void *bytes, size_t size,
			char ret_digest[STORE_ID_SIZE]);
/* ERR_NOT_FOUND; ERR_CORRUPT: its bytes are not those that were put. */
MUST_CHECK int store_findings_get(struct store *s, const char *digest, struct buf *to,
				  struct error *err);
/* Builds up to this number keep theirs only where their release was ever live. */
void store_forget_findings(struct store *s, uint32_t up_to);
/* The sets that neither a stage nor a check names any more. */
void store_forget_unnamed_findings(struct store *s);

#endif
