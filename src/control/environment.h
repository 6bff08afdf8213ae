/* SPDX-License-Identifier: Apache-2.0
 *
 * environment - what the files of control/ share: the control, its environments, their rollouts.
 *
 * WHAT  struct control owns environments; an environment owns the core's state, the releases that have a
 *       slot in it, the rollout that holds it and those that wait.
 *
 * HOW   By file: turn.c is the only one that changes core state, and it commits first (commit.c). effects.c carries
 *       out what a turn decided. instances.c makes the fleet obey the set documents, routing.c sends the
 *       router document, observe.c turns what they report into observations, measuring.c and analysis.c turn counts into
 *       evidence, migration.c runs the commands of a plan, hook.c says which. commands.c is what people ask for; control.c is the clock and the start; views are in
 *       view.c.
 *
 * OWNS  Everything here is the control's, on the heap, freed by control_free().
 */
#ifndef CONTROL_ENVIRONMENT_H
#define CONTROL_ENVIRONMENT_H

#include "base/log_limit.h"
#include "control/analysis.h"
#include "control/gating.h"
#include "control/judging.h"
#include "control/kayenta_judging.h"
#include "control/measuring.h"
#include "control/releases.h"
#include "provider/check.h"
#include "rollout/rollout.h"
#include "store/store.h"

enum {
	CONTROL_KIND_SIZE = 16,
	CONTROL_QUEUE_MAX = 16,
	CONTROL_TICK_MS = 100,
	CONTROL_PERSIST_MS = 2000,       /* time that only added up is committed this often */
	CONTROL_PERSIST_IDLE_MS = 30000, /* and where nothing moves */
	CONTROL_OBSERVE_IDLE_MS =
		1000, /* an environment where nothing moves is looked at this often */
	SENTENCE_SIZE = 512,
	DRAINS_MAX = 256,
};

/* A rollout that has not ended. */
struct active_rollout {
	uint32_t number;
	struct rollout state;
	struct plan plan;
	struct release_info candidate;
	char kind[CONTROL_KIND_SIZE]; /* deploy rollback restart */
	char strategy[CONTROL_NAME_SIZE];
	char by[CONTROL_WHO_SIZE];
	char reason[CONTROL_REASON_SIZE];
	char old_hex[DIGEST_HEX_SIZE];
	char sentence[SENTENCE_SIZE]; /* the last thing that decided */
	uint64_t created_unix_ms, started_unix_ms;
	uint32_t transition_seq;
	uint64_t
		verdict_at_ms; /* monotonic: when it was decided to go back; 0 = not, or measured */
	int64_t verdict_to_zero_ms;
	bool exposed; /* a share of the users' requests was given to it */
	/* Whoever asked for it knows of the mark; not kept over a restart: then it is asked for again. */
	bool allow_bad;
	uint32_t fixes; /* until it is submitted: the rollout that it repairs; 0: none */
};

/* Since when a surplus instance has been out of every worker's table. */
struct drain_clock {
	char id[INSTANCE_ID_SIZE];
	uint64_t since_ms;
};

struct environment {
	struct control *control;
	char app[CONTROL_NAME_SIZE];
	char name[CONTROL_NAME_SIZE];
	char key[CONTROL_KEY_SIZE];
	struct process_names processes;
	uint8_t salt[ROUTER_KEY_SIZE], sign_key[ROUTER_KEY_SIZE], mirror_salt[ROUTER_KEY_SIZE];
	uint64_t
		config_revision; /* of the router document beneath the core's version; see routing.c */

	struct environment_state core; /* as committed */
	struct release_info releases[ENVIRONMENT_SETS_MAX];
	struct active_rollout *active;
	struct active_rollout *queue[CONTROL_QUEUE_MAX];
	uint32_t queue_count;

	uint64_t ticked_ms;
	uint64_t persisted_ms;

	struct version
		asserted[ENVIRONMENT_SETS_MAX]; /* set document that every instance was told */
	/* Why the runtime last refused what the set document wants; "" = it did not. */
	char refused[ENVIRONMENT_SETS_MAX][SENTENCE_SIZE];
	/* The set document that it refused for a reason that waiting does not change. */
	struct version refused_for_good[ENVIRONMENT_SETS_MAX];
	/* An instance that is to be replaced; "" = none. The next one of that name becomes ready later. */
	char sick[INSTANCE_ID_SIZE];
	uint64_t sick_ms;
	bool replacing[ENVIRONMENT_SETS_MAX]; /* from then on until the next one is ready */
	uint32_t drain_count;
	struct drain_clock drains[DRAINS_MAX];

