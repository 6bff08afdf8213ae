/* SPDX-License-Identifier: Apache-2.0
 *
 * instance - what an instance of a release is to be (spec), and what it is (status).
 *
 * WHAT  The controller describes an instance once, in a spec that never changes afterwards; the runtime
 *       driver writes it as D/instances/<id>/spec.json; the instance's keeper reads it, holds the
 *       program and reports a status.
 *
 * HOW   control/ fills a struct instance_spec (texts are its own) and hands it to provider/runtime.h.
 *       instance_spec_write() turns it into JSON, instance_spec_read() back.
 *
 * OWNS  A spec borrows its texts. One that instance_spec_read() filled owns them until
 *       instance_spec_done(). A status is plain data.
 *
 * TIME  `ready_since_ms` is CLOCK_MONOTONIC of the machine, the clock of env_now_ms(): it can be compared
 *       between processes of one boot, and is 0 while the instance is not ready.
 *
 * ERRORS ERR_INVALID with the field's name for a spec out of bounds, ERR_CORRUPT for a file that is none.
 */
#ifndef LINK_INSTANCE_H
#define LINK_INSTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	INSTANCE_ID_SIZE =
		96, /* with the NUL, as all *_SIZE: [a-z0-9-], "prod-web-3-0f3a9c21b7de" */
	INSTANCE_NAME_SIZE = 41,
	INSTANCE_TAG_SIZE = 129,
	INSTANCE_DIGEST_SIZE = 65,
	INSTANCE_ADDRESS_SIZE = 112, /* "127.0.0.1:20017" */
	INSTANCE_SENTENCE_SIZE = 256,
	INSTANCE_WORDS_MAX = 128, /* of a command */
	INSTANCE_ENV_MAX = 256,
	INSTANCE_SECRETS_MAX = 32,
	INSTANCE_PERSIST_MAX = 32,
	INSTANCE_SLOT_MAX = 9999,
	INSTANCE_RESTARTS_MAX = 31, /* of restart.limit */
	INSTANCE_SPEC_MAX_BYTES = 1024 * 1024,
};

/* The version of the desired-state document that asks for something: newer is (epoch, n) greater. */
struct instance_version {
	uint64_t epoch;
	uint64_t n;
};

static inline int instance_version_compare(struct instance_version a, struct instance_version b)
{
	if (a.epoch != b.epoch)
		return a.epoch < b.epoch ? -1 : 1;
	return a.n == b.n ? 0 : a.n < b.n ? -1 : 1;
}

/* What is wanted of an instance. At one version it can only move down this list. */
enum instance_want { INSTANCE_KEEP, INSTANCE_DRAIN, INSTANCE_STOP, INSTANCE_WANT_COUNT };

#define INSTANCE_STATES(X)                                                                        \
	X(STARTING, "starting") /* no process yet, or waiting for its next start after a crash */ \
	X(RUNNING, "running")   /* the process runs, its health has not shown yet */              \
	X(READY, "ready")       /* healthy, and for at least min_healthy_ms */                    \
	X(UNHEALTHY, "unhealthy") /* was ready, then failed its probes */                         \
	X(DRAINING, "draining")   /* to get nothing new; when it exits it is not started again */ \
	X(STOPPING, "stopping")   /* signalled */                                                 \
	X(EXITED, "exited")       /* stopped as asked; nothing of it is left */                   \
	X(FAILED, "failed")       /* given up after too many restarts; nothing of it is left */

enum instance_state {
#define X(name, text) INSTANCE_##name,
	INSTANCE_STATES(X)
#undef X
		INSTANCE_STATE_COUNT
};

const char *instance_state_name(enum instance_state state);

/* EXITED or FAILED: no process, no keeper, only its files. */
bool instance_state_over(enum instance_state state);

enum instance_health_kind {
	INSTANCE_HEALTH_NONE,    /* a process that runs is healthy */
	INSTANCE_HEALTH_HTTP,    /* GET answers 200..399 */
	INSTANCE_HEALTH_TCP,     /* a connection is accepted */
	INSTANCE_HEALTH_COMMAND, /* exits 0; runs as the instance does, beside it */
	INSTANCE_HEALTH_HTTP2,   /* as HTTP, by HTTP/2 in clear */
	INSTANCE_HEALTH_GRPC,    /* gRPC's health check says that it serves */
	INSTANCE_HEALTH_COUNT
};

struct instance_health {
	enum instance_health_kind kind;
	const char *path; /* HTTP and HTTP2: begins with '/' */
	const char
		*command[INSTANCE_WORDS_MAX + 1]; /* COMMAND: NULL-terminated, expanded as argv */
	uint64_t interval_ms;
	uint64_t timeout_ms;
	uint32_t passes; /* probes in a row that make it healthy */
	uint32_t fails;  /* probes in a row that make it unhealthy */
	uint64_t min_healthy_ms;
	uint64_t deadline_ms; /* not healthy for so long: killed and started again */
};

