/* SPDX-License-Identifier: Apache-2.0
 * process - see process.h for the contract.
 *
 * A build is over when its process has ended and all that it said was read; what it said last decides. */
#include "drivers/builds/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/text.h"
#include "drivers/builds/log_folder.h"
#include "os/file.h"
#include "os/graft.h"
#include "os/memfd.h"
#include "os/process.h"

enum {
	LINE_SIZE = 16 * 1024,
	READ_SIZE = 4096,
	FIELDS_MAX = 9 + BUILDS_ENVIRONMENTS_MAX,
	FOUND_MAX = 4 << 20
};

struct line_reader {
	char text[LINE_SIZE];
	size_t size;
	bool too_long; /* it is thrown away up to its end */
};

struct builds_process {
	struct builds builds; /* first: what is handed out */
	struct loop *loop;
	char directory[BUILDS_PATH_SIZE];
	int directory_fd;
	uint32_t number; /* 0: none is under way */
	char app[BUILDS_NAME_SIZE];
	struct process process;
	struct loop_watch *ended, *said;
	int output_fd; /* -1: read to its end */
	struct line_reader reader;
	uint32_t stage_count;
	char stages[BUILDS_STAGES_MAX][BUILDS_NAME_SIZE];
	struct builds_outcome outcome;
};

static struct builds_process *of(struct builds *builds)
{
	return (struct builds_process *)builds;
}

/* --- what it says */

static uint64_t number_of(const char *text)
{
	uint64_t number;
	return text_parse_u64(text, INT64_MAX, &number) ? number : 0;
}

static uint32_t small_of(const char *text)
{
	uint64_t number;
	return text_parse_u64(text, UINT32_MAX, &number) ? (uint32_t)number : 0;
}

/* What the scan of a stage that passed found; of any other nothing is to be held against. */
static void read_found(struct builds_process *p, struct builds_stage *stage, struct buf *to)
{
	char name[2 * BUILDS_NAME_SIZE + 32];
	struct error err;
	if (strcmp(stage->state, "passed") != 0 && strcmp(stage->state, "taken") != 0)
		return;
	snprintf(name, sizeof name, "apps/%s/findings/%s", p->app, stage->name);
	if (file_read(p->directory_fd, name, to, &err) < 0) {
		log_event(LOG_WARNING, "builds.findings", "number=%u stage=%s error=\"%s\"",
			  p->number, stage->name, err.text);
		return;
	}
	stage->found = buf_text(to);
	stage->found_size = to->size;
}

static void take_findings(struct builds_stage *stage, char *const *field)
{
	uint32_t *const to[] = {&stage->fresh, &stage->known, &stage->fixed, &stage->waived,
				&stage->suppressed};
	stage->scanned = true;
	for (size_t i = 0; i < sizeof to / sizeof to[0]; i++)
		*to[i] = small_of(field[i]);
	text_copy(stage->since, sizeof stage->since, field[5]);
}

static void on_stage(struct builds_process *p, char *const *field, size_t count)
{
	struct buf found;
	struct builds_stage stage = {.attempt = 0};
	uint32_t index = 0;
	if (count < 10)
		return;
	text_copy(stage.name, sizeof stage.name, field[1]);
	text_copy(stage.state, sizeof stage.state, field[2]);
	stage.attempt = small_of(field[3]);
	stage.took_ms = number_of(field[4]);
	stage.tests = small_of(field[5]);
	stage.failed = small_of(field[6]);
	stage.skipped = small_of(field[7]);
	text_copy(stage.why, sizeof stage.why, field[8]);
	stage.origin = small_of(field[9]);
	while (index < p->stage_count && strcmp(p->stages[index], stage.name) != 0)
		index++;
	if (index == BUILDS_STAGES_MAX)
		return;
	if (index == p->stage_count)
		text_copy(p->stages[p->stage_count++], BUILDS_NAME_SIZE, stage.name);
	buf_init(&found, FOUND_MAX);
	if (count >= 16) {
		take_findings(&stage, field + 10);
		read_found(p, &stage, &found);
	}
	p->builds.listener.stage(p->builds.listener.context, p->number, index, &stage);
	buf_done(&found);
}

static void on_end(struct builds_process *p, char *const *field, size_t count)
{
	struct builds_outcome *o = &p->outcome;
	if (count < 8)
		return;
	text_copy(o->state, sizeof o->state, field[1]);
	text_copy(o->why, sizeof o->why, field[2]);
	text_copy(o->archive, sizeof o->archive, field[3]);
	text_copy(o->author, sizeof o->author, field[4]);
	text_copy(o->address, sizeof o->address, field[5]);
	text_copy(o->subject, sizeof o->subject, field[6]);
	o->committed_unix_s = number_of(field[7]);
	o->environment_count = 0;
	for (size_t i = 8; i < count && o->environment_count < BUILDS_ENVIRONMENTS_MAX; i++)
		text_copy(o->environments[o->environment_count++], BUILDS_NAME_SIZE, field[i]);
}

