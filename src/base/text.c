/* SPDX-License-Identifier: Apache-2.0
 * text - see text.h for the contract. */
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const uint64_t DURATION_MAX_MS = 366ull * 24 * 3600 * 1000;
enum { SUGGEST_WORD_MAX = 64, NAME_MAX_CHARS = 40 };

struct unit {
	const char *name;
	uint64_t scale;
};

/* Largest first: that is the order in which they are written, and in which they must be read. */
static const struct unit duration_units[] = {
	{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
static const struct unit size_units[] = {{"GiB", 1ull << 30},
					 {"MiB", 1ull << 20},
					 {"KiB", 1ull << 10},
					 {"GB", 1000000000},
					 {"MB", 1000000},
					 {"kB", 1000},
					 {"B", 1}};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits at *at; false when there are none or they exceed max. */
static bool take_number(const char **at, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;
	const char *p = *at;
	if (!is_digit(*p))
		return false;
	for (; is_digit(*p); p++) {
		uint64_t digit = (uint64_t)(*p - '0');
		if (value > (max - digit) / 10 || digit > max)
			return false;
		value = value * 10 + digit;
	}
	*at = p;
	*ret = value;
	return true;
}

bool text_parse_u64(const char *text, uint64_t max, uint64_t *ret_value)
{
	uint64_t value;
	if (!take_number(&text, max, &value) || *text != '\0')
		return false;
	*ret_value = value;
	return true;
}

static size_t letters(const char *p)
{
	size_t n = 0;
	while ((p[n] >= 'a' && p[n] <= 'z') || (p[n] >= 'A' && p[n] <= 'Z'))
		n++;
	return n;
}

bool text_parse_duration(const char *text, uint64_t *ret_ms)
{
	uint64_t total = 0;
	size_t next_unit = 0;
	const char *p = text;
	if (*p == '\0')
		return false;
	while (*p) {
		uint64_t number;
		if (!take_number(&p, DURATION_MAX_MS, &number))
			return false;
		size_t length = letters(p), unit = next_unit;
		while (unit < COUNT(duration_units) &&
		       (strlen(duration_units[unit].name) != length ||
			strncmp(duration_units[unit].name, p, length) != 0))
			unit++;
		if (unit == COUNT(duration_units))
			return false;
		if (number > DURATION_MAX_MS / duration_units[unit].scale)
			return false;
		total += number * duration_units[unit].scale;
		if (total > DURATION_MAX_MS)
			return false;
		next_unit = unit + 1;
		p += length;
	}
	*ret_ms = total;
	return true;
}

bool text_parse_share(const char *text, uint32_t *ret_bp)
{
	uint64_t whole, hundredths = 0;
	const char *p = text;
	if (!take_number(&p, 100, &whole))
		return false;
	if (*p == '.') {
		const char *start = ++p;
		if (!take_number(&p, 99, &hundredths) || p - start > 2)
			return false;
		if (p - start == 1)
			hundredths *= 10;
	}
	if (strcmp(p, "%") != 0 || whole * 100 + hundredths > SHARE_FULL_BP)
		return false;
	*ret_bp = (uint32_t)(whole * 100 + hundredths);
	return true;
}

bool text_parse_size(const char *text, uint64_t *ret_bytes)
{
	uint64_t number;
	const char *p = text;
	if (!take_number(&p, UINT64_MAX / 4, &number))
		return false;
	uint64_t scale = *p == '\0' ? 1 : 0;
	for (size_t i = 0; i < COUNT(size_units); i++)
		if (strcmp(p, size_units[i].name) == 0)
			scale = size_units[i].scale;
	if (scale == 0 || number > (UINT64_MAX / 4) / scale)
		return false;
	*ret_bytes = number * scale;
	return true;
}

const char *text_format_duration(uint64_t ms, char *to, size_t size)
{
	size_t used = 0;
	if (ms == 0) {
		snprintf(to, size, "0s");
		return to;
	}
	to[0] = '\0';
	for (size_t i = 0; i < COUNT(duration_units) && used < size; i++) {
		uint64_t number = ms / duration_units[i].scale;
		ms %= duration_units[i].scale;
		if (number > 0)
			used += (size_t)snprintf(to + used, size - used, "%" PRIu64 "%s", number,
						 duration_units[i].name);
	}
	return to;
}

const char *text_format_share(uint32_t bp, char *to, size_t size)
{
	if (bp % 100 == 0)
		snprintf(to, size, "%u%%", bp / 100);
	else if (bp % 10 == 0)
		snprintf(to, size, "%u.%u%%", bp / 100, bp % 100 / 10);
	else
		snprintf(to, size, "%u.%02u%%", bp / 100, bp % 100);
	return to;
}

const char *text_format_size(uint64_t bytes, char *to, size_t size)
{
	for (size_t i = 0; i < 3; i++)
		if (bytes >= size_units[i].scale && bytes % size_units[i].scale == 0) {
			snprintf(to, size, "%" PRIu64 "%s", bytes / size_units[i].scale,
				 size_units[i].name);
			return to;
		}
	snprintf(to, size, "%" PRIu64, bytes);
	return to;
}

bool text_copy(char *to, size_t size, const char *from)
{
	size_t length = strlen(from);
	bool fits = length < size;
	if (!fits)
		length = size - 1;
	memcpy(to, from, length);
	to[length] = '\0';
	return fits;
}

/* The joiners of letters (U+200C, U+200D) belong to how some languages are written. */
bool text_shows(uint32_t c)
{
	static const struct {
		uint32_t from, to;
	} hidden[] = {
		{0x00, 0x1f}, /* controls */
		{0x7f, 0x9f}, /* and those that steer terminals as ESC does */
		{0xad, 0xad}, /* soft hyphen */
		{0x61c, 0x61c}, /* from here on what turns the direction of writing, ends lines, or is not seen at all */
		{0x200b, 0x200b}, {0x200e, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
		{0xd800, 0xdfff}, /* surrogates */
		{0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f}, {0x110000, UINT32_MAX},
	};
	for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
		if (c >= hidden[i].from && c <= hidden[i].to)
			return false;
	return true;
}

/* Length of the valid UTF-8 sequence at p (RFC 3629), 0 when there is none, or none for people. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
	size_t need = p[0] < 0x80   ? 1
		      : p[0] < 0xc2 ? 0
		      : p[0] < 0xe0 ? 2
		      : p[0] < 0xf0 ? 3
		      : p[0] < 0xf5 ? 4
				    : 0;
	if (need == 0 || need > left)
		return 0;
	for (size_t i = 1; i < need; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	if (need == 1)
		return 1; /* which controls are taken is the caller's affair */
	uint32_t c = p[0] & (0x7fu >> need);
	for (size_t i = 1; i < need; i++)
		c = c << 6 | (p[i] & 0x3fu);
	return text_shows(c) ? need : 0;
}

static const char *escape(const char *from, size_t from_size, const char *also, char *to,
			  size_t size)
{
	const unsigned char *p = (const unsigned char *)from;
	size_t used = 0;
	for (size_t i = 0; i < from_size;) {
		size_t length = utf8_length(p + i, from_size - i);
		bool plain = length > 1 ||
			     (length == 1 && p[i] >= 0x20 && p[i] != 0x7f && !strchr(also, p[i]));
		size_t need = plain ? length : 4;
		if (used + need + 1 > size)
			break;
		if (plain)
			memcpy(to + used, p + i, length);
		else
			snprintf(to + used, 5, "\\x%02x", p[i]);
		used += need;
		i += plain ? length : 1;
	}
	to[used] = '\0';
	return to;
}

const char *text_escape(const char *from, size_t from_size, char *to, size_t size)
{
	return escape(from, from_size, "\"\\", to, size);
}

const char *text_show(const char *from, size_t from_size, char *to, size_t size)
{
	return escape(from, from_size, "", to, size);
}

bool text_is_printable(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	for (size_t left = strlen(text), length; left > 0; p += length, left -= length) {
		length = *p < 0x20 || *p == 0x7f ? 0 : utf8_length(p, left);
		if (length == 0)
			return false;
	}
	return true;
}

bool text_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Edits (insert, delete, change, swap of neighbours) that turn a into b; both at most SUGGEST_WORD_MAX. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	size_t rows[3][SUGGEST_WORD_MAX + 1];
	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t best = above[j - 1] + (a[i - 1] != b[j - 1]);
			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    above2[j - 2] + 1 < best)
				best = above2[j - 2] + 1;
			row[j] = best;
		}
	}
	return rows[la % 3][lb];
}

