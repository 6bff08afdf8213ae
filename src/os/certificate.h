/* SPDX-License-Identifier: Apache-2.0
 *
 * certificate - a chain and its private key in their files (PEM): whether a server can use them.
 *
 * HOW   certificate_look() says whether the files are others than before, by a stamp over what stat() says;
 *       certificate_load() gives them to an OpenSSL context, as the gateway serves by them; certificate_read()
 *       judges them in the same way for somebody who only wants to know. Both may be one file.
 * ERRORS The sentence names the file: it cannot be read, is too large, a key that every user may read, no
 *       certificate, a key with a passphrase or of another certificate. One that has expired is none.
 * LIMITS A file of up to CERTIFICATE_FILE_MAX bytes.
 */
#ifndef OS_CERTIFICATE_H
#define OS_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { CERTIFICATE_FILE_MAX = 1 << 18 };

struct ssl_ctx_st;

/* `stamp` goes on from what it was: of several files it tells all. `secret`: not for all users. */
int certificate_look(const char *path, bool secret, uint64_t *stamp, struct error *err) MUST_CHECK;

/* At security level 2, which the context keeps. */
int certificate_load(struct ssl_ctx_st *context, const char *certificate, const char *key,
		     struct error *err) MUST_CHECK;

struct certificate {
	const char *const *names; /* asked: is it for all of these? */
	uint32_t name_count;
	bool covers; /* it is */
	uint64_t from_unix_s, until_unix_s;
};

int certificate_read(const char *file, const char *key, struct certificate *certificate,
		     struct error *err) MUST_CHECK;

#endif
