/* SPDX-License-Identifier: Apache-2.0
 *
 * tls_site - see tls_site.h for the contract.
 */
#include "gateway/tls_site.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"

enum { NAME_SIZE = 16, AES_KEY_SIZE = 32, MAC_KEY_SIZE = 32, KEY_DER_MAX = 1 << 16 };

/* ── tickets ──────────────────────────────────────────────────────────────────────────────────────── */

static bool derive(const struct tls_site *site, const char *label, uint64_t period, uint8_t to[32])
{
	uint8_t what[16] = {0};
	unsigned size = 0;
	memcpy(what, label, strlen(label));
	for (int i = 0; i < 8; i++)
		what[8 + i] = (uint8_t)(period >> (8 * i));
	return HMAC(EVP_sha256(), site->secret, sizeof(site->secret), what, sizeof(what), to,
		    &size) &&
	       size == 32;
}

static int seal(const struct tls_site *site, uint64_t period, const uint8_t *iv,
		EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int sealing)
{
	uint8_t aes[32], key[32];
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key, MAC_KEY_SIZE),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};
	bool good = derive(site, "cipher", period, aes) && derive(site, "mac", period, key) &&
		    EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, aes, iv, sealing) == 1 &&
		    EVP_MAC_CTX_set_params(mac, params) == 1;
	OPENSSL_cleanse(aes, sizeof(aes));
	OPENSSL_cleanse(key, sizeof(key));
	return good ? 1 : -1;
}

/* 1: as wanted, 2: opened, and another one is due, 0: none, -1: error. The connection's first site has the
 * secret, whichever certificate its name has led to: a ticket is opened before the name is looked at. */