static void on_line(struct builds_process *p, char *line)
{
	char *field[FIELDS_MAX];
	size_t count = 0;
	for (char *rest = line, *one; count < FIELDS_MAX && (one = strsep(&rest, "\t"));)
		field[count++] = one;
	if (count > 0 && strcmp(field[0], "stage") == 0)
		on_stage(p, field, count);
	else if (count > 0 && strcmp(field[0], "end") == 0)
		on_end(p, field, count);
}

static void take(struct builds_process *p, const char *bytes, size_t size)
{
	struct line_reader *r = &p->reader;
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] == '\n') {
			r->text[r->size] = '\0';
			if (!r->too_long)
				on_line(p, r->text);
			r->size = 0;
			r->too_long = false;
		} else if (r->size + 1 < sizeof r->text) {
			r->text[r->size++] = bytes[i];
		} else {
			r->too_long = true;
		}
	}
}

/* --- its end */

static void keep_logs(struct builds_process *p)
{
	char from[BUILDS_NAME_SIZE + 32], to[48];
	struct error ignored; /* a log that cannot be kept is no reason to fail */
	snprintf(from, sizeof from, "apps/%s/logs", p->app);
	snprintf(to, sizeof to, "logs/%u", p->number);
	(void)!graft_remove(p->directory_fd, to, &ignored);
	(void)!renameat(p->directory_fd, from, p->directory_fd, to);
}

static void close_output(struct builds_process *p)
{
	loop_watch_stop(p->said);
	p->said = NULL;
	if (p->output_fd >= 0)
		close(p->output_fd);
	p->output_fd = -1;
}

static void finish(struct builds_process *p)
{
	struct builds_outcome outcome = p->outcome;
	uint32_t number = p->number;
	loop_watch_stop(p->ended);
	p->ended = NULL;
	process_reap(&p->process);
	process_done(&p->process);
	if (!outcome.state[0]) {
		text_copy(outcome.state, sizeof outcome.state, "lost");
		text_copy(outcome.why, sizeof outcome.why,
			  "The process that built it ended before it was done.");
	}
	keep_logs(p);
	p->number = 0;
	p->builds.listener.done(p->builds.listener.context, number, &outcome);
}

static void read_output(struct builds_process *p)
{
	char bytes[READ_SIZE];
	ssize_t n;
	while (p->output_fd >= 0 && (n = read(p->output_fd, bytes, sizeof bytes)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0)
			break;
		take(p, bytes, (size_t)n);
	}
	close_output(p);
}

static void on_output(void *context, int events)
{
	(void)events;
	read_output(context);
}

/* Nobody but the process itself has the other end: its sandboxes write into their logs. */
static void on_ended(void *context, int events)
{
	struct builds_process *p = context;
	(void)events;
	read_output(p);
	close_output(p);
	finish(p);
}

/* --- the interface */

static int watch(struct builds_process *p, struct error *err)
{
	int code = loop_watch_start(p->loop, p->output_fd, LOOP_READ, on_output, p, &p->said, err);
	if (code == 0)
		code = loop_watch_start(p->loop, p->process.pidfd, LOOP_READ, on_ended, p,
					&p->ended, err);
	return code;
}

/* In memory alone, and closed to changes; -1: there are none. */
static int put_secrets(const struct builds_order *order, int *ret_fd, struct error *err)
{
	*ret_fd = -1;
	if (!order->secrets || order->secrets->size == 0)
		return 0;
	return memfd_seal("davit-secrets", order->secrets->data, order->secrets->size, ret_fd, err);
}

