/* SPDX-License-Identifier: Apache-2.0
 * smoke - see smoke.h for the contract.
 *
 * A run goes through its checks one by one. A GET is a transfer (smoke_get.c), a command is a child (smoke_command.c). */
#include "drivers/check/smoke.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "drivers/check/smoke_state.h"
#include "os/file.h"

static void next_check(void *context);

static void smoke_end(struct smoke *smoke)
{
	if (smoke->checks_fd >= 0)
		close(smoke->checks_fd);
	free(smoke);
}

void smoke_job_begins(struct smoke *smoke)
{
	smoke->jobs++;
}

void smoke_job_ended(struct smoke *smoke)
{
	if (--smoke->jobs == 0 && smoke->closed)
		smoke_end(smoke);
}

static void run_free(struct run *run)
{
	struct smoke *smoke = run->smoke;
	struct env *env = loop_env(smoke->loop);
	for (struct run **p = &smoke->runs; *p; p = &(*p)->next)
		if (*p == run) {
			*p = run->next;
			break;
		}
	smoke->run_count--;
	env->ops->timer_stop(env, &run->timer);
	if (run->transfer)
		transfers_end(smoke->transfers, run->transfer);
	curl_slist_free_all(run->fields);
	command_free(run->command);
	buf_done(&run->body);
	smoke_remove(smoke, run->place);
	smoke_remove(smoke, run->files);
	free(run);
}

static void finish(struct run *run, bool passed, const char *sentence, const char *said)
{
	const struct check_listener *listener = run->listener;
	void *context = run->context;
	char kept[SENTENCE_MAX];
	text_copy(kept, sizeof kept, sentence);
	run_free(run);
	listener->done(context, passed, kept, said);
}

void smoke_finish(struct run *run, bool passed, const char *sentence)
{
	finish(run, passed, sentence, "");
}

void smoke_fail_saying(struct run *run, const char *sentence, const char *said)
{
	finish(run, false, sentence, said);
}

void smoke_advance(struct run *run)
{
	struct env *env = loop_env(run->smoke->loop);
	run->at++;
	if (run->at < run->request.count) {
		run->timer.fire = next_check;
		env->ops->timer_start(env, &run->timer, 0);
		return;
	}
	char sentence[SENTENCE_MAX];
	snprintf(sentence, sizeof sentence, "All %u smoke checks passed at %s%s.",
		 run->request.count, run->request.address, run->notes);
	smoke_finish(run, true, sentence);
}

struct run *smoke_find(struct smoke *smoke, uint64_t number)
{
	struct run *run = smoke->runs;
	while (run && run->number != number)
		run = run->next;
	return run;
}

static void next_check(void *context)
{
	struct run *run = context;
	const struct check *check = &run->request.checks[run->at];
	if (check->path[0])
		smoke_begin_get(run);
	else
		smoke_begin_command(run);
}

static int smoke_start(struct check_runner *runner, const struct check_request *request,
		       const struct check_listener *listener, void *context, uint64_t *ret_run,
		       struct error *err)
{
	struct smoke *smoke = (struct smoke *)runner;
	struct env *env = loop_env(smoke->loop);
	ASSERT(request->count >= 1 && request->count <= CHECK_MAX);
	if (smoke->run_count >= CHECK_RUNS_MAX)
		return error_set(err, ERR_LIMIT,
				 "%d smoke checks are under way already; try again later.",
				 CHECK_RUNS_MAX);
	struct run *run = mem_zero(1, sizeof *run);
	run->smoke = smoke;
	run->number = ++smoke->last_number;
	run->request = *request;
	run->listener = listener;
	run->context = context;
	buf_init(&run->body, CHECK_BODY_MAX);
	run->next = smoke->runs;
	smoke->runs = run;
	smoke->run_count++;
	run->timer = (struct env_timer){.fire = next_check, .context = run};
	env->ops->timer_start(env, &run->timer, 0);
	*ret_run = run->number;
	return 0;
}

static void smoke_cancel(struct check_runner *runner, uint64_t number)
{
	struct smoke *smoke = (struct smoke *)runner;
	struct run *run = smoke_find(smoke, number);
	if (run)
		run_free(run);
}

static const struct check_ops smoke_ops = {.start = smoke_start, .cancel = smoke_cancel};

/* Whatever the umask: what is in there may be another user's, which passes through and sees nothing. */
static bool let_pass(int checks_fd, struct error *err)
{
	if (fchmod(checks_fd, 0711) == 0)
		return true;
	(void)error_errno(err, errno, "\"checks\" cannot be opened to other users");
	return false;
}

/* Empty: a scan that was under way when the last controller ended has no reader any more. */
static int open_checks(int state_fd)
{
	struct error err;
	int fd = -1;
	if (file_remove_tree(state_fd, "checks", &err) < 0 ||
	    file_make_directories(state_fd, "checks", 0711, &err) < 0 ||
	    file_open_directory(state_fd, "checks", &fd, &err) < 0 || !let_pass(fd, &err))
		log_event(LOG_WARNING, "check.directory", "error=\"%s\"", err.text);
	return fd;
}

/* Those of a controller that has been killed. */
static void forget_secrets(const char *memory)
{
	char path[MEMORY_PATH_SIZE];
	struct error err;
	if (memory_directory_find(memory, path) && file_remove_tree(AT_FDCWD, path, &err) < 0)
		log_event(LOG_WARNING, "check.secrets", "error=\"%s\"", err.text);
}

struct check_runner *smoke_new(struct loop *loop, int state_fd, smoke_judge *judge)
{
	struct smoke *smoke = mem_zero(1, sizeof *smoke);
	smoke->checks_fd = open_checks(state_fd);
	memory_directory_name("davit-checks", state_fd, smoke->memory);
	forget_secrets(smoke->memory);
	smoke->judge = judge;
	smoke->runner.ops = &smoke_ops;
	smoke->loop = loop;
	smoke->transfers = transfers_new(loop, smoke_answered);
	return &smoke->runner;
}

void smoke_free(struct check_runner *runner)
{
	struct smoke *smoke = (struct smoke *)runner;
	if (!smoke)
		return;
	while (smoke->runs)
		run_free(smoke->runs);
	transfers_free(smoke->transfers);
	forget_secrets(smoke->memory);
	smoke->closed = true;
	if (smoke->jobs == 0)
		smoke_end(smoke);
}
