/* SPDX-License-Identifier: Apache-2.0
 * server - see server.h for the contract. */
#include "config/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "config/keys.h"
#include "config/reader.h"
#include "config/server_floor.h"
#include "config/trigger.h"
#include "config/value.h"
#include "config/yaml.h"

enum { REASON_SIZE = 320 };

/* ---- the tables ---- */

/* As git has it: whatever a commit claims, so that it can only make somebody not count. */
static bool is_mail(const char *text)
{
	const char *at = strchr(text, '@');
	return at && at > text && at[1] && strlen(text) < 128 && text_is_printable(text) &&
	       !strpbrk(text, " <>\"");
}

static bool is_identity(const char *text)
{
	const char *key = text_starts(text, "ssh:SHA256:") ? text + strlen("ssh:SHA256:") : NULL;
	if (key)
		return strlen(key) == 43 &&
		       strspn(key,
			      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") ==
			       43;
	if (text_starts(text, "token:"))
		return text_is_name(text + strlen("token:"));
	if (text_starts(text, "mail:"))
		return is_mail(text + strlen("mail:"));
	return text_starts(text, "user:") && value_is_user(text + strlen("user:"));
}

static bool is_environment(const char *text)
{
	char app[64];
	const char *slash = strchr(text, '/');
	if (!slash || (size_t)(slash - text) >= sizeof app)
		return false;
	memcpy(app, text, (size_t)(slash - text));
	app[slash - text] = '\0';
	return text_is_name(app) && text_is_name(slash + 1);
}

static const struct schema_key person_keys[] = {
	{"is", SCHEMA_TEXTS, AT(server_list, items), .flags = SCHEMA_REQUIRED, .max = 16,
	 .valid = is_identity,
	 .shape = "a key's fingerprint as ssh-keygen -l prints it, \"ssh:SHA256:…\", \"user:\" "
		  "and a local user, \"token:\" and a token's name, or \"mail:\" and the "
		  "address of commits",
	 .example = "[\"user:alice\"]",
	 .doc = "The keys, the local users, the tokens and the addresses of commits that are this "
		"person."},
};

static const struct schema_section person_section = {
	.title = "person", KEYS(person_keys), .list_key = "is", .doc = "One person."};

static const struct schema_key group_keys[] = {
	{"members", SCHEMA_TEXTS, AT(server_list, items), .flags = SCHEMA_REQUIRED, .max = 64,
	 .valid = text_is_name, .shape = "names of `people`, such as [alice]", .example = "[alice]",
	 .doc = "Who belongs to it, by the names in `people`."},
};

static const struct schema_section group_section = {
	.title = "group", KEYS(group_keys), .list_key = "members", .doc = "Several people."};

static bool is_absolute(const char *text)
{
	return text[0] == '/' && text[1] && text_is_printable(text);
}

static const struct schema_key stage_refs_keys[] = {
	{"branch", SCHEMA_TEXTS, AT(app_trigger, branch), .flags = SCHEMA_ONE, .max = 16,
	 .valid = keys_is_branch, .shape = "a branch such as main, or release/ for all below it",
	 .example = "main",
	 .doc = "Builds of these branches; a name that ends in `/` is all below it."},
	{"tag", SCHEMA_TEXTS, AT(app_trigger, tag), .flags = SCHEMA_ONE, .max = 16,
	 .valid = keys_is_tag_pattern, .shape = "a tag such as v1.4.2, or v* for all that begin so",
	 .example = "\"v*\"", .doc = "Builds of these tags; `v*` is all that begin with v."},
};

static const struct schema_section stage_refs_section = {
	.title = "refs", KEYS(stage_refs_keys), .doc = "Branches and tags."};

static const struct schema_key secrets_keys[] = {
	{"key", SCHEMA_TEXT, AT(server_secrets, key), .max = 1023, .valid = is_absolute,
	 .shape = "an absolute path", .example = "/etc/davit/secrets.key",
	 .doc = "The file with the key that secrets are sealed with. It is made when the first "
		"secret is written; left out, it is `secrets.key` in the state directory. Keep a "
		"copy of it apart from the backups: without it no secret can be read."},
	{"stages", SCHEMA_SECTION, AT(server_secrets, stages), .flags = SCHEMA_OPTIONAL,
	 .section = &stage_refs_section, .example = "{ branch: [main], tag: [\"v*\"] }",
	 .doc = "Only builds of these branches and tags give secrets to their stages. Left out, "
		"those of every ref do, so that whoever may push a branch can read them."},
};

static const struct schema_section secrets_section = {
	.title = "secrets", KEYS(secrets_keys), .doc = "The store of secrets."};

static const char *const host_kinds[] = {"github", "gitlab", "gitea", NULL};

static const struct schema_key webhook_keys[] = {
	{"from", SCHEMA_CHOICE, AT(server_webhook, from), .flags = SCHEMA_REQUIRED,
	 .choices = host_kinds, .example = "github",
	 .doc = "Whose signatures are expected. Forgejo and Gogs sign as Gitea does."},
	{"secret_file", SCHEMA_TEXTS, AT(server_webhook, secret_files),
	 .flags = SCHEMA_REQUIRED | SCHEMA_ONE, .max = 2, .valid = is_absolute,
	 .shape = "an absolute path", .example = "/etc/davit/shop.hook",
	 .doc = "The file with the secret that the host signs with, closed to others; two while it "
		"is being changed."},
};

static const struct schema_section webhook_section = {
	.title = "webhook", KEYS(webhook_keys), .doc = "Who may say that there is something new."};

/* https, ssh, git and plain paths under file: nothing that git would take for an option or run. */
static bool is_repository(const char *text)
{
	static const char *const schemes[] = {"https://", "http://", "ssh://", "git://",
					      "file:///"};
	if (!text_is_printable(text) || strpbrk(text, " '\"\\"))
		return false;
	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
		if (text_starts(text, schemes[i])) {
			const char *rest = text + strlen(schemes[i]);
			bool named = strcspn(rest, "@") < strcspn(rest, "/");
			/* A password in an address would be seen by everybody who sees the address. */
			return rest[0] && rest[0] != '-' && rest[0] != '/' &&
			       !(named && text_starts(schemes[i], "http"));
		}
	return false;
}

static const struct schema_key source_keys[] = {
	{"git", SCHEMA_TEXT, AT(server_source, git), .flags = SCHEMA_REQUIRED,
	 .max = SERVER_GIT_SIZE - 1, .valid = is_repository,
	 .shape = "an address without a password that begins with https://, ssh://, git:// or "
		  "file:///, such as https://github.com/acme/shop.git",
	 .example = "https://github.com/acme/shop.git",
	 .doc = "The repository. Over ssh the keys of the user that runs davit count."},
	{"poll", SCHEMA_DURATION, AT(server_source, poll_ms), .fallback = "5m", .min = SECOND(1),
	 .max = DAY(1), .doc = "How often it is looked at, also without a webhook."},
	{"token_file", SCHEMA_TEXT, AT(server_source, token_file), .max = 1000,
	 .valid = is_absolute, .shape = "an absolute path", .example = "/etc/davit/shop.token",
	 .doc = "For a private repository over https: the file with a token that may read it, "
		"closed to others."},
	{"push_tags", SCHEMA_BOOL, AT(server_source, push_tags), .fallback = "false",
	 .doc = "Whether the tag of a release that succeeded, where an environment's `tag` asks "
		"for "
		"one, is pushed there: the tag alone, and over no other one. The token, or the "
		"keys, have to be allowed to."},
	{"webhook", SCHEMA_SECTION, AT(server_source, webhook), .flags = SCHEMA_OPTIONAL,
	 .section = &webhook_section,
	 .example = "{ from: github, secret_file: /etc/davit/shop.hook }",
	 .doc = "A signed request of the host makes davit look at once."},
};

static const struct schema_section source_section = {.title = "source",
						     KEYS(source_keys),
						     .scalar_key = "git",
						     .doc = "A repository elsewhere."};

/* "acme/shop", "group/part/shop": what git hosts take in a name. */
static bool is_host_repository(const char *text)
{
	size_t size = strlen(text);
	const char *slash = strchr(text, '/');
	return slash && slash > text && text[size - 1] != '/' && !strstr(text, "//") &&
	       !strstr(text, "..") &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/") ==
		       size;
}

/* With a token only https, or nobody but this machine hears it. */
static bool is_api(const char *text)
{
	static const char *const begins[] = {
		"https://", "http://127.0.0.1:", "http://[::1]:", "http://localhost:"};
	size_t size = strlen(text);
	if (!text_is_printable(text) || strpbrk(text, " @?#\"'\\") || text[size - 1] == '/')
		return false;
	for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++)
		if (text_starts(text, begins[i]) && text[strlen(begins[i])])
			return true;
	return false;
}

