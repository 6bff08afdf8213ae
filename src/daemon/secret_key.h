/* SPDX-License-Identifier: Apache-2.0
 *
 * secret_key - the key that secrets are sealed with, in a file of its own: never in the database, nor in a backup.
 *
 * WHAT  64 hex digits and a newline. The file is `secrets: key:` of the server's own file, else D/secrets.key. Neither it
 *       nor its directory may be open to others.
 * OWNS  The key is the caller's to wipe.
 * ERRORS NOT_FOUND: there is none, and `make` was not said · DENIED: others could read or replace it · CORRUPT: it is
 *       no key.
 */
#ifndef DAEMON_SECRET_KEY_H
#define DAEMON_SECRET_KEY_H

#include "base/seal.h"

struct server_file;

struct secret_key_place {
	struct server_file *server_file;
	char usual[1024]; /* D/secrets.key */
};

/* `context` is a struct secret_key_place. */
MUST_CHECK int secret_key_read(void *context, bool make, struct seal_key *ret_key,
			       struct error *err);

#endif
