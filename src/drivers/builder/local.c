/* SPDX-License-Identifier: Apache-2.0
 * local - see local.h for the contract.
 *
 * An attempt goes through prepare (a thread), sandbox (the loop), collect (a thread), done. While the sandbox runs its
 * directory is measured from time to time; a measuring under way is waited for. */
#include "drivers/builder/local.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "drivers/builder/local_state.h"
#include "os/file.h"
#include "os/graft.h"
#include "os/lock.h"
#include "os/stage_path.h"

enum { MEASURE_MS = 500, VARIABLES_MAX = 96, FIXED_MAX = 16, VARIABLE_SIZE = 300 };
enum { NOT_FOUND = 127 }; /* what a shell ends with where there is no such program */

static struct local *of(struct builder *builder)
{
	return (struct local *)builder;
}

/* --- the end of an attempt */

static void on_line(void *context, const char *text, size_t size)
{
	struct attempt *a = context;
	const struct builder_listener *listener = &a->local->builder.listener;
	listener->line(listener->context, a->job, text, size);
}

static void fail(struct attempt *a, const char *sentence, bool again)
{
	a->result.passed = false;
	a->result.again = again;
	text_copy(a->result.sentence, sizeof a->result.sentence, sentence);
}

static void finish(struct attempt *a)
{
	struct local *local = a->local;
	struct env *env = loop_env(local->loop);
	const struct builder_job *job = a->job;
	struct builder_result result = a->result;
	env->ops->timer_stop(env, &a->timer);
	stage_log_close(&a->log);
	for (struct attempt **p = &local->attempts; *p; p = &(*p)->next)
		if (*p == a) {
			*p = a->next;
			break;
		}
	free(a);
	local->builder.listener.done(local->builder.listener.context, job, &result);
}

/* Nobody reads the note after that. */
static void note_findings(struct attempt *a)
{
	for (char *rest = a->result.findings.note, *line; (line = strsep(&rest, "\n"));)
		if (line[0])
			stage_log_note(&a->log, line);
}

static void collected(void *context)
{
	struct attempt *a = context;
	note_findings(a);
	if (a->code < 0 && (a->result.passed || a->result.sentence[0] == '\0'))
		fail(a, a->err.text, a->code == ERR_RETRY);
	finish(a);
}

static void collect(struct attempt *a)
{
	a->took_ms = env_now_ms(loop_env(a->local->loop)) - a->began_ms;
	loop_work(a->local->loop, local_collect, collected, a);
}

/* --- while it runs */

static void on_output(void *context, const void *bytes, size_t size)
{
	struct attempt *a = context;
	stage_log_take(&a->log, bytes, size);
}

static void judge_end(struct attempt *a)
{
	const struct sandbox_end *end = &a->end;
	char sentence[BUILDER_SENTENCE_SIZE], most[32];
	a->result.code = end->code;
	if (a->taken > a->local->settings.work_bytes) {
		snprintf(sentence, sizeof sentence,
			 "It wrote more than %s, which is the most that a stage may.",
			 text_format_size(a->local->settings.work_bytes, most, sizeof most));
		fail(a, sentence, false);
	} else if (a->stopped) {
		fail(a, "It was stopped.", true);
	} else if (end->sentence[0]) {
		fail(a, end->sentence, true);
	} else if (end->code == 0) {
		a->result.passed = true;
	} else if (end->code > 0) {
		snprintf(sentence, sizeof sentence, "It ended with exit code %d%s", end->code,
			 end->code == NOT_FOUND
				 ? ": a program was not found. A stage sees those below /usr, and "
				   "none in /opt or in somebody's home: install it below /usr, "
				   "for example with apt-get."
				 : ".");
		fail(a, sentence, true);
	} else {
		snprintf(sentence, sizeof sentence, "It was ended by signal %d%s.", end->signal,
			 end->out_of_memory ? ", for want of memory" : "");
		fail(a, sentence, true);
	}
}

