/* SPDX-License-Identifier: Apache-2.0
 * admission - see admission.h for the contract. */
#include "api/admission.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/route_table.h"
#include "api/routes.h"
#include "base/log.h"
#include "base/text.h"
#include "config/server.h"
#include "control/roles.h"
#include "control/tokens.h"
#include "control/view.h"
#include "store/builds.h"
#include "store/rollouts.h"

enum { UNAUTHORIZED = 401, LOGGED = 20, SHOWN_SIZE = 1024 };

/* What a request is about. */
struct about {
	char app[CONTROL_KEY_SIZE];
	char environment[CONTROL_KEY_SIZE]; /* "": the application as a whole */
};

static int refuse(const struct token_grant *grant, struct error *err)
{
	return error_set(err, ERR_DENIED,
			 "This token reaches %.300s alone, and not what was asked for.",
			 grant->reach);
}

/* --- what it is about */

static int cut_key(const char *key, struct about *to, struct error *err)
{
	char copy[CONTROL_KEY_SIZE];
	bool fits = text_copy(copy, sizeof copy, key);
	char *slash = fits ? strchr(copy, '/') : NULL;
	if (!slash)
		return error_set(err, ERR_INVALID,
				 "\"%.100s\" is no environment with its application, such as "
				 "shop/prod.",
				 key);
	*slash = '\0';
	text_copy(to->app, sizeof to->app, copy);
	text_copy(to->environment, sizeof to->environment, slash + 1);
	return 0;
}

/* One with its application need not be there yet. */
static int about_environment(struct api *api, const char *typed, struct about *to,
			     struct error *err)
{
	char key[CONTROL_KEY_SIZE];
	if (strchr(typed, '/'))
		return cut_key(typed, to, err);
	int result = control_resolve_environment(api->parts.control, typed, key, err);
	return result < 0 ? result : cut_key(key, to, err);
}

static int take_rollout(void *context, const struct store_rollout *r)
{
	struct about *to = context;
	text_copy(to->app, sizeof to->app, r->app);
	text_copy(to->environment, sizeof to->environment, r->environment);
	return 0;
}

static int about_rollout(struct api *api, const char *typed, struct about *to, struct error *err)
{
	uint64_t number;
	if (text_parse_u64(typed, UINT32_MAX, &number))
		return store_rollout_get(api->parts.store, (uint32_t)number, take_rollout, to, err);
	return about_environment(api, typed, to, err);
}

static int about_build(struct api *api, const char *typed, struct about *to, struct error *err)
{
	struct store_build *build;
	uint64_t number;
	if (!text_parse_u64(typed, UINT32_MAX, &number))
		return error_set(err, ERR_INVALID, "A build has a number.");
	build = mem_zero(1, sizeof *build);
	int result = store_build_get(api->parts.store, (uint32_t)number, build, err);
	if (result == 0)
		text_copy(to->app, sizeof to->app, build->app);
	free(build);
	return result;
}

static int find_about(struct api *api, const struct http_request *request,
		      const struct route *route, struct about *to, struct error *err)
{
	const char *segment = http_segment(request, 2);
	switch (route->about) {
	case ABOUT_ENVIRONMENT: return about_environment(api, segment, to, err);
	case ABOUT_ROLLOUT: return about_rollout(api, segment, to, err);
	case ABOUT_BUILD: return about_build(api, segment, to, err);
	case ABOUT_APP: text_copy(to->app, sizeof to->app, segment); return 0;
	case ABOUT_ASKED:
		segment = http_query(request, "environment");
		return segment ? about_environment(api, segment, to, err) : 0;
	case ABOUT_RELEASE:
		if ((segment = http_query(request, "environment")))
			return about_environment(api, segment, to, err);
		__attribute__((fallthrough));
	case ABOUT_ASKED_APP:
		segment = http_query(request, "app");
		text_copy(to->app, sizeof to->app, segment ? segment : "");
		return 0;
	case ABOUT_NOTHING:
	case ABOUT_ALL:
	case ABOUT_BODY: return 0;
	}
	return 0;
}

/* --- may it? */

static bool allows(const struct token_grant *grant, const struct about *about, bool looks)
{
	/* An application's builds are shown to who has one of its environments, and its releases are nowhere yet. */
	if (looks && about->app[0] && !about->environment[0])
		return token_touches(grant, about->app);
	return about->app[0] &&
	       token_reaches(grant, about->app, about->environment[0] ? about->environment : NULL);
}

static int check_reach(struct api *api, const struct http_request *request,
		       const struct route *route, const struct token_grant *grant,
		       struct error *err)
{
	struct about about = {.app = ""};
	if (!grant->reach[0] || route->about == ABOUT_NOTHING || route->about == ABOUT_BODY)
		return 0;
	int result = find_about(api, request, route, &about, err);
	if (result < 0)
		return result;
	if (allows(grant, &about,
		   strcmp(route->method, "GET") == 0 || route->about == ABOUT_RELEASE))
		return 0;
	if (about.app[0])
		return refuse(grant, err);
	if (route->about == ABOUT_ALL)
		return error_set(err, ERR_DENIED,
				 "This is for tokens that reach everything; this one reaches "
				 "%.300s.",
				 grant->reach);
	return error_set(err, ERR_DENIED,
			 "This token reaches %.300s alone: say which one is meant (?%s=).",
			 grant->reach, route->about == ABOUT_ASKED_APP ? "app" : "environment");
}

