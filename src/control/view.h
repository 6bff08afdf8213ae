/* SPDX-License-Identifier: Apache-2.0
 *
 * view - what people and programs are shown of the control: plain structs, copied, without pointers.
 *
 * WHAT  The answer to "what is live, what moves, why, and what next". docs/reference/api.md names every
 *       field as it appears in JSON; the names here are the same.
 *
 * OWNS  The caller's storage; a rollout's view is large: keep it on the heap.
 * UNITS Times *_unix_ms, durations *_ms, shares *_bp, latencies *_us.
 */
#ifndef CONTROL_VIEW_H
#define CONTROL_VIEW_H

#include "base/buf.h"
#include "control/control.h"
#include "control/view_certificate.h"
#include "control/view_drift.h"
#include "control/view_forecast.h"
#include "control/view_gate.h"
#include "control/view_way_back.h"
#include "provider/ticks.h"

enum {
	VIEW_TEXT_SIZE = 400,
	VIEW_SAID_SIZE = 1025,
	VIEW_STEPS_MAX = 128,
	VIEW_EVIDENCE_MAX = 64,
	VIEW_HISTORY_MAX = 128,
	VIEW_INSTANCES_MAX = 256,
	VIEW_CLASSES_MAX = 8,
	VIEW_LOG_LINES = 20,
	VIEW_WORD_SIZE = 48,
	VIEW_NAME_SIZE = 96,
	VIEW_METRICS_MAX = 18,
	VIEW_MEANS_MAX = 10,
	VIEW_JUDGED_MAX = 32,
};

#define VIEW_ODDS_MAX 1e12

struct view_release {
	char release[DIGEST_HEX_SIZE]; /* "" = none */
	char tag[CONTROL_TAG_SIZE];
	uint64_t since_unix_ms;
	char by[CONTROL_WHO_SIZE];
	uint32_t weight_bp;
	uint64_t left_ms; /* warm: for so long still */
};

struct view_traffic {
	uint64_t requests;
	uint64_t errors;
	uint32_t share_bp; /* measured, of the requests since the rollout began */
	uint64_t p50_us;
	uint64_t p99_us;
	uint64_t in_flight;
};

/* Of all releases together; "" = the requests that no class names. */
struct view_class {
	char name[VIEW_WORD_SIZE];
	uint64_t requests;
	uint64_t errors;
	uint64_t repeated;   /* of the errors: a client's blind second tries */
	uint64_t overloaded; /* of the errors: found no place to wait, or waited for too long */
	uint64_t in_flight;
};

struct view_instance {
	char id[96];
	char process[VIEW_WORD_SIZE];
	uint32_t slot;
	char release[DIGEST_HEX_SIZE];
	char tag[CONTROL_TAG_SIZE];
	char state[VIEW_WORD_SIZE];
	int32_t pid;
	char address[128];
	uint32_t restarts;
	uint64_t log_errors; /* link/instance.h */
	uint64_t ready_ms;   /* for how long it has been ready; 0 = it is not */
	char probe[256];
	uint64_t requests; /* answered, or given up, of those that were tried there last */
	uint64_t errors;
	uint64_t in_flight;
	bool log_only; /* a command of a plan that has ended: there for its log */
};

struct view_environment {
	char app[VIEW_WORD_SIZE];
	char name[VIEW_WORD_SIZE];
	char listen[128];
	char host[256];
	char state[VIEW_WORD_SIZE];
	struct view_release live, candidate, warm;
	uint32_t rollout; /* 0 = none is under way */
	char rollout_state[VIEW_WORD_SIZE];
	uint32_t rollout_step, rollout_steps;
	char rollout_label[VIEW_WORD_SIZE];
	bool production; /* by the live release's configuration */
	bool maintenance, read_only;
	bool applied;                 /* the gateway serves what the document says */
	char trouble[VIEW_TEXT_SIZE]; /* what davit wants to do here and cannot; "" = nothing */
	struct view_freeze freeze;
	struct view_drift drift;
	struct view_certificate certificate;
	struct view_traffic traffic;
	uint32_t class_count; /* 0 = nothing is known of its traffic */
	struct view_class classes[VIEW_CLASSES_MAX];
	uint32_t instance_count;
	struct view_instance instances[VIEW_INSTANCES_MAX];
};

