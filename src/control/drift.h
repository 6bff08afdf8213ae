/* SPDX-License-Identifier: Apache-2.0
 *
 * drift - is what is live what git says? The word for it and the sentence, from what is known.
 *
 * WHAT  PURE. What an environment follows is a branch, tags, or the environment before it (`from`). In this order:
 *         it follows nothing that is known here          NONE
 *         it is the same commit                          CURRENT
 *         its commit, or the newest one, is not known    UNKNOWN
 *         git has not said how they stand                UNKNOWN
 *         commits are missing after a rollback           ROLLED_BACK
 *         … and the newest release is marked bad here    QUARANTINED
 *         … and it has some of its own                   APART
 *         … or nothing of this                           BEHIND
 *         it has commits that what it follows has not    AHEAD
 *       The sentence goes on with how far the newest one came: its build, its rollout here, a freeze.
 *
 * OWNS  Texts are the caller's, and escaped.
 */
#ifndef CONTROL_DRIFT_H
#define CONTROL_DRIFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DRIFT_SENTENCE_SIZE = 400 };

#define DRIFT_STATES(X)               \
	X(NONE, "")                   \
	X(CURRENT, "current")         \
	X(BEHIND, "behind")           \
	X(AHEAD, "ahead")             \
	X(APART, "apart")             \
	X(ROLLED_BACK, "rolled-back") \
	X(QUARANTINED, "quarantined") \
	X(UNKNOWN, "unknown")

enum drift_state {
#define X(name, text) DRIFT_##name,
	DRIFT_STATES(X)
#undef X
		DRIFT_STATE_COUNT
};

const char *drift_state_name(enum drift_state state);

/* How far the newest commit came towards the environment. */
struct drift_way {
	bool deployed;  /* it is live in the environment that is followed: no build matters */
	uint32_t build; /* 0: none was ordered of it */
	const char *build_state, *build_why; /* as the store has them */
	uint32_t rollout;                    /* here; 0: none */
	const char *rollout_state;           /* as rollout_status_name() has it */
	const char *rollout_why; /* what it waits for, or why none was begun; "": not known */
	const char
		*frozen_by; /* NULL: the environment is not frozen; said where nothing better is */
};

struct drift_facts {
	const char *of;   /* "main", "v1.4.2", "staging"; "": nothing */
	const char *live; /* commits; "": not known */
	const char *tip;
	const char *trouble; /* why not; "": git is being asked */
	bool counted;
	uint32_t behind, ahead; /* commits that are missing, and that only the live one has */
	const char *subject;    /* of the newest one */
	bool rolled_back;       /* a rollback made live what is */
	const char *bad;        /* why the newest release is marked bad here; NULL: it is not */
	struct drift_way way;
};

enum drift_state drift_decide(const struct drift_facts *facts);

/* "3 commits behind main (newest: Fix the cart): build 12 failed: …"; "" of NONE and CURRENT. */
void drift_sentence(const struct drift_facts *facts, char to[DRIFT_SENTENCE_SIZE]);

#endif
