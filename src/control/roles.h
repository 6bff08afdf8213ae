/* SPDX-License-Identifier: Apache-2.0
 *
 * roles - may who asks do this in an environment? By the server's own file, as it is now (config/server_roles.h).
 *
 * WHAT  A no is a sentence that names who may, and a line "refused" in the audit log, at most ROLES_REFUSED of them a
 *       minute; a yes to whoever runs the server, where others are named, is a line "override". On a full disk neither is
 *       written, for a way back does not wait.
 * ERRORS ERR_DENIED.
 */
#ifndef CONTROL_ROLES_H
#define CONTROL_ROLES_H

#include "config/server_roles.h"
#include "control/control.h"

enum { ROLES_REFUSED = 20 };

MUST_CHECK int control_may(struct control *c, const char *who, enum server_standing standing,
			   const char *key, enum server_role role, struct error *err);

/* The same without a word to anybody: what else may they do? */
bool control_would(const struct control *c, const char *who, enum server_standing standing,
		   const char *key, enum server_role role);

#endif
