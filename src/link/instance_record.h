/* SPDX-License-Identifier: Apache-2.0
 *
 * instance_record - D/instances/<id>/state: what a keeper must know again when it is started anew, and
 *                   its last word to the driver once it has left.
 *
 * WHAT  Who the program is (pid, start time, boot), where it listens, what was wanted, how it fared.
 *       JSON, written whole before each step that could not be found out otherwise.
 *
 * TIME  All times are CLOCK_MONOTONIC of the boot `boot`, and worth nothing in another one.
 * ERRORS ERR_CORRUPT for a file that is none. Fields that a reader does not know are passed over, so that
 *       an older davit reads what a newer one wrote.
 */
#ifndef LINK_INSTANCE_RECORD_H
#define LINK_INSTANCE_RECORD_H

#include "link/instance.h"

enum {
	RECORD_BOOT_SIZE = 40,
	RECORD_PLACE_SIZE = INSTANCE_ID_SIZE + 48,
	RECORD_MARK_SIZE = RECORD_PLACE_SIZE + 16,
	RECORD_CGROUP_SIZE = 2080,
	RECORD_MAX_BYTES = 64 * 1024,
};

struct instance_record {
	struct instance_version applied;
	enum instance_want want;
	enum instance_state state;
	char boot[RECORD_BOOT_SIZE];
	int32_t pid;
	uint64_t start;                  /* clock ticks since boot */
	uint16_t port;                   /* 0: none chosen */
	char mark[RECORD_MARK_SIZE];     /* "NAME=value" in the environment of all it starts */
	char cgroup[RECORD_CGROUP_SIZE]; /* os/cgroup.h, cgroup_text() */
	uint64_t state_since_ms;
	uint64_t ready_since_ms;
	uint64_t changed_ms;
	bool healthy;
	bool was_ready;
	uint32_t restarts;
	uint32_t crash_count;
	uint64_t crashes_ms[INSTANCE_RESTARTS_MAX + 1];
	bool exit_known;
	int32_t exit_code;
	int32_t exit_signal;
	char sentence[INSTANCE_SENTENCE_SIZE];
};

/* The name that an instance's things have, from the device and inode of its directory: its cgroup is called so, and the
 * environment of all that it starts says so. Whoever has lost the record finds them by it. */
void instance_record_place(const char *id, uint64_t device, uint64_t inode,
			   char to[RECORD_PLACE_SIZE]);
void instance_record_mark(const char place[RECORD_PLACE_SIZE], char to[RECORD_MARK_SIZE]);

void instance_record_write(const struct instance_record *record, struct buf *to);
int instance_record_read(const char *json, size_t size, struct instance_record *ret_record,
			 struct error *err) MUST_CHECK;

/* What can be said of an instance from its record alone: its keeper has left. */
void instance_record_tell(const struct instance_record *record, struct instance_status *status);

#endif
