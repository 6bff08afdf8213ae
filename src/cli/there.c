/* SPDX-License-Identifier: Apache-2.0
 * there - see there.h for the contract. */
#include "cli/there.h"

#include <errno.h>
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

static void become_ssh(const struct remote *r, const struct there *how, const char *command)
{
	const char *argv[REMOTE_WORDS];
	bool terminal =
		how->in < 0 && how->out < 0 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	remote_ssh(r, command, terminal, argv);
	if ((how->in < 0 || dup2(how->in, STDIN_FILENO) >= 0) &&
	    (how->out < 0 || dup2(how->out, STDOUT_FILENO) >= 0) &&
	    signal(SIGPIPE, SIG_DFL) != SIG_ERR)
		execvp(argv[0], (char *const *)argv);
	_exit(NOT_STARTED);
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
	pid_t pid = command.overflowed ? -1 : fork();
	if (pid == 0)
		become_ssh(&remote, how, buf_text(&command));
	buf_done(&command);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (pid < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == NOT_STARTED)) {
		error_set(&err, ERR_UNAVAILABLE, "ssh cannot be run here.");
		return cli_fail(cli, &err, "install openssh-client");
	}
	if (!WIFEXITED(status))
		return CLI_DETACHED;
	return WEXITSTATUS(status) == SSH_FAILED ? CLI_UNREACHABLE : WEXITSTATUS(status);
}
