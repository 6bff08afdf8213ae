/* SPDX-License-Identifier: Apache-2.0
 * exec - davit exec ENV[/PROCESS] -- COMMAND: a one-off command where and as the live release runs.
 *
 * The server says where, as whom and with which variables, and writes it down; the command itself is run here,
 * in place of this process, so that its terminal, its signals and its exit code are the person's own. */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "cli/screen.h"
#include "cli/target.h"
#include "cli/there.h"
#include "cli/verbs.h"
#include "os/file.h"

enum { COMMAND_MAX = 380, SECRET_MAX = 64 * 1024 };

/* What the audit log shows: the words, one space between two. */
static char *command_text(const struct cli *cli)
{
	struct buf text;
	buf_init(&text, COMMAND_MAX);
	for (uint32_t i = 1; i < cli->arg_count; i++) {
		buf_puts(&text, i > 1 ? " " : "");
		buf_puts(&text, cli->args[i]);
	}
	return buf_take(&text);
}

static int ask_where(struct cli *cli, struct client *client, json_t **ret_answer, struct error *err)
{
	struct target target;
	char path[1024];
	int result = target_parse(client, cli_arg(cli, 0), &target, err);
	if (result < 0)
		return result;
	char *command = command_text(cli);
	json_t *body = json_object();
	json_object_set_new(body, "process", json_string(target.process));
	json_object_set_new(body, "command", json_string(command));
	free(command);
	client_path("/v1/environments/", target.environment, "/exec", path, sizeof path);
	return client_post(client, path, body, ret_answer, err);
}

static int become(const char *name, struct error *err)
{
	const struct passwd *user = name[0] ? getpwnam(name) : NULL;
	if (!name[0])
		return 0;
	if (!user)
		return error_set(err, ERR_NOT_FOUND, "There is no user \"%s\" on this machine.",
				 name);
	setenv("HOME", user->pw_dir, 1);
	setenv("USER", name, 1);
	if (user->pw_uid == geteuid())
		return 0;
	if (initgroups(name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 ||
	    setuid(user->pw_uid) != 0)
		return error_set(err, ERR_DENIED,
				 "The command runs as %s there: run davit exec as root.", name);
	return 0;
}

/* The variables that an instance gets, and the terminal's own: nothing else of this shell. */
static void set_variables(const json_t *list)
{
	static const char *const kept[] = {"PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TERM"};
	char *values[sizeof kept / sizeof kept[0]];
	const json_t *row;
	size_t i;
	for (i = 0; i < sizeof kept / sizeof kept[0]; i++) {
		const char *value = getenv(kept[i]);
		values[i] = value ? mem_copy_text(value) : NULL;
	}
	clearenv();
	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	for (i = 0; i < sizeof kept / sizeof kept[0]; i++) {
		if (values[i])
			setenv(kept[i], values[i], 1);
		free(values[i]);
	}
	json_array_foreach (list, i, row) {
		char *variable = mem_copy_text(json_string_value(row)),
		     *equals = strchr(variable, '=');
		if (equals) {
			*equals = '\0';
			setenv(variable, equals + 1, 1);
		}
		free(variable);
	}
}

/* Read as who we are, before the command's user is taken on. */
static int set_secrets(const json_t *answer, struct error *err)
{
	char directory[PATH_MAX];
	const json_t *list = json_object_get(answer, "secrets"), *row;
	AUTO_CLOSE int fd = -1;
	size_t i;
	int result = 0;
	if (json_array_size(list) == 0)
		return 0;
	if (!realpath(json_text_of(answer, "secrets_directory"), directory))
		return error_errno(err, errno, "The secrets of the live instance cannot be found");
	result = file_open_directory(AT_FDCWD, directory, &fd, err);
	json_array_foreach (list, i, row) {
		struct buf value;
		const char *name = json_text_of(row, "name");
		buf_init(&value, SECRET_MAX);
		value.secret = true;
		if (json_is_true(json_object_get(row, "file")))
			buf_printf(&value, "%s/%s", directory, name);
		else if (result == 0)
			result = file_read(fd, name, &value, err);
		if (result == 0)
			setenv(name, buf_text(&value), 1);
		buf_done(&value);
	}
	return result;
}

int verb_exec(struct cli *cli)
{
	struct client *client;
	struct error err;
	char *argv[CLI_ARGS_MAX + 1] = {NULL};
	json_t *answer;
	if (cli->host)
		return there_run(cli, &(struct there){.in = -1, .out = -1});
	if (client_open(cli, &client, &err) < 0)
		return cli_fail(cli, &err, client_open_next(cli));
	int result = ask_where(cli, client, &answer, &err);
	int code = result < 0 ? cli_fail(cli, &err, client_next(client)) : CLI_OK;
	client_free(client);
	if (code != CLI_OK)
		return code;
	for (uint32_t i = 1; i < cli->arg_count; i++)
		argv[i - 1] = mem_copy_text(cli->args[i]);
	set_variables(json_object_get(answer, "variables"));
	if (set_secrets(answer, &err) < 0)
		return cli_fail(cli, &err, "davit status");
	if (chdir(json_text_of(answer, "directory")) != 0) {
		error_errno(&err, errno, "The release's directory cannot be entered");
		return cli_fail(cli, &err, NULL);
	}
	if (become(json_text_of(answer, "user"), &err) < 0)
		return cli_fail(cli, &err, NULL);
	execvp(argv[0], argv);
	error_errno(&err, errno, "The command \"%s\" cannot be run", argv[0]);
	return cli_fail(cli, &err, NULL);
}
