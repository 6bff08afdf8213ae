/* SPDX-License-Identifier: Apache-2.0
 *
 * secret_file - read a file that holds something only this process may know: a token, a webhook's secret.
 *
 * HOW   Newlines at its end are not part of it. Make `to` with buf_init() and `secret`: its ceiling is the limit.
 * ERRORS DENIED others may read or change it, or it belongs to somebody else than us and root · INVALID it is empty or
 *       too long · the code of the system's error where it cannot be opened.
 */
#ifndef OS_SECRET_FILE_H
#define OS_SECRET_FILE_H

#include "base/buf.h"
#include "base/err.h"

MUST_CHECK int secret_file_read(const char *path, struct buf *to, struct error *err);

#endif
