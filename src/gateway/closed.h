/* SPDX-License-Identifier: Apache-2.0
 *
 * closed - what an environment answers that lets nobody in (maintenance), or only those who change nothing.
 *
 * HOW   Read-only refuses by method (RFC 9110, 9.2.1: GET, HEAD, OPTIONS and TRACE are safe) and refuses new
 *       WebSockets, for what goes through them is not seen. Both answer 503 with Retry-After, for both are
 *       meant to pass (RFC 9110, 15.6.4): as HTML to a client whose Accept names it, else as a sentence.
 *       In maintenance the HTML is the environment's own page (table_environment.maintenance_page), if it has one:
 *       closed_prepare() reads it with the table, so that what is answered does not depend on files any more.
 * OWNS  The pages are the table's in use (struct live).
 * ERRORS A page that cannot be read, is empty or too large when a table comes is no reason to refuse the table: the
 *       fixed page stands in for it, and a line in the log says so.
 * LIMITS TABLE_PAGE_MAX bytes of a page.
 */
#ifndef GATEWAY_CLOSED_H
#define GATEWAY_CLOSED_H

#include "gateway/core.h"

/* The pages of those environments of live->table that let nobody in, into live->pages. */
void closed_prepare(struct live *live);
void closed_forget(struct live *live);

/* May the request pass in an environment that is read-only? */
bool closed_changes_nothing(const struct exchange *x);

enum turn closed_answer(struct worker *w, struct exchange *x, bool read_only);

#endif
