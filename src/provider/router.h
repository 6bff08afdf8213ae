/* SPDX-License-Identifier: Apache-2.0
 *
 * router - the interface to what carries the users' traffic: davit's gateway today, another one later.
 *
 * WHAT  The controller describes an environment's whole traffic in one router document (weights, mirror,
 *       park, routes, backends) and hands it over; the router says when it is in force everywhere, and
 *       at any time what is in force now.
 *
 * HOW   Every request is asynchronous: it returns at once, and its `done` is called exactly once, from the
 *       loop, never from inside the call. Requests may be repeated at will. A request for an environment
 *       that has one under way takes its place: the earlier one is done with ERR_CONFLICT.
 *       `changed` announces that an observation may differ from the one before.
 *
 * FENCE A document older than the last one applied of its environment is refused (ERR_CONFLICT), and so is
 *       one of the same version that says something else. Backends and their states are not part of
 *       that: they follow the instances, and are sent again under the same version.
 *
 * OWNS  Documents are copied. What an answer points to is valid until the callback returns.
 *
 * UNITS Weights and shares are basis points; the weights of a document in ROUTER_SERVE sum to 10000.
 *
 * ERRORS in an answer: ERR_CONFLICT (fenced), ERR_INVALID (the document), ERR_DENIED (a listener's port is
 *       taken or not allowed), ERR_LIMIT, ERR_NO_SPACE: nothing was changed. ERR_UNAVAILABLE, ERR_TIMEOUT:
 *       unknown; ask again.
 *
 * SEE   provider/router_document.h, drivers/router/builtin.h, tests/unit/drivers
 */
#ifndef PROVIDER_ROUTER_H
#define PROVIDER_ROUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/histogram.h"
#include "link/shadow_pair.h"
#include "provider/router_document.h"

/* What is in force: one observation, to be read as a whole. */
struct router_observation {
	struct router_version
		applied; /* {0, 0} = the router knows no document of this environment */
	bool seen;       /* every part of the router uses exactly this */
	enum router_mode mode;
	bool read_only;
	uint32_t release_count;
	struct {
		struct digest id;
		uint32_t weight_bp;
		uint32_t mirror_bp; /* the share mirrored to it */
		uint64_t in_flight; /* requests and tunnels */
	} releases[ROUTER_RELEASES_MAX];
	uint32_t backend_count;
	struct {
		char instance[ROUTER_NAME_SIZE];
		enum router_backend_state state;
		uint64_t in_flight;
	} backends[ROUTER_BACKENDS_MAX];
};

/* Cumulative numbers of one release in one environment; subtract two readings. */
struct router_counters {
	uint64_t
		life; /* changes when the counting began anew, from 0: an older reading is no base then */
	uint64_t started, answered, completed, lost;
	uint64_t status_1xx, status_2xx, status_3xx, status_4xx, status_5xx;
	uint64_t failed_connect, failed_reset, failed_timeout, failed_answer, no_backend;
	uint64_t repeated; /* of those errors: the same client's blind second tries */
	/* Waited for a connection; of those: no place, for too long (both are errors), the client left. */
	uint64_t queued, queue_full, queue_timeout, queue_gone;
	uint64_t cancelled, retries, rescued, shielded, upgraded, tunnels_ended;
	uint64_t shadow_sent, shadow_dropped, shadow_2xx, shadow_3xx, shadow_4xx, shadow_5xx,
		shadow_failed, shadow_pairs, shadow_differ, shadow_unpaired, shadow_untold;
	uint64_t noise_sent, noise_pairs, noise_differ, noise_unpaired;
	uint64_t first_us[HISTOGRAM_BUCKETS]; /* request taken to head of the answer */
	uint64_t total_us[HISTOGRAM_BUCKETS]; /* to its end */
};

