/* SPDX-License-Identifier: Apache-2.0
 * chunked - see chunked.h for the contract.
 *
 * What is written must never overtake what was read, wherever the input is cut. So the digits of a size are
 * written as they are read, not when the line is whole; of several leading zeros that leaves the first,
 * which may turn out to be the size of the last chunk. */
#include "wire/chunked.h"

#include <string.h>

#include "base/err.h"
#include "wire/chars.h"
#include "wire/http1.h"

enum phase {
	PHASE_SIZE = 0,  /* digits */
	PHASE_EXTENSION, /* after ';' */
	PHASE_SIZE_LF,
	PHASE_DATA,
	PHASE_DATA_CR,
	PHASE_DATA_LF,
	PHASE_TRAILER, /* lines up to an empty one */
	PHASE_DONE,
	PHASE_INVALID,
	PHASE_LIMIT,
};

/* Where reading and writing stand in the one buffer; to <= at. */
struct cursor {
	char *data;
	size_t at, size, to;
};

void chunked_init(struct chunked *c, enum chunked_form form)
{
	*c = (struct chunked){.form = (uint8_t)form};
}

bool chunked_between(const struct chunked *c)
{
	return c->phase == PHASE_SIZE && c->digits == 0;
}

static int fail(struct chunked *c, int code, const char *reason)
{
	c->phase = code == ERR_LIMIT ? PHASE_LIMIT : PHASE_INVALID;
	c->reason = reason;
	return code;
}

static void emit(struct chunked *c, struct cursor *k, char byte)
{
	if (c->form == CHUNKED_FRAMED)
		k->data[k->to++] = byte;
}

static int read_digit(struct chunked *c, struct cursor *k)
{
	static const char hex[] = "0123456789abcdef";
	char byte = k->data[k->at++];
	if (char_is(byte, CHAR_HEX)) {
		if (c->digits++ == CHUNKED_DIGITS_MAX)
			return fail(c, ERR_LIMIT, "a chunk's size has more than 16 digits");
		c->left = c->left << 4 | char_hex(byte);
		if (c->left > INT64_MAX)
			return fail(c, ERR_LIMIT, "a chunk's size is out of range");
		if (c->left > 0 || c->digits == 1)
			emit(c, k, hex[c->left & 15]);
		return 0;
	}
	if (c->digits == 0 || (byte != ';' && byte != '\r'))
		return fail(c, ERR_INVALID, "a chunk's size is not a hexadecimal number");
	c->phase = byte == ';' ? PHASE_EXTENSION : PHASE_SIZE_LF;
	if (byte == '\r')
		emit(c, k, '\r');
	return 0;
}

static int read_extension(struct chunked *c, struct cursor *k)
{
	char byte = k->data[k->at++];
	if (byte == '\r') {
		emit(c, k, '\r');
		c->phase = PHASE_SIZE_LF;
		return 0;
	}
	if (!char_is(byte, CHAR_TEXT))
		return fail(c, ERR_INVALID, "a chunk's extension has a control byte");
	if (++c->extension_bytes > CHUNKED_EXTENSION_MAX)
		return fail(c, ERR_LIMIT, "the chunks' extensions are too long");
	return 0;
}

static int read_size_lf(struct chunked *c, struct cursor *k)
{
	if (k->data[k->at++] != '\n')
		return fail(c, ERR_INVALID, "a chunk's size does not end with CRLF");
	emit(c, k, '\n');
	c->phase = c->left > 0 ? PHASE_DATA : PHASE_TRAILER;
	c->digits = 0;
	return 0;
}

static void read_data(struct chunked *c, struct cursor *k)
{
	size_t size = k->size - k->at;
	if (size > c->left)
		size = (size_t)c->left;
	if (k->to != k->at)
		memmove(k->data + k->to, k->data + k->at, size);
	k->at += size;
	k->to += size;
	c->left -= size;
	c->body_bytes += size;
	if (c->left == 0)
		c->phase = PHASE_DATA_CR;
}

static int read_data_end(struct chunked *c, struct cursor *k)
{
	char want = c->phase == PHASE_DATA_CR ? '\r' : '\n', byte = k->data[k->at++];
	if (byte != want)
		return fail(c, ERR_INVALID, "a chunk's data does not end with CRLF");
	emit(c, k, byte);
	c->phase = byte == '\r' ? PHASE_DATA_LF : PHASE_SIZE;
	return 0;
}

