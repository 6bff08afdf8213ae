/* SPDX-License-Identifier: Apache-2.0
 *
 * http - HTTP/1.1 on the controller's UNIX socket, or on a TCP socket, with TLS or without (libmicrohttpd on the
 *        controller's loop).
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
 * LIMITS HTTP_BODY_MAX for a body kept in memory (HTTP_LARGE_MAX where `takes_large` says so), HTTP_UPLOAD_MAX for one that goes to a file,
 *       HTTP_CONNECTIONS_MAX connections (`connections` where it is said); more are refused by the kernel's queue. Of them
 *       HTTP_STREAMS_MAX may be streams, so that a command is heard however many follow. Strangers, who are not
 *       admitted yet, are given STRANGERS_TIMEOUT_S for their next bytes.
 *
 * ERRORS On a UNIX socket the owner of the server's process and root are served (peer credentials), and guests whom
 *       `admit_guest` lets in; others get 403.
 *       Who is not admitted is answered before the body of the request is read.
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
	HTTP_LARGE_MAX = 4 << 20,
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
	bool open; /* a TCP socket that everybody may speak to: http_who() is "", unless `admit` says it */
	/* Who asks, as soon as the head of the request is there, and again before it is handled: 0 and the name, or
	 * the HTTP status of the refusal and why. NULL: on a UNIX socket the kernel says it. */
	unsigned (*admit)(void *context, struct http_request *request, char ret_who[HTTP_WHO_SIZE],
			  struct error *err);
	/* On a UNIX socket, where the peer is neither the owner of this process nor root: 0, or the status of the
	 * refusal and why. http_who() has the name. Asked twice, as `admit` is. NULL: refused. */
	unsigned (*admit_guest)(void *context, struct http_request *request, struct error *err);
	/* Of a request that is admitted: may its body be HTTP_LARGE_MAX? NULL: none may. */
	bool (*takes_large)(const struct http_request *request);
	/* Texts in PEM, copied; NULL: without TLS. TLS 1.2 and later. */
	const char *certificate, *key;
	unsigned connections; /* 0: HTTP_CONNECTIONS_MAX */
	unsigned per_address; /* of them from one address; 0: all */
	void (*handle)(void *context, struct http_request *request);
	void (*too_large)(void *context); /* one was refused for its size; NULL: nobody is told */
	void *context;
};

MUST_CHECK int http_new(struct loop *loop, const struct http_options *options,
			struct http_server **ret_server, struct error *err);
void http_free(struct http_server *server); /* NULL is allowed */

/* The listening socket once more, for the server that comes after this one; -1: the system has none left. */
int http_socket(const struct http_server *server);
/* It takes no connection any more, and none of those that it has has another request. */
void http_leave(struct http_server *server);
bool http_idle(const struct http_server *server); /* no request is under way */
/* Streams of whom `ends` says so of end; NULL: all. */
void http_cut(struct http_server *server, bool (*ends)(void *context, const char *who),
	      void *context);

const char *http_method(const struct http_request *request);
/* The path cut at slashes, percent-decoded; NULL past the end. */
const char *http_segment(const struct http_request *request, size_t index);
const char *http_query(const struct http_request *request, const char *name);  /* or NULL */
const char *http_header(const struct http_request *request, const char *name); /* or NULL */
const char *http_who(const struct http_request *request); /* the peer's user name */
bool http_is_owner(
	const struct http_request *request); /* by the kernel: this process's user, or root */
const struct buf *http_body(const struct http_request *request);
/* Of `admit` and `admit_guest`: the body may be an upload. The owner's each may. */
void http_take_upload(struct http_request *request);
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