const char *text_suggest(const char *word, const char *const *candidates, size_t count)
{
	size_t length = strlen(word);
	if (length > SUGGEST_WORD_MAX)
		return NULL;
	size_t limit = length / 3 > 2 ? length / 3 : 2, best = limit + 1;
	const char *found = NULL;
	for (size_t i = 0; i < count; i++) {
		if (strlen(candidates[i]) > SUGGEST_WORD_MAX)
			continue;
		size_t distance = edit_distance(word, candidates[i]);
		if (distance < best && distance < length) {
			best = distance;
			found = candidates[i];
		}
	}
	return found;
}

bool text_is_name(const char *text)
{
	size_t length = strlen(text);
	if (length == 0 || length > NAME_MAX_CHARS || !(text[0] >= 'a' && text[0] <= 'z'))
		return false;
	for (size_t i = 1; i < length; i++)
		if (!((text[i] >= 'a' && text[i] <= 'z') || is_digit(text[i]) || text[i] == '-'))
			return false;
	return true;
}

/* Days to year, month, day: Hinnant, "chrono-compatible low-level date algorithms", civil_from_days. */
const char *text_format_time(uint64_t unix_ms, char *to, size_t size)
{
	uint64_t seconds = unix_ms / 1000, of_day = seconds % 86400;
	uint64_t z = seconds / 86400 + 719468;
	uint64_t era = z / 146097, doe = z % 146097;
	uint64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	uint64_t day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
	uint64_t year = yoe + era * 400 + (month <= 2);
	snprintf(to, size,
		 "%04" PRIu64 "-%02" PRIu64 "-%02" PRIu64 "T%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64
		 ".%03" PRIu64 "Z",
		 year, month, day, of_day / 3600, of_day / 60 % 60, of_day % 60, unix_ms % 1000);
	return to;
}

bool text_is_among(const char *names, const char *name)
{
	size_t size = strlen(name);
	for (const char *at = names; size > 0 && (at = strstr(at, name)); at += size)
		if ((at == names || at[-1] == ' ') && (at[size] == ' ' || !at[size]))
			return true;
	return false;
}
