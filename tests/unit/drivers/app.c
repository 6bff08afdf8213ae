/* SPDX-License-Identifier: Apache-2.0
 * An application for the runtime's tests: answers each HTTP request with its pid.
 *
 *   app serve      200 on $PORT, 500 while there is a file "sick" in its directory
 *   app stubborn   as serve, ignores TERM, and leaves a daemon behind that does so too
 *   app half       as serve, but exits with 3 at the request /die, after it has answered */
#include <arpa/inet.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void leave_daemon(void)
{
	if (fork() == 0) {
		setsid();
		if (fork() != 0)
			_exit(0);
		for (;;)
			pause();
	}
}

static int listen_on(int port)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int yes = 1;
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 64) != 0) {
		perror("listen");
		exit(1);
	}
	return fd;
}

static void answer(int fd, bool half)
{
	char request[4096], text[256];
	ssize_t size = read(fd, request, sizeof request - 1);
	request[size > 0 ? size : 0] = '\0';
	bool sick = access("sick", F_OK) == 0;
	int length = snprintf(text, sizeof text,
			      "HTTP/1.1 %s\r\nContent-Length: 8\r\nConnection: close\r\n\r\n%8d",
			      sick ? "500 Sick" : "200 OK", (int)getpid());
	if (write(fd, text, (size_t)length) != length)
		perror("write");
	if (half && strncmp(request, "GET /die ", 9) == 0) {
		close(fd);
		_exit(3);
	}
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "serve";
	const char *port = getenv("PORT");
	if (strcmp(mode, "stubborn") == 0) {
		signal(SIGTERM, SIG_IGN);
		leave_daemon();
	}
	int listener = listen_on(port ? (int)strtol(port, NULL, 10) : 0);
	printf("listening\n");
	fflush(stdout);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fd < 0)
			continue;
		answer(fd, strcmp(mode, "half") == 0);
		close(fd);
	}
}
