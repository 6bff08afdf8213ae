/* SPDX-License-Identifier: Apache-2.0
 * mask - see mask.h for the contract. Patterns are compared one by one at each byte that begins one: there are few,
 * and logs are slow. */
#include "wire/mask.h"

#include <string.h>

enum { BREAK_MAX = 2 /* bytes of a line break within base64 */ };

static const char STARS[] = "***";
static const char HEX[2][17] = {"0123456789abcdef", "0123456789ABCDEF"};

void mask_init(struct mask *mask)
{
	mask->used = mask->count = 0;
	memset(mask->begins, 0, sizeof mask->begins);
}

/* --- what a value can look like */

/* A pattern that is written at the end of `bytes`, and counts when it is closed. */
static bool put(struct mask *mask, uint32_t *size, uint8_t byte)
{
	if (mask->used + *size >= MASK_BYTES_MAX)
		return false;
	mask->bytes[mask->used + (*size)++] = byte;
	return true;
}

static bool close_pattern(struct mask *mask, uint32_t size, bool broken)
{
	const uint8_t *new = mask->bytes + mask->used;
	if (size < MASK_VALUE_MIN)
		return true;
	for (uint32_t i = 0; i < mask->count; i++)
		if (mask->patterns[i].size == size &&
		    memcmp(mask->bytes + mask->patterns[i].at, new, size) == 0)
			return true;
	if (mask->count == MASK_PATTERNS_MAX)
		return false;
	mask->patterns[mask->count++] =
		(struct mask_pattern){.at = mask->used, .size = (uint16_t)size, .broken = broken};
	mask->begins[new[0]] = true;
	mask->pairs[(new[0] << 8 | new[1]) >> 3] |= (uint8_t)(1 << (new[1] & 7));
	mask->used += size;
	return true;
}

static bool add_raw(struct mask *mask, const uint8_t *value, size_t count)
{
	uint32_t size = 0;
	for (size_t i = 0; i < count; i++)
		if (!put(mask, &size, value[i]))
			return false;
	return close_pattern(mask, size, false);
}

/* As a string of JSON has it; a slash may be escaped as well. */
static bool add_json(struct mask *mask, const uint8_t *value, size_t count, bool slashes)
{
	static const char plain[] = "\"\\\b\f\n\r\t", named[] = "\"\\bfnrt";
	uint32_t size = 0;
	for (size_t i = 0; i < count; i++) {
		const char *at = value[i] ? strchr(plain, value[i]) : NULL;
		bool fits = true;
		if (at || (slashes && value[i] == '/'))
			fits = put(mask, &size, '\\') &&
			       put(mask, &size, at ? (uint8_t)named[at - plain] : '/');
		else if (value[i] < ' ')
			fits = put(mask, &size, '\\') && put(mask, &size, 'u') &&
			       put(mask, &size, '0') && put(mask, &size, '0') &&
			       put(mask, &size, (uint8_t)HEX[0][value[i] >> 4]) &&
			       put(mask, &size, (uint8_t)HEX[0][value[i] & 15]);
		else
			fits = put(mask, &size, value[i]);
		if (!fits)
			return false;
	}
	return close_pattern(mask, size, false);
}

static bool add_hex(struct mask *mask, const uint8_t *value, size_t count, int upper)
{
	uint32_t size = 0;
	for (size_t i = 0; i < count; i++)
		if (!put(mask, &size, (uint8_t)HEX[upper][value[i] >> 4]) ||
		    !put(mask, &size, (uint8_t)HEX[upper][value[i] & 15]))
			return false;
	return close_pattern(mask, size, true);
}

static bool is_unreserved(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static bool add_percent(struct mask *mask, const uint8_t *value, size_t count, int upper,
			bool slashes)
{
	uint32_t size = 0;
	for (size_t i = 0; i < count; i++) {
		bool plain = is_unreserved(value[i]) || (slashes && value[i] == '/');
		bool fits = plain ? put(mask, &size, value[i])
				  : put(mask, &size, '%') &&
					    put(mask, &size, (uint8_t)HEX[upper][value[i] >> 4]) &&
					    put(mask, &size, (uint8_t)HEX[upper][value[i] & 15]);
		if (!fits)
			return false;
	}
	return close_pattern(mask, size, false);
}

/* The characters that depend on the value alone, when `before` bytes of something else precede it in the first group
 * of three. */
static bool add_base64(struct mask *mask, const uint8_t *value, size_t count, size_t before,
		       const char *last)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	uint32_t size = 0;
	size_t first = (before * 8 + 5) / 6, end = (before + count) * 8 / 6;
	for (size_t c = first; c < end; c++) {
		uint32_t six = 0;
		for (size_t bit = c * 6; bit < c * 6 + 6; bit++) {
			size_t at = bit / 8 - before;
			six = six << 1 | (uint32_t)(value[at] >> (7 - bit % 8) & 1);
		}
		if (!put(mask, &size, (uint8_t)(six < 62 ? letters[six] : last[six - 62])))
			return false;
	}
	return close_pattern(mask, size, true);
}

static bool add_forms(struct mask *mask, const uint8_t *value, size_t count)
{
	bool fits = add_raw(mask, value, count) && add_json(mask, value, count, false) &&
		    add_json(mask, value, count, true);
	for (int upper = 0; upper < 2; upper++)
		fits = fits && add_hex(mask, value, count, upper) &&
		       add_percent(mask, value, count, upper, false) &&
		       add_percent(mask, value, count, upper, true);
	for (size_t before = 0; before < 3; before++)
		fits = fits && add_base64(mask, value, count, before, "+/") &&
		       add_base64(mask, value, count, before, "-_");
	return fits;
}