static int check_scopes(const struct route *route, const struct token_grant *grant,
			struct error *err)
{
	char has[TOKEN_SCOPES_SIZE], needs[TOKEN_SCOPES_SIZE];
	if (route->scopes == 0)
		return error_set(err, ERR_DENIED,
				 "No token does this: it is done on the server's machine, or with "
				 "--host ssh://.");
	if (grant->scopes & route->scopes)
		return 0;
	return error_set(err, ERR_DENIED,
			 "The token %s has the scopes %s; this needs one of %s. Next: davit token "
			 "create NAME --scope SCOPE",
			 grant->name, token_scopes_text(grant->scopes, has),
			 token_scopes_text(route->scopes, needs));
}

static const char *bearer(const struct http_request *request)
{
	static const char scheme[] = "Bearer ";
	const char *field = http_header(request, "Authorization");
	if (!field || strncasecmp(field, scheme, sizeof scheme - 1) != 0)
		return NULL;
	return field + sizeof scheme - 1 + strspn(field + sizeof scheme - 1, " ");
}

static unsigned check(struct api *api, struct http_request *request, char ret_who[HTTP_WHO_SIZE],
		      struct error *err)
{
	const char *token = bearer(request);
	const struct route *route;
	struct token_grant grant;
	if (!token) {
		error_set(
			err, ERR_DENIED,
			"A request over the network shows a token, in the header "
			"\"Authorization: Bearer TOKEN\"; make one with \"davit token create\" on "
			"the server's machine.");
		return UNAUTHORIZED;
	}
	int result = control_admit_token(api->parts.control, token, &grant, err);
	if (result < 0)
		return result == ERR_DENIED ? UNAUTHORIZED : status_of_error(err->code);
	snprintf(ret_who, HTTP_WHO_SIZE, "token:%s", grant.name);
	result = route_find(request, &route, err);
	if (result == 0 && route->about == ABOUT_RELEASE)
		http_take_upload(request);
	if (result == 0)
		result = check_scopes(route, &grant, err);
	if (result == 0)
		result = check_reach(api, request, route, &grant, err);
	return result == 0 ? 0 : status_of_error(err->code);
}

/* Who is refused is written down: the token's name, where there is one, and why. */
unsigned admission_check(void *context, struct http_request *request, char ret_who[HTTP_WHO_SIZE],
			 struct error *err)
{
	struct api *api = context;
	char shown[SHOWN_SIZE];
	ret_who[0] = '\0';
	unsigned status = check(api, request, ret_who, err);
	/* Strangers do not take the place of those who are known. */
	struct log_limit *limit = &api->refusals[ret_who[0] != '\0'];
	if (status != 0 &&
	    log_limit_take(limit, env_now_ms(loop_env(api->parts.loop)), LOGGED, "api.refused"))
		log_event(LOG_WARNING, "api.refused", "status=%u who=\"%s\" why=\"%s\"", status,
			  ret_who, text_escape(err->text, strlen(err->text), shown, sizeof shown));
	return status;
}

/* --- who is named in the server's own file */

static const struct server *server_now(const struct api *api)
{
	return api->parts.server ? api->parts.server(api->parts.server_context) : NULL;
}

static enum server_standing standing_of(const struct http_request *request)
{
	return http_is_owner(request)                     ? SERVER_OWNER
	       : text_starts(http_who(request), "token:") ? SERVER_HOLDER
							  : SERVER_GUEST;
}

bool admission_is_guest(const struct http_request *request)
{
	return standing_of(request) == SERVER_GUEST;
}

static int may(struct api *api, const struct http_request *request, const struct about *about,
	       enum server_role role, struct error *err)
{
	char key[2 * CONTROL_KEY_SIZE];
	snprintf(key, sizeof key, "%s/%s", about->app, about->environment);
	return control_may(api->parts.control, http_who(request), standing_of(request), key, role,
			   err);
}

/* Where nobody is named for anything, all is as it was before there were roles. */
static bool asks_nobody(struct api *api, const struct http_request *request)
{
	return !admission_is_guest(request) && !server_has_roles(server_now(api));
}

int admission_role(struct api *api, const struct http_request *request, const struct route *route,
		   struct error *err)
{
	struct about about = {.app = ""};
	if (route->role > ROUTE_CLEARS || route->about == ABOUT_BODY || asks_nobody(api, request))
		return 0;
	int result = find_about(api, request, route, &about, err);
	/* What cannot be told is whoever's who runs the server, and refused a line later where it is wrong. */
	if (result < 0)
		return http_is_owner(request) ? 0 : result;
	return may(api, request, &about, (enum server_role)route->role, err);
}

