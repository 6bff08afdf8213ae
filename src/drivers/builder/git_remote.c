/* SPDX-License-Identifier: Apache-2.0
 * git_remote - see git_remote.h for the contract. */
#include "drivers/builder/git_remote.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "os/secret_file.h"

enum { KEY_SIZE = 1164, HEADER_SIZE = 2 * GIT_REMOTE_TOKEN_MAX, PASSED_MAX = 8 };

/* An http host that hangs is left after half a minute; and git follows nobody to another one. */
static const char *const begin[] = {"-c", "http.followRedirects=false",
				    "-c", "http.lowSpeedLimit=1",
				    "-c", "http.lowSpeedTime=30"};

enum { BEGIN = sizeof begin / sizeof begin[0] };

static int write_header(const char *token_file, char to[HEADER_SIZE], struct error *err)
{
	struct buf token, pair;
	buf_init(&token, GIT_REMOTE_TOKEN_MAX / 2);
	buf_init(&pair, GIT_REMOTE_TOKEN_MAX);
	token.secret = pair.secret = true;
	int code = secret_file_read(token_file, &token, err);
	if (code == 0) {
		buf_printf(&pair, "x-access-token:%s", buf_text(&token));
		int used = snprintf(to, HEADER_SIZE, "GIT_CONFIG_VALUE_0=Authorization: Basic ");
		EVP_EncodeBlock((unsigned char *)to + used, (unsigned char *)pair.data,
				(int)pair.size);
	}
	buf_done(&token);
	buf_done(&pair);
	return code;
}

/* The way out of a network that has but one. */
static size_t pass_proxies(const char **to)
{
	static const char *const names[] = {"https_proxy", "HTTPS_PROXY",   "http_proxy",
					    "no_proxy",    "SSL_CERT_FILE", "GIT_SSL_CAINFO"};
	extern char **environ;
	size_t count = 0;
	for (char **e = environ; *e && count < PASSED_MAX; e++)
		for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
			if (text_starts(*e, names[i]) && (*e)[strlen(names[i])] == '=') {
				to[count++] = *e;
				break;
			}
	return count;
}

int git_remote_run(const struct git_remote *remote, const struct git_ask *ask,
		   const char *const *words, struct buf *out, struct error *err)
{
	const char *variables[GIT_VARIABLES_MAX + 1], *all[BEGIN + GIT_REMOTE_WORDS_MAX + 1];
	char key[KEY_SIZE], header[HEADER_SIZE] = "";
	struct git_ask whole = *ask;
	size_t count = pass_proxies(variables), at = BEGIN;
	int code = 0;
	memcpy(all, begin, sizeof begin);
	for (size_t i = 0; words[i]; i++) {
		ASSERT(i < GIT_REMOTE_WORDS_MAX);
		all[at++] = words[i];
	}
	all[at] = NULL;
	variables[count++] = "GIT_SSH_COMMAND=ssh -oBatchMode=yes -oConnectTimeout=20 "
			     "-oServerAliveInterval=15";
	if (remote->token_file) {
		code = write_header(remote->token_file, header, err);
		snprintf(key, sizeof key, "GIT_CONFIG_KEY_0=http.%s.extraHeader", remote->git);
		variables[count++] = "GIT_CONFIG_COUNT=1";
		variables[count++] = key;
		variables[count++] = header;
	}
	variables[count] = NULL;
	whole.variables = variables;
	whole.protocols = "https:http:ssh:git:file";
	if (code == 0)
		code = git_run(&whole, all, out, err);
	explicit_bzero(header, sizeof header);
	return code;
}