static void on_ended(void *context, const struct sandbox_end *end)
{
	struct attempt *a = context;
	struct env *env = loop_env(a->local->loop);
	a->sandbox = NULL;
	a->end = *end;
	a->over = true;
	env->ops->timer_stop(env, &a->timer);
	if (a->measuring)
		return;
	judge_end(a);
	collect(a);
}

static void measured(void *context)
{
	struct attempt *a = context;
	struct env *env = loop_env(a->local->loop);
	a->measuring = false;
	if (a->over) {
		judge_end(a);
		collect(a);
		return;
	}
	if (a->taken > a->local->settings.work_bytes)
		sandbox_stop(a->sandbox);
	else
		env->ops->timer_start(env, &a->timer, MEASURE_MS);
}

static void on_measure(void *context)
{
	struct attempt *a = context;
	a->measuring = true;
	loop_work(a->local->loop, local_measure, measured, a);
}

/* --- its beginning */

static uint32_t fixed_variables(const struct attempt *a, char text[FIXED_MAX][VARIABLE_SIZE])
{
	static const char *const plain[] = {"PATH=" STAGE_PATH, "HOME=/home/build", "USER=build",
					    "TMP=/tmp",         "TMPDIR=/tmp",      "LANG=C.UTF-8",
					    "CI=true"};
	const struct builder_local_settings *settings = &a->local->settings;
	uint32_t count = 0;
	for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
		snprintf(text[count++], VARIABLE_SIZE, "%s", plain[i]);
	snprintf(text[count++], VARIABLE_SIZE, "DAVIT_COMMIT=%s", settings->checkout->commit);
	snprintf(text[count++], VARIABLE_SIZE, "DAVIT_BRANCH=%s", settings->checkout->branch);
	snprintf(text[count++], VARIABLE_SIZE, "DAVIT_APP=%s", settings->application);
	snprintf(text[count++], VARIABLE_SIZE, "DAVIT_STAGE=%s", a->job->stage);
	return count;
}

/* A stage's own come last, and the last of a name counts. */
static void run(struct attempt *a)
{
	char fixed[FIXED_MAX][VARIABLE_SIZE];
	const char *list[VARIABLES_MAX];
	uint32_t count = 0;
	uint32_t fixed_count = fixed_variables(a, fixed);
	for (uint32_t i = 0; i < fixed_count; i++) {
		size_t name = strcspn(fixed[i], "=") + 1;
		bool replaced = false;
		for (uint32_t k = 0; k < a->job->environment.count; k++)
			replaced = replaced ||
				   strncmp(a->job->environment.items[k], fixed[i], name) == 0;
		for (uint32_t k = 0; k < a->job->secrets.count; k++)
			replaced =
				replaced || strncmp(a->job->secrets.items[k], fixed[i], name) == 0;
		if (!replaced)
			list[count++] = fixed[i];
	}
	for (uint32_t i = 0; i < a->job->environment.count && count < VARIABLES_MAX; i++)
		list[count++] = a->job->environment.items[i];
	const struct builder_texts environment = {.count = count, .items = list};
	const struct sandbox_listener listener = {
		.output = on_output, .ended = on_ended, .context = a};
	struct error err;
	if (sandbox_start(a->local->loop, a->job, &environment, &a->place, a->user, &listener,
			  &a->sandbox, &err) < 0) {
		fail(a, err.text, false);
		collect(a);
		return;
	}
	struct env *env = loop_env(a->local->loop);
	env->ops->timer_start(env, &a->timer, MEASURE_MS);
}

static void prepared(void *context)
{
	struct attempt *a = context;
	bool runs = a->job->run.script || a->job->run.argv.count > 0;
	if (a->code < 0) {
		fail(a, a->err.text, false);
		collect(a);
	} else if (a->stopped) {
		fail(a, "It was stopped.", true);
		collect(a);
	} else if (runs) {
		run(a);
	} else {
		a->result.passed = true;
		collect(a);
	}
}

