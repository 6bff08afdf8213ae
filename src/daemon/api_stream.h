/* SPDX-License-Identifier: Apache-2.0
 *
 * api_stream - davit api-stream: standard input and output are joined with the server's socket, for a client that comes
 *              over ssh (cli/remote.h). Nobody types it.
 *
 * HOW    Ends with 0 when either side has closed; with the exit code of an error, told on standard error, when no
 *        server answers.
 */
#ifndef DAEMON_API_STREAM_H
#define DAEMON_API_STREAM_H

/* argv: the verb, and perhaps --state DIR. */
int api_stream(int argc, char **argv);

#endif
