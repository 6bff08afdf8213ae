/* SPDX-License-Identifier: Apache-2.0
 *
 * builtin - the router that is davit's own gateway: provider/router.h over the supervisor's socket.
 *
 * WHAT  Keeps one document per environment, merges them into one table, hands it to the gateway's
 *       supervisor, and says when all workers use it. Reads the counters from the memory that the
 *       workers write.
 *
 * HOW   A table carries at most one environment's change, so that a refusal is the answer to the request
 *       that caused it. What stands already is answered without a table: asking again is cheap.
 *       The supervisor's table in force is read back when it is connected to: what it serves is known
 *       before the first request, places in the counters stay, and environments that the controller has
 *       not spoken of yet are carried along. After a lost connection it connects again every
 *       BUILTIN_RETRY_MS, and sends what did not arrive once more.
 *
 * OWNS  The loop and the directory's descriptor are the caller's and must outlive the router.
 *
 * ERRORS See provider/router.h. A request that was not answered within BUILTIN_ANSWER_MS is done with
 *       ERR_TIMEOUT, or ERR_UNAVAILABLE when there was no gateway.
 *
 * SEE   gateway/supervisor.h, drivers/router/builtin_table.h, tests/unit/drivers/test_builtin.c
 */
#ifndef DRIVERS_ROUTER_BUILTIN_H
#define DRIVERS_ROUTER_BUILTIN_H

#include "base/err.h"
#include "os/loop.h"
#include "provider/router.h"

enum { BUILTIN_RETRY_MS = 20, BUILTIN_ANSWER_MS = 10000 };

/* Never fails for want of a gateway: it connects as soon as there is one. */
struct router *builtin_router_new(struct loop *loop, int state_fd);

#endif
