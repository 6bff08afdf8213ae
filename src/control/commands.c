/* SPDX-License-Identifier: Apache-2.0
 * commands - what people and programs ask for: every one is checked, committed with its audit entry, and only
 * then done. A request id that was seen before is answered as it was then. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "control/environment.h"
#include "control/release_config.h"
#include "control/view.h"
#include "provider/artifact.h"
#include "store/audit.h"
#include "store/releases.h"
#include "store/rollouts.h"

enum {
	REQUEST_TEXT_MAX = 1024,
	STABLES_LOOKED_AT = 20,
	RELEASES_LOOKED_AT = 10000,
	TAG_CHARS_MAX = 64
};

/* --- names */

int control_resolve_environment(struct control *c, const char *text, char ret_key[CONTROL_KEY_SIZE],
				struct error *err)
{
	const struct environment *found = NULL;
	const char *names[CONTROL_ENVIRONMENT_MAX];
	for (uint32_t i = 0; i < c->environment_count; i++) {
		const struct environment *e = c->environments[i];
		names[i] = strchr(text, '/') ? e->key : e->name;
		if (strcmp(names[i], text) != 0)
			continue;
		if (found)
			return error_set(err, ERR_CONFLICT,
					 "Both %s and %s have an environment \"%s\"; say %s or %s.",
					 found->app, e->app, text, found->key, e->key);
		found = e;
	}
	if (found) {
		text_copy(ret_key, CONTROL_KEY_SIZE, found->key);
		return 0;
	}
	const char *meant = text_suggest(text, names, c->environment_count);
	if (meant)
		return error_set(err, ERR_NOT_FOUND,
				 "There is no environment \"%s\"; did you mean \"%s\"?", text,
				 meant);
	return error_set(err, ERR_NOT_FOUND,
			 "There is no environment \"%s\" yet; the first \"davit deploy\" makes it.",
			 text);
}

static int find_environment(struct control *c, const char *text,
			    struct environment **ret_environment, struct error *err)
{
	char key[CONTROL_KEY_SIZE];
	int result = control_resolve_environment(c, text, key, err);
	if (result == 0)
		*ret_environment = environment_find_key(c, key);
	return result;
}

static int find_rollout(struct control *c, const char *text, struct environment **ret_environment,
			struct active_rollout **ret_rollout, struct error *err)
{
	uint64_t number;
	if (!text_parse_u64(text, UINT32_MAX, &number)) {
		int result = find_environment(c, text, ret_environment, err);
		if (result < 0)
			return result;
		struct environment *e = *ret_environment;
		*ret_rollout = e->active ? e->active : e->queue_count > 0 ? e->queue[0] : NULL;
		return *ret_rollout ? 0
				    : error_set(err, ERR_CONFLICT,
						"Nothing is rolling in %s, so there is nothing to "
						"tell it.",
						e->key);
	}
	for (uint32_t i = 0; i < c->environment_count; i++) {
		struct environment *e = c->environments[i];
		*ret_environment = e;
		if (e->active && e->active->number == number) {
			*ret_rollout = e->active;
			return 0;
		}
		for (uint32_t k = 0; k < e->queue_count; k++)
			if (e->queue[k]->number == number) {
				*ret_rollout = e->queue[k];
				return 0;
			}
	}
	return error_set(err, ERR_CONFLICT, "Rollout %llu is not under way.",
			 (unsigned long long)number);
}

/* --- requests that are repeated */

static int keep_number(void *context, const struct store_answer *answer)
{
	uint64_t number = 0;
	if (text_parse_u64(answer->body, UINT32_MAX, &number))
		*(uint32_t *)context = (uint32_t)number;
	return 0;
}

/* 1: this very request was carried out before, and `ret_rollout` is what it gave. */
static int asked_before(struct control *c, const struct control_caller *caller, const char *what,
			struct digest *ret_digest, uint32_t *ret_rollout, struct error *err)
{
	if (!caller->request_id[0])
		return 0;
	*ret_digest = digest_of(what, strlen(what));
	return store_answer_find(c->parts.store, caller->request_id, ret_digest, keep_number,
				 ret_rollout, err);
}

