/* SPDX-License-Identifier: Apache-2.0
 * Tests of gateway/tls.c and tls_site.c: a real worker, and OpenSSL as its client. The rest is in
 * tests/conformance/tls.py. */
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "base/preview_token.h"
#include "base/text.h"
#include "rig.h"

#define GET "GET / HTTP/1.1\r\nHost: shop\r\n\r\n"
#define OK  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static char directory[] = "/tmp/test-tls.XXXXXX";

static void in_directory(char to[TABLE_FILE_SIZE], const char *name)
{
	snprintf(to, TABLE_FILE_SIZE, "%s/%s", directory, name);
}

static void write_certificate(void)
{
	char path[TABLE_FILE_SIZE];
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME *name = X509_get_subject_name(cert);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"shop", -1, -1,
				   0);
	X509_set_issuer_name(cert, name);
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	in_directory(path, "key.pem");
	umask(077);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(f);
	in_directory(path, "cert.pem");
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, cert), 1);
	fclose(f);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static struct rig *start(void)
{
	struct rig *rig = rig_start_one();
	struct table_tls *tls = &rig->table->environments[0].tls;
	in_directory(tls->certificate, "cert.pem");
	in_directory(tls->key, "key.pem");
	rig_apply(rig);
	return rig;
}

static SSL *shake(SSL_CTX *context, int fd, SSL_SESSION *session)
{
	SSL *ssl = SSL_new(context);
	SSL_set_fd(ssl, fd);
	if (session)
		SSL_set_session(ssl, session);
	assert_int_equal(SSL_connect(ssl), 1);
	return ssl;
}

static void exchange(struct rig *rig, SSL *ssl, int *backend)
{
	char answer[1024] = "";
	size_t size = 0;
	assert_int_equal(SSL_write(ssl, GET, sizeof(GET) - 1), sizeof(GET) - 1);
	if (*backend < 0)
		*backend = rig_accept(rig, 1);
	rig_assert_text(rig_until(*backend, "\r\n\r\n"), "x-forwarded-proto: https");
	rig_send(*backend, OK);
	while (!strstr(answer, "\r\n\r\nok")) {
		int got = SSL_read(ssl, answer + size, (int)(sizeof(answer) - 1 - size));
		assert_true(got > 0);
		size += (size_t)got;
		answer[size] = 0;
	}
}

static void handshakes_and_resumptions_are_counted(void **state)
{
	(void)state;
	struct rig *rig = start();
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	int backend = -1, fd = rig_connect(rig);
	SSL *ssl = shake(context, fd, NULL);
	exchange(rig, ssl, &backend);
	SSL_SESSION *session = SSL_get1_session(ssl);
	int again_fd = rig_connect(rig);
	SSL *again = shake(context, again_fd, session);
	assert_int_equal(SSL_session_reused(again), 1);
	exchange(rig, again, &backend);
	assert_int_equal(rig_worker(rig, COUNTERS_WORKER_TLS_HANDSHAKES), 2);
	assert_int_equal(rig_worker(rig, COUNTERS_WORKER_TLS_RESUMED), 1);
	assert_int_equal(rig_worker(rig, COUNTERS_WORKER_TLS_FAILED), 0);
	SSL_SESSION_free(session);
	SSL_free(ssl);
	SSL_free(again);
	close(fd);
	close(again_fd);
	close(backend);
	SSL_CTX_free(context);
	rig_stop(rig);
}

static void a_previews_cookie_stays_under_tls(void **state)
{
	(void)state;
	struct rig *rig = start();
	struct table_environment *e = &rig->table->environments[0];
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	char request[512], token[PREVIEW_TOKEN_SIZE], answer[1024] = "";
	e->preview_key[0] = 7;
	rig_apply(rig);
	preview_token_make(e->preview_key, "see-v2", (uint64_t)time(NULL) + 60, token);
	int size =
		snprintf(request, sizeof(request),
			 "GET " PREVIEW_LINK_PATH "?token=%s HTTP/1.1\r\nHost: a\r\n\r\n", token);
	int fd = rig_connect(rig);
	SSL *ssl = shake(context, fd, NULL);
	assert_int_equal(SSL_write(ssl, request, size), size);
	assert_true(SSL_read(ssl, answer, sizeof(answer) - 1) > 0);
	rig_assert_text(answer, "; HttpOnly; SameSite=Lax; Secure\r\n");
	SSL_free(ssl);
	close(fd);
	SSL_CTX_free(context);
	rig_stop(rig);
}

