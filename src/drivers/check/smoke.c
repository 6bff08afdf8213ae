/* SPDX-License-Identifier: Apache-2.0
 * smoke - see smoke.h for the contract.
 *
 * A run goes through its checks one by one. A GET is a transfer (drivers/http/transfers.h); a command is a
 * child in a group of its own, watched by its pidfd. */
#include "drivers/check/smoke.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "drivers/http/transfers.h"
#include "os/file.h"

enum { SENTENCE_MAX = 600, SHOWN_MAX = 120, PLACE_SIZE = 32, PATH_SIZE = 64 };

struct run {
	struct run *next;
	struct smoke *smoke;
	uint64_t number;
	struct check_request request;
	uint32_t at; /* index of the check that is under way */
	check_done done;
	void *context;
	struct env_timer timer; /* starts the next check, and bounds a command */
	CURL *transfer;
	struct curl_slist *fields;
	struct buf body;
	bool body_cut;
	pid_t child;
	int child_fd; /* pidfd */
	struct loop_watch *child_watch;
	bool child_late;
	char place[PLACE_SIZE]; /* of a scan: its directory below `checks`; "" = none */
};

struct smoke {
	struct check_runner runner;
	struct loop *loop;
	struct transfers *transfers;
	struct run *runs;
	uint64_t last_number;
	uint32_t run_count;
	int checks_fd; /* D/checks; -1: it cannot be made */
	smoke_judge *judge;
	uint32_t jobs; /* under way beside the loop */
	bool closed;   /* the last of them frees it */
};

/* A report that is being read beside the loop. The run may be gone when it is done. */
struct reading {
	struct smoke *smoke;
	uint64_t run;
	struct check check;
	char tree[sizeof((struct check_request *)0)->directory];
	char place[PLACE_SIZE];
	int code;
	struct error err;
};

static void next_check(void *context);

static void remove_place(struct smoke *smoke, char place[PLACE_SIZE])
{
	struct error ignored; /* what is left goes at the next start */
	if (place[0] && file_remove_tree(smoke->checks_fd, place, &ignored) < 0)
		log_event(LOG_WARNING, "check.left", "error=\"%s\"", ignored.text);
	place[0] = '\0';
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
	if (run->child > 0) {
		loop_watch_stop(run->child_watch);
		kill(-run->child, SIGKILL);
		waitpid(run->child, NULL, 0);
		close(run->child_fd);
	}
	buf_done(&run->body);
	remove_place(smoke, run->place);
	free(run);
}

static void finish(struct run *run, bool passed, const char *sentence)
{
	check_done done = run->done;
	void *context = run->context;
	char kept[SENTENCE_MAX];
	text_copy(kept, sizeof kept, sentence);
	run_free(run);
	done(context, passed, kept);
}

static void advance(struct run *run)
{
	struct env *env = loop_env(run->smoke->loop);
	run->at++;
	if (run->at < run->request.count) {
		run->timer.fire = next_check;
		env->ops->timer_start(env, &run->timer, 0);
		return;
	}
	char sentence[SENTENCE_MAX];
	snprintf(sentence, sizeof sentence, "All %u smoke checks passed at %s.", run->request.count,
		 run->request.address);
	finish(run, true, sentence);
}

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
	struct run *run = context;
	buf_append(&run->body, data, size * count);
	run->body_cut = run->body.overflowed;
	return run->body_cut ? 0 : size * count;
}

/* What the answer is worth. Returns NULL when it is as expected, else fills the sentence. */
static const char *judge_answer(struct run *run, CURLcode code, char *to, size_t size)
{
	const struct check *check = &run->request.checks[run->at];
	long status = 0;
	curl_easy_getinfo(run->transfer, CURLINFO_RESPONSE_CODE, &status);
	if (run->body_cut)
		snprintf(to, size, "The smoke check GET %s was answered with more than %d bytes.",
			 check->path, CHECK_BODY_MAX);
	else if (code != CURLE_OK)
		snprintf(to, size, "The smoke check GET %s at %s failed: %s.", check->path,
			 run->request.address, curl_easy_strerror(code));
	else if (check->expect_status ? status != (long)check->expect_status
				      : status < 200 || status > 399)
		snprintf(to, size, "The smoke check GET %s was answered %ld instead of %u.",
			 check->path, status, check->expect_status ? check->expect_status : 200);
	else if (check->contains[0] && !memmem(buf_text(&run->body), run->body.size,
					       check->contains, strlen(check->contains)))
		snprintf(to, size, "The smoke check GET %s was answered without \"%s\".",
			 check->path, check->contains);
	else
		return NULL;
	return to;
}