static void find_place(struct attempt *a)
{
	const char *run = a->local->run, *stage = a->job->stage;
	struct sandbox_place *p = &a->place;
	snprintf(p->work, sizeof p->work, "%s/stages/%s/work", run, stage);
	snprintf(p->tmp, sizeof p->tmp, "%s/stages/%s/tmp", run, stage);
	snprintf(p->home, sizeof p->home, "%s/stages/%s/home", run, stage);
	snprintf(p->spec, sizeof p->spec, "%s/stages/%s/spec", run, stage);
	snprintf(p->cgroup, sizeof p->cgroup, "%s/stages/%s/cgroup", run, stage);
	snprintf(p->etc, sizeof p->etc, "%s/stages/%s/etc", run, stage);
	snprintf(p->inside, sizeof p->inside, "%s/inside", run);
}

static void refused(void *context)
{
	(void)context; /* what there was to do was to be in the loop again */
}

static void start(struct builder *builder, const struct builder_job *job)
{
	struct local *local = of(builder);
	struct attempt *a = mem_zero(1, sizeof *a);
	char name[BUILDER_NAME_SIZE + 8];
	a->local = local;
	a->job = job;
	a->began_ms = env_now_ms(loop_env(local->loop));
	a->result.code = -1;
	a->stage_fd = -1;
	a->user = sandbox_user();
	a->timer = (struct env_timer){.fire = on_measure, .context = a};
	a->log = (struct stage_log){.fd = -1,
				    .bytes_max = local->settings.log_bytes,
				    .mask = local->settings.mask,
				    .line = on_line,
				    .context = a};
	a->next = local->attempts;
	local->attempts = a;
	find_place(a);
	snprintf(name, sizeof name, "%s.log", job->stage);
	if (stage_log_open(&a->log, local->logs_fd, name, job->attempt > 1, &a->err) < 0)
		fail(a, a->err.text, false);
	else if (job->refusal)
		fail(a, job->refusal, false);
	if (a->result.sentence[0]) {
		loop_work(local->loop, refused, collected, a);
		return;
	}
	loop_work(local->loop, local_prepare, prepared, a);
}

static void stop(struct builder *builder, const char *stage)
{
	for (struct attempt *a = of(builder)->attempts; a; a = a->next)
		if (strcmp(a->job->stage, stage) == 0) {
			a->stopped = true;
			if (a->sandbox)
				sandbox_stop(a->sandbox);
		}
}

static const struct builder_ops ops = {.start = start, .stop = stop};

/* --- the directory */

/* What a davit that was killed left in the cache half done. */
static int tidy_cache(int cache_fd, struct error *err)
{
	int copy = openat(cache_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), code = 0;
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	for (struct dirent *entry; dir && code == 0 && (entry = readdir(dir));)
		if (text_starts(entry->d_name, "new-"))
			code = graft_remove(cache_fd, entry->d_name, err);
	if (dir)
		closedir(dir);
	return code;
}

/* The cgroups of its stages outlive it, empty. */
static void forget_cgroups(int build_fd)
{
	int copy = openat(build_fd, "run/stages", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		char path[BUILDER_NAME_SIZE + 16];
		snprintf(path, sizeof path, "%.40s/cgroup", entry->d_name);
		sandbox_forget(dirfd(dir), path);
	}
	if (dir)
		closedir(dir);
}

static int open_below(struct local *local, const char *name, int *ret_fd, struct error *err)
{
	int code = file_make_directories(local->build_fd, name, 0700, err);
	return code < 0 ? code : file_open_directory(local->build_fd, name, ret_fd, err);
}