static void a_handshake_that_fails_is_counted_and_ends_its_connection(void **state)
{
	(void)state;
	struct rig *rig = start();
	int fd = rig_connect(rig);
	rig_send_bytes(fd, "\x16\x03\x01\x00\x04\x05\xff\xff\xff",
		       9); /* a record, and no ClientHello */
	char rest[64];
	while (recv(fd, rest, sizeof(rest), 0) > 0)
		; /* an alert may come first */
	RIG_WAIT_FOR(rig_worker(rig, COUNTERS_WORKER_TLS_FAILED) == 1);
	close(fd);
	fd = rig_connect(rig);
	rig_send(fd, GET);
	rig_assert_text(rig_until(fd, "https://\n"), "X-Davit-Error: not-tls");
	assert_true(rig_closed(fd));
	close(fd);
	assert_int_equal(rig_worker(rig, COUNTERS_WORKER_TLS_HANDSHAKES), 0);
	rig_stop(rig);
}

static void a_worker_that_drains_finishes_what_shakes_hands_and_says_its_end(void **state)
{
	(void)state;
	struct rig *rig = start();
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	int backend = -1, fd = rig_connect(rig);
	RIG_WAIT_FOR(counters_get(&rig->counters->workers[0].connections) == 1);
	rig_drain(rig, RIG_WAIT_MS);
	uint64_t quiet_until =
		rig_now_ms() + 700; /* idle connections in clear are closed by then */
	RIG_WAIT_FOR(rig_now_ms() > quiet_until);
	SSL *ssl = shake(context, fd, NULL);
	exchange(rig, ssl, &backend);
	char byte;
	assert_int_equal(SSL_read(ssl, &byte, 1), 0);
	assert_int_equal(SSL_get_error(ssl, 0), SSL_ERROR_ZERO_RETURN);
	SSL_free(ssl);
	close(fd);
	close(backend);
	SSL_CTX_free(context);
	rig_stop(rig);
}

static void listeners_are_shared_by_all_in_tls_or_none(void **state)
{
	(void)state;
	struct rig *rig = start();
	struct gateway_table *t = rig->table;
	struct error err;
	t->environments[1] = t->environments[0];
	text_copy(t->environments[1].name, TABLE_NAME_SIZE, "other");
	t->environments[1].first_release = t->environments[0].release_count;
	t->environments[1].release_count = 0;
	t->environments[1].live = TABLE_NONE;
	t->environments[1].mode = TABLE_MODE_MAINTENANCE;
	t->environments[1].stats_slot = 1;
	t->environments[1].first_class = t->environments[0].class_count;
	t->environments[1].class_count = 0;
	t->routes[1] = t->routes[0];
	t->routes[1].environment = 1;
	text_copy(t->routes[1].host, TABLE_HOST_SIZE, "other.test");
	t->environment_count = t->route_count = 2;
	assert_int_equal(table_check(t, &err), 0);
	t->environments[1].tls.certificate[0] = t->environments[1].tls.key[0] = 0;
	assert_int_equal(table_check(t, &err), ERR_INVALID);
	rig_assert_text(err.text, "only one of them has tls");
	text_copy(t->environments[1].tls.certificate, TABLE_FILE_SIZE, "/cert.pem");
	assert_int_equal(table_check(t, &err), ERR_INVALID);
	rig_assert_text(err.text, "only one of a certificate and its key");
	text_copy(t->environments[1].tls.key, TABLE_FILE_SIZE, "key.pem");
	assert_int_equal(table_check(t, &err), ERR_INVALID);
	rig_assert_text(err.text, "no absolute path");
	t->environment_count = t->route_count = 1;
	rig_stop(rig);
}

static int make_directory(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(directory));
	write_certificate();
	return 0;
}

static int remove_directory(void **state)
{
	char path[TABLE_FILE_SIZE];
	(void)state;
	in_directory(path, "cert.pem");
	unlink(path);
	in_directory(path, "key.pem");
	unlink(path);
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handshakes_and_resumptions_are_counted),
		cmocka_unit_test(a_previews_cookie_stays_under_tls),
		cmocka_unit_test(a_handshake_that_fails_is_counted_and_ends_its_connection),
		cmocka_unit_test(a_worker_that_drains_finishes_what_shakes_hands_and_says_its_end),
		cmocka_unit_test(listeners_are_shared_by_all_in_tls_or_none),
	};
	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
