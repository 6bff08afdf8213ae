/* SPDX-License-Identifier: Apache-2.0
 *
 * app - what a davit.yaml says, as plain data.
 *
 * WHAT  `struct app` is the file as written: only the bits in `set` say which keys are there, nothing is
 *       filled in. `struct resolved` is what one environment runs: service < processes < environment
 *       merged, defaults filled in, the strategy spelled out as steps. It travels with a release.
 *
 * HOW   Bit i of `set` is row i of the section's table (config/keys.h): a key that was written. In a
 *       resolved one, a key without a value (there is no default for `user`) has its bit clear and is
 *       NULL or 0.
 *
 * OWNS  config/config.h makes and frees both; their texts live as long as they do.
 * UNITS In the names. Shares are basis points.
 * LIMITS The enum below; a file with more is refused, with the bound in the sentence.
 * SEE   docs/reference/config.md says what every key means; it is made from the same table.
 */
#ifndef CONFIG_APP_H
#define CONFIG_APP_H

#include <stdbool.h>
#include <stdint.h>

#include "config/cohort.h"
#include "config/maintenance.h"
#include "config/process.h"
#include "config/stages.h"
#include "config/steps.h"
#include "config/tcp.h"

struct app_route {
	uint32_t set;
	const char *host; /* lower case; "" is any */
	const char *path;
	const char *to; /* process */
};

struct app_sticky {
	uint32_t set;
	const char *cookie, *header; /* one of them */
};

enum app_challenge { APP_CHALLENGE_HTTP, APP_CHALLENGE_TLS_ALPN, APP_CHALLENGE_COUNT };

struct app_acme {
	uint32_t set;
	const char *email; /* NULL: no certificates of an authority */
	const char *directory;
	enum app_challenge challenge;
};

enum app_unnamed { APP_UNNAMED_FIRST, APP_UNNAMED_SHOWN, APP_UNNAMED_NEVER, APP_UNNAMED_COUNT };

/* In clear without a certificate and without acme.email. */
struct app_tls {
	uint32_t set;
	const char *certificate, *key; /* files of the machine that serves; both or none */
	struct app_acme acme;
	const char *redirect; /* the address in clear; NULL: none */
	enum app_unnamed unnamed;
	uint64_t hsts_ms; /* 0: not said */
};

struct app_hold {
	uint32_t set;
	uint32_t requests;
	uint64_t time_ms;
};

enum app_http2 { APP_HTTP2_ON, APP_HTTP2_OFF };

enum app_log { APP_LOG_OFF, APP_LOG_TEXT, APP_LOG_JSON };

enum { APP_QUEUE_FIRST_MAX = 4, APP_QUEUE_FIRST = 1 << 2 /* `first` is written */ };

/* Where requests wait for a connection to an instance. */
struct app_queue {
	uint32_t set;
	uint32_t most; /* 0: nobody waits */
	uint64_t time_ms;
	struct app_texts first; /* paths */
};

enum { APP_HEADER_RULES_MAX = 32 }; /* of one environment, both ways together */

/* What becomes of header fields on their way; see wire/field_rule.h. */
struct app_field_rules {
	uint32_t set;
	uint32_t set_count;
	struct app_condition fields[APP_HEADER_RULES_MAX];
	struct app_texts remove;
};

struct app_headers {
	uint32_t set;
	struct app_field_rules request, response;
};

/* How the gateway treats each request. */
struct app_requests {
	uint32_t set;
	bool shield;
	uint64_t answer_ms;
	uint64_t body_max; /* bytes; 0: any size */
	uint64_t slow_start_ms;
	enum app_log log;
	enum app_http2 http2;
	uint32_t connections; /* to an instance, of each worker */
	struct app_queue queue;
	struct app_headers headers;
	struct app_maintenance maintenance;
};

enum app_concurrency { APP_CONCURRENCY_QUEUE, APP_CONCURRENCY_SUPERSEDE, APP_CONCURRENCY_COUNT };

enum app_on_reject { APP_ON_REJECT_KEEP, APP_ON_REJECT_ROLLBACK, APP_ON_REJECT_COUNT };

