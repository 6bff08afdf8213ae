/* SPDX-License-Identifier: Apache-2.0
 *
 * server - the server's own file: what no commit can change. Who is who, who belongs to which group, and the least that
 *          an environment asks before a release goes out.
 *
 * HOW   people:  { alice: ["ssh:SHA256:…", "user:alice", "token:alice-laptop", "mail:alice@example.com"], … }
 *                the keys, local users, tokens and addresses of commits that are this person
 *       groups:  { release-managers: [alice, bob] }
 *       protect: { shop/prod: { approve: { by: [release-managers], count: 2 }, from: staging, soak: 30m, windows: … } }
 *       secrets: { key: /etc/davit/secrets.key }
 *                where the key is that secrets are sealed with
 *       secrets: { stages: { branch: [main], tag: ["v*"] } }
 *                builds of these alone give secrets to their stages
 *       allowed_signers: /etc/davit/allowed_signers
 *       sources: { shop: { git: "https://github.com/acme/shop.git", poll: 1m, webhook: { from: github, … } } }
 *                repositories elsewhere whose commits are built
 *       hosts: { shop: { kind: github, repository: acme/shop, token_file: /etc/davit/github.token } }
 *                where the state of builds and rollouts is told
 *       webhooks: { listen: 0.0.0.0:8090, certificate: …, key: … }
 *       api: { listen: 0.0.0.0:8091, certificate: …, key: … }
 *                where the API is spoken to over the network, with tokens
 *       socket_group: davit
 *                local users of this group may speak to the server, and do what `protect` names them for
 *       logs: { builds: 500, bytes: 5GiB, failed: 90d }
 *                how long the logs of builds are kept
 *       The repository's `approve` can only add to `protect`: server_approval() gives what holds of both.
 *
 * OWNS  server_free(). Texts live as long as the file's struct.
 * ERRORS As config_load(): up to CONFIG_ERRORS_MAX at once, each with file:line:column.
 * LIMITS The enum below.
 */
#ifndef CONFIG_SERVER_H
#define CONFIG_SERVER_H

#include "config/config.h"
#include "config/server_floor.h"
#include "config/server_logs.h"

enum {
	SERVER_NAMES_SIZE = 4096,
	SERVER_PEOPLE_MAX = 128,
	SERVER_GROUPS_MAX = 32,
	SERVER_PROTECTED_MAX = 64,
	SERVER_SOURCES_MAX = 64,
	SERVER_GIT_SIZE = 1001
};

enum server_host { SERVER_GITHUB, SERVER_GITLAB, SERVER_GITEA, SERVER_HOST_COUNT };

struct server_webhook {
	uint32_t set; /* 0: none */
	enum server_host from;
	struct app_texts secret_files; /* the old one and the new one, while they change */
};

/* A repository elsewhere, which is looked at. */
struct server_source {
	uint32_t set;
	const char *name; /* the application's */
	const char *git;  /* its address, less than SERVER_GIT_SIZE bytes */
	uint64_t poll_ms;
	const char *token_file; /* NULL: none */
	bool push_tags;         /* tags that a success makes are pushed there */
	struct server_webhook webhook;
};

/* A place for requests from elsewhere. */
struct server_listen {
	uint32_t set;
	const char *listen;            /* NULL: nothing does */
	const char *certificate, *key; /* paths; both or none: without TLS */
};

/* Where the state of an application's builds and rollouts is told: the host of its repository. */
struct server_host_place {
	uint32_t set;
	const char *name; /* the application's */
	enum server_host kind;
	const char *repository; /* "acme/shop" */
	const char *api;        /* "https://api.github.com" */
	const char *token_file;
};

struct server_list {
	uint32_t set;
	const char *name;
	struct app_texts items;
};

struct server_secrets {
	uint32_t set;
	const char *key;           /* path of the file with the key; NULL: in the state directory */
	struct app_trigger stages; /* refs whose stages get secrets; set 0: all */
};

struct server {
	uint32_t set;
	uint32_t people_count, group_count, protected_count;
	struct server_list people[SERVER_PEOPLE_MAX];
	struct server_list groups[SERVER_GROUPS_MAX];
	struct server_protected protected[SERVER_PROTECTED_MAX];
	struct server_secrets secrets;
	const char *allowed_signers; /* of tags: a file as ssh-keygen has it; NULL: there is none */
	uint32_t source_count;
	struct server_source sources[SERVER_SOURCES_MAX];
	struct server_listen webhooks;
	struct server_listen api;
	const char *
		socket_group; /* of this machine, whose members may speak to the socket; NULL: none */
	uint32_t host_count;
	struct server_host_place hosts[SERVER_SOURCES_MAX];
	struct server_logs logs; /* as written: server_logs() has the defaults */
	void *memory;
};

int server_load(const char *text, size_t size, const char *file, struct server **ret_server,
		struct config_errors *errors) MUST_CHECK;
void server_free(struct server *server); /* NULL is allowed */

/* The person of "ssh:SHA256:…", "user:alice", "token:…" or "mail:…", or `identity` itself where the file names none. `server` may be NULL:
 * there is no such file. A local user's name without "user:" is one as well. */
const char *server_person(const struct server *server, const char *identity);

/* Is this person in one of the groups? */
bool server_member(const struct server *server, const struct app_texts *groups, const char *person);

/* What has to be asked before a release goes to `key` ("shop/prod"): the stricter of both files. False: nothing. */
bool server_approval(const struct server *server, const char *key, const struct app_approve *own,
		     struct app_approve *ret_approve);

/* The repository elsewhere that an application is built from; NULL: none. `server` may be NULL. */
const struct server_source *server_source_of(const struct server *server, const char *app);

/* NULL: nothing is told of this application. `server` may be NULL. */
const struct server_host_place *server_host_of(const struct server *server, const char *app);

/* Do the stages of a build of this ref get secrets? A commit without a ref does only where no refs are named. */
bool server_stage_secrets(const struct server *server, const char *ref);

/* The environments of an application with `signed_tags`, a blank between two. */
const char *server_signed(const struct server *server, const char *app,
			  char ret_names[SERVER_NAMES_SIZE]);

#endif
