/* SPDX-License-Identifier: Apache-2.0
 * remote - see remote.h for the contract. */
#include "cli/remote.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

enum { SAID_MAX = 4096, SHOWN_MAX = 300, NOT_STARTED = 126, NO_COMMAND = 127, SSH_FAILED = 255 };

static bool is_plain(const char *text, const char *also)
{
	if (text[0] == '-' || !text[0])
		return false;
	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr(also, *p))
			return false;
	return true;
}

static bool is_port(const char *text)
{
	uint64_t number;
	return text_parse_u64(text, 65535, &number) && number > 0 && strlen(text) <= 5;
}

/* "[::1]:22", "host:22" or "host" */
static bool take_host(char *text, struct remote *r)
{
	char *port = NULL;
	if (text[0] == '[') {
		char *end = strchr(text, ']');
		if (!end || (end[1] != '\0' && end[1] != ':'))
			return false;
		port = end[1] ? end + 2 : NULL;
		*end = '\0';
		text++;
	} else if ((port = strchr(text, ':'))) {
		*port++ = '\0';
	}
	if (strlen(text) >= sizeof r->host || (port && !is_port(port)))
		return false;
	text_copy(r->host, sizeof r->host, text);
	text_copy(r->port, sizeof r->port, port ? port : "");
	return is_plain(r->host, ".-_:");
}

static bool take_directory(const char *text, struct remote *r)
{
	if (strlen(text) >= sizeof r->directory)
		return false;
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	/* "ssh://host/" says no directory. */
	text_copy(r->directory, sizeof r->directory, text[0] && text[1] ? text : "");
	return true;
}

static bool take_all(const char *address, struct remote *r)
{
	static const char scheme[] = "ssh://";
	char text[REMOTE_LIMIT];
	if (strlen(address) >= sizeof text || strncmp(address, scheme, sizeof scheme - 1) != 0)
		return false;
	text_copy(text, sizeof text, address + sizeof scheme - 1);
	char *host = text, *slash = strchr(text, '/');
	if (slash) {
		if (!take_directory(slash, r))
			return false;
		*slash = '\0';
	}
	char *at = strrchr(text, '@');
	if (at) {
		*at = '\0';
		if (strlen(text) >= sizeof r->user || !is_plain(text, ".-_"))
			return false;
		text_copy(r->user, sizeof r->user, text);
		host = at + 1;
	}
	return take_host(host, r);
}

int remote_parse(const char *address, struct remote *ret_remote, struct error *err)
{
	uint64_t chance = 0;
	*ret_remote = (struct remote){.said_fd = -1};
	ASSERT(getrandom(&chance, sizeof chance, 0) == (ssize_t)sizeof chance);
	snprintf(ret_remote->folder, sizeof ret_remote->folder, "/tmp/davit-%016llx",
		 (unsigned long long)chance);
	snprintf(ret_remote->socket, sizeof ret_remote->socket, "%s/s", ret_remote->folder);
	if (take_all(address, ret_remote))
		return 0;
	return error_set(err, ERR_INVALID,
			 "\"%.80s\" is no address of a server: write "
			 "ssh://[USER@]HOST[:PORT][/STATE/DIR] or https://HOST[:PORT].",
			 address);
}

void remote_ssh(const struct remote *r, const char *command, bool terminal,
		const char *argv[REMOTE_WORDS])
{
	size_t count = 0;
	argv[count++] = "ssh";
	argv[count++] = terminal ? "-t" : "-T";
	if (r->port[0]) {
		argv[count++] = "-p";
		argv[count++] = r->port;
	}
	if (r->user[0]) {
		argv[count++] = "-l";
		argv[count++] = r->user;
	}
	argv[count++] = "--";
	argv[count++] = r->host;
	argv[count++] = command;
	argv[count] = NULL;
}

