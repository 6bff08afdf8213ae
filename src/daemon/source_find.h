/* SPDX-License-Identifier: Apache-2.0
 *
 * source_find - which commit a name means in a repository of the server: `find` of provider/sources.h.
 */
#ifndef DAEMON_SOURCE_FIND_H
#define DAEMON_SOURCE_FIND_H

#include "provider/sources.h"

int source_find(const char *repository, const char *name, struct sources_commit *ret_commit,
		struct error *err) MUST_CHECK;

#endif
