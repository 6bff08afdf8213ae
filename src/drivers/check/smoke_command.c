/* SPDX-License-Identifier: Apache-2.0
 * smoke_command - the commands of smoke.c: where they run, and how they ended.
 *
 * As another user a command cannot read the release, which is davit's, and may not change it: it gets a copy of its own,
 * made for the first command of a run and gone with the run. */
#include "drivers/check/smoke_state.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "os/file.h"

/* --- directories */

struct removal {
	struct smoke *smoke;
	char place[PLACE_SIZE];
	int code;
	struct error err;
};

static void remove_work(void *context)
{
	struct removal *r = context;
	r->code = file_remove_tree(r->smoke->checks_fd, r->place, &r->err);
}

static void remove_done(void *context)
{
	struct removal *r = context;
	if (r->code < 0) /* it goes at the next start */
		log_event(LOG_WARNING, "check.left", "error=\"%s\"", r->err.text);
	smoke_job_ended(r->smoke);
	free(r);
}

void smoke_remove(struct smoke *smoke, char place[PLACE_SIZE])
{
	if (!place[0])
		return;
	struct removal *r = mem_zero(1, sizeof *r);
	r->smoke = smoke;
	text_copy(r->place, sizeof r->place, place);
	place[0] = '\0';
	smoke_job_begins(smoke);
	loop_work(smoke->loop, remove_work, remove_done, r);
}

static bool give_away(int checks_fd, const char *place, const char *name)
{
	struct process_user user;
	struct error ignored; /* then the command is not run either, and that says why */
	return !name[0] || process_user_find(name, &user, &ignored) < 0 ||
	       fchownat(checks_fd, place, user.uid, user.gid, 0) == 0;
}

