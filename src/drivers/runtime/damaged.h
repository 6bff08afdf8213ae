/* SPDX-License-Identifier: Apache-2.0
 *
 * damaged - an instance whose directory cannot be read: end what is left of it, and put its files aside.
 *
 * WHAT  Whose an instance was is not known without its spec.json, so it can neither be drained nor counted,
 *       while its keeper and its program may run on. Both are ended; who they are stands in `lock` and
 *       `state`. Where `state` cannot be read either, all that is in its cgroup or carries its mark is ended;
 *       what has left both is not found, and `ret_sure` says so. The files stay for a look as D/instances/.damaged-ID, without the copy of the release; of
 *       more than DAMAGED_KEPT_MAX such directories the oldest goes.
 *
 * TIME  Blocks until everything has ended, at most DAMAGED_WAIT_MS: it is called when the driver starts,
 *       before there is anything else to do.
 * ERRORS Nothing was moved: something does not end, or the disk refuses. It is tried again at the next start.
 */
#ifndef DRIVERS_RUNTIME_DAMAGED_H
#define DRIVERS_RUNTIME_DAMAGED_H

#include <stdbool.h>

#include "base/err.h"
#include "link/instance.h"

enum {
	DAMAGED_KEPT_MAX = 8,
	DAMAGED_WAIT_MS = 5000,
	DAMAGED_NAME_SIZE = INSTANCE_ID_SIZE + 16,
};

/* `ret_name` gets the name of the directory in which the files are now; `ret_sure`, whether all of it has ended. */
int damaged_put_aside(int instances_fd, const char *id, char ret_name[DAMAGED_NAME_SIZE],
		      bool *ret_sure, struct error *err) MUST_CHECK;

/* The name of a directory that was put aside earlier. */
bool damaged_name(const char *name);

#endif