static int open_directories(struct local *local, struct error *err)
{
	const char *directory = local->settings.directory;
	pid_t holder = 0;
	int code = file_make_directories(AT_FDCWD, directory, 0700, err);
	if (code == 0)
		code = file_open_directory(AT_FDCWD, directory, &local->build_fd, err);
	if (code == 0)
		code = lock_take(local->build_fd, "lock", &local->lock_fd, &holder, err);
	if (code == ERR_CONFLICT)
		return error_set(
			err, ERR_CONFLICT,
			"Another davit (pid %d) builds in %s; wait for it, or give another "
			"directory with --state.",
			(int)holder, directory);
	if (code == 0) {
		forget_cgroups(local->build_fd);
		code = graft_remove(local->build_fd, "run", err);
	}
	if (code == 0)
		code = graft_remove(local->build_fd, "logs", err);
	if (code == 0)
		code = graft_remove(local->build_fd, "findings", err);
	if (code == 0)
		code = file_make_directories(local->build_fd, "findings", 0700, err);
	if (code == 0)
		code = open_below(local, "run", &local->run_fd, err);
	if (code == 0)
		code = open_below(local, "logs", &local->logs_fd, err);
	if (code == 0)
		code = open_below(local, "cache", &local->cache_fd, err);
	return code < 0 ? code : tidy_cache(local->cache_fd, err);
}

static int open_kept(struct local *local, struct error *err)
{
	const struct builder_local_settings *s = &local->settings;
	if (s->number == 0)
		return 0;
	return kept_open(&local->kept, local->build_fd, s->number, s->checkout->commit,
			 s->cache_ref ? s->cache_ref : "", err);
}

int builder_local_open(struct loop *loop, const struct builder_local_settings *settings,
		       struct builder **ret_builder, struct error *err)
{
	struct local *local = mem_zero(1, sizeof *local);
	local->builder.ops = &ops;
	local->loop = loop;
	local->settings = *settings;
	local->lock_fd = local->build_fd = local->run_fd = local->source_fd = -1;
	local->cache_fd = local->logs_fd = local->kept.fd = -1;
	int code = sandbox_probe(err);
	int length = snprintf(local->run, sizeof local->run, "%s/run", settings->directory);
	if (code == 0 && (length < 0 || (size_t)length >= sizeof local->run))
		code = error_set(err, ERR_LIMIT, "The path %s is too long.", settings->directory);
	if (code == 0)
		code = open_directories(local, err);
	if (code == 0)
		code = open_kept(local, err);
	if (code == 0)
		code = local_make(local, err);
	if (code < 0)
		builder_local_close(&local->builder);
	else
		*ret_builder = &local->builder;
	return code;
}

void builder_local_close(struct builder *builder)
{
	struct local *local = of(builder);
	struct error ignored; /* what cannot be removed is tried again at the next beginning */
	const int fds[] = {local->run_fd, local->source_fd, local->cache_fd, local->logs_fd};
	ASSERT(!local->attempts);
	for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (local->kept.fd >= 0)
		kept_bound(&local->kept, KEPT_BUILDS_MAX, KEPT_BYTES_MAX);
	kept_close(&local->kept);
	if (local->lock_fd >= 0) {
		(void)!graft_remove(local->build_fd, "run", &ignored);
		close(local->lock_fd);
	}
	if (local->build_fd >= 0)
		close(local->build_fd);
	free(local);
}

/* --- what was made before */

bool builder_local_find(const struct builder *builder, const char *stage, struct kept_stage *about)
{
	const struct local *local = (const struct local *)builder;
	const struct builder_local_settings *s = &local->settings;
	return s->number != 0 && (kept_find(&local->kept, s->number, stage, about) ||
				  kept_find(&local->kept, s->origin, stage, about));
}

int builder_local_take(struct builder *builder, const char *stage, const struct kept_stage *about,
		       struct error *err)
{
	return kept_take(&of(builder)->kept, stage, about, err);
}

int builder_local_drop(struct builder *builder, const char *stage, struct error *err)
{
	return of(builder)->settings.number == 0 ? 0 : kept_drop(&of(builder)->kept, stage, err);
}
