/* SPDX-License-Identifier: Apache-2.0
 * api_stream - see api_stream.h for the contract. */
#include "daemon/api_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/command.h"

enum { PART_SIZE = 65536 };

static int open_socket(const char *state, int *ret_fd, struct error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int directory = open(state, O_PATH | O_DIRECTORY | O_CLOEXEC),
	    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/api.sock", directory);
	bool answers = directory >= 0 && fd >= 0 &&
		       connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
	int number = errno;
	if (directory >= 0)
		close(directory);
	if (answers) {
		*ret_fd = fd;
		return 0;
	}
	if (fd >= 0)
		close(fd);
	if (number == EACCES)
		return error_set(err, ERR_DENIED,
				 "only the user that runs davit in %s, root, and the group that "
				 "the server's own file "
				 "names (socket_group) may talk to it",
				 state);
	return error_set(err, ERR_UNAVAILABLE,
			 "no server answers in %s; start it, or name its directory behind the host",
			 state);
}

/* What there is, from one to the other; false when `from` has ended or `to` is gone. */
static bool carry(int from, int to)
{
	char part[PART_SIZE];
	ssize_t size = read(from, part, sizeof part);
	if (size < 0)
		return errno == EINTR || errno == EAGAIN;
	for (ssize_t done = 0; done < size;) {
		ssize_t count = write(to, part + done, (size_t)(size - done));
		if (count < 0 && errno != EINTR)
			return false;
		done += count > 0 ? count : 0;
	}
	return size > 0;
}

static void join(int server)
{
	struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
			       {.fd = server, .events = POLLIN}};
	for (;;) {
		if (poll(fds, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return;
		}
		/* A client that closed wants no answer any more: it would have waited for it. */
		if (fds[0].revents && !carry(STDIN_FILENO, server))
			return;
		if (fds[1].revents && !carry(server, STDOUT_FILENO))
			return;
	}
}

int api_stream(int argc, char **argv)
{
	struct cli cli = {.json = false};
	struct error err;
	int server = -1;
	signal(SIGPIPE, SIG_IGN);
	bool named = argc == 3 && strcmp(argv[1], "--state") == 0;
	if (argc != 1 && !named) {
		error_set(&err, ERR_INVALID, "api-stream is started by davit --host.");
		return cli_fail(&cli, &err, NULL);
	}
	cli.state = named ? argv[2] : NULL;
	if (open_socket(client_state(&cli), &server, &err) < 0)
		return cli_fail(&cli, &err, NULL);
	join(server);
	close(server);
	return CLI_OK;
}