static const struct schema_key host_keys[] = {
	{"kind", SCHEMA_CHOICE, AT(server_host_place, kind), .flags = SCHEMA_REQUIRED,
	 .choices = host_kinds, .example = "github", .doc = "Forgejo speaks as Gitea does."},
	{"repository", SCHEMA_TEXT, AT(server_host_place, repository), .flags = SCHEMA_REQUIRED,
	 .max = 200, .valid = is_host_repository, .shape = "an owner and a name such as acme/shop",
	 .example = "acme/shop", .doc = "Its name at the host."},
	{"token_file", SCHEMA_TEXT, AT(server_host_place, token_file), .flags = SCHEMA_REQUIRED,
	 .max = 1000, .valid = is_absolute, .shape = "an absolute path",
	 .example = "/etc/davit/github.token",
	 .doc = "The file, closed to others, with a token that may write the state of commits (and "
		"deployments, at GitHub). It is read each time."},
	{"api", SCHEMA_TEXT, AT(server_host_place, api), .max = 500, .valid = is_api,
	 .shape = "an address with https:// and no / at its end (http:// on this machine alone)",
	 .example = "https://git.example.com/api/v1",
	 .doc = "The host's API. Left out: https://api.github.com, https://gitlab.com/api/v4; "
		"Gitea "
		"has none of its own."},
};

