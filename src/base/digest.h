/* SPDX-License-Identifier: Apache-2.0
 *
 * digest - SHA-256 (OpenSSL), whole or in pieces, keyed (HMAC, RFC 2104), and its lower-case hex form.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGEST_SIZE = 32, DIGEST_HEX_SIZE = 65 /* with the NUL */ };

struct digest {
	uint8_t bytes[DIGEST_SIZE];
};

struct digester; /* heap; freed by digester_finish() */

struct digester *digester_new(void);
void digester_add(struct digester *d, const void *data, size_t size);
struct digest digester_finish(struct digester *d);

struct digest digest_of(const void *data, size_t size);
const char *digest_format(const struct digest *d, char to[DIGEST_HEX_SIZE]); /* returns `to` */
bool digest_parse(const char *hex, struct digest *ret_digest); /* exactly 64 hex digits */
struct digest digest_keyed(const void *key, size_t key_size, const void *data, size_t size);
/* Takes as long however much of them is the same. */
bool digest_equal(const struct digest *a, const struct digest *b);

#endif
