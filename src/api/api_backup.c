/* SPDX-License-Identifier: Apache-2.0
 * api_backup - a copy of the store for "davit backup", step by step as the client asks for them, so that no step
 *              keeps the loop for long. See routes.h.
 *
 * The copy is STATE/spool/backup.db. The client takes it from there; a client that went away is forgotten after
 * BACKUP_REST_MS, and what it left is removed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/routes.h"
#include "base/buf.h"
#include "base/text.h"
#include "os/random.h"
#include "store/audit.h"
#include "store/backup.h"

enum {
	BACKUP_STEP_PAGES = 128, /* half a MiB */
	BACKUP_REST_MS = 30000,
	BACKUP_ID_SIZE = 17,
	BACKUP_PATH_SIZE = 1200,
};

struct backup {
	struct api *api;
	char id[BACKUP_ID_SIZE];
	char path[BACKUP_PATH_SIZE];
	struct store_backup *copy;
	struct env_timer forget;
};

static void drop(struct backup *b, bool with_file)
{
	struct api *api = b->api;
	struct env *env = loop_env(api->parts.loop);
	env->ops->timer_stop(env, &b->forget);
	store_backup_end(b->copy);
	if (with_file)
		unlink(b->path);
	api->backup = NULL;
	free(b);
}

void release_backup(struct api *api)
{
	if (api->backup)
		drop(api->backup, true);
}

static void forget(void *context)
{
	drop(context, true);
}

static void rest(struct backup *b)
{
	struct env *env = loop_env(b->api->parts.loop);
	b->forget.fire = forget;
	b->forget.context = b;
	env->ops->timer_start(env, &b->forget, BACKUP_REST_MS);
}

/* Who took a copy of everything stands in the log, and in the copy. */
static int write_down(struct api *api, struct http_request *request, struct error *err)
{
	struct store_audit_entry audit = {.at_unix_ms = env_wall_ms(loop_env(api->parts.loop))};
	struct control_caller caller = caller_of(request);
	text_copy(audit.who, sizeof audit.who, caller.who);
	text_copy(audit.action, sizeof audit.action, "backup");
	store_begin(api->parts.store);
	store_add_audit(api->parts.store, &audit);
	return store_commit(api->parts.store, err);
}

void post_backup(struct api *api, struct http_request *request)
{
	struct error err;
	static const char *const fields[] = {NULL};
	json_t *body = body_of(request, fields);
	if (!body)
		return;
	json_decref(body);
	if (api->backup) {
		error_set(&err, ERR_CONFLICT,
			  "Another backup of this server is under way; wait until it has ended.");
		answer_error(request, &err, NULL);
		return;
	}
	struct backup *b = mem_zero(1, sizeof *b);
	b->api = api;
	snprintf(b->path, sizeof b->path, "%s/spool/backup.db", api->parts.state_directory);
	random_hex(b->id, sizeof b->id);
	unlink(b->path); /* of a controller that was killed */
	int result = write_down(api, request, &err);
	if (result == 0)
		result = store_backup_begin(api->parts.store, b->path, &b->copy, &err);
	if (result < 0) {
		unlink(b->path);
		free(b);
		answer_error(request, &err, NULL);
		return;
	}
	api->backup = b;
	rest(b);
	answer_json(request, 200,
		    json_pack("{s:s,s:s,s:s}", "schema", "davit.v1/backup-store", "id", b->id,
			      "file", b->path));
}

void post_backup_step(struct api *api, struct http_request *request)
{
	struct backup *b = api->backup;
	struct error err;
	uint32_t left, all;
	if (!b || strcmp(b->id, http_segment(request, 2)) != 0) {
		error_set(&err, ERR_NOT_FOUND,
			  "This backup is not under way any more: begin another one.");
		answer_error(request, &err, "davit backup FILE");
		return;
	}
	int result = store_backup_step(b->copy, BACKUP_STEP_PAGES, &left, &all, &err);
	if (result < 0) {
		drop(b, true);
		answer_error(request, &err, NULL);
		return;
	}
	if (result == 0)
		drop(b, false); /* the file is the client's now */
	else
		rest(b);
	answer_json(request, 200,
		    json_pack("{s:s,s:b,s:i,s:i}", "schema", "davit.v1/backup-step", "whole",
			      result == 0, "left_pages", (int)left, "pages", (int)all));
}
