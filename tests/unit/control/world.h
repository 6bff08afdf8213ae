/* SPDX-License-Identifier: Apache-2.0
 *
 * world - everything around the control, made up: time, instances, a router with users, checks, files.
 *
 * WHAT  The real control/ runs whole rollouts on it in virtual time. Nothing sleeps: world_run() takes the next
 *       thing that happens and sets the clock to it.
 *
 * HOW   One world at a time, `world`. A test says how releases behave (by tag), what the router and the runtime
 *       do wrong, and how many requests come; then it gives commands and lets time pass. The control may be
 *       killed and started again at any instant: store and world stay.
 *
 *       What must never happen is watched all the time (world.violation): shares that do not add up, a share
 *       that rises for a release without a ready instance, a candidate's share that rises by a document of the
 *       way back, an instance that is stopped while the router gives it requests, or before it begins to.
 */
#ifndef TESTS_UNIT_CONTROL_WORLD_H
#define TESTS_UNIT_CONTROL_WORLD_H

#include <setjmp.h>
#include <stdlib.h>

#include "../cmocka_all.h"

#include "base/buf.h"
#include "base/text.h"
#include "config/server.h"
#include "control/control.h"
#include "control/view.h"
#include "provider/artifact.h"
#include "provider/builds.h"
#include "provider/check.h"
#include "provider/metrics.h"
#include "provider/postmortems.h"
#include "provider/router.h"
#include "provider/runtime.h"
#include "provider/ticks.h"
#include "store/audit.h"
#include "store/releases.h"
#include "store/rollouts.h"
#include "store/store.h"

enum {
	WORLD_BEAT_MS = 20,
	WORLD_INSTANCES_MAX = 256,
	WORLD_HAPPENINGS_MAX = 4096,
	WORLD_ENVIRONMENTS_MAX = 8,
	WORLD_RELEASES_MAX = 16,
	WORLD_TAGS_MAX = 16,
	WORLD_TICK_LOGS_MAX = 64,
};

/* How a release is. All zero: it works, at once. */
struct behaviour {
	char tag[32];
	uint64_t start_ms; /* until it is healthy */
	bool never_ready;
	bool crash_at_start;
	uint64_t crash_after_ms;  /* after it became ready, each time; 0 = never */
	uint64_t crash_unseen_ms; /* as often it crashes and is ready again before anybody looks */
	uint32_t error_bp;        /* of its answers */
	uint16_t
		sick_slot; /* the first instance in this place (from 1) fails half of its requests */
	int32_t sick_pid;  /* that one */
	uint32_t hang_bp;  /* of its requests: never answered */
	uint64_t latency_us;
	uint32_t slow_bp; /* of its answers: they take ten times as long */
	uint64_t stop_ms; /* from the signal to its end */
	bool checks_fail;
	/* What its instances use, log and count for each answer. */
	uint64_t cpu_us, memory_bytes;
	uint32_t logs_bp; /* of its answers: an error in the log */
	uint32_t buys_bp; /* of its answers: bought_total */
	uint32_t value;   /* of each that is bought: value_sum, give or take a half */
	bool no_page;     /* does not answer for its metrics */
	bool damaged;     /* its files are not what they were */
};

struct fake_instance {
	struct instance_status status;
	struct instance_restart restart;
	uint64_t min_healthy_ms, deadline_ms;
	uint64_t spawn_at_ms, spawned_ms, ready_last_ms, stop_at_ms;
	uint64_t crash_ms[INSTANCE_RESTARTS_MAX + 1];
	uint32_t crash_count;
	bool wishes; /* asked, and not yet taken note of */
	struct instance_version wish_version;
	enum instance_want wish_want;
	uint64_t wish_at_ms;
	uint64_t busy, hanging; /* requests in flight */
	struct router_backend_numbers counts;
	uint64_t cpu_us;
	uint64_t visits, bought, value; /* of its life */
};

struct history;
struct tag_pusher;
struct certificates;
struct host;