static int remember_answer(struct control *c, const struct control_caller *caller,
			   const struct digest *what, uint32_t rollout, struct error *err)
{
	char body[16];
	struct store_answer answer = {.request = *what,
				      .status = 202,
				      .body = body,
				      .at_unix_ms = env_wall_ms(c->parts.env)};
	if (!caller->request_id[0])
		return 0;
	snprintf(body, sizeof body, "%u", rollout);
	text_copy(answer.id, sizeof answer.id, caller->request_id);
	store_begin(c->parts.store);
	store_add_answer(c->parts.store, &answer);
	return store_commit(c->parts.store, err);
}

/* --- releases */

static bool tag_valid(const char *tag)
{
	size_t length = strlen(tag);
	if (length == 0 || length > TAG_CHARS_MAX || tag[0] == '-' || tag[0] == '.')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-",
			    tag[i]))
			return false;
	return true;
}

static bool parse_version(const char *tag, uint64_t parts[3])
{
	char copy[CONTROL_TAG_SIZE], *rest = copy, *part;
	text_copy(copy, sizeof copy, tag[0] == 'v' ? tag + 1 : tag);
	for (int i = 0; i < 3; i++)
		if (!(part = strsep(&rest, ".")) || !text_parse_u64(part, UINT32_MAX, &parts[i]))
			return false;
	return rest == NULL;
}

static int highest_version(void *context, const struct store_release *r)
{
	uint64_t *best = context, parts[3];
	if (parse_version(r->tag, parts) && memcmp(best, (uint64_t[3]){0}, sizeof parts) >= 0 &&
	    (parts[0] > best[0] || (parts[0] == best[0] && parts[1] > best[1]) ||
	     (parts[0] == best[0] && parts[1] == best[1] && parts[2] > best[2])))
		memcpy(best, parts, sizeof parts);
	return 0;
}

/* v0.0.1, or the highest version that the application has, and one patch more. */
static int next_tag(struct control *c, const char *app, char to[CONTROL_TAG_SIZE],
		    struct error *err)
{
	uint64_t best[3] = {0};
	int result =
		store_releases(c->parts.store, app, RELEASES_LOOKED_AT, highest_version, best, err);
	snprintf(to, CONTROL_TAG_SIZE, "v%llu.%llu.%llu", (unsigned long long)best[0],
		 (unsigned long long)best[1], (unsigned long long)best[2] + 1);
	return result;
}

static int check_tag(struct control *c, const char *app, const char *tag, const char *id,
		     struct error *err)
{
	struct store_release other;
	struct error ignored;
	if (!tag_valid(tag))
		return error_set(
			err, ERR_INVALID,
			"\"%s\" is no tag: letters, digits and . _ + - are allowed, at most %d of "
			"them; for example v1.4.2.",
			tag, TAG_CHARS_MAX);
	if (store_release_match(c->parts.store, app, tag, &other, &ignored) == 0 &&
	    strcmp(other.tag, tag) == 0 && strcmp(other.id, id) != 0)
		return error_set(
			err, ERR_CONFLICT,
			"The tag %s names the release %.12s already, which has other content; "
			"choose another tag with --as.",
			tag, other.id);
	return 0;
}

/* "prod" or "shop/prod" as it was typed, for an application that the configuration names. */
static int check_environment_name(const char *typed, const char *app, const char *config,
				  size_t size, const char **ret_name, struct error *err)
{
	const char *slash = strchr(typed, '/');
	struct buf text;
	if (slash &&
	    (strlen(app) != (size_t)(slash - typed) || strncmp(app, typed, strlen(app)) != 0))
		return error_set(err, ERR_INVALID,
				 "The configuration is that of \"%s\", not of \"%.*s\".", app,
				 (int)(slash - typed), typed);
	*ret_name = slash ? slash + 1 : typed;
	buf_init(&text, CONFIG_ENCODED_MAX);
	int result = release_config_text(config, size, *ret_name, &text, err);
	buf_done(&text);
	return result;
}