static const struct schema_section host_section = {
	.title = "host", KEYS(host_keys), .doc = "The host of an application's repository."};

#define CERTIFICATE_KEYS                                                                           \
	{"certificate",                                                                            \
	 SCHEMA_TEXT,                                                                              \
	 AT(server_listen, certificate),                                                           \
	 .max = 1023,                                                                              \
	 .valid = is_absolute,                                                                     \
	 .shape = "an absolute path",                                                              \
	 .example = "/etc/davit/server.pem",                                                       \
	 .doc = "For TLS (1.2 and later): the file with the certificate and those that it stands " \
		"on, in PEM. A file that changes is taken into use within a second."},             \
	{                                                                                          \
		"key", SCHEMA_TEXT, AT(server_listen, key),                                        \
			.max = 1023, .valid = is_absolute, .shape = "an absolute path",            \
			.example = "/etc/davit/server.key",                                        \
			.doc = "The file with its key, in PEM, closed to others."                  \
	}

static const struct schema_key webhooks_keys[] = {
	{"listen", SCHEMA_TEXT, AT(server_listen, listen), .flags = SCHEMA_REQUIRED, .max = 64,
	 .valid = value_is_address, .shape = "an address and a port such as 0.0.0.0:8090",
	 .example = "127.0.0.1:8090",
	 .doc = "Where the hosts' requests are taken. Without a certificate they are not "
		"encrypted, though their signatures count: name one, or put a TLS proxy in front, "
		"where they come over a network that is not yours."},
	CERTIFICATE_KEYS,
};

static const struct schema_section webhooks_section = {
	.title = "webhooks", KEYS(webhooks_keys), .doc = "The place for requests of git hosts."};

static const struct schema_key api_keys[] = {
	{"listen", SCHEMA_TEXT, AT(server_listen, listen), .flags = SCHEMA_REQUIRED, .max = 64,
	 .valid = value_is_address, .shape = "an address and a port such as 0.0.0.0:8091",
	 .example = "0.0.0.0:8091",
	 .doc = "Where requests with a token are taken (`davit token`). Without a certificate "
		"only on a loopback address, for a TLS proxy of this machine."},
	CERTIFICATE_KEYS,
};

static const struct schema_section api_section = {
	.title = "API", KEYS(api_keys), .doc = "The API over the network."};