	struct router_document *sent; /* the last document sent; NULL = none since the start */
	bool routing;                 /* an apply or a forget is under way */
	bool route_again;             /* something changed meanwhile */
	bool unrouted;                /* the router has confirmed that it knows nothing of it */
	bool route_failed;
	uint64_t route_failed_ms, route_sent_ms;
	char route_error[SENTENCE_SIZE];
	struct router_observation *seen; /* the latest, on the heap for its size */
	bool seen_valid;
	bool route_unseen; /* a document was sent, and no look has begun since its answer */
	bool look_follows; /* the look under way began when no document was under way */
	bool observing, observe_again;
	bool look_due;         /* without a router: at the next tick */
	uint32_t look_attempt; /* the rollout's attempt when the look was asked for */
	uint64_t observed_ms;
	uint64_t serial;
	uint64_t requests_per_s; /* lately, for plans */
	uint64_t rate_requests, rate_at_ms;

	struct gating_freeze freeze;
	uint64_t gated_ms; /* when freeze and gate were last looked at; 0 = never */

	struct analysis analysis;
	struct judging *judging;         /* NULL until it is first looked at */
	struct kayenta_judging *kayenta; /* NULL: the latest rollout has another judge */
	struct measuring *measuring;     /* NULL until it is first looked at */
	struct comparing *comparing;     /* NULL: no rollout with a shadow yet */
	/* A command of a plan of which nobody saw how it ended, and how often that was so. */
	char migration_lost_id[INSTANCE_ID_SIZE];
	uint32_t migration_lost;
	struct drifting *drifting;       /* NULL until it is first looked at */
	struct certificate *certificate; /* certificates.c's; the same */
	uint32_t
		draft; /* rollout that has ended, and whose post-mortem is to be drafted; 0 = none */
};

struct compared;
struct comparing_job;

struct control {
	struct control_parts parts;
	uint64_t epoch;
	uint32_t environment_count;
	struct environment *environments[CONTROL_ENVIRONMENT_MAX];
	struct env_timer tick;
	bool started;
	bool collecting;
	bool offers_due;
	struct job *jobs;                /* background.c's */
	struct store_build *building;    /* builds.c's: what is under way, or NULL */
	struct build_job *build_job;     /* build_release.c's */
	struct log_job *log_job;         /* build_logs.c's */
	uint64_t build_due_ms;           /* when the next one is looked for */
	struct commits_job *commits_job; /* commits.c's */
	uint64_t commits_due_ms;
	struct tag_job *tag_job; /* tagging.c's */
	uint64_t tag_due_ms;
	uint32_t tag_tries;
	struct tag_push_job *tag_push_job; /* tag_pushing.c's */
	uint64_t tag_push_due_ms;
	struct drift_job *drift_job; /* drifting.c's */
	struct certificate_job *certificate_job;
	struct report_job *report_job; /* reports.c's */
	uint64_t report_due_ms;
	struct postmortem_job *postmortem_jobs;
	struct log_limit refusals;                 /* roles.c's, in the audit log */
	struct compared *compared, **compared_end; /* comparing.c's: pairs that wait */
	uint32_t compared_count;
	struct comparing_job *comparing_job;
	bool stopping;
	void (*stopped)(void *context);
	void *stopped_context;
	/* The last commit failed, or the next ordinary one would: nothing but going back is done until then. */
	bool degraded;
	uint64_t degraded_ms;
	char degraded_text[SENTENCE_SIZE];
	void (*changed)(void *context, uint32_t rollout);
	void *changed_context;
};

/* What a turn writes beside the core's own state. */
struct turn_note {
	const struct control_caller *caller; /* NULL: davit itself */
	const char *action; /* audit: "deploy", "abort", … or NULL: only state changes */
	const char *reason;
	const char *sentence; /* evidence in words */
	const char *verdict;  /* with EVENT_EVIDENCE */
	const char *source;   /* "judge", "check" */
	const char *said;     /* with evidence: the last lines of a command; NULL or "": none */
	const struct digest
		*request; /* of a command: its answer is remembered under the caller's request id */
};

/* --- turn.c */

/* Feed one event to the rollout `r` (NULL: to the environment at rest), commit, act. `ret_answer` (or
 * NULL) is what a person is told. A failed commit changes nothing and does nothing. */