/* The same by route class. All requests of a release are in exactly one class: these sum to its own numbers. */
struct router_class_counters {
	uint64_t life;  /* as above; it changes too when the environment's classes do */
	uint32_t count; /* only so many are written */
	struct router_class_numbers {
		char name[ROUTER_NAME_SIZE]; /* "" of the first: what no class names */
		uint64_t started, answered, completed, lost;
		uint64_t status_4xx, status_5xx;
		uint64_t failed_connect, failed_reset, failed_timeout, failed_answer, no_backend;
		uint64_t overloaded; /* as queue_full and queue_timeout above */
		uint64_t repeated, cancelled;
		uint64_t divided,
			divided_done; /* drawn by weight, each for itself; of those, with an outcome */
		uint64_t first_us[HISTOGRAM_BUCKETS];
	} classes[ROUTER_CLASSES_MAX + 1];
};

/* Cumulative numbers of a release's instances. */
struct router_backend_counters {
	uint32_t count; /* only so many are written */
	struct router_backend_numbers {
		char instance[ROUTER_NAME_SIZE];
		uint64_t life;
		uint64_t started, completed, lost; /* tries, and copies for a mirror */
		uint64_t failed;                   /* tries, also where another one was answered */
		/* Of the requests that were tried there last: what the release counts as answered and as
		 * errors. Over all instances they sum to the release's, but for those that found none. */
		uint64_t answered, errors;
	} backends[ROUTER_BACKENDS_MAX];
};

/* Cumulative numbers of one environment, before a release is chosen. */
struct router_environment_counters {
	uint64_t life;
	uint64_t requests, held, held_released, held_timeout, held_gone, hold_overflow, maintenance,
		unrouted;
};

/* Cumulative numbers of the router as a whole: what belongs to no environment. */
struct router_totals {
	uint64_t connections; /* of clients, now */
	uint64_t accepted, closed, refused, bad_requests, no_route, slow_clients, log_dropped;
	uint64_t tls_handshakes, tls_resumed, tls_failed;
};

struct router_answer {
	int code;                  /* 0, or a negative enum err; then `error` says why */
	const struct error *error; /* never NULL */
	uint32_t seen_us; /* apply: from the commit until the last part of the router used it */
};

typedef void router_done_fn(void *context, const struct router_answer *answer);
typedef void router_observed_fn(void *context, const struct router_answer *answer,
				const struct router_observation *observation); /* NULL on failure */

struct router;

struct router_ops {
	const char *name;

	/* Bring this document into force; done when every part of the router uses it. */
	void (*apply)(struct router *router, const struct router_document *document,
		      router_done_fn *done, void *context);

	/* The environment is no more: its routes go, and what it had to fence with. */
	void (*forget)(struct router *router, const char *app, const char *environment,
		       router_done_fn *done, void *context);

	/* What is in force. ERR_UNAVAILABLE while the router cannot be asked. */
	void (*observe)(struct router *router, const char *app, const char *environment,
			router_observed_fn *done, void *context);

	/* The numbers of a release that the router knows, at once. ERR_NOT_FOUND, ERR_UNAVAILABLE. */
	int (*counters)(struct router *router, const char *app, const char *environment,
			const struct digest *release, struct router_counters *ret_counters,
			struct error *err);
	/* The same release by class and by instance; cheap enough to be asked ten times a second. */
	int (*class_counters)(struct router *router, const char *app, const char *environment,
			      const struct digest *release,
			      struct router_class_counters *ret_counters, struct error *err);
	int (*backend_counters)(struct router *router, const char *app, const char *environment,
				const struct digest *release,
				struct router_backend_counters *ret_counters, struct error *err);
	int (*environment_counters)(struct router *router, const char *app, const char *environment,
				    struct router_environment_counters *ret_counters,
				    struct error *err);

	/* NULL where a router counts nothing of the kind. ERR_UNAVAILABLE. */
	int (*totals)(struct router *router, struct router_totals *ret_totals, struct error *err);

	/* False until the router has told what it already serves. */
	bool (*settled)(struct router *router);

	/* Nothing is done any more; the router serves on. */
	void (*free)(struct router *router);
};

/* What a driver's own struct begins with. */
struct router {
	const struct router_ops *ops;
	void (*changed)(void *context); /* set by the owner, may be NULL */
	/* Two answers to one mirrored request, of a sample; the same. */
	void (*compared)(void *context, const struct shadow_pair *pair);
	void *context;
};

#endif
