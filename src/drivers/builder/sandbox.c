/* SPDX-License-Identifier: Apache-2.0
 * sandbox - see sandbox.h for the contract.
 *
 * Three things say that it is over: the socket's message (how the script ended), the pipe's end (all output is
 * here), bubblewrap's own end. It ends last of its sandbox, so when it is reaped nobody is left in there. Its end by a
 * signal is the exception, and happens only when somebody kills it; then the cgroup, where there is one, is ended
 * before anybody is told. */
#include "drivers/builder/sandbox.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "drivers/builder/inside.h"
#include "drivers/builder/sandbox_words.h"
#include "os/capture.h"
#include "os/cgroup.h"
#include "os/file.h"
#include "os/process.h"
#include "os/random.h"

enum {
	FORGET_TRIES = 400,                /* of 5 ms */
	KILL_MS = BUILDER_GRACE_MS + 4000, /* the program inside should have ended it before */
	OUTPUT_PART = 64 * 1024,
	OUTPUT_TURN = 16,
	LATE_MS = 20, /* between two looks at what should be gone */
	UID_FIRST = 1900000000,
	UID_COUNT = 50000000,
	NOBODY = 65534,
	PROBE_MS = 10000,
};

struct sandbox {
	struct loop *loop;
	struct sandbox_listener listener;
	struct process process;
	struct cgroup cgroup;
	int control, output;
	struct loop_watch *control_watch, *output_watch, *process_watch;
	struct env_timer timer; /* kills; at the end waits for the cgroup to be empty */
	bool stopping, ended;
	struct sandbox_end end;
	uint64_t oom_kills;
};

/* --- whose it is */

static bool is_mapped(uid_t uid)
{
	FILE *map = fopen("/proc/self/uid_map", "re");
	unsigned long inside, outside, count;
	bool found = false;
	while (map && fscanf(map, "%lu %lu %lu", &inside, &outside, &count) == 3)
		found = found || (uid >= inside && uid - inside < count);
	if (map)
		fclose(map);
	return found;
}

uid_t sandbox_user(void)
{
	if (geteuid() != 0)
		return (uid_t)-1;
	uid_t uid = (uid_t)(UID_FIRST + random_below(UID_COUNT));
	return is_mapped(uid) ? uid : NOBODY;
}

/* --- its end */

static void close_watch(struct loop_watch **watch)
{
	loop_watch_stop(*watch);
	*watch = NULL;
}

static void finish(struct sandbox *s)
{
	struct env *env = loop_env(s->loop);
	struct sandbox_listener listener = s->listener;
	struct sandbox_end end = s->end;
	end.out_of_memory = cgroup_oom_kills(&s->cgroup) > s->oom_kills;
	cgroup_remove(&s->cgroup);
	env->ops->timer_stop(env, &s->timer);
	close_watch(&s->control_watch);
	close_watch(&s->output_watch);
	close(s->control);
	close(s->output);
	process_done(&s->process);
	free(s);
	listener.ended(listener.context, &end);
}

/* What bubblewrap did not live to end. */
static void on_late(void *context)
{
	struct sandbox *s = context;
	struct env *env = loop_env(s->loop);
	pid_t one;
	cgroup_end(&s->cgroup);
	if (cgroup_list(&s->cgroup, &one, 1) == 0) {
		finish(s);
		return;
	}
	s->timer.fire = on_late;
	env->ops->timer_start(env, &s->timer, LATE_MS);
}

/* The sandbox's first process is bubblewrap's only child: when it dies, the kernel ends all the others. */
static void kill_first(const struct sandbox *s)
{
	char path[64], text[64] = "";
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)s->process.pid,
		 (int)s->process.pid);
	FILE *file = fopen(path, "re");
	if (file && fgets(text, sizeof text, file)) {
		struct process first;
		struct error ignored;
		pid_t pid = (pid_t)strtol(text, NULL, 10);
		if (pid > 0 && process_adopt(pid, process_start_of(pid), &first, &ignored) == 0) {
			process_signal(&first, SIGKILL);
			process_done(&first);
		}
	}
	if (file)
		fclose(file);
}

static void on_kill(void *context)
{
	struct sandbox *s = context;
	struct env *env = loop_env(s->loop);
	kill_first(s);
	cgroup_end(&s->cgroup);
	env->ops->timer_start(env, &s->timer, LATE_MS * 10);
}

/* --- what comes from it */

