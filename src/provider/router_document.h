/* SPDX-License-Identifier: Apache-2.0
 *
 * router_document - everything about the traffic of one environment, as the controller tells a router.
 *
 * WHAT  Plain data. Releases with their weights in the order of the split, routes, route classes, mirror, stickiness,
 *       what happens to requests that must wait; and the backends, which follow the instances and are
 *       not part of what the version stands for.
 * OWNS  The caller, on the heap: a document is about 230 KB.
 * UNITS Weights and shares are basis points; the weights in ROUTER_SERVE sum to 10000. Indexes count from 0.
 * LIMITS The enum below.
 * SEE   provider/router.h, docs/reference/gateway-table.md
 */
#ifndef PROVIDER_ROUTER_DOCUMENT_H
#define PROVIDER_ROUTER_DOCUMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"

enum {
	ROUTER_RELEASES_MAX = 8, /* of one environment at a time */
	ROUTER_BACKENDS_MAX = 256,
	ROUTER_ROUTES_MAX = 64,
	ROUTER_CLASSES_MAX = 7, /* named ones */
	ROUTER_CLASS_PATHS_MAX = 8,
	ROUTER_MIRROR_HEADERS_MAX = 8,
	ROUTER_COHORT_RULES_MAX = 16,
	ROUTER_COHORT_VALUES_MAX = 16, /* of one rule */
	ROUTER_QUEUE_FIRST_MAX = 4,
	ROUTER_RULES_MAX = 32,
	ROUTER_PROXIES_MAX = 8,
	ROUTER_NAME_SIZE = 96, /* with the NUL, as all of these */
	ROUTER_ADDRESS_SIZE = 128,
	ROUTER_HOST_SIZE = 256,
	ROUTER_PATH_SIZE = 256,
	ROUTER_TOKEN_SIZE = 72,
	ROUTER_VALUE_SIZE = 1024,
	ROUTER_KEY_SIZE = 16,
	ROUTER_PAGE_MAX = 65536, /* bytes of a maintenance page */
	ROUTER_NONE = 0xffff,
};

enum router_mode {
	ROUTER_SERVE,
	ROUTER_PARK,        /* requests wait within the hold limits */
	ROUTER_MAINTENANCE, /* requests are answered 503 */
	ROUTER_MODE_COUNT
};

enum router_backend_state {
	ROUTER_BACKEND_READY,
	ROUTER_BACKEND_DRAINING, /* nothing new; what it has, it finishes */
	ROUTER_BACKEND_DOWN,     /* its probes fail: nothing new */
	ROUTER_BACKEND_STATE_COUNT
};

/* Bits of router_mirror.methods. */
enum {
	ROUTER_METHOD_GET = 1,
	ROUTER_METHOD_HEAD = 2,
	ROUTER_METHOD_OPTIONS = 4,
	ROUTER_METHOD_POST = 8, /* what these do is done by the mirror as well */
	ROUTER_METHOD_PUT = 16,
	ROUTER_METHOD_PATCH = 32,
	ROUTER_METHOD_DELETE = 64,
};

struct router_version {
	uint64_t epoch;
	uint64_t n;
};

static inline int router_version_compare(struct router_version a, struct router_version b)
{
	if (a.epoch != b.epoch)
		return a.epoch < b.epoch ? -1 : 1;
	return a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}

struct router_release {
	struct digest id;
	char tag[ROUTER_NAME_SIZE];
	char preview
		[ROUTER_TOKEN_SIZE]; /* "X-Davit-Preview: this" chooses the release; "" = none */
	uint32_t weight_bp;
};

struct router_backend {
	uint32_t release; /* index in releases[] */
	char process[ROUTER_NAME_SIZE];
	char instance[ROUTER_NAME_SIZE];   /* its id, unique in the environment */
	char address[ROUTER_ADDRESS_SIZE]; /* "127.0.0.1:20017" or "unix:/…" */
	enum router_backend_state state;
	bool http2; /* it speaks that, in clear and with prior knowledge */
};

struct router_route {
	char host
		[ROUTER_HOST_SIZE]; /* lower case; "" = any host that nobody else on the listener has */
	char path[ROUTER_PATH_SIZE]; /* "/" or "/api" */
	char process[ROUTER_NAME_SIZE];
};

/* Requests that are counted apart: at and below these paths; the longest path of an environment wins. */
struct router_class {
	char name[ROUTER_NAME_SIZE];
	uint32_t path_count;
	char paths[ROUTER_CLASS_PATHS_MAX][ROUTER_PATH_SIZE];
};

/* What becomes of a header field on its way. */
struct router_rule {
	char name[ROUTER_NAME_SIZE];
	char value
		[ROUTER_VALUE_SIZE]; /* the one field that there is then; "" = none of that name */
	bool answer;                 /* of answers; else of requests */
};

struct router_mirror {
	uint32_t release; /* index in releases[]; ROUTER_NONE = no mirror */
	uint32_t share_bp;
	uint32_t methods;       /* ROUTER_METHOD_* */
	uint32_t in_flight_max; /* per worker */
	uint32_t noise_bp;      /* of what is mirrored: copied to the live release as well */
	uint32_t body_max;      /* of a request; a larger one is not mirrored */
	uint8_t salt[ROUTER_KEY_SIZE];
	uint32_t header_count;
	char headers[ROUTER_MIRROR_HEADERS_MAX]
		    [ROUTER_NAME_SIZE]; /* lower case; of the answers: compared */
};