static int ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
		  EVP_MAC_CTX *mac, int sealing)
{
	const struct client *c = SSL_get_app_data(ssl);
	uint64_t period = (uint64_t)time(NULL) / TLS_TICKET_S;
	uint8_t expected[32];
	if (sealing) {
		if (SSL_version(ssl) < TLS1_3_VERSION)
			return 0; /* a stolen key would open what was said before */
		if (!derive(c->site, "name", period, expected) ||
		    RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
			return -1;
		memcpy(name, expected, NAME_SIZE);
		return seal(c->site, period, iv, cipher, mac, 1);
	}
	for (uint64_t back = 0; back < 2; back++) {
		if (!derive(c->site, "name", period - back, expected))
			return -1;
		if (CRYPTO_memcmp(name, expected, NAME_SIZE) != 0)
			continue;
		int opened = seal(c->site, period - back, iv, cipher, mac, 0);
		return opened == 1 && back ? 2 : opened;
	}
	return 0;
}

static bool make_secret(struct tls_site *site, SSL_CTX *context)
{
	static const uint8_t label[] = "davit session tickets 1";
	unsigned char *der = NULL;
	unsigned size = 0;
	int der_size = i2d_PrivateKey(SSL_CTX_get0_privatekey(context), &der);
	bool good = der_size > 0 && HMAC(EVP_sha256(), label, sizeof(label), der, (size_t)der_size,
					 site->secret, &size);
	if (der_size > 0)
		OPENSSL_clear_free(der, (size_t)der_size);
	return good;
}

/* ── names ────────────────────────────────────────────────────────────────────────────────────────── */

bool tls_site_covers(const struct tls_site *site, const char *name)
{
	X509 *leaf = site->context ? SSL_CTX_get0_certificate(site->context) : NULL;
	return leaf && X509_check_host(leaf, name, 0, 0, NULL) == 1;
}

/* Another environment of the listener may have the certificate for the name that the client asks for. */
static int choose_by_name(SSL *ssl, int *alert, void *unused)
{
	const struct client *c = SSL_get_app_data(ssl);
	const struct live *live = c->site->worker->live;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	(void)alert;
	(void)unused;
	if (!name || c->listener->index < 0 || tls_site_covers(c->site, name))
		return SSL_TLSEXT_ERR_OK;
	const struct live_route *r = live->listener_routes[c->listener->index];
	const struct live_route *end = live->listener_routes[c->listener->index + 1];
	for (; r < end; r++) {
		const struct tls_site *site = live->sites[r->route->environment];
		if (!site || !tls_site_covers(site, name))
			continue;
		SSL_set_SSL_CTX(ssl, site->context);
		break;
	}
	return SSL_TLSEXT_ERR_OK;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_size,
			   const unsigned char *in, unsigned in_size, void *unused)
{
	static const unsigned char ours[] = "\x08http/1.1";
	(void)ssl;
	(void)unused;
	if (SSL_select_next_proto((unsigned char **)out, out_size, ours, sizeof(ours) - 1, in,
				  in_size) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	return SSL_TLSEXT_ERR_OK;
}

/* ── files ────────────────────────────────────────────────────────────────────────────────────────── */

static int look(const char *path, bool secret, uint64_t *stamp, struct error *err)
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
	if (!S_ISREG(st.st_mode) || st.st_size > TLS_FILE_MAX)
		return error_set(err, ERR_INVALID,
				 "The TLS file \"%s\" is not a file of at most %d bytes.", path,
				 TLS_FILE_MAX);
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

static void set_up(SSL_CTX *context)
{
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_security_level(context, 2);
	SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
					     SSL_OP_CIPHER_SERVER_PREFERENCE |
					     SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(context, TLS_TICKET_S);
	SSL_CTX_set_default_passwd_cb(context, no_passphrase);
	SSL_CTX_set_tlsext_servername_callback(context, choose_by_name);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket);
	SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
}

static int load(const char *certificate, const char *key, SSL_CTX *context, struct error *err)
{
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

static void warn_of_age(const struct tls_site *site, SSL_CTX *context)
{
	const X509 *leaf = SSL_CTX_get0_certificate(context);
	if (X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0)
		log_event(LOG_WARNING, "gateway.certificate-expired", "file=\"%s\"",
			  site->certificate);
	else if (X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0)
		log_event(LOG_WARNING, "gateway.certificate-not-yet-valid", "file=\"%s\"",
			  site->certificate);
}

/* Read the files, if they changed. What the site had stays unless the new is whole. > 0: nothing to do. */
static int refresh(struct tls_site *site, struct error *err)
{
	uint64_t stamp = 0;
	int failed = look(site->certificate, false, &stamp, err);
	if (!failed)
		failed = look(site->key, true, &stamp, err);
	if (stamp == site->stamp && (site->context || failed))
		return failed && !site->context ? failed : 1;
	site->stamp = stamp;
	if (failed)
		return failed;
	ERR_clear_error();
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	if (!context)
		return error_set(err, ERR_UNAVAILABLE, "OpenSSL cannot be used.");
	set_up(context);
	failed = load(site->certificate, site->key, context, err);
	if (!failed && !make_secret(site, context))
		failed = error_set(err, ERR_INVALID, "The private key \"%s\" cannot be used.",
				   site->key);
	ERR_clear_error();
	if (failed) {
		SSL_CTX_free(context);
		return failed;
	}
	warn_of_age(site, context);
	SSL_CTX_free(site->context);
	site->context = context;
	return 0;
}

/* ── sites ────────────────────────────────────────────────────────────────────────────────────────── */

void tls_site_unref(struct worker *w, struct tls_site *site)
{
	if (!site || --site->refs)
		return;
	struct tls_site **at = &w->sites;
	while (*at != site)
		at = &(*at)->next;
	*at = site->next;
	SSL_CTX_free(site->context);
	OPENSSL_cleanse(site->secret, sizeof(site->secret));
	free(site);
}

static struct tls_site *find_site(struct worker *w, const struct table_environment *e)
{
	struct tls_site *site = w->sites;
	while (site && (strcmp(site->certificate, e->tls.certificate) != 0 ||
			strcmp(site->key, e->tls.key) != 0))
		site = site->next;
	if (!site) {
		site = mem_zero(1, sizeof(*site));
		text_copy(site->certificate, sizeof(site->certificate), e->tls.certificate);
		text_copy(site->key, sizeof(site->key), e->tls.key);
		site->worker = w;
		site->next = w->sites;
		w->sites = site;
	}
	site->refs++;
	return site;
}

static void complain(const struct worker *w, const struct tls_site *site, const struct error *err)
{
	log_event(LOG_ERROR, "gateway.certificate-refused", "worker=%u served=%s why=\"%s\"",
		  w->index, site->context ? "the-old-one" : "none", err->text);
}

static void look_again(struct worker *w, struct timer *timer)
{
	struct error err;
	for (struct tls_site *site = w->sites; site; site = site->next) {
		uint64_t before = site->stamp;
		int result = refresh(site, &err);
		if (result == 0)
			log_event(LOG_INFO, "gateway.certificate-renewed", "worker=%u file=\"%s\"",
				  w->index, site->certificate);
		else if (result < 0 && site->stamp != before)
			complain(w, site, &err);
	}
	if (w->sites)
		timer_set(&w->wheel, timer, w->now_ms + TLS_LOOK_MS);
}

void tls_init(struct worker *w)
{
	w->tls_timer.fire = look_again;
}

int tls_prepare(struct worker *w, struct live *live, struct error *err)
{
	const struct gateway_table *t = live->table;
	bool in_force = counters_active(w->counters) >= t->generation;
	for (uint32_t i = 0; i < t->environment_count; i++) {
		if (!t->environments[i].tls.certificate[0])
			continue;
		struct tls_site *site = live->sites[i] = find_site(w, &t->environments[i]);
		int failed = refresh(site, err);
		if (failed >= 0)
			continue;
		if (!site->context && !in_force)
			return failed;
		complain(w, site, err);
	}
	if (w->sites && !timer_runs(&w->tls_timer))
		timer_set(&w->wheel, &w->tls_timer, w->now_ms + TLS_LOOK_MS);
	return 0;
}

void tls_forget(struct worker *w, struct live *live)
{
	for (uint32_t i = 0; i < live->table->environment_count; i++)
		tls_site_unref(w, live->sites[i]);
	free(live->sites);
}
