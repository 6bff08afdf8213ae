/* SPDX-License-Identifier: Apache-2.0
 *
 * check - the interface to what asks a release whether it works: smoke checks.
 *
 * WHAT  A check is a GET with what is expected of its answer, or a command. A run is a list of them
 *       against one address, one after the other; the first that fails ends it.
 *
 * HOW   check_start() returns at once; `done` is called exactly once, from the loop, never from within
 *       check_start(). check_cancel() is legal at any time before that; then `done` is not called.
 *       The value of a secret is asked for when the command that is given it is about to start, from the loop too.
 *
 * OWNS  Everything in a request is copied, but for the listener, which outlives the run.
 * TIME  Each check has its own bound.
 * ERRORS A check that cannot be made (no connection, no such command, no such secret) is a check that failed: the
 *       sentence says which and why. There is no third outcome.
 */
#ifndef PROVIDER_CHECK_H
#define PROVIDER_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	CHECK_MAX = 32,
	CHECK_TEXT_SIZE = 1025, /* with the NUL, as davit.yaml bounds it */
	CHECK_COMMAND_SIZE = 4096,
	CHECK_FILE_SIZE = 256,
	CHECK_BODY_MAX = 1 << 20,
	CHECK_RUNS_MAX = 64,
	CHECK_SECRETS_MAX = 8, /* of one command */
	CHECK_SECRET_MIN = 4,  /* bytes of a value: others cannot be masked in what it says */
	CHECK_SECRET_MAX = 4096,
	CHECK_NAME_SIZE = 121,
	CHECK_FROM_SIZE = 101,
	CHECK_LABEL_SIZE = 41,
	CHECK_SINCE_SIZE = 129,
	CHECK_WHY_SIZE = 257,
	CHECK_NOTE_SIZE = 400,
	CHECK_FINDINGS_MAX = 4 << 20,
	CHECK_CONDITIONS_MAX = 16,
	CHECK_CONDITION_NAME_SIZE = 121,
	CHECK_CONDITION_VALUE_SIZE = 257,
	CHECK_USER_SIZE = 33,
	CHECK_SAID_SIZE = 1025,
	CHECK_PROCESSES = 512 /* of one command and all that it starts */
};

/* What a command is given, and no request contains. */
struct check_secret {
	char name[CHECK_NAME_SIZE]; /* of the variable */
	char from[CHECK_FROM_SIZE]; /* "davit:prod/smoke" */
	bool file;   /* the variable has the path of a file in memory, not the value */
	bool pinned; /* the version that the release had first */
};

/* Something of an answer that has to be what is expected. */
struct check_condition {
	bool json; /* `name` is a way into the body (wire/json_path.h), else a field's name */
	char name[CHECK_CONDITION_NAME_SIZE];
	char value[CHECK_CONDITION_VALUE_SIZE];
};

struct check {
	char name[CHECK_LABEL_SIZE];    /* as davit.yaml calls what it is a part of */
	char path[CHECK_TEXT_SIZE];     /* GET this; or "" and then `command` */
	uint32_t expect_status;         /* 0 = any from 200 to 399 */
	char contains[CHECK_TEXT_SIZE]; /* "" = any body */
	char command
		[CHECK_COMMAND_SIZE]; /* run by /bin/sh; $URL is the address, $PREVIEW as below */
	uint64_t timeout_ms;
	uint64_t within_ms; /* of an answer; 0: no bound but the timeout */
	uint32_t condition_count;
	struct check_condition conditions[CHECK_CONDITIONS_MAX]; /* of an answer */
	/* Of a command that is a scan: it runs in an empty directory, $RELEASE has the release's files, and the report
	 * that it leaves there is judged. "" = it is none. */
	char sarif[CHECK_FILE_SIZE];
	char baseline[CHECK_FILE_SIZE]; /* of the release's files; "" = what check_base says */
	uint32_t scan;                  /* place among the scans of that name, from 0 */
	uint32_t block_at;              /* 0 low, 1 medium, 2 high, 3 critical */
	uint32_t secret_count;
	struct check_secret secrets[CHECK_SECRETS_MAX]; /* of a command */
};

/* As whom commands run, and what they may use: what an instance of the release is given. */
struct check_bounds {
	char user[CHECK_USER_SIZE]; /* "": davit's own */
	uint64_t memory_bytes;      /* 0: CHECK_MEMORY_BYTES; of the next two: no bound */
	uint32_t cpu_milli;
	uint32_t files;
};

#define CHECK_MEMORY_BYTES (UINT64_C(4) << 30)

struct check_request {
	char address[128];   /* "127.0.0.1:4001" */
	bool http2;          /* what is there speaks that, in clear and with prior knowledge */
	char host[256];      /* the Host field; "" = the address */
	char preview[72];    /* what X-Davit-Preview has to say at the environment's own address */
	char directory[512]; /* where commands run: the release's files */
	struct check_bounds bounds;
	uint32_t count;
	struct check checks[CHECK_MAX];
};

/* What a scan is compared with, where it names no baseline. */
struct check_base {
	bool there; /* `findings` are it, as scan/known.h writes them */
	char since
		[CHECK_SINCE_SIZE]; /* the release that they are of, for people; "": there is none, and */
	char unknown[CHECK_WHY_SIZE]; /* why, to go on after "for" */
	struct buf findings;
};

/* What became of the findings since then, and those of now to be kept. */
struct check_found {
	uint32_t fresh, known, fixed, waived, suppressed;
	char since[CHECK_SINCE_SIZE]; /* "": it was compared with nothing */
	char note[CHECK_NOTE_SIZE];   /* all of that, for people; "": it could not be judged */
	struct buf kept;
};

/* Who asked for a run. */
struct check_listener {
	/* Append the value. ERR_NOT_FOUND and others: the check has failed. */
	int (*secret)(void *context, const struct check_secret *secret, struct buf *ret_value,
		      struct error *err);
	/* What this scan is compared with; its `findings` are the runner's to free, in every case. Others than 0: the
	 * check has failed. */
	int (*base)(void *context, const struct check *check, struct check_base *ret_base,
		    struct error *err);
	/* A scan in which nothing stands in the way. */
	void (*found)(void *context, const struct check *check, const struct check_found *found);
	/* `said`: of a command that failed, its last lines, without its secrets; else "". */
	void (*done)(void *context, bool passed, const char *sentence, const char *said);
};

struct check_runner;

struct check_ops {
	/* ERR_LIMIT when CHECK_RUNS_MAX runs are under way. */
	int (*start)(struct check_runner *runner, const struct check_request *request,
		     const struct check_listener *listener, void *context, uint64_t *ret_run,
		     struct error *err);
	void (*cancel)(struct check_runner *runner, uint64_t run);
};

struct check_runner {
	const struct check_ops *ops;
};

#endif
