/* SPDX-License-Identifier: Apache-2.0
 *
 * stages - the part of `struct app` that says how a commit becomes a release: `pipeline`. See app.h, which is
 *          what others include.
 *
 * WHAT  Stages are kept in the order of the file. They are no part of a resolved configuration: a pipeline
 *       makes a release, and does not travel with it.
 * HOW   config_stage() fills in the defaults of one.
 */
#ifndef CONFIG_STAGES_H
#define CONFIG_STAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "config/steps.h"

enum {
	APP_STAGES_MAX = 32,
	APP_SERVICES_MAX = 4, /* of one stage */
};

/* One of the two: a port on the sandbox's loopback that takes a connection, or a command that exits with 0. */
struct app_service_ready {
	uint32_t set;
	uint32_t tcp;
	struct app_command run;
	uint64_t deadline_ms;
};

struct app_service {
	uint32_t set;
	const char *name;
	struct app_command run; /* a script or a list */
	struct app_service_ready ready;
};

struct app_cache {
	uint32_t set;
	struct app_texts key;   /* files whose content is the key */
	struct app_texts paths; /* what is kept */
};

struct app_when {
	uint32_t set;
	struct app_texts branch; /* names, or "release/" for all below it */
	struct app_texts tag;    /* names, or "v*" for all that begin so */
};

/* What the name of a secret that stages may read begins with: nothing else opens to them. */
#define APP_STAGE_SECRETS "stages/"

enum { APP_STAGE_SECRETS_MAX = 16 };

struct app_stage {
	uint32_t set;
	const char *name;
	struct app_command run; /* a script or a list; set 0: none, it only makes the archive */
	struct app_texts needs;
	struct app_texts outputs;
	uint64_t timeout_ms;
	uint32_t retry;
	struct app_env env;
	struct app_env secrets; /* values are "davit:stages/NAME" */
	bool network;
	uint32_t service_count;
	struct app_service services[APP_SERVICES_MAX];
	struct app_cache cache;
	struct app_when when;
	bool finally;
	const char *junit;
	const char *sarif, *baseline;
	uint32_t block_at; /* 0 low, 1 medium, 2 high, 3 critical; only with `sarif` */
	struct app_texts archive;
};

#endif
