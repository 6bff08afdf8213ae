/* SPDX-License-Identifier: Apache-2.0
 *
 * admission - who may do what over the network: the holder of a token, as far as its scopes and its reach go.
 *
 * WHAT  A token comes in the header "Authorization: Bearer …" (RFC 6750). It is looked at with the head of each request:
 *       401 without a good one, 403 where its scopes or its reach do not go so far. Then http_who() is "token:NAME".
 *       Who comes over the UNIX socket was admitted by the kernel, and all of this says yes.
 *
 * HOW   admission_check() is http's `admit`. Handlers of requests that say in their body what they are about ask
 *       admission_reaches() before they do anything.
 */
#ifndef API_ADMISSION_H
#define API_ADMISSION_H

#include <stdbool.h>

#include "api/http.h"
#include "control/control.h"

struct api;

/* 0 and the name, or a status of HTTP and why. */
unsigned admission_check(void *api, struct http_request *request, char ret_who[HTTP_WHO_SIZE],
			 struct error *err);

/* Is who asked still admitted? ERR_DENIED. */
MUST_CHECK int admission_still(struct api *api, const char *who, struct error *err);

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
