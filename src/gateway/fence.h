/* SPDX-License-Identifier: Apache-2.0
 *
 * fence - may this table follow that one? The gateway's own guard against a controller that is late.
 *
 * WHAT  A controller that was paused, or a second one, may send a table that was right once. A table is
 *       refused when its generation is not newer than the one in force, or when it goes back for any
 *       environment: an older router document, or the same document with other weights or another
 *       mode. Environments may come and go.
 * HOW   Pure.
 * ERRORS ERR_CONFLICT and a sentence that names the environment and both versions.
 */
#ifndef GATEWAY_FENCE_H
#define GATEWAY_FENCE_H

#include "base/err.h"
#include "link/table.h"

int fence_check(const struct gateway_table *in_force, const struct gateway_table *next,
		struct error *err) MUST_CHECK;

#endif
