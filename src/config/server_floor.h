/* SPDX-License-Identifier: Apache-2.0
 *
 * server_floor - `protect` of the server's own file: what an environment asks at the least, whatever a commit says.
 */
#ifndef CONFIG_SERVER_FLOOR_H
#define CONFIG_SERVER_FLOOR_H

#include <stddef.h>

#include "config/app.h"
#include "config/schema.h"
#include "config/server_roles.h"

struct server;

struct server_protected {
	uint32_t set;
	const char *name; /* "shop/prod" */
	struct app_approve approve;
	const char *from;           /* a release was good there before; NULL: as the commit says */
	uint64_t soak_ms;           /* at least so long */
	struct app_windows windows; /* set 0: as the commit says */
	bool signed_tags;          /* nothing is triggered here but by a tag of an allowed signer */
	struct app_texts verify;   /* what the commit has to have in `verify`: names, "kind:scan" */
	struct app_texts analysis; /* what it has to have judged: "errors", "kpi:checkouts" */
	struct app_texts roles[SERVER_ROLE_COUNT]; /* who may; count 0: not written */
};

extern const struct schema_section server_protected_section;

void server_floor_defaults(struct server_protected *floor);

/* Where a release comes from, and when it may go out, by both files. Texts live as long as both of them. */
struct server_passage {
	const char *from; /* NULL: from anywhere */
	uint64_t soak_ms;
	uint32_t window_count; /* 0: always; each has to be open */
	const struct app_windows *windows[2];
};

/* `server` may be NULL: there is no such file. */
struct server_passage server_passage(const struct server *server, const char *key,
				     const struct app_environment *own);

/* What the floor asks of `verify` and `analysis` and this configuration has not, as words such as "the check smoke
 * (verify) and latency (analysis)", cut to `size`. False, and "": nothing is missing. */
bool server_missing(const struct server *server, const char *key, const struct resolved *config,
		    char *to, size_t size);

/* The floor of one environment; NULL: there is none. */
const struct server_protected *server_floor_of(const struct server *server, const char *key);

/* Do the names of its roles exist? False, and a sentence. */
bool server_floor_check(const struct server *server, const struct server_protected *floor,
			char *why, size_t why_size);

#endif
