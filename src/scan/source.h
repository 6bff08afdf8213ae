/* SPDX-License-Identifier: Apache-2.0
 *
 * source - the tree that was scanned, to look at the lines that findings are about.
 *
 * HOW   source_open() with the root of the tree; source_context() for a line. Ask file by file and upwards
 *       within a file: the file at hand is kept, and so is the place in it.
 * ERRORS A line that cannot be had (no such file, not a plain file, too large, too short) is no error: false.
 *       Names come from reports, so nothing outside of the root is read, also not by a symbolic link.
 * LIMITS Files of SOURCE_FILE_MAX bytes; of a line SOURCE_LINE_MAX bytes count.
 */
#ifndef SCAN_SOURCE_H
#define SCAN_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum { SOURCE_FILE_MAX = 4 << 20, SOURCE_LINE_MAX = 1024 };

struct source;

int source_open(const char *directory, struct source **ret_source, struct error *err) MUST_CHECK;
void source_free(struct source *source);

/* The root, absolute, without "/" at its end; "" for the whole file system. */
const char *source_root(const struct source *source);

/* Append the line, the one before and the one after, with each run of blanks as one and none at the ends. */
bool source_context(struct source *source, const char *path, uint32_t line, struct buf *to);

/* The same for lines that are there already: each as it is above. */
void source_normalise(const char *lines, struct buf *to);

#endif
