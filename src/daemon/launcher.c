/* SPDX-License-Identifier: Apache-2.0
 * launcher - see launcher.h for the contract.
 *
 * One thread, one poll over a signalfd and, while starting, the API's socket. Children are rows of a table;
 * the loop below knows nothing of what they do. */
#include "daemon/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "daemon/state.h"

enum {
	BACKOFF_FIRST_MS = 10,    /* a child that dies is back within milliseconds, */
	BACKOFF_MAX_MS = 2000,    /* one that cannot live does not eat the machine, */
	BACKOFF_FORGET_MS = 5000, /* and after this long a life its past is forgotten */
	GIVE_UP_DEATHS = 5,       /* before the first "ready": something is wrong for good */
	TICK_MS = 20,
};

struct child {
	const char *name;
	const char *verb; /* of this binary */
	pid_t pid;
	uint64_t started_ms;
	uint64_t due_ms; /* when to start it (again) */
	uint64_t backoff_ms;
	uint32_t deaths;
	bool wanted;
};

enum { CONTROLLER, GATEWAY, CHILDREN };

struct launcher {
	const struct launcher_options *options;
	struct state_directory *state;
	struct child children[CHILDREN];
	int signal_fd;
	bool ready;
	bool stopping;
	bool failed;
	bool instances_stopping;
	bool found; /* a gateway was serving before us */
	pid_t pid;  /* our own */
};

static uint64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void child_exec(const struct launcher *l, const struct child *child)
{
	char workers[16];
	const char *argv[12];
	size_t count = 0;
	sigset_t none;
	argv[count++] = "davit";
	argv[count++] = child->verb;
	argv[count++] = "--state";
	argv[count++] = state_path(l->state);
	if (child == &l->children[GATEWAY]) {
		snprintf(workers, sizeof workers, "%u", l->options->workers);
		argv[count++] = "--workers";
		argv[count++] = workers;
		if (l->options->access_log) {
			argv[count++] = "--access-log";
			argv[count++] = l->options->access_log;
		}
	}
	if (child == &l->children[CONTROLLER] && l->options->server_file) {
		argv[count++] = "--server";
		argv[count++] = l->options->server_file;
	}
	if (l->options->verbose)
		argv[count++] = "--verbose";
	argv[count] = NULL;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* A controller without its launcher would keep the store from the next one; all else serves on. */
	if (child == &l->children[CONTROLLER]) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != l->pid)
			_exit(0);
	}
	setpgid(0, 0); /* Ctrl-C is for the launcher alone: it decides what follows */
	execv("/proc/self/exe", (char *const *)argv);
	_exit(127);
}

static void child_start(struct launcher *l, struct child *child)
{
	pid_t pid = fork();
	if (pid == 0)
		child_exec(l, child);
	child->started_ms = now_ms();
	child->pid = pid;
	if (pid < 0) {
		log_event(LOG_ERROR, "launcher.start", "child=%s error=\"%s\"", child->name,
			  strerror(errno));
		child->pid = 0;
		child->due_ms = child->started_ms + BACKOFF_MAX_MS;
		return;
	}
	log_event(LOG_DEBUG, "launcher.start", "child=%s pid=%d", child->name, (int)pid);
}

static void child_died(struct launcher *l, struct child *child, int status)
{
	uint64_t now = now_ms(), lived_ms = now - child->started_ms;
	child->pid = 0;
	child->deaths++;
	if (lived_ms > BACKOFF_FORGET_MS)
		child->backoff_ms = 0;
	child->due_ms = now + child->backoff_ms;
	child->backoff_ms = child->backoff_ms == 0                   ? BACKOFF_FIRST_MS
			    : child->backoff_ms * 4 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS
								     : child->backoff_ms * 4;
	if (l->stopping && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	if (WIFSIGNALED(status))
		log_event(LOG_WARNING, "launcher.died", "child=%s signal=%d lived_ms=%llu",
			  child->name, WTERMSIG(status), (unsigned long long)lived_ms);
	else
		log_event(LOG_WARNING, "launcher.died", "child=%s status=%d lived_ms=%llu",
			  child->name, WEXITSTATUS(status), (unsigned long long)lived_ms);
	/* Status 2 is a refusal that another try will not change: a newer store, a broken one, a full disk. */
	if (!l->ready &&
	    ((WIFEXITED(status) && WEXITSTATUS(status) == 2) || child->deaths >= GIVE_UP_DEATHS))
		l->failed = true;
}

/* Keepers whose controller died are our children now: they are reaped like everybody else. */
static void reap(struct launcher *l)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < CHILDREN; i++)
			if (l->children[i].pid == pid)
				child_died(l, &l->children[i], status);
}

