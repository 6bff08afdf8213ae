/* SPDX-License-Identifier: Apache-2.0
 * build_remote - davit remote: the server's repository of an application, and its name in ours. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/ask.h"
#include "cli/client.h"
#include "cli/config_file.h"
#include "cli/screen.h"
#include "cli/there.h"
#include "daemon/build_order.h"
#include "os/capture.h"
#include "os/file.h"

enum {
	ANSWER_MAX = 4096,
	GIT_MS = 60 * 1000,
	HOOK_MAX = 4 * PATH_MAX,
	WHERE_SIZE = PATH_MAX + 128,
	APP_SIZE = 64
};

static int git(const char *const *argv, const char *what, struct error *err)
{
	struct buf out, errors;
	struct process_end end;
	char said[300];
	const struct capture capture = {.argv = argv, .deadline_ms = GIT_MS};
	buf_init(&out, ANSWER_MAX);
	buf_init(&errors, ANSWER_MAX);
	int code = capture_run(&capture, &out, &errors, &end, err);
	text_escape(buf_text(&errors), strcspn(buf_text(&errors), "\n"), said, sizeof said);
	if (code == ERR_NOT_FOUND)
		code = error_set(err, ERR_UNSUPPORTED,
				 "The command \"git\" is not installed; install it.");
	else if (code == 0 && end.code != 0)
		code = error_set(err, ERR_CONFLICT, "git cannot %s: %s.", what, said);
	buf_done(&out);
	buf_done(&errors);
	return code;
}

static int write_hook(const char *repository, const char *state, const char *app, struct error *err)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	struct buf text;
	int dir = -1;
	if (n <= 0)
		return error_errno(err, errno, "This program's own path cannot be read");
	self[n] = '\0';
	buf_init(&text, HOOK_MAX);
	buf_puts(&text, "#!/bin/sh\n# Written by \"davit remote\": every push is built.\nexec ");
	buf_put_shell_word(&text, self);
	buf_puts(&text, " receive --state ");
	buf_put_shell_word(&text, state);
	buf_puts(&text, " --app ");
	buf_put_shell_word(&text, app);
	buf_puts(&text, "\n");
	int code = file_open_directory(AT_FDCWD, repository, &dir, err);
	if (code == 0)
		code = file_make_directories(dir, "hooks", 0755, err);
	if (code == 0)
		code = file_write(dir, "hooks/post-receive", text.data, text.size, 0755, err);
	if (dir >= 0)
		close(dir);
	buf_done(&text);
	return code;
}

/* What one push may bring; whoever has said another bound keeps it. */
static int limit_pushes(const char *repository, struct error *err)
{
	char git_dir[WHERE_SIZE + 16];
	struct error ignored;
	const char *const get[] = {"git", git_dir, "config", "receive.maxInputSize", NULL};
	const char *const set[] = {"git", git_dir, "config", "receive.maxInputSize", "2g", NULL};
	snprintf(git_dir, sizeof git_dir, "--git-dir=%s", repository);
	return git(get, "read its settings", &ignored) == 0 ? 0
							    : git(set, "bound what is pushed", err);
}

static int make_repository(const char *repository, const char *state, const char *app,
			   struct error *err)
{
	char parent[WHERE_SIZE], hooks[WHERE_SIZE + 16];
	const char *const init[] = {"git",         "-c",      "init.defaultBranch=main",
				    "init",        "--quiet", "--bare",
				    "--template=", "--",      repository,
				    NULL};
	snprintf(parent, sizeof parent, "%s/repositories", state);
	snprintf(hooks, sizeof hooks, "%s/HEAD", repository);
	int code = file_make_directories(AT_FDCWD, parent, 0700, err);
	if (code == 0 && access(hooks, F_OK) != 0)
		code = git(init, "make a repository", err);
	if (code == 0)
		code = limit_pushes(repository, err);
	return code < 0 ? code : write_hook(repository, state, app, err);
}

static bool has_remote(const char *name)
{
	const char *const argv[] = {"git", "remote", "get-url", "--", name, NULL};
	struct error ignored;
	return git(argv, "read the remotes", &ignored) == 0;
}

static int add_remote(const char *name, const char *repository, struct error *err)
{
	const char *const add[] = {"git", "remote", "add", "--", name, repository, NULL};
	const char *const set[] = {"git", "remote", "set-url", "--", name, repository, NULL};
	return has_remote(name) ? git(set, "change the remote", err)
				: git(add, "add the remote", err);
}