static bool read_output(struct sandbox *s)
{
	char part[OUTPUT_PART];
	ssize_t size = read(s->output, part, sizeof part);
	if (size > 0)
		s->listener.output(s->listener.context, part, (size_t)size);
	else if (size == 0 || (errno != EAGAIN && errno != EINTR))
		close_watch(&s->output_watch);
	return size > 0;
}

static void on_output(void *context, int events)
{
	(void)events;
	for (int i = 0; i < OUTPUT_TURN && read_output(context); i++)
		;
}

static void take_message(struct sandbox *s, const char *text)
{
	struct sandbox_end *end = &s->end;
	uint64_t number;
	if (strncmp(text, "exit ", 5) == 0 && text_parse_u64(text + 5, 255, &number)) {
		end->code = (int)number;
	} else if (strncmp(text, "signal ", 7) == 0 && text_parse_u64(text + 7, 64, &number)) {
		end->signal = (int)number;
	} else if (strncmp(text, "error ", 6) == 0) {
		text_copy(end->sentence, sizeof end->sentence, text + 6);
		for (char *c = end->sentence; *c; c++)
			if (*c < ' ' || *c == 0x7f)
				*c = '?'; /* it came from in there */
		return;
	} else {
		end->stopped = true;
	}
	end->sentence[0] = '\0';
}

static void on_control(void *context, int events)
{
	struct sandbox *s = context;
	char text[INSIDE_SAYS_MAX + 1];
	(void)events;
	ssize_t size = recv(s->control, text, sizeof text - 1, MSG_DONTWAIT);
	if (size > 0) {
		text[size] = '\0';
		take_message(s, text);
	} else if (size == 0 || errno != EAGAIN) {
		close_watch(&s->control_watch);
	}
}

static void on_ended(void *context, int events)
{
	struct sandbox *s = context;
	struct env *env = loop_env(s->loop);
	struct process_end end;
	(void)events;
	if (!process_ended(&s->process, &end))
		return;
	close_watch(&s->process_watch);
	process_reap(&s->process);
	while (s->output_watch && read_output(s))
		;
	while (s->control_watch) {
		struct loop_watch *before = s->control_watch;
		char byte;
		if (recv(s->control, &byte, 1, MSG_DONTWAIT | MSG_PEEK) <= 0)
			break;
		on_control(s, 0);
		ASSERT(before == s->control_watch);
	}
	if (s->stopping && s->end.sentence[0]) { /* it was killed before it could say so */
		s->end.stopped = true;
		s->end.sentence[0] = '\0';
	}
	env->ops->timer_stop(env, &s->timer);
	on_late(s);
}

/* --- its beginning */

static void compose(struct words *words, const struct builder_job *job,
		    const struct sandbox_place *place, char *const etc[3])
{
	static const char *const names[3] = {"/etc/passwd", "/etc/group", "/etc/hosts"};
	words_begin(words, job->network);
	for (int i = 0; i < 3; i++)
		words_add(words, "--ro-bind", etc[i], names[i]);
	words_add(words, "--ro-bind", place->inside, "/run/davit/inside");
	/* This davit, for "davit scan convert" and the like. */
	words_add(words, "--symlink", "../inside", "/run/davit/bin/davit");
	words_add(words, "--ro-bind", place->spec, INSIDE_SPEC);
	words_add(words, "--bind", place->work, "/work");
	words_add(words, "--bind", place->tmp, "/tmp");
	words_add(words, "--bind", place->home, "/home/build");
	words_add(words, "--remount-ro", "/", NULL);
	words_add(words, "--chdir", "/work", NULL);
	words_add(words, "--", "/run/davit/inside", "sandbox-inside");
}

static int write_spec(const struct builder_job *job, const struct builder_texts *environment,
		      const struct sandbox_place *place, uid_t user, bool memory_bound,
		      struct error *err)
{
	const struct inside_limits limits = {
		.uid = user == (uid_t)-1 ? 0 : user,
		.processes = SANDBOX_PROCESSES,
		.files = SANDBOX_FILES,
		.file_bytes = SANDBOX_FILE_BYTES,
		.data_bytes = memory_bound ? 0 : SANDBOX_MEMORY_BYTES,
	};
	struct buf spec;
	buf_init(&spec, INSIDE_SPEC_MAX);
	int code = inside_pack(job, environment, &limits, &spec, err);
	if (code == 0)
		code = file_write(AT_FDCWD, place->spec, spec.data, spec.size, 0644, err);
	buf_done(&spec);
	return code;
}

