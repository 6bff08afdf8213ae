/* SPDX-License-Identifier: Apache-2.0
 *
 * release_file - the davit.yaml at the root of an artifact.
 *
 * HOW   Blocks; may run in any thread.
 * OWNS  `ret_text` is the caller's, to be freed.
 * ERRORS NOT_FOUND there is none, or none that is a file; LIMIT it is too large.
 */
#ifndef CONTROL_RELEASE_FILE_H
#define CONTROL_RELEASE_FILE_H

#include "provider/artifact.h"

enum { RELEASE_FILE_MAX = 256 * 1024 };

MUST_CHECK int release_file_read(struct artifact_store *artifacts, const struct digest *artifact,
				 char **ret_text, struct error *err);

#endif
