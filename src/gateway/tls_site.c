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
#include "gateway/acme.h"
#include "gateway/http2.h"
#include "os/certificate.h"

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

bool tls_site_covers(const struct tls_site *site, const char *name, bool exact)
{
	X509 *leaf = site->context ? SSL_CTX_get0_certificate(site->context) : NULL;
	unsigned flags =
		exact ? X509_CHECK_FLAG_NO_WILDCARDS : X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
	return leaf && X509_check_host(leaf, name, 0, flags, NULL) == 1;
}

/* The routes of the client's listener, in the table as it is now. */
static const struct live_route *routes_of(const struct client *c, const struct live_route **ret_end)
{
	const struct live *live = c->site->worker->live;
	int index = c->listener->index;
	*ret_end = index < 0 ? NULL : live->listener_routes[index + 1];
	return index < 0 ? NULL : live->listener_routes[index];
}

static const struct tls_site *find_named(const struct client *c, const char *name, bool exact)
{
	const struct live_route *end, *r = routes_of(c, &end);
	if (tls_site_covers(c->site, name, exact))
		return c->site;
	for (; r < end; r++) {
		const struct tls_site *site = c->site->worker->live->sites[r->route->environment];
		if (site && tls_site_covers(site, name, exact))
			return site;
	}
	return NULL;
}

/* What a client sees that names none of the hosts; NULL: nobody lets it. */
static const struct tls_site *find_unnamed(const struct client *c)
{
	const struct live_route *end, *r = routes_of(c, &end);
	const struct tls_site *first = NULL;
	if (!r)
		return c->site;
	for (; r < end; r++) {
		const struct tls_site *site = c->site->worker->live->sites[r->route->environment];
		enum table_tls_unnamed rule = r->environment->tls.unnamed;
		if (!site || !site->context)
			continue;
		if (rule == TABLE_TLS_SHOWN)
			return site;
		if (rule == TABLE_TLS_FIRST && !first)
			first = site;
	}
	return first;
}

/* Another environment of the listener may have the certificate for the name that the client asks for. */
static int choose_by_name(SSL *ssl, int *alert, void *unused)
{
	const struct client *c = SSL_get_app_data(ssl);
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	(void)unused;
	const struct tls_site *site = name ? find_named(c, name, true) : NULL;
	if (!site && name)
		site = find_named(c, name, false);
	if (!site)
		site = find_unnamed(c);
	if (!site) {
		*alert = SSL_AD_UNRECOGNIZED_NAME;
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	}
	if (site != c->site)
		SSL_set_SSL_CTX(ssl, site->context);
	return SSL_TLSEXT_ERR_OK;
}

/* An authority that asks by acme-tls/1 sees the certificate of its challenge, or nothing. */
static int look_at_hello(SSL *ssl, int *alert, void *unused)
{
	const struct client *c = SSL_get_app_data(ssl);
	const struct live_route *end, *r = routes_of(c, &end);
	char name[TABLE_HOST_SIZE];
	(void)unused;
	if (!acme_asked(ssl, name))
		return SSL_CLIENT_HELLO_SUCCESS;
	for (; r < end; r++)
		if (acme_show(ssl, r->environment->tls.challenges, name))
			return SSL_CLIENT_HELLO_SUCCESS;
	*alert = SSL_AD_NO_APPLICATION_PROTOCOL;
	return SSL_CLIENT_HELLO_ERROR;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_size,
			   const unsigned char *in, unsigned in_size, void *unused)
{
	static const unsigned char ours[] = "\x02h2\x08http/1.1";
	const struct client *c = SSL_get_app_data(ssl);
	unsigned skipped = http2_is_off(c->site->worker, c) ? 3 : 0;
	(void)unused;
	if (SSL_select_next_proto((unsigned char **)out, out_size, ours + skipped,
				  sizeof(ours) - 1 - skipped, in,
				  in_size) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	return SSL_TLSEXT_ERR_OK;
}

/* ── files ────────────────────────────────────────────────────────────────────────────────────────── */

static void set_up(SSL_CTX *context)
{
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
					     SSL_OP_CIPHER_SERVER_PREFERENCE |
					     SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(context, TLS_TICKET_S);
	SSL_CTX_set_client_hello_cb(context, look_at_hello, NULL);
	SSL_CTX_set_tlsext_servername_callback(context, choose_by_name);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(context, ticket);
	SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
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

/* No certificate yet: the listener answers all the same, and an authority can ask. */
static int stand_in(struct tls_site *site, const struct error *why, struct error *err)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	if (context)
		set_up(context);
	if (!context || !acme_stand_in(context) || !make_secret(site, context)) {
		SSL_CTX_free(context);
		return error_set(err, ERR_UNAVAILABLE, "OpenSSL cannot make a certificate.");
	}
	log_event(LOG_INFO, "gateway.certificate-awaited", "why=\"%s\"", why->text);
	site->context = context;
	return 1;
}

/* Read the files, if they changed. What the site had stays unless the new is whole. > 0: nothing to do. */
static int refresh(struct tls_site *site, struct error *err)
{
	uint64_t stamp = 0;
	int failed = certificate_look(site->certificate, false, &stamp, err);
	if (!failed)
		failed = certificate_look(site->key, true, &stamp, err);
	if (failed && !site->context && site->challenges[0]) {
		struct error why = *err;
		return stand_in(site, &why, err);
	}
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
	failed = certificate_load(context, site->certificate, site->key, err);
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
			strcmp(site->key, e->tls.key) != 0 ||
			strcmp(site->challenges, e->tls.challenges) != 0))
		site = site->next;
	if (!site) {
		site = mem_zero(1, sizeof(*site));
		text_copy(site->certificate, sizeof(site->certificate), e->tls.certificate);
		text_copy(site->key, sizeof(site->key), e->tls.key);
		text_copy(site->challenges, sizeof(site->challenges), e->tls.challenges);
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

int tls_prepare(struct worker *w, struct live *live, bool saved, struct error *err)
{
	const struct gateway_table *t = live->table;
	bool lenient = saved || counters_active(w->counters) >= t->generation;
	for (uint32_t i = 0; i < t->environment_count; i++) {
		if (!t->environments[i].tls.certificate[0])
			continue;
		struct tls_site *site = live->sites[i] = find_site(w, &t->environments[i]);
		int failed = refresh(site, err);
		if (failed >= 0)
			continue;
		if (!site->context && !lenient && site->refs == 1)
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
