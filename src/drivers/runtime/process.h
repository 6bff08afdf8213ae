/* SPDX-License-Identifier: Apache-2.0
 *
 * process - the runtime on this machine: one keeper and one program per instance, beneath D/instances.
 *
 * WHAT  Implements provider/runtime.h. Writes an instance's spec.json, starts its keeper, and from then on
 *       only asks and listens (link/keeper_messages.h). Keepers are nobody's children: this process may
 *       end at any time, and the next one connects to them again. A keeper that has died is started
 *       again and adopts its program.
 *
 * HOW   runtime_process_new() reads what is there and returns; settled() once each keeper has answered.
 *       Names that begin with a dot in D/instances are the driver's own.
 * OWNS  The directory descriptor and the loop stay the caller's and must outlive it.
 */
#ifndef DRIVERS_RUNTIME_PROCESS_H
#define DRIVERS_RUNTIME_PROCESS_H

#include "base/err.h"
#include "os/loop.h"
#include "provider/runtime.h"

/*
 *   state_fd  the state directory D
 *   program   what is run as `PROGRAM keeper --dir D/instances/<id>`; NULL: this program
 */
int runtime_process_new(struct loop *loop, int state_fd, const char *program,
			struct runtime **ret_runtime, struct error *err) MUST_CHECK;

#endif
