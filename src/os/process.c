/* SPDX-License-Identifier: Apache-2.0
 * process - see process.h for the contract.
 *
 * Between fork and exec the child calls only what is safe there; what needs memory (user, groups, names)
 * is prepared by the parent. The child reports a failure as (step, errno) through a pipe that closes by
 * itself when the program runs, so the parent learns which of the two happened. */
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

enum step {
	STEP_FORK,
	STEP_CGROUP,
	STEP_FILES,
	STEP_INPUT,
	STEP_USER,
	STEP_BOUNDS,
	STEP_DIRECTORY,
	STEP_PROGRAM,
	STEP_COUNT
};

struct report {
	int32_t step; /* -1: no failure, `pid` is the detached child's */
	int32_t number;
	int32_t pid;
};

int process_user_find(const char *name, struct process_user *ret_user, struct error *err)
{
	char memory[16 * 1024];
	struct passwd entry;
	struct passwd *found = NULL;
	int code = getpwnam_r(name, &entry, memory, sizeof memory, &found);
	if (code != 0)
		return error_errno(err, code, "The user \"%s\" cannot be looked up", name);
	if (!found)
		return error_set(err, ERR_NOT_FOUND, "There is no user \"%s\" on this machine.",
				 name);
	struct process_user user = {.uid = entry.pw_uid, .gid = entry.pw_gid};
	int count = PROCESS_GROUPS_MAX;
	if (getgrouplist(name, entry.pw_gid, user.groups, &count) < 0)
		return error_set(err, ERR_LIMIT, "The user \"%s\" is in more than %d groups.", name,
				 PROCESS_GROUPS_MAX);
	user.group_count = (size_t)count;
	text_copy(user.home, sizeof user.home, entry.pw_dir);
	*ret_user = user;
	return 0;
}

static void child_fail(int report_fd, enum step step)
{
	struct report report = {.step = (int32_t)step, .number = errno};
	ssize_t written = write(report_fd, &report, sizeof report);
	(void)written; /* nobody is left to be told */
	_exit(127);
}

/* Make `from` be descriptor `to`, open in the new program. */
static bool child_place(int from, int to)
{
	if (from == to)
		return fcntl(from, F_SETFD, 0) == 0;
	return dup2(from, to) == to;
}

static bool child_descriptors(const struct process_spec *spec)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	/* Out of the way of 0, 1 and 2 first, else one could overwrite another. */
	int given[3] = {spec->input, spec->output, spec->errors};
	for (int i = 0; i < 3; i++) {
		given[i] = fcntl(given[i] < 0 ? null : given[i], F_DUPFD_CLOEXEC, 10);
		if (given[i] < 0)
			return false;
	}
	for (int i = 0; i < 3; i++)
		if (!child_place(given[i], i))
			return false;
	return true;
}

static bool child_user(const struct process_user *user)
{
	return setgroups(user->group_count, user->groups) == 0 && setgid(user->gid) == 0 &&
	       setuid(user->uid) == 0;
}

static bool child_files(uint32_t files)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return false;
	limit.rlim_cur = files;
	if (files > limit.rlim_max || geteuid() == 0)
		limit.rlim_max = files;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

/* As the user that it runs as: else the processes of that user are counted against it before it is one of them. */
static bool child_bounds(const struct process_spec *spec)
{
	const struct rlimit limit = {spec->processes, spec->processes};
	if (spec->processes > 0 && setrlimit(RLIMIT_NPROC, &limit) != 0)
		return false;
	return !spec->no_new_privileges || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static void child_signals(void)
{
	sigset_t none;
	sigemptyset(&none);
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL); /* those that cannot be changed say so, rightly */
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void child_hold(int gate)
{
	char byte;
	ssize_t count;
	do
		count = read(gate, &byte, 1);
	while (count < 0 && errno == EINTR);
	if (count != 1)
		_exit(127); /* our parent died before it had written us down */
}

static void child_run(const struct process_spec *spec, int report_fd, int gate)
	__attribute__((noreturn));

static void child_run(const struct process_spec *spec, int report_fd, int gate)
{
	for (size_t i = 0; i < spec->cgroup_count; i++)
		if (write(spec->cgroups[i], "0", 1) != 1)
			child_fail(report_fd, STEP_CGROUP);
	if (spec->files > 0 && !child_files(spec->files))
		child_fail(report_fd, STEP_FILES);
	if (gate >= 0)
		child_hold(gate);
	if (!child_descriptors(spec))
		child_fail(report_fd, STEP_INPUT);
	if (spec->directory && chdir(spec->directory) != 0)
		child_fail(report_fd, STEP_DIRECTORY);
	if (spec->user && !child_user(spec->user))
		child_fail(report_fd, STEP_USER);
	if (!child_bounds(spec))
		child_fail(report_fd, STEP_BOUNDS);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC); /* also what others forgot to mark */
	child_signals();
	umask(022);
	const char *program = spec->program ? spec->program : spec->argv[0];
	if (spec->environment)
		execvpe(program, (char *const *)spec->argv, (char *const *)spec->environment);
	else
		execvp(program, (char *const *)spec->argv);
	child_fail(report_fd, STEP_PROGRAM);
	_exit(127);
}

