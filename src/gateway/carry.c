/* SPDX-License-Identifier: Apache-2.0
 *
 * carry - see carry.h for the contract.
 */
#include "gateway/carry.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/access_log.h"
#include "gateway/account.h"
#include "gateway/client.h"
#include "gateway/forward.h"
#include "gateway/live.h"
#include "gateway/loop.h"
#include "gateway/room.h"
#include "gateway/route.h"
#include "gateway/tunnel.h"
#include "gateway/upstream.h"
#include "wire/proxy2.h"

static const struct table_environment *environment_of(const struct exchange *x)
{
	return x->route->environment;
}

bool carry_begins(const struct worker *w, const struct client *c)
{
	int index = c->listener->index;
	if (!w->live || index < 0 || c->used || c->stream)
		return false;
	const struct live_route *first = w->live->listener_routes[index];
	return first < w->live->listener_routes[index + 1] && first->environment->tcp;
}

/* ── the end ──────────────────────────────────────────────────────────────────────────────────────── */

static enum turn leave(struct worker *w, struct exchange *x, bool reset)
{
	struct client *c = x->client;
	account_end(w, x);
	access_log_write(w, x);
	exchange_free(w, x);
	c->abort = reset;
	client_close(w, c);
	return TURN_ENDED;
}

enum turn carry_refuse(struct worker *w, struct exchange *x, unsigned status)
{
	x->status = (uint16_t)status;
	return leave(w, x, true);
}

/* The backend broke it, or ended it without a byte: that is not what a client connects for. */
static void blame(struct worker *w, struct exchange *x)
{
	if (x->request.ended || x->cut)
		return;
	x->cut = true;
	x->status = 502;
	account_failure(w, x, FAILURE_RESET);
	backend_failed(w, x->backend, &x->route->pools[x->release_index]);
}

/* ── the beginning ────────────────────────────────────────────────────────────────────────────────── */

/* Whether its client's address is one of a proxy, whose word counts. */
static bool is_proxied(const struct table_environment *e, const struct client *c)
{
	uint8_t address[CIDR_ADDRESS_SIZE];
	struct cidr network;
	if (!e->proxy_count || !cidr_address(c->address, address))
		return false;
	for (uint32_t i = 0; i < e->proxy_count; i++)
		if (cidr_parse(e->proxies[i], &network) && cidr_holds(&network, address))
			return true;
	return false;
}

static void name_client(struct client *c, const struct proxy2_end *from)
{
	struct in6_addr address;
	memcpy(&address, from->address, sizeof(address));
	if (IN6_IS_ADDR_V4MAPPED(&address))
		inet_ntop(AF_INET, from->address + 12, c->address, sizeof(c->address));
	else
		inet_ntop(AF_INET6, &address, c->address, sizeof(c->address));
}

/* Looked at where it lies until it is whole, for what follows it is its client's. */
static enum turn hear(struct worker *w, struct exchange *x)
{
	struct client *c = x->client;
	uint8_t header[PROXY2_READ_MAX];
	ssize_t got = recv(c->fd, header, sizeof(header), MSG_PEEK);
	bool waits = got < 0 && (errno == EAGAIN || errno == EINTR);
	int size = got > 0 ? proxy2_read(header, (size_t)got, &x->proxied) : 0;
	if ((got <= 0 && !waits) || size < 0 || (size == 0 && c->peer_ended)) {
		account_worker(w, COUNTERS_WORKER_BAD_REQUESTS);
		return carry_refuse(w, x, 400);
	}
	if (size == 0) {
		c->readable = false;
		return TURN_BLOCKED;
	}
	if (recv(c->fd, header, (size_t)size, 0) != size)
		return carry_refuse(w, x, 400);
	if (x->proxied.known)
		name_client(c, &x->proxied.from);
	return carry_dispatch(w, x);
}

enum turn carry_begin(struct worker *w, struct exchange *x)
{
	struct client *c = x->client;
	int index = c->listener->index;
	const struct live_route *first = index < 0 ? NULL : w->live->listener_routes[index];
	if (!x->tcp) {
		x->tcp = true;
		x->taken_us = worker_now_us();
		access_log_note_connection(x);
	}
	if (first && first < w->live->listener_routes[index + 1] &&
	    is_proxied(first->environment, c))
		return hear(w, x);
	return carry_dispatch(w, x);
}

