/* SPDX-License-Identifier: Apache-2.0
 *
 * admission - who may do what: the holder of a token, as far as its scopes and its reach go; a local user, as far as he is
 *             named for it.
 *
 * WHAT  A token comes in the header "Authorization: Bearer …" (RFC 6750). It is looked at with the head of each request:
 *       401 without a good one, 403 where its scopes or its reach do not go so far. Then http_who() is "token:NAME".
 *       Over the UNIX socket the kernel says who comes. To the user that runs the server, and to root, scopes and reach
 *       say yes. Others are guests, where `socket_group` of the server's own file lets them in: they look, and do what
 *       `protect` names them for. Where it names people for something, holders of tokens have to be among them as well.
 *
 * HOW   admission_check() is http's `admit`. Handlers of requests that say in their body what they are about ask
 *       admission_reaches() before they do anything.
 */
#ifndef API_ADMISSION_H
#define API_ADMISSION_H

#include <stdbool.h>

#include "api/http.h"
#include "config/server_roles.h"
#include "control/control.h"

struct api;

/* 0 and the name, or a status of HTTP and why. */
unsigned admission_check(void *api, struct http_request *request, char ret_who[HTTP_WHO_SIZE],
			 struct error *err);

/* http's `admit_guest`. */
unsigned admission_guest(void *api, struct http_request *request, struct error *err);
bool admission_is_guest(const struct http_request *request);

/* Is who asks named for what this route does there? ERR_DENIED, audited; so is what the server's user does in the place of
 * others. */
struct route;
MUST_CHECK int admission_role(struct api *api, const struct http_request *request,
			      const struct route *route, struct error *err);
/* The same of an environment as it was typed, for what the body says. */
MUST_CHECK int admission_role_in(struct api *api, const struct http_request *request,
				 const char *typed, enum server_role role, struct error *err);
/* Would they be? Nothing is written down. */
bool admission_plays(struct api *api, const struct http_request *request, const char *typed,
		     enum server_role role);

/* Is who asked still admitted? ERR_DENIED. */
MUST_CHECK int admission_still(struct api *api, const char *who, struct error *err);

/* The same where it is not known yet which environments of the application it will be: those in which somebody is named. */
MUST_CHECK int admission_role_anywhere(struct api *api, const struct http_request *request,
				       const char *app, enum server_role role, struct error *err);

/* Has who asks this scope (of control/tokens.h)? */
bool admission_may(struct api *api, const struct http_request *request, unsigned scope);

/* May who asks touch this environment (NULL: the application as a whole)? ERR_DENIED. */
MUST_CHECK int admission_reaches(struct api *api, const struct http_request *request,
				 const char *app, const char *environment, struct error *err);
/* The same of an environment as it was typed. */
MUST_CHECK int admission_reaches_named(struct api *api, const struct http_request *request,
				       const char *typed, struct error *err);

/* The environment that is meant by what was typed: for the holder of a token always with its application, so that what was
 * allowed is what is done. Others may name one that is not there yet by its name alone. */
MUST_CHECK int admission_environment(struct api *api, const struct http_request *request,
				     const char *typed, char ret_environment[CONTROL_KEY_SIZE],
				     struct error *err);

#endif
