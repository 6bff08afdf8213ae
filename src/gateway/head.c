/* SPDX-License-Identifier: Apache-2.0
 *
 * head - see head.h for the contract.
 */
#include "gateway/head.h"

#include <stdio.h>
#include <string.h>

#include "gateway/client.h"
#include "gateway/exchange.h"
#include "gateway/live.h"
#include "gateway/loop.h"
#include "gateway/route.h"
#include "gateway/rules.h"
#include "wire/http1_write.h"

enum { LIST_SIZE = 1024, OWN_ID_SIZE = 32, ADDED_SIZE = 256 };

/* What davit writes of its own in a request, and what rules may add. */
enum { OWN_FIELDS_MAX = 16, FIELDS_MAX = OWN_FIELDS_MAX + FIELD_RULES_MAX };

struct fields {
	struct http1_set set[FIELDS_MAX];
	uint32_t count;
};

static void add(struct fields *f, const char *name, const char *value, size_t value_size)
{
	f->set[f->count++] = (struct http1_set){.name = name,
						.name_size = (uint16_t)strlen(name),
						.value = value,
						.value_size = (uint16_t)value_size};
}

/* All fields of one kind joined by commas, and `last` after them; `last` alone if that is too long. */
static size_t join(const struct exchange *x, enum http1_field_id id, const char *last,
		   char to[LIST_SIZE])
{
	const char *data = x->request.buffer->data;
	size_t size = 0, last_size = strlen(last);
	for (uint32_t i = 0; i < x->head.field_count; i++) {
		const struct http1_field *f = &x->head.fields[i];
		if (f->id != id || f->value.size == 0)
			continue;
		if (size + f->value.size + last_size + 4 > LIST_SIZE) {
			size = 0;
			break;
		}
		memcpy(to + size, data + f->value.at, f->value.size);
		size += f->value.size;
		memcpy(to + size, ", ", 2);
		size += 2;
	}
	memcpy(to + size, last, last_size);
	return size + last_size;
}

static const char *came_by(const struct exchange *x)
{
	return x->client->stream ? "2.0 davit" : "1.1 davit";
}

uint32_t head_write_request(const struct exchange *x, enum head_kind kind, char *to,
			    size_t capacity)
{
	const char *data = x->request.buffer->data;
	const char *peer = x->client->address;
	bool trusted = live_trusts(x->live, peer);
	struct fields f = {.count = 0};
	char forwarded_for[LIST_SIZE], via[LIST_SIZE], trace[TRACEPARENT_SIZE + 1];
	size_t size = trusted ? join(x, HTTP1_FIELD_X_FORWARDED_FOR, peer, forwarded_for) : 0;
	struct http1_forward how = {.set = f.set, .expect = kind == HEAD_REAL};
	add(&f, "x-forwarded-for", trusted ? forwarded_for : peer, trusted ? size : strlen(peer));
	if (!trusted || !http1_field_find(&x->head, HTTP1_FIELD_X_FORWARDED_PROTO))
		add(&f, "x-forwarded-proto", "https", client_connection(x->client)->tls ? 5 : 4);
	if (!trusted || !http1_field_find(&x->head, HTTP1_FIELD_X_FORWARDED_HOST))
		add(&f, "x-forwarded-host", data + x->head.host.at, x->head.host.size);
	add(&f, "x-request-id", x->request_id, strlen(x->request_id));
	traceparent_write(&x->trace, trace);
	add(&f, "traceparent", trace, TRACEPARENT_SIZE);
	if (x->trace_begun) /* it belongs to the one that is no good */
		add(&f, "tracestate", NULL, 0);
	add(&f, "via", via, join(x, HTTP1_FIELD_VIA, came_by(x), via));
	add(&f, ROUTE_PREVIEW_FIELD, NULL, 0);
	add(&f, "x-davit-shadow", kind == HEAD_SHADOW ? "1" : NULL, 1);
	if (!trusted)
		how.drop = 1ull << HTTP1_FIELD_FORWARDED | 1ull << HTTP1_FIELD_X_FORWARDED_PORT |
			   1ull << HTTP1_FIELD_X_REAL_IP;
	const struct rules *rules = x->route->rules;
	for (uint32_t i = 0; rules && i < rules->request.count; i++)
		f.set[f.count++] = rules->request.set[i];
	how.set_count = f.count;
	int written = http1_write_request(&x->head, data, &how, to, capacity);
	struct http1_span ignored;
	if (written > 0 && http1_cookie_find(&x->head, data, ROUTE_PREVIEW_COOKIE, &ignored))
		return (uint32_t)http1_cut_cookie(to, (size_t)written, ROUTE_PREVIEW_COOKIE);
	return written < 0 ? 0 : (uint32_t)written;
}