struct instance_restart {
	uint64_t first_ms; /* the wait after the first crash; doubles with each */
	uint64_t most_ms;
	uint32_t limit; /* one more crash than this within the window: FAILED */
	uint64_t window_ms;
};

/* What it is given and no spec contains: the file D/instances/<id>/secrets/NAME, in memory. */
struct instance_secret {
	const char *name; /* of the variable */
	const char *from; /* "davit:prod/db" */
	bool file;        /* the variable has the file's path, not its content */
	bool pinned;      /* the version that the release had first */
};

struct instance_spec {
	const char *id;
	const char *app;
	const char *environment;
	const char *release; /* 64 hex digits */
	const char *tag;     /* "" if it has none */
	const char *process;
	uint32_t slot; /* from 1 */
	bool traffic;  /* requests are routed to it: it gets a port */

	const char *artifact; /* 64 hex digits: D/artifacts/<artifact>/ */
	const char
		*persist[INSTANCE_PERSIST_MAX + 1]; /* relative directories that outlive releases */
	const char *script;                         /* run by /bin/sh; or NULL, then argv */
	const char *argv[INSTANCE_WORDS_MAX + 1];   /* NULL-terminated */
	bool expand; /* replace $NAME in argv by the instance's variables */
	const char *variables[INSTANCE_ENV_MAX + 1]; /* "NAME=value", beside PORT and DAVIT_* */
	size_t secret_count;
	struct instance_secret secrets[INSTANCE_SECRETS_MAX];
	const char *user;      /* NULL: the one davit runs as */
	uint64_t memory_bytes; /* 0: no limit; as the next two */
	uint32_t cpu_milli;    /* 1500 is one and a half CPUs */
	uint32_t files;

	struct instance_health health;
	int stop_signal;
	uint64_t stop_timeout_ms;
	struct instance_restart restart;

	void *texts; /* what instance_spec_read() allocated; NULL otherwise */
};

/*
 * `log_errors` are the lines of its log that look like errors (keeper/log_line.h), since its keeper started: a
 * value below the last one is a new beginning, as with any counter. It is at most a second old.
 */
struct instance_status {
	char id[INSTANCE_ID_SIZE];
	char app[INSTANCE_NAME_SIZE];
	char environment[INSTANCE_NAME_SIZE];
	char release[INSTANCE_DIGEST_SIZE];
	char tag[INSTANCE_TAG_SIZE];
	char process[INSTANCE_NAME_SIZE];
	char artifact[INSTANCE_DIGEST_SIZE]; /* what it runs from */
	uint32_t slot;
	bool traffic;

	enum instance_state state;
	enum instance_want want;
	struct instance_version applied; /* the newest document it has taken note of */
	bool healthy;                    /* its last probes passed, also while it drains */
	uint64_t ready_since_ms;
	uint64_t state_since_ms;             /* when it came into this state; the same clock */
	uint32_t restarts;                   /* since the instance exists */
	uint64_t log_errors;                 /* see above */
	int32_t pid;                         /* 0: none */
	char address[INSTANCE_ADDRESS_SIZE]; /* "" without traffic, or before a port is chosen */
	bool exit_known;   /* the program has ended at least once and somebody saw how */
	int32_t exit_code; /* of its last end; -1 if a signal ended it */
	int32_t exit_signal;
	char sentence
		[INSTANCE_SENTENCE_SIZE]; /* the last thing worth telling: a probe, an exit, a limit */
};

/* Is every text there and within its bounds? Writing and reading check it themselves. */
int instance_spec_check(const struct instance_spec *spec, struct error *err) MUST_CHECK;

int instance_spec_write(const struct instance_spec *spec, struct instance_version version,
			struct buf *to, struct error *err) MUST_CHECK;
int instance_spec_read(const char *json, size_t size, struct instance_spec *ret_spec,
		       struct instance_version *ret_version, struct error *err) MUST_CHECK;
void instance_spec_done(struct instance_spec *spec);

/* A status with what the spec says, STARTING. */
void instance_status_init(struct instance_status *status, const struct instance_spec *spec,
			  struct instance_version version);

/* How often has it ended though nobody asked for that, since it exists? The end after which it was given up
 * counts, as does a start that could not be made. */
uint32_t instance_crashes(const struct instance_status *status);

/*
 * May this be asked of an instance with this status (its `applied`, `want`, `state`, `traffic`)? The rule
 * of provider/runtime.h, FENCE and GUARD: 0, or ERR_CONFLICT with the reason. Driver and keeper ask both.
 */
int instance_want_check(const struct instance_status *status, struct instance_version version,
			enum instance_want want, bool undrained, struct error *err) MUST_CHECK;

/* [a-z0-9-], 1 to INSTANCE_ID_SIZE - 1 of them, not beginning with '-': may be a file's name. */
bool instance_id_valid(const char *id);

#endif