static void on_answer(void *context, CURLcode code)
{
	struct run *run = context;
	char sentence[SENTENCE_MAX];
	const char *failed = judge_answer(run, code, sentence, sizeof sentence);
	transfers_end(run->smoke->transfers, run->transfer);
	run->transfer = NULL;
	curl_slist_free_all(run->fields);
	run->fields = NULL;
	if (failed)
		finish(run, false, failed);
	else
		advance(run);
}

static void start_get(struct run *run, const struct check *check)
{
	char url[CHECK_TEXT_SIZE + 160], field[300];
	snprintf(url, sizeof url, "http://%s%s", run->request.address, check->path);
	buf_clear(&run->body);
	run->body_cut = false;
	run->transfer = transfer_get(url, check->timeout_ms, take_body, run);
	if (run->request.host[0]) {
		snprintf(field, sizeof field, "Host: %s", run->request.host);
		run->fields = curl_slist_append(NULL, field);
	}
	curl_easy_setopt(run->transfer, CURLOPT_HTTPHEADER, run->fields);
	curl_easy_setopt(run->transfer, CURLOPT_USERAGENT, "davit-smoke");
	transfers_start(run->smoke->transfers, run->transfer);
}

static struct run *find_run(struct smoke *smoke, uint64_t number)
{
	struct run *run = smoke->runs;
	while (run && run->number != number)
		run = run->next;
	return run;
}

