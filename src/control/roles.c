/* SPDX-License-Identifier: Apache-2.0
 * roles - see roles.h for the contract. */
#include "control/roles.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "control/environment.h"
#include "store/audit.h"

static const struct server *server_of(const struct control *c)
{
	return c->parts.server ? c->parts.server(c->parts.server_context) : NULL;
}

static void audit(struct control *c, const char *who, const char *key, const char *action,
		  const char *evidence)
{
	struct store_audit_entry row = {.at_unix_ms = env_wall_ms(c->parts.env)};
	char app[CONTROL_KEY_SIZE];
	struct error err;
	if (c->degraded)
		return;
	text_copy(app, sizeof app, key);
	char *slash = strchr(app, '/');
	if (slash)
		*slash = '\0';
	text_copy(row.who, sizeof row.who, who);
	text_copy(row.action, sizeof row.action, action);
	text_copy(row.app, sizeof row.app, app);
	text_copy(row.environment, sizeof row.environment, slash ? slash + 1 : "");
	text_copy(row.evidence, sizeof row.evidence, evidence);
	control_begin(c, false);
	store_add_audit(c->parts.store, &row);
	if (control_commit(c, &err) < 0)
		log_event(LOG_WARNING, "control.roles", "who=\"%s\" action=%s error=\"%s\"", who,
			  action, err.text);
}

static int refuse(const struct server *server, const char *who, const char *key,
		  enum server_role role, struct error *err)
{
	static const char *const verbs[SERVER_ROLE_COUNT] = {
		[SERVER_DEPLOY] = "deploy to",
		[SERVER_ROLLBACK] = "go back in",
		[SERVER_FREEZE] = "freeze or thaw",
		[SERVER_CLEAR] = "lift the mark of a bad release in",
	};
	char names[SERVER_ROLE_WORDS];
	server_role_names(server, key, role, names);
	if (names[0])
		return error_set(
			err, ERR_DENIED,
			"%s may not %s %s: in the server's own file that is for %.200s; ask "
			"one of them (davit status %s shows who may what).",
			who, verbs[role], key, names, key);
	return error_set(err, ERR_DENIED,
			 "%s may not %s %s: the server's own file names nobody for that, so it is "
			 "for the user that runs the server, and root; have it written there: "
			 "protect: { %s: { %s: [...] } }.",
			 who, verbs[role], key, key, server_role_word(role));
}

int control_may(struct control *c, const char *who, enum server_standing standing, const char *key,
		enum server_role role, struct error *err)
{
	const struct server *server = server_of(c);
	char names[SERVER_ROLE_WORDS], evidence[STORE_SENTENCE_SIZE];
	enum server_may may = server_may(server, key, role, standing, who);
	if (may == SERVER_MAY)
		return 0;
	if (may == SERVER_MAY_AS_OWNER) {
		snprintf(evidence, sizeof evidence, "%s is for %s", server_role_word(role),
			 server_role_names(server, key, role, names));
		audit(c, who, key, "override", evidence);
		return 0;
	}
	int result = refuse(server, who, key, role, err);
	if (log_limit_take(&c->refusals, env_now_ms(c->parts.env), ROLES_REFUSED,
			   "control.refused"))
		audit(c, who, key, "refused", err->text);
	return result;
}

bool control_would(const struct control *c, const char *who, enum server_standing standing,
		   const char *key, enum server_role role)
{
	return server_may(server_of(c), key, role, standing, who) != SERVER_MAY_NOT;
}
