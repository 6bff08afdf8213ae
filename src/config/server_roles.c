/* SPDX-License-Identifier: Apache-2.0
 * server_roles - see server_roles.h for the contract. */
#include "config/server_roles.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/server.h"

const char *server_role_word(enum server_role role)
{
	static const char *const words[SERVER_ROLE_COUNT] = {
#define X(name, word) [SERVER_##name] = word,
		SERVER_ROLES(X)
#undef X
	};
	return words[role];
}

/* The lists that name people for it; the second is NULL where there is one. */
struct lists {
	const struct app_texts *items[2];
};

static struct lists lists_of(const struct server *s, const char *key, enum server_role role)
{
	const struct server_protected *floor = server_floor_of(s, key);
	struct lists lists = {{NULL}};
	if (!floor)
		return lists;
	const struct app_texts *own = &floor->roles[role], *deploy = &floor->roles[SERVER_DEPLOY];
	bool written = own->count > 0;
	if (written)
		lists.items[0] = own;
	if (deploy->count > 0 && role != SERVER_DEPLOY && (!written || role == SERVER_ROLLBACK))
		lists.items[written] = deploy;
	return lists;
}

static bool has_group(const struct server *s, const char *name)
{
	for (uint32_t i = 0; s && i < s->group_count; i++)
		if (strcmp(s->groups[i].name, name) == 0)
			return true;
	return false;
}

bool server_names(const struct server *s, const char *name)
{
	for (uint32_t i = 0; s && i < s->people_count; i++)
		if (strcmp(s->people[i].name, name) == 0)
			return true;
	return has_group(s, name);
}

bool server_knows(const struct server *s, const char *identity)
{
	const char *user = text_starts(identity, "user:") ? identity + strlen("user:") : identity;
	for (uint32_t i = 0; s && i < s->people_count; i++)
		for (uint32_t k = 0; k < s->people[i].items.count; k++) {
			const char *known = s->people[i].items.items[k];
			if (strcmp(known, identity) == 0 ||
			    (text_starts(known, "user:") &&
			     strcmp(known + strlen("user:"), user) == 0))
				return true;
		}
	return false;
}

/* A group goes before a person of the same name. */
static bool is_named(const struct server *s, const struct app_texts *list, const char *person)
{
	if (server_member(s, list, person))
		return true;
	for (uint32_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], person) == 0 && !has_group(s, person))
			return true;
	return false;
}

bool server_limits(const struct server *s, const char *key, enum server_role role)
{
	return lists_of(s, key, role).items[0] != NULL;
}

bool server_has_roles(const struct server *s)
{
	for (uint32_t i = 0; s && i < s->protected_count; i++)
		for (uint32_t role = 0; role < SERVER_ROLE_COUNT; role++)
			if (s->protected[i].roles[role].count > 0)
				return true;
	return false;
}

bool server_limits_app(const struct server *s, const char *app, enum server_role role)
{
	size_t size = strlen(app);
	for (uint32_t i = 0; s && i < s->protected_count; i++) {
		const char *key = s->protected[i].name;
		if (strncmp(key, app, size) == 0 && key[size] == '/' && server_limits(s, key, role))
			return true;
	}
	return false;
}

enum server_may server_may(const struct server *s, const char *key, enum server_role role,
			   enum server_standing standing, const char *identity)
{
	struct lists lists = lists_of(s, key, role);
	bool limited = lists.items[0] != NULL, named = false;
	const char *person = server_person(s, identity);
	for (size_t i = 0; i < 2 && lists.items[i] && server_knows(s, identity); i++)
		named = named || is_named(s, lists.items[i], person);
	if (named || (!limited && standing != SERVER_GUEST))
		return SERVER_MAY;
	return standing == SERVER_OWNER ? SERVER_MAY_AS_OWNER : SERVER_MAY_NOT;
}

bool server_guest_of(const struct server *s, const char *app, const char *identity)
{
	size_t size = strlen(app);
	for (uint32_t i = 0; s && i < s->protected_count; i++) {
		const char *key = s->protected[i].name;
		if (strncmp(key, app, size) == 0 && key[size] == '/' &&
		    server_may(s, key, SERVER_DEPLOY, SERVER_GUEST, identity) == SERVER_MAY)
			return true;
	}
	return false;
}

const char *server_role_names(const struct server *s, const char *key, enum server_role role,
			      char to[SERVER_ROLE_WORDS])
{
	struct lists lists = lists_of(s, key, role);
	size_t used = 0;
	to[0] = '\0';
	for (size_t i = 0; i < 2 && lists.items[i]; i++)
		for (uint32_t k = 0; k < lists.items[i]->count && used < SERVER_ROLE_WORDS; k++)
			used += (size_t)snprintf(to + used, SERVER_ROLE_WORDS - used, "%s%s",
						 used > 0 ? ", " : "", lists.items[i]->items[k]);
	return to;
}
