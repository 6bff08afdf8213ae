/* SPDX-License-Identifier: Apache-2.0
 * digest - see digest.h for the contract. */
#include "base/digest.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

struct digester {
	EVP_MD_CTX *context;
};

struct digester *digester_new(void)
{
	struct digester *d = mem_new(sizeof *d);
	d->context = EVP_MD_CTX_new();
	ASSERT(d->context && EVP_DigestInit_ex(d->context, EVP_sha256(), NULL) == 1);
	return d;
}

void digester_add(struct digester *d, const void *data, size_t size)
{
	ASSERT(EVP_DigestUpdate(d->context, data, size) == 1);
}

struct digest digester_finish(struct digester *d)
{
	struct digest result;
	ASSERT(EVP_DigestFinal_ex(d->context, result.bytes, NULL) == 1);
	EVP_MD_CTX_free(d->context);
	free(d);
	return result;
}

struct digest digest_of(const void *data, size_t size)
{
	struct digester *d = digester_new();
	digester_add(d, data, size);
	return digester_finish(d);
}

const char *digest_format(const struct digest *d, char to[DIGEST_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		to[2 * i] = digits[d->bytes[i] >> 4];
		to[2 * i + 1] = digits[d->bytes[i] & 15];
	}
	to[2 * DIGEST_SIZE] = '\0';
	return to;
}

static int hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool digest_parse(const char *hex, struct digest *ret_digest)
{
	struct digest parsed;
	if (strlen(hex) != 2 * DIGEST_SIZE)
		return false;
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		int high = hex_value(hex[2 * i]), low = hex_value(hex[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		parsed.bytes[i] = (uint8_t)(high << 4 | low);
	}
	*ret_digest = parsed;
	return true;
}

struct digest digest_keyed(const void *key, size_t key_size, const void *data, size_t size)
{
	struct digest digest;
	unsigned written = sizeof digest.bytes;
	ASSERT(key_size <= INT_MAX);
	ASSERT(HMAC(EVP_sha256(), key, (int)key_size, data, size, digest.bytes, &written));
	return digest;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return CRYPTO_memcmp(a->bytes, b->bytes, DIGEST_SIZE) == 0;
}
