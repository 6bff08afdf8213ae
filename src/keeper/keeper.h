/* SPDX-License-Identifier: Apache-2.0
 *
 * keeper - one small process per instance: holds the program, its log, its health and its end.
 *
 * WHAT  Nothing that users depend on is a child of the controller: the keeper starts the program, starts
 *       it again when it crashes, probes it, and does so whether or not a controller is there. The
 *       program in turn depends on the keeper for nothing: when a keeper is killed the program serves on,
 *       and the next keeper of the same directory adopts it untouched.
 *
 * HOW   keeper_main(D/instances/<id>), with spec.json there. The directory then holds
 *         lock         held while a keeper lives: a second one leaves at once
 *         state        link/instance_record.h: what the next keeper must know
 *         keeper.sock  link/keeper_messages.h
 *         release/     the program's working directory (keeper/place.h); removed when it is over
 *         log, log.1…  what it has written (keeper/output.h)
 *       It leaves when the instance is over and a peer has seen that (FORGET), or KEEPER_LINGER_MS later.
 *
 * ERRORS Returns the process's exit code: 0, or 1 with a sentence on standard error.
 */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

enum { KEEPER_LINGER_MS = 10000 };

int keeper_main(const char *directory);

#endif
