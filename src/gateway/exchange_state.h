/* SPDX-License-Identifier: Apache-2.0
 *
 * exchange_state - what is known of one request in progress, and of its copies for a mirror.
 *
 * SEE   gateway/core.h for the objects it points to; exchange.h, shadow.h and pairing.h for what is done with it.
 */
#ifndef GATEWAY_EXCHANGE_STATE_H
#define GATEWAY_EXCHANGE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/flow.h"
#include "link/counters.h"
#include "link/shadow_pair.h"
#include "link/table.h"
#include "wire/http1.h"
#include "wire/proxy2.h"
#include "wire/traceparent.h"
#include "wire/websocket.h"

struct backend;
struct client;
struct live;
struct live_route;
struct queue;
struct room;
struct upstream;

enum exchange_phase {
	EXCHANGE_HEAD,       /* reads the request's head */
	EXCHANGE_HELD,       /* waits in a room */
	EXCHANGE_QUEUED,     /* waits in a queue */
	EXCHANGE_CONNECTING, /* waits for its upstream */
	EXCHANGE_FORWARDING,
	EXCHANGE_TUNNEL,
	EXCHANGE_CARRYING, /* the bytes of a connection of TCP (gateway/carry.h) */
	EXCHANGE_OWN,      /* sends an answer of ours */
};

enum { REQUEST_ID_SIZE = 129, STICKY_UNIT_SIZE = 16, LOG_TARGET_SIZE = 160 };

struct exchange {
	struct client *client;
	struct upstream *up;
	struct live *live;              /* from routing on */
	const struct live_route *route; /* in `live` */
	const struct table_release *release;
	struct backend *backend;
	counters_cell
		*tried; /* counts of the backend that `release` was tried at last; NULL = none */
	const char *instance; /* of the backend that was tried last, in `live`; NULL = none */
	struct room *room;
	struct queue *queue;
	struct exchange *room_next, *room_prev; /* where it waits: in one of the two */
	enum exchange_phase phase;
	struct flow request, response;
	uint32_t head_size; /* of the request, at the beginning of its buffer */
	uint32_t held_bytes;
	uint64_t taken_us; /* its head was complete */
	uint64_t first_us; /* from then to the head of the release's answer; 0 = it has not come */
	uint64_t held_until_ms, queued_until_ms;
	uint64_t paced_ms;      /* its client's pace was looked at last; 0 = not yet */
	uint64_t asked_us;      /* of a connection of TCP: its client sent its first byte */
	uint64_t progress_ms;   /* a byte came from the backend, or passed through the tunnel */
	uint64_t fingerprint;   /* tells its client's requests apart */
	uint16_t release_index; /* within its environment */
	uint16_t status;        /* given to the client; 0 = none yet */
	uint16_t taken_from;    /* stats slot of a release */
	uint8_t class;          /* within its environment, as it was when it was routed */
	uint8_t tries;
	uint8_t connect_tries;
	uint8_t interims;
	uint8_t queue_line;
	int avoid;         /* index of the backend that failed, in the pool */
	bool started;      /* counted as started and not yet as completed, in `release` */
	bool active;       /* counted in the retry budget */
	bool retried;      /* holds a place in it */
	bool answered;     /* counted as answered */
	bool divided;      /* `release` was drawn by weight for it alone; until it is answered */
	bool answer_begun; /* a byte of an answer has gone to the client */
	bool answer_known; /* the head of the backend's answer is parsed */
	bool whole;        /* all that came of the request is still in its buffer */
	bool keep;         /* the client's connection goes on after it */
	bool previewed;
	bool was_held, was_queued;
	bool queue_passed; /* it had its turn: others that wait go after it */
	bool trace_begun;  /* here: the client brought none that is good */
	bool taken_over;   /* the live release took it over from `taken_from` */
	bool set_cookie;
	bool stream; /* the answer is a stream of events: it may be quiet for long */
	bool cut;    /* the backend stopped taking the request before its end */
	bool mirrored;
	bool up_ended;           /* the backend closed its connection */
	bool lasting;            /* counted among those that a draining backend calls back */
	bool between_events;     /* of a stream: the last chunk ended with its event */
	bool tcp;                /* a whole connection, of which nothing is read as HTTP */
	bool client_shut;        /* of such: its backend ended its side, and the client was told */
	bool said_close;         /* a Close frame was put into the tunnel */
	bool up_shut;            /* the tunnel's client ended its side, and the backend was told */
	uint64_t recall_ms;      /* when what lasts is to end; 0 = not known */
	struct websocket frames; /* of the tunnel's client */
	struct pairing *pairing; /* of its copies; NULL: none */
	struct shadow *copy;     /* that waits for the rest of its body; NULL: none */
	struct proxy2 proxied;   /* of a connection of TCP: who a proxy in front says that it is */
	char unit[STICKY_UNIT_SIZE];
	char request_id[REQUEST_ID_SIZE];
	struct traceparent trace;         /* its parent is us */
	char log_target[LOG_TARGET_SIZE]; /* method and path, for the access log */
	struct http1_head head;
	struct http1_head answer;
};

