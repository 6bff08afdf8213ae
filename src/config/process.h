/* SPDX-License-Identifier: Apache-2.0
 *
 * process - the part of `struct app` that says what runs: how it is started, asked for its health, and stopped. See app.h, which
 *           is what others include.
 */
#ifndef CONFIG_PROCESS_H
#define CONFIG_PROCESS_H

#include "config/steps.h"

/* At most one of path, tcp, grpc and command; none: ready when it has run for min_healthy. */
struct app_health {
	uint32_t set;
	const char *path;           /* GET on the instance's port: 200..399 is healthy */
	bool tcp;                   /* a connection to the instance's port is healthy */
	bool grpc;                  /* gRPC's health check of the whole server says SERVING */
	struct app_command command; /* exit 0 is healthy */
	uint64_t interval_ms, timeout_ms;
	uint32_t passes, fails;
	uint64_t min_healthy_ms, deadline_ms;
};

struct app_drain {
	uint32_t set;
	uint64_t requests_ms, websockets_ms;
};

#define APP_SIGNALS(X)  \
	X(TERM, "TERM") \
	X(INT, "INT")   \
	X(QUIT, "QUIT") \
	X(HUP, "HUP")   \
	X(USR1, "USR1") \
	X(USR2, "USR2")

enum app_signal {
#define X(name, text) APP_SIGNAL_##name,
	APP_SIGNALS(X)
#undef X
		APP_SIGNAL_COUNT
};

struct app_stop {
	uint32_t set;
	enum app_signal signal;
	uint64_t timeout_ms;
};

struct app_limits {
	uint32_t set;
	uint64_t memory_bytes; /* 0: none */
	uint32_t cpu_milli;    /* 1500 is one and a half processors; 0: none */
	uint32_t files;
};

enum app_speaks { APP_SPEAKS_HTTP1, APP_SPEAKS_HTTP2, APP_SPEAKS_COUNT };

enum app_handover { APP_HANDOVER_START_FIRST, APP_HANDOVER_STOP_FIRST, APP_HANDOVER_COUNT };

struct app_process {
	uint32_t set;
	const char *name; /* "web" for the one of `service`; NULL for `service` itself */
	struct app_command run;
	const char *user;
	uint32_t instances;
	enum app_handover handover;
	struct app_health health;
	struct app_drain drain;
	struct app_stop stop;
	struct app_limits limits;
	struct app_env env;
	uint32_t secret_count;
	struct app_secret secrets[APP_SECRETS_MAX];
	bool serves; /* takes requests */
	enum app_speaks speaks;
};

#endif
