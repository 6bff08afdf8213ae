/* SPDX-License-Identifier: Apache-2.0
 *
 * view_gate - what people are shown of a rollout that waits, of an environment where nothing may go out, and of a
 *             release's tag. Part of view.h.
 * UNITS As there: times *_unix_ms, durations *_ms.
 */
#ifndef CONTROL_VIEW_GATE_H
#define CONTROL_VIEW_GATE_H

#include "control/control.h"
#include "control/view_brought.h"

enum {
	VIEW_GATE_TEXT_SIZE = 400,
	VIEW_GATE_WORD_SIZE = 48,
	VIEW_ANSWERS_MAX = 16,
	VIEW_SUMMARY_SIZE = 2048,
	VIEW_GATE_PUSH_SIZE = 1024
};

/* Nothing goes out here, but for a rollback. */
struct view_freeze {
	bool on;
	char reason[VIEW_GATE_TEXT_SIZE];
	char by[CONTROL_WHO_SIZE];
	uint64_t since_unix_ms, until_unix_ms; /* until 0: until it is lifted */
};

/* What the scans of the build found that made a release, by what became of each since the baseline. */
struct view_findings {
	bool scanned; /* false: nothing else here is filled */
	uint32_t build;
	uint32_t fresh, known, fixed, waived;
	char since[VIEW_GATE_TEXT_SIZE]; /* the baseline; "" = there was none */
};

/* What a rollout waits for before it begins. */
struct view_gate {
	bool waits;                     /* false: nothing else here is filled */
	char hash[DIGEST_HEX_SIZE];     /* what an answer is bound to: bytes, configuration, plan */
	char text[VIEW_GATE_TEXT_SIZE]; /* what is missing, in words */
	char by[VIEW_GATE_TEXT_SIZE]; /* whose answer counts; "" = whoever may command the server */
	bool not_author;
	uint32_t needed, given;         /* persons */
	uint64_t expires_unix_ms;       /* 0: no person is asked */
	char from[VIEW_GATE_WORD_SIZE]; /* the environment before; "" = none */
	uint64_t soaked_ms, soak_ms;    /* good there for so long, of so long */
	uint64_t opens_in_ms;           /* 0: no window is shut */
	struct view_findings findings;
	struct view_brought brought;
	uint32_t answer_count;
	struct view_answer {
		char person[CONTROL_WHO_SIZE];
		char verdict[VIEW_GATE_WORD_SIZE]; /* yes no emergency */
		char reason[VIEW_GATE_TEXT_SIZE];
		uint64_t at_unix_ms;
	} answers[VIEW_ANSWERS_MAX];
};

/* What the rollout would change, or has changed, of the infrastructure. */
struct view_infrastructure {
	bool planned; /* false: nothing else here is filled */
	bool changes;
	char digest[DIGEST_HEX_SIZE];
	char summary
		[VIEW_SUMMARY_SIZE]; /* the plan's last words, lines as they were: a stranger's */
};

/* The tag of a release that has succeeded, in the repository that it was built from. */
struct view_git_tag {
	char name[CONTROL_TAG_SIZE];
	char state
		[VIEW_GATE_WORD_SIZE]; /* wanted made there refused elsewhere; "" = none is wanted */
	char text[VIEW_GATE_TEXT_SIZE];
	/* It goes on to a repository elsewhere: wanted pushed there refused given up; "" = it does not. */
	char push_state[VIEW_GATE_WORD_SIZE];
	char push_to[VIEW_GATE_PUSH_SIZE];
	char push_text
		[VIEW_GATE_TEXT_SIZE]; /* what came of it, or why the last try failed; "" = none yet */
	uint32_t push_tries;
};

#endif
