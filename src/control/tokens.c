/* SPDX-License-Identifier: Apache-2.0
 * tokens - see tokens.h for the contract. */
#include "control/tokens.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "control/environment.h"
#include "store/audit.h"
#include "store/tokens.h"

enum { SECRET_BYTES = 32, SHOWN_CHARS = 14, USED_MS = 60 * 1000 };

static const char PREFIX[] = "davit_";
static const char HOLDER[] = "token:";
static const uint64_t DAY_MS = 24 * 3600 * 1000ull;

_Static_assert((int)TOKEN_REACH_SIZE == (int)STORE_SENTENCE_SIZE, "one is copied to the other");

/* --- scopes and reach */

static const struct {
	const char *word;
	uint32_t bit;
} scopes[] = {
#define X(name, bit, word) {word, TOKEN_##name},
	TOKEN_SCOPES(X)
#undef X
};

enum { SCOPE_COUNT = sizeof scopes / sizeof scopes[0] };

const char *token_scopes_text(uint32_t bits, char to[TOKEN_SCOPES_SIZE])
{
	size_t used = 0;
	to[0] = '\0';
	for (size_t i = 0; i < SCOPE_COUNT; i++)
		if (bits & scopes[i].bit)
			used += (size_t)snprintf(to + used, TOKEN_SCOPES_SIZE - used, "%s%s",
						 used > 0 ? "," : "", scopes[i].word);
	return to;
}

static uint32_t scope_of(const char *word)
{
	for (size_t i = 0; i < SCOPE_COUNT; i++)
		if (strcmp(scopes[i].word, word) == 0)
			return scopes[i].bit;
	return 0;
}

int token_scopes_parse(const char *text, uint32_t *ret_scopes, struct error *err)
{
	char copy[TOKEN_SCOPES_SIZE], all[TOKEN_SCOPES_SIZE], *rest = copy, *word;
	uint32_t bits = 0;
	bool whole = text_copy(copy, sizeof copy, text);
	while (whole && (word = strsep(&rest, ","))) {
		uint32_t bit = scope_of(word);
		if (bit == 0)
			return error_set(err, ERR_INVALID,
					 "\"%s\" is no scope; there are: %s. Several stand with a "
					 "comma between.",
					 word, token_scopes_text(UINT32_MAX, all));
		bits |= bit;
	}
	if (!whole)
		return error_set(err, ERR_INVALID, "The scopes are longer than all of them are.");
	*ret_scopes = bits;
	return 0;
}

/* "shop" is all of it, "shop/prod" that environment alone. */
static bool item_is(const char *item, size_t size, const char *app, const char *environment)
{
	size_t length = strlen(app);
	if (size < length || strncmp(item, app, length) != 0)
		return false;
	if (size == length)
		return true;
	return environment && item[length] == '/' && strlen(environment) == size - length - 1 &&
	       strncmp(item + length + 1, environment, size - length - 1) == 0;
}

bool token_reaches(const struct token_grant *grant, const char *app, const char *environment)
{
	if (!grant->reach[0])
		return true;
	for (const char *at = grant->reach; *at; at += strspn(at, " ")) {
		size_t size = strcspn(at, " ");
		if (item_is(at, size, app, environment))
			return true;
		at += size;
	}
	return false;
}

bool token_touches(const struct token_grant *grant, const char *app)
{
	size_t length = strlen(app);
	if (!grant->reach[0])
		return true;
	for (const char *at = grant->reach; *at; at += strspn(at, " ")) {
		size_t size = strcspn(at, " ");
		if (size >= length && strncmp(at, app, length) == 0 &&
		    (size == length || at[length] == '/'))
			return true;
		at += size;
	}
	return false;
}

static bool is_reach(char *item)
{
	char *slash = strchr(item, '/');
	if (!slash)
		return text_is_name(item);
	*slash = '\0';
	bool fine = text_is_name(item) && text_is_name(slash + 1);
	*slash = '/';
	return fine;
}

static int take_reach(const char *text, char to[STORE_SENTENCE_SIZE], struct error *err)
{
	char copy[STORE_SENTENCE_SIZE], *rest = copy, *item;
	size_t used = 0;
	to[0] = '\0';
	if (!text_copy(copy, sizeof copy, text))
		return error_set(err, ERR_LIMIT,
				 "What a token reaches is named in at most %d characters.",
				 STORE_SENTENCE_SIZE - 1);
	while (copy[0] && (item = strsep(&rest, ","))) {
		if (!is_reach(item))
			return error_set(err, ERR_INVALID,
					 "\"%s\" is neither an application, such as shop, nor one "
					 "of its environments, such as shop/prod.",
					 item);
		used += (size_t)snprintf(to + used, STORE_SENTENCE_SIZE - used, "%s%s",
					 used > 0 ? " " : "", item);
	}
	return 0;
}

/* --- they are made and revoked */

static void audit(struct control *c, const struct control_caller *caller, const char *action,
		  const struct store_token *token)
{
	char words[TOKEN_SCOPES_SIZE], until[32];
	struct store_audit_entry entry = {.at_unix_ms = env_wall_ms(c->parts.env)};
	text_copy(entry.who, sizeof entry.who, caller->who);
	text_copy(entry.action, sizeof entry.action, action);
	snprintf(entry.evidence, sizeof entry.evidence, "%s (%s…), %s of %.400s, until %s",
		 token->name, token->shown, token_scopes_text(token->scopes, words),
		 token->reach[0] ? token->reach : "everything",
		 text_format_time(token->expires_unix_ms, until, sizeof until));
	store_add_audit(c->parts.store, &entry);
}

static int count_one(void *context, const struct store_token *token)
{
	uint32_t *count = context;
	(void)token;
	(*count)++;
	return 0;
}