/* Fields that may stand in a trailer: none that routes, authenticates or belongs to one hop. Those
 * http1 knows are all of that sort, but for a few that would do no harm and have no use there. */
static bool may_trail(const char *name, size_t size)
{
	return http1_field_identify(name, size) == HTTP1_FIELD_OTHER;
}

/* Nobody who means well says so at the end of a body, and readers differ in whether they listen. */
static bool frames(const char *name, size_t size)
{
	enum http1_field_id id = http1_field_identify(name, size);
	return id == HTTP1_FIELD_CONTENT_LENGTH || id == HTTP1_FIELD_TRANSFER_ENCODING;
}

static int read_trailer_line(struct chunked *c, struct cursor *k, size_t end)
{
	const char *line = k->data + k->at;
	size_t size = end - k->at, name = 0;
	while (name < size && char_is(line[name], CHAR_TOKEN))
		name++;
	if (name == 0 || name == size || line[name] != ':' ||
	    !chars_are_text(line + name, size - name))
		return fail(c, ERR_INVALID, "a trailer line is not a field");
	if (frames(line, name))
		return fail(c, ERR_INVALID, "a trailer says anew how long its message is");
	if (++c->trailer_fields > CHUNKED_TRAILER_FIELDS)
		return fail(c, ERR_LIMIT, "there are too many trailer fields");
	if (c->form != CHUNKED_BARE && may_trail(line, name)) {
		memmove(k->data + k->to, line, size + 2);
		k->to += size + 2;
		c->kept = (uint16_t)(c->kept + size + 2);
	}
	return 0;
}

/* One line; 1 when it was the empty one, 2 when the line is not all there. */
static int read_trailer(struct chunked *c, struct cursor *k)
{
	size_t left = k->size - k->at;
	size_t window = left < CHUNKED_TRAILER_LINE_MAX ? left : CHUNKED_TRAILER_LINE_MAX;
	const char *lf = memchr(k->data + k->at, '\n', window);
	if (!lf)
		return left < CHUNKED_TRAILER_LINE_MAX
			       ? 2
			       : fail(c, ERR_LIMIT, "a trailer line is too long");
	size_t end = (size_t)(lf - k->data), size = end + 1 - k->at;
	if (end == k->at || k->data[end - 1] != '\r')
		return fail(c, ERR_INVALID, "a trailer line ends with LF alone");
	if (size > (size_t)(CHUNKED_TRAILER_MAX - c->trailer_bytes))
		return fail(c, ERR_LIMIT, "the trailer is too long");
	c->trailer_bytes = (uint16_t)(c->trailer_bytes + size);
	if (size == 2) {
		emit(c, k, '\r');
		emit(c, k, '\n');
		k->at = end + 1;
		c->phase = PHASE_DONE;
		return 1;
	}
	int rc = read_trailer_line(c, k, end - 1);
	k->at = end + 1;
	return rc;
}

/* Go on in the current phase: 0 to go on, 1 at the end, 2 when more input is needed. */
static int step(struct chunked *c, struct cursor *k)
{
	switch ((enum phase)c->phase) {
	case PHASE_SIZE: return read_digit(c, k);
	case PHASE_EXTENSION: return read_extension(c, k);
	case PHASE_SIZE_LF: return read_size_lf(c, k);
	case PHASE_DATA: read_data(c, k); return 0;
	case PHASE_DATA_CR:
	case PHASE_DATA_LF: return read_data_end(c, k);
	case PHASE_TRAILER: return read_trailer(c, k);
	case PHASE_DONE: return 1;
	case PHASE_INVALID: return ERR_INVALID;
	case PHASE_LIMIT: return ERR_LIMIT;
	}
	return ERR_INVALID;
}

int chunked_pass(struct chunked *c, char *data, size_t size, size_t *ret_used, size_t *ret_size)
{
	struct cursor k = {data, 0, size, 0};
	int rc = c->phase >= PHASE_DONE ? step(c, &k) : 0;
	while (rc == 0 && k.at < size)
		rc = step(c, &k);
	*ret_used = k.at;
	*ret_size = k.to;
	return rc == 2 ? 0 : rc;
}
