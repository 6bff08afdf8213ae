/* SPDX-License-Identifier: Apache-2.0
 * log_line - see log_line.h for the contract. */
#include "keeper/log_line.h"

#include <string.h>

static bool in_word(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
	       (byte >= '0' && byte <= '9') || byte == '_';
}

/* Is `text` at `at`, whole, before `limit`? */
static bool stands(const char *line, size_t at, size_t limit, const char *text, size_t size)
{
	return size <= limit - at && memcmp(line + at, text, size) == 0;
}

static bool word_at(const char *line, size_t size, size_t at, size_t limit)
{
	static const char *const words[] = {"ERROR", "FATAL",     "CRITICAL",
					    "PANIC", "Exception", "Traceback"};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		size_t length = strlen(words[i]), end = at + length;
		if (stands(line, at, limit, words[i], length) &&
		    (end == size || !in_word(line[end])))
			return true;
	}
	return false;
}

static size_t skip_spaces(const char *line, size_t at, size_t limit)
{
	while (at < limit && line[at] == ' ')
		at++;
	return at;
}

static bool level_at(const char *line, size_t at, size_t limit)
{
	static const char field[] = "\"level\"";
	if (!stands(line, at, limit, field, sizeof field - 1))
		return false;
	at = skip_spaces(line, at + sizeof field - 1, limit);
	if (at == limit || line[at] != ':')
		return false;
	at = skip_spaces(line, at + 1, limit);
	return stands(line, at, limit, "\"error\"", 7) || stands(line, at, limit, "\"fatal\"", 7);
}

bool log_line_is_error(const char *line, size_t size)
{
	size_t limit = size < LOG_LINE_BYTES ? size : LOG_LINE_BYTES;
	for (size_t at = 0; at < limit; at++) {
		if (line[at] == '"' && level_at(line, at, limit))
			return true;
		if ((at == 0 || !in_word(line[at - 1])) && word_at(line, size, at, limit))
			return true;
	}
	return false;
}
