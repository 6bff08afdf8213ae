/* SPDX-License-Identifier: Apache-2.0
 *
 * remote - a server on another machine, reached over the system's ssh: ssh://[USER@]HOST[:PORT][/STATE/DIR].
 *
 * HOW    A connection is one ssh that runs "davit api-stream" there, which joins its standard input and output with
 *        the server's socket: nothing but davit is needed there, and whoever may log in there as the server's user may
 *        speak to it. Passwords and host keys are asked for by ssh, at the terminal.
 *
 * NOTE   User and host hold no character that ssh or a shell could take for something else, and stand behind "--";
 *        the directory is quoted for the shell there.
 *        remote_start() starts the ssh, which takes the next connection to the UNIX socket r->socket, and only
 *        that, for its input and output: so that an HTTP client connects to it as to a server of this machine.
 * OWNS   The ssh ends when the connection is closed, with the next remote_start(), or with remote_end().
 * ERRORS What ssh says goes nowhere but into remote_why().
 */
#ifndef CLI_REMOTE_H
#define CLI_REMOTE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

enum {
	REMOTE_USER_SIZE = 65,
	REMOTE_HOST_SIZE = 256,
	REMOTE_DIRECTORY_SIZE = 1024,
	REMOTE_LIMIT = 1400, /* of the whole address */
	REMOTE_WORDS = 12,
};

struct remote {
	char user[REMOTE_USER_SIZE]; /* "": whom ssh takes */
	char host[REMOTE_HOST_SIZE];
	char port[8];                          /* "": as ssh has it */
	char directory[REMOTE_DIRECTORY_SIZE]; /* "": where davit looks there */
	char folder[40], socket[48];           /* that the client connects to */
	pid_t pid;                             /* 0: no ssh runs */
	int said_fd;                           /* what it writes to standard error; -1 before */
};

MUST_CHECK int remote_parse(const char *address, struct remote *ret_remote, struct error *err);
/* The words of the ssh that runs `command` there, with a terminal or without; they borrow all. */
void remote_ssh(const struct remote *r, const char *command, bool terminal,
		const char *argv[REMOTE_WORDS]);
/* 0, or -1 when no process can be started. */
MUST_CHECK int remote_start(struct remote *r);
/* The connection is of no use: why, as one sentence, and what to try. Waits for ssh to end. 0: it ended well, the server
 * closed. */
MUST_CHECK int remote_why(struct remote *r, struct error *err);
void remote_end(struct remote *r);

#endif
