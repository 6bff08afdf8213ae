/* SPDX-License-Identifier: Apache-2.0
 *
 * smoke - the check runner of one machine: GETs by libcurl, commands by /bin/sh, on the controller's loop.
 * SEE   provider/check.h for the contract. No redirect is followed and no proxy used: the answer that is
 *       judged is that of the instance itself.
 */
#ifndef DRIVERS_CHECK_SMOKE_H
#define DRIVERS_CHECK_SMOKE_H

#include "os/loop.h"
#include "provider/check.h"

struct check_runner *smoke_new(struct loop *loop);
void smoke_free(struct check_runner *runner); /* cancels what is under way; NULL is allowed */

#endif
