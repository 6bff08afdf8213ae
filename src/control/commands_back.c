/* SPDX-License-Identifier: Apache-2.0
 * commands_back - back to a release that was good, and the same release once more: the commands that bring nothing new.
 *                 See control.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/config.h"
#include "control/commands.h"
#include "control/migration.h"
#include "control/release_config.h"
#include "control/secrets.h"
#include "store/releases.h"

enum { STABLES_LOOKED_AT = 100 };

struct way_back {
	struct store *store;
	char live[DIGEST_HEX_SIZE]; /* origin */
	char found[DIGEST_HEX_SIZE];
	struct error err;
};

/* The newest that was live before, is not marked bad, and is other content than what is live now: a restart
 * made the same content live under another id. Nor what a rollback left: who goes back twice goes on back. */
static int find_way_back(void *context, const struct store_stable *stable)
{
	struct way_back *way = context;
	char origin[DIGEST_HEX_SIZE];
	if (stable->bad || stable->left)
		return 0;
	if (release_origin(way->store, stable->release, origin, &way->err) < 0)
		return 0; /* what cannot be read is nothing to go back to */
	if (strcmp(origin, way->live) == 0)
		return 0;
	text_copy(way->found, sizeof way->found, stable->release);
	return 1;
}

static int last_good(struct environment *e, char ret_hex[DIGEST_HEX_SIZE], struct error *err)
{
	struct store *store = e->control->parts.store;
	const struct release_info *live = environment_release(e, e->core.stable);
	struct way_back way = {.store = store};
	int result = live ? release_origin(store, live->hex, way.live, err) : 0;
	if (result == 0)
		result = store_stables(store, e->app, e->name, STABLES_LOOKED_AT, find_way_back,
				       &way, err);
	if (result < 0)
		return result;
	if (!way.found[0])
		return error_set(
			err, ERR_NOT_FOUND,
			"%s has no earlier good release to go back to; \"davit releases\" lists "
			"what there is, \"davit rollback %s --to TAG\" chooses one.",
			e->key, e->name);
	text_copy(ret_hex, DIGEST_HEX_SIZE, way.found);
	return 0;
}

/* The same content, whatever restarts made of it. */
struct was_live {
	struct store *store;
	const char *origin;
	bool found, bad;
};

static int see_stable(void *context, const struct store_stable *stable)
{
	struct was_live *was = context;
	char origin[DIGEST_HEX_SIZE];
	struct error unread;
	if (release_origin(was->store, stable->release, origin, &unread) < 0 ||
	    strcmp(origin, was->origin) != 0)
		return 0;
	was->found = true;
	was->bad |= stable->bad;
	return 0;
}

/* A way back asks nobody, so that it leads to nowhere else than where the environment was. */
static int check_was_live(struct environment *e, const struct store_release *to, const char *origin,
			  bool only_good, struct error *err)
{
	struct was_live was = {.store = e->control->parts.store, .origin = origin};
	int result =
		store_stables(was.store, e->app, e->name, STABLES_LOOKED_AT, see_stable, &was, err);
	if (result < 0)
		return result;
	if (!was.found)
		return error_set(
			err, ERR_CONFLICT,
			"%s was never live in %s, so that there is no way back to it; bring "
			"it there with: davit deploy %s %s",
			to->tag, e->key, e->name, to->tag);
	if (was.bad && only_good)
		return error_set(
			err, ERR_DENIED,
			"%s is marked bad in %s, and going back to it takes who may deploy.",
			to->tag, e->key);
	return 0;
}

/* Where a rollback leads. */
struct target {
	char hex[DIGEST_HEX_SIZE];
	bool is_live;   /* it never left: what is on its way has to go */
	bool is_coming; /* a rollback to it is under way */
};

static int find_target(struct environment *e, const struct control_back *how, struct target *target,
		       struct error *err)
{
	const char *to = how->to;
	struct store *store = e->control->parts.store;
	const struct release_info *live = environment_release(e, e->core.stable);
	const struct active_rollout *r = e->active;
	struct store_release row;
	char origin[DIGEST_HEX_SIZE], other[DIGEST_HEX_SIZE];
	bool moving = r && !r->state.marked;
	bool back = moving && strcmp(r->kind, "rollback") == 0;
	if (!to[0] && back && !r->plan.reverts) {
		target->is_coming = true;
		return 0;
	}
	/* What is live has not left while something is on its way; a restart brings nothing else. */
	if (!to[0] && live && moving && strcmp(r->kind, "deploy") == 0) {
		target->is_live = true;
		return 0;
	}
	if (!to[0])
		return last_good(e, target->hex, err);
	int result = store_release_match(store, e->app, to, &row, err);
	if (result == 0)
		result = release_origin(store, row.id, origin, err);
	if (result == 0)
		result = check_was_live(e, &row, origin, how->only_good, err);
	if (result == 0 && live) {
		result = release_origin(store, live->hex, other, err);
		target->is_live = strcmp(origin, other) == 0;
	}
	if (result == 0 && back && !r->plan.reverts) {
		result = release_origin(store, r->candidate.hex, other, err);
		target->is_coming = strcmp(origin, other) == 0;
	}
	text_copy(target->hex, sizeof target->hex, row.id);
	return result;
}