static int put_release(struct control *c, const struct control_caller *caller,
		       const struct store_release *row, const char *environment, struct error *err)
{
	struct store *store = c->parts.store;
	struct store_audit_entry audit = {.at_unix_ms = row->created_unix_ms};
	text_copy(audit.who, sizeof audit.who, caller->who);
	text_copy(audit.action, sizeof audit.action, "release");
	text_copy(audit.app, sizeof audit.app, row->app);
	text_copy(audit.environment, sizeof audit.environment, environment);
	snprintf(audit.evidence, sizeof audit.evidence, "%s is release %s (artifact %.12s)",
		 row->tag, row->id, row->artifact);
	store_begin(store);
	store_add_release(store, row);
	store_add_audit(store, &audit);
	char key[CONTROL_KEY_SIZE];
	snprintf(key, sizeof key, "%s/%s", row->app, environment);
	struct environment *e = environment_find_key(c, key);
	bool added = !e;
	if (!e && !(e = environment_add(c, row->app, environment))) {
		store_rollback(store);
		return error_set(err, ERR_LIMIT, "One davit has at most %d environments.",
				 CONTROL_ENVIRONMENT_MAX);
	}
	environment_put(e);
	int result = store_commit(store, err);
	if (result < 0 && added) {
		c->environment_count--;
		free(e->seen);
		free(e);
	}
	return result;
}

int control_add_release(struct control *c, const struct control_caller *caller,
			const struct control_release *release, char ret_id[DIGEST_HEX_SIZE],
			bool *ret_existed, struct error *err)
{
	struct store_release row = {.created_unix_ms = env_wall_ms(c->parts.env),
				    .size_bytes = release->size_bytes},
			     old;
	struct digest config_digest, id;
	struct error ignored;
	const char *environment = NULL;
	struct buf json;
	buf_init(&json, STORE_BLOB_MAX);
	int result = release_config_make(release->config_text, release->config_name, &json,
					 &config_digest, row.app, err);
	if (result == 0)
		result = check_environment_name(release->environment, row.app, buf_text(&json),
						json.size, &environment, err);
	if (result < 0) {
		buf_done(&json);
		return result;
	}
	id = config_release_id(&release->artifact, &config_digest);
	digest_format(&id, row.id);
	digest_format(&release->artifact, row.artifact);
	digest_format(&config_digest, row.config_digest);
	row.config = buf_text(&json);
	text_copy(row.by, sizeof row.by, caller->who);
	bool existed = store_release_get(c->parts.store, row.id, &old, NULL, &ignored) == 0;
	char tag[CONTROL_TAG_SIZE];
	text_copy(tag, sizeof tag, release->tag[0] ? release->tag : existed ? old.tag : "");
	if (!tag[0])
		result = next_tag(c, row.app, tag, err);
	if (result == 0)
		result = check_tag(c, row.app, tag, row.id, err);
	if (result == 0) {
		text_copy(row.tag, sizeof row.tag, tag);
		result = put_release(c, caller, &row, environment, err);
	}
	buf_done(&json);
	if (result < 0)
		return result;
	memcpy(ret_id, row.id, sizeof row.id);
	*ret_existed = existed;
	return 0;
}

