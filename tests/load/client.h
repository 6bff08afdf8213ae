/* SPDX-License-Identifier: Apache-2.0
 *
 * client - the connections of the load generator: one request at a time on each, kept alive, on one
 * epoll.
 *
 * WHAT  Requests wait in two queues (HTTP, WebSocket) until a connection of that kind is free.
 * Nothing is ever sent twice, with three exceptions, each counted and none of them silent:
 *       - a WebSocket closed cleanly (1001, 1012) or ended between frames: its unanswered message
 * goes out again on a new connection, as any WebSocket client has to;
 *       - an event stream that ended cleanly before its last event is resumed where it stood;
 *       - with allow_idle_close, a GET on a reused connection that was closed before a byte of the
 * answer.
 *
 * HOW   client_send() what is due; client_wait() until the next thing is due; client_stop() at the
 * end. OWNS  Everything in struct client; client_done() closes and frees.
 */
#ifndef LOAD_CLIENT_H
#define LOAD_CLIENT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "answer.h"
#include "base/buf.h"
#include "frame.h"
#include "request.h"
#include "tally.h"

enum { CLIENT_CONNS_MAX = 8192, CLIENT_ATTEMPTS_MAX = 5, SLOW_BODY_PAUSE_MS = 15 };

struct client_options {
	struct sockaddr_storage address;
	socklen_t address_size;
	unsigned connections, ws_connections, users;
	uint64_t timeout_ms;
	bool allow_idle_close;
	FILE *ids; /* one line a request, or NULL */
	struct request_style style;
};

enum conn_state {
	CONN_NONE,       /* no socket */
	CONN_CONNECTING, /* a request waits for it */
	CONN_IDLE,       /* keep-alive, or an open WebSocket */
	CONN_BUSY,       /* a request is on the wire */
};

struct conn {
	int fd;
	enum conn_state state;
	bool websocket;         /* of the kind that upgrades */
	bool upgraded;          /* the handshake is done: frames both ways */
	bool got_bytes;         /* of the answer that is awaited */
	bool bad_event;         /* SSE: an event that was not awaited */
	unsigned served;        /* answers on this socket */
	struct request request; /* meaningful while CONNECTING or BUSY */
	struct buf out;
	size_t out_at, pause_at;
	int64_t resume_ns, deadline_ns;
	struct answer answer;
	struct frame_reader frames;
	char line[160]; /* SSE: the line being read */
	size_t line_size;
	char release[ANSWER_NAME_MAX]; /* of an upgraded connection */
	struct client *client;
};

struct request_queue { /* a ring */
	struct request *items;
	size_t capacity, first, count;
};

struct user {
	char cookie[ANSWER_COOKIE_MAX];
	char release[ANSWER_NAME_MAX];
};

struct client {
	const struct client_options *options;
	struct tally *tally;
	int epoll;
	struct conn *conns; /* HTTP first, then WebSocket */
	size_t conn_count, next_conn, next_ws;
	struct request_queue http, ws;
	uint8_t *answered; /* one bit a request number */
	uint64_t answered_max;
	struct user *users;
	size_t in_flight;
};

int64_t clock_ns(void); /* monotonic */

/* Returns false, with a line on standard error, when the process cannot have so many descriptors.
 */
bool client_init(struct client *c, const struct client_options *options, struct tally *tally);
void client_done(struct client *c);

void client_send(struct client *c, const struct request *r);
void client_wait(struct client *c,
		 int64_t until_ns);            /* serves the sockets; returns at the latest then */
size_t client_pending(const struct client *c); /* waiting or in flight */
void client_stop(struct client *c);            /* what is still pending has failed */

/* From client.c to websocket.c and back. */
void conn_finish(struct conn *conn, enum outcome outcome, int status, const char *release);
void conn_close(struct conn *conn);
void conn_again(struct conn *conn); /* put its request back at the head of its queue */
void conn_flush(struct conn *conn);
enum outcome client_id_outcome(struct client *c, const struct conn *conn, const char *id);
void websocket_opened(struct conn *conn); /* the 101 has arrived */
void websocket_send(struct conn *conn);   /* its request as a frame */
void websocket_bytes(struct conn *conn, const char *bytes, size_t size);
void websocket_ended(struct conn *conn); /* end of stream */
void websocket_bye(struct conn *conn);   /* at the end of the run */

#endif