/* The child between us and a detached one: it only tells its pid, and leaves. */
static void child_detach(int report_fd)
{
	pid_t pid = fork();
	if (pid < 0)
		child_fail(report_fd, STEP_FORK);
	if (pid == 0)
		return;
	struct report report = {.step = -1, .pid = pid};
	ssize_t written = write(report_fd, &report, sizeof report);
	_exit(written == sizeof report ? 0 : 127);
}

static int read_report(int fd, struct report *report)
{
	ssize_t count;
	do
		count = read(fd, report, sizeof *report);
	while (count < 0 && errno == EINTR);
	return count == sizeof *report ? 1 : 0;
}

static int failed(const struct process_spec *spec, const struct report *report, struct error *err)
{
	static const char *const steps[STEP_COUNT] = {
		[STEP_FORK] = "A process cannot be made",
		[STEP_CGROUP] = "The process cannot be put into its cgroup",
		[STEP_FILES] = "The process cannot have so many open files",
		[STEP_INPUT] = "The process cannot be given its descriptors",
		[STEP_USER] = "The process cannot run as another user",
		[STEP_BOUNDS] = "The process cannot be bounded",
		[STEP_DIRECTORY] = "The process cannot enter its directory",
	};
	if (report->step >= 0 && report->step < STEP_COUNT && steps[report->step])
		return error_errno(err, report->number, "%s", steps[report->step]);
	if (!spec)
		return error_errno(err, report->number, "The program cannot be run");
	return error_errno(err, report->number, "\"%s\" cannot be run",
			   spec->program ? spec->program : spec->argv[0]);
}

static void close_pair(int pair[2])
{
	if (pair[0] >= 0)
		close(pair[0]);
	if (pair[1] >= 0)
		close(pair[1]);
}

static int fork_child(const struct process_spec *spec, int report[2], int gate[2])
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	close(report[0]);
	if (gate[1] >= 0)
		close(gate[1]);
	if (spec->detached)
		child_detach(report[1]);
	setsid();
	child_run(spec, report[1], gate[0]);
}

/* Our own end of the fork: learn the detached one's pid, and whether a program runs. */
static int await_start(const struct process_spec *spec, pid_t pid, int report_fd,
		       struct process *process, struct error *err)
{
	struct report report = {.step = -1, .pid = pid};
	if (spec->detached) {
		bool told = read_report(report_fd, &report) == 1 && report.step < 0;
		process->pid = report.pid;
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		if (!told)
			return failed(spec, &report, err);
	}
	process->start = process_start_of(process->pid);
	process->pidfd = pidfd_open(process->pid, 0);
	if (spec->held)
		return 0;
	if (read_report(report_fd, &report) == 1) {
		int code = failed(spec, &report, err);
		if (!spec->detached)
			process_reap(process);
		process_done(process);
		return code;
	}
	return 0;
}

int process_spawn(const struct process_spec *spec, struct process *ret_process, struct error *err)
{
	int report[2] = {-1, -1};
	int gate[2] = {-1, -1};
	if (pipe2(report, O_CLOEXEC) != 0 || (spec->held && pipe2(gate, O_CLOEXEC) != 0)) {
		int number = errno;
		close_pair(report);
		return error_errno(err, number, "A process cannot be made");
	}
	pid_t pid = fork_child(spec, report, gate);
	if (pid < 0) {
		int number = errno;
		close_pair(report);
		close_pair(gate);
		return error_errno(err, number, "A process cannot be made");
	}
	close(report[1]);
	if (gate[0] >= 0)
		close(gate[0]);
	struct process process = PROCESS_NONE;
	process.pid = pid;
	int code = await_start(spec, pid, report[0], &process, err);
	if (spec->held) {
		process.gate = gate[1];
		process.report = report[0];
	} else {
		close(report[0]);
	}
	if (code == 0)
		*ret_process = process;
	return code;
}

