/* SPDX-License-Identifier: Apache-2.0
 *
 * core - the structs of a gateway worker. One thread, one epoll; whoever includes this is part of it.
 *
 * WHAT  client    a connection from outside, or a stream of one of HTTP/2. While it is idle it holds nothing else.
 *       exchange  one request and its answer, from the first byte of the one to the last of the other.
 *       upstream  a connection to a backend, in use by an exchange or a shadow, or idle in its pool.
 *       backend   an instance as this worker knows it; lives over tables.
 *       live      a table in use: the current one, and older ones that exchanges still hold.
 *       room      where an environment's held requests wait; lives over tables.
 *       queue     where a release's requests wait for a connection; lives over tables.
 *
 * HOW   An epoll event finds its object by struct source and says what became possible; then
 *       client_drive() moves the client's exchange on as far as it goes. A function that may end an
 *       exchange returns enum turn: after TURN_ENDED nobody touches that exchange. Clients and upstreams
 *       that are closed stay in memory until the batch of events is over.
 *
 * OWNS  A client owns its exchange; an exchange its buffers, its upstream (until it is released) and one
 *       count of its live table and of its backend.
 * TIME  now_ms is read once per batch of events, monotonic; latencies take worker_now_us().
 * LIMITS One buffer per direction of an exchange: that, and not reading before the other side has
 *       taken, is the whole back-pressure.
 */
#ifndef GATEWAY_CORE_H
#define GATEWAY_CORE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/cidr.h"
#include "gateway/exchange_state.h"
#include "gateway/flow.h"
#include "gateway/pool.h"
#include "gateway/timer.h"
#include "link/counters.h"
#include "link/table.h"
#include "traffic/balance.h"
#include "traffic/cohort.h"
#include "traffic/guard.h"
#include "traffic/hold.h"
#include "traffic/repeat.h"
#include "traffic/retry.h"
#include "traffic/split.h"
#include "wire/http1.h"

struct closed_page;
struct cohort;
struct http2;
struct http2_call;
struct http2_rules;
struct http2_stream;
struct http2_upstream;
struct nghttp2_option;
struct nghttp2_session_callbacks;
struct rules;
struct ssl_st;
struct tls_site;
struct worker;
struct upstream;
struct exchange;

enum turn {
	TURN_BLOCKED = 0, /* waits for an event */
	TURN_ON,          /* something changed: call again */
	TURN_ENDED,       /* the exchange is over and freed */
};

/* Why a backend did not serve a request. */
enum failure { FAILURE_CONNECT, FAILURE_RESET, FAILURE_TIMEOUT, FAILURE_ANSWER };

struct source {
	void (*event)(struct worker *w, struct source *source, uint32_t events);
};

struct listener {
	struct source source;
	struct listener *next;
	int fd;
	int index; /* in the current table, or -1 */
	bool watched;
	char address[TABLE_ADDRESS_SIZE];
};

struct client {
	struct source source;
	struct timer timer;
	struct exchange *x;
	struct client *next; /* all clients, or the graveyard */
	struct client *prev;
	struct client *idle_next, *idle_prev; /* while it is idle: longer and shorter idle ones */
	uint64_t idle_since_ms;
	struct client *again; /* the list of those that had more to do when their turn was over */
	struct listener *listener;
	struct address_count *from; /* NULL: not counted */
	struct buffer *surplus;     /* bytes of the next request that came with the last one */
	uint32_t surplus_size;
	int fd;
	uint64_t moved_bytes; /* since its pace was last looked at */
	bool readable, writable;
	bool peer_ended; /* it has said that it sends nothing more */
	bool idle;
	bool lingering; /* answered and shut down; what still comes is thrown away */
	bool queued_again;
	bool closed;
	bool secure; /* its handshake is done */
	bool used;   /* a request of it was answered */
	bool broken; /* no close_notify for it: the connection is lost, or its last message cut short */
	bool abort;                  /* closed with a reset */
	uint64_t fresh_until_ms;     /* while draining: it had no chance to ask before */
	struct ssl_st *tls;          /* NULL: in clear */
	struct tls_site *site;       /* of the listener, by which `tls` was made */
	struct http2 *http2;         /* NULL: it speaks HTTP/1 */
	struct http2_stream *stream; /* a stream of such a connection, and no connection; or NULL */
	struct repeat failed;
	char address[INET6_ADDRSTRLEN]; /* "unix" for a client of a UNIX socket */
};

struct backend {
	uint32_t refs;
	uint16_t slot;
	uint32_t connections;     /* there are */
	uint32_t connections_max; /* there may be, by the current table */
	uint32_t busy;            /* of them in use: the others are idle */
	socklen_t socket_size;
	struct sockaddr_storage socket;
	struct balance_backend state;
	struct balance_backend *entry; /* its copy in the current table, or NULL */
	counters_cell *values;
	struct upstream *idle;       /* last used first */
	struct upstream *idle_apart; /* the same of those that carry copies */
	struct http2_upstream *http2_upstreams;
	bool http2; /* it speaks that, and nothing else */
	char address[TABLE_ADDRESS_SIZE];
	char instance[TABLE_NAME_SIZE];
};

