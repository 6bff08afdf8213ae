/* SPDX-License-Identifier: Apache-2.0
 * output - see output.h for the contract. */
#include "keeper/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "keeper/log_line.h"
#include "os/clock.h"

static const char fifo_name[] = "out.fifo";

static void open_log(struct output *o)
{
	struct stat about;
	o->log_fd = openat(o->dir_fd, "log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	o->log_bytes =
		o->log_fd >= 0 && fstat(o->log_fd, &about) == 0 ? (uint64_t)about.st_size : 0;
}

static void rotate(struct output *o)
{
	char from[16], to[16];
	close(o->log_fd);
	for (int i = OUTPUT_FILES; i > 0; i--) {
		snprintf(to, sizeof to, "log.%d", i);
		snprintf(from, sizeof from, i > 1 ? "log.%d" : "log", i - 1);
		renameat(o->dir_fd, from, o->dir_fd, to); /* the first few times there is none */
	}
	open_log(o);
}

static void put_line(struct output *o, const char *line, size_t size)
{
	char time[40];
	if (o->log_fd >= 0 && o->log_bytes >= o->limit_bytes)
		rotate(o);
	if (o->log_fd < 0)
		open_log(o);
	text_format_time(clock_wall_ms(), time, sizeof time);
	struct iovec parts[] = {{time, strlen(time)}, {" ", 1}, {(void *)line, size}, {"\n", 1}};
	size_t whole = strlen(time) + 1 + size + 1;
	ssize_t written = o->log_fd < 0 ? -1 : writev(o->log_fd, parts, 4);
	if (written == (ssize_t)whole) {
		o->log_bytes += whole;
		return;
	}
	o->lost++;
	/* A disk takes what fits: half a line would spoil the next one. */
	if (written > 0 && ftruncate(o->log_fd, (off_t)o->log_bytes) != 0)
		o->log_bytes += (uint64_t)written;
}

static void write_line(struct output *o, const char *line, size_t size)
{
	uint64_t lost = o->lost;
	put_line(o, line, size);
	if (lost == 0 || o->lost > lost)
		return;
	char text[80];
	int length = snprintf(text, sizeof text, "davit: %llu lines could not be written",
			      (unsigned long long)lost);
	o->lost = 0;
	put_line(o, text, (size_t)length);
}

/* `whole`: it ends here; else it was too long and goes on. */
static void take_line(struct output *o, bool whole)
{
	if (!o->continued && log_line_is_error(o->line, o->line_size))
		o->log_errors++;
	write_line(o, o->line, o->line_size);
	o->line_size = 0;
	o->continued = !whole;
}

static void add_bytes(struct output *o, const char *bytes, size_t size)
{
	while (size > 0) {
		const char *end = memchr(bytes, '\n', size);
		size_t part = end ? (size_t)(end - bytes) : size;
		size_t room = sizeof o->line - o->line_size;
		size_t taken = part < room ? part : room;
		memcpy(o->line + o->line_size, bytes, taken);
		o->line_size += taken;
		bool whole = end && taken == part;
		if (whole || o->line_size == sizeof o->line)
			take_line(o, whole);
		bytes += taken + whole;
		size -= taken + whole;
	}
}

static void add_masked(void *context, const void *bytes, size_t size)
{
	add_bytes(context, bytes, size);
}

static void end_mask(struct output *o)
{
	if (!o->mask)
		return;
	mask_end(o->mask, o->masked, add_masked, o);
	explicit_bzero(o->mask, sizeof *o->mask);
	free(o->mask);
	free(o->masked);
	o->mask = NULL;
	o->masked = NULL;
}

struct mask *output_mask(struct output *o)
{
	end_mask(o);
	o->mask = mem_zero(1, sizeof *o->mask);
	o->masked = mem_zero(1, sizeof *o->masked);
	mask_init(o->mask);
	return o->mask;
}

static void read_pipe(struct output *o)
{
	char bytes[16 * 1024];
	size_t total = 0;
	while (total < OUTPUT_TURN_BYTES) {
		ssize_t count = read(o->fifo_fd, bytes, sizeof bytes);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return;
		if (o->mask)
			mask_feed(o->mask, o->masked, bytes, (size_t)count, add_masked, o);
		else
			add_bytes(o, bytes, (size_t)count);
		total += (size_t)count;
	}
}

void output_drain(struct output *o)
{
	uint64_t before = o->log_errors;
	read_pipe(o);
	if (o->log_errors > before && o->erred)
		o->erred(o->context);
}

static void on_ready(void *context, int events)
{
	(void)events;
	output_drain(context);
}

int output_open(struct output *o, struct loop *loop, int dir_fd, struct error *err)
{
	*o = (struct output){.dir_fd = dir_fd, .log_fd = -1, .limit_bytes = OUTPUT_FILE_BYTES};
	if (mkfifoat(dir_fd, fifo_name, 0600) != 0 && errno != EEXIST)
		return error_errno(err, errno, "The pipe for the instance's output cannot be made");
	/* Reading and writing: it never ends, whoever comes and goes at the other side. */
	o->fifo_fd = openat(dir_fd, fifo_name, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (o->fifo_fd < 0)
		return error_errno(err, errno,
				   "The pipe for the instance's output cannot be opened");
	fcntl(o->fifo_fd, F_SETPIPE_SZ, OUTPUT_PIPE_BYTES); /* more time without a keeper */
	open_log(o);
	return loop_watch_start(loop, o->fifo_fd, LOOP_READ, on_ready, o, &o->watch, err);
}

int output_give(struct output *o, uid_t uid, gid_t gid, struct error *err)
{
	if (fchown(o->fifo_fd, uid, gid) != 0)
		return error_errno(err, errno, "The output pipe cannot be given to its user");
	return 0;
}

void output_close(struct output *o)
{
	output_drain(o);
	end_mask(o);
	if (o->line_size > 0)
		write_line(o, o->line, o->line_size);
	loop_watch_stop(o->watch);
	close(o->fifo_fd);
	if (o->log_fd >= 0)
		close(o->log_fd);
	unlinkat(o->dir_fd, fifo_name, 0);
}

int output_program_fd(struct output *o, int *ret_fd, struct error *err)
{
	int fd = openat(o->dir_fd, fifo_name, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno,
				   "The pipe for the instance's output cannot be opened");
	*ret_fd = fd;
	return 0;
}

void output_note(struct output *o, const char *format, ...)
{
	char text[1024] = "davit: ";
	size_t size = strlen(text);
	va_list args;
	va_start(args, format);
	vsnprintf(text + size, sizeof text - size, format, args);
	va_end(args);
	write_line(o, text, strlen(text));
}
