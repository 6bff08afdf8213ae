/* SPDX-License-Identifier: Apache-2.0
 *
 * build_release - the archive of a build becomes a release. Of builds.c only.
 *
 * HOW   The archive is read beside the loop; then `done` once, in the loop: with the release's id, or NULL and why.
 */
#ifndef CONTROL_BUILD_RELEASE_H
#define CONTROL_BUILD_RELEASE_H

#include "control/environment.h"
#include "provider/builds.h"
#include "store/builds.h"

typedef void (*build_released)(struct control *c, uint32_t number, const char *release,
			       const struct error *why);

void build_release_begin(struct control *c, const struct store_build *build, const char *archive,
			 build_released done);
/* One under way ends without the control. */
void build_release_forget(struct control *c);

#endif
