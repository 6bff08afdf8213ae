/* SPDX-License-Identifier: Apache-2.0
 *
 * table - everything a gateway worker knows: listeners, environments, routes, route classes, releases
 *         with their weights, and backends. An immutable block of bytes, handed over in a sealed memfd.
 *
 * WHAT  `struct gateway_table` is the plain form: the controller's router driver and the reader of
 *       `davit gateway --table FILE` fill it, table_encode() checks it and makes the block, the
 *       supervisor keeps and passes the block on, a worker's table_decode() checks it again and reads.
 * HOW   The block is magic, ABI, size, checksum, and then every field through base/pack.h, so that it
 *       is the same on every machine and no offset in it needs to be trusted. Records name each other
 *       by index. Releases, classes and header rules of an environment, prefixes of a class, pools of a release and
 *       backends of a pool lie next to each other, in this order, without a gap. A worker sorts routes
 *       and prefixes itself.
 * OWNS  The caller owns every memory; `struct gateway_table` has no pointers.
 * UNITS Weights and shares are basis points. Indexes count from 0; TABLE_NONE means none.
 *       stats_slot is a place in the shared counters (link/counters.h): the same (environment, release)
 *       and the same instance keep their slots over tables. See there for when one may be used again.
 * ERRORS ERR_INVALID from table_check() and table_encode(): a sentence about the content.
 *       ERR_CORRUPT from table_decode(): not a block that table_encode() could have made.
 *       The weights of an environment in mode SERVE sum to 10000, else the table is refused.
 * LIMITS link/table_limits.h. A block of three applications is about 4 KB, the largest about 1 MB (a
 *       larger one is refused); the plain form is about 3 MB, of which a small table touches little.
 * SEE   docs/reference/gateway-table.md, link/counters.h, gateway/table_file.h, tests/unit/link
 */
#ifndef LINK_TABLE_H
#define LINK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "link/table_cohort.h"
#include "link/table_limits.h"

enum table_mode {
	TABLE_MODE_SERVE, /* requests go to the releases by weight */
	TABLE_MODE_PARK,  /* requests wait, within the hold limits, until a later table serves */
	TABLE_MODE_MAINTENANCE, /* requests get 503 at once; a preview token still passes */
	TABLE_MODE_COUNT
};

enum table_backend_state {
	TABLE_BACKEND_READY,
	TABLE_BACKEND_DRAINING, /* no new request; what it serves, it finishes */
	TABLE_BACKEND_DOWN,     /* its keeper's probes fail: no new request */
	TABLE_BACKEND_COUNT
};

enum table_log {
	TABLE_LOG_NONE,
	TABLE_LOG_TEXT, /* logfmt */
	TABLE_LOG_JSON,
	TABLE_LOG_COUNT
};

/* Bits of table_mirror.methods. What the latter four do is done by the mirror as well. */
enum { TABLE_METHOD_GET = 1, TABLE_METHOD_HEAD = 2, TABLE_METHOD_OPTIONS = 4 };
enum { TABLE_METHOD_POST = 8, TABLE_METHOD_PUT = 16, TABLE_METHOD_PATCH = 32 };
enum { TABLE_METHOD_DELETE = 64, TABLE_METHODS = 127 /* all of them */ };

struct table_listener {
	char address[TABLE_ADDRESS_SIZE]; /* "127.0.0.1:8080" "[::1]:80" "unix:/run/x.sock" */
};

struct table_hold {
	uint32_t requests_max; /* over all workers together */
	uint32_t bytes_max;    /* buffered by held requests, over all workers together */
	uint32_t time_ms;      /* the longest a request waits; then 503 and Retry-After */
	uint32_t pace_per_s;   /* held requests let go per second once it serves again; 0 = all at
				  once */
};

/* Where requests wait for a connection to a backend, while all that are in use are as many as there may be. */
struct table_queue {
	uint32_t connections_max; /* per worker and backend; 0 = as many as the limits say */
	uint32_t requests_max;    /* that wait, per worker and pool; 0 = none does: 503 at once */
	uint32_t time_ms;         /* the longest one waits; then 503 and Retry-After */
	uint32_t first_count;
	char first[TABLE_QUEUE_FIRST_MAX]
		  [TABLE_PATH_SIZE]; /* at and below them: served before the others */
};

struct table_sticky {
	bool on;
	char cookie[TABLE_NAME_SIZE]; /* davit's signed cookie, set when missing; "" = none */
	char header[TABLE_NAME_SIZE]; /* a request header that names the unit; "" = none; wins over
					 it */
	uint8_t salt[TABLE_KEY_SIZE]; /* of the split, persisted: the same unit stays where it is */
	uint8_t key[TABLE_KEY_SIZE];  /* signs the cookie */
};

