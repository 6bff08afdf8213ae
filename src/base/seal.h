/* SPDX-License-Identifier: Apache-2.0
 *
 * seal - bytes that nobody without the key can read or change: AES-256-GCM (NIST SP 800-38D), by OpenSSL.
 *
 * WHAT  What is sealed is bound to `about`, a text that says what it is: moved under another name it does not open.
 *       Its form: version (1), nonce, ciphertext, tag.
 *
 * OWNS  Opened bytes are the caller's, who wipes them (buf_wipe()).
 * LIMITS A nonce must never come twice under one key: take it from the kernel (os/random.h), and seal fewer than
 *       2^32 times with one key (SP 800-38D, 8.3).
 * ERRORS CORRUPT: it was changed, is about something else, or another key sealed it.
 */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"

enum { SEAL_KEY_SIZE = 32, SEAL_NONCE_SIZE = 12, SEAL_TAG_SIZE = 16 };
enum { SEAL_OVERHEAD = 1 + SEAL_NONCE_SIZE + SEAL_TAG_SIZE };

struct seal_key {
	uint8_t bytes[SEAL_KEY_SIZE];
};

/* Append to `to`. */
void seal_close(const struct seal_key *key, const uint8_t nonce[SEAL_NONCE_SIZE], const char *about,
		const void *bytes, size_t size, struct buf *to);
MUST_CHECK int seal_open(const struct seal_key *key, const char *about, const void *sealed,
			 size_t size, struct buf *ret_bytes, struct error *err);

/* HMAC-SHA-256 (RFC 2104): says whether two values are the same without saying what they are. */
struct digest seal_mark(const struct seal_key *key, const void *bytes, size_t size);

void seal_key_wipe(struct seal_key *key);

#endif
