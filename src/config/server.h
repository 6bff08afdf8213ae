/* SPDX-License-Identifier: Apache-2.0
 *
 * server - the server's own file: what no commit can change. Who is who, who belongs to which group, and the least that
 *          an environment asks before a release goes out.
 *
 * HOW   people:  { alice: ["ssh:SHA256:…", "user:alice", "mail:alice@example.com"], … }
 *                the keys, local users and addresses of commits that are this person
 *       groups:  { release-managers: [alice, bob] }
 *       protect: { shop/prod: { approve: { by: [release-managers], count: 2 } } }
 *       secrets: { key: /etc/davit/secrets.key }
 *                where the key is that secrets are sealed with
 *       allowed_signers: /etc/davit/allowed_signers
 *       The repository's `approve` can only add to `protect`: server_approval() gives what holds of both.
 *
 * OWNS  server_free(). Texts live as long as the file's struct.
 * ERRORS As config_load(): up to CONFIG_ERRORS_MAX at once, each with file:line:column.
 * LIMITS The enum below.
 */
#ifndef CONFIG_SERVER_H
#define CONFIG_SERVER_H

#include "config/config.h"

enum {
	SERVER_NAMES_SIZE = 4096,
	SERVER_PEOPLE_MAX = 128,
	SERVER_GROUPS_MAX = 32,
	SERVER_PROTECTED_MAX = 64
};

struct server_list {
	uint32_t set;
	const char *name;
	struct app_texts items;
};

struct server_protected {
	uint32_t set;
	const char *name; /* "shop/prod" */
	struct app_approve approve;
	bool signed_tags; /* nothing is triggered here but by a tag of an allowed signer */
};

struct server_secrets {
	uint32_t set;
	const char *key; /* path of the file with the key; NULL: in the state directory */
};

struct server {
	uint32_t set;
	uint32_t people_count, group_count, protected_count;
	struct server_list people[SERVER_PEOPLE_MAX];
	struct server_list groups[SERVER_GROUPS_MAX];
	struct server_protected protected[SERVER_PROTECTED_MAX];
	struct server_secrets secrets;
	const char *allowed_signers; /* of tags: a file as ssh-keygen has it; NULL: there is none */
	void *memory;
};

int server_load(const char *text, size_t size, const char *file, struct server **ret_server,
		struct config_errors *errors) MUST_CHECK;
void server_free(struct server *server); /* NULL is allowed */

/* The person of "ssh:SHA256:…", "user:alice" or "mail:…", or `identity` itself where the file names none. `server` may be NULL:
 * there is no such file. A local user's name without "user:" is one as well. */
const char *server_person(const struct server *server, const char *identity);

/* Is this person in one of the groups? */
bool server_member(const struct server *server, const struct app_texts *groups, const char *person);

/* What has to be asked before a release goes to `key` ("shop/prod"): the stricter of both files. False: nothing. */
bool server_approval(const struct server *server, const char *key, const struct app_approve *own,
		     struct app_approve *ret_approve);

/* The environments of an application with `signed_tags`, a blank between two. */
const char *server_signed(const struct server *server, const char *app,
			  char ret_names[SERVER_NAMES_SIZE]);

#endif