static int check_name(struct control *c, const char *name, struct error *err)
{
	struct store_token there;
	uint32_t count = 0;
	if (!text_is_name(name))
		return error_set(err, ERR_INVALID,
				 "\"%s\" is no name of a token: it is lower-case letters, digits "
				 "and \"-\", such as github-ci.",
				 name);
	int found = store_token_by_name(c->parts.store, name, &there, err);
	if (found > 0)
		return error_set(err, ERR_CONFLICT,
				 "There is a token \"%s\" already; revoke that one, or choose "
				 "another name. Next: davit token revoke %s",
				 name, name);
	if (found == 0)
		found = store_tokens(c->parts.store, count_one, &count, err);
	if (found == 0 && count >= TOKENS_MAX)
		return error_set(err, ERR_LIMIT,
				 "There are %d tokens already; revoke one that nobody uses. Next: "
				 "davit token list",
				 TOKENS_MAX);
	return found;
}

static int check_time(struct control *c, uint64_t expires_unix_ms, struct error *err)
{
	uint64_t now = env_wall_ms(c->parts.env);
	if (expires_unix_ms > now && expires_unix_ms - now <= TOKEN_DAYS_MAX * DAY_MS)
		return 0;
	return error_set(err, ERR_INVALID, "A token ends later than now, and within %d days.",
			 TOKEN_DAYS_MAX);
}

static void make_text(struct control *c, char to[TOKEN_TEXT_SIZE])
{
	uint8_t chance[SECRET_BYTES];
	c->parts.env->ops->random(c->parts.env, chance, sizeof chance);
	size_t used = (size_t)snprintf(to, TOKEN_TEXT_SIZE, "%s", PREFIX);
	for (size_t i = 0; i < sizeof chance; i++)
		used += (size_t)snprintf(to + used, TOKEN_TEXT_SIZE - used, "%02x", chance[i]);
	explicit_bzero(chance, sizeof chance);
}

int control_create_token(struct control *c, const struct control_caller *caller,
			 const struct token_order *order, char ret_token[TOKEN_TEXT_SIZE],
			 struct error *err)
{
	struct store_token row = {.created_unix_ms = env_wall_ms(c->parts.env),
				  .expires_unix_ms = order->expires_unix_ms};
	int result = check_name(c, order->name, err);
	if (result == 0)
		result = token_scopes_parse(order->scopes, &row.scopes, err);
	if (result == 0)
		result = take_reach(order->reach, row.reach, err);
	if (result == 0)
		result = check_time(c, order->expires_unix_ms, err);
	if (result < 0)
		return result;
	make_text(c, ret_token);
	row.digest = digest_of(ret_token, strlen(ret_token));
	snprintf(row.shown, sizeof row.shown, "%.*s", SHOWN_CHARS, ret_token);
	text_copy(row.name, sizeof row.name, order->name);
	text_copy(row.by, sizeof row.by, caller->who);
	control_begin(c, false);
	store_add_token(c->parts.store, &row);
	audit(c, caller, "token.create", &row);
	result = control_commit(c, err);
	if (result < 0)
		explicit_bzero(ret_token, TOKEN_TEXT_SIZE);
	return result;
}

int control_revoke_token(struct control *c, const struct control_caller *caller, const char *name,
			 struct error *err)
{
	struct store_token row;
	int found = store_token_by_name(c->parts.store, name, &row, err);
	if (found == 0)
		return error_set(err, ERR_NOT_FOUND, "There is no token \"%s\".", name);
	if (found < 0)
		return found;
	control_begin(c, false);
	store_remove_token(c->parts.store, name);
	audit(c, caller, "token.revoke", &row);
	return control_commit(c, err);
}

/* --- they are used */

static void grant_of(const struct store_token *row, struct token_grant *to)
{
	text_copy(to->name, sizeof to->name, row->name);
	text_copy(to->reach, sizeof to->reach, row->reach);
	to->scopes = row->scopes;
}

/* Only for people to see: a store that takes nothing keeps nobody out. */
static void note_use(struct control *c, const struct store_token *row)
{
	uint64_t now = env_wall_ms(c->parts.env);
	struct error err;
	if (c->degraded || (row->used_unix_ms <= now && now - row->used_unix_ms < USED_MS))
		return;
	control_begin(c, false);
	store_use_token(c->parts.store, row->name, now);
	if (control_commit(c, &err) < 0)
		log_event(LOG_WARNING, "control.token", "name=%s error=\"%s\"", row->name,
			  err.text);
}

int control_admit_token(struct control *c, const char *text, struct token_grant *ret_grant,
			struct error *err)
{
	struct digest digest = digest_of(text, strlen(text));
	struct store_token row;
	int found = store_token_by_digest(c->parts.store, &digest, &row, err);
	if (found < 0)
		return found;
	if (found == 0 || row.expires_unix_ms <= env_wall_ms(c->parts.env))
		return error_set(err, ERR_DENIED,
				 "The token is not one of this server, or has ended; make one with "
				 "\"davit token create\" on the server's machine.");
	grant_of(&row, ret_grant);
	note_use(c, &row);
	return 0;
}

int control_token_of(struct control *c, const char *who, struct token_grant *ret_grant,
		     struct error *err)
{
	struct store_token row;
	if (!text_starts(who, HOLDER))
		return 0;
	int found = store_token_by_name(c->parts.store, who + strlen(HOLDER), &row, err);
	if (found == 0 || (found > 0 && row.expires_unix_ms <= env_wall_ms(c->parts.env)))
		return error_set(err, ERR_DENIED, "The token was revoked, or has ended.");
	if (found > 0)
		grant_of(&row, ret_grant);
	return found;
}