/* Beside the loop. */
static void read_report(void *context)
{
	struct reading *r = context;
	char path[PATH_SIZE];
	AUTO_CLOSE int place_fd = openat(r->smoke->checks_fd, r->place,
					 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_CLOSE int fd = place_fd < 0 ? -1
					 : openat(place_fd, r->check.sarif,
						  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		r->code = error_set(&r->err, ERR_NOT_FOUND, "The report of its scan is not there.");
		return;
	}
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	r->code = r->smoke->judge(&r->check, path, r->tree, &r->err);
}

static void smoke_end(struct smoke *smoke)
{
	if (smoke->checks_fd >= 0)
		close(smoke->checks_fd);
	free(smoke);
}

static void report_read(void *context)
{
	struct reading *r = context;
	struct smoke *smoke = r->smoke;
	struct run *run = find_run(smoke, r->run);
	char sentence[SENTENCE_MAX];
	smoke->jobs--;
	remove_place(smoke, r->place);
	if (run && r->code == 0) {
		advance(run);
	} else if (run) {
		char shown[SHOWN_MAX];
		text_copy(shown, sizeof shown, r->check.command);
		snprintf(sentence, sizeof sentence, "The scan \"%s\" fails: %s", shown,
			 r->err.text);
		finish(run, false, sentence);
	}
	if (smoke->closed && smoke->jobs == 0)
		smoke_end(smoke);
	free(r);
}

/* Its directory is the reading's from here on. */
static void judge_scan(struct run *run)
{
	struct reading *r = mem_zero(1, sizeof *r);
	r->smoke = run->smoke;
	r->run = run->number;
	r->check = run->request.checks[run->at];
	text_copy(r->tree, sizeof r->tree, run->request.directory);
	text_copy(r->place, sizeof r->place, run->place);
	run->place[0] = '\0';
	run->smoke->jobs++;
	loop_work(run->smoke->loop, read_report, report_read, r);
}

static void on_child_exit(void *context, int events)
{
	struct run *run = context;
	const struct check *check = &run->request.checks[run->at];
	struct env *env = loop_env(run->smoke->loop);
	char sentence[SENTENCE_MAX], shown[SHOWN_MAX];
	int status = 0;
	(void)events;
	env->ops->timer_stop(env, &run->timer);
	loop_watch_stop(run->child_watch);
	kill(-run->child, SIGKILL); /* whatever it left in its group */
	waitpid(run->child, &status, 0);
	close(run->child_fd);
	run->child = 0;
	text_copy(shown, sizeof shown, check->command);
	if (run->child_late)
		snprintf(sentence, sizeof sentence,
			 "The smoke check \"%s\" did not end within its time.", shown);
	else if (WIFSIGNALED(status))
		snprintf(sentence, sizeof sentence,
			 "The smoke check \"%s\" was ended by signal %d.", shown, WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		snprintf(sentence, sizeof sentence, "The smoke check \"%s\" ended with status %d.",
			 shown, WEXITSTATUS(status));
	else if (check->sarif[0]) {
		judge_scan(run);
		return;
	} else {
		advance(run);
		return;
	}
	finish(run, false, sentence);
}

static void on_command_late(void *context)
{
	struct run *run = context;
	run->child_late = true;
	kill(-run->child, SIGKILL);
}

/* In the child, between fork and exec: only calls that are safe there. */
static void exec_command(const struct run *run, const struct check *check, int place_fd,
			 char *const variables[])
{
	char *const argv[] = {"sh", "-c", (char *)check->command, NULL};
	int null = open("/dev/null", O_RDWR);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    (place_fd >= 0 ? fchdir(place_fd) != 0
			   : run->request.directory[0] && chdir(run->request.directory) != 0))
		_exit(127);
	execve("/bin/sh", argv, variables);
	_exit(127);
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
	return openat(smoke->checks_fd, run->place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void start_command(struct run *run, const struct check *check)
{
	struct env *env = loop_env(run->smoke->loop);
	char url[160], preview[sizeof run->request.preview + 16],
		release[sizeof run->request.directory + 16];
	char *const variables[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", url, preview,
		release, NULL};
	AUTO_CLOSE int place_fd = check->sarif[0] ? make_place(run) : -1;
	struct error err;
	snprintf(url, sizeof url, "URL=http://%s", run->request.address);
	snprintf(preview, sizeof preview, "PREVIEW=%s", run->request.preview);
	snprintf(release, sizeof release, "RELEASE=%s", run->request.directory);
	if (check->sarif[0] && place_fd < 0) {
		finish(run, false, "The scan's directory could not be made: no room on the disk?");
		return;
	}
	run->child_late = false;
	pid_t child = fork();
	if (child == 0)
		exec_command(run, check, place_fd, variables);
	if (child < 0) {
		finish(run, false,
		       "The smoke check's command could not be started: no process left.");
		return;
	}
	setpgid(child, child);
	run->child = child;
	run->child_fd = (int)syscall(SYS_pidfd_open, child, 0);
	if (run->child_fd < 0 ||
	    loop_watch_start(run->smoke->loop, run->child_fd, LOOP_READ, on_child_exit, run,
			     &run->child_watch, &err) < 0) {
		finish(run, false, "The smoke check's command could not be watched.");
		return;
	}
	run->timer.fire = on_command_late;
	env->ops->timer_start(env, &run->timer, check->timeout_ms);
}

static void next_check(void *context)
{
	struct run *run = context;
	const struct check *check = &run->request.checks[run->at];
	if (check->path[0])
		start_get(run, check);
	else
		start_command(run, check);
}

static int smoke_start(struct check_runner *runner, const struct check_request *request,
		       check_done done, void *context, uint64_t *ret_run, struct error *err)
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
	run->done = done;
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
	struct run *run = find_run(smoke, number);
	if (run)
		run_free(run);
}

static const struct check_ops smoke_ops = {.start = smoke_start, .cancel = smoke_cancel};

/* Empty: a scan that was under way when the last controller ended has no reader any more. */
static int open_checks(int state_fd)
{
	struct error err;
	int fd = -1;
	if (file_remove_tree(state_fd, "checks", &err) < 0 ||
	    file_make_directories(state_fd, "checks", 0700, &err) < 0 ||
	    file_open_directory(state_fd, "checks", &fd, &err) < 0)
		log_event(LOG_WARNING, "check.directory", "error=\"%s\"", err.text);
	return fd;
}

struct check_runner *smoke_new(struct loop *loop, int state_fd, smoke_judge *judge)
{
	struct smoke *smoke = mem_zero(1, sizeof *smoke);
	smoke->checks_fd = open_checks(state_fd);
	smoke->judge = judge;
	smoke->runner.ops = &smoke_ops;
	smoke->loop = loop;
	smoke->transfers = transfers_new(loop, on_answer);
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
	smoke->closed = true;
	if (smoke->jobs == 0)
		smoke_end(smoke);
}
