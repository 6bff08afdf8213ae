/* SPDX-License-Identifier: Apache-2.0
 *
 * client - see client.h for the contract.
 */
#include "client.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { OUT_MAX = 8 << 20, READ_PIECE = 65536, TICK_NS = 5 * 1000000 };

int64_t clock_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void queue_grow(struct request_queue *q)
{
	size_t capacity = q->capacity > 0 ? 2 * q->capacity : 1024;
	struct request *items = mem_new(capacity * sizeof *items);
	for (size_t i = 0; i < q->count; i++)
		items[i] = q->items[(q->first + i) % q->capacity];
	free(q->items);
	*q = (struct request_queue){items, capacity, 0, q->count};
}

static void queue_push(struct request_queue *q, const struct request *r)
{
	if (q->count == q->capacity)
		queue_grow(q);
	q->items[(q->first + q->count++) % q->capacity] = *r;
}

static void queue_push_front(struct request_queue *q, const struct request *r)
{
	if (q->count == q->capacity)
		queue_grow(q);
	q->first = (q->first + q->capacity - 1) % q->capacity;
	q->items[q->first] = *r;
	q->count++;
}

static struct request queue_pop(struct request_queue *q)
{
	struct request r = q->items[q->first];
	q->first = (q->first + 1) % q->capacity;
	q->count--;
	return r;
}

static bool was_answered(const struct client *c, uint64_t number)
{
	return number < c->answered_max && (c->answered[number / 8] >> number % 8 & 1) != 0;
}

static void set_answered(struct client *c, uint64_t number)
{
	if (number >= c->answered_max) {
		uint64_t max = (number + 1) * 2;
		max = max < 65536 ? 65536 : (max + 7) / 8 * 8;
		c->answered = mem_grow(c->answered, max / 8);
		memset(c->answered + c->answered_max / 8, 0, (max - c->answered_max) / 8);
		c->answered_max = max;
	}
	c->answered[number / 8] = (uint8_t)(c->answered[number / 8] | 1u << number % 8);
}

/* What an answer with this id is to the request that `conn` awaits. */
enum outcome client_id_outcome(struct client *c, const struct conn *conn, const char *id)
{
	uint64_t number;
	if (!request_number(&c->options->style, id, &number))
		return OUTCOME_WRONG_ID;
	if (number == conn->request.number)
		return OUTCOME_OK;
	return was_answered(c, number) ? OUTCOME_DUPLICATE : OUTCOME_WRONG_ID;
}

/* An answer that nobody awaits. */
static void unsolicited(struct conn *conn)
{
	conn->client->tally->outcomes[OUTCOME_DUPLICATE]++;
	conn_close(conn);
}

void conn_close(struct conn *conn)
{
	if (conn->fd >= 0)
		close(conn->fd);
	if (conn->state == CONN_BUSY || conn->state == CONN_CONNECTING)
		conn->client->in_flight--;
	conn->fd = -1;
	conn->state = CONN_NONE;
	conn->upgraded = false;
	conn->served = 0;
}

void conn_again(struct conn *conn)
{
	struct request r = conn->request;
	bool websocket = conn->websocket;
	struct client *c = conn->client;
	conn_close(conn);
	queue_push_front(websocket ? &c->ws : &c->http, &r);
}

static void follow_user(struct client *c, const struct conn *conn, const char *release)
{
	if (c->options->users == 0)
		return;
	struct user *u = &c->users[conn->request.number % c->options->users];
	if (conn->answer.cookie[0] != '\0') {
		c->tally->cookies += u->cookie[0] == '\0';
		memcpy(u->cookie, conn->answer.cookie, sizeof u->cookie);
	}
	if (release[0] == '\0')
		return;
	if (u->release[0] != '\0' && strcmp(u->release, release) != 0)
		c->tally->sticky_flips++;
	snprintf(u->release, sizeof u->release, "%s", release);
}

void conn_finish(struct conn *conn, enum outcome outcome, int status, const char *release)
{
	struct client *c = conn->client;
	const struct request *r = &conn->request;
	int64_t now = clock_ns();
	char id[REQUEST_ID_MAX];
	tally_outcome(c->tally, r->kind, outcome, status, release, r->intended_ns, now);
	if (status != 0) {
		set_answered(c, r->number);
		follow_user(c, conn, release);
	}
	if (c->options->ids)
		fprintf(c->options->ids, "%s %s %s %d %s %s %.3f %.3f\n",
			request_id(&c->options->style, r->number, id), request_kind_name(r->kind),
			outcome_name(outcome), status, release[0] != '\0' ? release : "-",
			conn->answer.instance[0] != '\0' ? conn->answer.instance : "-",
			(double)(r->intended_ns - c->tally->start_ns) / 1e6,
			(double)(now - r->intended_ns) / 1e6);
	conn->served++;
	conn->state = CONN_IDLE;
	c->in_flight--;
}

