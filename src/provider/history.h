/* SPDX-License-Identifier: Apache-2.0
 *
 * history - the interface to what knows the commits of a repository: which lie between two releases, a tag for one,
 *           and how far one is from the tip of a branch.
 *
 * HOW   All block, for a minute at most for each of a few git commands, and are for work beside the loop: one at a time. tag() may be asked again
 *       after a crash: the same questions, made at the same time, give the same tag.
 * OWNS  Plain data, caller's memory; texts are strangers', and escaped.
 * ERRORS Whatever keeps git from it, in a sentence. CLOSED: davit is being stopped, ask again.
 * LIMITS HISTORY_COMMITS_MAX commits; `cut` says that there are more.
 */
#ifndef PROVIDER_HISTORY_H
#define PROVIDER_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	HISTORY_COMMITS_MAX = 1000,
	HISTORY_ID_SIZE = 65,
	HISTORY_TEXT_SIZE = 160,
	HISTORY_MESSAGE_MAX = 4096
};

struct history_commit {
	char id[HISTORY_ID_SIZE];
	uint64_t committed_unix_s; /* 0: it cannot be told */
	bool merge;
	char address
		[HISTORY_TEXT_SIZE]; /* of the author, whole; "": none, or one that does not fit */
	char author[HISTORY_TEXT_SIZE]; /* "Name <address>", cut where it is too long */
	char subject[HISTORY_TEXT_SIZE];
};

/* The commits of a release that another one did not have; both ids are full ones. */
struct history_span {
	const char *repository; /* the absolute path of a git directory */
	const char *old_commit, *new_commit;
	struct history_commit *commits; /* room for HISTORY_COMMITS_MAX; newest first */
	uint32_t count;
	bool cut;
};

struct history_tag {
	const char *repository;
	const char *commit;
	const char *name; /* "v1.4.2": a stranger's */
	const char *message;
	uint64_t at_unix_s;
	bool existed; /* it was there, at this commit */
};

/* How a commit stands to the tip of a branch. */
struct history_standing {
	const char *repository;
	const char *commit; /* a full id */
	const char *ref;    /* "refs/heads/main": a stranger's; "": `tip` is given */
	const char *known;  /* the tip that it was counted to before; "": none */
	char tip[HISTORY_ID_SIZE];
	bool same;              /* the tip is the known one: what follows is not asked for */
	uint32_t behind, ahead; /* commits that only the tip has, and only the commit */
	char subject[HISTORY_TEXT_SIZE]; /* of the tip */
};

struct history;

struct history_ops {
	int (*between)(struct history *history, struct history_span *span, struct error *err);
	/* ERR_CONFLICT: there is another tag of this name, which stays as it is. */
	int (*tag)(struct history *history, struct history_tag *tag, struct error *err);
	/* Sets all that is not given; on failure `tip` is what is known of it. */
	int (*standing)(struct history *history, struct history_standing *standing,
			struct error *err);
};

struct history {
	const struct history_ops *ops;
	const char *
		hosted; /* the directory, with a "/" at its end, of the repositories that are ours to tag */
	const char *copies; /* the same of those that are copies of repositories elsewhere */
};

#endif
