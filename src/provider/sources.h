/* SPDX-License-Identifier: Apache-2.0
 *
 * sources - the interface to what looks at git repositories for commits that are to be built: those elsewhere that the
 *           server's own file names, and those that this server holds.
 *
 * HOW   From the loop. sources_look() returns at once.
 * OWNS  A row and its texts live until the visit returns. Texts of strangers are escaped.
 */
#ifndef PROVIDER_SOURCES_H
#define PROVIDER_SOURCES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { SOURCES_GIT_SIZE = 1024, SOURCES_TEXT_SIZE = 512, SOURCES_HOOK_SIZE = 16 };

struct sources_row {
	const char *app;
	const char *repository; /* on this machine: itself, or the mirror */
	bool hosted; /* pushed to this server; looked at for what was pushed while it did not run */
	char git[SOURCES_GIT_SIZE];
	uint64_t poll_ms;
	bool looking;
	uint64_t looked_unix_ms;     /* the end of the last look; 0: none yet */
	uint32_t refs;               /* that it had then */
	char why[SOURCES_TEXT_SIZE]; /* the last look failed; "": it did not */
	char note
		[SOURCES_TEXT_SIZE]; /* the last commit that was seen and not built, and why; "": none */
	char hook[SOURCES_HOOK_SIZE];    /* github gitlab gitea; "": none is taken */
	uint64_t hooked_unix_ms;         /* the last request that was taken; 0: none */
	uint32_t taken, refused;         /* since the server started */
	char refusal[SOURCES_TEXT_SIZE]; /* why the last one was refused; "": none was */
};

/* What a name means in a repository. */
struct sources_commit {
	char commit[65]; /* the full id */
	char ref[257];   /* the branch or tag that was named; "": the id of a commit was */
};

typedef void (*sources_visit)(void *context, const struct sources_row *row);

struct sources;

struct sources_ops {
	void (*visit)(struct sources *sources, sources_visit visit, void *context);
	/* ERR_NOT_FOUND: there is none for this application. */
	int (*look)(struct sources *sources, const char *app, struct error *err) MUST_CHECK;
	/* The commit that `name` names in a git directory of this machine (absolute): a branch, a tag, or the id, whole or
	 * its beginning, of a commit that one of them has. Blocks, and may run in any thread. ERR_INVALID: it is no
	 * name · ERR_NOT_FOUND · what git says. */
	int (*find)(const char *repository, const char *name, struct sources_commit *ret_commit,
		    struct error *err) MUST_CHECK;
};

struct sources {
	const struct sources_ops *ops;
	const char *listen; /* where requests of git hosts are taken; NULL: nowhere */
};

#endif
