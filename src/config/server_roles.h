/* SPDX-License-Identifier: Apache-2.0
 *
 * server_roles - who may do what in an environment, by the server's own file: `deploy`, `rollback`, `freeze` and `clear`
 *                of `protect`.
 *
 * WHAT  A pure decision. What is written limits it to those who are named: people, and members of groups. What is left
 *       out of `rollback`, `freeze` and `clear` is as `deploy` says; who may deploy may go back as well. Where nothing is
 *       written, whoever may command the server may: its own user, root, and tokens with the scope, as before there were
 *       roles. A guest, who only came in by the group of the server's socket, may what he is named for and nothing else.
 *       Whoever runs the server may everything: that is the emergency, and it is told apart so that it can be audited.
 */
#ifndef CONFIG_SERVER_ROLES_H
#define CONFIG_SERVER_ROLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERVER_ROLES(X)         \
	X(DEPLOY, "deploy")     \
	X(ROLLBACK, "rollback") \
	X(FREEZE, "freeze")     \
	X(CLEAR, "clear")

enum server_role {
#define X(name, word) SERVER_##name,
	SERVER_ROLES(X)
#undef X
		SERVER_ROLE_COUNT
};

enum { SERVER_ROLE_WORDS = 512 };

struct server;

enum server_standing {
	SERVER_OWNER,  /* the user that runs the server, or root */
	SERVER_HOLDER, /* of a token, whose scope was looked at already */
	SERVER_GUEST   /* a local user who may speak to the socket */
};

enum server_may {
	SERVER_MAY,
	SERVER_MAY_AS_OWNER, /* others are named: an emergency */
	SERVER_MAY_NOT
};

const char *server_role_word(enum server_role role);

/* `identity` is "alice", "user:alice", "ssh:SHA256:…" or "token:…". `server` may be NULL. */
enum server_may server_may(const struct server *server, const char *key, enum server_role role,
			   enum server_standing standing, const char *identity);

/* Is somebody named for it here, so that others are not? */
bool server_limits(const struct server *server, const char *key, enum server_role role);
/* In any environment? */
bool server_has_roles(const struct server *server);
/* For this in any environment of the application? */
bool server_limits_app(const struct server *server, const char *app, enum server_role role);

/* May a guest deploy to any environment of this application? */
bool server_guest_of(const struct server *server, const char *app, const char *identity);

/* Who is named: "release-managers, bob"; "": nobody is. */
const char *server_role_names(const struct server *server, const char *key, enum server_role role,
			      char to[SERVER_ROLE_WORDS]);

/* Is it one of the keys, users or tokens in `people`? A name that only looks like one of them is not. */
bool server_knows(const struct server *server, const char *identity);
/* Is there a group or a person of this name? */
bool server_names(const struct server *server, const char *name);

#endif
