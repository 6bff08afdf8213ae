/* SPDX-License-Identifier: Apache-2.0
 *
 * plans - the interface to what the two commands of `infrastructure` hand to each other: the plan's file, and what the
 *         first one said of it.
 *
 * HOW   ask() makes an empty directory for a rollout and names the file that the first command has to write there.
 *       seal() takes that file away from it: nobody but davit writes the copy. open() names the copy for the second
 *       command, if it still is what was sealed. All may be asked again after a crash.
 * OWNS  Plain data, caller's memory.
 * ERRORS As files. seal(): NOT_FOUND nothing was written · LIMIT more than PLANS_BYTES_MAX. open(): NOT_FOUND it is gone ·
 *       CORRUPT it is another one.
 * LIMITS The newest PLANS_KEPT rollouts keep their files, where a crash kept davit from forgetting them.
 */
#ifndef PROVIDER_PLANS_H
#define PROVIDER_PLANS_H

#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

enum { PLANS_BYTES_MAX = 16 << 20, PLANS_KEPT = 20, PLANS_PATH_SIZE = 1200 };

struct plans;

struct plans_ops {
	/* `user`: whoever the command runs as; NULL: as davit does. */
	int (*ask)(struct plans *plans, uint32_t rollout, const char *user,
		   char ret_path[PLANS_PATH_SIZE], struct error *err);
	int (*seal)(struct plans *plans, uint32_t rollout, const char *user,
		    struct digest *ret_digest, struct error *err);
	int (*open)(struct plans *plans, uint32_t rollout, const struct digest *digest,
		    char ret_path[PLANS_PATH_SIZE], struct error *err);
	/* The last whole lines that an instance wrote, without the time before each; "" where there are none. */
	void (*words)(struct plans *plans, const char *instance, char *to, size_t size);
	/* The rollout is over: nothing of its plan stays, for it may hold what is secret. Gone already is success. */
	int (*forget)(struct plans *plans, uint32_t rollout, struct error *err);
};

struct plans {
	const struct plans_ops *ops;
};

#endif
