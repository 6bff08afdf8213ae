/* SPDX-License-Identifier: Apache-2.0
 *
 * http - HTTP/1.1 on the controller's UNIX socket (libmicrohttpd on the controller's loop).
 *
 * WHAT  Reads a request whole (an upload goes to a file: all of its body past the first Davit-Config-Size bytes), finds out who asks, hands it to one handler
 *       and sends the answer; or a stream of lines that grows until its source says that it ends.
 *
 * HOW   http_new(), then everything happens from the loop: the handler is called once a request and fills
 *       `struct http_answer`. A handler that must wait calls http_later() and answers with
 *       http_answer() in a later turn.
 *
 * OWNS  A request and its texts live until it is answered. Answer bodies are taken over (free()).
 *
 * LIMITS HTTP_BODY_MAX for a body kept in memory, HTTP_UPLOAD_MAX for one that goes to a file,
 *       HTTP_CONNECTIONS_MAX connections; more are refused by the kernel's queue. Of them HTTP_STREAMS_MAX
 *       may be streams, so that a command is heard however many follow.
 *
 * ERRORS Where it is not `open`, only the owner of the server's process and root are served (peer credentials); others get 403.
 */
#ifndef API_HTTP_H
#define API_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "os/loop.h"

enum {
	HTTP_BODY_MAX = 1 << 20,
	HTTP_SEGMENTS_MAX = 8,
	HTTP_WHO_SIZE = 65,
	HTTP_CONNECTIONS_MAX = 64,
	HTTP_STREAMS_MAX = 48,
};

static const uint64_t HTTP_UPLOAD_MAX = 4ull << 30;

struct http_server;
struct http_request;

struct http_options {
	int listen_fd; /* a listening UNIX socket, or TCP where `open`; owned by the server from now on */
	const char *
		spool; /* directory for uploads, on the file system of the artifacts; NULL: there are none */
	bool open; /* a TCP socket that everybody may speak to: http_who() is "" */
	void (*handle)(void *context, struct http_request *request);
	void (*too_large)(void *context); /* one was refused for its size; NULL: nobody is told */
	void *context;
};

MUST_CHECK int http_new(struct loop *loop, const struct http_options *options,
			struct http_server **ret_server, struct error *err);
void http_free(struct http_server *server);

const char *http_method(const struct http_request *request);
/* The path cut at slashes, percent-decoded; NULL past the end. */
const char *http_segment(const struct http_request *request, size_t index);
const char *http_query(const struct http_request *request, const char *name);  /* or NULL */
const char *http_header(const struct http_request *request, const char *name); /* or NULL */
const char *http_who(const struct http_request *request); /* the peer's user name */
const struct buf *http_body(const struct http_request *request);
int http_upload(const struct http_request *request); /* descriptor at its start, or -1 */

/* Answer with a body of JSON; `json` is taken over. Exactly once a request. */
void http_answer(struct http_request *request, unsigned status, char *json);

/* Answer with lines that come over time. `more` appends what there is now, at most about 64 KiB, and
 * returns false when nothing will ever follow. It is called when the client can take more and after
 * http_wake(); `gone` once, when the stream ends either way, also when it is refused with 503 because there
 * are HTTP_STREAMS_MAX already. */
void http_stream(struct http_request *request, const char *content_type,
		 bool (*more)(void *context, struct buf *to), void (*gone)(void *context),
		 void *context);

/* Every stream is asked again for more. */
void http_wake(struct http_server *server);

/* The answer comes in a later turn: the connection rests until http_answer(). */
void http_later(struct http_request *request);

#endif