static const struct schema_key server_keys[] = {
	{"people", SCHEMA_MAP, ITEMS(server, people, people_count), .max = SERVER_PEOPLE_MAX,
	 .section = &person_section, .valid = text_is_name, .shape = KEYS_NAME_SHAPE,
	 .example = "{ alice: [\"user:alice\"] }", .doc = "Who is who."},
	{"groups", SCHEMA_MAP, ITEMS(server, groups, group_count), .max = SERVER_GROUPS_MAX,
	 .section = &group_section, .valid = text_is_name, .shape = KEYS_NAME_SHAPE,
	 .example = "{ release-managers: [alice, bob] }", .doc = "Who belongs together."},
	{"protect", SCHEMA_MAP, ITEMS(server, protected, protected_count),
	 .max = SERVER_PROTECTED_MAX, .section = &server_protected_section, .valid = is_environment,
	 .shape = "an application and its environment, such as \"shop/prod\"",
	 .example = "{ shop/prod: { approve: { count: 2 } } }",
	 .doc = "A floor under what the repositories ask."},
	{"secrets", SCHEMA_SECTION, AT(server, secrets), .flags = SCHEMA_OPTIONAL,
	 .section = &secrets_section, .example = "{ key: /etc/davit/secrets.key }",
	 .doc = "Where the key of secrets is."},
	{"allowed_signers", SCHEMA_TEXT, AT(server, allowed_signers), .max = 1023,
	 .valid = is_absolute, .shape = "an absolute path", .example = "/etc/davit/allowed_signers",
	 .doc = "A file in the format of ssh-keygen(1), ALLOWED SIGNERS: whose tags count where "
		"signed ones are asked for. It is read at each of them."},
	{"sources", SCHEMA_MAP, ITEMS(server, sources, source_count), .max = SERVER_SOURCES_MAX,
	 .section = &source_section, .valid = text_is_name, .shape = KEYS_NAME_SHAPE,
	 .example = "{ shop: https://github.com/acme/shop.git }",
	 .doc = "Repositories elsewhere, by the application that is built from them."},
	{"hosts", SCHEMA_MAP, ITEMS(server, hosts, host_count), .max = SERVER_SOURCES_MAX,
	 .section = &host_section, .valid = text_is_name, .shape = KEYS_NAME_SHAPE,
	 .example = "{ shop: { kind: github, repository: acme/shop, token_file: "
		    "/etc/davit/github.token } }",
	 .doc = "Where the state of builds and rollouts is told, by application."},
	{"webhooks", SCHEMA_SECTION, AT(server, webhooks), .flags = SCHEMA_OPTIONAL,
	 .section = &webhooks_section, .example = "{ listen: 127.0.0.1:8090 }",
	 .doc = "Where git hosts may say that there is something new."},
	{"api", SCHEMA_SECTION, AT(server, api), .flags = SCHEMA_OPTIONAL, .section = &api_section,
	 .example = "{ listen: 127.0.0.1:8091 }",
	 .doc = "Where the API is spoken to over the network, with tokens."},
	{"socket_group", SCHEMA_TEXT, AT(server, socket_group), .valid = value_is_user,
	 .shape = "a group of this machine, such as davit", .example = "davit",
	 .doc = "Local users of this group may speak to the server: they see everything that "
		"`read` of a token sees, and do what `deploy`, `rollback`, `freeze`, `clear` and "
		"`approve` of `protect` name them for. Left out: the user that runs the server, "
		"and root."},
	{"logs", SCHEMA_SECTION, AT(server, logs), .flags = SCHEMA_OPTIONAL,
	 .section = &server_logs_section, .example = "{ builds: 500, bytes: 5GiB, failed: 90d }",
	 .doc = "How long the logs of builds are kept."},
};

static const struct schema_later server_later[] = {{"trusted_proxies", NULL}, {"listeners", NULL}};

static const struct schema_section server_section = {.title = "the server's file",
						     KEYS(server_keys),
						     LATER(server_later),
						     .may_be_empty = true,
						     .doc = "What no commit can change."};

/* ---- names that must exist ---- */

static const struct server_list *find(const struct server_list *list, uint32_t count,
				      const char *name)
{
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(list[i].name, name) == 0)
			return &list[i];
	return NULL;
}

static void check_people(struct reader *r, const struct yaml_node *root, const struct server *s)
{
	for (uint32_t i = 0; i < s->people_count; i++)
		for (uint32_t k = 0; k < s->people[i].items.count; k++) {
			const char *identity = s->people[i].items.items[k];
			const char *person = server_person(s, identity);
			if (strcmp(person, s->people[i].name) != 0)
				reader_error(r,
					     yaml_get(yaml_get(root, "people"), s->people[i].name),
					     "%s is %s already; one key belongs to one person.",
					     identity, person);
		}
	for (uint32_t i = 0; i < s->group_count; i++)
		for (uint32_t k = 0; k < s->groups[i].items.count; k++) {
			const char *member = s->groups[i].items.items[k];
			if (!find(s->people, s->people_count, member))
				reader_error(r,
					     yaml_get(yaml_get(root, "groups"), s->groups[i].name),
					     "There is nobody called \"%s\" in people.", member);
		}
}