static int spawn(struct sandbox *s, const struct words *words, int control, int output,
		 struct error *err)
{
	static const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	struct process_spec spec = {.argv = words->list,
				    .environment = environment,
				    .directory = "/",
				    .input = control,
				    .output = output,
				    .errors = output};
	spec.cgroup_count = cgroup_join_fds(&s->cgroup, spec.cgroups);
	int code = process_spawn(&spec, &s->process, err);
	for (size_t i = 0; i < spec.cgroup_count; i++)
		close(spec.cgroups[i]);
	return code;
}

static int send_secrets(int control, const struct builder_job *job, struct error *err)
{
	struct buf bytes;
	if (job->secrets.count == 0)
		return 0;
	buf_init(&bytes, INSIDE_SECRETS_MAX);
	bytes.secret = true;
	for (uint32_t i = 0; i < job->secrets.count; i++)
		buf_append(&bytes, job->secrets.items[i], strlen(job->secrets.items[i]) + 1);
	int code = bytes.overflowed
			   ? error_set(err, ERR_LIMIT,
				       "The secrets of stage \"%s\" are together more than %d KiB.",
				       job->stage, INSIDE_SECRETS_MAX >> 10)
		   : send(control, bytes.data, bytes.size, MSG_NOSIGNAL | MSG_DONTWAIT) < 0
			   ? error_errno(err, errno, "The secrets cannot be given to the sandbox")
			   : 0;
	buf_done(&bytes);
	return code;
}

static int watch(struct sandbox *s, struct error *err)
{
	int code = loop_watch_start(s->loop, s->control, LOOP_READ, on_control, s,
				    &s->control_watch, err);
	if (code == 0)
		code = loop_watch_start(s->loop, s->output, LOOP_READ, on_output, s,
					&s->output_watch, err);
	if (code == 0)
		code = loop_watch_start(s->loop, s->process.pidfd, LOOP_READ, on_ended, s,
					&s->process_watch, err);
	return code;
}

static int open_pipes(int control[2], int output[2], struct error *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0 ||
	    pipe2(output, O_CLOEXEC) != 0)
		return error_errno(err, errno, "The sandbox's pipes cannot be made");
	fcntl(output[0], F_SETFL, O_NONBLOCK);
	return 0;
}

/* Its name is written down first, then where it is: whenever we are killed, sandbox_forget() finds it. */
static int make_cgroup(struct sandbox *s, const char *stage, const char *file,
		       bool *ret_memory_bound, struct error *err)
{
	char name[BUILDER_NAME_SIZE + 64], note[CGROUP_NOTE_SIZE], record[CGROUP_TEXT_SIZE];
	const struct cgroup_limits limits = {.memory_bytes = SANDBOX_MEMORY_BYTES,
					     .processes = SANDBOX_PROCESSES + 8};
	snprintf(name, sizeof name, "davit-build-%d-%s", (int)getpid(), stage);
	int code = file_write(AT_FDCWD, file, name, strlen(name), 0600, err);
	if (code < 0)
		return code;
	cgroup_make(name, &limits, &s->cgroup, note);
	s->oom_kills = cgroup_oom_kills(&s->cgroup);
	*ret_memory_bound = note[0] == '\0';
	cgroup_text(&s->cgroup, record);
	return file_write(AT_FDCWD, file, record, strlen(record), 0600, err);
}

static struct sandbox *make(struct loop *loop, const struct sandbox_listener *listener)
{
	struct sandbox *s = mem_zero(1, sizeof *s);
	s->loop = loop;
	s->listener = *listener;
	s->process = PROCESS_NONE;
	s->timer = (struct env_timer){.fire = on_kill, .context = s};
	s->control = s->output = -1;
	s->end.code = -1;
	text_copy(s->end.sentence, sizeof s->end.sentence,
		  "The sandbox ended without saying how; its output above says more.");
	return s;
}