struct table_mirror {
	uint16_t release; /* index in releases[], of the same environment; TABLE_NONE = no mirror */
	uint16_t methods; /* TABLE_METHOD_* */
	uint32_t share_bp;      /* of the requests that the live release serves */
	uint32_t in_flight_max; /* per worker; a request over it is not mirrored, and counted */
	uint32_t noise_bp;      /* of the mirrored requests: copied to the live release as well */
	uint32_t body_max;      /* of a request; a larger one is not mirrored, and counted */
	uint8_t salt[TABLE_KEY_SIZE];
	uint32_t header_count;
	char headers[TABLE_MIRROR_HEADERS_MAX]
		    [TABLE_NAME_SIZE]; /* lower case; of the answers: compared */
};

struct table_timeouts {
	uint32_t connect_ms;
	uint32_t answer_ms; /* request sent to head of the response */
	uint32_t idle_ms;   /* without a byte from the backend, within a response */
	uint32_t
		tunnel_idle_ms; /* without a byte either way, in a WebSocket or a connection of TCP */
	uint32_t
		tunnel_drain_ms; /* within it these are closed, where their backend drains; 0: never */
};

/* Whether a certificate is shown to clients that name no host, or one that no certificate of the listener is for. */
enum table_tls_unnamed {
	TABLE_TLS_FIRST, /* the first environment's of the listener, where none says TABLE_TLS_SHOWN */
	TABLE_TLS_SHOWN,
	TABLE_TLS_NEVER, /* where all say so the handshake is refused */
	TABLE_TLS_UNNAMED_COUNT
};

/* Files, which each gateway reads where it runs: what is in them is in no table. */
struct table_tls {
	char certificate[TABLE_FILE_SIZE]; /* the chain, PEM, an absolute path; "" = in clear */
	char key[TABLE_FILE_SIZE];
	/* A directory with answers to ACME's challenges (gateway/acme.h); "" = none. With it the
	   certificate may be missing: another one, of nobody, stands in for it. */
	char challenges[TABLE_FILE_SIZE];
	uint16_t redirect; /* a listener in clear, where its hosts are sent to HTTPS; TABLE_NONE */
	enum table_tls_unnamed unnamed;
	uint32_t hsts_s; /* Strict-Transport-Security: max-age; 0 = it is not said */
};

struct table_environment {
	char app[TABLE_NAME_SIZE];
	char name[TABLE_NAME_SIZE];
	uint64_t document_epoch; /* the router document that this is the rendering of */
	uint64_t document_n;
	enum table_mode mode;
	bool read_only;      /* in every mode: what may change something gets 503; previews pass */
	uint16_t stats_slot; /* below COUNTERS_ENVIRONMENTS */
	uint16_t live;       /* index in releases[]: rescues failed requests; TABLE_NONE = none */
	uint16_t first_release; /* releases[first_release .. + release_count) are its releases; */
	uint16_t release_count; /* in the order of the split: a unit's hash below the first weight
				    is in the first release */
	uint16_t first_class; /* classes[first_class .. + class_count) are its classes 1, 2, … */
	uint16_t class_count;
	uint16_t first_rule; /* rules[first_rule .. + rule_count) are its header rules */
	uint16_t rule_count;
	bool retry;      /* retry and rescue are on */
	bool http1_only; /* clients speak no HTTP/2 at its listeners */
	bool tcp;        /* connections are passed on unread; its listener is its own */
	bool proxy_v2;   /* of these: each tells its backend whose it is (wire/proxy2.h) */
	uint32_t proxy_count;
	char proxies[TABLE_PROXIES_MAX]
		    [TABLE_NAME_SIZE]; /* "10.0.0.0/8": connections from there say whose they are */
	bool shield; /* the live release also takes over what another one answers with 5xx */
	uint32_t
		slow_start_ms; /* within it a backend that joins others comes to its full share; 0: at once */
	enum table_log log;      /* a line per request in the gateway's access log */
	uint32_t body_max_bytes; /* a request body above it is answered 413; 0 = no limit */
	struct table_hold hold;
	struct table_queue queue;
	struct table_sticky sticky;
	struct table_mirror mirror;
	struct table_cohort cohort;
	uint8_t preview_key[TABLE_KEY_SIZE]; /* base/preview_token.h; zeros: no token is signed */
	struct table_timeouts timeouts;
	char maintenance_page
		[TABLE_FILE_SIZE]; /* what browsers get in MAINTENANCE, an absolute path; "" = the gateway's own */
	struct table_tls
		tls; /* of all its listeners; those who share one agree whether there is one */
};