static int find_state(struct cli *cli, char state[PATH_MAX], struct error *err)
{
	const char *named = client_state(cli);
	if (realpath(named, state))
		return 0;
	return error_set(err, ERR_UNAVAILABLE, "There is no server's state at %s.", named);
}

static bool name_of(const struct cli *cli, const char **ret_name)
{
	const char *name = cli_option(cli, "name");
	struct error err;
	*ret_name = name ? name : "davit";
	if (text_is_name(*ret_name))
		return true;
	error_set(&err, ERR_INVALID, "\"%s\" is no name of a remote.", *ret_name);
	cli_fail(cli, &err, "davit remote --help");
	return false;
}

/* `name` NULL: no remote is named. */
static int named(struct cli *cli, const char *app, const char *repository, const char *name)
{
	struct error err;
	int code = name ? add_remote(name, repository, &err) : 0;
	if (code < 0)
		return cli_fail(cli, &err, NULL);
	if (cli->json)
		ask_print(json_pack("{s:s,s:s,s:s}", "schema", "davit.v1/remote", "app", app,
				    "repository", repository));
	else if (name)
		printf("%s is the remote \"%s\" now.\nNext: git push %s HEAD\n", repository, name,
		       name);
	else
		printf("%s takes pushes of %s.\n", repository, app);
	return CLI_OK;
}

static int make_remote(struct cli *cli, const char *app, const char *name)
{
	char state[PATH_MAX], repository[WHERE_SIZE];
	struct error err;
	int code = find_state(cli, state, &err);
	if (code < 0)
		return cli_fail(cli, &err, "davit up");
	snprintf(repository, sizeof repository, "%s/repositories/%s.git", state, app);
	code = make_repository(repository, state, app, &err);
	return code < 0 ? cli_fail(cli, &err, NULL) : named(cli, app, repository, name);
}

/* --- on a server elsewhere */

/* "ssh://ops@host:22" of --host, with the repository's path there. */
static void url_of(const struct cli *cli, const char *path, char to[WHERE_SIZE])
{
	const char *host = cli->host + strlen("ssh://");
	snprintf(to, WHERE_SIZE, "ssh://%.*s%s", (int)strcspn(host, "/"), host, path);
}

static int make_there(struct cli *cli, const char *app, const char *name)
{
	char option[APP_SIZE + 16], url[WHERE_SIZE];
	static const char *const nothing[] = {NULL};
	struct cli asking = *cli;
	struct error err;
	AUTO_CLOSE int answer_fd = memfd_create("remote", MFD_CLOEXEC);
	if (answer_fd < 0)
		return CLI_UNEXPECTED;
	snprintf(option, sizeof option, "--app=%s", app);
	asking.json = true;
	memset(asking.values, 0, sizeof asking.values);
	int code = there_run(&asking, &(struct there){.args = nothing,
						      .extra = option,
						      .no_input = true,
						      .in = -1,
						      .out = answer_fd});
	if (code != CLI_OK)
		return code;
	lseek(answer_fd, 0, SEEK_SET);
	json_t *answer = json_loadfd(answer_fd, 0, NULL);
	const char *path = json_text_of(answer, "repository");
	if (path[0] == '/') {
		url_of(cli, path, url);
		code = named(cli, app, url, name);
	} else {
		error_set(&err, ERR_CORRUPT,
			  "The davit there did not say where the repository is.");
		code = cli_fail(cli, &err, "davit --host … doctor");
	}
	json_decref(answer);
	return code;
}

int remote_verb(int argc, char **argv)
{
	struct cli cli;
	struct app *app;
	char known[APP_SIZE];
	const char *name;
	struct error err;
	int code = cli_parse(argv[0], argc, argv, &cli);
	if (code != CLI_OK)
		return code;
	const char *said = cli_option(&cli, "app");
	if (!name_of(&cli, &name))
		return CLI_USAGE;
	if (said && !text_is_name(said)) {
		error_set(&err, ERR_INVALID, "\"%.60s\" is no name of an application.", said);
		return cli_fail(&cli, &err, "davit remote --help");
	}
	if (said) {
		text_copy(known, sizeof known, said);
	} else {
		code = config_file_open(&cli, "davit.yaml", &app);
		if (code != CLI_OK)
			return code;
		text_copy(known, sizeof known, app->name);
		config_free(app);
	}
	name = said ? NULL : name;
	return cli.host ? make_there(&cli, known, name) : make_remote(&cli, known, name);
}
