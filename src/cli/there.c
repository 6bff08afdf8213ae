/* SPDX-License-Identifier: Apache-2.0
 * there - see there.h for the contract. */
#include "cli/there.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/remote.h"

enum { COMMAND_MAX = 256 * 1024, SSH_FAILED = 255, NOT_STARTED = 126 };

static void put_option(struct buf *to, const char *name, const char *value)
{
	char word[256];
	snprintf(word, sizeof word, " --%s", name);
	buf_puts(to, word);
	if (value && value[0]) {
		buf_puts(to, "=");
		buf_put_shell_word(to, value);
	}
}

static void put_command(const struct cli *cli, const struct there *how, const char *directory,
			struct buf *to)
{
	const char *const *args = how->args ? how->args : cli->args;
	size_t count = how->args ? how->arg_count : cli->arg_count;
	buf_puts(to, "davit ");
	buf_puts(to, cli->command->name);
	if (directory[0])
		put_option(to, "state", directory);
	if (cli->json && !how->silent)
		buf_puts(to, " --json");
	for (size_t i = 0; cli->command->options[i].name; i++)
		if (cli->values[i])
			put_option(to, cli->command->options[i].name, cli->values[i]);
	if (how->extra) {
		buf_puts(to, " ");
		buf_put_shell_word(to, how->extra);
	}
	buf_puts(to, " --");
	for (size_t i = 0; i < count; i++) {
		buf_puts(to, " ");
		buf_put_shell_word(to, args[i]);
	}
}

/* `failed_fd` closes when ssh has begun, or tells why it did not. */
static void become_ssh(const struct remote *r, const struct there *how, const char *command,
		       int failed_fd)
{
	const char *argv[REMOTE_WORDS];
	bool terminal = how->in < 0 && how->out < 0 && !how->no_input && isatty(STDIN_FILENO) &&
			isatty(STDOUT_FILENO);
	remote_ssh(r, command, terminal, argv);
	int in = how->no_input ? open("/dev/null", O_RDONLY | O_CLOEXEC) : how->in;
	if ((in < 0 || dup2(in, STDIN_FILENO) >= 0) &&
	    (how->out < 0 || dup2(how->out, STDOUT_FILENO) >= 0) &&
	    signal(SIGPIPE, SIG_DFL) != SIG_ERR)
		execvp(argv[0], (char *const *)argv);
	int number = errno;
	(void)!write(failed_fd, &number, sizeof number);
	_exit(NOT_STARTED);
}

/* 0: ssh runs as `ret_pid`. */
static int start(const struct remote *r, const struct there *how, const char *command,
		 pid_t *ret_pid, struct error *err)
{
	int report[2], number = 0;
	if (pipe2(report, O_CLOEXEC) != 0)
		return error_errno(err, errno, "ssh cannot be run");
	*ret_pid = fork();
	if (*ret_pid == 0)
		become_ssh(r, how, command, report[1]);
	if (*ret_pid < 0)
		number = errno;
	close(report[1]);
	bool failed = *ret_pid < 0 || read(report[0], &number, sizeof number) > 0;
	close(report[0]);
	if (!failed)
		return 0;
	if (*ret_pid > 0)
		waitpid(*ret_pid, NULL, 0);
	return number == ENOENT ? error_set(err, ERR_UNSUPPORTED,
					    "The command \"ssh\" is not installed; install it.")
				: error_errno(err, number, "ssh cannot be run");
}

int there_run(const struct cli *cli, const struct there *how)
{
	struct remote remote;
	struct error err;
	struct buf command;
	int status = 0;
	if (remote_parse(cli->host, &remote, &err) < 0)
		return cli_fail(cli, &err, NULL);
	buf_init(&command, COMMAND_MAX);
	put_command(cli, how, remote.directory, &command);
	fflush(NULL);
	pid_t pid = -1;
	int result = command.overflowed ? error_set(&err, ERR_LIMIT, "That is too long a command.")
					: start(&remote, how, buf_text(&command), &pid, &err);
	buf_done(&command);
	if (result < 0)
		return cli_fail(cli, &err, NULL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!WIFEXITED(status))
		return CLI_DETACHED;
	/* A command there that ends with this cannot be told from an ssh that did not get there. */
	return WEXITSTATUS(status) == SSH_FAILED ? CLI_UNREACHABLE : WEXITSTATUS(status);
}
