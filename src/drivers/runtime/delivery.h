/* SPDX-License-Identifier: Apache-2.0
 *
 * delivery - the secrets of instances as files in memory, where their keepers and programs find them.
 *
 * WHAT  One directory for each instance that has secrets, on a tmpfs: below /run/davit-… where that is one and we are
 *       root, else below $XDG_RUNTIME_DIR or /dev/shm. It is the instance's user's and nobody else's, and the link
 *       `secrets` in the instance's directory leads there. It outlives keepers and controllers, and is gone with the
 *       machine's memory: who starts a keeper asks for it first.
 *
 * HOW   delivery_open() once; delivery_make() before every start of a keeper; delivery_remove() when the instance is over.
 *       delivery_sweep() removes what instances of another time have left.
 * ERRORS UNSUPPORTED: there is no tmpfs; DENIED: somebody else has made the directory's name theirs.
 */
#ifndef DRIVERS_RUNTIME_DELIVERY_H
#define DRIVERS_RUNTIME_DELIVERY_H

#include "os/memory_directory.h"
#include "provider/runtime.h"

struct delivery {
	char path[MEMORY_PATH_SIZE]; /* "" until the first secret */
	char name[MEMORY_NAME_SIZE]; /* of the directory of this state directory */
};

void delivery_open(struct delivery *delivery, int state_fd);
/* What is there already stays as it is. */
int delivery_make(struct delivery *delivery, int instance_fd, const struct instance_spec *spec,
		  const struct runtime *runtime, struct error *err) MUST_CHECK;
/* Gone already, or never there, is success. */
void delivery_remove(int instance_fd);
/* Of which no instance is left: `known` says whether there is one of this name. */
void delivery_sweep(struct delivery *delivery, bool (*known)(void *context, const char *place),
		    void *context);
void delivery_close(struct delivery *delivery); /* the empty directory goes */

#endif
