/* SPDX-License-Identifier: Apache-2.0
 * build_verb - see build_verb.h for the contract.
 *
 * What blocks (git, copying) runs in another thread, so that Ctrl-C is heard at any time: it sets `cancelled`, and
 * git is ended; once the run has begun, it is cancelled as a whole. */
#include "daemon/build_verb.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/config_file.h"
#include "daemon/build_order.h"
#include "daemon/build_scan.h"
#include "daemon/build_show.h"
#include "drivers/builder/local.h"
#include "os/file.h"

enum { PARALLEL_MAX = 32, PART_SIZE = 64 * 1024 };

struct build {
	struct cli cli;
	struct loop *loop;
	atomic_bool cancelled;
	struct checkout checkout;
	struct buf changes, config;
	struct app *app;
	struct builder_local_settings settings;
	struct builder *builder;
	struct run_settings run_settings;
	struct run *run;
	struct build_show show;
	char directory[CHECKOUT_PATH_SIZE], archive[CHECKOUT_PATH_SIZE + 16];
	int code;
	int status; /* of what ran in the other thread */
	struct error err;
};

static void leave(struct build *b, int code)
{
	b->code = code;
	loop_stop(b->loop);
}

static void leave_with(struct build *b, const char *next)
{
	if (b->status == ERR_CLOSED) {
		fputs("davit: Cancelled; nothing was built.\n", stderr);
		leave(b, CLI_DETACHED);
	} else {
		leave(b, cli_fail(&b->cli, &b->err, next));
	}
}

/* --- the end */

/* The archive to where it was wanted; over what was there, and never half of it. */
static int deliver(const char *from, const char *to, struct error *err)
{
	char new[PATH_MAX], part[PART_SIZE];
	if ((size_t)snprintf(new, sizeof new, "%s.davit-%d", to, (int)getpid()) >= sizeof new)
		return error_set(err, ERR_LIMIT, "The path %s is too long.", to);
	AUTO_CLOSE int in = open(from, O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int out = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	ssize_t size = in < 0 || out < 0 ? -1 : 1;
	while (size > 0) {
		size = read(in, part, sizeof part);
		if (size > 0 && write(out, part, (size_t)size) != size)
			size = -1;
	}
	if (size == 0 && rename(new, to) == 0)
		return 0;
	int number = errno;
	if (out >= 0)
		unlink(new);
	return error_errno(err, number, "The archive cannot be written to %s", to);
}

static bool was_archived(const struct build *b)
{
	for (uint32_t i = 0; i < run_count(b->run); i++)
		if (run_stage(b->run, i).result->archived)
			return true;
	return false;
}

static void on_done(void *context)
{
	struct build *b = context;
	const char *output = cli_option(&b->cli, "output");
	int status = 0;
	if (was_archived(b) && run_outcome(b->run) == GRAPH_PASSED) {
		b->show.archive = output ? output : b->archive;
		status = output ? deliver(b->archive, output, &b->err) : 0;
		if (status < 0)
			b->show.archive = b->archive;
	}
	int code = build_show_end(&b->show);
	leave(b, status < 0 ? cli_fail(&b->cli, &b->err, NULL) : code);
}

/* --- the run */

static void on_changed(void *context, uint32_t stage)
{
	struct build *b = context;
	build_show_change(&b->show, stage);
}

static void on_line(void *context, uint32_t stage, const char *text, size_t size)
{
	struct build *b = context;
	build_show_line(&b->show, stage, text, size);
}

static void opened(void *context)
{
	struct build *b = context;
	const struct run_listener listener = {
		.changed = on_changed, .line = on_line, .done = on_done, .context = b};
	if (b->status == 0 && atomic_load(&b->cancelled))
		b->status = ERR_CLOSED;
	if (b->status == 0)
		b->status = run_new(loop_env(b->loop), b->builder, b->app, &b->run_settings,
				    &listener, &b->run, &b->err);
	if (b->status < 0) {
		leave_with(b, NULL);
		return;
	}
	b->show.run = b->run;
	build_show_begin(&b->show, &b->changes);
	run_begin(b->run);
}

static void open_builder(void *context)
{
	struct build *b = context;
	char scratch[CHECKOUT_PATH_SIZE + 16];
	struct error err;
	snprintf(scratch, sizeof scratch, "%s/run/git", b->directory);
	b->status = builder_local_open(b->loop, &b->settings, &b->builder, &b->err);
	/* Not to know them is no reason not to build. */
	b->show.changes_known =
		b->status == 0 && checkout_changes(&b->checkout, scratch, &b->changes, &err) == 0;
}

/* STATE/build, of the state directory that was named, else of the repository's own. */
static int find_directory(struct build *b)
{
	const char *named = b->cli.state ? b->cli.state : getenv("DAVIT_STATE");
	char here[PATH_MAX] = "";
	bool relative = !named || !named[0] || named[0] != '/';
	if (named && named[0] && relative && !getcwd(here, sizeof here))
		return error_errno(&b->err, errno, "This directory cannot be read");
	int length = !named || !named[0]
			     ? snprintf(b->directory, sizeof b->directory, "%s/.davit/build",
					b->checkout.top)
			     : snprintf(b->directory, sizeof b->directory, "%s%s%s/build", here,
					relative ? "/" : "", named);
	if (length < 0 || (size_t)length >= sizeof b->directory)
		return error_set(&b->err, ERR_LIMIT,
				 "The path of the state directory is too long.");
	snprintf(b->archive, sizeof b->archive, "%s/release.tar", b->directory);
	return 0;
}

static void found(void *context)
{
	struct build *b = context;
	if (b->status < 0) {
		leave_with(b, b->status == ERR_NOT_FOUND && b->checkout.commit[0] ? "davit init"
										  : NULL);
		return;
	}
	int code = config_file_load(&b->cli, &b->config, "davit.yaml", &b->app);
	if (code != CLI_OK) {
		leave(b, code);
		return;
	}
	b->show.app = b->app;
	b->settings = (struct builder_local_settings){.directory = b->directory,
						      .application = b->app->name,
						      .checkout = &b->checkout,
						      .log_bytes = LOCAL_LOG_BYTES,
						      .work_bytes = LOCAL_WORK_BYTES,
						      .cache_bytes = UINT64_C(4) << 30,
						      .unknown = "a build without the server "
								 "knows of no release",
						      .judge = build_scan_judge};
	b->status =
		b->app->stage_count == 0
			? error_set(&b->err, ERR_INVALID,
				    "The davit.yaml of this commit has no \"pipeline\"; add one, "
				    "and commit it.")
			: find_directory(b);
	if (b->status < 0)
		leave_with(b, "davit docs pipeline");
	else
		loop_work(b->loop, open_builder, opened, b);
}

static void find_commit(void *context)
{
	struct build *b = context;
	const char *ref = cli_arg(&b->cli, 0);
	b->status = checkout_find(".", ref ? ref : "HEAD", &b->cancelled, &b->checkout, &b->err);
	if (b->status == 0)
		b->status = checkout_file(&b->checkout, "davit.yaml", &b->config, &b->err);
	b->run_settings.branch = b->checkout.branch;
	b->run_settings.tag = b->checkout.tag;
}

static void on_signal(void *context, int number)
{
	struct build *b = context;
	(void)number;
	bool before = atomic_exchange(&b->cancelled, true);
	if (b->run && !before)
		run_cancel(b->run);
}

/* --- the line */

static int take_options(struct build *b)
{
	const char *parallel = cli_option(&b->cli, "parallel");
	static const char *const servers[] = {"to", "again", "from-start", "cancel"};
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t number = processors > 0 ? (uint64_t)processors : 1;
	for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++)
		if (cli_option(&b->cli, servers[i]))
			return error_set(&b->err, ERR_INVALID,
					 "--%s is for builds in the server; leave --local out.",
					 servers[i]);
	if (parallel && (!text_parse_u64(parallel, PARALLEL_MAX, &number) || number == 0))
		return error_set(&b->err, ERR_INVALID,
				 "--parallel takes a number from 1 to %d, not \"%s\".",
				 PARALLEL_MAX, parallel);
	b->run_settings.parallel = (uint32_t)(number < PARALLEL_MAX ? number : PARALLEL_MAX);
	b->run_settings.only = cli_option(&b->cli, "stage");
	b->run_settings.no_secrets = "It is given secrets, and only a server has them; build it "
				     "there (davit build --to ENV), or another stage with --stage.";
	return 0;
}

