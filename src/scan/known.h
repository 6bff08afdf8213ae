/* SPDX-License-Identifier: Apache-2.0
 *
 * known - the findings of one scan in a form that is kept, so that later scans can be held against them. Pure but for
 *         what findings own.
 *
 * WHAT  "davit findings 1 COUNT" and a line each: severity, suppression, kind of identity, the two identities, then tool,
 *       rule and path with tabs between. Without lines and messages: the same findings are the same bytes though the code
 *       around them moved, and are kept once. A waived finding is kept as one that a waiver suppressed: when the waiver
 *       is over, and it is still there, it is new (compare.h).
 *
 * HOW   known_write() of a list that was through findings_compare() and waivers_apply(); known_read() makes the list that
 *       findings_compare() takes as the base. It is not to be identified again.
 * ERRORS ERR_INVALID what is read is not whole, or not what known_write() writes; where = `name`. ERR_LIMIT.
 * LIMITS KNOWN_BYTES_MAX, finding.h. Control characters in names are "?": they are only shown.
 */
#ifndef SCAN_KNOWN_H
#define SCAN_KNOWN_H

#include "base/buf.h"
#include "scan/finding.h"

enum { KNOWN_BYTES_MAX = 4 << 20 };

int known_write(const struct findings *list, struct buf *to, struct error *err) MUST_CHECK;

/* `list` is empty before, and findings_done() frees it in every case. */
int known_read(const char *name, const char *text, size_t size, struct findings *list,
	       struct error *err) MUST_CHECK;

#endif
