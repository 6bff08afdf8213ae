/* SPDX-License-Identifier: Apache-2.0
 * acme - see acme.h for the contract. */
#include "gateway/acme.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "link/table.h"

enum {
	SHA256_SIZE = 32,
	SHA256_TEXT_SIZE = 43,
	PATH_SIZE = TABLE_FILE_SIZE + 300,
	LIFE_S = 7 * 24 * 3600
};

static const unsigned char protocol[] = "\x0a"
					"acme-tls/1";
static const char extension[] = "1.3.6.1.5.5.7.1.31"; /* id-pe-acmeIdentifier */

/* ── files ────────────────────────────────────────────────────────────────────────────────────────── */

/* A line of at most `size` - 1 printable bytes; not one that a link leads to, or that one waits for. */
static bool read_line(const char *directory, const char *name, char *to, size_t size)
{
	char path[PATH_SIZE];
	struct stat st;
	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
		return false;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return false;
	ssize_t got = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? read(fd, to, size) : -1;
	close(fd);
	if (got <= 0 || (size_t)got >= size)
		return false;
	while (got > 0 && to[got - 1] == '\n')
		got--;
	to[got] = '\0';
	for (ssize_t i = 0; i < got; i++)
		if (to[i] <= ' ' || to[i] == 127)
			return false;
	return got > 0;
}

static bool is_base64url(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

bool acme_answer(const char *directory, const char *token, size_t size,
		 char ret_answer[ACME_ANSWER_SIZE])
{
	char name[ACME_TOKEN_MAX + 1];
	if (size == 0 || size > ACME_TOKEN_MAX)
		return false;
	for (size_t i = 0; i < size; i++)
		if (!is_base64url(token[i]))
			return false;
	memcpy(name, token, size);
	name[size] = '\0';
	return read_line(directory, name, ret_answer, ACME_ANSWER_SIZE);
}

/* The digest in `text`, base64url without padding. */
static bool decode_digest(const char *text, unsigned char to[SHA256_SIZE])
{
	unsigned char standard[SHA256_TEXT_SIZE + 2], bytes[SHA256_SIZE + 1];
	if (strlen(text) != SHA256_TEXT_SIZE)
		return false;
	for (int i = 0; i < SHA256_TEXT_SIZE; i++) {
		if (!is_base64url(text[i]))
			return false;
		standard[i] = (unsigned char)(text[i] == '-'   ? '+'
					      : text[i] == '_' ? '/'
							       : text[i]);
	}
	standard[SHA256_TEXT_SIZE] = '=';
	standard[SHA256_TEXT_SIZE + 1] = '\0';
	if (EVP_DecodeBlock(bytes, standard, SHA256_TEXT_SIZE + 1) != SHA256_SIZE + 1)
		return false;
	memcpy(to, bytes, SHA256_SIZE);
	return true;
}

/* ── certificates ─────────────────────────────────────────────────────────────────────────────────── */

static bool add_name(X509 *x, const char *name)
{
	char text[300];
	snprintf(text, sizeof(text), "DNS:%s", name);
	X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, text);
	bool added = names && X509_add_ext(x, names, -1) == 1;
	X509_EXTENSION_free(names);
	return added;
}

static bool add_digest(X509 *x, const unsigned char digest[SHA256_SIZE])
{
	unsigned char der[2 + SHA256_SIZE] = {V_ASN1_OCTET_STRING, SHA256_SIZE};
	memcpy(der + 2, digest, SHA256_SIZE);
	ASN1_OBJECT *kind = OBJ_txt2obj(extension, 1);
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *e = NULL;
	if (kind && value && ASN1_OCTET_STRING_set(value, der, sizeof(der)) == 1)
		e = X509_EXTENSION_create_by_OBJ(NULL, kind, 1, value);
	bool added = e && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	ASN1_OCTET_STRING_free(value);
	ASN1_OBJECT_free(kind);
	return added;
}

