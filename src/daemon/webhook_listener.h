/* SPDX-License-Identifier: Apache-2.0
 *
 * webhook_listener - takes the requests of git hosts: POST /hooks/APP, on an address of its own.
 *
 * WHAT  What is not signed with the secret of that source is refused before anything of it is read, and so is what was
 *       taken before, what is about another repository, and what is too large. A request that is good makes davit look
 *       at the repository; it decides nothing else. Refusals are logged, LISTENER_LOGGED a minute of them.
 *         202 davit looks · 200 nothing to do (the host only tries, or tells of something else) · 401 not signed by us ·
 *         404 no such source · 405 · 409 taken before, or another repository · 413 · 415 · 503 our secret cannot be read
 *
 * HOW   webhook_listener_keep() with what the server's file says now, again and again (api/network.h).
 */
#ifndef DAEMON_WEBHOOK_LISTENER_H
#define DAEMON_WEBHOOK_LISTENER_H

#include "os/loop.h"

struct control;
struct server_listen;
struct sources;
struct webhook_listener;

enum { LISTENER_LOGGED = 20 };

struct webhook_listener *webhook_listener_new(struct loop *loop, struct control *control,
					      struct sources *sources);
void webhook_listener_free(struct webhook_listener *listener); /* NULL is allowed */
void webhook_listener_keep(struct webhook_listener *listener,
			   const struct server_listen *wanted);                /* NULL: none */
const char *webhook_listener_address(const struct webhook_listener *listener); /* NULL: none */

#endif
