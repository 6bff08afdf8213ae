/* SPDX-License-Identifier: Apache-2.0
 *
 * view_brought - what people are shown of what a rollout would bring, before they answer for it: the tests of its build,
 *                its commits, what it changes in the configuration, and how its checks ended in the environment before.
 *                Part of view.h.
 * LIMITS What has no room is counted.
 */
#ifndef CONTROL_VIEW_BROUGHT_H
#define CONTROL_VIEW_BROUGHT_H

#include <stdbool.h>
#include <stdint.h>

enum {
	VIEW_BROUGHT_TEXT_SIZE = 400,
	VIEW_BROUGHT_WORD_SIZE = 48,
	VIEW_COMMIT_SIZE = 65,
	VIEW_COMMIT_TEXT_SIZE = 160,
	VIEW_COMMITS_MAX = 20,
	VIEW_CHANGES_MAX = 40,
	VIEW_BAD_COMMITS_MAX = 8
};

/* Of all stages of the build that name a report of their tests. */
struct view_tests {
	uint32_t build;  /* that made the release; 0: none of here */
	uint32_t stages; /* with tests; 0: nothing else here is filled */
	uint32_t run, failed, skipped;
};

/* Those of the release that the live one has not, newest first. */
struct view_commits {
	/* "known"; "wanted": git is still asked; "unknown": `why`, and the list has the one that was built at most. */
	char state[VIEW_BROUGHT_WORD_SIZE];
	char why[VIEW_BROUGHT_TEXT_SIZE];
	uint32_t count, more;
	bool cut; /* and there are more than davit reads */
	struct view_commit {
		char id[VIEW_COMMIT_SIZE];
		char author[VIEW_COMMIT_TEXT_SIZE], subject[VIEW_COMMIT_TEXT_SIZE];
		uint64_t committed_unix_s; /* 0: it cannot be told */
		bool merge;
	} items[VIEW_COMMITS_MAX];
};

/* Keys of the resolved configuration that are not what they are in the live release. */
struct view_changes {
	bool compared; /* false: nothing is live, or it cannot be read */
	uint32_t count, more;
	struct view_change {
		char key[192];
		bool hidden;             /* its values are nobody's business */
		char from[160], to[160]; /* "" = not there */
	} items[VIEW_CHANGES_MAX];
};

/* The checks of the rollout that made the release live in the environment before. */
struct view_checks {
	uint32_t rollout; /* 0: no environment is before, or the release was never live there */
	uint32_t steps;   /* that check; 0: nothing was checked there */
	char verdict[VIEW_BROUGHT_WORD_SIZE]; /* of the last: pass fail skip; "" = none is known */
	char text[VIEW_BROUGHT_TEXT_SIZE];
	uint64_t at_unix_ms;
};

/* Commits among those that the rollout brings which had to go before, here or in an environment that this one leads to.
 * Whether they were mended since cannot be told. */
struct view_bad_commits {
	uint32_t count, more;
	struct view_bad_commit {
		char commit[VIEW_COMMIT_SIZE];
		char environment[VIEW_BROUGHT_WORD_SIZE];
		uint32_t rollout; /* that took it back; 0: somebody marked it by hand */
		bool marked;      /* a bad mark stands; else a person went back from it */
		char text
			[VIEW_BROUGHT_TEXT_SIZE]; /* "commit …, which rollout 7 took back in prod" */
	} items[VIEW_BAD_COMMITS_MAX];
};

struct view_brought {
	struct view_tests tests;
	struct view_bad_commits bad_commits;
	struct view_commits commits;
	struct view_changes changes;
	struct view_checks checks;
};

#endif
