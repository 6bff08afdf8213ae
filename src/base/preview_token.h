/* SPDX-License-Identifier: Apache-2.0
 *
 * preview_token - who may see a release before users do, until when: made by the controller, read by the gateway.
 *
 * WHAT  "EXPIRES.MAC": the second of Unix time from which on it is worth nothing, and 32 lower-case hex digits, the first
 *       half of HMAC-SHA-256 (RFC 2104, truncated as its section 5 allows) over a prefix, the release and EXPIRES.
 *       What names the release is not in it: a token that has ended gives nothing away by which to go on.
 * HOW   A key of zeros signs nothing. preview_key() makes an environment's from the one that signs its cookies, so that
 *       whoever has one cannot make the other.
 */
#ifndef BASE_PREVIEW_TOKEN_H
#define BASE_PREVIEW_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the gateway takes a token out of a link, "…?token=TOKEN", and makes a cookie of it (gateway/preview_link.h). */
#define PREVIEW_LINK_PATH "/.well-known/davit/preview"

enum {
	PREVIEW_KEY_SIZE = 16,
	PREVIEW_TOKEN_SIZE = 54, /* with the NUL: 20 digits at most, a dot, 32 digits */
};

void preview_key(const uint8_t from[PREVIEW_KEY_SIZE], uint8_t to[PREVIEW_KEY_SIZE]);

/* `release` is how the gateway's table names it (table_release.preview). Returns `to`. */
const char *preview_token_make(const uint8_t key[PREVIEW_KEY_SIZE], const char *release,
			       uint64_t expires_s, char to[PREVIEW_TOKEN_SIZE]);

/* Is it one, of this release, that has not ended? Takes as long however much of it is right. */
bool preview_token_holds(const uint8_t key[PREVIEW_KEY_SIZE], const char *release, const char *text,
			 size_t size, uint64_t now_s);

/* When a token that holds ends, in Unix time. */
uint64_t preview_token_expires(const char *token);

#endif