static void keep_running(struct launcher *l)
{
	uint64_t now = now_ms();
	for (size_t i = 0; i < CHILDREN; i++) {
		struct child *child = &l->children[i];
		if (!child->wanted || child->pid || now < child->due_ms)
			continue;
		child_start(l, child);
	}
}

static void tell_ready(struct launcher *l)
{
	if (l->ready || !state_socket_alive(l->state, "api.sock"))
		return;
	l->ready = true;
	const char *notify = getenv("NOTIFY_SOCKET");
	if (notify)
		state_notify(notify, "READY=1");
	printf("davit is ready (state in %s). Next: davit deploy ENV PATH\n", state_path(l->state));
	fflush(stdout);
}

static void signal_child(const struct child *child, int number)
{
	if (child->pid)
		kill(child->pid, number);
}

/* `up`: first the gateway, whose requests under way need their instances; then the controller, which ends
 * the instances. `serve`: the controller alone. */
static void stop(struct launcher *l)
{
	bool again = l->stopping;
	l->stopping = true;
	for (size_t i = 0; i < CHILDREN; i++)
		l->children[i].wanted = false;
	if (l->options->service) {
		signal_child(&l->children[CONTROLLER], SIGTERM);
		return;
	}
	if (!again)
		fputs("Stopping: requests under way end first. Again to stop at once.\n", stderr);
	signal_child(&l->children[GATEWAY], SIGTERM); /* the second one does not wait */
}

static bool stopped(struct launcher *l)
{
	struct child *controller = &l->children[CONTROLLER], *gateway = &l->children[GATEWAY];
	if (!l->stopping && !l->failed)
		return false;
	if (l->failed) {
		/* What was live before us serves on: a store that cannot be read is no reason to end it. */
		if (!l->found && gateway->wanted)
			signal_child(gateway, SIGTERM);
		if (controller->wanted)
			signal_child(controller, SIGTERM);
		controller->wanted = gateway->wanted = false;
		return controller->pid == 0 && (l->found || gateway->pid == 0);
	}
	if (l->options->service)
		return controller->pid == 0;
	if (gateway->pid)
		return false;
	if (!l->instances_stopping) {
		l->instances_stopping = true;
		/* Only a controller can end the instances: one that died meanwhile is started once more. */
		if (!controller->pid)
			child_start(l, controller);
		signal_child(controller, SIGINT);
	}
	return controller->pid == 0;
}

static void take_signals(struct launcher *l)
{
	struct signalfd_siginfo info;
	while (read(l->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGCHLD)
			reap(l);
		else
			stop(l);
	}
}

static int open_signals(struct error *err)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return fd >= 0 ? fd : error_errno(err, errno, "Signals cannot be watched");
}

int launcher_run(const struct launcher_options *options, struct error *err)
{
	struct launcher l = {.options = options, .pid = getpid()};
	log_init("launcher", options->verbose ? LOG_DEBUG : LOG_INFO);
	int result = state_open(options->state, true, &l.state, err);
	if (result < 0)
		return result;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGPIPE, SIG_IGN);
	l.signal_fd = open_signals(err);
	if (l.signal_fd < 0) {
		state_close(l.state);
		return l.signal_fd;
	}
	/* A gateway that ends takes this file along; one that was killed left workers, or there was a reboot. */
	l.found = faccessat(state_fd(l.state), "gateway.pids", F_OK, 0) == 0;
	l.children[CONTROLLER] =
		(struct child){.name = "controller", .verb = "controller", .wanted = true};
	l.children[GATEWAY] =
		(struct child){.name = "gateway", .verb = "gateway-supervisor", .wanted = true};
	while (!stopped(&l)) {
		keep_running(&l);
		struct pollfd wait = {.fd = l.signal_fd, .events = POLLIN};
		bool busy = !l.ready || l.stopping;
		for (size_t i = 0; i < CHILDREN; i++)
			busy |= l.children[i].wanted && !l.children[i].pid;
		poll(&wait, 1, busy ? TICK_MS : -1);
		take_signals(&l);
		tell_ready(&l);
	}
	if (l.failed && l.found)
		fputs("The gateway and the instances that were there serve on; nothing can be "
		      "deployed or "
		      "rolled back until davit starts.\n",
		      stderr);
	close(l.signal_fd);
	state_close(l.state);
	return l.failed ? 1 : 0;
}
