/* SPDX-License-Identifier: Apache-2.0
 * register - releases come in, get their names, and are marked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "config/config.h"
#include "control/environment.h"
#include "control/own_page.h"
#include "control/release_config.h"
#include "store/audit.h"
#include "store/releases.h"

enum { RELEASES_LOOKED_AT = 10000, TAG_CHARS_MAX = 64 };

bool release_tag_valid(const char *tag)
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
	if (parse_version(r->tag, parts) &&
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
	char origin[DIGEST_HEX_SIZE];
	if (!release_tag_valid(tag))
		return error_set(
			err, ERR_INVALID,
			"\"%s\" is no tag: letters, digits and . _ + - are allowed, at most %d of "
			"them; for example v1.4.2.",
			tag, TAG_CHARS_MAX);
	if (store_release_match(c->parts.store, app, tag, &other, &ignored) == 0 &&
	    strcmp(other.tag, tag) == 0 &&
	    release_origin(c->parts.store, other.id, origin, &ignored) == 0 &&
	    strcmp(origin, id) != 0)
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
	text_copy(audit.environment, sizeof audit.environment, environment ? environment : "");
	snprintf(audit.evidence, sizeof audit.evidence, "%s is release %s (artifact %.12s)",
		 row->tag, row->id, row->artifact);
	control_begin(c, false);
	store_add_release(store, row);
	store_add_audit(store, &audit);
	char key[CONTROL_KEY_SIZE];
	snprintf(key, sizeof key, "%s/%s", row->app, environment ? environment : "");
	struct environment *e = environment ? environment_find_key(c, key) : NULL;
	bool added = environment && !e;
	if (environment && !e && !(e = environment_add(c, row->app, environment))) {
		store_rollback(store);
		return error_set(err, ERR_LIMIT, "One davit has at most %d environments.",
				 CONTROL_ENVIRONMENT_MAX);
	}
	if (e)
		environment_put(e, &e->core);
	int result = control_commit(c, err);
	if (result < 0 && added) {
		c->environment_count--;
		free(e->seen);
		judging_free(e->judging);
		measuring_free(e->measuring);
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
	if (result == 0 && release->app && release->app[0] && strcmp(release->app, row.app) != 0)
		result = error_set(err, ERR_INVALID,
				   "The configuration is that of \"%s\", not of \"%s\".", row.app,
				   release->app);
	if (result == 0 && release->environment[0])
		result = check_environment_name(release->environment, row.app, buf_text(&json),
						json.size, &environment, err);
	if (result == 0)
		result = own_page_check_release(c->parts.artifacts, &release->artifact,
						buf_text(&json), json.size, err);
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
	text_copy(row.source, sizeof row.source, release->source ? release->source : "");
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
	int result = environment_named(c, environment, &e, err);
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
	control_begin(c, false);
	if (bad)
		store_add_bad_mark(store, &mark);
	else
		store_clear_bad_mark(store, e->app, e->name, row.id, caller->who, reason,
				     mark.at_unix_ms);
	store_add_audit(store, &audit);
	return control_commit(c, err);
}
