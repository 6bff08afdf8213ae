/* SPDX-License-Identifier: Apache-2.0
 *
 * builds - the interface to what runs a build of a commit for the server: its pipeline, from the commit to an archive.
 *
 * HOW   builds_start() returns at once; `stage` for each change of a stage, then `done` exactly once, all from the loop
 *       and never from within a call of here. At `done` none of the build's processes is left. One build at a time.
 *       builds_cancel() asks it to end; `done` follows. A build that the process does not live to see the end of, or
 *       that is lost, is started again: under its number it goes on with the stages that had not passed.
 *
 * OWNS  What `stage` and `done` are given lives until they return; texts are strangers' and escaped.
 * LIMITS BUILDS_STAGES_MAX stages, BUILDS_ENVIRONMENTS_MAX environments.
 */
#ifndef PROVIDER_BUILDS_H
#define PROVIDER_BUILDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	BUILDS_STAGES_MAX = 32,
	BUILDS_ENVIRONMENTS_MAX = 16,
	BUILDS_NAME_SIZE = 48,
	BUILDS_WORD_SIZE = 16,
	BUILDS_TEXT_SIZE = 512,
	BUILDS_PATH_SIZE = 1024,
};

struct builds_order {
	uint32_t number;
	const char *app;
	const char *repository; /* an absolute path of a git directory */
	const char *commit;     /* a full id */
	const char *ref;        /* "refs/heads/main", "refs/tags/v1.2.3" or "" */
	uint32_t origin;        /* the build whose stages that passed are taken over; 0: none */
	const char *signers;    /* of tags: a file as ssh-keygen(1) has it; "": there is none */
	const char *
		signed_only; /* environments that only a signed tag brings a release to, a blank between */
	/* The release that builds_ops.known() told of, for people; "": there is none, and `unknown` is why, to go on after
	 * "for". */
	const char *since, *unknown;
	/* What stages can ask for, "stages/npm=value", each with its NUL. NULL: nothing, and `no_secrets` is why, a
	 * sentence. */
	const struct buf *secrets;
	const char *no_secrets;
};

struct builds_stage {
	char name[BUILDS_NAME_SIZE];
	char state[BUILDS_WORD_SIZE]; /* pending running passed taken failed skipped cancelled */
	uint32_t origin;              /* of one that is taken: the build that it ran in */
	uint32_t attempt;
	uint64_t took_ms;
	uint32_t tests, failed, skipped;
	char why[BUILDS_TEXT_SIZE];
	bool scanned; /* what follows is of its scan, by what became of each since the baseline */
	uint32_t fresh, known, fixed, waived, suppressed;
	char since[BUILDS_TEXT_SIZE]; /* the baseline, for people; "": there was none */
	/* What was found, as scan/known.h writes it: of one that passed or was taken. NULL: it is not at hand. */
	const char *found;
	size_t found_size;
};

struct builds_outcome {
	char state[BUILDS_WORD_SIZE]; /* passed failed cancelled; lost: it ended without a word */
	char why[BUILDS_TEXT_SIZE];   /* of one that never had a stage */
	char archive
		[BUILDS_PATH_SIZE]; /* of one that passed; "": no stage made one. Lives until the next start */
	char author[BUILDS_TEXT_SIZE], subject[BUILDS_TEXT_SIZE];
	char address[BUILDS_TEXT_SIZE]; /* of the author; "": it cannot be told */
	uint64_t committed_unix_s;
	uint32_t environment_count; /* that the ref brings a release to */
	char environments[BUILDS_ENVIRONMENTS_MAX][BUILDS_NAME_SIZE];
};

struct builds_listener {
	void (*stage)(void *context, uint32_t number, uint32_t index,
		      const struct builds_stage *stage);
	void (*done)(void *context, uint32_t number, const struct builds_outcome *outcome);
	void *context;
};

struct builds;

struct builds_ops {
	/* Before a start: what is known of a stage already, of which its scan finds nothing new; as it was `found` once.
	 * Without a stage: nothing is known of any. What is not whole (size 0) makes the stage fail that needs it. */
	int (*known)(struct builds *builds, const char *app, const char *stage, const void *bytes,
		     size_t size, struct error *err);
	int (*start)(struct builds *builds, const struct builds_order *order, struct error *err);
	void (*cancel)(struct builds *builds, uint32_t number);
	/* The directory with the logs of its stages, STAGE.log each; open it: it may not be there (yet). False: the path is
	 * too long. */
	bool (*logs)(const struct builds *builds, const char *app, uint32_t number, char *to,
		     size_t size);
	/* Of each build that was run to an end, and whose logs are there: what they take on the disk. In no order. This and
	 * the next one block: they touch nothing that the other calls use, and may run in another thread. */
	int (*kept)(struct builds *builds,
		    void (*each)(void *context, uint32_t number, uint64_t bytes), void *context,
		    struct error *err);
	/* Remove the logs of one that has ended. Gone already is success. */
	int (*forget)(struct builds *builds, uint32_t number, struct error *err);
};

struct builds {
	const struct builds_ops *ops;
	struct builds_listener listener; /* set by the user before the first start */
};

#endif
