/* SPDX-License-Identifier: Apache-2.0
 * webhook - see webhook.h for the contract. */
#include "daemon/webhook.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "base/text.h"

static const struct {
	const char *signature, *before; /* its header, and what stands before the hex digits */
	const char *event;
	const char *repository, *path; /* members of the body */
	const char *looks[3];          /* the events that mean something new */
} hosts[SERVER_HOST_COUNT] = {
	[SERVER_GITHUB] = {"X-Hub-Signature-256",
			   "sha256=",
			   "X-GitHub-Event",
			   "repository",
			   "full_name",
			   {"push", "create", NULL}},
	[SERVER_GITLAB] = {"X-Gitlab-Token",
			   NULL,
			   "X-Gitlab-Event",
			   "project",
			   "path_with_namespace",
			   {"Push Hook", "Tag Push Hook", NULL}},
	[SERVER_GITEA] = {"X-Gitea-Signature",
			  "",
			  "X-Gitea-Event",
			  "repository",
			  "full_name",
			  {"push", "create", NULL}},
};

/* --- the signature */

/* The texts themselves may have any length: their digests are compared. */
static bool is_secret(const char *text, const struct buf *secret)
{
	struct digest theirs = digest_of(text, strlen(text));
	struct digest ours = digest_of(secret->data, secret->size);
	return digest_equal(&theirs, &ours);
}

static bool is_signature(const char *text, const struct webhook *hook, const struct buf *secret)
{
	const char *before = hosts[hook->from].before;
	struct digest theirs, ours;
	if (!text_starts(text, before) || !digest_parse(text + strlen(before), &theirs))
		return false;
	ours = digest_keyed(secret->data, secret->size, hook->body->data, hook->body->size);
	return digest_equal(&theirs, &ours);
}

int webhook_check(const struct webhook *hook, const struct buf *secret, struct error *err)
{
	const char *name = hosts[hook->from].signature;
	const char *text = hook->header(hook->context, name);
	if (!text)
		return error_set(err, ERR_DENIED, "The request has no %s.", name);
	if (hosts[hook->from].before ? is_signature(text, hook, secret) : is_secret(text, secret))
		return 0;
	return error_set(err, ERR_DENIED, "The %s is not one of our secret.", name);
}

/* --- the body */

/* Of "ssh://git@host:22/a/b.git", "https://host/a/b" and "file:///a/b.git": "a/b". */
const char *webhook_path_of(const char *git, char *to, size_t size)
{
	const char *rest = strstr(git, "://");
	rest = rest ? strchr(rest + 3, '/') : NULL;
	while (rest && *rest == '/')
		rest++;
	text_copy(to, size, rest ? rest : "");
	size_t length = strlen(to);
	while (length > 0 && to[length - 1] == '/')
		to[--length] = '\0';
	if (length > 4 && strcmp(to + length - 4, ".git") == 0)
		to[length - 4] = '\0';
	return to;
}

/* A host may have its repositories below a path of its own. */
static bool is_ours(const char *git, const char *full_name)
{
	char path[SERVER_GIT_SIZE];
	webhook_path_of(git, path, sizeof path);
	size_t whole = strlen(path), part = strlen(full_name);
	if (part == 0 || part > whole || !strchr(full_name, '/'))
		return false;
	return strcasecmp(path + whole - part, full_name) == 0 &&
	       (whole == part || path[whole - part - 1] == '/');
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	return text ? text : "";
}

static int read_event(const struct webhook *hook, const char *git, const json_t *body,
		      struct webhook_event *ret_event, struct error *err)
{
	const json_t *repository = json_object_get(body, hosts[hook->from].repository);
	const char *name = text_of(repository, hosts[hook->from].path), *ref = text_of(body, "ref");
	const char *event = hook->header(hook->context, hosts[hook->from].event);
	char shown[WEBHOOK_TEXT_SIZE], path[SERVER_GIT_SIZE];
	*ret_event = (struct webhook_event){.look = false};
	if (!is_ours(git, name))
		return error_set(err, ERR_CONFLICT,
				 "The request is about the repository \"%s\", not about %s.",
				 text_escape(name, strlen(name), shown, sizeof shown),
				 webhook_path_of(git, path, sizeof path));
	for (size_t i = 0; event && hosts[hook->from].looks[i]; i++)
		ret_event->look |= strcmp(event, hosts[hook->from].looks[i]) == 0;
	text_escape(ref, strlen(ref), ret_event->ref, sizeof ret_event->ref);
	return 0;
}

int webhook_read(const struct webhook *hook, const char *git, struct webhook_event *ret_event,
		 struct error *err)
{
	json_error_t where;
	const char *type = hook->header(hook->context, "Content-Type");
	if (!type || !text_starts(type, "application/json"))
		return error_set(
			err, ERR_UNSUPPORTED,
			"The body must be application/json: choose that in the settings of "
			"the webhook.");
	json_t *body =
		json_loadb(hook->body->data ? hook->body->data : "", hook->body->size, 0, &where);
	int result = json_is_object(body)
			     ? read_event(hook, git, body, ret_event, err)
			     : error_set(err, ERR_INVALID, "The body is no JSON object.");
	json_decref(body);
	return result;
}