struct upstream {
	struct source source;
	struct timer timer;
	struct upstream *next; /* idle list, or the graveyard */
	struct backend *backend;
	/* The user's: what became possible, and that it failed. Both NULL while idle. */
	void (*drive)(struct worker *w, struct upstream *up);
	void (*fail)(struct worker *w, struct upstream *up, enum failure why);
	void *user;
	struct http2_call
		*call; /* a request on a connection of HTTP/2, and no connection; or NULL */
	int fd;
	uint64_t connect_us;
	uint64_t connect_until_ms;
	bool connecting;
	bool readable, writable;
	bool apart;      /* it carries copies, and no user's request */
	bool reused;     /* it has carried a whole exchange before */
	bool sent;       /* a byte of the present request may have left */
	bool peer_ended; /* it has said that it sends nothing more */
	bool closed;
};

struct live_pool {
	const struct table_pool *pool;
	struct balance_backend *entries;
	struct backend **backends;
	uint32_t count;
};

struct live_prefix {
	const char *path;
	size_t size;
	uint16_t environment;
	uint8_t class; /* within the environment, from 1 on */
};

struct live_route {
	const struct table_route *route;
	const struct table_environment *environment;
	const struct live_prefix *prefixes; /* of the environment's classes, by falling length */
	uint32_t prefix_count;
	const struct rules *rules; /* NULL: none */
	struct live_pool
		pools[SPLIT_RELEASE_MAX]; /* by release of the environment; count 0 = none */
	struct split split;               /* effective */
	const struct cohort *cohort;      /* NULL: nobody is a member */
	struct cohort_choice tried;
	enum guard_serving serving;
	size_t host_size, path_size;
};

struct live {
	struct live *next; /* older to newer */
	uint32_t refs;
	struct gateway_table *table;
	struct live_route
		*routes; /* by listener, those with a host first, then by falling length */
	struct live_route *listener_routes[TABLE_LISTENERS_MAX + 1];
	struct live_prefix *prefixes; /* by environment, then by falling length */
	struct backend **backends;    /* of table->backends, in its order */
	struct balance_backend *entries;
	struct tls_site **sites;    /* by environment; NULL: in clear */
	struct rules **rules;       /* by environment; NULL: none */
	struct cohort **cohorts;    /* by environment; NULL: none */
	struct closed_page **pages; /* by environment; NULL: our own */
	struct cidr trusted[TABLE_TRUSTED_MAX];
	int listener_fds[TABLE_LISTENERS_MAX];
	bool http1_only[TABLE_LISTENERS_MAX]; /* an environment wants no HTTP/2 there */
	bool redirects[TABLE_LISTENERS_MAX];  /* an environment sends to HTTPS there */
};

struct room {
	struct room *next;
	struct hold hold;
	struct exchange *first, *last;
	struct timer timer; /* of the pace */
	char app[TABLE_NAME_SIZE];
	char name[TABLE_NAME_SIZE];
};

enum { QUEUE_LINES = 2 };

struct queue_line {
	struct exchange *first, *last;
	uint32_t count;
};

struct queue {
	struct queue *next;
	struct queue_line lines[QUEUE_LINES]; /* the one before the other */
	struct timer timer;                   /* of the next look */
	uint16_t slot;                        /* of the release */
	char process[TABLE_NAME_SIZE];
};

enum {
	SCRATCH_SIZE = HTTP1_HEAD_MAX + 16384,
	RANDOM_POOL = 512,
	ADDRESS_BUCKETS = 4096,
	LOG_BUFFER_SIZE = 65536,
};

struct worker {
	int epoll_fd;
	uint32_t index;
	uint32_t worker_count;
	struct counters *counters;
	struct counters_worker_block *block;
	uint64_t now_ms;
	struct wheel wheel;
	struct buffers buffers;
	struct slab clients, exchanges, upstreams, shadows, pairings;
	struct listener *listeners;
	bool accept_paused;
	struct timer accept_timer;
	struct client *all_clients;
	struct client *idle_first, *idle_last; /* the longest idle first */
	uint32_t client_count;
	struct client *again, *again_now, *dead_clients; /* driven next time, this time; closed */
	struct upstream *dead_upstreams;
	struct address_count *addresses[ADDRESS_BUCKETS];
	struct slab address_counts;
	struct slab http2_streams;
	struct http2_rules *http2_rules;
	struct slab http2_calls;
	struct nghttp2_session_callbacks *upstream_callbacks;
	struct nghttp2_option *upstream_option;
	uint8_t hash_key[HASH_KEY_SIZE]; /* of this worker's own tables; random */
	struct live *lives;              /* all, older to newer, the prepared one not among them */
	struct live *live;               /* the current one; NULL before the first commit */
	struct live *prepared;           /* or NULL */
	struct backend *backends[COUNTERS_BACKENDS];
	struct room *rooms;
	struct queue *queues;
	uint32_t queued_count; /* that wait in them */
	bool queues_due;       /* a connection has come free */
	struct tls_site *sites;
	struct timer tls_timer;
	bool table_changed;
	struct retry_budget retry;
	uint32_t shadows_in_flight;
	size_t pairing_bytes; /* of bodies that are kept to be told, and of requests to be copied */
	uint64_t looks_second;
	uint32_t looks_left; /* in this second */
	int state_fd;        /* where the controller listens; -1: nowhere */
	int tell_fd;         /* to the controller; -1: none */
	uint64_t tell_due_ms;
	uint32_t lasting_count;
	bool draining;
	uint64_t drain_until_ms, drain_idle_ms;
	int log_fd;
	uint32_t log_size;
	struct timer log_timer;
	uint32_t random_left;
	uint64_t random[RANDOM_POOL];
	char scratch[SCRATCH_SIZE];
	char log[LOG_BUFFER_SIZE];
};

#endif
