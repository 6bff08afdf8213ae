/* SPDX-License-Identifier: Apache-2.0
 * smoke - see smoke.h for the contract.
 *
 * A run goes through its checks one by one. A GET is a transfer (drivers/http/transfers.h), a command is a child
 * (command.h). */
#include "drivers/check/smoke.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "drivers/check/command.h"
#include "drivers/http/transfers.h"
#include "os/file.h"
#include "os/memfd.h"

enum {
	SENTENCE_MAX = 1000,
	NOTES_MAX = 700,
	SHOWN_MAX = 120,
	SAID_MAX = 200,
	PLACE_SIZE = 32,
	PATH_SIZE = 64
};

struct run {
	struct run *next;
	struct smoke *smoke;
	uint64_t number;
	struct check_request request;
	uint32_t at; /* index of the check that is under way */
	const struct check_listener *listener;
	void *context;
	struct env_timer timer; /* starts the next check, and bounds a command */
	CURL *transfer;
	struct curl_slist *fields;
	struct buf body;
	bool body_cut;
	struct command *command;
	bool late;              /* the command took too long */
	char place[PLACE_SIZE]; /* of a scan: its directory below `checks`; "" = none */
	char notes[NOTES_MAX];  /* of the scans that passed */
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
	char address[sizeof((struct check_request *)0)->address];
	struct command *command; /* that has ended: for what it was given */
	struct check_base base;
	int known_fd; /* of its findings; -1: none */
	struct check_found found;
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
	command_free(run->command);
	buf_done(&run->body);
	remove_place(smoke, run->place);
	free(run);
}

static void finish(struct run *run, bool passed, const char *sentence)
{
	const struct check_listener *listener = run->listener;
	void *context = run->context;
	char kept[SENTENCE_MAX];
	text_copy(kept, sizeof kept, sentence);
	run_free(run);
	listener->done(context, passed, kept);
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
	snprintf(sentence, sizeof sentence, "All %u smoke checks passed at %s%s.",
		 run->request.count, run->request.address, run->notes);
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
	char path[PATH_SIZE], known[PATH_SIZE];
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
	snprintf(known, sizeof known, "/proc/self/fd/%d", r->known_fd);
	const struct smoke_report report = {.check = &r->check,
					    .path = path,
					    .tree = r->tree,
					    .address = r->address,
					    .mask = command_mask(r->command),
					    .base = &r->base,
					    .known = r->known_fd >= 0 ? known : NULL};
	r->code = r->smoke->judge(&report, &r->found, &r->err);
}

static void smoke_end(struct smoke *smoke)
{
	if (smoke->checks_fd >= 0)
		close(smoke->checks_fd);
	free(smoke);
}

static void reading_free(struct reading *r)
{
	if (r->known_fd >= 0)
		close(r->known_fd);
	command_free(r->command);
	buf_done(&r->base.findings);
	buf_done(&r->found.kept);
	free(r);
}

static void scan_passed(struct run *run, const struct reading *r)
{
	size_t used = strlen(run->notes);
	snprintf(run->notes + used, sizeof run->notes - used, "; %s: %s", r->check.name,
		 r->found.note);
	run->listener->found(run->context, &r->check, &r->found);
	advance(run);
}

static void scan_failed(struct run *run, const struct reading *r)
{
	char sentence[SENTENCE_MAX], shown[SHOWN_MAX];
	const char *note = r->found.note;
	text_copy(shown, sizeof shown, r->check.command);
	snprintf(sentence, sizeof sentence, "The scan \"%s\" fails: %s%s%s%s", shown, r->err.text,
		 note[0] ? " (" : "", note, note[0] ? ")" : "");
	finish(run, false, sentence);
}

static void report_read(void *context)
{
	struct reading *r = context;
	struct smoke *smoke = r->smoke;
	struct run *run = find_run(smoke, r->run);
	smoke->jobs--;
	remove_place(smoke, r->place);
	if (run && r->code == 0)
		scan_passed(run, r);
	else if (run)
		scan_failed(run, r);
	if (smoke->closed && smoke->jobs == 0)
		smoke_end(smoke);
	reading_free(r);
}

/* What it is compared with, as something that can be opened. */
static int find_base(struct run *run, struct reading *r)
{
	if (r->check.baseline[0])
		return 0;
	int code = run->listener->base(run->context, &r->check, &r->base, &r->err);
	if (code == 0 && r->base.there)
		code = memfd_seal("davit-known", buf_text(&r->base.findings), r->base.findings.size,
				  &r->known_fd, &r->err);
	return code;
}

/* Its directory and its command are the reading's from here on. */
static void judge_scan(struct run *run)
{
	struct reading *r = mem_zero(1, sizeof *r);
	r->smoke = run->smoke;
	r->run = run->number;
	r->check = run->request.checks[run->at];
	text_copy(r->tree, sizeof r->tree, run->request.directory);
	text_copy(r->address, sizeof r->address, run->request.address);
	text_copy(r->place, sizeof r->place, run->place);
	buf_init(&r->base.findings, CHECK_FINDINGS_MAX);
	buf_init(&r->found.kept, CHECK_FINDINGS_MAX);
	r->known_fd = -1;
	r->command = run->command;
	run->command = NULL;
	if (find_base(run, r) < 0) { /* its directory goes with the run */
		scan_failed(run, r);
		reading_free(r);
		return;
	}
	run->place[0] = '\0';
	run->smoke->jobs++;
	loop_work(run->smoke->loop, read_report, report_read, r);
}

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
	char sentence[SENTENCE_MAX];
	env->ops->timer_stop(env, &run->timer);
	if (tell_end(run, end, sentence, sizeof sentence)) {
		log_output(run);
		finish(run, false, sentence);
		return;
	}
	if (run->request.checks[run->at].sarif[0]) {
		judge_scan(run);
		return;
	}
	command_free(run->command);
	run->command = NULL;
	advance(run);
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
	char url[160], preview[sizeof run->request.preview + 16], place[PATH_SIZE],
		release[sizeof run->request.directory + 16], sentence[SENTENCE_MAX];
	const char *const variables[] = {
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
	snprintf(place, sizeof place, "/proc/self/fd/%d", place_fd);
	const struct command_spec spec = {.check = check,
					  .directory = place_fd >= 0 ? place
						       : run->request.directory[0]
							       ? run->request.directory
							       : NULL,
					  .variables = variables,
					  .secret = give_secret,
					  .ended = on_command_end,
					  .context = run};
	run->late = false;
	if (command_start(run->smoke->loop, &spec, &run->command, &err) < 0) {
		snprintf(sentence, sizeof sentence, "The smoke check's command is not run: %s",
			 err.text);
		finish(run, false, sentence);
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
