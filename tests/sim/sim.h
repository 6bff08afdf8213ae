/* SPDX-License-Identifier: Apache-2.0
 *
 * sim - deterministic simulation of rollouts under faults.
 *
 * WHAT  One seed decides everything: the strategy, which faults happen and how often, every delay, loss,
 *       duplicate and crash. The objects of src/rollout, src/strategy, src/fleet and src/traffic are davit's own;
 *       router, runtime, instances, judge, store and people are models (world.c, shell.c).
 *
 * HOW   Phase 1: a number of random actions, with faults. Phase 2: no faults, a fair schedule, a helpful
 *       person; within SIM_ROUNDS_MAX rounds the environment has to come to rest. The oracles (oracle.c)
 *       look at every commit and at every stopped instance; they compute what is right from their own
 *       records and share no code with the core.
 */
#ifndef SIM_H
#define SIM_H

#include <stdbool.h>
#include <stdint.h>

#include "fleet/fleet.h"
#include "rollout/rollout.h"
#include "strategy/strategy.h"

enum {
	SIM_RELEASES = 8,
	SIM_PROCESSES = 3,
	SIM_SLOTS = 5,
	SIM_MESSAGES = 40,
	SIM_QUESTIONS = 6,
	SIM_ROUNDS_MAX = 900,
	SIM_TICK_CAP_MS = 5000, /* what one tick may add at most: the contract, said again */
};

struct sim_random {
	uint64_t state;
};

/* How a release behaves. */
enum quality { GOOD = 0, NEVER_READY, CRASHES, FLAPS, LIES, FAILS_REQUESTS, QUALITY_COUNT };

struct instance {
	bool exists;
	enum fleet_state state;
	bool draining, removed, wrong;
	uint32_t in_flight, restarts;
	uint64_t removed_ms, ready_ms, gave_up_ms;
};

struct message {
	enum { MESSAGE_ROUTE, MESSAGE_SET } kind;
	struct traffic_document route;
	struct release_id slots[ENVIRONMENT_SETS_MAX]; /* who is meant by slot i of `route` */
	struct set_document set;
};

/* A question that the controller's process has asked; a crash forgets it. */
struct question {
	enum { ASKED_NOTHING = 0, ASKED_FETCH, ASKED_ANALYSE, ASKED_HOOK } kind;
	struct release_id release;
	uint32_t step, attempt;
};

struct job {
	bool there;
	bool rollback;
	uint8_t release;
	struct strategy_settings settings;
	struct rollout r;
	struct plan plan; /* compiled when it starts */
	uint64_t gate_seed;
};

/* What the store holds: all of it is written in one transaction. */
struct store {
	struct environment_state env;
	struct job active, queued;
	uint64_t numbers;
	bool bad[SIM_RELEASES];
	uint8_t stable_before; /* release index, for a rollback; 0xff = none */
};

struct router_report {
	bool there;
	struct traffic_observation traffic;
	struct release_id slots[ENVIRONMENT_SETS_MAX];
};

struct set_report {
	bool there;
	struct set_observation set;
};

/* What the oracles remember; see oracle.c. */
struct oracle {
	bool frozen;
	bool evidence[PLAN_STEPS_MAX];
	uint64_t held_ms, waited_ms; /* in the present step, by the ticks that were delivered */
	uint64_t pass_number;        /* the newest verdict "pass" … */
	uint32_t pass_step, pass_attempt;
	bool pass_there;
	uint64_t skip_number; /* … and the newest "go on" of a person */
	uint32_t skip_step;
	bool skip_there, approved;
	bool aborted;
	uint32_t confirmed_bp; /* the candidate's share by the last ROUTE that was confirmed … */
	bool confirmed_park;   /* … and whether requests wait by it */
	/* [0] the candidate, [1] the live release: was at its strength at the last look, and how often it was not any
	 * more, at the looks of this rollout */
	bool stood[2];
	uint32_t falls[2];
	struct observation know; /* the newest observation that was delivered in time */
	uint64_t know_serial;
	bool fresh;            /* the event at hand is an observation newer than all before */
	struct version newest; /* of any document */
	uint32_t refused;
};

struct sim {
	struct sim_random random;
	uint64_t seed, now_ms;
	bool verbose, faults, failed;
	char why[200];