/* The request has no answer and will get none. */
static void fail(struct conn *conn, enum outcome outcome)
{
	const char *release = conn->got_bytes ? conn->answer.release : "";
	conn_finish(conn, outcome, 0, conn->upgraded ? conn->release : release);
	conn_close(conn);
}

/* The peer closed or reset an HTTP connection. */
static void http_ended(struct conn *conn, bool reset)
{
	struct client *c = conn->client;
	bool idempotent = conn->request.kind != REQUEST_POST;
	if (conn->state == CONN_IDLE) {
		c->tally->idle_closed++;
		conn_close(conn);
	} else if (conn->state == CONN_CONNECTING) {
		fail(conn, OUTCOME_CONNECT);
	} else if (conn->got_bytes) {
		fail(conn, reset ? OUTCOME_RESET : OUTCOME_TRUNCATED);
	} else if (idempotent && conn->served > 0) {
		if (c->options->allow_idle_close && conn->request.attempts < CLIENT_ATTEMPTS_MAX) {
			c->tally->idle_retried++;
			conn_again(conn);
		} else {
			fail(conn, OUTCOME_IDLE_CLOSE);
		}
	} else {
		fail(conn, reset ? OUTCOME_RESET : OUTCOME_CLOSED);
	}
}

static void take_events(void *context, const char *bytes, size_t size)
{
	struct conn *conn = context;
	if (conn->request.kind != REQUEST_SSE || conn->answer.status != 200)
		return;
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != '\n') {
			if (conn->line_size < sizeof conn->line - 1)
				conn->line[conn->line_size++] = bytes[i];
			continue;
		}
		conn->line[conn->line_size] = '\0';
		conn->line_size = 0;
		if (!request_take_event(&conn->request, &conn->client->options->style, conn->line))
			conn->bad_event = true;
	}
}

static enum outcome judge(struct conn *conn)
{
	const struct answer *a = &conn->answer;
	bool is_signed = a->release[0] != '\0';
	if (a->state == ANSWER_BAD || a->state == ANSWER_UPGRADED)
		return OUTCOME_PROTOCOL;
	if (!is_signed)
		return a->status >= 500 ? OUTCOME_GATEWAY_5XX : OUTCOME_GATEWAY_OTHER;
	enum outcome by_id = client_id_outcome(conn->client, conn, a->id);
	if (by_id != OUTCOME_OK)
		return by_id;
	if (a->status >= 500)
		return OUTCOME_SERVICE_5XX;
	if (a->status / 100 != 2)
		return OUTCOME_SERVICE_OTHER;
	if (conn->bad_event || conn->websocket)
		return conn->bad_event ? OUTCOME_BAD_BODY : OUTCOME_PROTOCOL;
	return request_body_right(&conn->request, &conn->client->options->style, a)
		       ? OUTCOME_OK
		       : OUTCOME_BAD_BODY;
}

/* The answer is whole (or beyond repair). `extra` bytes came behind it. */
static void http_answered(struct conn *conn, size_t extra)
{
	struct answer *a = &conn->answer;
	struct client *c = conn->client;
	if (conn->websocket && a->state == ANSWER_UPGRADED) {
		websocket_opened(conn);
		return;
	}
	enum outcome outcome = judge(conn);
	if (outcome == OUTCOME_GATEWAY_5XX || outcome == OUTCOME_GATEWAY_OTHER)
		tally_reason(c->tally, a->reason);
	bool events_left =
		conn->request.kind == REQUEST_SSE && conn->request.next_event <= SSE_EVENTS;
	if (outcome == OUTCOME_BAD_BODY && events_left && !conn->bad_event &&
	    conn->request.attempts < CLIENT_ATTEMPTS_MAX) {
		c->tally->sse_resumed++;
		conn_again(conn);
		return;
	}
	bool whole = conn->out_at == conn->out.size && outcome != OUTCOME_PROTOCOL &&
		     outcome != OUTCOME_WRONG_ID && outcome != OUTCOME_DUPLICATE;
	conn_finish(conn, outcome, a->status, a->release);
	if (whole && extra > 0)
		unsolicited(conn);
	else if (!whole || !a->keep_alive)
		conn_close(conn);
}

static void http_bytes(struct conn *conn, const char *bytes, size_t size)
{
	if (conn->state != CONN_BUSY) {
		unsolicited(conn);
		return;
	}
	conn->got_bytes = true;
	size_t used = answer_feed(&conn->answer, bytes, size);
	if (!answer_over(&conn->answer))
		return;
	http_answered(conn, conn->answer.state == ANSWER_UPGRADED ? 0 : size - used);
	if (conn->upgraded && used < size)
		websocket_bytes(conn, bytes + used, size - used);
}