int control_mark_release(struct control *c, const struct control_caller *caller,
			 const char *release, const char *environment, bool bad, const char *reason,
			 struct error *err)
{
	struct store *store = c->parts.store;
	struct store_release row;
	struct environment *e = NULL;
	int result = find_environment(c, environment, &e, err);
	if (result == 0)
		result = store_release_match(store, e->app, release, &row, err);
	if (result < 0)
		return result;
	struct store_bad_mark mark = {.at_unix_ms = env_wall_ms(c->parts.env)};
	struct store_audit_entry audit = {.at_unix_ms = mark.at_unix_ms};
	text_copy(mark.app, sizeof mark.app, e->app);
	text_copy(mark.environment, sizeof mark.environment, e->name);
	text_copy(mark.release, sizeof mark.release, row.id);
	text_copy(mark.reason, sizeof mark.reason, reason);
	text_copy(mark.by, sizeof mark.by, caller->who);
	text_copy(audit.who, sizeof audit.who, caller->who);
	text_copy(audit.action, sizeof audit.action, bad ? "mark-bad" : "clear");
	text_copy(audit.app, sizeof audit.app, e->app);
	text_copy(audit.environment, sizeof audit.environment, e->name);
	text_copy(audit.reason, sizeof audit.reason, reason);
	snprintf(audit.evidence, sizeof audit.evidence, "%s (%.12s)", row.tag, row.id);
	store_begin(store);
	if (bad)
		store_add_bad_mark(store, &mark);
	else
		store_clear_bad_mark(store, e->app, e->name, row.id, caller->who, reason,
				     mark.at_unix_ms);
	store_add_audit(store, &audit);
	return store_commit(store, err);
}

/* --- rollouts begin */

static int new_number(struct control *c, uint32_t *ret_number, struct error *err)
{
	store_begin(c->parts.store);
	*ret_number = (uint32_t)store_add_one(c->parts.store, "rollout");
	return store_commit(c->parts.store, err);
}

static void drop(struct active_rollout *r)
{
	release_info_free(&r->candidate);
	free(r);
}

/* Tell those that wait, and the one that runs, that a newer one comes. */
static void tell_newer(struct environment *e, bool supersede)
{
	struct rollout_event newer = {.kind = EVENT_NEWER, .supersede = supersede};
	struct error err;
	for (uint32_t i = e->queue_count; i > 0; i--)
		if (environment_turn(e, e->queue[i - 1], &newer, NULL, NULL, &err) < 0)
			log_event(LOG_ERROR, "control.newer", "environment=%s error=\"%s\"", e->key,
				  err.text);
	if (e->active)
		environment_event(e, &newer, NULL);
}

static int submit(struct environment *e, struct active_rollout *r,
		  const struct control_caller *caller, bool bad, const char *action,
		  uint32_t *ret_rollout, struct error *err)
{
	struct control *c = e->control;
	struct rollout_event event = {.kind = EVENT_SUBMIT, .bad_listed = bad};
	struct turn_note note = {.caller = caller, .action = action, .reason = r->reason};
	int result = new_number(c, &r->number, err);
	if (result == 0 && e->queue_count == CONTROL_QUEUE_MAX)
		result = error_set(err, ERR_LIMIT, "%d rollouts wait in %s already.",
				   CONTROL_QUEUE_MAX, e->key);
	if (result < 0) {
		drop(r);
		return result;
	}
	rollout_init(&r->state);
	plan_init(&r->plan);
	r->verdict_to_zero_ms = -1;
	r->created_unix_ms = env_wall_ms(c->parts.env);
	text_copy(r->by, sizeof r->by, caller->who);
	event.number = r->number;
	event.release = r->candidate.id;
	uint32_t number = r->number;
	bool supersede = r->supersede;
	tell_newer(e, supersede);
	e->queue[e->queue_count++] = r;
	result = environment_turn(e, r, &event, &note, NULL, err);
	if (result < 0) {
		e->queue_count--;
		drop(r);
		return result;
	}
	*ret_rollout = number;
	environment_start_next(e);
	return 0;
}

static struct active_rollout *rollout_new(const char *kind, const char *reason)
{
	struct active_rollout *r = mem_zero(1, sizeof *r);
	text_copy(r->kind, sizeof r->kind, kind);
	text_copy(r->reason, sizeof r->reason, reason);
	return r;
}

