/* SPDX-License-Identifier: Apache-2.0
 *
 * inside - what runs within a sandbox before and beside a stage: `davit sandbox-inside`.
 *
 * WHAT  The first program in the sandbox. It sets the limits, gives up what rights it has, starts the services, waits
 *       until they are ready, runs the script, tells how that ended, and ends whatever was left.
 *
 * HOW   The spec is a file (INSIDE_SPEC) that inside_pack() made. Where it says that there are secrets, they are the first
 *       message: "NAME=value", each with its NUL; so they are in no file and on no command line. Descriptor 0 is a SEQPACKET socket: it gets one
 *       message for how the stage ended, a text: "exit 3", "signal 9", "stopped", "error SENTENCE" (a service that
 *       was not ready, a program that cannot be run). A message that comes in, or the end of the socket, means stop:
 *       TERM to every process in the sandbox, KILL after the grace. Output goes to descriptors 1 and 2.
 *       When this program ends, bubblewrap ends the sandbox with all that is left in it.
 *
 * LIMITS INSIDE_SPEC_MAX bytes of spec, INSIDE_SECRETS_MAX bytes of secrets.
 */
#ifndef DRIVERS_BUILDER_INSIDE_H
#define DRIVERS_BUILDER_INSIDE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "provider/builder.h"

#define INSIDE_SPEC "/run/davit/spec"

enum {
	INSIDE_SPEC_MAX = 1 << 20,
	INSIDE_SECRETS_MAX = 96 << 10,
	INSIDE_SAYS_MAX = 600,
	INSIDE_ARGS_MAX = 64
};

struct inside_limits {
	uint32_t uid;        /* to become; 0: stay who we are */
	uint32_t processes;  /* of this user in the sandbox */
	uint32_t files;      /* open at once, of a process */
	uint64_t file_bytes; /* of one file */
	uint64_t data_bytes; /* of one process's memory; 0: a cgroup bounds it */
};

/* `environment` is the whole of it: "NAME=value". The memory of `to` is INSIDE_SPEC_MAX. ERR_LIMIT: it does not
 * fit. */
int inside_pack(const struct builder_job *job, const struct builder_texts *environment,
		const struct inside_limits *limits, struct buf *to, struct error *err) MUST_CHECK;

/* argv[0] is the verb. */
int inside_main(int argc, char **argv);

#endif