static void check_sources(struct reader *r, const struct yaml_node *root, const struct server *s)
{
	for (uint32_t i = 0; i < s->source_count; i++) {
		const struct server_source *source = &s->sources[i];
		const struct yaml_node *at = yaml_get(yaml_get(root, "sources"), source->name);
		if (source->webhook.set != 0 && !s->webhooks.listen)
			reader_error(r, at,
				     "No webhook of \"%s\" could arrive; say where, for example "
				     "webhooks: { listen: 127.0.0.1:8090 }.",
				     source->name);
		if (source->token_file && !text_starts(source->git, "https://"))
			reader_error(r, at,
				     "A token is only sent over https; remove \"token_file\" of "
				     "\"%s\".",
				     source->name);
		if (source->push_tags && text_starts(source->git, "git://"))
			reader_error(r, at,
				     "Over git:// nobody knows who pushes; give \"%s\" an address "
				     "with https:// or ssh://, or remove \"push_tags\".",
				     source->name);
	}
}

static void check_hosts(struct reader *r, const struct yaml_node *root, struct server *s)
{
	static const char *const usual[SERVER_HOST_COUNT] = {
		[SERVER_GITHUB] = "https://api.github.com",
		[SERVER_GITLAB] = "https://gitlab.com/api/v4"};
	for (uint32_t i = 0; i < s->host_count; i++) {
		struct server_host_place *host = &s->hosts[i];
		if (!host->api)
			host->api = usual[host->kind];
		if (!host->api)
			reader_error(r, yaml_get(yaml_get(root, "hosts"), host->name),
				     "Say where the API of \"%s\" is, for example api: "
				     "https://git.example.com/api/v1.",
				     host->name);
	}
}

static void check_protected(struct reader *r, const struct yaml_node *root, const struct server *s)
{
	for (uint32_t i = 0; i < s->protected_count; i++) {
		const struct app_approve *approve = &s->protected[i].approve;
		const struct yaml_node *at =
			yaml_get(yaml_get(root, "protect"), s->protected[i].name);
		for (uint32_t k = 0; k < approve->by.count; k++)
			if (!find(s->groups, s->group_count, approve->by.items[k]))
				reader_error(r, at, "There is no group \"%s\" in groups.",
					     approve->by.items[k]);
		if (s->protected[i].signed_tags && !s->allowed_signers)
			reader_error(r, at,
				     "\"signed_tags\" needs to know whose: name a file with "
				     "\"allowed_signers\".");
		if (s->protected[i].from &&
		    strcmp(s->protected[i].from, strchr(s->protected[i].name, '/') + 1) == 0)
			reader_error(r, at,
				     "Nothing could ever come here: \"from\" is the environment "
				     "itself.");
		if (s->protected[i].soak_ms > 0 && !s->protected[i].from)
			reader_error(r, at,
				     "\"soak\" is a time in \"from\"; name the environment with "
				     "\"from\".");
		char why[REASON_SIZE];
		if (!server_floor_check(s, &s->protected[i], why, sizeof why))
			reader_error(r, at, "%s", why);
		if (approve->on_reject == APP_ON_REJECT_ROLLBACK)
			reader_error(r, at,
				     "\"on_reject\" is the repository's to say; remove it here.");
	}
}

static void check_listen(struct reader *r, const struct yaml_node *at,
			 const struct server_listen *l)
{
	if (l->set != 0 && !l->certificate != !l->key)
		reader_error(r, at,
			     "A certificate needs its key, and a key its certificate: name both, "
			     "or none.");
}

/* A token that is sent in clear is everybody's. */
static void check_api(struct reader *r, const struct yaml_node *at, const struct server_listen *l)
{
	check_listen(r, at, l);
	if (l->set != 0 && !l->certificate && !text_starts(l->listen, "127.") &&
	    !text_starts(l->listen, "[::1]:"))
		reader_error(r, at,
			     "Tokens would cross the network in clear; name a \"certificate\" and "
			     "its \"key\", or listen on 127.0.0.1 behind a TLS proxy.");
}

