/* SPDX-License-Identifier: Apache-2.0
 * program - see program.h for the contract. */
#include "keeper/program.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "keeper/secrets.h"
#include "os/clock.h"
#include "os/sweep.h"

enum {
	SWEEP_MS = 10, /* between two looks at what is left */
	GROUP_MS = 50, /* between two looks at a group whose leader has ended */
};

static void on_timer(void *context);

void program_init(struct program *p)
{
	p->process = PROCESS_NONE;
	p->timer = (struct env_timer){.fire = on_timer, .context = p};
	p->cgroup = (struct cgroup){.kill = CGROUP_NONE};
}

static void timer_in(struct program *p, uint64_t after_ms)
{
	struct env *env = loop_env(p->loop);
	env->ops->timer_start(env, &p->timer, after_ms);
}

static struct sweep sweep_of(const struct program *p)
{
	return (struct sweep){.cgroup = &p->cgroup,
			      .session = p->process.pid,
			      .start = p->process.start,
			      .mark = p->mark};
}

void program_sweep(const struct program *p)
{
	struct sweep sweep = sweep_of(p);
	sweep_end(&sweep);
}

/* The same name for the same instance, so that what a killed keeper made is found again. */
static void make_cgroup(struct program *p)
{
	struct cgroup_limits limits = {.memory_bytes = p->spec->memory_bytes,
				       .cpu_milli = p->spec->cpu_milli};
	cgroup_make(p->place, &limits, &p->cgroup, p->note);
	cgroup_end(&p->cgroup); /* normally empty */
	p->oom_kills = cgroup_oom_kills(&p->cgroup);
	p->out_of_memory = false;
}

static bool find_directory(struct program *p)
{
	char link[40];
	snprintf(link, sizeof link, "/proc/self/fd/%d", p->dir_fd);
	ssize_t size = readlink(link, p->directory, sizeof p->directory - sizeof "/release");
	if (size <= 0)
		return false;
	memcpy(p->directory + size, "/release", sizeof "/release");
	return true;
}

void program_beside(struct program *p, const char *const *argv, struct process_spec *ret_spec)
{
	struct error ignored; /* without the pipe its output goes to /dev/null */
	int out = -1;
	if (output_program_fd(p->output, &out, &ignored) < 0)
		out = -1;
	*ret_spec = (struct process_spec){.argv = argv,
					  .environment = (const char *const *)p->variables.list,
					  .directory = p->directory,
					  .input = -1,
					  .output = out,
					  .errors = out,
					  .user = p->user,
					  .files = p->spec->files};
	ret_spec->cgroup_count = cgroup_join_fds(&p->cgroup, ret_spec->cgroups);
}

void program_beside_done(struct process_spec *spec)
{
	for (size_t i = 0; i < spec->cgroup_count; i++)
		close(spec->cgroups[i]);
	if (spec->output >= 0)
		close(spec->output);
}

static int spawn(struct program *p, const char *const *argv, struct error *err)
{
	struct process_spec spec;
	program_beside(p, argv, &spec);
	spec.held = true;
	int code = spec.output < 0 ? output_program_fd(p->output, &spec.output, err) : 0;
	if (code == 0)
		code = process_spawn(&spec, &p->process, err);
	program_beside_done(&spec);
	return code;
}

int program_start(struct program *p, uint16_t port, struct error *err)
{
	const char *const script[] = {"/bin/sh", "-c", p->spec->script, NULL};
	struct words words;
	if (!find_directory(p))
		return error_errno(err, errno, "The instance's directory cannot be found");
	variables_done(&p->variables);
	variables_make(&p->variables, p->spec, p->user ? p->user->home : NULL, port, p->mark);
	int code = secrets_read(p->dir_fd, p->spec, &p->variables, p->output, err);
	if (code < 0)
		return code;
	code = words_expand(&words, p->spec->script ? script : p->spec->argv,
			    p->spec->expand && !p->spec->script, &p->variables, err);
	if (code < 0)
		return code;
	make_cgroup(p);
	p->ours = true;
	p->ending = p->ended = false;
	code = spawn(p, (const char *const *)words.list, err);
	words_done(&words);
	if (code < 0)
		cgroup_remove(&p->cgroup);
	return code;
}

