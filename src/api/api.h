/* SPDX-License-Identifier: Apache-2.0
 *
 * api - the routes of docs/reference/api.md: a request becomes a call of control/, its answer JSON.
 *
 * HOW   api_new() serves from then on; api_free() lets go of every client. One table of routes: method,
 *       path and handler, each with the sentence that documents it.
 * OWNS  The parts are the caller's. The socket becomes the API's.
 */
#ifndef API_API_H
#define API_API_H

#include "base/err.h"
#include "os/loop.h"

struct api;
struct artifact_store;
struct builds;
struct control;
struct server;
struct sources;
struct store;

struct api_parts {
	struct loop *loop;
	struct control *control;
	struct store *store;
	struct artifact_store *artifacts;
	struct builds *builds;   /* for their logs; NULL: there are none */
	struct sources *sources; /* NULL: none is looked at */
	/* The server's own file as it is now; NULL: there is none. */
	const struct server *(*server)(void *context);
	void *server_context;
	const char *state_directory; /* absolute */
	const char *version;
	int listen_fd;
	/* Let the local users of this group ("": none) speak to the socket. NULL: nobody else ever may. */
	void (*share)(void *context, const char *group);
	void *share_context;
};

MUST_CHECK int api_new(const struct api_parts *parts, struct api **ret_api, struct error *err);
void api_free(struct api *api);

#endif
