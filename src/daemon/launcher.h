/* SPDX-License-Identifier: Apache-2.0
 *
 * launcher - `davit up` and `davit serve`: holds the lock on the state directory and keeps controller and
 *            gateway running.
 *
 * HOW   The launcher does nothing that can fail in an interesting way: it starts its two children, starts
 *       them again when they die (at once the first time, then after a growing pause), and passes on
 *       the wish to stop. It is a subreaper, so that a keeper whose controller died is still reaped.
 *       up     INT or TERM: the controller drains and stops everything, then all of them leave.
 *              A second INT does not wait for drains.
 *       serve  TERM: the controller leaves; gateway and keepers go on and are adopted by the next start.
 *
 * ERRORS A taken lock, a state directory that cannot be made or a socket path that cannot be used: one
 *       sentence, and nothing was changed. A controller that cannot start ends the launcher as well; a
 *       gateway that was there before serves on.
 */
#ifndef DAEMON_LAUNCHER_H
#define DAEMON_LAUNCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct launcher_options {
	const char *state;       /* directory, made when missing */
	bool service;            /* `serve`: leave gateway and keepers at TERM, tell systemd */
	uint32_t workers;        /* of the gateway; 0 = one a core */
	bool verbose;            /* debug records as well */
	bool quiet;              /* no records of the children on the terminal: to STATE/log only */
	const char *server_file; /* the server's own file, or NULL for the usual one */
	const char *access_log;  /* file of the gateway's access log, or NULL */
};

/* Run until told to stop. Returns the exit code of `davit up`/`davit serve` (0 after an orderly stop). */
int launcher_run(const struct launcher_options *options, struct error *err);

#endif
