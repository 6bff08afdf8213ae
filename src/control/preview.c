/* SPDX-License-Identifier: Apache-2.0
 * preview - control_preview(), see control.h. A token is not kept: the audit log has who was given one, of what, and until
 * when. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "control/environment.h"
#include "store/audit.h"

/* The release that the gateway shows to those with a token, or NULL. */
static const struct release_info *previewed(const struct environment *e)
{
	return e->core.router.preview == SLOT_NONE ? NULL
						   : environment_release(e, e->core.router.preview);
}

/* Where its users reach it, as far as the configuration says: an address of all interfaces is reached here. */
static void format_url(const struct environment *e, char to[CONTROL_URL_SIZE])
{
	const struct resolved *config = environment_traffic_config(e);
	const struct app_environment *env = config ? &config->environment : NULL;
	if (!env || !env->listen)
		return;
	bool secure = env->tls.certificate || env->tls.acme.email;
	const char *port = strrchr(env->listen, ':');
	const char *host = env->route_count > 0 ? env->routes[0].host : NULL;
	char address[CONTROL_URL_SIZE];
	snprintf(address, sizeof address, "%.*s", (int)(port - env->listen), env->listen);
	if (!host || !host[0])
		host = strcmp(address, "0.0.0.0") == 0 || strcmp(address, "[::]") == 0 ? "localhost"
										       : address;
	bool usual = strcmp(port, secure ? ":443" : ":80") == 0;
	snprintf(to, CONTROL_URL_SIZE, "%s://%s%s/", secure ? "https" : "http", host,
		 usual ? "" : port);
}

/* Where its users reach it, by the way that makes a cookie of the token; below the first route's path, for above it may be
 * another environment. */
static void format_link(const struct environment *e, const struct control_preview *preview,
			char to[CONTROL_LINK_SIZE])
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789/._~-";
	const struct app_environment *env = &environment_traffic_config(e)->environment;
	const char *path = env->route_count > 0 ? env->routes[0].path : "/";
	bool deep = path[1] != '\0';
	int size = snprintf(to, CONTROL_LINK_SIZE, "%.*s%s" PREVIEW_LINK_PATH "?token=%s%s",
			    (int)strlen(preview->url) - 1, preview->url, deep ? path : "",
			    preview->token, deep ? "&to=" : "");
	for (const char *c = path; deep && *c; c++)
		size += snprintf(to + size, CONTROL_LINK_SIZE - (size_t)size,
				 strchr(plain, *c) ? "%c" : "%%%02X", (unsigned char)*c);
	ASSERT(size < CONTROL_LINK_SIZE);
}

static int note(struct environment *e, const struct control_caller *caller,
		const struct control_preview *preview, struct error *err)
{
	struct control *c = e->control;
	char until[40];
	struct store_audit_entry audit = {.at_unix_ms = env_wall_ms(c->parts.env)};
	text_format_time(preview->expires_unix_ms, until, sizeof until);
	text_copy(audit.who, sizeof audit.who, caller->who);
	text_copy(audit.action, sizeof audit.action, "preview");
	text_copy(audit.app, sizeof audit.app, e->app);
	text_copy(audit.environment, sizeof audit.environment, e->name);
	snprintf(audit.evidence, sizeof audit.evidence, "%s, until %s", preview->tag, until);
	control_begin(c, false);
	store_add_audit(c->parts.store, &audit);
	return control_commit(c, err);
}

int control_preview(struct control *c, const struct control_caller *caller, const char *environment,
		    uint64_t for_ms, struct control_preview *ret_preview, struct error *err)
{
	struct environment *e = NULL;
	char name[ROUTING_PREVIEW_SIZE];
	uint8_t key[PREVIEW_KEY_SIZE];
	int result = environment_named(c, environment, &e, err);
	if (result < 0)
		return result;
	if (for_ms < CONTROL_PREVIEW_LEAST_MS || for_ms > CONTROL_PREVIEW_MOST_MS)
		return error_set(err, ERR_INVALID, "A preview lasts 1s to 30d.");
	const struct resolved *config = environment_traffic_config(e);
	if (config && config->environment.protocol == APP_PROTOCOL_TCP)
		return error_set(
			err, ERR_CONFLICT,
			"The connections of %s (\"protocol: tcp\") carry no token; connect to "
			"an instance of the new release, whose address \"davit status %s\" "
			"shows.",
			e->key, e->key);
	const struct release_info *release = previewed(e);
	if (!release)
		return error_set(
			err, ERR_CONFLICT,
			"Nothing in %s can be seen before its users see it; that is so while a "
			"release goes out and does not have all requests.",
			e->key);
	uint64_t expires_s = (env_wall_ms(c->parts.env) + for_ms + 999) / 1000;
	*ret_preview = (struct control_preview){.expires_unix_ms = expires_s * 1000};
	text_copy(ret_preview->key, sizeof ret_preview->key, e->key);
	text_copy(ret_preview->release, sizeof ret_preview->release, release->hex);
	text_copy(ret_preview->tag, sizeof ret_preview->tag, release->tag);
	format_url(e, ret_preview->url);
	text_copy(name, sizeof name, release->hex);
	preview_key(e->sign_key, key);
	preview_token_make(key, name, expires_s, ret_preview->token);
	if (ret_preview->url[0])
		format_link(e, ret_preview, ret_preview->link);
	return note(e, caller, ret_preview, err);
}