struct fake_release {
	struct digest id;
	char tag[ROUTER_NAME_SIZE];
	struct router_counters counters;
	uint64_t divided, divided_done; /* as in struct router_class_numbers */
};

struct fake_environment {
	char app[ROUTER_NAME_SIZE], name[ROUTER_NAME_SIZE];
	struct router_document *document; /* in force; NULL = none */
	uint64_t rate_per_s;
	uint64_t owed; /* thousandths of a request */
	uint32_t release_count;
	struct fake_release releases[WORLD_RELEASES_MAX];
	struct router_environment_counters counters;
	uint64_t ask; /* number of the apply or forget under way */
	uint64_t failed;
	uint32_t applied_count;
};

struct happening {
	uint64_t at_ms, seq;
	uint32_t life; /* of the control it belongs to; 0 = the world's */
	void (*fire)(void *argument);
	void *argument; /* freed afterwards */
};

struct world {
	struct env env;
	struct postmortems *postmortems; /* of the test, or NULL; so are the next three */
	struct builds *builds;
	int (*judge_scan)(const struct scan_job *job, struct scan_verdict *ret_verdict,
			  struct error *err);
	int (*secret_key)(void *context, bool make, struct seal_key *ret_key, struct error *err);
	struct history *history;
	struct tag_pusher *tag_pusher;
	struct certificates *certificates;
	struct host *host;
	const char *files; /* the directory that every artifact is */
	void (*beside)(void *context, void (*work)(void *job), void (*done)(void *job), void *job);
	struct runtime runtime;
	struct router router;
	struct artifact_store artifacts;
	struct check_runner checks;
	struct ticks ticks;
	struct metrics metrics;
	uint64_t scrapes; /* so many pages were asked for */
	struct store *store;
	struct server *server; /* its own file; NULL: there is none */
	struct control *control;
	struct error err;

	uint64_t now_ms;
	uint64_t random;
	uint32_t life;
	uint64_t seq;
	uint32_t timer_count;
	struct {
		struct env_timer *timer;
		uint64_t at_ms, seq;
	} timers[8];
	uint32_t happening_count;
	struct happening happenings[WORLD_HAPPENINGS_MAX];

	uint32_t behaviour_count;
	struct behaviour behaviours[WORLD_TAGS_MAX];

	size_t instance_count;
	struct fake_instance instances[WORLD_INSTANCES_MAX];
	struct instance_status statuses[WORLD_INSTANCES_MAX];
	struct runtime_usage usages[WORLD_INSTANCES_MAX];
	uint64_t runtime_delay_ms;  /* until an instance has taken note of what it is told */
	uint64_t runtime_settle_ms; /* after a start of the control */
	bool runtime_refuses;       /* for want of room */
	bool runtime_denies;        /* for good */
	bool runtime_changed;
	uint64_t settled_at_ms;

	uint32_t environment_count;
	struct fake_environment environments[WORLD_ENVIRONMENTS_MAX];
	uint64_t router_delay_ms;
	uint64_t table_delay_ms; /* more, until a document is in force */
	bool router_down;
	char taken[ROUTER_ADDRESS_SIZE]; /* a listener that somebody else has */
	uint32_t astray_bp;   /* of the candidate's requests: the live release gets them */
	uint32_t previews_bp; /* of all requests: of people who want to see the candidate */
	uint64_t rate_per_s;  /* of every environment */

	uint64_t check_run; /* the latest */
	uint64_t check_cancelled;
	struct check_request check; /* the latest */
	const char *check_finds;    /* what its first one, a scan, finds; NULL: it is none */
	char check_told[256]; /* what that was to be compared with; world.err: why it cannot be */

	size_t imported_size; /* the latest artifact's bytes, and their beginning */
	char imported[64];
	uint32_t import_ms; /* really: it is done in another thread */