enum turn carry_dispatch(struct worker *w, struct exchange *x)
{
	switch (route_choose_connection(w, x)) {
	case ROUTE_RELEASE: break;
	case ROUTE_HOLD: return room_enter(w, x);
	case ROUTE_MAINTENANCE:
	case ROUTE_READ_ONLY:
		account_environment(w, environment_of(x), COUNTERS_ENVIRONMENT_MAINTENANCE);
		return carry_refuse(w, x, 503);
	case ROUTE_UNSERVED:
		account_environment(w, environment_of(x), COUNTERS_ENVIRONMENT_UNROUTED);
		return carry_refuse(w, x, 503);
	case ROUTE_LINK: /* of requests alone */
	case ROUTE_NOWHERE:
		account_worker(w, COUNTERS_WORKER_NO_ROUTE);
		return carry_refuse(w, x, 404);
	}
	if (!x->active) {
		x->active = true;
		w->retry.active++;
	}
	x->paced_ms = w->now_ms;
	timer_set(&w->wheel, &x->client->timer, w->now_ms + EXCHANGE_PACE_MS);
	return exchange_try(w, x);
}

static uint32_t idle_ms(const struct exchange *x)
{
	uint32_t most = environment_of(x)->timeouts.tunnel_idle_ms;
	return x->client_shut && most > CARRY_LAST_MS ? CARRY_LAST_MS : most;
}

/* Nobody has said anything, and it is not known yet whether that is meant. */
static bool fresh(const struct exchange *x)
{
	return !x->answered && !x->asked_us;
}

static void watch(struct worker *w, struct exchange *x)
{
	uint64_t until_ms = x->progress_ms + (fresh(x) ? CARRY_QUIET_MS : idle_ms(x));
	if (x->recall_ms && x->recall_ms < until_ms)
		until_ms = x->recall_ms;
	timer_set(&w->wheel, &x->client->timer, until_ms);
}

/* It lasts: it keeps no place among those that may be tried again. */
static void leave_budgets(struct worker *w, struct exchange *x)
{
	exchange_leave_budget(w, x);
	w->retry.active -= x->active;
	x->active = false;
}

/* False: it has none, as that of a UNIX socket. */
static bool end_of(const struct sockaddr_storage *socket, struct proxy2_end *to)
{
	const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)socket;
	const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)socket;
	if (socket->ss_family == AF_INET6) {
		memcpy(to->address, &ipv6->sin6_addr, sizeof(to->address));
		to->port = ntohs(ipv6->sin6_port);
	} else {
		memset(to->address + 10, 0xff, 2); /* ::ffff:a.b.c.d */
		memcpy(to->address + 12, &ipv4->sin_addr, 4);
		to->port = ntohs(ipv4->sin_port);
	}
	return socket->ss_family == AF_INET6 || socket->ss_family == AF_INET;
}

/* The first bytes that the backend gets. */
static void announce(struct worker *w, struct exchange *x)
{
	struct sockaddr_storage from = {0}, to = {0};
	socklen_t from_size = sizeof(from), to_size = sizeof(to);
	struct proxy2 p = x->proxied;
	uint8_t header[PROXY2_MAX];
	int fd = x->client->fd;
	p.known = p.known || (getpeername(fd, (struct sockaddr *)&from, &from_size) == 0 &&
			      getsockname(fd, (struct sockaddr *)&to, &to_size) == 0 &&
			      end_of(&from, &p.from) && end_of(&to, &p.to));
	size_t size = proxy2_write(&p, header);
	int sent = flow_send(&x->request, &w->buffers, x->up->fd, (const char *)header,
			     (uint32_t)size);
	x->up->writable = !flow_pending(&x->request);
	if (sent == FLOW_ERROR)
		x->up_ended = x->up->readable = true;
}

enum turn carry_connected(struct worker *w, struct exchange *x)
{
	struct upstream *up = x->up;
	account_time(w, x, COUNTERS_CONNECT, up->connect_us);
	account_release(w, x, COUNTERS_RELEASE_UPGRADED, 1);
	leave_budgets(w, x);
	up->sent = true;
	x->phase = EXCHANGE_CARRYING;
	x->whole = false;
	x->progress_ms = w->now_ms;
	flow_body(&x->request, 0, HTTP1_FRAMING_CLOSE, 0);
	flow_body(&x->response, 0, HTTP1_FRAMING_CLOSE, 0);
	if (environment_of(x)->proxy_v2)
		announce(w, x);
	upstream_deadline(w, up, UINT32_MAX); /* the client's timer looks after both */
	watch(w, x);
	tunnel_last(w, x);
	return TURN_ON;
}

enum turn carry_timer(struct worker *w, struct exchange *x)
{
	bool recalled = x->recall_ms && w->now_ms >= x->recall_ms;
	if (recalled || w->now_ms >= x->progress_ms + idle_ms(x))
		return leave(w, x, false);
	if (fresh(x) && w->now_ms >= x->progress_ms + CARRY_QUIET_MS)
		account_quiet(w, x);
	watch(w, x);
	return TURN_BLOCKED;
}

/* ── to the backend ───────────────────────────────────────────────────────────────────────────────── */