/* One that names nothing would read as one that is not there, which lets every ref in. */
static void check_stage_refs(struct reader *r, const struct yaml_node *root, const struct server *s)
{
	const struct yaml_node *at = yaml_get(yaml_get(root, "secrets"), "stages");
	if (at && s->secrets.stages.branch.count + s->secrets.stages.tag.count == 0)
		reader_error(r, at,
			     "\"stages\" names no branch and no tag; name those whose stages get "
			     "secrets, such as { branch: main }.");
}

int server_load(const char *text, size_t size, const char *file, struct server **ret_server,
		struct config_errors *errors)
{
	struct yaml *tree;
	struct reader reader;
	reader_init(&reader, file, errors);
	int result = yaml_parse(text, size, file, &tree, &errors->items[0]);
	if (result < 0) {
		errors->count = 1;
		return result;
	}
	struct server *s = mem_zero(1, sizeof *s);
	s->memory = tree;
	reader_section(&reader, &server_section, tree->root, s);
	if (errors->count == 0) {
		check_people(&reader, tree->root, s);
		check_stage_refs(&reader, tree->root, s);
		check_protected(&reader, tree->root, s);
		check_sources(&reader, tree->root, s);
		check_hosts(&reader, tree->root, s);
		check_listen(&reader, yaml_get(tree->root, "webhooks"), &s->webhooks);
		check_api(&reader, yaml_get(tree->root, "api"), &s->api);
	}
	if (errors->count > 0) {
		server_free(s);
		return ERR_INVALID;
	}
	for (uint32_t i = 0; i < s->source_count; i++)
		schema_defaults(&source_section, &s->sources[i]);
	for (uint32_t i = 0; i < s->protected_count; i++)
		server_floor_defaults(&s->protected[i]);
	*ret_server = s;
	return 0;
}

void server_free(struct server *s)
{
	if (!s)
		return;
	yaml_free(s->memory);
	free(s);
}

/* ---- questions ---- */

const char *server_person(const struct server *s, const char *identity)
{
	for (uint32_t i = 0; s && i < s->people_count; i++)
		for (uint32_t k = 0; k < s->people[i].items.count; k++) {
			const char *known = s->people[i].items.items[k];
			if (strcmp(known, identity) == 0 ||
			    (text_starts(known, "mail:") && strcasecmp(known, identity) == 0) ||
			    (text_starts(known, "user:") &&
			     strcmp(known + strlen("user:"), identity) == 0))
				return s->people[i].name;
		}
	return identity;
}

bool server_member(const struct server *s, const struct app_texts *groups, const char *person)
{
	for (uint32_t i = 0; s && i < groups->count; i++) {
		const struct server_list *group = find(s->groups, s->group_count, groups->items[i]);
		for (uint32_t k = 0; group && k < group->items.count; k++)
			if (strcmp(group->items.items[k], person) == 0)
				return true;
	}
	return false;
}

bool server_stage_secrets(const struct server *server, const char *ref)
{
	return !server || server->secrets.stages.set == 0 ||
	       trigger_matches(&server->secrets.stages, ref);
}

const char *server_signed(const struct server *s, const char *app,
			  char ret_names[SERVER_NAMES_SIZE])
{
	size_t used = 0, size = strlen(app);
	ret_names[0] = '\0';
	for (uint32_t i = 0; s && i < s->protected_count; i++) {
		const char *key = s->protected[i].name;
		if (s->protected[i].signed_tags && strncmp(key, app, size) == 0 &&
		    key[size] == '/' && used + strlen(key) + 2 < SERVER_NAMES_SIZE)
			used += (size_t)snprintf(ret_names + used, SERVER_NAMES_SIZE - used, "%s%s",
						 used > 0 ? " " : "", key + size + 1);
	}
	return ret_names;
}

const struct server_source *server_source_of(const struct server *s, const char *app)
{
	for (uint32_t i = 0; s && i < s->source_count; i++)
		if (strcmp(s->sources[i].name, app) == 0)
			return &s->sources[i];
	return NULL;
}

const struct server_host_place *server_host_of(const struct server *s, const char *app)
{
	for (uint32_t i = 0; s && i < s->host_count; i++)
		if (strcmp(s->hosts[i].name, app) == 0)
			return &s->hosts[i];
	return NULL;
}
