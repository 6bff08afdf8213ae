/* SPDX-License-Identifier: Apache-2.0
 *
 * acme - what the gateway answers an authority that asks whether a host is here (RFC 8555, RFC 8737), and what
 *        it shows until that authority has given a certificate.
 *
 * WHAT  Whoever orders certificates writes answers into a site's directory `challenges`, and removes them:
 *         TOKEN       what GET /.well-known/acme-challenge/TOKEN is answered with (http-01)
 *         alpn.HOST   the digest of the same in base64url, for a handshake with acme-tls/1 (tls-alpn-01)
 * HOW   Files are read when they are asked for; nothing of them is kept. A connection by acme-tls/1 carries no
 *       request: it ends with its handshake.
 * ERRORS A name that is no token, and a file that is not there, too large, a link or no file: there is none.
 */
#ifndef GATEWAY_ACME_H
#define GATEWAY_ACME_H

#include <stdbool.h>
#include <stddef.h>

enum { ACME_TOKEN_MAX = 128, ACME_ANSWER_SIZE = 512 };

#define ACME_PATH "/.well-known/acme-challenge/"

struct ssl_st;
struct ssl_ctx_st;

/* The text for http-01, without a line end. */
bool acme_answer(const char *directory, const char *token, size_t size,
		 char ret_answer[ACME_ANSWER_SIZE]);

/* Of a ClientHello: acme-tls/1 is what it offers, and nothing else; its name is copied (lower case, "" = none). */
bool acme_asked(struct ssl_st *ssl, char ret_name[256]);

/* Have the handshake show the certificate for tls-alpn-01. False: there is no such challenge. */
bool acme_show(struct ssl_st *ssl, const char *directory, const char *name);

/* The connection was made by acme-tls/1. */
bool acme_was_shown(const struct ssl_st *ssl);

/* A certificate of nobody, with a key that is made here, for a site that has none yet. */
bool acme_stand_in(struct ssl_ctx_st *context);

#endif