	/* swarm: percentages of this seed */
	uint32_t loss, duplicate, crash, persist_fails, stale, jump, instance_crash, commands,
		guard, outage, verdict_bad, inconclusive, newer, freeze, lease, away;
	bool supersede, lazy_commit;
	enum strategy_kind kind;
	uint32_t actions;

	enum quality quality[SIM_RELEASES];
	struct strategy_settings settings;

	/* the world */
	struct instance instance[SIM_RELEASES][SIM_PROCESSES][SIM_SLOTS];
	struct set_document set_applied[SIM_RELEASES];
	struct traffic_document route_applied;
	bool router_away; /* it serves on, and hears and says nothing */
	struct release_id route_slots[ENVIRONMENT_SETS_MAX];
	struct message messages[SIM_MESSAGES];
	uint32_t message_count;

	/* the controller: what it holds in memory, and what it has committed */
	struct store memory, disk;
	struct question questions[SIM_QUESTIONS];
	struct router_report router_report;
	struct set_report set_report[SIM_RELEASES];
	uint64_t serial;
	struct rollout_event old_observation;
	bool old_there;
	struct rollout_seen old_seen;

	struct oracle oracle;
	uint64_t hash; /* of everything that was committed */
};

struct sim_totals {
	uint64_t seeds, failed, steps, crashes, succeeded, reverted, rejected, actions;
	uint64_t cell[ROLLOUT_STATUS_COUNT][EVENT_COUNT];
	uint64_t op[STRATEGY_KIND_COUNT + 3][PLAN_OP_COUNT]; /* then: mix, way back, rollback */
	uint64_t reason[REASON_COUNT], answer[ANSWER_COUNT], effect[EFFECT_COUNT];
	uint64_t first_failed;
};
enum { ROW_MIX = STRATEGY_KIND_COUNT, ROW_BACK, ROW_ROLLBACK };

extern struct sim_totals totals;

/* random.c-like helpers, in main.c */
uint64_t sim_next(struct sim_random *random);
uint32_t sim_below(struct sim *s, uint32_t limit);
bool sim_chance(struct sim *s, uint32_t percent);
void sim_fail(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_say(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct release_id sim_release_id(uint8_t release);
uint8_t sim_release_index(const struct release_id *id); /* 0xff: none */

/* world.c */
void world_receive(struct sim *s, const struct message *message);
void world_send(struct sim *s, const struct message *message);
void world_act(struct sim *s);    /* one random thing happens to one instance */
void world_settle(struct sim *s); /* phase 2: everything that can happen, happens well */
void world_decide(struct sim *s, uint8_t release, uint32_t actions_max);
void world_age(struct sim *s, uint64_t elapsed_ms);
void world_report_router(struct sim *s);
void world_report_set(struct sim *s, uint8_t release);
bool world_empty(const struct sim *s, uint8_t release);
uint32_t world_ready(const struct sim *s, uint8_t release, uint32_t process);

/* shell.c */
void shell_deliver(struct sim *s, const struct rollout_event *event);
void shell_crash(struct sim *s);
void shell_submit(struct sim *s, uint8_t release, bool rollback);
void shell_pump(struct sim *s); /* start what is queued when the environment is free */
void shell_observe(struct sim *s);
void shell_answer(struct sim *s, uint32_t question, bool well);
struct rollout_seen shell_seen(const struct sim *s);

/* oracle.c */
void oracle_committed(struct sim *s, const struct store *before, const struct store *after,
		      const struct rollout_event *event, const struct rollout_effects *fx);
void oracle_unchanged(struct sim *s, const struct store *before, const struct rollout_event *event,
		      const struct rollout_effects *fx);
void oracle_delivered(struct sim *s, const struct store *before, const struct rollout_event *event);
void oracle_stopping(struct sim *s, uint8_t release, uint32_t process, uint32_t slot);
void oracle_world(struct sim *s);
void oracle_report(struct sim *s, uint8_t release, const struct fleet_tally *tally);
void oracle_rest(struct sim *s); /* after phase 2 */

/* coverage.c */
void coverage_add(const struct sim *s, const struct rollout_event *event,
		  const struct rollout_effects *fx);
uint32_t coverage_print(bool strict); /* number of reachable cells that stayed empty */

#endif
