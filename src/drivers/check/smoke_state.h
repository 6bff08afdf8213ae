/* SPDX-License-Identifier: Apache-2.0
 *
 * smoke_state - what smoke.c (the order of things), smoke_get.c (probes), smoke_command.c (commands) and smoke_scan.c
 *               (reports of scans) share. Internal to drivers/check/.
 *
 * HOW   smoke_begin_get() and smoke_begin_command() start the check that is `at`; each ends in smoke_advance() or in
 *       smoke_finish(), after which the run is gone. What runs beside the loop counts as a job and finds its run by
 *       number, for the run may be gone when it is done.
 */
#ifndef DRIVERS_CHECK_SMOKE_STATE_H
#define DRIVERS_CHECK_SMOKE_STATE_H

#include "base/buf.h"
#include "drivers/check/command.h"
#include "drivers/check/smoke.h"
#include "drivers/http/transfers.h"
#include "os/memory_directory.h"

enum {
	SENTENCE_MAX = 1000,
	NOTES_MAX = 700,
	SHOWN_MAX = 120,
	SAID_MAX = 200,
	PLACE_SIZE = 32,
	PATH_SIZE = 64
};

struct run {
	struct run *next;
	struct smoke *smoke;
	uint64_t number;
	struct check_request request;
	uint32_t at; /* index of the check that is under way */
	const struct check_listener *listener;
	void *context;
	struct env_timer timer; /* starts the next check, and bounds a command */
	CURL *transfer;
	struct curl_slist *fields;
	struct buf body;
	bool body_cut;
	struct command *command;
	bool late;              /* the command took too long */
	char place[PLACE_SIZE]; /* of a scan: its directory below `checks`; "" = none */
	char files
		[PLACE_SIZE]; /* a copy of the release that the user of its commands owns; the same */
	char notes[NOTES_MAX]; /* of the scans that passed */
};

struct smoke {
	struct check_runner runner;
	struct loop *loop;
	struct transfers *transfers;
	struct run *runs;
	uint64_t last_number;
	uint32_t run_count;
	int checks_fd;                 /* D/checks; -1: it cannot be made */
	char memory[MEMORY_NAME_SIZE]; /* where secrets of commands are files */
	smoke_judge *judge;
	uint32_t jobs; /* under way beside the loop */
	bool closed;   /* the last of them frees it */
};

struct run *smoke_find(struct smoke *smoke, uint64_t number);
void smoke_advance(struct run *run);
void smoke_finish(struct run *run, bool passed, const char *sentence);
void smoke_fail_saying(struct run *run, const char *sentence, const char *said);
void smoke_job_begins(struct smoke *smoke);
void smoke_job_ended(struct smoke *smoke); /* it may be gone afterwards */

void smoke_begin_get(struct run *run);
void smoke_answered(void *context, CURLcode code); /* of a transfer; `context` is its run */

void smoke_begin_command(struct run *run);
/* A directory below `checks`, beside the loop; its name is "" afterwards. */
void smoke_remove(struct smoke *smoke, char place[PLACE_SIZE]);

/* The command has ended as it should: what has it found? */
void smoke_judge_scan(struct run *run);

#endif
