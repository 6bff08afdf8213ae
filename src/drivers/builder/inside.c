/* SPDX-License-Identifier: Apache-2.0
 * inside - see inside.h for the contract.
 *
 * One thread, one poll(): the socket, SIGCHLD by a signalfd, and the time. It is a subreaper, so that it sees the end
 * of everything that a stage starts and leaves behind. */
#include "drivers/builder/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "drivers/builder/inside_spec.h"
#include "os/file.h"

enum { LOOK_MS = 50, LEFT_MS = 2000 /* what is left at the end may take, after TERM */ };

enum phase { STARTING, RUNNING, STOPPING, ENDING };

struct inside {
	struct inside_spec spec;
	enum phase phase;
	uint64_t began_ms, phase_ms;
	pid_t services[BUILDER_SERVICES_MAX];
	bool ready[BUILDER_SERVICES_MAX];
	pid_t probes[BUILDER_SERVICES_MAX]; /* a `ready` command that runs; 0: none */
	pid_t stage;
	bool killed, told;
};

static uint64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Only the first thing that is told counts. */
static void tell(struct inside *in, const char *text)
{
	if (!in->told)
		(void)!send(STDIN_FILENO, text, strlen(text), MSG_NOSIGNAL);
	in->told = true;
}

static void enter_phase(struct inside *in, enum phase phase)
{
	in->phase = phase;
	in->phase_ms = now_ms();
	in->killed = false;
	if (phase == STOPPING || phase == ENDING)
		kill(-1, SIGTERM); /* everybody in the sandbox but its first process and us */
}

static void give_up(struct inside *in, const char *sentence)
{
	char text[INSIDE_SAYS_MAX];
	snprintf(text, sizeof text, "error %s", sentence);
	tell(in, text);
	enter_phase(in, ENDING);
}

/* --- children */

static void run_child(const struct inside_program *program, char *const *environment)
	__attribute__((noreturn));

