/* SPDX-License-Identifier: Apache-2.0
 *
 * server_file - the server's own file (config/server.h), as it is now.
 *
 * HOW   Read at the start, and again whenever it has changed on disk. At the start an error is fatal; later the last
 *       good one stays in force, and the log says so: a slip in an editor must not open a gate.
 */
#ifndef DAEMON_SERVER_FILE_H
#define DAEMON_SERVER_FILE_H

#include "base/err.h"

struct server;
struct server_file;

/* `path` NULL: /etc/davit/server.yaml where there is one. */
MUST_CHECK int server_file_open(const char *path, struct server_file **ret_file, struct error *err);
void server_file_close(struct server_file *file); /* NULL is allowed */

/* NULL: there is none. Valid until the file has changed twice: in one turn of the loop it may be asked for again.
 * `context` is the struct server_file. */
const struct server *server_file_now(void *context);

#endif
