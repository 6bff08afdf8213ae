/* SPDX-License-Identifier: Apache-2.0
 *
 * gating - what stands between a release and an environment: approvals, the environment before, windows, freezes.
 *
 * WHAT  A rollout that has to be asked for waits in GATED, with its plan made: gate.h decides when it begins. A yes
 *       counts for the hash of release and plan that it was given for, and for nobody who is not in the groups when
 *       it is counted. An environment is frozen while somebody froze it, and while a rollout is under way outside of
 *       its window: then the release gets no more requests than it has. A GATE of the plan, before migrate.after or between the commands of infrastructure, is
 *       answered in the same way, by the same people (one, where nobody is named), for a hash of its own.
 *
 * HOW   gating_tick() looks once a second; after a command at once. All that it knows is in the store or in the
 *       core, so that a crash at any moment changes nothing.
 */
#ifndef CONTROL_GATING_H
#define CONTROL_GATING_H

#include "control/control.h"
#include "control/gate.h"
#include "store/gates.h"
#include "store/releases.h"

struct environment;
struct active_rollout;
struct release_info;

enum { GATING_ANSWERS_MAX = 32, GATING_WORDS_SIZE = 256 };

struct gating_freeze {
	bool on;
	char reason[CONTROL_REASON_SIZE];
	char by[CONTROL_WHO_SIZE];
	uint64_t at_unix_ms, until_unix_ms; /* until 0: until it is lifted */
};

/* What is asked, what is there, and what follows from it. */
struct gating {
	struct gate_rules rules;
	struct gate_facts facts;
	enum gate_answer answer;
	char sentence[GATE_SENTENCE_SIZE];
	char hash[DIGEST_HEX_SIZE]; /* what an approval is bound to */
	char by[GATING_WORDS_SIZE]; /* rules.by */
	bool not_author;
	uint32_t before; /* the rollout that made it live in the environment before; 0 = none */
	uint32_t answer_count;
	struct store_approval answers[GATING_ANSWERS_MAX]; /* of this hash, that count or counted */
};

/* Does this rollout wait for anything before it begins? */
bool gating_wanted(const struct environment *e, const struct active_rollout *r);

/* Does it wait for an answer just now: before it begins, or at a gate of its plan? */
bool gating_asks(const struct active_rollout *r);

/* May this release come here at all: is it good in the environment before, is nothing frozen? `offered`: davit itself
 * asks, which may wait for the freeze. ERR_CONFLICT, ERR_DENIED with the next command. */
MUST_CHECK int gating_check(struct environment *e, const struct store_release *release,
			    bool offered, struct error *err);

/* Has the configuration that would go out what `protect` of the server's own file asks of `verify` and `analysis`?
 * ERR_DENIED, and what is missing. */
MUST_CHECK int gating_check_floor(const struct environment *e, const struct release_info *candidate,
				  struct error *err);

/* Fill in all of it for a rollout that is GATED. Large: on the heap. */
MUST_CHECK int gating_look(struct environment *e, struct active_rollout *r,
			   struct gating *ret_gating, struct error *err);

void gating_tick(struct environment *e);
/* After the store was read, once. */
MUST_CHECK int gating_recover(struct environment *e, struct error *err);

/* offers.c: a release that is good in one environment is offered to those that ask for approval and come after it,
 * once. */
void offers_look(struct control *c);

#endif