/* Who has to say yes before a release goes out here. */
struct app_approve {
	uint32_t set;        /* 0: nobody */
	struct app_texts by; /* groups of the server's own file; none: whoever may command davit */
	uint32_t count;
	bool not_author;
	uint64_t expires_ms;
	enum app_on_reject on_reject;
};

/* When a release may go out; see config/window.h. */
struct app_windows {
	uint32_t set; /* 0: always */
	const char *days, *hours, *zone;
};

/* What brings a release here: pushes, or times. */
struct app_trigger {
	uint32_t set;
	struct app_texts branch; /* names, or "release/" for all below it */
	struct app_texts tag;    /* names, or "v*" for all that begin so */
	bool signed_only;        /* of tags: those of an allowed signer */
	/* Not when the branch moves, but at these times of what it is then; see config/schedule.h. */
	struct app_texts schedule;
	const char *zone; /* NULL: UTC */
};

/* Commands that change what releases share; those that are not written have set 0. */
struct app_migrate {
	uint32_t set; /* 0: none */
	struct app_command before, after;
	uint64_t timeout_ms;
	bool ask; /* before `after` */
};

/* Commands around each step of a strategy; those that are not written have set 0. */
struct app_hooks {
	uint32_t set; /* 0: none */
	struct app_command before_step, after_step;
	uint64_t timeout_ms;
};

/* What has to be changed outside before a release goes out. */
struct app_infrastructure {
	uint32_t set; /* 0: nothing */
	struct app_command plan, apply;
	bool approve_changes;
	uint64_t timeout_ms;
};

struct app_environment {
	uint32_t set;
	const char *name;
	const char *listen; /* "0.0.0.0:8080", "[::]:8080"; NULL: takes no requests */
	enum app_protocol protocol;
	struct app_tcp tcp;
	uint32_t route_count;
	struct app_route routes[APP_ROUTES_MAX];
	struct app_strategy strategy;
	uint32_t process_count;
	struct app_process processes[APP_PROCESSES_MAX]; /* overrides; resolved: the processes */
	struct app_env env; /* resolved: empty, it is in each process; so are the secrets */
	uint32_t secret_count;
	struct app_secret secrets[APP_SECRETS_MAX];
	struct app_sticky sticky;
	struct app_cohort cohort;
	struct app_hold hold;
	struct app_requests requests;
	struct app_tls tls;
	enum app_concurrency concurrency;
	uint64_t keep_warm_ms;
	uint32_t retain; /* releases kept besides the live one */
	struct app_analysis analysis;
	const char *from; /* the environment where a release was good before; NULL: none */
	uint64_t soak_ms; /* for so long */
	struct app_approve approve;
	struct app_windows windows;
	struct app_texts verify; /* checks, once all requests go to the release */
	uint32_t check_secret_count;
	struct app_secret
		check_secrets[APP_CHECK_SECRETS_MAX]; /* resolved: none, they are in probes */
	struct app_trigger trigger;
	struct app_migrate migrate;
	struct app_hooks hooks;
	struct app_infrastructure infrastructure;
	bool production; /* users are here */
	bool tag;        /* releases that succeed here are tagged */
};

struct app {
	uint32_t set;
	const char *name;
	struct app_process service;
	uint32_t process_count;
	struct app_process processes[APP_PROCESSES_MAX];
	struct app_texts persist;
	struct app_migrate migrate;
	struct app_hooks hooks;
	uint32_t check_count;
	struct app_check checks[APP_CHECKS_MAX];
	struct app_analysis analysis;
	uint32_t stage_count;
	struct app_stage stages[APP_STAGES_MAX];
	uint32_t strategy_count;
	struct app_strategy strategies[APP_STRATEGIES_MAX];
	uint32_t environment_count;
	struct app_environment environments[APP_ENVIRONMENTS_MAX];
	void *memory; /* of the texts */
};

struct resolved {
	uint32_t set;
	uint32_t format;  /* 0: the first, and so far the only one */
	const char *app;  /* the application's name */
	const char *name; /* the environment's */
	struct app_texts persist;
	uint32_t check_count;
	struct app_check checks[APP_CHECKS_MAX];
	struct app_environment environment;
	void *memory;
};

#endif
