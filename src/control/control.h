/* SPDX-License-Identifier: Apache-2.0
 *
 * control - the shell around the pure cores: it runs rollouts.
 *
 * WHAT  One object that owns every environment: it takes an event, lets the core decide, commits, and
 *       only then acts. Everything that changes something goes through here and is audited.
 *
 * HOW   control_new(), then control_start() (restores what the store says, then reconciles with the
 *       world), then the loop calls back through `env` timers and the providers' notifications.
 *       Commands and reads are plain calls; a command has been committed when it returns 0.
 *
 * OWNS  The caller owns all that `struct control_parts` names, for as long as the control lives.
 *       Views are filled in caller's storage and stay valid; they hold no pointers.
 *
 * TIME  From `env`: monotonic for decisions, wall clock for people.
 *
 * ERRORS NOT_FOUND no such environment, release or rollout · CONFLICT what the sender saw has moved, or
 *       the state does not allow it · INVALID the request makes no sense · NO_SPACE, DENIED, CORRUPT,
 *       INTERNAL the store could not commit: nothing was changed and nothing was done. On a full disk abort
 *       and rollback are committed from the store's reserve.
 *
 * SEE   view.h (what is shown), docs/reference/api.md (the same over HTTP), tests/unit/control.
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/env.h"
#include "base/err.h"
#include "base/preview_token.h"

struct artifact_store;
struct builds;
struct certificates;
struct server;
struct check_runner;
struct control;
struct history;
struct host;
struct metrics;
struct plans;
struct postmortems;
struct router;
struct runtime;
struct scan_job;
struct scan_verdict;
struct store;
struct tag_pusher;
struct ticks;
struct seal_key;

enum {
	CONTROL_TAG_SIZE = 65,
	CONTROL_KEY_SIZE = 96, /* "app/environment" */
	CONTROL_WHO_SIZE = 65,
	CONTROL_REASON_SIZE = 257,
	CONTROL_ENVIRONMENT_MAX = 64,
	CONTROL_URL_SIZE = 300,
	CONTROL_LINK_SIZE = 1536,
	CONTROL_KPI_MOST = 1000000,
};

struct control_parts {
	struct env *env;
	struct store *store;
	struct runtime *runtime;
	struct router *router;
	struct artifact_store *artifacts;
	struct check_runner *checks;
	struct ticks *ticks;             /* NULL: what the judge is fed with is not kept */
	struct postmortems *postmortems; /* NULL: none is drafted */
	struct plans *plans;             /* NULL: no infrastructure is changed from here */
	struct builds *builds;           /* NULL: commits are not built here */
	/* Scans of builds that were made elsewhere; see provider/scan_job.h. NULL: none is taken. */
	int (*judge_scan)(const struct scan_job *job, struct scan_verdict *ret_verdict,
			  struct error *err);
	struct history *history;           /* NULL: nothing is known of repositories */
	struct tag_pusher *tag_pusher;     /* NULL: tags go to no repository elsewhere */
	struct certificates *certificates; /* NULL: files are not looked at, and none is ordered */
	struct host *host;                 /* NULL: hosts of repositories are told nothing */
	struct metrics *metrics;           /* NULL: instances are not asked for what they count */
	/* Runs `work` beside the loop, then `done` in it, both with `job`; NULL: everything in the loop. */
	void (*background)(void *context, void (*work)(void *job), void (*done)(void *job),
			   void *job);
	void *background_context;
	/* The server's own file as it is now; NULL: there is none. Both may be NULL. */
	const struct server *(*server)(void *context);
	void *server_context;
	/* Seconds east of UTC in a time zone at an instant; see os/zone.h. */
	int (*zone_offset)(const char *name, int64_t unix_s, int32_t *ret_offset_s,
			   struct error *err);
	/* The key that secrets are sealed with; `make`: one is made where there is none. NULL: no secrets here. */
	int (*secret_key)(void *context, bool make, struct seal_key *ret_key, struct error *err);
	void *secret_key_context;
};

/* Who asks, as the audit log shows it, and the id that makes a repeated request harmless ("" = none). */
struct control_caller {
	char who[CONTROL_WHO_SIZE];
	char request_id[CONTROL_WHO_SIZE];
};

/* What the sender of a command saw; any = true skips the comparison. */
struct control_expect {
	bool any;
	char state[24];
	uint32_t step;
	uint32_t attempt;
};

#define CONTROL_PREVIEW_LEAST_MS 1000ull
#define CONTROL_PREVIEW_MOST_MS  (30 * 24 * 3600 * 1000ull)

/* The largest sum that a KPI may be sent. */
#define CONTROL_KPI_SUM_MOST 1e15

enum control_verb { CONTROL_PROMOTE, CONTROL_PAUSE, CONTROL_RESUME, CONTROL_ABORT };

struct control_deploy {
	char release[DIGEST_HEX_SIZE]; /* id, its beginning, or a tag */
	char strategy[48];             /* "" = the environment's */
	char reason[CONTROL_REASON_SIZE];
	bool allow_bad;
	bool offered;   /* by davit itself, from the environment before */
	uint32_t fixes; /* the rollout of the same environment that it repairs; 0: none */
};

enum control_answer_verdict { CONTROL_ANSWER_YES, CONTROL_ANSWER_NO, CONTROL_ANSWER_EMERGENCY };

/* What a person says of a rollout that waits. */
struct control_answer {
	enum control_answer_verdict verdict;
	char hash[DIGEST_HEX_SIZE]; /* of what was seen; "" = whatever waits */
	char reason[CONTROL_REASON_SIZE];
	bool guest; /* nobody who runs the server: he has to be named */
};

