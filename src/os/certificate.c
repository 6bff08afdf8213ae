/* SPDX-License-Identifier: Apache-2.0
 * certificate - see certificate.h for the contract. */
#include "os/certificate.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/hash.h"

int certificate_look(const char *path, bool secret, uint64_t *stamp, struct error *err)
{
	static const uint8_t key[HASH_KEY_SIZE];
	struct stat st;
	if (stat(path, &st) != 0)
		return error_errno(err, errno, "The TLS file \"%s\" cannot be read", path);
	uint64_t facts[] = {*stamp,
			    (uint64_t)st.st_dev,
			    (uint64_t)st.st_ino,
			    (uint64_t)st.st_size,
			    (uint64_t)st.st_mode,
			    (uint64_t)st.st_mtim.tv_sec,
			    (uint64_t)st.st_mtim.tv_nsec};
	*stamp = hash_keyed(key, facts, sizeof(facts));
	if (!S_ISREG(st.st_mode) || st.st_size > CERTIFICATE_FILE_MAX)
		return error_set(err, ERR_INVALID,
				 "The TLS file \"%s\" is not a file of at most %d bytes.", path,
				 CERTIFICATE_FILE_MAX);
	if (secret && st.st_mode & S_IRWXO)
		return error_set(
			err, ERR_INVALID,
			"The private key \"%s\" is open to every user of this machine: take "
			"the others' rights away (chmod o= FILE).",
			path);
	return 0;
}

/* A key with a passphrase is refused: nobody is there to type it. */
static int no_passphrase(char *to, int size, int writing, void *unused)
{
	(void)to;
	(void)size;
	(void)writing;
	(void)unused;
	return -1;
}

int certificate_load(SSL_CTX *context, const char *certificate, const char *key, struct error *err)
{
	SSL_CTX_set_security_level(context, 2);
	SSL_CTX_set_default_passwd_cb(context, no_passphrase);
	if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1)
		return error_set(
			err, ERR_INVALID,
			"The file \"%s\" is not a certificate chain in PEM form that can be "
			"used (RSA from 2048 bits on, no SHA-1).",
			certificate);
	bool read = SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1;
	if (!read ||
	    SSL_CTX_check_private_key(context) != 1) { /* one of another kind is read well */
		bool mismatch =
			read || ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;
		return error_set(
			err, ERR_INVALID,
			mismatch ? "The private key \"%s\" does not belong to its certificate."
				 : "The file \"%s\" is not a private key in PEM form without a "
				   "passphrase.",
			key);
	}
	return 0;
}

static uint64_t unix_s(const ASN1_TIME *time)
{
	struct tm parts;
	if (ASN1_TIME_to_tm(time, &parts) != 1)
		return 0;
	time_t seconds = timegm(&parts);
	return seconds > 0 ? (uint64_t)seconds : 0;
}

static void tell(X509 *leaf, struct certificate *certificate)
{
	certificate->from_unix_s = unix_s(X509_get0_notBefore(leaf));
	certificate->until_unix_s = unix_s(X509_get0_notAfter(leaf));
	certificate->covers = true;
	for (uint32_t i = 0; i < certificate->name_count; i++)
		if (X509_check_host(leaf, certificate->names[i], 0,
				    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) != 1)
			certificate->covers = false;
}

int certificate_read(const char *file, const char *key, struct certificate *certificate,
		     struct error *err)
{
	uint64_t stamp = 0;
	int failed = certificate_look(file, false, &stamp, err);
	if (!failed)
		failed = certificate_look(key, true, &stamp, err);
	if (failed)
		return failed;
	ERR_clear_error();
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	if (!context)
		return error_set(err, ERR_UNAVAILABLE, "OpenSSL cannot be used.");
	failed = certificate_load(context, file, key, err);
	if (!failed)
		tell(SSL_CTX_get0_certificate(context), certificate);
	ERR_clear_error();
	SSL_CTX_free(context);
	return failed;
}