/* In the child: the one connection that will come is ssh's input and output. */
static void run_ssh(const struct remote *r, const char *command, int listener)
{
	const char *argv[REMOTE_WORDS];
	remote_ssh(r, command, false, argv);
	int stream = accept(listener, NULL, NULL);
	unlink(r->socket);
	rmdir(r->folder);
	close(listener);
	if (stream >= 0 && dup2(stream, STDIN_FILENO) >= 0 && dup2(stream, STDOUT_FILENO) >= 0 &&
	    dup2(r->said_fd, STDERR_FILENO) >= 0) {
		close(stream);
		signal(SIGPIPE, SIG_DFL);
		execvp(argv[0], (char *const *)argv);
	}
	_exit(NOT_STARTED);
}

static int listen_there(struct remote *r)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	text_copy(address.sun_path, sizeof address.sun_path, r->socket);
	/* A folder that only we may enter, or none. */
	if (fd >= 0 && mkdir(r->folder, 0700) == 0 &&
	    bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

int remote_start(struct remote *r)
{
	struct buf command;
	remote_end(r);
	r->said_fd = memfd_create("ssh", MFD_CLOEXEC);
	int listener = r->said_fd >= 0 ? listen_there(r) : -1;
	if (listener < 0)
		return -1;
	buf_init(&command, 8 * REMOTE_DIRECTORY_SIZE);
	buf_puts(&command, "davit api-stream");
	if (r->directory[0]) {
		buf_puts(&command, " --state ");
		buf_put_shell_word(&command, r->directory);
	}
	r->pid = fork();
	if (r->pid == 0)
		run_ssh(r, buf_text(&command), listener);
	buf_done(&command);
	close(listener);
	if (r->pid < 0)
		r->pid = 0;
	return r->pid > 0 ? 0 : -1;
}

/* The last line that says something, without what a terminal could take for commands. */
static void last_line(int fd, char to[SHOWN_MAX])
{
	char text[SAID_MAX];
	off_t size = lseek(fd, 0, SEEK_END);
	ssize_t count =
		pread(fd, text, sizeof text - 1, size > SAID_MAX - 1 ? size - (SAID_MAX - 1) : 0);
	text[count > 0 ? count : 0] = '\0';
	size_t length = strlen(text);
	while (length > 0 && (unsigned char)text[length - 1] <= ' ')
		text[--length] = '\0';
	const char *line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	if (text_starts(line, "davit: "))
		line += strlen("davit: ");
	text_copy(to, SHOWN_MAX, line);
	for (char *p = to; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	length = strlen(to);
	if (length > 0 && to[length - 1] == '.')
		to[length - 1] = '\0';
}

int remote_why(struct remote *r, struct error *err)
{
	char said[SHOWN_MAX] = "";
	int status = 0;
	if (r->pid <= 0)
		return error_set(err, ERR_UNAVAILABLE, "No ssh could be started.");
	while (waitpid(r->pid, &status, 0) < 0 && errno == EINTR)
		;
	r->pid = 0;
	last_line(r->said_fd, said);
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : SSH_FAILED;
	if (code == 0)
		return 0;
	if (code == NOT_STARTED && !said[0])
		return error_set(err, ERR_UNAVAILABLE,
				 "There is no ssh on this machine's PATH: install openssh-client.");
	if (code == SSH_FAILED)
		return error_set(err, ERR_UNAVAILABLE,
				 "ssh does not reach %s%s%s. Try \"ssh %s%s%s%s%s%s true\".",
				 r->host, said[0] ? ": " : "", said, r->port[0] ? "-p " : "",
				 r->port, r->port[0] ? " " : "", r->user, r->user[0] ? "@" : "",
				 r->host);
	if (code == NO_COMMAND)
		return error_set(err, ERR_UNAVAILABLE,
				 "%s has no davit on the PATH of a login without a terminal (%s): "
				 "install it there.",
				 r->host, said);
	return error_set(err, ERR_UNAVAILABLE, "%s says: %s.", r->host,
			 said[0] ? said : "nothing at all");
}

void remote_end(struct remote *r)
{
	if (r->pid > 0) {
		kill(r->pid, SIGTERM);
		while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
			;
		/* One that nobody connected to has them still. */
		unlink(r->socket);
		rmdir(r->folder);
	}
	r->pid = 0;
	if (r->said_fd >= 0)
		close(r->said_fd);
	r->said_fd = -1;
}
