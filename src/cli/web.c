/* SPDX-License-Identifier: Apache-2.0
 * web - see web.h for the contract. */
#include "cli/web.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "os/secret_file.h"

enum { URL_SIZE = 2048 + WEB_ADDRESS_SIZE, CONNECT_SECONDS = 20 };

static const char SECURE[] = "https://", CLEAR[] = "http://";

bool web_is_address(const char *address)
{
	return text_starts(address, SECURE) || text_starts(address, CLEAR);
}

/* HOST, HOST:PORT or [ADDRESS]:PORT, without a name or a path. */
static bool is_place(const char *text)
{
	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr(".-:[]", *p))
			return false;
	return text[0] != '\0' && text[0] != '-' && text[0] != ':';
}

static bool is_here(const char *place)
{
	return text_starts(place, "127.0.0.1:") || text_starts(place, "[::1]:") ||
	       text_starts(place, "localhost:");
}

static int take_address(const char *address, struct web *web, struct error *err)
{
	bool clear = text_starts(address, CLEAR);
	if (!text_copy(web->address, sizeof web->address, address))
		return error_set(err, ERR_INVALID, "The server's address is too long.");
	size_t size = strlen(web->address);
	if (web->address[size - 1] == '/')
		web->address[size - 1] = '\0';
	const char *place = web->address + strlen(clear ? CLEAR : SECURE);
	if (!is_place(place))
		return error_set(err, ERR_INVALID,
				 "\"%.100s\" is no address of a server: write https://HOST[:PORT].",
				 address);
	if (clear && !is_here(place))
		return error_set(err, ERR_INVALID,
				 "Over http:// the token would cross the network in clear: write "
				 "https://%.100s.",
				 place);
	return 0;
}

static int take_file(const char *path, struct web *web, struct error *err)
{
	struct buf text;
	buf_init(&text, WEB_TOKEN_SIZE - 1);
	text.secret = true;
	int code = secret_file_read(path, &text, err);
	if (code == 0)
		text_copy(web->token, sizeof web->token, buf_text(&text));
	buf_done(&text);
	return code;
}

static int take_token(struct web *web, struct error *err)
{
	const char *token = getenv("DAVIT_TOKEN"), *file = getenv("DAVIT_TOKEN_FILE");
	int code = 0;
	if (token && token[0] && !text_copy(web->token, sizeof web->token, token))
		code = error_set(err, ERR_INVALID, "DAVIT_TOKEN is longer than a token is.");
	else if (!web->token[0] && file && file[0])
		code = take_file(file, web, err);
	else if (!web->token[0])
		code = error_set(err, ERR_DENIED,
				 "%s wants a token: put it into DAVIT_TOKEN, or a file's name into "
				 "DAVIT_TOKEN_FILE. \"davit token create\" on the server's machine "
				 "makes one.",
				 web->address);
	for (const char *p = web->token; code == 0 && *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '_')
			code = error_set(err, ERR_INVALID,
					 "What DAVIT_TOKEN or DAVIT_TOKEN_FILE gives is no token: "
					 "one is davit_ and 64 hex digits.");
	return code;
}

int web_open(const char *address, struct web **ret_web, struct error *err)
{
	struct web *web = mem_zero(1, sizeof *web);
	int code = take_address(address, web, err);
	if (code == 0)
		code = take_token(web, err);
	if (code < 0) {
		web_free(web);
		return code;
	}
	const char *authorities = getenv("DAVIT_CA_FILE");
	web->authorities = authorities && authorities[0] ? authorities : NULL;
	*ret_web = web;
	return 0;
}

void web_free(struct web *web)
{
	if (!web)
		return;
	explicit_bzero(web->token, sizeof web->token);
	free(web);
}

void web_prepare(struct web *web, CURL *curl, const char *path)
{
	char url[URL_SIZE];
	bool clear = text_starts(web->address, CLEAR);
	snprintf(url, sizeof url, "%s%s", web->address, path);
	web->why[0] = '\0';
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, clear ? "http" : "https");
	if (clear) /* nobody else is to hear it */
		curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
	curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, web->token);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (web->authorities)
		curl_easy_setopt(curl, CURLOPT_CAINFO, web->authorities);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, web->why);
}

int web_why(const struct web *web, CURLcode code, struct error *err)
{
	const char *why = web->why[0] ? web->why : curl_easy_strerror(code);
	switch ((int)code) {
	case CURLE_PEER_FAILED_VERIFICATION:
		return error_set(
			err, ERR_UNAVAILABLE,
			"The certificate of %s is not trusted here (%.200s). Name the file "
			"of the authority that signed it in DAVIT_CA_FILE.",
			web->address, why);
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
		return error_set(err, ERR_UNAVAILABLE,
				 "%s is not reached: %.300s. Does its server's file have \"api: { "
				 "listen: … }\"?",
				 web->address, why);
	default: return 0;
	}
}