bool mask_add(struct mask *mask, const void *value, size_t size)
{
	const uint8_t *bytes = value;
	uint32_t used = mask->used, count = mask->count;
	if (size < MASK_VALUE_MIN || size > MASK_VALUE_MAX)
		return false;
	bool fits = add_forms(mask, bytes, size);
	for (size_t at = 0; fits && at < size;) {
		const uint8_t *newline = memchr(bytes + at, '\n', size - at);
		size_t line = newline ? (size_t)(newline - bytes) - at : size - at;
		size_t text = line > 0 && bytes[at + line - 1] == '\r' ? line - 1 : line;
		if (text >= MASK_VALUE_MIN && text < size)
			fits = add_forms(mask, bytes + at, text);
		at += line + 1;
	}
	if (!fits) { /* `begins` may say too much then, which costs time alone */
		mask->used = used;
		mask->count = count;
	}
	return fits;
}

/* --- the stream */

enum found { FOUND_NOT, FOUND_PART, FOUND_ALL };

static enum found compare(const struct mask *mask, const struct mask_pattern *pattern,
			  const uint8_t *bytes, size_t size, size_t *ret_length)
{
	const uint8_t *wanted = mask->bytes + pattern->at;
	size_t at = 0, skipped = 0;
	for (size_t i = 0; i < pattern->size;) {
		if (at == size)
			return FOUND_PART;
		if (bytes[at] == wanted[i]) {
			i++;
			skipped = 0;
		} else if (!pattern->broken || i == 0 || skipped == BREAK_MAX ||
			   (bytes[at] != '\n' && bytes[at] != '\r')) {
			return FOUND_NOT;
		} else {
			skipped++;
		}
		at++;
	}
	*ret_length = at;
	return FOUND_ALL;
}

/* By its second byte; one that is broken may have a line's end there. */
static bool may_begin(const struct mask *mask, const uint8_t *bytes, size_t size)
{
	return size < 2 || bytes[1] == '\n' || bytes[1] == '\r' ||
	       (mask->pairs[(bytes[0] << 8 | bytes[1]) >> 3] & 1 << (bytes[1] & 7)) != 0;
}

/* The longest that is here; PART when more bytes could make it longer. */
static enum found look(const struct mask *mask, const uint8_t *bytes, size_t size, bool last,
		       size_t *ret_length)
{
	enum found found = FOUND_NOT;
	*ret_length = 0;
	if (!mask->begins[bytes[0]] || !may_begin(mask, bytes, size))
		return FOUND_NOT;
	for (uint32_t i = 0; i < mask->count; i++) {
		size_t length;
		enum found one = compare(mask, &mask->patterns[i], bytes, size, &length);
		if (one == FOUND_PART && !last)
			return FOUND_PART;
		if (one == FOUND_ALL && length > *ret_length) {
			found = FOUND_ALL;
			*ret_length = length;
		}
	}
	return found;
}

/* What is here, and all that overlaps with it. */
static enum found cover(const struct mask *mask, const uint8_t *bytes, size_t size, bool last,
			size_t *ret_length)
{
	size_t more;
	enum found found = look(mask, bytes, size, last, ret_length);
	if (found != FOUND_ALL)
		return found;
	for (size_t i = 1; i < *ret_length; i++) {
		enum found inner = look(mask, bytes + i, size - i, last, &more);
		if (inner == FOUND_PART)
			return FOUND_PART;
		if (inner == FOUND_ALL && i + more > *ret_length)
			*ret_length = i + more;
	}
	return FOUND_ALL;
}

/* Give on all that is decided; returns how many bytes that were. */
static size_t go_on(const struct mask *mask, const uint8_t *bytes, size_t size, bool last,
		    mask_put sink, void *context)
{
	size_t at = 0, plain = 0, length;
	while (at < size) {
		enum found found = cover(mask, bytes + at, size - at, last, &length);
		if (found == FOUND_PART && size - at < MASK_HELD_MAX)
			break;
		if (found != FOUND_ALL) {
			at++;
			continue;
		}
		if (at > plain)
			sink(context, bytes + plain, at - plain);
		sink(context, STARS, sizeof STARS - 1);
		at += length;
		plain = at;
	}
	if (at > plain)
		sink(context, bytes + plain, at - plain);
	return at;
}

static void drain(const struct mask *mask, struct mask_stream *stream, bool last, mask_put sink,
		  void *context)
{
	size_t done = go_on(mask, stream->held, stream->size, last, sink, context);
	stream->size -= done;
	memmove(stream->held, stream->held + done, stream->size);
}

void mask_feed(const struct mask *mask, struct mask_stream *stream, const void *bytes, size_t size,
	       mask_put sink, void *context)
{
	const uint8_t *from = bytes;
	while (size > 0) {
		size_t room = MASK_HELD_MAX - stream->size, part = size < room ? size : room;
		memcpy(stream->held + stream->size, from, part);
		stream->size += part;
		from += part;
		size -= part;
		drain(mask, stream, false, sink, context);
	}
}

void mask_end(const struct mask *mask, struct mask_stream *stream, mask_put sink, void *context)
{
	drain(mask, stream, true, sink, context);
}

struct place {
	char *text;
	size_t size;
};

static void put_back(void *context, const void *bytes, size_t size)
{
	struct place *to = context;
	memmove(to->text + to->size, bytes, size);
	to->size += size;
}

/* What is put back is never ahead of what was read: the stars are shorter than any pattern. */
void mask_text(const struct mask *mask, char *text)
{
	struct place to = {.text = text};
	go_on(mask, (const uint8_t *)text, strlen(text), true, put_back, &to);
	text[to.size] = '\0';
}