/* Counts of a KPI of davit.yaml since the last ones, from a person or a job. */
struct control_kpi {
	char release[DIGEST_HEX_SIZE]; /* id, its beginning (8 or more), or a tag */
	char name[CONTROL_WHO_SIZE];
	uint64_t count; /* at most CONTROL_KPI_MOST, as `of` */
	bool has_of, has_sum;
	uint64_t of; /* of a share what it is of, of a rate the requests */
	double sum;  /* of a mean: finite */
};

/* A release as it arrives: the artifact is imported already, the configuration is text. */
struct control_release {
	const char *config_text;            /* davit.yaml, NUL-terminated */
	const char *config_name;            /* for messages: "davit.yaml" */
	char environment[CONTROL_KEY_SIZE]; /* "": it belongs to none yet */
	const char *app;                    /* whose it has to be; NULL or "": anybody's */
	const char *source;                 /* where it comes from, for people; NULL: nowhere */
	char tag[CONTROL_TAG_SIZE];         /* "" = davit names it: the next patch */
	struct digest artifact;
	uint64_t size_bytes;
	uint32_t files;
};

struct control *control_new(const struct control_parts *parts);
MUST_CHECK int control_start(struct control *c, struct error *err);
/* Stop every instance of every environment, without forgetting what shall run; `done` is called when
 * nothing is left. For `davit up`, at Ctrl-C. */
void control_stop_instances(struct control *c, void (*done)(void *context), void *context);
void control_free(struct control *c);

/* Why nothing but going back is done just now (the store cannot commit), or "". */
const char *control_degraded(const struct control *c);

/* Register a release; the same artifact and configuration again is the same release. `ret_key` is
 * "app/environment". */
MUST_CHECK int control_add_release(struct control *c, const struct control_caller *caller,
				   const struct control_release *release,
				   char ret_id[DIGEST_HEX_SIZE], bool *ret_existed,
				   struct error *err);
MUST_CHECK int control_mark_release(struct control *c, const struct control_caller *caller,
				    const char *release, const char *environment, bool bad,
				    const char *reason, struct error *err);

MUST_CHECK int control_deploy(struct control *c, const struct control_caller *caller,
			      const char *environment, const struct control_deploy *deploy,
			      uint32_t *ret_rollout, struct error *err);
struct control_back {
	const char *to; /* a release, or "" for the last good one */
	const char *reason;
	bool across;    /* also to what was live before a point of no return (migrate.after) */
	bool only_good; /* not to one that is marked bad there, also where it is named */
};

/* Back is where the environment was: what was never live there is deployed (ERR_CONFLICT), for a way back asks nobody.
 * ERR_DENIED: a point of no return lies between, and `across` was not said. */
MUST_CHECK int control_rollback(struct control *c, const struct control_caller *caller,
				const char *environment, const struct control_back *back,
				uint32_t *ret_rollout, struct error *err);
MUST_CHECK int control_restart(struct control *c, const struct control_caller *caller,
			       const char *environment, const char *reason, uint32_t *ret_rollout,
			       struct error *err);
/* Whom an environment lets in, previews aside; the same again changes nothing. */
enum control_access {
	CONTROL_OPEN,
	CONTROL_MAINTENANCE, /* nobody: 503 with a page */
	CONTROL_READ_ONLY    /* what may change something is answered 503 */
};
MUST_CHECK int control_maintenance(struct control *c, const struct control_caller *caller,
				   const char *environment, enum control_access access,
				   const char *reason, struct error *err);
/* `ret_counted` is false while no rollout is judged: then nobody wants to know. The same request id twice is counted
 * once, within the last 256 of the environment. */
MUST_CHECK int control_kpi(struct control *c, const struct control_caller *caller,
			   const char *environment, const struct control_kpi *kpi,
			   bool *ret_counted, struct error *err);
/* Answer for a rollout that waits in GATED. The caller's `who` is a local user or a key that was verified. The same
 * again changes nothing. ERR_DENIED: not theirs to say; ERR_CONFLICT: it does not wait, or is not what was seen. */
MUST_CHECK int control_answer(struct control *c, const struct control_caller *caller,
			      const char *rollout, const struct control_answer *answer,
			      struct error *err);
/* `until_unix_ms` 0: until it is lifted. A rollback ignores a freeze. */
MUST_CHECK int control_freeze(struct control *c, const struct control_caller *caller,
			      const char *environment, bool on, uint64_t until_unix_ms,
			      const char *reason, struct error *err);
/* Whoever has `token` sees the release that goes out before its users do, until it ends or the release is no longer the
 * one. ERR_CONFLICT: none can be seen just now. The token is not kept; the audit log says that there is one. */
struct control_preview {
	char key[CONTROL_KEY_SIZE];
	char release[DIGEST_HEX_SIZE];
	char tag[CONTROL_TAG_SIZE];
	char token[PREVIEW_TOKEN_SIZE];
	char url[CONTROL_URL_SIZE];   /* of the environment: "https://shop.example.com/" */
	char link[CONTROL_LINK_SIZE]; /* there, with the token, for a browser; "" where url is */
	uint64_t expires_unix_ms;
};

MUST_CHECK int control_preview(struct control *c, const struct control_caller *caller,
			       const char *environment, uint64_t for_ms,
			       struct control_preview *ret_preview, struct error *err);

/* `rollout` is a number or an environment. */
MUST_CHECK int control_command(struct control *c, const struct control_caller *caller,
			       const char *rollout, enum control_verb verb, const char *reason,
			       const struct control_expect *expect, struct error *err);

/* Be told of every change of a rollout (and of progress, once a second). One subscriber. */
void control_subscribe(struct control *c, void (*changed)(void *context, uint32_t rollout),
		       void *context);

#endif
