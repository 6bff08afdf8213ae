/* SPDX-License-Identifier: Apache-2.0
 *
 * keeper_state - what the files of the keeper itself share: the keeper, and what it does in more than one place.
 *
 * HOW   By file: keeper.c carries out what life.c decides; keeper_record.c writes down and tells what the
 *       instance is, and takes up what the last keeper wrote.
 * OWNS  One per process.
 */
#ifndef KEEPER_KEEPER_STATE_H
#define KEEPER_KEEPER_STATE_H

#include "keeper/life.h"
#include "keeper/output.h"
#include "keeper/peers.h"
#include "keeper/probe.h"
#include "keeper/program.h"

struct keeper {
	struct loop *loop;
	int dir_fd;
	int lock_fd;
	struct instance_spec spec;
	struct process_user user;
	struct life life;
	struct output output;
	struct program program;
	struct probe probe;
	struct peers peers;
	struct env_timer wake;
	struct env_timer probe_timer;
	struct env_timer leave;
	struct env_timer tally;
	bool tallying; /* the timer runs */
	struct loop_signal *children;
	uint16_t port;
	uint64_t state_since_ms;
	enum instance_state last_state;
	bool refused; /* what is being ended could not be started, for a reason that stays */
	bool exit_known;
	struct process_end exit;
	char sentence[INSTANCE_SENTENCE_SIZE];
	struct instance_status status; /* as it was told last, and its bytes */
	char told[KEEPER_MESSAGE_MAX];
	size_t told_size;
	struct instance_record record; /* as it was written last */
};

/* --- keeper.c */

/* A sentence for its status. */
void keeper_say(struct keeper *k, const char *text);
/* In its status and in its log. */
void keeper_tell(struct keeper *k, const char *text);
void keeper_timer(struct keeper *k, struct env_timer *timer, uint64_t after_ms);
/* Nothing where the instance has no health check. */
void keeper_probe_in(struct keeper *k, uint64_t after_ms);
/* Whom to run as. Looked up for each start: a user that has gone must never mean "as root". */
int keeper_find_user(struct keeper *k, struct error *err) MUST_CHECK;

/* --- keeper_record.c */

/* Write the record unless it is on disk already; sentences alone are not worth a write. */
int keeper_write_record(struct keeper *k, struct error *err) MUST_CHECK;
/* Tell the peers, if there is something to tell. */
void keeper_announce(struct keeper *k);
/* What was told last; `context` is the keeper. */
const struct instance_status *keeper_status(void *context);
/* Begin its life, or go on with what the record says. */
void keeper_begin(struct keeper *k, struct instance_version version);

#endif