static void ended(struct conn *conn, bool reset)
{
	if (conn->upgraded && !reset)
		websocket_ended(conn);
	else if (conn->upgraded && conn->state == CONN_IDLE) {
		conn->client->tally
			->outcomes[OUTCOME_RESET]++; /* a user's open WebSocket was torn */
		conn_close(conn);
	} else if (conn->upgraded)
		fail(conn, OUTCOME_RESET);
	else if (!reset && conn->state == CONN_BUSY && conn->got_bytes &&
		 answer_closed(&conn->answer)) {
		conn->answer.keep_alive = false;
		http_answered(conn, 0);
	} else
		http_ended(conn, reset);
}

static void receive(struct conn *conn)
{
	static char piece[READ_PIECE];
	while (conn->fd >= 0) {
		ssize_t size = recv(conn->fd, piece, sizeof piece, 0);
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0 && errno == EAGAIN)
			return;
		if (size <= 0)
			ended(conn, size < 0);
		else if (conn->upgraded)
			websocket_bytes(conn, piece, (size_t)size);
		else
			http_bytes(conn, piece, (size_t)size);
	}
}

void conn_flush(struct conn *conn)
{
	while (conn->fd >= 0 && conn->out_at < conn->out.size && conn->resume_ns == 0) {
		size_t end = conn->pause_at > conn->out_at ? conn->pause_at : conn->out.size;
		ssize_t size = send(conn->fd, conn->out.data + conn->out_at, end - conn->out_at,
				    MSG_NOSIGNAL);
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0) {
			if (errno != EAGAIN)
				receive(conn); /* an early answer may lie there; if not, the end
						  does */
			return;
		}
		conn->out_at += (size_t)size;
		if (conn->out_at == conn->pause_at)
			conn->resume_ns = clock_ns() + SLOW_BODY_PAUSE_MS * INT64_C(1000000);
	}
}

/* The socket is connected and free: put the request on it. */
static void start_request(struct conn *conn)
{
	struct client *c = conn->client;
	const struct user *u =
		c->users ? &c->users[conn->request.number % c->options->users] : NULL;
	conn->state = CONN_BUSY;
	conn->bad_event = false;
	conn->line_size = 0;
	conn->resume_ns = 0;
	conn->out_at = conn->pause_at = 0;
	c->tally->sent += conn->request.attempts++ == 0;
	conn->deadline_ns = clock_ns() + (int64_t)c->options->timeout_ms * 1000000;
	buf_clear(&conn->out);
	answer_start(&conn->answer);
	if (conn->upgraded) {
		websocket_send(conn);
		return;
	}
	conn->pause_at =
		request_write(&conn->request, &c->options->style, u ? u->cookie : "", &conn->out);
	conn_flush(conn);
}