struct router_sticky {
	bool on;
	char cookie[ROUTER_NAME_SIZE]; /* signed, set when missing; "" = none */
	char header[ROUTER_NAME_SIZE]; /* names the unit and wins over the cookie; "" = none */
	uint8_t salt
		[ROUTER_KEY_SIZE];    /* of the split; persisted with the environment, as the key */
	uint8_t key[ROUTER_KEY_SIZE]; /* signs the cookie */
};

enum router_cohort_kind {
	ROUTER_COHORT_HEADER,
	ROUTER_COHORT_COOKIE,
	ROUTER_COHORT_NETWORK /* "10.0.0.0/8", of the client */
};

struct router_cohort_rule {
	enum router_cohort_kind kind;
	char name[ROUTER_NAME_SIZE]; /* "" of networks */
	uint32_t value_count;
	char values[ROUTER_COHORT_VALUES_MAX][ROUTER_NAME_SIZE];
};

/* Whose requests a release gets as soon as it has any weight, and as long: those of which one rule holds. */
struct router_cohort {
	uint32_t release; /* index in releases[]; ROUTER_NONE = none, and no rules */
	bool only;        /* everybody else stays with the live one */
	uint32_t rule_count;
	struct router_cohort_rule rules[ROUTER_COHORT_RULES_MAX];
};

enum router_log { ROUTER_LOG_NONE, ROUTER_LOG_TEXT, ROUTER_LOG_JSON };

struct router_hold {
	uint32_t requests_max;
	uint32_t bytes_max;
	uint32_t time_ms;
	uint32_t pace_per_s; /* 0 = all at once */
};

/* Of requests that wait for a connection to a backend, per worker. */
struct router_queue {
	uint32_t connections_max; /* to one backend; 0 = the router's own limit */
	uint32_t requests_max;    /* of a release, that wait; 0 = none does */
	uint32_t time_ms;
	uint32_t first_count;
	char first[ROUTER_QUEUE_FIRST_MAX][ROUTER_PATH_SIZE]; /* paths, served before others */
};

struct router_timeouts {
	uint32_t connect_ms;
	uint32_t answer_ms;
	uint32_t idle_ms;
	uint32_t tunnel_idle_ms;
	uint32_t tunnel_drain_ms; /* WebSockets to a draining backend end within this; 0: never */
};

/* Files on the router's machine: what is in them goes through no document. */
enum router_unnamed { ROUTER_UNNAMED_FIRST, ROUTER_UNNAMED_SHOWN, ROUTER_UNNAMED_NEVER };

struct router_tls {
	char certificate[ROUTER_PATH_SIZE]; /* "" = in clear */
	char key[ROUTER_PATH_SIZE];
	char challenges[ROUTER_PATH_SIZE];  /* where answers to an authority are; "" = none */
	char redirect[ROUTER_ADDRESS_SIZE]; /* in clear; "" = none */
	enum router_unnamed unnamed;        /* clients that name no host of ours see it */
	uint32_t hsts_s;                    /* 0 = not said */
};

/* Everything about the traffic of one environment. router_document_init() sets the defaults. */
struct router_document {
	char app[ROUTER_NAME_SIZE];
	char environment[ROUTER_NAME_SIZE];
	struct router_version version;
	char listener
		[ROUTER_ADDRESS_SIZE]; /* "0.0.0.0:8080", "[::]:80", "unix:/…"; environments may share one */
	enum router_mode mode;
	bool read_only; /* requests that may change something are answered 503 */
	uint32_t
		live; /* index in releases[]: rescues requests that another release failed; ROUTER_NONE = none */
	uint32_t
		release_count; /* in the order of the split: raising the first one's weight moves only new */
	struct router_release releases[ROUTER_RELEASES_MAX]; /* units to it */
	uint32_t route_count;
	struct router_route routes[ROUTER_ROUTES_MAX];
	uint32_t class_count;
	struct router_class classes[ROUTER_CLASSES_MAX];
	uint32_t rule_count;
	struct router_rule rules[ROUTER_RULES_MAX];
	struct router_mirror mirror;
	struct router_cohort cohort;
	struct router_sticky sticky;
	uint8_t preview_key
		[ROUTER_KEY_SIZE]; /* signs previews (base/preview_token.h); zeros: none is signed */
	struct router_hold hold;
	struct router_queue queue;
	struct router_timeouts timeouts;
	struct router_tls tls;
	char maintenance_page
		[ROUTER_PATH_SIZE]; /* a file on the router's machine for browsers in MAINTENANCE; "" = its own */
	bool retry;                 /* and rescue */
	bool http1_only; /* clients speak no HTTP/2 where it is served */
	bool tcp;        /* connections are passed on unread: of HTTP nothing is asked */
	bool proxy_v2;   /* of these: an instance is told of its client */
	uint32_t proxy_count;
	char proxies[ROUTER_PROXIES_MAX]
		    [ROUTER_NAME_SIZE]; /* of these: networks in front that tell of theirs */
	bool shield; /* the live release also takes over what another one answers with 5xx */
	uint32_t slow_start_ms;  /* of an instance that joins others */
	enum router_log log;     /* a line per request */
	uint32_t body_max_bytes; /* 0 = no limit */

	uint32_t backend_count; /* outside the fence */
	struct router_backend backends[ROUTER_BACKENDS_MAX];
};

/* SERVE, no mirror, no cohort, not sticky; hold 10000 requests, 64 MiB, 30 s; queue 100, 5 s; connect 2 s, answer and idle 60 s. */
void router_document_init(struct router_document *document);

/* Do both say the same, backends aside? */
bool router_document_equal(const struct router_document *a, const struct router_document *b);

#endif