MUST_CHECK int environment_turn(struct environment *e, struct active_rollout *r,
				const struct rollout_event *event, const struct turn_note *note,
				enum rollout_answer *ret_answer, struct error *err);
/* The same for events of davit itself: a failure marks the control degraded. */
void environment_event(struct environment *e, const struct rollout_event *event,
		       const struct turn_note *note);
/* Write the environment's row with the core's state `state`; between control_begin() and control_commit(). */
void environment_put(struct environment *e, const struct environment_state *state);

/* Describe the releases that have a slot now. */
void environment_follow_slots(struct environment *e);

/* --- commit.c: every transaction of control/ goes through here, so that one place knows how the store is.
 *	do { control_begin(c, urgent); ...; result = control_commit(c, err); }
 *	while (control_again(c, urgent, result));
 * One that is not urgent needs no loop. */
void control_begin(struct control *c, bool urgent);
MUST_CHECK int control_commit(struct control *c, struct error *err);
/* True: it failed for lack of space, and the store has given up its reserve for it. */
bool control_again(struct control *c, bool urgent, int result);
/* Is a rollout of this kind urgent from its first row on? */
bool control_kind_urgent(const char *kind);
/* The store cannot commit, for this reason; said in the log once. */
void control_degrade(struct control *c, const struct error *why);

/* --- effects.c */
void effects_execute(struct environment *e, struct active_rollout *r,
		     const struct rollout_effects *effects);
/* Begin the next rollout in the queue, if the environment is free. */
void environment_start_next(struct environment *e);

/* --- instances.c */
void instances_assert(struct environment *e, uint8_t slot);
void instances_assert_all(struct environment *e);
uint32_t environment_process_index(const struct environment *e,
				   const char *name); /* or PROCESSES_MAX */
const char *instance_id_of(const struct environment *e, uint8_t slot, uint32_t process,
			   uint32_t number, char to[INSTANCE_ID_SIZE]);
bool instance_of(const struct environment *e, const struct instance_status *status);
uint8_t instance_slot(const struct environment *e, const struct instance_status *status);
/* No set document wants it. */
bool instance_surplus(const struct environment *e, const struct instance_status *status);
/* What the instance of the release that is worst off says of itself: "web 2: exited with status 3". */
bool instances_trouble(const struct environment *e, const char *release, char *to, size_t size);
/* Replace it: another one is started in its place when its requests have ended. */
void instances_replace(struct environment *e, const char *id);
/* What the instances of a set are, for the core. */
void instances_observe(struct environment *e, uint8_t slot, struct set_observation *to);

/* --- routing.c */
enum { ROUTING_PREVIEW_SIZE = 17 }; /* so much of a release's id, with the NUL */
void routing_send(struct environment *e);
bool routing_wanted(const struct environment *e);
/* Does the document that was sent last give requests to the rollout's candidate? */
bool routing_serves_candidate(const struct environment *e);
enum router_mode routing_mode(const struct environment *e); /* that the core's document asks for */
struct version routing_core_version(struct router_version applied);

/* --- observe.c */
void observe_request(struct environment *e);
void observe_unrouted(struct environment *e);

/* --- commands.c */
/* The environment that a person means: `prod`, or `shop/prod`. */
MUST_CHECK int environment_named(struct control *c, const char *text,
				 struct environment **ret_environment, struct error *err);
/* The rollout that a person means, by its number or by its environment. ERR_CONFLICT: nothing is under way. */
MUST_CHECK int control_find_rollout(struct control *c, const char *text,
				    struct environment **ret_environment,
				    struct active_rollout **ret_rollout, struct error *err);

/* --- control.c */
/* It is there, and in the store. */
MUST_CHECK int environment_ensure(struct control *c, const char *app, const char *name,
				  struct error *err);
struct environment *environment_find_key(struct control *c, const char *key);
struct environment *environment_add(struct control *c, const char *app, const char *name);
void control_changed(struct control *c, uint32_t rollout);
/* The world has documents of an epoch `known` that this store never wrote: write all of ours under a newer one. */
void control_outdo(struct control *c, uint64_t known);
const struct release_info *environment_release(const struct environment *e, uint8_t slot);
uint8_t environment_candidate_slot(const struct environment *e);
/* The release whose configuration counts for traffic: the live one, else the candidate, or NULL; and that configuration. */
const struct release_info *environment_traffic_release(const struct environment *e);
const struct resolved *environment_traffic_config(const struct environment *e);

#endif