static void start_connect(struct conn *conn)
{
	struct client *c = conn->client;
	const struct client_options *o = c->options;
	struct epoll_event event = {EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, {.ptr = conn}};
	int on = 1;
	conn->state = CONN_CONNECTING;
	conn->deadline_ns = clock_ns() + (int64_t)o->timeout_ms * 1000000;
	c->tally->connections++;
	conn->fd = socket(o->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (conn->fd < 0 || epoll_ctl(c->epoll, EPOLL_CTL_ADD, conn->fd, &event) < 0) {
		perror("davit-load: socket");
		exit(2);
	}
	if (o->address.ss_family != AF_UNIX)
		setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	int rc = connect(conn->fd, (const struct sockaddr *)&o->address, o->address_size);
	if (rc == 0)
		start_request(conn);
	else if (errno != EINPROGRESS)
		fail(conn, OUTCOME_CONNECT);
}

static void assign(struct conn *conn, const struct request *r)
{
	conn->request = *r;
	conn->got_bytes = false;
	conn->client->in_flight++;
	if (conn->state == CONN_IDLE)
		start_request(conn);
	else
		start_connect(conn);
}

/* The next free connection in turn, so that every one of them stays in use; NULL when all are busy.
 */
static struct conn *free_conn(struct client *c, bool websocket)
{
	size_t first = websocket ? c->options->connections : 0;
	size_t count = websocket ? c->options->ws_connections : c->options->connections;
	size_t *next = websocket ? &c->next_ws : &c->next_conn;
	for (size_t i = 0; i < count; i++) {
		struct conn *conn = &c->conns[first + *next];
		*next = (*next + 1) % count;
		if (conn->state == CONN_IDLE || conn->state == CONN_NONE)
			return conn;
	}
	return NULL;
}

static void dispatch(struct client *c)
{
	struct conn *conn;
	/* Bounded: a request that fails at once frees its connection for the next. */
	for (size_t n = c->http.count; n > 0 && (conn = free_conn(c, false)); n--) {
		struct request r = queue_pop(&c->http);
		assign(conn, &r);
	}
	for (size_t n = c->ws.count; n > 0 && (conn = free_conn(c, true)); n--) {
		struct request r = queue_pop(&c->ws);
		assign(conn, &r);
	}
}

void client_send(struct client *c, const struct request *r)
{
	queue_push(r->kind == REQUEST_WS ? &c->ws : &c->http, r);
	dispatch(c);
}

static void ready(struct conn *conn, uint32_t events)
{
	if (conn->fd < 0)
		return; /* closed by an earlier event of this batch */
	if (conn->state == CONN_CONNECTING) {
		int error = 0;
		socklen_t size = sizeof error;
		getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &size);
		if (error != 0) {
			fail(conn, OUTCOME_CONNECT);
			return;
		}
		if (events & EPOLLOUT)
			start_request(conn);
	}
	if (conn->fd >= 0 && events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		receive(conn);
	if (conn->fd >= 0 && conn->state == CONN_BUSY && events & EPOLLOUT)
		conn_flush(conn);
}

static void tick(struct client *c, int64_t now)
{
	for (size_t i = 0; i < c->conn_count; i++) {
		struct conn *conn = &c->conns[i];
		if (conn->state == CONN_CONNECTING && now >= conn->deadline_ns)
			fail(conn, OUTCOME_CONNECT);
		else if (conn->state == CONN_BUSY && now >= conn->deadline_ns)
			fail(conn, OUTCOME_TIMEOUT);
		else if (conn->state == CONN_BUSY && conn->resume_ns != 0 &&
			 now >= conn->resume_ns) {
			conn->resume_ns = 0;
			conn->pause_at = 0;
			conn_flush(conn);
		}
	}
}

void client_wait(struct client *c, int64_t until_ns)
{
	static int64_t next_tick_ns;
	struct epoll_event events[256];
	int64_t now = clock_ns();
	if (now >= next_tick_ns) {
		tick(c, now);
		next_tick_ns = now + TICK_NS;
	}
	dispatch(c);
	int64_t until = until_ns < next_tick_ns ? until_ns : next_tick_ns;
	int64_t left = until > now ? until - now : 0;
	struct timespec timeout = {left / 1000000000, left % 1000000000};
	int count = epoll_pwait2(c->epoll, events, sizeof events / sizeof *events, &timeout, NULL);
	for (int i = 0; i < count; i++)
		ready(events[i].data.ptr, events[i].events);
	if (count > 0)
		dispatch(c);
}

size_t client_pending(const struct client *c)
{
	return c->http.count + c->ws.count + c->in_flight;
}

bool client_init(struct client *c, const struct client_options *options, struct tally *tally)
{
	struct rlimit files;
	memset(c, 0, sizeof *c);
	c->options = options;
	c->tally = tally;
	c->conn_count = options->connections + options->ws_connections;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (c->conn_count + 16 > files.rlim_cur) {
		fprintf(stderr,
			"davit-load: %zu connections need more than the %llu descriptors allowed\n",
			c->conn_count, (unsigned long long)files.rlim_cur);
		return false;
	}
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	c->conns = mem_zero(c->conn_count, sizeof *c->conns);
	for (size_t i = 0; i < c->conn_count; i++) {
		struct conn *conn = &c->conns[i];
		conn->fd = -1;
		conn->client = c;
		conn->websocket = i >= options->connections;
		conn->answer.body = take_events;
		conn->answer.context = conn;
		buf_init(&conn->out, OUT_MAX);
	}
	c->users = options->users > 0 ? mem_zero(options->users, sizeof *c->users) : NULL;
	return true;
}

void client_stop(struct client *c)
{
	for (size_t i = 0; i < c->conn_count; i++) {
		struct conn *conn = &c->conns[i];
		if (conn->state == CONN_BUSY || conn->state == CONN_CONNECTING)
			fail(conn, OUTCOME_TIMEOUT);
		else if (conn->upgraded)
			websocket_bye(conn);
	}
	for (int i = 0; i < 2; i++) {
		struct request_queue *q = i == 0 ? &c->http : &c->ws;
		while (q->count > 0) {
			struct request r = queue_pop(q);
			tally_outcome(c->tally, r.kind, OUTCOME_UNSENT, 0, "", r.intended_ns,
				      clock_ns());
		}
	}
}

void client_done(struct client *c)
{
	for (size_t i = 0; i < c->conn_count; i++) {
		conn_close(&c->conns[i]);
		buf_done(&c->conns[i].out);
	}
	close(c->epoll);
	free(c->conns);
	free(c->http.items);
	free(c->ws.items);
	free(c->answered);
	free(c->users);
}
