/* SPDX-License-Identifier: Apache-2.0
 *
 * path - where a finding is, written in one way only, so that the same file has the same name in every report.
 *
 * WHAT  Relative to the root of the repository, with "/" between names, without ".", "..", empty names and
 *       percent escapes: "src/app.c". What lies outside of the root stays absolute; a URL of another scheme than
 *       file (a scan of what runs) stays as it is.
 *
 * ERRORS false: longer than FINDING_PATH_SIZE; `to` is then worth nothing.
 */
#ifndef SCAN_PATH_H
#define SCAN_PATH_H

#include <stdbool.h>

#include "base/buf.h"
#include "scan/finding.h"

/* What a file is called. What cannot be shown (control characters, no UTF-8) becomes percent escapes. */
bool path_of_name(const char *name, char to[FINDING_PATH_SIZE]);

/* Take off "file://" and percent escapes; escapes of what cannot be shown stay. */
bool path_of_uri(const char *uri, char to[FINDING_PATH_SIZE]);

bool path_is_absolute(const char *path); /* also "C:/" and URLs */

/* `path` beneath `base`, when it is not absolute. In place. */
bool path_put_beneath(char path[FINDING_PATH_SIZE], const char *base);

/* In place; beneath `root` (absolute, no "/" at its end, or NULL) it becomes relative. */
void path_normalise(char path[FINDING_PATH_SIZE], const char *root);

/* Append the path as a URI reference: what path_of_uri() reads back. */
void path_put_uri(struct buf *to, const char *path);

#endif
