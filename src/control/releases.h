/* SPDX-License-Identifier: Apache-2.0
 *
 * releases - what the control knows of a release in one environment, and what it makes of its configuration.
 *
 * OWNS  A release_info owns its configuration; release_info_free() lets go of it and empties the struct.
 * ERRORS of loading: NOT_FOUND no such release, or it has no such environment · CORRUPT, INTERNAL the store.
 */
#ifndef CONTROL_RELEASES_H
#define CONTROL_RELEASES_H

#include "config/app.h"
#include "control/control.h"
#include "judge/rules.h"
#include "provider/runtime.h"
#include "rollout/documents.h"
#include "strategy/strategy.h"

struct environment;

enum { CONTROL_NAME_SIZE = 48 };

/* Index p means the same process in every release that has a slot; "" = free. */
struct process_names {
	char name[PROCESSES_MAX][CONTROL_NAME_SIZE];
};

/* A release that has a slot in an environment, or is on its way to one. */
struct release_info {
	struct release_id id; /* empty: none */
	char hex[DIGEST_HEX_SIZE];
	char tag[CONTROL_TAG_SIZE];
	char artifact[DIGEST_HEX_SIZE];
	char by[CONTROL_WHO_SIZE];
	uint64_t since_unix_ms;  /* live since, or made at */
	struct resolved *config; /* for this environment */
};

MUST_CHECK int release_load(struct environment *e, const char *hex, struct release_info *ret_info,
			    struct error *err);
/* The same, with the strategy `strategy` instead of the environment's own; "" keeps it. */
MUST_CHECK int release_load_with(struct environment *e, const char *hex, const char *strategy,
				 struct release_info *ret_info, struct error *err);
/* The id that artifact and configuration give. A restart makes a release of the same content under another id;
 * its origin is that of the release it was made from. */
MUST_CHECK int release_origin(struct store *store, const char *hex, char ret_hex[DIGEST_HEX_SIZE],
			      struct error *err);
/* Letters, digits and . _ + -, at most 64 of them. */
bool release_tag_valid(const char *tag);
void release_info_free(struct release_info *info);
/* The process of that name; NULL: there is none. */
const struct app_process *release_process(const struct resolved *config, const char *name);
/* How the release goes out, with its processes by the environment's indexes: `ret_names` is what these mean then. */
MUST_CHECK int release_settings(const struct environment *e, const struct resolved *config,
				struct process_names *ret_names,
				struct strategy_settings *ret_settings, struct error *err);
void release_judge_rules(const struct resolved *config, struct judge_rules *ret_rules);
/* Have instance `number` (from 1) of a process of the release in `slot` run. */
MUST_CHECK int release_start_instance(struct environment *e, uint8_t slot, uint32_t process,
				      uint32_t number, struct instance_version version,
				      struct error *err);

/* A command of the release beside its processes, once: as `web` (or its first process) runs. */
struct release_command {
	const char *id, *name; /* of the instance, and in the place of a process's name */
	const struct app_command *command;
	uint32_t slot;
	const char *const
		*variables; /* "NAME=value", NULL-terminated: beside those of the process */
};

/* The process whose user, variables and limits it has. */
const struct app_process *release_command_process(const struct release_info *info);
/* Have it run; when it ends it is not started again. */
MUST_CHECK int release_run_command(struct environment *e, const struct release_info *info,
				   const struct release_command *what,
				   struct instance_version version, struct error *err);

#endif