static int check_not_there(const struct environment *e, const struct store_release *row,
			   struct error *err)
{
	const struct release_info *live = environment_release(e, e->core.stable);
	if (e->active && strcmp(e->active->candidate.hex, row->id) == 0 &&
	    e->active->state.status != ROLLOUT_REVERTING)
		return error_set(err, ERR_CONFLICT,
				 "%s is on its way to %s already; see \"davit watch %s\".",
				 row->tag, e->key, e->name);
	if (!e->active && live && strcmp(live->hex, row->id) == 0)
		return error_set(err, ERR_CONFLICT,
				 "%s is live in %s already, with the same configuration; \"davit "
				 "restart %s\" "
				 "starts its instances anew.",
				 row->tag, e->key, e->name);
	return 0;
}

int control_deploy(struct control *c, const struct control_caller *caller, const char *environment,
		   const struct control_deploy *deploy, uint32_t *ret_rollout, struct error *err)
{
	char what[REQUEST_TEXT_MAX];
	struct digest digest;
	struct environment *e = NULL;
	struct store_release row;
	struct store_bad_mark mark;
	snprintf(what, sizeof what, "deploy %s %s %s", environment, deploy->release,
		 deploy->strategy);
	int result = asked_before(c, caller, what, &digest, ret_rollout, err);
	if (result != 0)
		return result < 0 ? result : 0;
	result = find_environment(c, environment, &e, err);
	if (result == 0)
		result = store_release_match(c->parts.store, e->app, deploy->release, &row, err);
	if (result == 0)
		result = check_not_there(e, &row, err);
	if (result < 0)
		return result;
	int bad = store_bad_mark_find(c->parts.store, e->app, e->name, row.id, &mark, err);
	if (bad < 0)
		return bad;
	if (bad == 1 && !deploy->allow_bad)
		return error_set(
			err, ERR_CONFLICT,
			"%s is marked bad in %s (%s); \"davit releases clear %s %s\" lifts that.",
			row.tag, e->key, mark.reason, e->name, row.tag);
	struct active_rollout *r = rollout_new("deploy", deploy->reason);
	result = release_load_with(e, row.id, deploy->strategy, &r->candidate, err);
	if (result < 0) {
		free(r);
		return result;
	}
	text_copy(r->strategy, sizeof r->strategy, r->candidate.config->environment.strategy.name);
	r->supersede = r->candidate.config->environment.concurrency == APP_CONCURRENCY_SUPERSEDE;
	result = submit(e, r, caller, false, "deploy", ret_rollout, err);
	return result < 0 ? result : remember_answer(c, caller, &digest, *ret_rollout, err);
}

struct way_back {
	const struct release_info *live; /* or NULL */
	char found[DIGEST_HEX_SIZE];
};

/* The newest that was live before, is not marked bad, and is other content than what is live now: a restart
 * made the same content live under another id. Nor what a rollback left: who goes back twice goes on back. */
static int find_way_back(void *context, const struct store_stable *stable)
{
	struct way_back *way = context;
	const struct release_info *live = way->live;
	if (stable->bad || stable->left ||
	    (live && (strcmp(stable->release, live->hex) == 0 ||
		      (strcmp(stable->tag, live->tag) == 0 &&
		       strcmp(stable->artifact, live->artifact) == 0))))
		return 0;
	text_copy(way->found, sizeof way->found, stable->release);
	return 1;
}

