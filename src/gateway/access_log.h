/* SPDX-License-Identifier: Apache-2.0
 *
 * access_log - one line per request, in logfmt or JSON, where the environment wants it.
 *
 * HOW   Lines are gathered and written together when there are many or every ACCESS_LOG_MS. A log that
 *       does not take them costs lines (counted), never a request its time.
 *       What a client or an application has written is escaped: \\xNN in logfmt, \\u00NN (one for each byte that is no
 *       ASCII) in JSON.
 * SEE   docs/reference/access-log.md
 */
#ifndef GATEWAY_ACCESS_LOG_H
#define GATEWAY_ACCESS_LOG_H

#include "gateway/core.h"

enum { ACCESS_LOG_MS = 250, ACCESS_LOG_LINE_MAX = 8192 };

void access_log_init(struct worker *w, int fd);

/* Keep method and target for the line: the request's buffer may be gone when it ends. */
void access_log_note(struct exchange *x);
/* Of a connection of TCP: the word TCP and its listener. */
void access_log_note_connection(struct exchange *x);
void access_log_write(struct worker *w, const struct exchange *x);
void access_log_flush(struct worker *w);

#endif
