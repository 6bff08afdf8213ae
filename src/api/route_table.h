/* SPDX-License-Identifier: Apache-2.0
 *
 * route_table - the addresses of the API: who handles each, what a token needs for it, and what it is about.
 */
#ifndef API_ROUTE_TABLE_H
#define API_ROUTE_TABLE_H

#include "api/http.h"
#include "config/server_roles.h"

struct api;

/* How it can be told which application or environment a request is about, before its body is read. */
enum route_about {
	ABOUT_NOTHING,     /* the server itself: everybody's */
	ABOUT_ALL,         /* everything: only for who is not limited */
	ABOUT_ENVIRONMENT, /* v1/environments/ENV/… */
	ABOUT_ROLLOUT,     /* v1/rollouts/ROLLOUT/… */
	ABOUT_BUILD,       /* v1/builds/N/… */
	ABOUT_APP,         /* v1/sources/APP/… */
	ABOUT_ASKED,       /* ?environment=ENV; without it, everything */
	ABOUT_RELEASE,     /* ?environment=ENV or ?app=APP, and nothing goes out */
	ABOUT_ASKED_APP,   /* ?app=APP; without it, everything */
	ABOUT_BODY,        /* the body says it: the handler asks admission_reaches() */
};

/* What whoever comes over the server's socket, and does not run the server, has to be named for. */
enum route_role {
	ROUTE_DEPLOYS = SERVER_DEPLOY, /* the roles of the environment that it is about */
	ROUTE_GOES_BACK = SERVER_ROLLBACK,
	ROUTE_FREEZES = SERVER_FREEZE,
	ROUTE_CLEARS = SERVER_CLEAR,
	ROUTE_LOOKS,   /* nothing */
	ROUTE_UPLOADS, /* `deploy`, somewhere in the application */
	ROUTE_ANSWERS, /* as control_answer() says */
	ROUTE_OWNS,    /* it is for whoever runs the server */
};

struct route {
	const char *method;
	const char *path; /* "*" is any one segment */
	void (*handle)(struct api *api, struct http_request *request);
	unsigned scopes; /* bits of enum token_scope, one of which is needed; 0: no token does it */
	enum route_about about;
	enum route_role role; /* with ABOUT_BODY the handler asks admission_role_in() */
};

MUST_CHECK int route_find(const struct http_request *request, const struct route **ret_route,
			  struct error *err);

/* http's `takes_large`: the reports of scans are in its body. */
bool route_takes_large(const struct http_request *request);

#endif
