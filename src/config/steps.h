/* SPDX-License-Identifier: Apache-2.0
 *
 * steps - the parts of `struct app` that say how a release is tried: commands, checks, analysis and
 *         strategies. See app.h, which is what others include.
 */
#ifndef CONFIG_STEPS_H
#define CONFIG_STEPS_H

#include <stdbool.h>
#include <stdint.h>

enum {
	APP_PROCESSES_MAX = 8,
	APP_ENVIRONMENTS_MAX = 16,
	APP_STRATEGIES_MAX = 16,
	APP_STEPS_MAX = 16,   /* of one strategy */
	APP_WEIGHTS_MAX = 16, /* of one canary step */
	APP_CHECKS_MAX = 16,
	APP_PROBES_MAX = 16,    /* of one check */
	APP_CONDITIONS_MAX = 8, /* of one probe: headers, and values of JSON */
	APP_ROUTES_MAX = 32,
	APP_CLASSES_MAX = 7, /* of routes, in one analysis */
	APP_CLASS_PATHS_MAX = 8,
	APP_ENV_MAX = 64,
	APP_SECRETS_MAX = 32,      /* of one process */
	APP_CHECK_SECRETS_MAX = 8, /* of one command of a check */
	APP_TEXTS_MAX = 64,        /* arguments, paths, methods */
	APP_KPIS_MAX = 8,
};

struct app_texts {
	uint32_t count;
	const char *items[APP_TEXTS_MAX];
};

struct app_env {
	uint32_t count;
	struct app_variable {
		const char *name, *value;
	} items[APP_ENV_MAX];
};

struct app_shares {
	uint32_t count;
	uint32_t items_bp[APP_WEIGHTS_MAX];
};

/* Exactly one of the three; see config/command.h for how each becomes argv. */
struct app_command {
	uint32_t set;
	const char *line;      /* split into words, $NAME expanded, no shell */
	const char *sh;        /* a script for /bin/sh */
	struct app_texts args; /* argv, $NAME expanded in each; count 0: not this one */
};

#define APP_SECRET_FORMS(X) \
	X(ENV, "env")       \
	X(FILE, "file")

enum app_secret_form {
#define X(name, text) APP_SECRET_##name,
	APP_SECRET_FORMS(X)
#undef X
		APP_SECRET_FORM_COUNT
};

enum app_secret_version { APP_SECRET_LATEST, APP_SECRET_PINNED, APP_SECRET_VERSION_COUNT };

/* What a process, or a command of a check, is given from the server's store of secrets, under a variable's name. */
struct app_secret {
	uint32_t set;
	const char *name;
	const char *from; /* "davit:prod/db", of the environment prod; "davit:mail", of all */
	enum app_secret_form as;
	enum app_secret_version version;
};

/* What something in an answer has to be. */
struct app_condition {
	uint32_t set;
	const char *name; /* of a header, or the way to a value of JSON */
	const char *value;
};

/* One probe of a check: `get` or `run`. */
struct app_probe {
	uint32_t set;
	const char *get; /* a path on the address under test */
	uint32_t expect; /* status */
	const char *contains;
	struct app_command run; /* $URL is the address under test; exit 0 passes */
	uint64_t timeout_ms;
	const char *sarif; /* report that `run` writes; NULL: none */
	uint32_t block_at; /* 0 low, 1 medium, 2 high, 3 critical; high where it is not written */
	const char *baseline; /* of the release's files, or NULL */
	uint32_t secret_count;
	struct app_secret secrets[APP_CHECK_SECRETS_MAX]; /* only with `run` */
	uint32_t header_count, value_count; /* these, and the last one: only with `get` */
	struct app_condition headers[APP_CONDITIONS_MAX], values[APP_CONDITIONS_MAX];
	uint64_t within_ms; /* 0: no bound but the timeout */
};

enum { APP_PROBE_TIMEOUT = 1 << 4, APP_PROBE_BLOCK_AT = 1 << 6 };

struct app_check {
	uint32_t set;
	const char *name;
	uint32_t count;
	struct app_probe probes[APP_PROBES_MAX];
};

struct app_error_rule {
	uint32_t set;
	uint32_t worse_by_bp, or_points_milli; /* thousandths of a percentage point */
	uint32_t pass_below_bp;
	uint32_t max_bp, at_least; /* the plain rule: on where `max` is written */
	bool absolute;
};

struct app_latency_rule {
	uint32_t set;
	uint32_t worse_by_bp;
	uint64_t or_by_ms;
	uint64_t max_ms; /* the plain rule: on where `max` is written */
	uint32_t at_least;
	bool absolute;
};

/* Requests that are judged apart: at and below these paths. */
struct app_class {
	uint32_t set;
	const char *name;
	struct app_texts paths;
};

enum app_analysis_state { APP_ANALYSIS_ON, APP_ANALYSIS_OFF, APP_ANALYSIS_COUNT };
enum app_judge { APP_JUDGE_SEQUENTIAL, APP_JUDGE_RULES, APP_JUDGE_MANN_WHITNEY, APP_JUDGE_COUNT };

/* How the instances are asked for what they count. */
struct app_scrape {
	uint32_t set;
	const char *path;
	uint64_t interval_ms;
};