static bool fill(X509 *x, EVP_PKEY *key, const char *name, const unsigned char *digest)
{
	static const unsigned char who[] = "davit";
	X509_NAME *subject = X509_get_subject_name(x);
	return X509_set_version(x, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1 &&
	       X509_gmtime_adj(X509_getm_notBefore(x), -3600) &&
	       X509_gmtime_adj(X509_getm_notAfter(x), LIFE_S) &&
	       X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, who, -1, -1, 0) == 1 &&
	       X509_set_issuer_name(x, subject) == 1 && X509_set_pubkey(x, key) == 1 &&
	       (!name || add_name(x, name)) && (!digest || add_digest(x, digest)) &&
	       X509_sign(x, key, EVP_sha256()) > 0;
}

/* Signed by itself; with a name, and for a challenge its digest. */
static bool make(SSL_CTX *context, const char *name, const unsigned char *digest)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	bool made = key && x && fill(x, key, name, digest) &&
		    SSL_CTX_use_certificate(context, x) == 1 &&
		    SSL_CTX_use_PrivateKey(context, key) == 1;
	X509_free(x);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return made;
}

bool acme_stand_in(SSL_CTX *context)
{
	return make(context, NULL, NULL);
}

/* ── tls-alpn-01 ──────────────────────────────────────────────────────────────────────────────────── */

/* server_name (RFC 6066, 3): a list with one host name. */
static bool read_name(const unsigned char *in, size_t size, char ret_name[256])
{
	size_t length = size >= 5 ? (size_t)in[3] << 8 | in[4] : 0;
	if (size < 5 || in[2] != TLSEXT_NAMETYPE_host_name || length == 0 || length > 255 ||
	    length + 5 > size)
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = in[5 + i];
		bool upper = c >= 'A' && c <= 'Z';
		if (!upper && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' &&
		    c != '-')
			return false;
		ret_name[i] = (char)(upper ? c + ('a' - 'A') : c);
	}
	ret_name[length] = '\0';
	return ret_name[0] != '.';
}

bool acme_asked(SSL *ssl, char ret_name[256])
{
	const unsigned char *in;
	size_t size;
	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &in,
				      &size) != 1 ||
	    size != sizeof(protocol) + 1 || in[0] != 0 || in[1] != sizeof(protocol) - 1 ||
	    memcmp(in + 2, protocol, sizeof(protocol) - 1) != 0)
		return false;
	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &in, &size) != 1 ||
	    !read_name(in, size, ret_name))
		ret_name[0] = '\0';
	return true;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_size,
			   const unsigned char *in, unsigned in_size, void *unused)
{
	(void)ssl;
	(void)unused;
	(void)in;
	(void)in_size; /* acme_asked() has looked at it */
	*out = protocol + 1;
	*out_size = sizeof(protocol) - 2;
	return SSL_TLSEXT_ERR_OK;
}

/* Without one of its own the site's would choose another certificate. */
static int keep_name(SSL *ssl, int *alert, void *unused)
{
	(void)ssl;
	(void)alert;
	(void)unused;
	return SSL_TLSEXT_ERR_OK;
}

bool acme_show(SSL *ssl, const char *directory, const char *name)
{
	char file[300], text[SHA256_TEXT_SIZE + 2];
	unsigned char digest[SHA256_SIZE];
	if (!name[0] || !directory[0])
		return false;
	snprintf(file, sizeof(file), "alpn.%s", name);
	if (!read_line(directory, file, text, sizeof(text)) || !decode_digest(text, digest))
		return false;
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	bool made = context && make(context, name, digest);
	if (made) {
		SSL_CTX_set_tlsext_servername_callback(context, keep_name);
		SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
		made = SSL_set_SSL_CTX(ssl, context) == context;
	}
	SSL_CTX_free(context); /* the connection has its own count of it */
	return made;
}

bool acme_was_shown(const SSL *ssl)
{
	const unsigned char *chosen;
	unsigned size;
	SSL_get0_alpn_selected(ssl, &chosen, &size);
	return size == sizeof(protocol) - 2 && memcmp(chosen, protocol + 1, size) == 0;
}
