/* SPDX-License-Identifier: Apache-2.0
 * preview_token - see preview_token.h for the contract. */
#include "base/preview_token.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/text.h"

enum { MAC_SIZE = 32, SIGNED_MAX = 256 };

static bool is_empty(const uint8_t key[PREVIEW_KEY_SIZE])
{
	static const uint8_t none[PREVIEW_KEY_SIZE];
	return memcmp(key, none, sizeof none) == 0;
}

void preview_key(const uint8_t from[PREVIEW_KEY_SIZE], uint8_t to[PREVIEW_KEY_SIZE])
{
	static const char about[] = "davit preview key";
	struct digest made = digest_keyed(from, PREVIEW_KEY_SIZE, about, sizeof about - 1);
	memcpy(to, made.bytes, PREVIEW_KEY_SIZE);
}

const char *preview_token_make(const uint8_t key[PREVIEW_KEY_SIZE], const char *release,
			       uint64_t expires_s, char to[PREVIEW_TOKEN_SIZE])
{
	char text[SIGNED_MAX], hex[DIGEST_HEX_SIZE];
	int size = snprintf(text, sizeof text, "davit preview\n%s\n%" PRIu64, release, expires_s);
	ASSERT(size > 0 && (size_t)size < sizeof text);
	struct digest mac = digest_keyed(key, PREVIEW_KEY_SIZE, text, (size_t)size);
	digest_format(&mac, hex);
	snprintf(to, PREVIEW_TOKEN_SIZE, "%" PRIu64 ".%.*s", expires_s, MAC_SIZE, hex);
	return to;
}

bool preview_token_holds(const uint8_t key[PREVIEW_KEY_SIZE], const char *release, const char *text,
			 size_t size, uint64_t now_s)
{
	char given[PREVIEW_TOKEN_SIZE], expected[PREVIEW_TOKEN_SIZE];
	unsigned char difference = 0;
	uint64_t expires_s;
	if (is_empty(key) || !release[0] || size >= sizeof given || size < MAC_SIZE + 2 ||
	    text[size - MAC_SIZE - 1] != '.')
		return false;
	memcpy(given, text, size);
	given[size - MAC_SIZE - 1] = '\0';
	if (!text_parse_u64(given, UINT64_MAX, &expires_s) || expires_s <= now_s)
		return false;
	preview_token_make(key, release, expires_s, expected);
	if (strlen(expected) != size) /* "007.…" */
		return false;
	for (size_t i = 0; i < size; i++)
		difference |= (unsigned char)(text[i] ^ expected[i]);
	return difference == 0;
}

uint64_t preview_token_expires(const char *token)
{
	return strtoull(token, NULL, 10);
}
