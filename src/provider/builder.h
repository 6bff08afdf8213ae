/* SPDX-License-Identifier: Apache-2.0
 *
 * builder - the interface to what runs one attempt of one stage of a pipeline.
 *
 * WHAT  A stage gets a clean copy of the commit, the outputs of what it needs and what its cache holds; its services
 *       are started; its script runs; then its outputs are kept, its results read, its archive packed. The driver
 *       (drivers/builder/local.c) does all of it in a sandbox on this machine.
 *
 * HOW   builder_start() returns at once. `line` is called for each line that the stage writes, then `done` exactly
 *       once, both from the loop and never from within builder_start(). builder_stop() asks an attempt to end: its
 *       processes get TERM, and KILL after BUILDER_GRACE_MS; `done` follows. At `done` none of its processes is left.
 *
 * OWNS  A job and all that it points to live until `done`, and so does what `line` and `done` are given.
 * TIME  The builder knows no timeout of a stage: whoever counts the time stops it.
 * ERRORS An attempt that failed says so in a sentence. `again` is false where another try would be the same.
 */
#ifndef PROVIDER_BUILDER_H
#define PROVIDER_BUILDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	BUILDER_SERVICES_MAX = 4,
	BUILDER_NAME_SIZE = 41,
	BUILDER_GRACE_MS = 5000,
	BUILDER_SENTENCE_SIZE = 512,
	BUILDER_TEST_NAMES_MAX = 20,
	BUILDER_TEST_NAME_SIZE = 160,
	BUILDER_LINE_MAX = 16 * 1024, /* a longer line comes in pieces */
	BUILDER_SINCE_SIZE = 128,
	BUILDER_NOTE_SIZE = 4096,
};

struct builder_texts {
	uint32_t count;
	const char *const *items;
};

/* A script for /bin/sh, or argv; both empty: there is none. */
struct builder_command {
	const char *script;
	struct builder_texts argv;
};

struct builder_service {
	const char *name;
	struct builder_command run;
	uint16_t ready_tcp; /* 0: `ready` */
	struct builder_command ready;
	uint64_t deadline_ms;
};

struct builder_job {
	const char *stage; /* [a-z][a-z0-9-]{0,39} */
	uint32_t attempt;
	struct builder_command run;
	struct builder_texts environment; /* "NAME=value", beside what every stage gets */
	struct builder_texts secrets; /* the same; never written anywhere, and masked in the log */
	const char *refusal;          /* why it is not run at all, a sentence; NULL: it is */
	bool network;
	uint32_t service_count;
	struct builder_service services[BUILDER_SERVICES_MAX];
	struct builder_texts needs; /* stages whose outputs it gets, in this order */
	struct builder_texts outputs;
	struct builder_texts cache_key, cache_paths;
	const char *junit;    /* NULL: none */
	const char *sarif;    /* report of its scan; NULL: none */
	const char *baseline; /* of the commit: what was let through before; NULL: the server's */
	uint32_t block_at;    /* severity, from 0, low medium high critical */
	struct builder_texts archive; /* empty: none */
};

struct builder_tests {
	uint32_t tests, failed, skipped, name_count;
	char names[BUILDER_TEST_NAMES_MAX]
		  [BUILDER_TEST_NAME_SIZE]; /* of failed ones; a stranger's bytes */
};

/* Of its scan, by what became of each since the baseline. */
struct builder_findings {
	uint32_t fresh, known, fixed, waived, suppressed;
	char since[BUILDER_SINCE_SIZE]; /* the baseline, for people; "": there was none */
	char note[BUILDER_NOTE_SIZE];   /* lines about them for the log; strangers' names escaped */
};

/* What a scan is judged by: paths that can be opened until that is done. */
struct builder_scan {
	const char *report;
	const char *source; /* the commit's files */
	const char *keep;   /* where what it found is to be kept; NULL: nowhere */
	const char *known;  /* what is not new; NULL: there is none */
	const char
		*since; /* the release that is live in production; NULL: none is, or none of here */
	const char *unknown; /* why `since` is NULL, to go on after "for" */
};

struct builder_result {
	bool passed;
	bool again;                           /* of a failed one */
	bool cached;                          /* what its cache holds was used */
	bool tested;                          /* `tests` is filled */
	bool scanned;                         /* `findings` is filled */
	bool archived;                        /* the archive is made */
	int code;                             /* exit code of the script; -1: none */
	char sentence[BUILDER_SENTENCE_SIZE]; /* why it failed; "" when it passed */
	struct builder_tests tests;
	struct builder_findings findings;
};

struct builder_listener {
	/* One line without its end. A stranger's bytes, secrets masked. */
	void (*line)(void *context, const struct builder_job *job, const char *text, size_t size);
	void (*done)(void *context, const struct builder_job *job,
		     const struct builder_result *result);
	void *context;
};

struct builder;

struct builder_ops {
	void (*start)(struct builder *builder, const struct builder_job *job);
	/* Nothing happens when no attempt of that stage is under way. */
	void (*stop)(struct builder *builder, const char *stage);
};

struct builder {
	const struct builder_ops *ops;
	struct builder_listener listener; /* set by the user before the first start */
};

static inline void builder_start(struct builder *builder, const struct builder_job *job)
{
	builder->ops->start(builder, job);
}

static inline void builder_stop(struct builder *builder, const char *stage)
{
	builder->ops->stop(builder, stage);
}

#endif