struct view_step {
	char op[VIEW_WORD_SIZE];
	char label[VIEW_WORD_SIZE];
	char text[VIEW_TEXT_SIZE];
	char state[VIEW_WORD_SIZE]; /* done active waiting failed skipped; "" in a plan */
	uint64_t for_ms;
	uint64_t at_most_ms;
	uint64_t expected_ms; /* in a plan: what a good release needs; 0 = nothing is foreseen */
	uint32_t weight_bp;
};

/* What both releases did in one HOLD. */
struct view_numbers {
	bool known;
	uint64_t held_ms;
	double odds, fine; /* of the judge when this was counted; 0 = no statistics */
	struct view_traffic new_traffic, old_traffic; /* since the step's analysis began */
};

struct view_evidence {
	struct view_numbers numbers;
	uint32_t step, attempt;
	char verdict[VIEW_WORD_SIZE];
	char text[VIEW_TEXT_SIZE];
	char said[VIEW_SAID_SIZE]; /* the last lines of a command that failed; "" = none */
	uint64_t at_unix_ms;
};

/* Events among requests, of both releases. */
struct view_counts {
	uint64_t new_events, new_requests;
	uint64_t live_events, live_requests;
};

struct view_metric {
	char name[VIEW_WORD_SIZE];          /* "errors", "p99" */
	char tolerance[VIEW_WORD_SIZE * 2]; /* in words: what is not held against it */
	bool gates;                         /* a step passes only when it is shown to be fine */
	struct view_counts counts;          /* since the new release had its first request */
	double expected; /* events of the new release, had it the live one's share; -1 = not known */
	double evidence;  /* odds against the release by this metric alone */
	double fine;      /* odds that it is fine; 0: not asked */
	double share;     /* of all that is said against the release, 0..1 */
	double phi;       /* events come in clusters of about this size; 1 = one by one */
	uint64_t edge_us; /* of a latency: slower than this is an event; 0 = none */
};

/* A mean of both releases, as a sentence. */
struct view_mean {
	char name[VIEW_WORD_SIZE]; /* "cpu" */
	char text
		[VIEW_TEXT_SIZE]; /* "cpu: 1.9 ms per request of the new release, 1.2 ms of the live one" */
	double evidence, share; /* as of a metric */
};

/* Of the requests that were divided by weight, under the weight of now. */
struct view_division {
	bool known, off; /* off: nothing passes */
	uint32_t weight_bp;
	uint64_t new_requests, requests; /* the new release completed; both did */
	double odds;                     /* that they are not divided as promised */
	double phi;
	char text[VIEW_TEXT_SIZE]; /* the sentence, where it is off */
};

struct view_part {
	char name[VIEW_NAME_SIZE]; /* of a class ("" = what none names), or of an instance */
	struct view_counts counts; /* an instance has no `live` ones */
};

/* Between which bounds, whenever one looks; high_us UINT64_MAX: there is none yet. */
struct view_band {
	uint64_t low_us, high_us;
};

/* What the statistics say of a rollout. Odds are capped at VIEW_ODDS_MAX. */
struct view_judge {
	bool known; /* false: it is not judged by statistics, and nothing else here is filled */
	double odds, fine;  /* that it is worse; that it is fine */
	double alpha, beta; /* it fails at odds of 1/alpha, a step passes at 1/beta */
	uint32_t passed_bp; /* how far it is on the way to a pass */
	bool live_troubled; /* the live release is no measure just now */
	struct view_division division;
	uint32_t metric_count;
	struct view_metric metrics[VIEW_METRICS_MAX]; /* what says most against it first */
	uint32_t mean_count;
	struct view_mean means[VIEW_MEANS_MAX]; /* those of which a batch has ended */
	bool ratio_known; /* errors: how many times the live release's share, 95 % */
	double ratio_low, ratio, ratio_high;
	struct view_band new_p50, new_p99, live_p50, live_p99; /* 95 % */
	uint32_t class_count;
	struct view_part classes[VIEW_CLASSES_MAX]; /* metrics[0] by route class */
	uint32_t instance_count;
	struct view_part instances[VIEW_JUDGED_MAX]; /* of the new release, most errors first */
	uint64_t
		more_requests; /* of the new release until a decision, estimated; 0 = cannot be said */
	uint64_t more_ms;      /* the same at this traffic */
};

struct view_transition {
	uint32_t seq;
	uint64_t at_unix_ms;
	char from[VIEW_WORD_SIZE], to[VIEW_WORD_SIZE];
	char text[VIEW_TEXT_SIZE];
};