static int start(struct builds *builds, const struct builds_order *order, struct error *err)
{
	struct builds_process *p = of(builds);
	char directory[2 * BUILDS_PATH_SIZE], parent[16], number[16], origin[16];
	const char *no_secrets = order->secrets ? "" : order->no_secrets;
	int ends[2], secrets;
	ASSERT(p->number == 0);
	snprintf(directory, sizeof directory, "%s/apps/%s", p->directory, order->app);
	snprintf(parent, sizeof parent, "%d", (int)getpid());
	snprintf(number, sizeof number, "%u", order->number);
	snprintf(origin, sizeof origin, "%u", order->origin);
	const char *const argv[] = {
		"davit",       "builder",      directory,      order->repository,
		order->commit, order->ref,     order->app,     parent,
		number,        origin,         order->signers, order->signed_only,
		order->since,  order->unknown, no_secrets,     NULL};
	int code = put_secrets(order, &secrets, err);
	if (code < 0)
		return code;
	if (pipe2(ends, O_CLOEXEC) != 0) {
		code = error_errno(err, errno, "No pipe can be made");
		if (secrets >= 0)
			close(secrets);
		return code;
	}
	const struct process_spec spec = {.program = "/proc/self/exe",
					  .argv = argv,
					  .input = secrets,
					  .output = ends[1],
					  .errors = STDERR_FILENO};
	code = process_spawn(&spec, &p->process, err);
	close(ends[1]);
	if (secrets >= 0)
		close(secrets);
	p->output_fd = ends[0];
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	if (code == 0)
		code = watch(p, err);
	if (code < 0) {
		close_output(p);
		process_signal(&p->process, SIGKILL);
		process_done(&p->process);
		return code;
	}
	text_copy(p->app, sizeof p->app, order->app);
	p->number = order->number;
	p->stage_count = 0;
	p->reader.size = 0;
	p->reader.too_long = false;
	p->outcome = (struct builds_outcome){.why = ""};
	return 0;
}

static void cancel(struct builds *builds, uint32_t number)
{
	struct builds_process *p = of(builds);
	if (p->number == number && number != 0)
		process_signal(&p->process, SIGTERM);
}

static bool logs(const struct builds *builds, const char *app, uint32_t number, char *to,
		 size_t size)
{
	const struct builds_process *p = (const struct builds_process *)builds;
	int length = p->number == number ? snprintf(to, size, "%s/apps/%s/logs", p->directory, app)
					 : snprintf(to, size, "%s/logs/%u", p->directory, number);
	return length > 0 && (size_t)length < size;
}

static int kept(struct builds *builds, void (*each)(void *context, uint32_t number, uint64_t bytes),
		void *context, struct error *err)
{
	return log_folder_each(of(builds)->directory_fd, each, context, err);
}

static int forget(struct builds *builds, uint32_t number, struct error *err)
{
	return log_folder_forget(of(builds)->directory_fd, number, err);
}

/* The builder reads them, and nothing that runs in its sandboxes does. */
static int known(struct builds *builds, const char *app, const char *stage, const void *bytes,
		 size_t size, struct error *err)
{
	struct builds_process *p = of(builds);
	char name[2 * BUILDS_NAME_SIZE + 32];
	ASSERT(p->number == 0);
	snprintf(name, sizeof name, "apps/%s/known", app);
	if (!stage) {
		int code = graft_remove(p->directory_fd, name, err);
		return code < 0 ? code : file_make_directories(p->directory_fd, name, 0700, err);
	}
	snprintf(name, sizeof name, "apps/%s/known/%s", app, stage);
	return file_write(p->directory_fd, name, bytes, size, 0600, err);
}

static const struct builds_ops ops = {.known = known,
				      .start = start,
				      .cancel = cancel,
				      .logs = logs,
				      .kept = kept,
				      .forget = forget};

int builds_process_new(struct loop *loop, const char *directory, struct builds **ret_builds,
		       struct error *err)
{
	struct builds_process *p = mem_zero(1, sizeof *p);
	p->builds.ops = &ops;
	p->loop = loop;
	p->process = PROCESS_NONE;
	p->output_fd = p->directory_fd = -1;
	int code = text_copy(p->directory, sizeof p->directory, directory)
			   ? file_make_directories(AT_FDCWD, directory, 0700, err)
			   : error_set(err, ERR_LIMIT, "The path %s is too long.", directory);
	if (code == 0)
		code = file_open_directory(AT_FDCWD, directory, &p->directory_fd, err);
	if (code == 0)
		code = file_make_directories(p->directory_fd, "logs", 0700, err);
	if (code < 0)
		builds_process_free(&p->builds);
	else
		*ret_builds = &p->builds;
	return code;
}

void builds_process_cancel(struct builds *builds)
{
	struct builds_process *p = builds ? of(builds) : NULL;
	if (!p)
		return;
	close_output(p);
	loop_watch_stop(p->ended);
	p->ended = NULL;
	if (p->number != 0) {
		process_signal(&p->process, SIGKILL);
		process_reap(&p->process);
	}
	p->number = 0;
	process_done(&p->process);
}

void builds_process_free(struct builds *builds)
{
	struct builds_process *p = builds ? of(builds) : NULL;
	if (!p)
		return;
	builds_process_cancel(builds);
	if (p->directory_fd >= 0)
		close(p->directory_fd);
	free(p);
}