struct table_route {
	char host[TABLE_HOST_SIZE]; /* lower case, no port; "" = any host that has no route of its
				       own */
	char path[TABLE_PATH_SIZE]; /* "/" or "/api": matches "/api", "/api/…", not "/apix" */
	char process[TABLE_NAME_SIZE];
	uint16_t listener;
	uint16_t environment;
};

/* Requests that are counted apart: those at and below a path that the class names. The longest wins. */
struct table_class {
	char name[TABLE_NAME_SIZE];
	uint16_t environment;
	uint16_t first_prefix;
	uint16_t prefix_count;
};

struct table_prefix {
	char path[TABLE_PATH_SIZE]; /* as a route's */
	uint16_t class;
};

/* What becomes of a header field on its way; wire/field_rule.h says which may be named. */
struct table_rule {
	char name[TABLE_NAME_SIZE];
	char value[TABLE_VALUE_SIZE]; /* the one field that there is then; "" = none of that name */
	bool answer; /* of answers, to the client; else of requests, to a backend */
};

struct table_release {
	struct digest id;
	char tag[TABLE_NAME_SIZE];
	char preview[TABLE_TOKEN_SIZE]; /* X-Davit-Preview: this, chooses the release; "" = no
					   preview */
	uint16_t environment;
	uint16_t stats_slot; /* below COUNTERS_RELEASES, unique in the table */
	uint16_t first_pool;
	uint16_t pool_count;
	uint32_t weight_bp;
};

/* The backends of one process of one release. */
struct table_pool {
	char process[TABLE_NAME_SIZE];
	uint16_t release;
	uint16_t first_backend;
	uint16_t backend_count;
};

struct table_backend {
	char address[TABLE_ADDRESS_SIZE]; /* "127.0.0.1:41001" or "unix:/…" */
	char instance[TABLE_NAME_SIZE];
	char machine[TABLE_NAME_SIZE]; /* "" = the table's machine */
	enum table_backend_state state;
	uint16_t stats_slot; /* below COUNTERS_BACKENDS, unique in the table */
	uint16_t pool;
	bool http2; /* it speaks that, in clear and with prior knowledge; else HTTP/1.1 */
};

/* What holds for all environments: bounds against slow, greedy and hostile clients. */
struct table_limits {
	uint32_t header_ms;        /* from a request's first byte to the end of its head */
	uint32_t client_idle_ms;   /* a connection without a request */
	uint32_t body_bytes_per_s; /* the least at which a body is sent or a response taken, after 5
				      s */
	uint32_t connections_max;  /* per worker */
	uint32_t per_address_max;  /* connections of one client address, per worker; 0 = no bound */
	uint32_t backend_connections_max; /* per worker and backend */
};

struct gateway_table {
	uint64_t generation;
	char machine[TABLE_NAME_SIZE];
	struct table_limits limits;
	uint32_t listener_count, environment_count, route_count, release_count, pool_count,
		backend_count;
	uint32_t class_count, prefix_count, rule_count;
	uint32_t trusted_count;
	struct table_listener listeners[TABLE_LISTENERS_MAX];
	struct table_environment environments[TABLE_ENVIRONMENTS_MAX];
	struct table_route routes[TABLE_ROUTES_MAX];
	struct table_release releases[TABLE_RELEASES_MAX];
	struct table_pool pools[TABLE_POOLS_MAX];
	struct table_backend backends[TABLE_BACKENDS_MAX];
	struct table_class classes[TABLE_CLASSES_MAX];
	struct table_prefix prefixes[TABLE_PREFIXES_MAX];
	struct table_rule rules[TABLE_RULES_MAX];
	char trusted[TABLE_TRUSTED_MAX]
		    [TABLE_NAME_SIZE]; /* "10.0.0.0/8": their X-Forwarded-* is kept */
};

/* An empty table with the default limits; on the heap, for it is large. table_free() frees it. */
struct gateway_table *table_new(void);
void table_free(struct gateway_table *table);

/* The defaults of an environment: no sticky, no mirror, hold 10000 requests and 64 MiB for 30 s, …
 */
void table_environment_init(struct table_environment *environment);

/* Everything that a block promises: bounds, indexes, order, texts, weights, unique slots. */
int table_check(const struct gateway_table *table, struct error *err) MUST_CHECK;

/* table_check(), then append the block to `to` (after buf_init(to, TABLE_BYTES_MAX)). */
int table_encode(const struct gateway_table *table, struct buf *to, struct error *err) MUST_CHECK;

/* The plain form of a block, checked, into one that table_new() made: all of it that the block does not name stays untouched memory.
 * `ret_table` is undefined after a failure. */
int table_decode(const void *block, size_t size, struct gateway_table *ret_table,
		 struct error *err) MUST_CHECK;

/* The generation in a block's head, or 0 when it is none: for those who only pass it on. */
uint64_t table_generation(const void *block, size_t size);

#endif
