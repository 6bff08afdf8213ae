/* SPDX-License-Identifier: Apache-2.0
 *
 * secrets - what people give an application and nobody reads again: sealed in the store, given to instances.
 *
 * WHAT  A secret is an application's, by its name: "prod/db" is for its environment prod alone, "mail" for all. Each
 *       new value is a version more. An instance, and a command of a check, gets the newest when it is started, or,
 *       where its configuration says `pinned`, the one that its release had first in this environment.
 *
 * HOW   control_set_secret() and the others are called by the API. secrets_give() is the runtime's `secret`: called where
 *       an instance is about to start. secrets_check() says before a rollout begins what would be missing, for
 *       instances and for the checks that it makes.
 *
 * OWNS  Values are the caller's to wipe. The key is read for each use and wiped after it.
 * LIMITS SECRETS_VALUE_MAX bytes; the last SECRETS_KEPT versions are kept, and those that a release is pinned to.
 * ERRORS NOT_FOUND there is none of this name, or not this version: a pinned one that is gone is never replaced by
 *        another · DENIED the key is not the one that sealed what is there · CORRUPT it was changed in the store.
 */
#ifndef CONTROL_SECRETS_H
#define CONTROL_SECRETS_H

#include "base/buf.h"
#include "control/control.h"

struct app_process;
struct check_secret;
struct environment;
struct instance_secret;
struct instance_spec;
struct release_info;

enum { SECRETS_VALUE_MAX = 64 * 1024, SECRETS_KEPT = 10, SECRETS_NAME_SIZE = 100 };

/* "stages/npm" is for the stages of the application's pipeline alone, and one that logs can be cleared of. */
enum {
	SECRETS_STAGES_MAX = 64,
	SECRETS_STAGE_VALUE_MIN = 4,
	SECRETS_STAGE_VALUE_MAX = 4096,
	SECRETS_STAGES_BYTES = SECRETS_STAGES_MAX * (SECRETS_STAGE_VALUE_MAX + SECRETS_NAME_SIZE)
};

struct secret_order {
	const char *app;
	const char *name; /* "prod/db" */
	const void *value;
	size_t size;
};

/* The same request id with another value is refused. */
MUST_CHECK int control_set_secret(struct control *c, const struct control_caller *caller,
				  const struct secret_order *order, uint32_t *ret_version,
				  struct error *err);
/* Every version, also those that releases are pinned to. */
MUST_CHECK int control_remove_secret(struct control *c, const struct control_caller *caller,
				     const char *app, const char *name, struct error *err);

/* What an environment's live release does with a secret. */
struct secret_use {
	const char *app, *environment;
	bool pinned;
	bool checks; /* only commands of its checks are given it, when they run */
};

typedef void (*secret_use_visit)(void *context, const struct secret_use *use);
void control_secret_uses(struct control *c, const char *app, const char *name,
			 secret_use_visit visit, void *context);

/* --- for control/ */
MUST_CHECK int secrets_give(void *control, const struct instance_spec *spec,
			    const struct instance_secret *secret, struct buf *ret_value,
			    struct error *err);
/* The same for a command of a check of the release that rolls out in the environment: the check runner's `secret`. */
MUST_CHECK int secrets_give_check(void *environment, const struct check_secret *secret,
				  struct buf *ret_value, struct error *err);
MUST_CHECK int secrets_check(struct environment *e, const struct release_info *info,
			     struct error *err);
/* All of an application's stages, as "stages/npm=value", each with its NUL. */
MUST_CHECK int secrets_of_stages(struct control *c, const char *app, struct buf *to,
				 struct error *err);
/* Into the spec: what the process is to be given. */
void secrets_fill(const struct app_process *process, struct instance_spec *spec);

#endif