int process_release(struct process *process, struct error *err)
{
	ASSERT(process->gate >= 0);
	struct report report;
	/* A child that failed while it was held has closed the gate: its report says why. */
	void (*kept)(int) = signal(SIGPIPE, SIG_IGN);
	ssize_t written = write(process->gate, "", 1);
	(void)written;
	signal(SIGPIPE, kept);
	close(process->gate);
	process->gate = -1;
	int bad = read_report(process->report, &report);
	close(process->report);
	process->report = -1;
	return bad ? failed(NULL, &report, err) : 0;
}

int process_adopt(pid_t pid, uint64_t start, struct process *ret_process, struct error *err)
{
	int pidfd = pid > 0 ? pidfd_open(pid, 0) : -1;
	/* Open first, compare then: what the descriptor names can no longer change. */
	if (pidfd >= 0 && start != 0 && process_start_of(pid) == start) {
		*ret_process = PROCESS_NONE;
		ret_process->pid = pid;
		ret_process->start = start;
		ret_process->pidfd = pidfd;
		return 0;
	}
	if (pidfd >= 0)
		close(pidfd);
	return error_set(err, ERR_NOT_FOUND, "The process %d is gone.", (int)pid);
}

void process_done(struct process *process)
{
	if (process->pidfd >= 0)
		close(process->pidfd);
	if (process->gate >= 0)
		close(process->gate);
	if (process->report >= 0)
		close(process->report);
	*process = PROCESS_NONE;
}

bool process_signal(const struct process *process, int number)
{
	return process->pidfd >= 0 && pidfd_send_signal(process->pidfd, number, NULL, 0) == 0;
}

bool process_ended(const struct process *process, struct process_end *ret_end)
{
	siginfo_t info = {0};
	if (waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
	    info.si_pid != process->pid)
		return false;
	bool exited = info.si_code == CLD_EXITED;
	*ret_end = (struct process_end){.code = exited ? info.si_status : -1,
					.signal = exited ? 0 : info.si_status};
	return true;
}

void process_reap(const struct process *process)
{
	while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static bool is_among(pid_t pid, const pid_t *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == pid)
			return true;
	return false;
}

size_t process_reap_others(const pid_t *but, size_t but_count)
{
	char path[64];
	char text[16 * 1024];
	snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t size = read(fd, text, sizeof text - 1);
	close(fd);
	text[size > 0 ? size : 0] = '\0';
	size_t count = 0;
	for (char *at = text, *end; *at; at = end) {
		pid_t pid = (pid_t)strtol(at, &end, 10);
		if (end == at)
			break;
		if (!is_among(pid, but, but_count) && waitpid(pid, NULL, WNOHANG) == pid)
			count++;
		end += *end == ' ';
	}
	return count;
}

/* The fields of /proc/PID/stat after the program's name, which may hold anything, ')' too. */
static bool parse_stat(char *text, struct process_about *ret_about)
{
	char *at = strrchr(text, ')');
	if (!at || at[1] != ' ')
		return false;
	struct process_about about = {.zombie = at[2] == 'Z' || at[2] == 'X'};
	at += 3;
	for (int field = 4; field <= 24; field++) {
		char *end;
		unsigned long long value = strtoull(at, &end, 10);
		if (end == at)
			return false;
		at = end;
		if (field == 4)
			about.parent = (pid_t)value;
		else if (field == 5)
			about.group = (pid_t)value;
		else if (field == 6)
			about.session = (pid_t)value;
		else if (field >= 14 && field <= 17)
			about.cpu_ticks += value;
		else if (field == 22)
			about.start = value;
		else if (field == 24)
			about.memory_bytes = value * (uint64_t)sysconf(_SC_PAGESIZE);
	}
	*ret_about = about;
	return true;
}

bool process_look(pid_t pid, struct process_about *ret_about)
{
	char path[40];
	char text[1024];
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t size = read(fd, text, sizeof text - 1);
	close(fd);
	if (size <= 0)
		return false;
	text[size] = '\0';
	return parse_stat(text, ret_about);
}

uint64_t process_start_of(pid_t pid)
{
	struct process_about about;
	return process_look(pid, &about) ? about.start : 0;
}

bool process_program_exists(const char *name)
{
	char path[PATH_MAX];
	const char *list = getenv("PATH");
	while (list && *list) {
		size_t size = strcspn(list, ":");
		int length = snprintf(path, sizeof path, "%.*s/%s", (int)size, list, name);
		if (size > 0 && length < (int)sizeof path && access(path, X_OK) == 0)
			return true;
		list += size + (list[size] == ':');
	}
	return false;
}
