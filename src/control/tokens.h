/* SPDX-License-Identifier: Apache-2.0
 *
 * tokens - who may speak to the API from elsewhere, and what they may do there.
 *
 * WHAT  A token is "davit_" and 64 hex digits of chance (256 bits, so that its digest needs no salt). It is shown once,
 *       when it is made; the store has its digest. It has scopes, which say what may be done, and a reach, which says to
 *       which applications and environments; it ends at a time, or when it is revoked. In the audit log and in the server's own
 *       file its holder is "token:NAME", which can be nobody of this machine: no user's name has a colon.
 *
 * HOW   A program made on the server's machine calls control_create_token(); the API asks control_admit_token() at each
 *       request, and token_reaches() of what the request is about.
 *
 * OWNS  Grants are plain data. The text of a token is the caller's to wipe.
 * LIMITS TOKENS_MAX tokens, TOKEN_DAYS_MAX days each. When it was used last is written down once a minute.
 * ERRORS DENIED of control_admit_token(): unknown, revoked or expired; which of them is not said to who asks.
 */
#ifndef CONTROL_TOKENS_H
#define CONTROL_TOKENS_H

#include "control/control.h"

struct store_token;

enum {
	TOKENS_MAX = 256,
	TOKEN_DAYS_MAX = 366,
	TOKEN_NAME_SIZE = 41,
	TOKEN_TEXT_SIZE = 6 + 64 + 1,
	TOKEN_REACH_SIZE = 1025,
	TOKEN_SCOPES_SIZE = 128,
};

#define TOKEN_SCOPES(X)                                                                    \
	X(READ, 0, "read")         /* everything that is shown, logs and the audit log */  \
	X(RELEASE, 1, "release")   /* releases and builds made elsewhere are registered */ \
	X(BUILD, 2, "build")       /* commits are built, repositories looked at */         \
	X(DEPLOY, 3, "deploy")     /* rollouts begin and are steered; freezes */           \
	X(ROLLBACK, 4, "rollback") /* back, and nothing else */                            \
	X(APPROVE, 5, "approve")   /* answers for rollouts that wait */                    \
	X(KPI, 6, "kpi")           /* counts are sent */                                   \
	X(SECRETS, 7, "secrets")   /* values are set and removed */

enum token_scope {
#define X(name, bit, word) TOKEN_##name = 1 << (bit),
	TOKEN_SCOPES(X)
#undef X
};

struct token_order {
	const char *name;
	const char *scopes;       /* "deploy,rollback" */
	const char *reach;        /* "shop,blog/staging"; "": everything */
	uint64_t expires_unix_ms; /* later than now */
};

struct token_grant {
	char name[TOKEN_NAME_SIZE];
	uint32_t scopes; /* of enum token_scope */
	char reach
		[TOKEN_REACH_SIZE]; /* applications and environments, a blank between; "": everything */
};

/* "read,deploy" to bits; names what is no scope. */
MUST_CHECK int token_scopes_parse(const char *text, uint32_t *ret_scopes, struct error *err);
const char *token_scopes_text(uint32_t scopes, char to[TOKEN_SCOPES_SIZE]);

/* May it do something to this environment, or (NULL) to the application as a whole? */
bool token_reaches(const struct token_grant *grant, const char *app, const char *environment);
/* May it see something of the application: itself, or one of its environments? */
bool token_touches(const struct token_grant *grant, const char *app);

MUST_CHECK int control_create_token(struct control *c, const struct control_caller *caller,
				    const struct token_order *order,
				    char ret_token[TOKEN_TEXT_SIZE], struct error *err);
MUST_CHECK int control_revoke_token(struct control *c, const struct control_caller *caller,
				    const char *name, struct error *err);
MUST_CHECK int control_admit_token(struct control *c, const char *text,
				   struct token_grant *ret_grant, struct error *err);

/* The grant of who asks: 1; 0: it is no token's holder, and everything is allowed. ERR_DENIED: the token is gone. */
MUST_CHECK int control_token_of(struct control *c, const char *who, struct token_grant *ret_grant,
				struct error *err);

#endif
