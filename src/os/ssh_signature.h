/* SPDX-License-Identifier: Apache-2.0
 *
 * ssh_signature - sign a text with a person's ssh key, and say which key signed a text: by ssh-keygen(1).
 *
 * WHY   People and teams have these keys already, in agents and on security keys, and ssh-keygen knows all of them.
 * HOW   Both block until ssh-keygen has ended (10 s at most where it only checks): the server checks in another thread.
 * ERRORS ERR_DENIED the signature is not one of this text; ERR_UNAVAILABLE ssh-keygen is not installed; ERR_INVALID the
 *       key cannot sign.
 */
#ifndef OS_SSH_SIGNATURE_H
#define OS_SSH_SIGNATURE_H

#include "base/buf.h"
#include "base/err.h"

enum { SSH_IDENTITY_SIZE = 64 };

/* `key`: the file of a private key, or of a public one whose private half an agent has. Appends the signature. A key
 * that is locked asks at the terminal. */
MUST_CHECK int ssh_signature_make(const char *key, const char *name_space, const char *text,
				  struct buf *ret_signature, struct error *err);

/* "ssh:SHA256:…" of the key. */
MUST_CHECK int ssh_signature_check(const char *name_space, const char *text, const char *signature,
				   char ret_identity[SSH_IDENTITY_SIZE], struct error *err);

#endif