	uint64_t failpoint_at; /* kill the control at this pass of a failpoint; 0 = never */
	uint64_t failpoints;
	jmp_buf killed;
	bool in_turn;
	uint32_t kills;
	uint64_t started_ms;

	struct buf tick_logs[WORLD_TICK_LOGS_MAX]; /* by rollout */

	char who[32]; /* who gives commands; "ann" at first */
	bool store_broken;
	char violation[256];
};

extern struct world world;

/* The application of most tests: two processes web, and strategies of a few seconds. */
extern const char world_yaml[];

void world_open(void);
void world_open_on(const char *file); /* with a store that is written */
void world_close(void);
void world_start(void); /* a control on this store and this world */
void world_kill(void);  /* without a goodbye */

/* How `tag` behaves; made on first use. */
struct behaviour *world_behaviour(const char *tag);

/* Register a release and give its id. */
const char *world_release(const char *environment, const char *tag, const char *yaml);

/* Commands; 0 when refused, with world.err. */
uint32_t world_deploy(const char *environment, const char *release);
uint32_t world_deploy_by(const char *environment, const char *release, const char *strategy,
			 const char *request_id);
uint32_t world_rollback(const char *environment, const char *to);
/* The same, repeated under one request id until a control has lived long enough to answer. */
uint32_t world_insist_deploy(const char *environment, const char *release, const char *strategy,
			     const char *request_id);
uint32_t world_insist_rollback(const char *environment, const char *request_id);
/* Every commit fails from now on, or no longer. */
void world_break_store(bool broken);
/* The disk of the store, mounted at `directory`, is full: nothing can be written that was not held back. */
void world_fill_disk(const char *directory);
uint32_t world_restart(const char *environment);
/* What the server's own file says from now on. */
void world_server(const char *yaml);
int world_answer(const char *rollout, const char *who, enum control_answer_verdict verdict);
int world_freeze(const char *environment, bool on, uint64_t for_ms); /* 0: until it is lifted */
int world_command(const char *rollout, enum control_verb verb);
struct control_caller world_caller(const char *request_id);

void world_run(uint64_t ms);
/* The machine is suspended for that long: nothing happens, and what was due is late. Days cost nothing. */
void world_suspend(uint64_t ms);
void world_step(void);
/* Let time pass until the rollout has ended (its state's name then), or `at_most_ms` are over (the state's
 * name as it is). */
const char *world_until_end(uint32_t rollout, uint64_t at_most_ms);
/* Until the rollout has come to the step with this label; false when it never does. */
bool world_until_label(uint32_t rollout, const char *label, uint64_t at_most_ms);
bool world_until_state(uint32_t rollout, const char *state, uint64_t at_most_ms);

/* The rollout as it is shown; the same memory each time. */
const struct view_rollout *world_view(uint32_t rollout);
/* Its tag; "" = nothing is live. */
const char *world_live(const char *environment);
const char *world_state(const char *environment);
struct fake_environment *world_traffic(const char *app, const char *name);
uint32_t world_weight(const char *environment, const char *tag);
/* Instances of a release that are not over. */
uint32_t world_instances(const char *environment, const char *tag);
bool world_marked_bad(const char *environment, const char *release);

/* Only the live release is left, at full strength, and has all requests. */
void world_assert_at_rest(const char *environment, const char *live, uint32_t instances);
void world_assert_sane(void);

/* Among the files. */
void world_violated(const char *format, ...) __attribute__((format(printf, 1, 2)));
void world_happen(uint64_t after_ms, bool of_control, void (*fire)(void *), void *argument);
uint64_t world_random(void);
void runtime_open(void);
void runtime_beat(void);
struct fake_instance *runtime_find(const char *id);
void runtime_crash(struct fake_instance *instance);
void metrics_open(void);
void metrics_count(struct fake_instance *instance); /* it has answered a request */
void router_open(void);
void ticks_open(void);
void ticks_close(void);
void router_beat(void);
void router_close(void);
void router_instance_ended(struct fake_instance *instance);

#endif
