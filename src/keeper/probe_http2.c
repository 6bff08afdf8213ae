/* SPDX-License-Identifier: Apache-2.0
 * probe_http2 - see probe_http2.h for the contract. */
#include "keeper/probe_http2.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

enum { AUTHORITY_SIZE = 24, BODY_SIZE = 64, PREFIX_SIZE = 5, SERVING = 1 };

/* A message of gRPC: not compressed, of length 0, which asks about the whole server. */
static const uint8_t question[PREFIX_SIZE] = {0};
static const char check_path[] = "/grpc.health.v1.Health/Check";

struct probe_http2 {
	nghttp2_session *session;
	const char *path; /* NULL: gRPC */
	char authority[AUTHORITY_SIZE];
	unsigned status; /* of HTTP; 0: not known */
	int grpc_status; /* -1: not known */
	uint8_t body[BODY_SIZE];
	size_t body_size;
	bool over;
};

static int number_of(const uint8_t *text, size_t size)
{
	int number = 0;
	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9' || number > 999)
			return 9999;
		number = number * 10 + (text[i] - '0');
	}
	return number;
}

static bool named(const uint8_t *name, size_t size, const char *what)
{
	return size == strlen(what) && memcmp(name, what, size) == 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
		     void *context)
{
	struct probe_http2 *p = context;
	(void)session;
	(void)frame;
	(void)flags;
	if (named(name, name_size, ":status"))
		p->status = (unsigned)number_of(value, value_size);
	else if (named(name, name_size, "grpc-status"))
		p->grpc_status = number_of(value, value_size);
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
		   size_t size, void *context)
{
	struct probe_http2 *p = context;
	size_t room = BODY_SIZE - p->body_size;
	(void)session;
	(void)flags;
	(void)id;
	if (size > room)
		size = room;
	memcpy(p->body + p->body_size, data, size);
	p->body_size += size;
	return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *context)
{
	struct probe_http2 *p = context;
	(void)session;
	(void)id;
	(void)code;
	p->over = true;
	return 0;
}

static ssize_t read_question(nghttp2_session *session, int32_t id, uint8_t *to, size_t capacity,
			     uint32_t *flags, nghttp2_data_source *source, void *context)
{
	(void)session;
	(void)id;
	(void)source;
	(void)context;
	ASSERT(capacity >= sizeof question);
	memcpy(to, question, sizeof question);
	*flags |= NGHTTP2_DATA_FLAG_EOF;
	return sizeof question;
}

static nghttp2_nv field(const char *name, const char *value)
{
	return (nghttp2_nv){.name = (uint8_t *)name,
			    .namelen = strlen(name),
			    .value = (uint8_t *)value,
			    .valuelen = strlen(value)};
}

static void submit(struct probe_http2 *p)
{
	nghttp2_nv fields[] = {field(":method", p->path ? "GET" : "POST"),
			       field(":scheme", "http"),
			       field(":path", p->path ? p->path : check_path),
			       field(":authority", p->authority),
			       field("user-agent", "davit-health"),
			       field("content-type", "application/grpc"),
			       field("te", "trailers")};
	size_t count = sizeof fields / sizeof fields[0] - (p->path ? 2 : 0);
	nghttp2_data_provider body = {.read_callback = read_question};
	bool made = nghttp2_submit_settings(p->session, NGHTTP2_FLAG_NONE, NULL, 0) == 0 &&
		    nghttp2_submit_request(p->session, NULL, fields, count, p->path ? NULL : &body,
					   NULL) > 0;
	ASSERT(made);
}

struct probe_http2 *probe_http2_new(const char *path, uint16_t port)
{
	struct probe_http2 *p = mem_zero(1, sizeof *p);
	nghttp2_session_callbacks *calls;
	bool made = nghttp2_session_callbacks_new(&calls) == 0;
	ASSERT(made);
	nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_close);
	made = nghttp2_session_client_new(&p->session, calls, p) == 0;
	ASSERT(made);
	nghttp2_session_callbacks_del(calls);
	p->path = path;
	p->grpc_status = -1;
	snprintf(p->authority, sizeof p->authority, "127.0.0.1:%u", port);
	submit(p);
	return p;
}

void probe_http2_free(struct probe_http2 *p)
{
	if (!p)
		return;
	nghttp2_session_del(p->session);
	free(p);
}

size_t probe_http2_request(struct probe_http2 *p, char *to, size_t capacity)
{
	size_t total = 0;
	const uint8_t *data;
	ssize_t size;
	while ((size = nghttp2_session_mem_send(p->session, &data)) > 0) {
		if ((size_t)size > capacity - total)
			return 0;
		memcpy(to + total, data, (size_t)size);
		total += (size_t)size;
	}
	return total;
}

/* Field 1, a number, of the message that came; 0 (unknown) where there is none. */
static unsigned serving_status(const struct probe_http2 *p)
{
	bool there =
		p->body_size >= PREFIX_SIZE + 2 && p->body[0] == 0 && p->body[PREFIX_SIZE] == 8;
	return there ? p->body[PREFIX_SIZE + 1] : 0;
}

static bool judge(const struct probe_http2 *p, char *to, size_t size)
{
	static const char *const names[] = {"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};
	unsigned serving = serving_status(p);
	if (p->status == 0)
		snprintf(to, size, "The instance gave the health check no answer.");
	else if (p->path)
		snprintf(to, size, "GET %.128s answered %u.", p->path, p->status);
	else if (p->status != 200)
		snprintf(to, size, "The health check of gRPC was answered with %u.", p->status);
	else if (p->grpc_status != 0)
		snprintf(to, size, "The health check of gRPC ended with status %d%s.",
			 p->grpc_status, p->grpc_status == 12 ? ": there is none" : "");
	else
		snprintf(to, size, "The health check of gRPC says %s.",
			 serving < 4 ? names[serving] : "something unknown");
	if (p->path)
		return p->status >= 200 && p->status < 400;
	return p->status == 200 && p->grpc_status == 0 && serving == SERVING;
}

enum probe_http2_state probe_http2_answer(struct probe_http2 *p, const char *data, size_t size,
					  char *sentence, size_t sentence_size)
{
	ssize_t used = nghttp2_session_mem_recv(p->session, (const uint8_t *)data, size);
	if (p->over)
		return judge(p, sentence, sentence_size) ? PROBE_HTTP2_PASSED : PROBE_HTTP2_FAILED;
	if (used >= 0 && nghttp2_session_want_read(p->session))
		return PROBE_HTTP2_MORE;
	snprintf(sentence, sentence_size, "The answer to the health check is not HTTP/2.");
	return PROBE_HTTP2_FAILED;
}
