/* SPDX-License-Identifier: Apache-2.0
 *
 * certificates - the interface to certificates: files that are judged, and an authority that gives them (ACME).
 *
 * WHAT  Of an environment that has its certificate from an authority, one file holds the chain and the key, and
 *       one directory what the gateway answers that authority meanwhile (gateway/acme.h).
 *
 * HOW   place() says where both are. read() judges files as the gateway will. order() blocks, CERTIFICATES_ORDER_MS
 *       at most for each of a few commands: it is called in another thread, once at a time. When it returns 0 the new certificate is in its
 *       place, is for all the names, and was put there in one step; else what was there is untouched.
 * OWNS  Texts are the caller's. No key is in a sentence, in an argument or in a variable.
 * ERRORS UNSUPPORTED no client for ACME is installed, with what to do · DENIED, INVALID, … the authority's sentence, cut ·
 *       TIMEOUT · CLOSED davit is being stopped.
 */
#ifndef PROVIDER_CERTIFICATES_H
#define PROVIDER_CERTIFICATES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum {
	CERTIFICATES_PATH_SIZE = 256, /* a gateway's table has no room for more */
	CERTIFICATES_NAMES_MAX = 64,
	CERTIFICATES_ORDER_MS = 5 * 60 * 1000,
};

struct certificates_place {
	char certificate[CERTIFICATES_PATH_SIZE]; /* and the key */
	char challenges[CERTIFICATES_PATH_SIZE];
};

struct certificates_files {
	const char *certificate, *key;
	const char *const *names;
	uint32_t name_count;
	/* Set by read(). */
	bool covers; /* it is for all the names */
	uint64_t from_unix_ms, until_unix_ms;
};

struct certificates_order {
	const char *app, *environment;
	const char *directory, *email;
	const char *challenge; /* "http-01", "tls-alpn-01" */
	const char *const *names;
	uint32_t name_count;
};

struct certificates;

struct certificates_ops {
	int (*place)(struct certificates *certificates, const char *app, const char *environment,
		     struct certificates_place *ret_place, struct error *err) MUST_CHECK;
	int (*read)(struct certificates *certificates, struct certificates_files *files,
		    struct error *err) MUST_CHECK;
	/* Could order() do its work here? */
	int (*ready)(struct certificates *certificates, struct error *err) MUST_CHECK;
	int (*order)(struct certificates *certificates, const struct certificates_order *order,
		     struct error *err) MUST_CHECK;
};

struct certificates {
	const struct certificates_ops *ops;
};

#endif
