/* SPDX-License-Identifier: Apache-2.0
 *
 * sandbox - one process tree in bubblewrap (docs/adr/0006-bubblewrap.md): started, listened to, ended for certain.
 *
 * WHAT  Namespaces of its own for mounts, processes, IPC, host name and, unless asked for, the network. It sees
 *       /usr and what belongs to it, a few files of /etc, read-only; /work (its directory, writable), /tmp and
 *       /home/build of its own. As root davit gives it a user that nobody else is; else it is davit's own user in a
 *       user namespace. Never without a sandbox: where bubblewrap cannot run, nothing runs.
 *
 * HOW   sandbox_start(); `output` with what it writes, as it comes; `ended` once, from the loop, when the last process
 *       in it is gone. sandbox_stop() asks for the end; its time is bounded.
 *       sandbox_probe() finds out beforehand whether one can be made, and says what to do where not.
 *
 * OWNS  A sandbox frees itself after `ended`. Directories are the caller's, and live until then.
 * LIMITS SANDBOX_* below, for each.
 */
#ifndef DRIVERS_BUILDER_SANDBOX_H
#define DRIVERS_BUILDER_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "os/loop.h"
#include "provider/builder.h"

enum {
	SANDBOX_PROCESSES = 1024,
	SANDBOX_FILES = 4096,
	SANDBOX_PATH_SIZE = 1024,
	SANDBOX_USER_INSIDE = 1000, /* who davit's own user is in there */
};
#define SANDBOX_FILE_BYTES   (UINT64_C(4) << 30)
#define SANDBOX_MEMORY_BYTES (UINT64_C(4) << 30) /* together with a cgroup, else of each process */

/* All absolute. */
struct sandbox_place {
	char work[SANDBOX_PATH_SIZE], tmp[SANDBOX_PATH_SIZE], home[SANDBOX_PATH_SIZE];
	char etc[SANDBOX_PATH_SIZE];    /* holds passwd, group, hosts */
	char inside[SANDBOX_PATH_SIZE]; /* a copy of davit that its user may read */
	char spec[SANDBOX_PATH_SIZE];   /* made by sandbox_start() */
	char cgroup[SANDBOX_PATH_SIZE]; /* the same: for sandbox_forget() */
};

struct sandbox_end {
	bool stopped; /* because of sandbox_stop() */
	int code;     /* of the script; -1: a signal, or `sentence` */
	int signal;
	bool out_of_memory;
	char sentence
		[BUILDER_SENTENCE_SIZE]; /* "" or why the script did not run, or not to its end */
};

struct sandbox_listener {
	void (*output)(void *context, const void *bytes, size_t size);
	void (*ended)(void *context, const struct sandbox_end *end);
	void *context;
};

struct sandbox;

/* The user that a sandbox gets: its files must be his. (uid_t)-1: davit's own. */
uid_t sandbox_user(void);

int sandbox_start(struct loop *loop, const struct builder_job *job,
		  const struct builder_texts *environment, const struct sandbox_place *place,
		  uid_t user, const struct sandbox_listener *listener, struct sandbox **ret_sandbox,
		  struct error *err) MUST_CHECK;

void sandbox_stop(struct sandbox *sandbox);

/* A davit that was killed has left this file: end and remove the cgroup that it tells of. */
void sandbox_forget(int dir_fd, const char *file);

/* ERR_UNSUPPORTED and what to do: bubblewrap is not there, or cannot make a sandbox here. Blocks for moments. */
int sandbox_probe(struct error *err) MUST_CHECK;

#endif
