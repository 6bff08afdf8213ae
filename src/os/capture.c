/* SPDX-License-Identifier: Apache-2.0
 * capture - see capture.h for the contract. */
#include "os/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "os/clock.h"

enum { LOOK_MS = 50 /* between two looks at `cancelled` */, PART_SIZE = 16 * 1024 };

/* False at the end of the stream. */
static bool take(int fd, struct buf *to)
{
	char part[PART_SIZE];
	ssize_t count = read(fd, part, sizeof part);
	if (count > 0)
		buf_append(to, part, (size_t)count);
	return count > 0 || (count < 0 && (errno == EINTR || errno == EAGAIN));
}

static int watch(const struct capture *capture, const struct process *process, int out_fd,
		 int errors_fd, struct buf *out, struct buf *errors, struct error *err)
{
	struct pollfd fds[2] = {{.fd = out_fd, .events = POLLIN},
				{.fd = errors_fd, .events = POLLIN}};
	struct process_end end;
	uint64_t until = clock_now_ms() + capture->deadline_ms;
	/* A child that it left behind may hold the pipes: what it wrote before its end is there then. */
	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		bool ended = process_ended(process, &end);
		int ready = poll(fds, 2, ended ? 0 : LOOK_MS);
		if (ended && ready <= 0)
			return 0;
		if (fds[0].revents && !take(fds[0].fd, out))
			fds[0].fd = -1;
		if (fds[1].revents && !take(fds[1].fd, errors))
			fds[1].fd = -1;
		if (capture->cancelled && atomic_load(capture->cancelled))
			return error_set(err, ERR_CLOSED, "Cancelled.");
		if (clock_now_ms() > until)
			return error_set(err, ERR_TIMEOUT, "\"%s\" did not end in time.",
					 capture->argv[0]);
	}
	while (!process_ended(process, &end)) {
		struct pollfd pidfd = {.fd = process->pidfd, .events = POLLIN};
		poll(&pidfd, 1, LOOK_MS);
		if (clock_now_ms() > until)
			return error_set(err, ERR_TIMEOUT, "\"%s\" did not end in time.",
					 capture->argv[0]);
	}
	return 0;
}

static void close_both(const int pipe_fds[2])
{
	for (int i = 0; i < 2; i++)
		if (pipe_fds[i] >= 0)
			close(pipe_fds[i]);
}

int capture_run(const struct capture *capture, struct buf *out, struct buf *errors,
		struct process_end *ret_end, struct error *err)
{
	int out_pipe[2] = {-1, -1}, errors_pipe[2] = {-1, -1};
	struct process process;
	if (pipe2(out_pipe, O_CLOEXEC) != 0 || pipe2(errors_pipe, O_CLOEXEC) != 0) {
		int number = errno;
		close_both(out_pipe);
		return error_errno(err, number, "A pipe cannot be made");
	}
	const struct process_spec spec = {.argv = capture->argv,
					  .environment = capture->environment,
					  .directory = capture->directory,
					  .input = -1,
					  .output = out_pipe[1],
					  .errors = errors_pipe[1]};
	int code = process_spawn(&spec, &process, err);
	close(out_pipe[1]);
	close(errors_pipe[1]);
	out_pipe[1] = errors_pipe[1] = -1;
	if (code == 0) {
		code = watch(capture, &process, out_pipe[0], errors_pipe[0], out, errors, err);
		/* Its leader is not reaped yet, so the group is still its own. */
		kill(-process.pid, SIGKILL);
		struct pollfd pidfd = {.fd = process.pidfd, .events = POLLIN};
		while (!process_ended(&process, ret_end))
			poll(&pidfd, 1, LOOK_MS);
		process_reap(&process);
		process_done(&process);
	}
	close_both(out_pipe);
	close_both(errors_pipe);
	return code;
}
