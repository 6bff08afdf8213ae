/* SPDX-License-Identifier: Apache-2.0
 * http_stream - answers that grow: see http.h for the contract. A stream that has nothing to say is a suspended
 * connection. */
#include <stdlib.h>
#include <string.h>

#include "api/http_request.h"

enum { STREAM_CHUNK = 64 * 1024 };

void http_stream_free(struct http_request *r)
{
	r->stream->gone(r->stream->context);
	buf_done(&r->stream->pending);
	free(r->stream);
	r->server->stream_count--;
}

static ssize_t read_stream(void *context, uint64_t position, char *to, size_t size)
{
	(void)position;
	struct http_request *r = context;
	struct stream *s = r->stream;
	if (r->server->ending)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (s->pending.size == 0 && !s->ended)
		s->ended = !s->more(s->context, &s->pending);
	if (s->pending.size == 0) {
		if (s->ended)
			return MHD_CONTENT_READER_END_OF_STREAM;
		http_suspend(r);
		return 0;
	}
	size_t count = s->pending.size < size ? s->pending.size : size;
	memcpy(to, s->pending.data, count);
	buf_drop(&s->pending, count);
	return (ssize_t)count;
}

void http_stream(struct http_request *r, const char *content_type,
		 bool (*more)(void *context, struct buf *to), void (*gone)(void *context),
		 void *context)
{
	ASSERT(!r->response && !r->stream);
	if (r->server->stream_count == HTTP_STREAMS_MAX) {
		gone(context);
		http_refuse(
			r, 503, ERR_UNAVAILABLE,
			"As many clients follow as davit serves at a time, and the rest is kept "
			"for "
			"commands: what you follow goes on; try again when another follower has "
			"left.");
		return;
	}
	r->server->stream_count++;
	r->stream = mem_zero(1, sizeof *r->stream);
	*r->stream = (struct stream){.more = more, .gone = gone, .context = context};
	buf_init(&r->stream->pending, 16 << 20);
	r->status = 200;
	r->response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_CHUNK, read_stream,
							r, NULL);
	MHD_add_response_header(r->response, "Content-Type", content_type);
	MHD_add_response_header(r->response, "Cache-Control", "no-store");
	MHD_set_connection_option(r->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0);
	http_resume(r);
}

void http_wake(struct http_server *server)
{
	for (struct http_request *r = server->first; r; r = r->next)
		if (r->stream)
			http_resume(r);
}

void http_cut(struct http_server *server, bool (*ends)(void *context, const char *who),
	      void *context)
{
	for (struct http_request *r = server->first; r; r = r->next)
		if (r->stream && !r->stream->ended && (!ends || ends(context, r->who))) {
			r->stream->ended = true;
			http_resume(r);
		}
}