/* Put whole lines after the status line. */
static uint32_t add_lines(char *head, uint32_t size, size_t capacity, const char *lines)
{
	char *end = memchr(head, '\n', size);
	size_t more = strlen(lines);
	if (!end || size + more > capacity)
		return 0;
	end++;
	memmove(end + more, end, size - (size_t)(end - head));
	memcpy(end, lines, more);
	return size + (uint32_t)more;
}

/* What the environment promises of itself, to clients that came by TLS. */
static uint32_t add_promise(const struct exchange *x, char *head, uint32_t size, size_t capacity)
{
	char line[ADDED_SIZE];
	if (!client_connection(x->client)->tls || !x->route || !x->route->environment->tls.hsts_s)
		return size;
	snprintf(line, sizeof(line), "Strict-Transport-Security: max-age=%u\r\n",
		 x->route->environment->tls.hsts_s);
	return add_lines(head, size, capacity, line);
}

uint32_t head_write_answer(const struct exchange *x, bool close, char *to, size_t capacity)
{
	struct http1_forward how = {.close = close, .minor = exchange_minor(x)};
	if (x->route->rules && !x->answer.interim) {
		how.set = x->route->rules->answer.set;
		how.set_count = x->route->rules->answer.count;
	}
	int written =
		http1_write_response(&x->answer, x->response.buffer->data, &how, to, capacity);
	if (written < 0)
		return 0;
	if (x->answer.interim)
		return (uint32_t)written;
	uint32_t size = add_promise(x, to, (uint32_t)written, capacity);
	if (!x->set_cookie || !size)
		return size;
	char cookie[ROUTE_COOKIE_SIZE], line[ADDED_SIZE];
	route_cookie(x, cookie);
	snprintf(line, sizeof(line),
		 "Set-Cookie: %s=%.*s; Path=/; Max-Age=2592000; HttpOnly; SameSite=Lax%s\r\n",
		 x->route->environment->sticky.cookie, ROUTE_COOKIE_SIZE, cookie,
		 client_connection(x->client)->tls ? "; Secure" : "");
	return add_lines(to, size, capacity, line);
}

uint32_t head_write_own(const struct exchange *x, const struct head_own *own, char *to,
			size_t capacity)
{
	char lines[ADDED_SIZE];
	struct http1_own what = {.status = own->status,
				 .text = own->text,
				 .text_size = own->text_size,
				 .type = own->type,
				 .retry_after_s = own->retry_after_s,
				 .close = own->close,
				 .bare = own->bare,
				 .head = x->head.method == HTTP1_METHOD_HEAD};
	int written = http1_write_own(&what, to, capacity);
	if (written < 0)
		return 0;
	snprintf(lines, sizeof(lines), "Server: davit\r\n%s%s%s%s%.*s%s",
		 own->reason ? "X-Davit-Error: " : "", own->reason ? own->reason : "",
		 own->reason ? "\r\n" : "", x->request_id[0] ? "X-Request-Id: " : "",
		 REQUEST_ID_SIZE - 1, x->request_id, x->request_id[0] ? "\r\n" : "");
	uint32_t size = add_lines(to, (uint32_t)written, capacity, lines);
	if (size && own->line)
		size = add_lines(to, size, capacity, own->line);
	return size ? add_promise(x, to, size, capacity) : 0;
}

/* One that is good, and alone, goes on; else it begins here. */
static void trace(struct worker *w, struct exchange *x)
{
	static const char name[] = "traceparent";
	const char *data = x->request.buffer->data;
	const struct http1_field *f = http1_field_named(&x->head, data, name, 0);
	bool alone =
		f && !http1_field_named(&x->head, data, name, (uint16_t)(f - x->head.fields + 1));
	x->trace_begun = !alone || !traceparent_read(data + f->value.at, f->value.size, &x->trace);
	if (x->trace_begun)
		traceparent_begin(&x->trace, worker_random(w), worker_random(w));
	traceparent_pass(&x->trace, worker_random(w));
}

void head_identify(struct worker *w, struct exchange *x)
{
	const struct http1_field *f = http1_field_find(&x->head, HTTP1_FIELD_X_REQUEST_ID);
	trace(w, x);
	if (f && f->value.size > 0 && f->value.size < REQUEST_ID_SIZE) {
		memcpy(x->request_id, x->request.buffer->data + f->value.at, f->value.size);
		x->request_id[f->value.size] = 0;
		return;
	}
	uint64_t bits[2] = {worker_random(w), worker_random(w)};
	for (int i = 0; i < OWN_ID_SIZE; i++)
		x->request_id[i] = "0123456789abcdef"[bits[i / 16] >> (60 - 4 * (i % 16)) & 15];
	x->request_id[OWN_ID_SIZE] = 0;
}