static int listen_for_signals(struct build *b)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct loop_signal *ignored;
	int code = 0;
	for (size_t i = 0; code == 0 && i < sizeof numbers / sizeof numbers[0]; i++)
		code = loop_signal_start(b->loop, numbers[i], on_signal, b, &ignored, &b->err);
	return code;
}

static void clean_up(struct build *b)
{
	run_free(b->run);
	if (b->builder)
		builder_local_close(b->builder);
	loop_free(b->loop);
	config_free(b->app);
	build_show_done(&b->show);
	buf_done(&b->changes);
	buf_done(&b->config);
}

int build_verb(int argc, char **argv)
{
	struct build *b = mem_zero(1, sizeof *b);
	signal(SIGPIPE, SIG_IGN); /* a reader that leaves must not leave stages behind */
	int code = cli_parse(argv[0], argc, argv, &b->cli);
	if (code == CLI_OK && !cli_option(&b->cli, "local")) {
		code = build_order_send(&b->cli);
		free(b);
		return code;
	}
	if (code == CLI_OK && b->cli.host) {
		error_set(
			&b->err, ERR_INVALID,
			"davit build --local works on this machine, without a server: leave --host "
			"away, or unset DAVIT_HOST.");
		code = cli_fail(&b->cli, &b->err, "davit build --local");
	}
	if (code == CLI_OK && take_options(b) < 0)
		code = cli_fail(&b->cli, &b->err, "davit build --local");
	if (code == CLI_OK && loop_new(&b->loop, &b->err) < 0)
		code = cli_fail(&b->cli, &b->err, NULL);
	if (code == CLI_OK) {
		b->show.cli = &b->cli;
		b->show.checkout = &b->checkout;
		b->show.directory = b->directory;
		buf_init(&b->changes, CHECKOUT_CHANGES_MAX);
		buf_init(&b->config, CONFIG_FILE_MAX);
		if (listen_for_signals(b) < 0) {
			code = cli_fail(&b->cli, &b->err, NULL);
		} else {
			loop_work(b->loop, find_commit, found, b);
			loop_run(b->loop);
			code = b->code;
		}
		clean_up(b);
	}
	free(b);
	return code;
}