static void run_child(const struct inside_program *program, char *const *environment)
{
	sigset_t none;
	int null = open("/dev/null", O_RDONLY);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0)
		_exit(127);
	close_range(3, ~0U, 0);
	for (int i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvpe(program->argv[0], program->argv, environment);
	dprintf(STDERR_FILENO, "davit: \"%s\" cannot be run: %s\n", program->argv[0],
		strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static pid_t start(const struct inside *in, const struct inside_program *program)
{
	pid_t pid = fork();
	if (pid == 0)
		run_child(program, in->spec.environment);
	return pid;
}

/* --- services */

static void look_at_service(struct inside *in, uint32_t i)
{
	const struct inside_service *service = &in->spec.services[i];
	char sentence[200];
	if (in->ready[i])
		return;
	if (service->tcp > 0) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		const struct sockaddr_in address = {.sin_family = AF_INET,
						    .sin_port = htons(service->tcp),
						    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		in->ready[i] = fd >= 0 &&
			       connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
		if (fd >= 0)
			close(fd);
	} else if (in->probes[i] == 0) {
		in->probes[i] = start(in, &service->ready);
	}
	if (in->ready[i] || now_ms() - in->began_ms < service->deadline_ms)
		return;
	snprintf(sentence, sizeof sentence, "The service \"%s\" was not ready within %llu ms.",
		 service->name, (unsigned long long)service->deadline_ms);
	give_up(in, sentence);
}

static void look_at_services(struct inside *in)
{
	bool all = true;
	for (uint32_t i = 0; i < in->spec.service_count && in->phase == STARTING; i++) {
		look_at_service(in, i);
		all = all && in->ready[i];
	}
	if (in->phase != STARTING || !all)
		return;
	enter_phase(in, RUNNING);
	in->stage = start(in, &in->spec.run);
	if (in->stage < 0)
		give_up(in, "No process can be made in the sandbox.");
}

static void describe_end(int status, char *to, size_t size)
{
	if (WIFEXITED(status))
		snprintf(to, size, "exit %d", WEXITSTATUS(status));
	else
		snprintf(to, size, "signal %d", WTERMSIG(status));
}

static void service_ended(struct inside *in, uint32_t i, int status)
{
	char end[40], sentence[200];
	in->services[i] = 0;
	describe_end(status, end, sizeof end);
	if (in->phase == STARTING) {
		snprintf(sentence, sizeof sentence,
			 "The service \"%s\" ended before the stage began (%s).",
			 in->spec.services[i].name, end);
		give_up(in, sentence);
	} else if (in->phase == RUNNING) {
		fprintf(stderr, "davit: the service \"%s\" has ended (%s).\n",
			in->spec.services[i].name, end);
	}
}

static void child_ended(struct inside *in, pid_t pid, int status)
{
	char end[40];
	for (uint32_t i = 0; i < in->spec.service_count; i++) {
		if (pid == in->services[i]) {
			service_ended(in, i, status);
		} else if (pid == in->probes[i]) {
			in->probes[i] = 0;
			in->ready[i] |= WIFEXITED(status) && WEXITSTATUS(status) == 0;
		}
	}
	if (pid != in->stage)
		return;
	in->stage = 0;
	describe_end(status, end, sizeof end);
	tell(in, in->phase == STOPPING ? "stopped" : end);
	if (in->phase == RUNNING)
		enter_phase(in, ENDING);
}

/* Returns false when nobody is left. */
static bool reap(struct inside *in)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		child_ended(in, pid, status);
	return pid == 0 || errno != ECHILD;
}

/* --- the first steps */

static bool limit(int what, uint64_t value)
{
	struct rlimit now, new = {.rlim_cur = value, .rlim_max = value};
	if (getrlimit((unsigned)what, &now) != 0)
		return false;
	if (now.rlim_max < new.rlim_max)
		new = (struct rlimit){.rlim_cur = now.rlim_max, .rlim_max = now.rlim_max};
	return setrlimit((unsigned)what, &new) == 0;
}

static const char *confine(const struct inside_limits *limits)
{
	if (!limit(RLIMIT_CORE, 0) || !limit(RLIMIT_NOFILE, limits->files) ||
	    !limit(RLIMIT_FSIZE, limits->file_bytes) || !limit(RLIMIT_NPROC, limits->processes) ||
	    (limits->data_bytes > 0 && !limit(RLIMIT_DATA, limits->data_bytes)))
		return "The limits of the sandbox cannot be set.";
	if (limits->uid > 0 && (setgroups(0, NULL) != 0 || setgid(limits->uid) != 0 ||
				setuid(limits->uid) != 0 || setuid(0) == 0))
		return "The sandbox cannot give up the rights of root.";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
		return "The sandbox cannot be closed.";
	return NULL;
}

static int listen_for_children(void)
{
	sigset_t child;
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	return signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void begin(struct inside *in)
{
	in->began_ms = in->phase_ms = now_ms();
	for (uint32_t i = 0; i < in->spec.service_count && in->phase == STARTING; i++) {
		in->services[i] = start(in, &in->spec.services[i].run);
		if (in->services[i] < 0)
			give_up(in, "No process can be made in the sandbox.");
	}
}

/* TERM was sent when the phase began; what is still there after the grace is killed. */
static void hurry(struct inside *in)
{
	uint64_t most = in->phase == STOPPING ? BUILDER_GRACE_MS : LEFT_MS;
	if ((in->phase != STOPPING && in->phase != ENDING) || now_ms() - in->phase_ms < most)
		return;
	kill(-1, SIGKILL); /* again and again: what forks away is caught at the next look */
}

static void run(struct inside *in, int signal_fd)
{
	struct pollfd fds[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
				{.fd = signal_fd, .events = POLLIN}};
	struct signalfd_siginfo ignored;
	begin(in);
	for (;;) {
		bool any = reap(in);
		if (in->phase == STARTING)
			look_at_services(in);
		else if (!any && in->phase != RUNNING)
			return;
		hurry(in);
		int most = in->phase == RUNNING ? -1 : LOOK_MS;
		poll(fds, 2, most);
		while (read(signal_fd, &ignored, sizeof ignored) == sizeof ignored)
			;
		if (fds[0].revents && in->phase != STOPPING) {
			char message[8];
			if (recv(STDIN_FILENO, message, sizeof message, MSG_DONTWAIT) <= 0)
				fds[0].fd = -1; /* nobody is there any more */
			if (in->phase != ENDING) {
				if (in->phase == STARTING)
					tell(in, "stopped");
				enter_phase(in, STOPPING);
			}
		}
	}
}

/* Nobody else may keep them: they are not in the spec. */
static const char *take_secrets(struct inside_spec *spec)
{
	static char bytes[INSIDE_SECRETS_MAX];
	if (spec->secret_count == 0)
		return NULL;
	ssize_t size = recv(STDIN_FILENO, bytes, sizeof bytes, 0);
	bool fine = size > 0 && inside_add_secrets(spec, bytes, (size_t)size);
	explicit_bzero(bytes, sizeof bytes);
	return fine ? NULL : "The secrets of the stage did not come into the sandbox.";
}

int inside_main(int argc, char **argv)
{
	static struct inside in;
	struct error err;
	struct buf text;
	(void)argc;
	(void)argv;
	signal(SIGPIPE, SIG_IGN);
	buf_init(&text, INSIDE_SPEC_MAX);
	if (file_read(AT_FDCWD, INSIDE_SPEC, &text, &err) < 0 ||
	    inside_unpack(text.data, text.size, &in.spec, &err) < 0) {
		fputs("davit: sandbox-inside is started by davit itself.\n", stderr);
		return 2;
	}
	const char *why = confine(&in.spec.limits);
	if (!why)
		why = take_secrets(&in.spec);
	int signal_fd = listen_for_children();
	if (!why && signal_fd < 0)
		why = "The sandbox cannot wait for its processes.";
	if (why) {
		give_up(&in, why);
		return 1;
	}
	run(&in, signal_fd);
	tell(&in, "stopped");
	inside_spec_done(&in.spec);
	buf_done(&text);
	return 0;
}