static int rollback_target(struct environment *e, const char *to, char ret_hex[DIGEST_HEX_SIZE],
			   struct error *err)
{
	struct store *store = e->control->parts.store;
	const struct release_info *live = environment_release(e, e->core.stable);
	struct store_release row;
	if (to[0]) {
		int result = store_release_match(store, e->app, to, &row, err);
		if (result < 0)
			return result;
		if (live && strcmp(row.id, live->hex) == 0)
			return error_set(err, ERR_CONFLICT, "%s is live in %s already.", row.tag,
					 e->key);
		text_copy(ret_hex, DIGEST_HEX_SIZE, row.id);
		return 0;
	}
	struct way_back way = {.live = live};
	int result =
		store_stables(store, e->app, e->name, STABLES_LOOKED_AT, find_way_back, &way, err);
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

/* While something is on its way, going back is to abort it: the live release has never left. */
static int abort_instead(struct environment *e, const struct control_caller *caller,
			 const char *reason, uint32_t *ret_rollout, struct error *err)
{
	struct rollout_event event = {.kind = EVENT_ABORT};
	struct turn_note note = {.caller = caller, .action = "rollback", .reason = reason};
	enum rollout_answer answer = ANSWER_NONE;
	*ret_rollout = e->active->number;
	int result = environment_turn(e, e->active, &event, &note, &answer, err);
	if (result < 0)
		return result;
	if (answer != ANSWER_OK && answer != ANSWER_GOING_BACK && answer != ANSWER_NONE)
		return error_set(err, ERR_CONFLICT, "%s", rollout_answer_text(answer));
	return 0;
}

int control_rollback(struct control *c, const struct control_caller *caller,
		     const char *environment, const char *to, const char *reason,
		     uint32_t *ret_rollout, struct error *err)
{
	char what[REQUEST_TEXT_MAX], hex[DIGEST_HEX_SIZE];
	struct digest digest;
	struct environment *e = NULL;
	snprintf(what, sizeof what, "rollback %s %s", environment, to);
	int result = asked_before(c, caller, what, &digest, ret_rollout, err);
	if (result != 0)
		return result < 0 ? result : 0;
	result = find_environment(c, environment, &e, err);
	if (result < 0)
		return result;
	if (e->active && !e->active->state.marked && !to[0]) {
		result = abort_instead(e, caller, reason, ret_rollout, err);
		return result < 0 ? result : remember_answer(c, caller, &digest, *ret_rollout, err);
	}
	result = rollback_target(e, to, hex, err);
	if (result < 0)
		return result;
	struct active_rollout *r = rollout_new("rollback", reason);
	result = release_load(e, hex, &r->candidate, err);
	if (result < 0) {
		free(r);
		return result;
	}
	text_copy(r->strategy, sizeof r->strategy, "rollback");
	r->supersede = true; /* whoever goes back does not wait for what is on its way */
	result = submit(e, r, caller, false, "rollback", ret_rollout, err);
	return result < 0 ? result : remember_answer(c, caller, &digest, *ret_rollout, err);
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
		store_begin(c->parts.store);
		store_add_release(c->parts.store, &row);
		result = store_commit(c->parts.store, err);
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
	struct environment *e = NULL;
	int result = find_environment(c, environment, &e, err);
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
	struct active_rollout *r = rollout_new("restart", reason);
	result = release_load(e, hex, &r->candidate, err);
	if (result < 0) {
		free(r);
		return result;
	}
	text_copy(r->strategy, sizeof r->strategy, "rolling");
	return submit(e, r, caller, false, "restart", ret_rollout, err);
}

int control_maintenance(struct control *c, const struct control_caller *caller,
			const char *environment, bool on, const char *reason, struct error *err)
{
	struct rollout_event event = {.kind = EVENT_MAINTENANCE, .ok = on};
	struct turn_note note = {.caller = caller,
				 .action = on ? "maintenance.on" : "maintenance.off",
				 .reason = reason};
	enum rollout_answer answer = ANSWER_NONE;
	struct environment *e = NULL;
	int result = find_environment(c, environment, &e, err);
	if (result == 0)
		result = environment_turn(e, e->active, &event, &note, &answer, err);
	if (result == 0 && answer != ANSWER_OK && answer != ANSWER_NONE)
		result = error_set(err, ERR_CONFLICT, "%s", rollout_answer_text(answer));
	return result;
}

int control_command(struct control *c, const struct control_caller *caller, const char *rollout,
		    enum control_verb verb, const char *reason, const struct control_expect *expect,
		    struct error *err)
{
	static const enum rollout_event_kind kinds[] = {EVENT_PROMOTE, EVENT_PAUSE, EVENT_RESUME,
							EVENT_ABORT};
	static const char *const actions[] = {"promote", "pause", "resume", "abort"};
	struct turn_note note = {.caller = caller, .action = actions[verb], .reason = reason};
	enum rollout_answer answer = ANSWER_NONE;
	struct environment *e = NULL;
	struct active_rollout *r;
	int result = find_rollout(c, rollout, &e, &r, err);
	if (result < 0)
		return result;
	struct rollout_event event = {.kind = kinds[verb],
				      .seen = {r->state.status, r->state.cursor, r->state.attempt}};
	bool moved = !expect->any &&
		     (strcmp(expect->state, rollout_status_name(r->state.status)) != 0 ||
		      expect->step != r->state.cursor || expect->attempt != r->state.attempt);
	if (moved && verb != CONTROL_ABORT)
		return error_set(err, ERR_CONFLICT, "%s", rollout_answer_text(ANSWER_STALE));
	result = environment_turn(e, r, &event, &note, &answer, err);
	if (result == 0 && answer != ANSWER_OK && answer != ANSWER_NONE)
		result = error_set(err, ERR_CONFLICT, "%s", rollout_answer_text(answer));
	environment_start_next(e);
	return result;
}

int control_exec(struct control *c, const struct control_caller *caller, const char *environment,
		 const char *process, const char *command, struct view_exec *ret_view,
		 struct error *err)
{
	struct environment *e = NULL;
	int result = find_environment(c, environment, &e, err);
	if (result < 0)
		return result;
	const struct release_info *live = environment_release(e, e->core.stable);
	if (!live)
		return error_set(err, ERR_CONFLICT, "Nothing is live in %s.", e->key);
	const struct app_environment *env = &live->config->environment;
	const struct app_process *found = process[0] ? NULL : &env->processes[0];
	for (uint32_t i = 0; i < env->process_count; i++)
		if (strcmp(env->processes[i].name, process) == 0)
			found = &env->processes[i];
	if (!found)
		return error_set(err, ERR_NOT_FOUND, "%s has no process \"%s\".", e->key, process);
	struct artifact_store *artifacts = c->parts.artifacts;
	struct digest digest;
	ASSERT(digest_parse(live->artifact, &digest));
	result = artifacts->ops->path(artifacts, &digest, ret_view->directory,
				      sizeof ret_view->directory, err);
	if (result < 0)
		return result;
	text_copy(ret_view->user, sizeof ret_view->user, found->user ? found->user : "");
	for (uint32_t i = 0; i < found->env.count && i < 90; i++)
		snprintf(ret_view->variables[ret_view->variable_count++],
			 sizeof ret_view->variables[0], "%s=%s", found->env.items[i].name,
			 found->env.items[i].value);
	snprintf(ret_view->variables[ret_view->variable_count++], sizeof ret_view->variables[0],
		 "DAVIT_APP=%s", e->app);
	snprintf(ret_view->variables[ret_view->variable_count++], sizeof ret_view->variables[0],
		 "DAVIT_RELEASE_ID=%s", live->hex);
	snprintf(ret_view->variables[ret_view->variable_count++], sizeof ret_view->variables[0],
		 "DAVIT_RELEASE=%s", live->tag);
	snprintf(ret_view->variables[ret_view->variable_count++], sizeof ret_view->variables[0],
		 "DAVIT_ENVIRONMENT=%s", e->name);
	snprintf(ret_view->variables[ret_view->variable_count++], sizeof ret_view->variables[0],
		 "DAVIT_PROCESS=%s", found->name);
	struct store_audit_entry audit = {.at_unix_ms = env_wall_ms(c->parts.env)};
	text_copy(audit.who, sizeof audit.who, caller->who);
	text_copy(audit.action, sizeof audit.action, "exec");
	text_copy(audit.app, sizeof audit.app, e->app);
	text_copy(audit.environment, sizeof audit.environment, e->name);
	text_copy(audit.evidence, sizeof audit.evidence, command);
	store_begin(c->parts.store);
	store_add_audit(c->parts.store, &audit);
	return store_commit(c->parts.store, err);
}