struct view_rollout {
	uint32_t number;
	char app[VIEW_WORD_SIZE], environment[VIEW_WORD_SIZE];
	char kind[VIEW_WORD_SIZE], strategy[VIEW_WORD_SIZE], state[VIEW_WORD_SIZE];
	char reason[VIEW_TEXT_SIZE];
	char by[CONTROL_WHO_SIZE];
	bool ended;
	uint32_t exit_code;
	struct view_release new_release, old_release;
	uint64_t started_unix_ms, ended_unix_ms, elapsed_ms;
	uint32_t step, attempt, step_count; /* step: index into `steps` */
	uint32_t plan_step; /* the running plan's own cursor: what a command expects */
	char suspect[96];   /* the instance whose log is worth reading, or "" */
	struct view_step steps[VIEW_STEPS_MAX];
	struct view_traffic new_traffic, old_traffic;
	uint32_t weight_bp; /* of the new release, as served */
	uint32_t new_ready, new_want, old_ready, old_want;
	uint64_t hold_for_ms, hold_held_ms, hold_at_most_ms;
	uint64_t hold_requests, hold_at_least_requests;
	bool hold_judged; /* its end waits for the statistics */
	struct view_numbers hold_numbers;
	struct view_gate gate;
	struct view_infrastructure infrastructure;
	struct view_git_tag git_tag;
	struct view_judge judge; /* of a rollout that has turned back: when it did */
	uint32_t evidence_count;
	struct view_evidence evidence[VIEW_EVIDENCE_MAX];
	uint32_t history_count;
	struct view_transition history[VIEW_HISTORY_MAX];
	uint64_t
		verdict_to_zero_ms; /* from the verdict to weight 0 in every worker; 0 = it did not come to that */
	struct view_way_back way_back;
	uint32_t log_line_count;
	char log_tail[VIEW_LOG_LINES][VIEW_TEXT_SIZE];
	char serving[CONTROL_TAG_SIZE];
	char why[2 * VIEW_TEXT_SIZE];
	char next[VIEW_TEXT_SIZE]; /* the command to type */
};

struct view_plan {
	char app[VIEW_WORD_SIZE], environment[VIEW_WORD_SIZE], strategy[VIEW_WORD_SIZE];
	char hash[DIGEST_HEX_SIZE];
	struct view_release new_release, old_release;
	uint32_t step_count;
	struct view_step steps[VIEW_STEPS_MAX];
	uint64_t least_ms, most_ms;
	uint64_t exposed_requests; /* in the least time */
	struct view_forecast forecast;
	uint32_t note_count;
	char notes[8][VIEW_TEXT_SIZE];
};

/* The environments, in order of application and name; `environment` NULL = all. ERR_NOT_FOUND. */
MUST_CHECK int control_view_environments(struct control *c, const char *environment,
					 void (*visit)(void *context,
						       const struct view_environment *e),
					 void *context, struct error *err);
/* `rollout` is a number or an environment (its current rollout, else its last). */
MUST_CHECK int control_view_rollout(struct control *c, const char *rollout,
				    struct view_rollout *ret_view, struct error *err);
MUST_CHECK int control_view_number(struct control *c, uint32_t number,
				   struct view_rollout *ret_view, struct error *err);
/* What a rollout was judged by, line by line (provider/ticks.h); the lines are control/tick_text.h's. */
MUST_CHECK int control_read_ticks(struct control *c, uint32_t number, uint64_t *at,
				  ticks_visit visit, void *context, struct error *err);
/* `for_errors_bp`: propose steps that catch a release of which such a share fails; 0 = do not. */
MUST_CHECK int control_view_plan(struct control *c, const char *environment, const char *release,
				 const char *strategy, uint32_t for_errors_bp,
				 struct view_plan *ret_view, struct error *err);
void view_add_note(struct view_plan *view, const char *text);

/* "shop/prod" of what a person wrote: `prod`, or `shop/prod`. ERR_NOT_FOUND with a suggestion, ERR_CONFLICT
 * when several applications have one of that name. */
MUST_CHECK int control_resolve_environment(struct control *c, const char *text,
					   char ret_key[CONTROL_KEY_SIZE], struct error *err);

/* The resolved configuration of the live release, JSON. ERR_NOT_FOUND when nothing is live. */
MUST_CHECK int control_live_config(struct control *c, const char *environment, struct buf *ret_json,
				   struct error *err);

#endif