enum app_direction { APP_HIGHER, APP_LOWER, APP_DIRECTION_COUNT };

/*
 * `count` alone: a rate per request. With `of`: so many of those, a share. With `sum`: the mean sum / count. All
 * three are selectors (wire/prometheus.h). `max_milli` and `min_milli` are thousandths, and in force only where
 * they are written.
 */
struct app_kpi {
	uint32_t set;
	const char *name;
	const char *count, *of, *sum;
	enum app_direction direction; /* which way is good */
	uint32_t worse_by_bp;
	uint32_t max_milli, min_milli;
	uint32_t at_least;
};

enum {
	APP_KPI_COUNT = 1 << 0,
	APP_KPI_OF = 1 << 1,
	APP_KPI_SUM = 1 << 2,
	APP_KPI_MAX = 1 << 5,
	APP_KPI_MIN = 1 << 6
};

/* `set` 0: not written, and off. */
struct app_cpu_rule {
	uint32_t set;
	enum app_analysis_state state;
	uint32_t worse_by_bp; /* per request */
	uint32_t max_bp;      /* 0: none */
};

struct app_memory_rule {
	uint32_t set;
	enum app_analysis_state state;
	uint32_t worse_by_bp; /* per instance */
	uint64_t max_bytes;   /* 0: none */
};

struct app_count_rule {
	uint32_t set;
	enum app_analysis_state state;
	uint32_t worse_by_bp;
};

/* How the answers to copies of requests are compared. */
struct app_compare {
	uint32_t set; /* 0: not written, and all as if it were empty */
	uint32_t noise_bp;
	struct app_texts headers; /* lower case; where it is not written: content-type, location */
	struct app_texts ignore, hide; /* paths in JSON, see control/answer_diff.h */
};

enum { APP_COMPARE_HEADERS = 1 << 1, APP_COMPARE_NOISE_BP = 1000 };

struct app_analysis {
	uint32_t set;
	enum app_analysis_state state;
	enum app_judge method;
	uint32_t false_alarms_bp, wrong_passes_bp;
	struct app_error_rule errors;
	struct app_refused_rule {
		uint32_t set;
		enum app_analysis_state state;
		uint32_t worse_by_bp, or_points_milli;
	} refused;
	struct app_latency {
		uint32_t set;
		enum app_analysis_state state;
		struct app_latency_rule p50, p90, p99, p999;
	} latency;
	uint64_t hang_ms;
	uint32_t class_count;
	struct app_class classes[APP_CLASSES_MAX];
	uint32_t when_too_little; /* enum judge_when_too_little */
	struct app_kayenta {
		uint32_t
			set; /* after config_resolve() only with APP_JUDGE_MANN_WHITNEY, and then always */
		uint64_t interval_ms;
		uint32_t points;
		uint32_t pass, marginal; /* scores, 0..100 */
		uint32_t tolerance_bp, allowed_increase_bp;
		uint32_t critical; /* bit i: metric i of enum config_kayenta_metric */
	} kayenta;
	struct app_scrape scrape;
	uint32_t kpi_count;
	struct app_kpi kpis[APP_KPIS_MAX];
	struct app_cpu_rule cpu;
	struct app_memory_rule memory;
	struct app_count_rule crashes, log_errors;
	struct app_compare compare;
};

struct app_each {
	uint32_t set;
	uint64_t at_least_ms, at_most_ms;
};

/* Bits of app_step_shadow.methods, in the order of the key's choices. */
enum { APP_METHOD_GET = 1, APP_METHOD_HEAD = 2, APP_METHOD_OPTIONS = 4 }; /* change nothing */
enum { APP_METHOD_POST = 8, APP_METHOD_PUT = 16, APP_METHOD_PATCH = 32, APP_METHOD_DELETE = 64 };

/* A step has exactly one bit set in `set`: which of these it is. */
struct app_step {
	uint32_t set;
	const char *check; /* a name in checks, run on the preview address */
	struct app_step_shadow {
		uint32_t set;
		uint32_t share_bp;
		uint32_t methods;
		uint64_t body_max;
		struct app_until {
			uint32_t set;
			uint32_t requests;
			uint64_t time_ms;
		} until;
	} shadow;
	struct app_step_canary {
		uint32_t set;
		struct app_shares steps;
		struct app_each each;
	} canary;
	struct app_step_rolling {
		uint32_t set;
		uint32_t batch_bp; /* of the instances at a time, at least one */
		bool surge;        /* new ones first, then old ones away */
		struct app_each each;
	} rolling;
	struct app_step_plain {
		uint32_t set;
	} recreate, switch_all;
	uint64_t bake_ms;
};

enum {
	APP_STEP_CHECK = 1 << 0,
	APP_STEP_SHADOW = 1 << 1,
	APP_STEP_CANARY = 1 << 2,
	APP_STEP_ROLLING = 1 << 3,
	APP_STEP_RECREATE = 1 << 4,
	APP_STEP_SWITCH = 1 << 5,
	APP_STEP_BAKE = 1 << 6
};

struct app_strategy {
	uint32_t set;
	const char *
		name; /* of a definition, or the one an environment chose; "inline" when spelled out there */
	uint32_t count;
	struct app_step steps[APP_STEPS_MAX];
};

#endif
