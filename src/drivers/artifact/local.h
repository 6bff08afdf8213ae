/* SPDX-License-Identifier: Apache-2.0
 *
 * local - artifacts as directories of one parent directory, on this machine (provider/artifact.h).
 *
 * WHAT   DIRECTORY/<digest>/ is an artifact, complete and read-only. DIRECTORY/.incoming-* is one that is
 *        being imported, or what a killed import left; DIRECTORY/.trash-* what is being removed.
 *
 * HOW    Import: unpack, compute the digest, make read-only, sync the file system, rename. So a name that
 *        is a digest is always a whole artifact, also after a loss of power. An import of something that
 *        is there already checks what is there and replaces it when it is damaged. Publishing and removing
 *        exclude each other by a lock on the directory, between threads and between processes.
 */
#ifndef DRIVERS_ARTIFACT_LOCAL_H
#define DRIVERS_ARTIFACT_LOCAL_H

#include "provider/artifact.h"

/* `directory` is made when it is missing; its parent must exist. */
MUST_CHECK int artifact_local_new(const char *directory, struct artifact_store **ret_store,
				  struct error *err);
void artifact_local_free(struct artifact_store *a); /* NULL is allowed; the files stay */

#endif
