/* SPDX-License-Identifier: Apache-2.0
 * seal - see seal.h for the contract. */
#include "base/seal.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { FORM = 1 };

/* OpenSSL fails here only for want of memory, or for misuse. */
static void must(int fine)
{
	ASSERT(fine == 1);
}

void seal_close(const struct seal_key *key, const uint8_t nonce[SEAL_NONCE_SIZE], const char *about,
		const void *bytes, size_t size, struct buf *to)
{
	uint8_t form = FORM, tag[SEAL_TAG_SIZE];
	int written;
	ASSERT(size <= INT_MAX - SEAL_OVERHEAD);
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t *text = mem_new(size + 1);
	must(c && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key->bytes, nonce));
	must(EVP_EncryptUpdate(c, NULL, &written, &form, 1));
	must(EVP_EncryptUpdate(c, NULL, &written, (const uint8_t *)about, (int)strlen(about)));
	must(EVP_EncryptUpdate(c, text, &written, bytes, (int)size));
	must(EVP_EncryptFinal_ex(c, text + written, &written));
	must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, sizeof tag, tag));
	EVP_CIPHER_CTX_free(c);
	buf_append(to, &form, 1);
	buf_append(to, nonce, SEAL_NONCE_SIZE);
	buf_append(to, text, size);
	buf_append(to, tag, sizeof tag);
	free(text);
}

int seal_open(const struct seal_key *key, const char *about, const void *sealed, size_t size,
	      struct buf *ret_bytes, struct error *err)
{
	const uint8_t *from = sealed;
	int written = 0, last = 0;
	if (size < SEAL_OVERHEAD || size > INT_MAX || from[0] != FORM)
		return error_set(err, ERR_CORRUPT, "It is not in a form that is known.");
	size_t inside = size - SEAL_OVERHEAD;
	uint8_t tag[SEAL_TAG_SIZE], *text = mem_zero(1, inside + 1);
	memcpy(tag, from + size - SEAL_TAG_SIZE, sizeof tag);
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	must(c && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key->bytes, from + 1));
	must(EVP_DecryptUpdate(c, NULL, &written, from, 1));
	must(EVP_DecryptUpdate(c, NULL, &written, (const uint8_t *)about, (int)strlen(about)));
	must(EVP_DecryptUpdate(c, text, &written, from + 1 + SEAL_NONCE_SIZE, (int)inside));
	must(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, sizeof tag, tag));
	bool fine = EVP_DecryptFinal_ex(c, text + written, &last) == 1;
	EVP_CIPHER_CTX_free(c);
	if (fine)
		buf_append(ret_bytes, text, inside);
	OPENSSL_cleanse(text, inside + 1);
	free(text);
	return fine ? 0
		    : error_set(err, ERR_CORRUPT,
				"It was changed, or it was sealed with another key.");
}

struct digest seal_mark(const struct seal_key *key, const void *bytes, size_t size)
{
	return digest_keyed(key->bytes, sizeof key->bytes, bytes, size);
}

void seal_key_wipe(struct seal_key *key)
{
	OPENSSL_cleanse(key, sizeof *key);
}
