/* SPDX-License-Identifier: Apache-2.0
 * junit - see junit.h for the contract. A scanner of tags: text between them means nothing here. */
#include "wire/junit.h"

#include <string.h>

struct scan {
	const char *at, *end;
	const char *why;
	struct junit *junit;
	uint32_t depth, case_depth; /* 0: outside of a test case */
	bool failed, skipped, seen;
	char name[JUNIT_NAME_SIZE];
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool fail(struct scan *s, const char *why)
{
	s->why = why;
	return false;
}

static bool starts(const struct scan *s, const char *text)
{
	size_t size = strlen(text);
	return (size_t)(s->end - s->at) >= size && memcmp(s->at, text, size) == 0;
}

/* Go behind the next `text`. */
static bool pass(struct scan *s, const char *text, const char *why)
{
	size_t size = strlen(text);
	for (; (size_t)(s->end - s->at) >= size; s->at++)
		if (memcmp(s->at, text, size) == 0) {
			s->at += size;
			return true;
		}
	return fail(s, why);
}

static void skip_blanks(struct scan *s)
{
	while (s->at < s->end && is_blank(*s->at))
		s->at++;
}

/* A tag's or an attribute's name; its length, 0: there is none. */
static size_t take_name(struct scan *s, const char **ret_name)
{
	*ret_name = s->at;
	while (s->at < s->end && !is_blank(*s->at) && !strchr("=<>/\"'", *s->at))
		s->at++;
	return (size_t)(s->at - *ret_name);
}

static bool named(const char *name, size_t size, const char *wanted)
{
	return size == strlen(wanted) && memcmp(name, wanted, size) == 0;
}

/* --- values */

static size_t put_utf8(uint32_t code, char to[4])
{
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	static const uint8_t first[] = {0, 0xc0, 0xe0, 0xf0};
	to[0] = (char)(first[more] | code >> (6 * more));
	for (size_t i = 1; i <= more; i++)
		to[i] = (char)(0x80 | (code >> (6 * (more - i)) & 0x3f));
	return more + 1;
}

/* "#65", "#x41"; 0: it is none. */
static uint32_t number_of(const char *text, size_t size)
{
	uint32_t code = 0, base = size > 1 && text[1] == 'x' ? 16 : 10;
	size_t at = base == 16 ? 2 : 1;
	if (at == size)
		return 0;
	for (; at < size; at++) {
		static const char digits[] = "0123456789abcdef";
		char c = text[at] >= 'A' && text[at] <= 'F' ? (char)(text[at] + 32) : text[at];
		const char *digit = c ? strchr(digits, c) : NULL;
		if (!digit || (uint32_t)(digit - digits) >= base || code > 0x10ffff)
			return 0;
		code = code * base + (uint32_t)(digit - digits);
	}
	return code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : code;
}

/* The entity at `from`, which is "&"; its bytes, and how many it took. What is none stays as it is. */
static size_t decode(const char *from, size_t size, char to[4], size_t *ret_taken)
{
	static const struct {
		const char *name;
		char is;
	} known[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
	enum { ENTITY_MAX = 10 };
	const char *end = memchr(from, ';', size < ENTITY_MAX ? size : ENTITY_MAX);
	*ret_taken = 1;
	to[0] = '&';
	if (!end)
		return 1;
	size_t length = (size_t)(end - from) - 1;
	uint32_t code = length > 1 && from[1] == '#' ? number_of(from + 1, length) : 0;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (named(from + 1, length, known[i].name))
			code = (uint32_t)known[i].is;
	if (code == 0)
		return 1;
	*ret_taken = length + 2;
	return put_utf8(code, to);
}

static void append(char name[JUNIT_NAME_SIZE], const char *value, size_t size)
{
	size_t used = strlen(name), taken;
	for (size_t at = 0; at < size; at += taken) {
		char bytes[4] = {value[at]};
		size_t count = 1;
		taken = 1;
		if (value[at] == '&')
			count = decode(value + at, size - at, bytes, &taken);
		if (used + count >= JUNIT_NAME_SIZE)
			break;
		if (bytes[0] == '\0')
			continue;
		memcpy(name + used, bytes, count);
		used += count;
	}
	name[used] = '\0';
}

/* --- tags */

struct value {
	const char *text;
	size_t size;
};

/* The attributes of a tag, up to its ">"; the two that make a name are kept. */
static bool take_attributes(struct scan *s, struct value *class, struct value *name,
			    bool *ret_closed)
{
	const char *attribute;
	for (;;) {
		skip_blanks(s);
		if (s->at == s->end)
			return fail(s, "ends within a tag");
		if (*s->at == '>' || starts(s, "/>")) {
			*ret_closed = *s->at == '/';
			s->at += *ret_closed ? 2 : 1;
			return true;
		}
		size_t size = take_name(s, &attribute);
		skip_blanks(s);
		if (size == 0 || s->at == s->end || *s->at != '=')
			return fail(s, "has an attribute without a value");
		s->at++;
		skip_blanks(s);
		if (s->at == s->end || (*s->at != '"' && *s->at != '\''))
			return fail(s, "has an attribute without quotes");
		const char *from = s->at + 1;
		const char *to = memchr(from, *s->at, (size_t)(s->end - from));
		if (!to)
			return fail(s, "has a quote that is not closed");
		s->at = to + 1;
		struct value value = {from, (size_t)(to - from)};
		if (named(attribute, size, "classname"))
			*class = value;
		else if (named(attribute, size, "name"))
			*name = value;
	}
}

static void case_ends(struct scan *s)
{
	struct junit *junit = s->junit;
	junit->failed += s->failed;
	junit->skipped += s->skipped && !s->failed;
	if (s->failed && junit->name_count < JUNIT_FAILED_MAX)
		memcpy(junit->names[junit->name_count++], s->name, sizeof s->name);
	s->case_depth = 0;
}

static bool take_opening(struct scan *s)
{
	struct value class = {0}, name = {0};
	const char *tag;
	bool closed;
	size_t size = take_name(s, &tag);
	if (size == 0)
		return fail(s, "has a tag without a name");
	if (s->depth == JUNIT_DEPTH_MAX)
		return fail(s, "is too deep");
	if (!take_attributes(s, &class, &name, &closed))
		return false;
	s->depth++;
	s->seen = true;
	if (s->case_depth == 0 && named(tag, size, "testcase")) {
		s->junit->tests++;
		s->case_depth = s->depth;
		s->failed = s->skipped = false;
		memset(s->name, 0, sizeof s->name);
		append(s->name, class.text, class.size);
		if (class.size > 0 && name.size > 0)
			append(s->name, ".", 1);
		append(s->name, name.text, name.size);
	} else if (s->case_depth > 0) {
		s->failed |= named(tag, size, "failure") || named(tag, size, "error");
		s->skipped |= named(tag, size, "skipped");
	}
	if (closed) {
		if (s->case_depth == s->depth)
			case_ends(s);
		s->depth--;
	}
	return true;
}

static bool take_closing(struct scan *s)
{
	if (!pass(s, ">", "ends within a tag"))
		return false;
	if (s->depth == 0)
		return fail(s, "closes what was not opened");
	if (s->case_depth == s->depth)
		case_ends(s);
	s->depth--;
	return true;
}

/* At "<". */
static bool take_tag(struct scan *s)
{
	if (starts(s, "<!--"))
		return pass(s, "-->", "has a comment that is not closed");
	if (starts(s, "<![CDATA["))
		return pass(s, "]]>", "has a CDATA section that is not closed");
	if (starts(s, "<?"))
		return pass(s, "?>", "has an instruction that is not closed");
	if (starts(s, "<!")) {
		const char *from = s->at;
		if (!pass(s, ">", "has a declaration that is not closed"))
			return false;
		return memchr(from, '[', (size_t)(s->at - from)) == NULL ||
		       fail(s, "declares entities of its own");
	}
	s->at++;
	if (s->at < s->end && *s->at == '/')
		return take_closing(s);
	return take_opening(s);
}

bool junit_read(const char *text, size_t size, struct junit *ret_junit, const char **ret_why)
{
	struct scan s = {.at = text, .end = text + size, .junit = ret_junit};
	memset(ret_junit, 0, sizeof *ret_junit);
	while (s.at < s.end) {
		const char *tag = memchr(s.at, '<', (size_t)(s.end - s.at));
		if (!tag)
			break;
		s.at = tag;
		if (!take_tag(&s)) {
			*ret_why = s.why;
			return false;
		}
	}
	*ret_why = s.depth > 0 ? "is not closed" : "is no XML";
	return s.depth == 0 && s.seen;
}