int admission_role_in(struct api *api, const struct http_request *request, const char *typed,
		      enum server_role role, struct error *err)
{
	struct about about = {.app = ""};
	if (asks_nobody(api, request))
		return 0;
	int result = about_environment(api, typed, &about, err);
	if (result < 0)
		return http_is_owner(request) ? 0 : result;
	return may(api, request, &about, role, err);
}

int admission_role_anywhere(struct api *api, const struct http_request *request, const char *app,
			    enum server_role role, struct error *err)
{
	if (http_is_owner(request) || !server_limits_app(server_now(api), app, role))
		return 0;
	return error_set(
		err, ERR_DENIED,
		"Where it goes is said by its ref, and in the server's own file others are "
		"named for environments of %s: name the environment (davit build --to).",
		app);
}

bool admission_plays(struct api *api, const struct http_request *request, const char *typed,
		     enum server_role role)
{
	char key[2 * CONTROL_KEY_SIZE];
	struct about about = {.app = ""};
	struct error ignored;
	if (http_is_owner(request) || asks_nobody(api, request))
		return true;
	if (about_environment(api, typed, &about, &ignored) < 0)
		return false;
	snprintf(key, sizeof key, "%s/%s", about.app, about.environment);
	return control_would(api->parts.control, http_who(request), standing_of(request), key,
			     role);
}

static int check_upload(struct api *api, struct http_request *request, const struct route *route,
			struct error *err)
{
	struct about about = {.app = ""};
	int result = find_about(api, request, route, &about, err);
	if (result < 0)
		return result;
	if (!server_guest_of(server_now(api), about.app, http_who(request)))
		return error_set(err, ERR_DENIED,
				 "%s may not bring a release of %s: the server's own file names %s "
				 "for `deploy` in none of its environments.",
				 http_who(request), about.app, http_who(request));
	http_take_upload(request);
	return 0;
}

static int check_guest(struct api *api, struct http_request *request, struct error *err)
{
	const struct server *server = server_now(api);
	const struct route *route;
	if (!server || !server->socket_group)
		return error_set(err, ERR_DENIED,
				 "Only the user that runs davit and root may use this socket; "
				 "`socket_group` of the server's own file lets others in.");
	int result = route_find(request, &route, err);
	if (result < 0)
		return result;
	if (route->role == ROUTE_OWNS)
		return error_set(err, ERR_DENIED,
				 "This is for the user that runs davit, and root; no role of the "
				 "server's own file gives it to %s.",
				 http_who(request));
	return route->role == ROUTE_UPLOADS ? check_upload(api, request, route, err) : 0;
}

unsigned admission_guest(void *context, struct http_request *request, struct error *err)
{
	struct api *api = context;
	char shown[SHOWN_SIZE];
	if (check_guest(api, request, err) == 0)
		return 0;
	unsigned status = status_of_error(err->code);
	if (log_limit_take(&api->refusals[1], env_now_ms(loop_env(api->parts.loop)), LOGGED,
			   "api.refused"))
		log_event(LOG_WARNING, "api.refused", "status=%u who=\"%s\" why=\"%s\"", status,
			  http_who(request),
			  text_escape(err->text, strlen(err->text), shown, sizeof shown));
	return status;
}

/* --- what only the handler knows */

int admission_still(struct api *api, const char *who, struct error *err)
{
	struct token_grant grant;
	int held = control_token_of(api->parts.control, who, &grant, err);
	return held < 0 ? held : 0;
}

bool admission_may(struct api *api, const struct http_request *request, unsigned scope)
{
	struct token_grant grant;
	struct error err;
	int held = control_token_of(api->parts.control, http_who(request), &grant, &err);
	return held == 0 || (held > 0 && (grant.scopes & scope) != 0);
}

int admission_reaches(struct api *api, const struct http_request *request, const char *app,
		      const char *environment, struct error *err)
{
	struct token_grant grant;
	int held = control_token_of(api->parts.control, http_who(request), &grant, err);
	if (held <= 0)
		return held;
	return token_reaches(&grant, app, environment) ? 0 : refuse(&grant, err);
}

int admission_reaches_named(struct api *api, const struct http_request *request, const char *typed,
			    struct error *err)
{
	struct token_grant grant;
	struct about about;
	int result = control_token_of(api->parts.control, http_who(request), &grant, err);
	if (result <= 0 || !grant.reach[0])
		return result < 0 ? result : 0;
	result = about_environment(api, typed, &about, err);
	if (result < 0)
		return result;
	return token_reaches(&grant, about.app, about.environment) ? 0 : refuse(&grant, err);
}

int admission_environment(struct api *api, const struct http_request *request, const char *typed,
			  char ret_environment[CONTROL_KEY_SIZE], struct error *err)
{
	struct token_grant grant;
	int held = control_token_of(api->parts.control, http_who(request), &grant, err);
	if (held < 0)
		return held;
	if (held == 0 || strchr(typed, '/')) {
		if (text_copy(ret_environment, CONTROL_KEY_SIZE, typed))
			return 0;
		return error_set(err, ERR_LIMIT, "An environment's name is shorter than that.");
	}
	return control_resolve_environment(api->parts.control, typed, ret_environment, err);
}