static bool send_on(struct worker *w, struct exchange *x)
{
	struct upstream *up = x->up;
	struct flow *f = &x->request;
	if (!up->writable || !flow_pending(f))
		return false;
	int sent = flow_send(f, &w->buffers, up->fd, NULL, 0);
	if (sent ==
	    FLOW_ERROR) { /* what it said before that is still to be read, and how it ended */
		f->sent = f->ready;
		f->head_sent = f->head_size;
		up->readable = true;
		x->up_ended = true;
		return true;
	}
	up->writable = sent > 0 && !flow_pending(f);
	x->progress_ms = sent > 0 ? w->now_ms : x->progress_ms;
	return sent > 0;
}

static enum turn receive(struct worker *w, struct exchange *x)
{
	struct client *c = x->client;
	struct flow *f = &x->request;
	if (f->ended || !c->readable || !flow_room(f, &w->buffers))
		return TURN_BLOCKED;
	int got = client_take(w, c, f);
	if (got == FLOW_ERROR)
		return exchange_cancel(w, x);
	c->readable = got > 0 ? !f->drained || c->peer_ended : false;
	if (got == FLOW_WAIT)
		return TURN_BLOCKED;
	if (got == FLOW_END) {
		f->ended = true;
		return TURN_ON;
	}
	if (!x->asked_us)
		x->asked_us = worker_now_us();
	flow_take(f);
	if (x->up_ended) /* nobody takes it any more: read only so that the client's end is seen */
		f->sent = f->ready;
	else
		x->progress_ms = w->now_ms;
	return TURN_ON;
}

/* ── to the client ────────────────────────────────────────────────────────────────────────────────── */

static enum turn ended_by_backend(struct worker *w, struct exchange *x, int how)
{
	bool silent = x->response.body_bytes == 0 && (x->asked_us || fresh(x));
	if (how == FLOW_ERROR || silent)
		blame(w, x);
	if (how == FLOW_ERROR && !flow_pending(&x->response))
		return leave(w, x, true);
	x->client->abort = how == FLOW_ERROR;
	x->response.ended = true;
	return TURN_ON;
}

static enum turn answer(struct worker *w, struct exchange *x)
{
	struct upstream *up = x->up;
	struct flow *f = &x->response;
	if (f->ended || !up->readable || !flow_room(f, &w->buffers))
		return TURN_BLOCKED;
	int got = flow_receive(f, &w->buffers, up->fd);
	up->readable = got > 0 ? !f->drained || up->peer_ended : false;
	if (got == FLOW_WAIT)
		return TURN_BLOCKED;
	if (got == FLOW_END || got == FLOW_ERROR)
		return ended_by_backend(w, x, got);
	if (f->body_bytes == 0) {
		backend_succeeded(x->backend);
		account_connection(w, x);
	}
	x->progress_ms = w->now_ms;
	flow_take(f);
	return TURN_ON;
}

static enum turn send_back(struct worker *w, struct exchange *x)
{
	struct client *c = x->client;
	struct flow *f = &x->response;
	if (!c->writable || !flow_pending(f))
		return TURN_BLOCKED;
	int sent = client_put(w, c, f, NULL, 0);
	if (sent == FLOW_ERROR)
		return exchange_cancel(w, x);
	c->writable = !flow_pending(f);
	x->progress_ms = sent > 0 ? w->now_ms : x->progress_ms;
	return sent > 0 ? TURN_ON : TURN_BLOCKED;
}

/* ── both ─────────────────────────────────────────────────────────────────────────────────────────── */

/* Pass the end of one side on; the connection is over when both have ended. */
static enum turn pass_ends(struct worker *w, struct exchange *x)
{
	bool asked = flow_complete(&x->request), answered = flow_complete(&x->response);
	if (answered && (asked || x->client->abort))
		return leave(w, x, x->client->abort);
	if (asked && !x->up_shut) {
		x->up_shut = true;
		shutdown(x->up->fd, SHUT_WR);
	}
	if (answered && !x->client_shut) {
		x->client_shut = true;
		shutdown(x->client->fd, SHUT_WR);
		watch(w, x);
	}
	return TURN_BLOCKED;
}

enum turn carry_on(struct worker *w, struct exchange *x)
{
	for (int round = 0; round < FORWARD_ROUNDS; round++) {
		bool sent = send_on(w, x);
		enum turn in = receive(w, x);
		if (in == TURN_ENDED)
			return in;
		if (in == TURN_ON)
			sent |= send_on(w, x);
		enum turn out = answer(w, x);
		if (out == TURN_ENDED)
			return out;
		enum turn back = send_back(w, x);
		if (back == TURN_ENDED || pass_ends(w, x) == TURN_ENDED)
			return TURN_ENDED;
		if (!sent && in != TURN_ON && out != TURN_ON && back != TURN_ON) {
			flow_rest(&x->request, &w->buffers);
			flow_rest(&x->response, &w->buffers);
			return TURN_BLOCKED;
		}
	}
	worker_again(w, x->client);
	return TURN_BLOCKED;
}