static void on_exit_seen(void *context, int events);

static int watch(struct program *p, struct error *err)
{
	return loop_watch_start(p->loop, p->process.pidfd, LOOP_READ, on_exit_seen, p, &p->watch,
				err);
}

int program_release(struct program *p, struct error *err)
{
	int code = process_release(&p->process, err);
	if (code < 0 && p->spec->argv[0])
		code = error_prefix(err, "%s", p->spec->argv[0]);
	else if (code == 0)
		code = watch(p, err);
	if (code == 0)
		return 0;
	p->ended = true; /* not that anybody cares how */
	program_end(p, true);
	return code;
}

void program_discard(struct program *p)
{
	close(p->process.gate); /* it reads the end of the gate, and leaves */
	p->process.gate = -1;
	process_reap(&p->process);
	process_done(&p->process);
	cgroup_remove(&p->cgroup);
}

int program_adopt(struct program *p, const struct instance_record *record, struct error *err)
{
	cgroup_open(record->cgroup, &p->cgroup);
	p->oom_kills = cgroup_oom_kills(&p->cgroup);
	p->ours = false;
	p->ending = p->ended = false;
	int code = find_directory(p) ? 0 : error_errno(err, errno, "No directory");
	if (code == 0)
		code = process_adopt(record->pid, record->start, &p->process, err);
	if (code == 0)
		code = watch(p, err);
	if (code == 0) {
		struct error
			ignored; /* it has them already; only a health command would miss them */
		variables_done(&p->variables);
		variables_make(&p->variables, p->spec, p->user ? p->user->home : NULL, record->port,
			       p->mark);
		if (secrets_read(p->dir_fd, p->spec, &p->variables, p->output, &ignored) < 0)
			output_note(p->output, "%s", ignored.text);
		return 0;
	}
	p->process.pid = record->pid;
	p->process.start = record->start;
	p->ended = true;
	program_end(p, true);
	return code;
}

/* All of it has ended: forget it. */
static void finish(struct program *p)
{
	struct env *env = loop_env(p->loop);
	env->ops->timer_stop(env, &p->timer);
	loop_watch_stop(p->watch);
	p->watch = NULL;
	if (p->ours)
		process_reap(&p->process);
	process_done(&p->process);
	p->ending = false;
	output_drain(p->output);
	p->gone(p->context);
}

/* Its first process has ended: take note, once. */
static void note_end(struct program *p)
{
	if (p->ended)
		return;
	p->ended = true;
	p->out_of_memory = cgroup_oom_kills(&p->cgroup) > p->oom_kills;
	loop_watch_stop(p->watch); /* the descriptor stays readable */
	p->watch = NULL;
	p->exited(p->context);
}

static void on_timer(void *context)
{
	struct program *p = context;
	struct sweep sweep = sweep_of(p);
	if (clock_now_ms() < p->kill_at_ms) {
		if (!p->ended || sweep_group_lives(&sweep)) {
			uint64_t left = p->kill_at_ms - clock_now_ms();
			timer_in(p, !p->ended || left < GROUP_MS ? left : GROUP_MS);
			return;
		}
		p->kill_at_ms = 0;
	}
	sweep_end(&sweep);
	bool clear = sweep_count(&sweep) == 0;
	if (clear && (!p->ours || process_ended(&p->process, &p->end)))
		note_end(p);
	if (clear && p->ended && cgroup_remove(&p->cgroup))
		finish(p);
	else
		timer_in(p, SWEEP_MS);
}

static void on_exit_seen(void *context, int events)
{
	struct program *p = context;
	(void)events;
	if (p->ours && !process_ended(&p->process, &p->end))
		return;
	if (!p->ending)
		p->kill_at_ms = 0;
	p->ending = true;
	timer_in(p, 0);
	note_end(p);
}

void program_end(struct program *p, bool at_once)
{
	struct sweep sweep = sweep_of(p);
	if (at_once) {
		p->kill_at_ms = 0;
		timer_in(p, 0);
	} else if (!p->ending) {
		p->kill_at_ms = clock_now_ms() + p->spec->stop_timeout_ms;
		timer_in(p, p->spec->stop_timeout_ms);
		sweep_signal_group(&sweep, p->spec->stop_signal);
	}
	p->ending = true;
}