/* Whose answer to a mirrored request. */
enum pairing_side {
	PAIRING_LIVE,  /* the user's */
	PAIRING_NEW,   /* of the release that is tried */
	PAIRING_AGAIN, /* of the live release, to a copy */
	PAIRING_SIDES
};

enum pairing_end {
	PAIRING_WHOLE, /* the answer came to its end */
	PAIRING_LEFT,  /* it did not: there is nothing to compare */
	PAIRING_GONE,  /* the same, and it is counted already where that was found */
};

/* What is seen of one answer. */
struct look {
	bool expected, over;
	uint8_t end;      /* enum pairing_end */
	bool ended;       /* its last chunk was there */
	uint8_t framing;  /* enum http1_framing */
	uint8_t odd_size; /* bytes in `odd`, which do not make a word yet */
	uint16_t status;
	uint32_t body_size; /* in `body` */
	uint64_t asked_us, first_us;
	uint64_t left; /* of a body with a length */
	uint64_t body_bytes, hash;
	char odd[sizeof(uint64_t)];
	struct chunked chunked;
	struct buffer *body; /* its beginning, if the pairing was chosen */
	uint64_t fields[SHADOW_FIELDS_MAX];
	char values[SHADOW_FIELDS_MAX][SHADOW_VALUE_SIZE];
};

struct pairing {
	struct live *live;
	const struct table_environment *environment; /* in `live`, as the next */
	const struct table_release *release;         /* that is tried */
	uint8_t class;
	uint8_t open; /* sides that are not over */
	bool chosen;  /* the controller is told of it */
	char method[SHADOW_METHOD_SIZE];
	char path[SHADOW_PATH_SIZE];
	struct look looks[PAIRING_SIDES];
};

/* A request's bytes, head and body, on their way to be sent. */
struct outgoing {
	struct buffer *first, *last;
	uint32_t size, sent; /* of all */
	uint32_t room;       /* in the last buffer */
	uint32_t head_size;  /* in the first one, at its beginning */
	uint8_t framing;     /* enum http1_framing, of the body */
	bool counted;        /* the first buffer is in the worker's budget, as all after it */
};

struct shadow {
	struct upstream *up; /* NULL: the request's body is not whole yet */
	struct live *live;
	const struct table_release *release;
	struct backend *backend; /* the same */
	struct outgoing out;
	uint32_t answer_ms;
	uint32_t body_bytes;    /* in `out` */
	uint16_t release_index; /* within its environment */
	uint8_t class;
	bool head_known;
	bool head_asked; /* the request is HEAD */
	bool begun;      /* there is a connection */
	enum pairing_side side;
	struct pairing *pairing;
	struct flow response;
	struct http1_head answer;
};

#endif
