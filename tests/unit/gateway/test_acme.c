/* SPDX-License-Identifier: Apache-2.0
 * Tests of gateway/acme.c: which files answer an authority, and the certificates that are made here. The rest is in
 * tests/conformance/tls_names.py. */
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "gateway/acme.h"

static char directory[] = "/tmp/test-acme.XXXXXX";

static void put(const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof path, "%s/%s", directory, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static bool answers(const char *token, const char *wanted)
{
	char answer[ACME_ANSWER_SIZE];
	return acme_answer(directory, token, strlen(token), answer) && strcmp(answer, wanted) == 0;
}

static void only_a_plain_file_of_a_token_answers(void **state)
{
	(void)state;
	char large[ACME_ANSWER_SIZE + 1], path[256], token[ACME_TOKEN_MAX + 2];
	put("To-ken_1", "To-ken_1.print\n");
	assert_true(answers("To-ken_1", "To-ken_1.print"));
	assert_false(answers("To-ken_2", ""));
	memset(large, 'x', sizeof large - 1);
	large[sizeof large - 1] = '\0';
	put("large", large);
	assert_false(answers("large", large));
	large[ACME_ANSWER_SIZE - 1] = '\0';
	put("fits", large);
	assert_true(answers("fits", large));
	put("empty", "");
	put("spaced", "a b");
	put("lines", "a\nb");
	put("alpn.shop.test", "a");
	assert_false(answers("empty", "") || answers("spaced", "a b") || answers("lines", "a\nb"));
	assert_false(answers("alpn.shop.test", "a") || answers("../To-ken_1", "To-ken_1.print") ||
		     answers("", "") || answers(".", "") || answers("To-ken_1/", ""));
	snprintf(path, sizeof path, "%s/link", directory);
	assert_int_equal(symlink("To-ken_1", path), 0);
	assert_false(answers("link", "To-ken_1.print"));
	snprintf(path, sizeof path, "%s/fifo", directory);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(answers("fifo", "")); /* and nobody waits for it */
	memset(token, 'a', sizeof token);
	token[ACME_TOKEN_MAX] = '\0';
	put(token, "longest");
	assert_true(answers(token, "longest"));
	token[ACME_TOKEN_MAX] = 'a';
	token[ACME_TOKEN_MAX + 1] = '\0';
	assert_false(answers(token, "longest"));
}

static SSL *server(SSL_CTX **ret_context)
{
	*ret_context = SSL_CTX_new(TLS_server_method());
	assert_true(acme_stand_in(*ret_context));
	return SSL_new(*ret_context);
}

static void a_challenge_shows_the_digest_for_its_name(void **state)
{
	(void)state;
	/* The bytes from 0 to 31; RFC 8737, 3 wants them as DER in a critical extension. */
	static const char text[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
	SSL_CTX *context;
	SSL *ssl = server(&context);
	put("alpn.shop.test", text);
	put("alpn.short.test", "AAEC");
	put("alpn.wrong.test", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh!");
	assert_false(acme_show(ssl, directory, "other.test"));
	assert_false(acme_show(ssl, directory, "short.test"));
	assert_false(acme_show(ssl, directory, "wrong.test"));
	assert_false(acme_show(ssl, directory, ""));
	assert_false(acme_show(ssl, "", "shop.test"));
	assert_true(acme_show(ssl, directory, "shop.test"));
	X509 *shown = SSL_get_certificate(ssl);
	assert_int_equal(X509_check_host(shown, "shop.test", 0, 0, NULL), 1);
	ASN1_OBJECT *kind = OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1);
	int at = X509_get_ext_by_OBJ(shown, kind, -1);
	assert_true(at >= 0);
	X509_EXTENSION *e = X509_get_ext(shown, at);
	assert_int_equal(X509_EXTENSION_get_critical(e), 1);
	const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(e);
	const unsigned char *bytes = ASN1_STRING_get0_data(value);
	assert_int_equal(ASN1_STRING_length(value), 34);
	assert_int_equal(bytes[0], 4);
	assert_int_equal(bytes[1], 32);
	for (int i = 0; i < 32; i++)
		assert_int_equal(bytes[2 + i], i);
	ASN1_OBJECT_free(kind);
	SSL_free(ssl);
	SSL_CTX_free(context);
}

static int open_directory(void **state)
{
	(void)state;
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	char command[64];
	(void)state;
	snprintf(command, sizeof command, "rm -r %s", directory);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_plain_file_of_a_token_answers),
		cmocka_unit_test(a_challenge_shows_the_digest_for_its_name),
	};
	return cmocka_run_group_tests(tests, open_directory, remove_directory);
}
