/* SPDX-License-Identifier: Apache-2.0
 *
 * host - the interface to the hosts of git repositories, where people see what became of a commit.
 *
 * HOW   host->ops->tell() blocks, HOST_TELL_MS at most for each of up to three requests: it is called in another thread. Telling the same again changes
 *       nothing there, and makes no second deployment.
 * OWNS  Texts are the caller's.
 * ERRORS RETRY the host is away, or wants to be left alone: `wait_s` says for how long, 0: as you like · DENIED, INVALID
 *        and others: another try changes nothing. The sentence names the host's address, and never the token.
 */
#ifndef PROVIDER_HOST_H
#define PROVIDER_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum { HOST_TELL_MS = 20 * 1000, HOST_DESCRIPTION_MAX = 140 };

enum host_kind { HOST_GITHUB, HOST_GITLAB, HOST_GITEA };

enum host_state {
	HOST_WAITING,
	HOST_RUNNING,
	HOST_PASSED,
	HOST_FAILED,
	HOST_CANCELLED,
	HOST_STUCK
};

struct host_message {
	enum host_kind kind;
	const char *api;        /* "https://api.github.com" */
	const char *repository; /* "acme/shop" */
	const char *token_file;
	const char *commit;
	const char *context; /* "davit/build" */
	enum host_state state;
	const char *description; /* cut where it is too long */
	/* Of a deployment, where the host has them; "": the state of the commit. */
	const char *environment;
	bool production;
	const char *key; /* by which it is found again at the host: our own id of it */
	uint64_t number; /* that the host gave it; 0: not known. Set by tell() */
	uint32_t wait_s; /* set by tell() with RETRY */
};

struct host;

struct host_ops {
	int (*tell)(struct host *host, struct host_message *message, struct error *err) MUST_CHECK;
};

struct host {
	const struct host_ops *ops;
};

#endif
