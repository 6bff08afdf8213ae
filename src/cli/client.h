/* SPDX-License-Identifier: Apache-2.0
 *
 * client - requests to the server over the UNIX socket of its state directory (libcurl); elsewhere over ssh (remote.h), or
 *          over the network (web.h).
 *
 * ERRORS An answer that is an error comes back as that error, its sentence as the server wrote it;
 *       ERR_UNAVAILABLE when nobody listens, with the command that starts a server.
 */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include <jansson.h>

#include "base/err.h"
#include "cli/command.h"

struct client;

/* The state directory that is meant; it may not exist. */
const char *client_state(const struct cli *cli);

/* Finds the socket: --state, DAVIT_STATE, ./.davit, /var/lib/davit, in this order. */
MUST_CHECK int client_open(const struct cli *cli, struct client **ret_client, struct error *err);
/* The command that helps where that failed; NULL: what is wrong says it. */
const char *client_open_next(const struct cli *cli);
void client_free(struct client *client); /* NULL is allowed */

/* The command that helps after the last failure, as the server said it or as is known here; or NULL. Lives
 * as long as the client. */
const char *client_next(const struct client *client);

/* One request; `body` (or NULL) is sent as JSON and released. `ret_json` is the caller's. */
MUST_CHECK int client_get(struct client *client, const char *path, json_t **ret_json,
			  struct error *err);
MUST_CHECK int client_post(struct client *client, const char *path, json_t *body, json_t **ret_json,
			   struct error *err);

/* Bytes as they are: a body that is no JSON. */
MUST_CHECK int client_send(struct client *client, const char *path, const void *bytes, size_t size,
			   json_t **ret_json, struct error *err);

/* A release: the configuration, then everything that `read` gives until it returns 0 (negative: an error
 * that was set). */
MUST_CHECK int client_upload(struct client *client, const char *path, const char *config,
			     size_t config_size, long (*read)(void *context, void *to, size_t size),
			     void *context, json_t **ret_json, struct error *err);

/* Lines of a stream, as they come; `line` returns false to end it. */
MUST_CHECK int client_stream(struct client *client, const char *path,
			     bool (*line)(void *context, const char *text), void *context,
			     struct error *err);

/* Called a few times a second while a stream waits, so that a screen can be drawn; false ends it. */
void client_on_idle(struct client *client, bool (*idle)(void *context), void *context);

/* "/v1/…/" followed by the text, percent-encoded, then `rest`. Returns `to`. */
const char *client_path(const char *before, const char *text, const char *rest, char *to,
			size_t size);

/* Append "?key=value" or "&key=value" to a path, percent-encoded; nothing when the value is NULL or "". */
void client_query(char *path, size_t size, const char *key, const char *value);

#endif