/* What waits must not begin by itself when somebody goes back. */
static int cancel_queue(struct environment *e, const struct control_caller *caller,
			const char *reason, struct error *err)
{
	struct rollout_event event = {.kind = EVENT_ABORT};
	struct turn_note note = {.caller = caller, .action = "rollback", .reason = reason};
	int result = 0;
	for (uint32_t i = e->queue_count; i > 0 && result == 0; i--)
		result = environment_turn(e, e->queue[i - 1], &event, &note, NULL, err);
	return result;
}

/* While something is on its way, going back is to abort it: the live release has never left. */
static int abort_instead(struct environment *e, const struct control_caller *caller,
			 const char *reason, const struct digest *request, uint32_t *ret_rollout,
			 struct error *err)
{
	struct rollout_event event = {.kind = EVENT_ABORT};
	struct turn_note note = {
		.caller = caller, .action = "rollback", .reason = reason, .request = request};
	enum rollout_answer answer = ANSWER_NONE;
	*ret_rollout = e->active->number;
	int result = cancel_queue(e, caller, reason, err);
	if (result == 0)
		result = environment_turn(e, e->active, &event, &note, &answer, err);
	if (result < 0)
		return result;
	if (answer != ANSWER_OK && answer != ANSWER_GOING_BACK)
		return error_set(err, ERR_CONFLICT, "%s", rollout_answer_text(answer));
	return 0;
}

int control_rollback(struct control *c, const struct control_caller *caller,
		     const char *environment, const struct control_back *back,
		     uint32_t *ret_rollout, struct error *err)
{
	struct digest request;
	struct environment *e = NULL;
	struct target target = {.hex = ""};
	char across[SENTENCE_SIZE];
	int result = command_asked_before(c, caller, &request, ret_rollout, err, "rollback %s %s%s",
					  environment, back->to, back->across ? " across" : "");
	if (result != 0)
		return result < 0 ? result : 0;
	result = environment_named(c, environment, &e, err);
	if (result == 0)
		result = find_target(e, back, &target, err);
	if (result < 0)
		return result;
	if (target.is_coming) {
		*ret_rollout = e->active->number;
		return 0;
	}
	if (target.is_live && e->active && !e->active->state.marked)
		return abort_instead(e, caller, back->reason, &request, ret_rollout, err);
	if (target.is_live)
		return error_set(err, ERR_CONFLICT, "%s is live in %s already.", back->to, e->key);
	result = migration_check_back(e, target.hex, back->across, across, sizeof across, err);
	if (result < 0)
		return result;
	struct active_rollout *r = command_rollout_new("rollback", back->reason);
	result = release_load(e, target.hex, &r->candidate, err);
	if (result < 0) {
		free(r);
		return result;
	}
	text_copy(r->strategy, sizeof r->strategy, "rollback");
	return command_submit(e, r, caller, &request, across, ret_rollout, err);
}

/* The same artifact and configuration under a new id: then a restart is a rolling rollout like any other. */
static int add_twin(struct environment *e, const struct release_info *live,
		    char ret_hex[DIGEST_HEX_SIZE], struct error *err)
{
	struct control *c = e->control;
	struct store_release row;
	struct digest config, artifact, id;
	struct buf old, json;
	buf_init(&old, STORE_BLOB_MAX);
	buf_init(&json, STORE_BLOB_MAX);
	int result = store_release_get(c->parts.store, live->hex, &row, &old, err);
	uint64_t now = env_wall_ms(c->parts.env);
	if (result == 0)
		result = release_config_again(buf_text(&old), old.size, now, &json, &config, err);
	if (result == 0) {
		ASSERT(digest_parse(row.artifact, &artifact));
		id = config_release_id(&artifact, &config);
		digest_format(&id, row.id);
		digest_format(&config, row.config_digest);
		row.config = buf_text(&json);
		row.created_unix_ms = now;
		snprintf(row.source, sizeof row.source, "restart of %.12s", live->hex);
		control_begin(c, false);
		store_add_release(c->parts.store, &row);
		result = control_commit(c, err);
		text_copy(ret_hex, DIGEST_HEX_SIZE, row.id);
	}
	buf_done(&old);
	buf_done(&json);
	return result;
}

int control_restart(struct control *c, const struct control_caller *caller, const char *environment,
		    const char *reason, uint32_t *ret_rollout, struct error *err)
{
	char hex[DIGEST_HEX_SIZE];
	struct digest request;
	struct environment *e = NULL;
	int result = command_asked_before(c, caller, &request, ret_rollout, err, "restart %s",
					  environment);
	if (result != 0)
		return result < 0 ? result : 0;
	result = environment_named(c, environment, &e, err);
	if (result < 0)
		return result;
	const struct release_info *live = environment_release(e, e->core.stable);
	if (!live)
		return error_set(err, ERR_CONFLICT,
				 "Nothing is live in %s, so nothing can be restarted.", e->key);
	if (e->active || e->queue_count > 0)
		return error_set(err, ERR_CONFLICT,
				 "A rollout is under way in %s; wait for it (\"davit watch %s\") "
				 "or abort it.",
				 e->key, e->name);
	result = add_twin(e, live, hex, err);
	if (result < 0)
		return result;
	struct active_rollout *r = command_rollout_new("restart", reason);
	result = release_load(e, hex, &r->candidate, err);
	if (result == 0)
		result = secrets_check(e, &r->candidate, err);
	if (result < 0) {
		release_info_free(&r->candidate);
		free(r);
		return result;
	}
	text_copy(r->strategy, sizeof r->strategy, "rolling");
	return command_submit(e, r, caller, &request, "", ret_rollout, err);
}
