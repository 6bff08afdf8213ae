/* SPDX-License-Identifier: Apache-2.0
 *
 * web - a server that is spoken to over the network: https://HOST[:PORT], with a token.
 *
 * HOW   The token is in the variable DAVIT_TOKEN, or in the file that DAVIT_TOKEN_FILE names; never on a command line, which
 *       others can see. Certificates are those that this machine trusts, or of the file that DAVIT_CA_FILE names.
 *       http:// is taken of this machine's own addresses alone: a token in clear would be everybody's.
 * OWNS  web_free() wipes the token.
 */
#ifndef CLI_WEB_H
#define CLI_WEB_H

#include <curl/curl.h>
#include <stdbool.h>

#include "base/err.h"

enum { WEB_ADDRESS_SIZE = 300, WEB_TOKEN_SIZE = 256 };

struct web {
	char address[WEB_ADDRESS_SIZE]; /* "https://deploy.example.com:8091" */
	char token[WEB_TOKEN_SIZE];
	const char *authorities; /* a file; NULL: those of the system */
	char why[CURL_ERROR_SIZE];
};

bool web_is_address(const char *address); /* it is meant to be one */
MUST_CHECK int web_open(const char *address, struct web **ret_web, struct error *err);
void web_free(struct web *web); /* NULL is allowed */

/* Before each request, after curl_easy_reset(); the path begins with "/". */
void web_prepare(struct web *web, CURL *curl, const char *path);
/* A request that failed: why, where the server was not reached; 0: it was. */
MUST_CHECK int web_why(const struct web *web, CURLcode code, struct error *err);

#endif
