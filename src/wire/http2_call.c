/* SPDX-License-Identifier: Apache-2.0
 *
 * http2_call - see http2_call.h for the contract.
 */
#include "wire/http2_call.h"

#include <string.h>

#include "base/err.h"

enum { FIELD_EXTRA = 32, STATUS_SIZE = 3 };

static struct http2_field field(const char *name, const char *value, size_t value_size)
{
	return (struct http2_field){.name = name,
				    .name_size = (uint32_t)strlen(name),
				    .value = value,
				    .value_size = (uint32_t)value_size};
}

static bool named(const struct http2_field *f, const char *name)
{
	return f->name_size == strlen(name) && memcmp(f->name, name, f->name_size) == 0;
}

size_t http2_call_fields(char *data, size_t size, struct http2_field *fields, size_t max)
{
	char *line_end = memchr(data, '\n', size);
	char *method_end = line_end ? memchr(data, ' ', (size_t)(line_end - data)) : NULL;
	char *target = method_end ? method_end + 1 : NULL;
	char *target_end = target ? memchr(target, ' ', (size_t)(line_end - target)) : NULL;
	if (!target_end || max < 6)
		return 0;
	size_t count = 4, found;
	found = count + http2_fields(line_end + 1, size - (size_t)(line_end + 1 - data),
				     fields + count, max - count - 1);
	fields[0] = field(":method", data, (size_t)(method_end - data));
	fields[1] = field(":scheme", "http", 4);
	fields[2] = field(":path", target, (size_t)(target_end - target));
	fields[3] = field(":authority", "", 0);
	for (size_t i = count; i < found; i++) {
		if (named(&fields[i], "host"))
			fields[3] = field(":authority", fields[i].value, fields[i].value_size);
		else if (!named(&fields[i], "te"))
			fields[count++] = fields[i];
	}
	fields[count++] = field("te", "trailers", 8);
	return count;
}

unsigned http2_grpc_status(const char *value, size_t size)
{
	static const uint16_t statuses[] = {200, 499, 500, 400, 504, 404, 409, 403, 429,
					    400, 409, 400, 501, 500, 503, 500, 401};
	unsigned code = 0;
	for (size_t i = 0; i < size; i++)
		code = value[i] >= '0' && value[i] <= '9' && code < 100
			       ? code * 10 + (unsigned)(value[i] - '0')
			       : 1000;
	return size && code < sizeof statuses / sizeof *statuses ? statuses[code] : 500;
}

/* ── answers ──────────────────────────────────────────────────────────────────────────────────────── */

void http2_answer_init(struct http2_answer *a, char *data)
{
	*a = (struct http2_answer){.data = data};
}

static void put(struct http2_answer *a, const char *text, size_t size)
{
	ASSERT(a->size + size <= HTTP2_HEAD_SIZE);
	memcpy(a->data + a->size, text, size);
	a->size += (uint32_t)size;
}

static void put_text(struct http2_answer *a, const char *text)
{
	put(a, text, strlen(text));
}

/* The one pseudo-field of answers. */
static int read_status(struct http2_answer *a, const char *name, size_t name_size,
		       const char *value, size_t size)
{
	bool good = name_size == 7 && memcmp(name, ":status", 7) == 0 && size == STATUS_SIZE &&
		    a->status == 0;
	for (size_t i = 0; good && i < size; i++)
		good = value[i] >= '0' && value[i] <= '9';
	if (!good || value[0] == '0')
		return ERR_INVALID;
	a->status = (uint16_t)((value[0] - '0') * 100 + (value[1] - '0') * 10 + (value[2] - '0'));
	put_text(a, "HTTP/1.1 ");
	put(a, value, STATUS_SIZE);
	put_text(a, " ");
	put_text(a, http1_status_text(
			    a->status)); /* some clients of HTTP/1 take no status line without */
	put_text(a, "\r\n");
	return a->status == 101 ? ERR_INVALID : 0; /* HTTP/2 switches to nothing */
}

int http2_answer_field(struct http2_answer *a, const char *name, size_t name_size,
		       const char *value, size_t value_size)
{
	if (name_size + value_size + FIELD_EXTRA > HTTP2_LIST_MAX - a->list_size)
		return ERR_LIMIT;
	a->list_size += (uint32_t)(name_size + value_size + FIELD_EXTRA);
	if (name_size > 0 && name[0] == ':')
		return read_status(a, name, name_size, value, value_size);
	char *line = a->data + a->size;
	if (!a->status || !http2_is_field(name, name_size, value, value_size) ||
	    http2_of_one_connection(name, name_size))
		return ERR_INVALID;
	ASSERT(a->size + name_size + value_size + 4 <= HTTP2_HEAD_SIZE);
	a->size += (uint32_t)http2_line(name, name_size, value, value_size, line);
	a->has_length |= http1_field_identify(name, name_size) == HTTP1_FIELD_CONTENT_LENGTH;
	return 0;
}

static bool may_have_body(const struct http2_answer *a)
{
	return a->status >= 200 && a->status != 204 && a->status != 304;
}

bool http2_answer_chunked(const struct http2_answer *a, bool ended)
{
	return may_have_body(a) && !ended && !a->has_length;
}

int http2_answer_end(struct http2_answer *a, bool ended, bool asked_head)
{
	if (!a->status)
		return ERR_INVALID;
	if (a->status < 200 && ended)
		return ERR_INVALID;
	if (http2_answer_chunked(a, ended))
		put_text(a, "Transfer-Encoding: chunked\r\n");
	else if (may_have_body(a) && !a->has_length && !asked_head)
		put_text(a, "Content-Length: 0\r\n");
	put_text(a, "\r\n");
	return 0;
}
