/* SPDX-License-Identifier: Apache-2.0
 *
 * http_request - what http.c and http_stream.c share: the server, a request, a stream.
 */
#ifndef API_HTTP_REQUEST_H
#define API_HTTP_REQUEST_H

#include <microhttpd.h>

#include "api/http.h"

enum { HTTP_PATH_SIZE = 1024, HTTP_QUERY_MAX = 16 };

struct stream {
	bool (*more)(void *context, struct buf *to);
	void (*gone)(void *context);
	void *context;
	struct buf pending;
	bool ended;
};

struct http_server {
	struct MHD_Daemon *daemon;
	struct loop *loop;
	struct loop_watch *watch;
	struct env_timer timer;
	struct http_options options;
	char spool[HTTP_PATH_SIZE];
	struct http_request *first; /* every request that is not yet finished */
	size_t stream_count;
	bool leaving; /* it takes no connection, and keeps none for another request */
	bool ending;  /* nothing is handled or suspended any more */
};

struct http_request {
	struct http_server *server;
	struct MHD_Connection *connection;
	struct http_request *next, *previous;
	char method[16];
	char path[HTTP_PATH_SIZE];
	char *segments[HTTP_SEGMENTS_MAX];
	size_t segment_count;
	size_t query_count;
	char *query_names[HTTP_QUERY_MAX], *query_values[HTTP_QUERY_MAX];
	char who[HTTP_WHO_SIZE];
	bool allowed;
	bool owner;       /* the user of this process, or root */
	unsigned refused; /* 0, or the status that it is refused with, and why */
	struct error refusal;
	bool target_too_long;
	bool may_upload;
	bool spooled;
	int upload_fd;
	uint64_t upload_bytes;
	uint64_t head_left; /* of an upload: bytes that still belong to the body in memory */
	struct buf body;
	bool too_large;
	bool no_space;
	bool handled;
	bool suspended;
	struct MHD_Response *response;
	unsigned status;
	struct stream *stream;
};

/* Nothing is done for it until http_resume(). */
void http_suspend(struct http_request *r);
void http_resume(struct http_request *r);

/* The answer is an error. */
void http_refuse(struct http_request *r, unsigned status, enum err code, const char *message);

/* The stream's end, with its request. */
void http_stream_free(struct http_request *r);

#endif