/* An empty directory for a scan; -1: none can be made. */
static int make_place(struct run *run)
{
	struct smoke *smoke = run->smoke;
	snprintf(run->place, sizeof run->place, "%llu-%u", (unsigned long long)run->number,
		 run->at);
	if (smoke->checks_fd < 0 || mkdirat(smoke->checks_fd, run->place, 0700) != 0) {
		run->place[0] = '\0';
		return -1;
	}
	if (!give_away(smoke->checks_fd, run->place, run->request.bounds.user))
		return -1;
	return openat(smoke->checks_fd, run->place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The release's files for a user who is not davit. */
struct copy {
	struct smoke *smoke;
	uint64_t run;
	struct process_user user;
	char from[sizeof((struct check_request *)0)->directory];
	char to[PLACE_SIZE];
	int code;
	struct error err;
};

static void copy_work(void *context)
{
	struct copy *c = context;
	c->code = file_copy_tree(AT_FDCWD, c->from, c->smoke->checks_fd, c->to, c->user.uid,
				 c->user.gid, &c->err);
}

static void not_run(struct run *run, const struct error *err)
{
	char sentence[SENTENCE_MAX];
	snprintf(sentence, sizeof sentence, "The smoke check's command is not run: %s", err->text);
	smoke_finish(run, false, sentence);
}

static void copy_done(void *context)
{
	struct copy *c = context;
	struct smoke *smoke = c->smoke;
	struct run *run = smoke_find(smoke, c->run);
	if (run && c->code == 0) {
		text_copy(run->files, sizeof run->files, c->to);
		smoke_begin_command(run);
	} else if (run) {
		not_run(run, &c->err);
	} else if (c->code == 0) {
		smoke_remove(smoke, c->to);
	}
	free(c);
	smoke_job_ended(smoke);
}

static void start_copy(struct run *run)
{
	struct copy *c = mem_zero(1, sizeof *c);
	c->smoke = run->smoke;
	c->run = run->number;
	text_copy(c->from, sizeof c->from, run->request.directory);
	snprintf(c->to, sizeof c->to, "%llu-files", (unsigned long long)run->number);
	if (process_user_find(run->request.bounds.user, &c->user, &c->err) < 0) {
		not_run(run, &c->err);
		free(c);
		return;
	}
	smoke_job_begins(run->smoke);
	loop_work(run->smoke->loop, copy_work, copy_done, c);
}

/* Where the release's files are for its commands. */
static void find_release(const struct run *run, char *to, size_t size)
{
	char link[PATH_SIZE], checks[sizeof run->request.directory];
	text_copy(to, size, run->request.directory);
	if (!run->files[0])
		return;
	snprintf(link, sizeof link, "/proc/self/fd/%d", run->smoke->checks_fd);
	ssize_t n = readlink(link, checks, sizeof checks - 1);
	checks[n < 0 ? 0 : n] = '\0';
	snprintf(to, size, "%s/%s", checks, run->files);
}

/* --- commands */

/* How a command failed, in one sentence with the last thing that it said. False: it has passed. */
static bool tell_end(const struct run *run, const struct process_end *end, char *to, size_t size)
{
	const char *script = run->request.checks[run->at].command;
	char shown[SHOWN_MAX], said[SAID_MAX], how[SHOWN_MAX];
	if (!run->late && end->code == 0)
		return false;
	text_copy(shown, sizeof shown, script);
	command_said(run->command, said, sizeof said);
	if (run->late)
		snprintf(how, sizeof how, "did not end within its time");
	else if (command_out_of_memory(run->command))
		snprintf(how, sizeof how, "used more memory than it may, and was ended");
	else if (end->signal > 0)
		snprintf(how, sizeof how, "was ended by signal %d", end->signal);
	else
		snprintf(how, sizeof how, "ended with status %d", end->code);
	snprintf(to, size, "The smoke check \"%s\" %s%s%s.", shown, how, said[0] ? ": " : "", said);
	return true;
}

static void log_output(const struct run *run)
{
	char shown[3 * COMMAND_SAID_MAX]; /* more does not fit into a line of the log */
	const char *said = command_output(run->command);
	text_escape(said, strlen(said), shown, sizeof shown);
	log_event(LOG_WARNING, "check.failed", "release=%.12s said=\"%s\"", run->request.preview,
		  shown);
}

static void on_command_end(void *context, const struct process_end *end)
{
	struct run *run = context;
	struct env *env = loop_env(run->smoke->loop);
	char sentence[SENTENCE_MAX], said[CHECK_SAID_SIZE];
	env->ops->timer_stop(env, &run->timer);
	if (tell_end(run, end, sentence, sizeof sentence)) {
		log_output(run);
		command_last_lines(run->command, said, sizeof said);
		smoke_fail_saying(run, sentence, said);
		return;
	}
	if (run->request.checks[run->at].sarif[0]) {
		smoke_judge_scan(run);
		return;
	}
	command_free(run->command);
	run->command = NULL;
	smoke_advance(run);
}

static void on_command_late(void *context)
{
	struct run *run = context;
	run->late = true;
	command_kill(run->command);
}

static int give_secret(void *context, const struct check_secret *secret, struct buf *ret_value,
		       struct error *err)
{
	struct run *run = context;
	return run->listener->secret(run->context, secret, ret_value, err);
}

void smoke_begin_command(struct run *run)
{
	const struct check *check = &run->request.checks[run->at];
	struct env *env = loop_env(run->smoke->loop);
	char url[160], preview[sizeof run->request.preview + 16], place[PATH_SIZE],
		release[sizeof run->request.directory + PLACE_SIZE], variable[sizeof release + 16];
	const char *const variables[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", url, preview,
		variable, NULL};
	struct error err;
	if (run->request.bounds.user[0] && run->request.directory[0] && !run->files[0]) {
		start_copy(run);
		return;
	}
	AUTO_CLOSE int place_fd = check->sarif[0] ? make_place(run) : -1;
	if (check->sarif[0] && place_fd < 0) {
		smoke_finish(run, false,
			     "The scan's directory could not be made: no room on the disk?");
		return;
	}
	find_release(run, release, sizeof release);
	snprintf(url, sizeof url, "URL=http://%s", run->request.address);
	snprintf(preview, sizeof preview, "PREVIEW=%s", run->request.preview);
	snprintf(variable, sizeof variable, "RELEASE=%s", release);
	snprintf(place, sizeof place, "/proc/self/fd/%d", place_fd);
	const struct command_spec spec = {.check = check,
					  .bounds = &run->request.bounds,
					  .memory = run->smoke->memory,
					  .directory = place_fd >= 0 ? place
						       : release[0]  ? release
								     : NULL,
					  .variables = variables,
					  .secret = give_secret,
					  .ended = on_command_end,
					  .context = run};
	run->late = false;
	if (command_start(run->smoke->loop, &spec, &run->command, &err) < 0) {
		not_run(run, &err);
		return;
	}
	run->timer.fire = on_command_late;
	env->ops->timer_start(env, &run->timer, check->timeout_ms);
}