int sandbox_start(struct loop *loop, const struct builder_job *job,
		  const struct builder_texts *environment, const struct sandbox_place *place,
		  uid_t user, const struct sandbox_listener *listener, struct sandbox **ret_sandbox,
		  struct error *err)
{
	int control[2] = {-1, -1}, output[2] = {-1, -1};
	char files[3][SANDBOX_PATH_SIZE + 16];
	static const char *const names[3] = {"passwd", "group", "hosts"};
	struct words words;
	bool memory_bound = false;
	for (int i = 0; i < 3; i++)
		snprintf(files[i], sizeof files[i], "%s/%s", place->etc, names[i]);
	struct sandbox *s = make(loop, listener);
	compose(&words, job, place, (char *const[]){files[0], files[1], files[2]});
	int code = make_cgroup(s, job->stage, place->cgroup, &memory_bound, err);
	if (code == 0)
		code = write_spec(job, environment, place, user, memory_bound, err);
	if (code == 0)
		code = open_pipes(control, output, err);
	if (code == 0)
		code = send_secrets(control[0], job, err); /* it is the first that is read there */
	if (code == 0)
		code = spawn(s, &words, control[1], output[1], err);
	if (control[1] >= 0)
		close(control[1]);
	if (output[1] >= 0)
		close(output[1]);
	s->control = control[0];
	s->output = output[0];
	if (code == 0) {
		code = watch(s, err);
		ASSERT(code == 0); /* there is no descriptor that poll cannot watch among them */
		*ret_sandbox = s;
		return 0;
	}
	if (s->control >= 0)
		close(s->control);
	if (s->output >= 0)
		close(s->output);
	cgroup_remove(&s->cgroup);
	free(s);
	return code;
}

void sandbox_stop(struct sandbox *s)
{
	struct env *env = loop_env(s->loop);
	if (s->stopping)
		return;
	s->stopping = true;
	(void)!send(s->control, "stop", 4, MSG_NOSIGNAL | MSG_DONTWAIT);
	s->timer.fire = on_kill;
	env->ops->timer_start(env, &s->timer, KILL_MS);
}

void sandbox_forget(int dir_fd, const char *file)
{
	struct buf text;
	struct cgroup cgroup;
	struct error ignored;
	char note[CGROUP_NOTE_SIZE];
	buf_init(&text, CGROUP_TEXT_SIZE);
	if (file_read(dir_fd, file, &text, &ignored) == 0 && text.size > 0) {
		if (strchr(buf_text(&text), '/'))
			cgroup_open(buf_text(&text), &cgroup);
		else
			cgroup_make(buf_text(&text),
				    &(struct cgroup_limits){.memory_bytes = SANDBOX_MEMORY_BYTES,
							    .processes = 1},
				    &cgroup, note);
		cgroup_end(&cgroup);
		/* What was killed is a while in dying. */
		for (int i = 0; i < FORGET_TRIES && !cgroup_remove(&cgroup); i++)
			nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
	buf_done(&text);
}

int sandbox_probe(struct error *err)
{
	struct words words;
	struct buf out, errors;
	struct process_end end = {.code = -1};
	char said[256];
	words_begin(&words, false);
	words_add(&words, "--", "/usr/bin/true", NULL);
	buf_init(&out, 1024);
	buf_init(&errors, 1024);
	const struct capture probe = {.argv = words.list, .deadline_ms = PROBE_MS};
	int code = capture_run(&probe, &out, &errors, &end, err);
	buf_drop(&errors, text_starts(buf_text(&errors), "bwrap: ") ? 7 : 0);
	size_t size = errors.size > 0 && errors.data[errors.size - 1] == '\n' ? errors.size - 1
									      : errors.size;
	text_escape(buf_text(&errors), size, said, sizeof said);
	buf_done(&out);
	buf_done(&errors);
	if (code == ERR_NOT_FOUND)
		return error_set(
			err, ERR_UNSUPPORTED,
			"Stages run in a sandbox, and bubblewrap is not installed: install "
			"the package \"bubblewrap\" (the program bwrap).");
	if (code < 0)
		return error_prefix(err, "bubblewrap");
	if (end.code == 0)
		return 0;
	return error_set(
		err, ERR_UNSUPPORTED,
		"Stages run in a sandbox, and bubblewrap cannot make one here: %s. %s",
		said[0] ? said : "it did not say why",
		geteuid() == 0
			? "This machine lets not even root make namespaces; give the container "
			  "that davit runs in the right to (CAP_SYS_ADMIN), or build elsewhere."
			: "Let users make namespaces (sysctl "
			  "kernel.unprivileged_userns_clone=1, user.max_user_namespaces=10000, on "
			  "Ubuntu also kernel.apparmor_restrict_unprivileged_userns=0), or run "
			  "davit as root.");
}
