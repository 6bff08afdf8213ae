/* SPDX-License-Identifier: Apache-2.0
 * stage_log - see stage_log.h for the contract. */
#include "drivers/builder/stage_log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/file.h"

enum { TIME_SIZE = 40 };

static void write_line(struct stage_log *log, const char *text, size_t size)
{
	char line[BUILDER_LINE_MAX + TIME_SIZE], time[TIME_SIZE];
	int length = snprintf(line, sizeof line, "%s ",
			      text_format_time(clock_wall_ms(), time, sizeof time));
	memcpy(line + length, text, size);
	line[(size_t)length + size] = '\n';
	size_t all = (size_t)length + size + 1;
	if (write(log->fd, line, all) == (ssize_t)all)
		log->bytes += all;
}

static void end_line(struct stage_log *log)
{
	char last[80], most[32];
	size_t size = log->size;
	log->size = 0;
	if (log->full)
		return;
	if (log->bytes + size + TIME_SIZE > log->bytes_max) {
		log->full = true;
		size = (size_t)snprintf(last, sizeof last, "davit: output past %s is not kept.",
					text_format_size(log->bytes_max, most, sizeof most));
		write_line(log, last, size);
		log->line(log->context, last, size);
		return;
	}
	write_line(log, log->text, size);
	log->line(log->context, log->text, size);
}

static void split(void *context, const void *bytes, size_t size)
{
	struct stage_log *log = context;
	const char *at = bytes;
	while (size > 0) {
		const char *newline = memchr(at, '\n', size);
		size_t part = newline ? (size_t)(newline - at) : size;
		size_t room = sizeof log->text - log->size;
		if (part > room) {
			part = room;
			newline = NULL;
		}
		memcpy(log->text + log->size, at, part);
		log->size += part;
		if (newline || log->size == sizeof log->text)
			end_line(log);
		at += part + (newline ? 1 : 0);
		size -= part + (newline ? 1 : 0);
	}
}

int stage_log_open(struct stage_log *log, int dir_fd, const char *name, bool append,
		   struct error *err)
{
	log->fd = openat(
		dir_fd, name,
		O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (append ? O_APPEND : O_TRUNC), 0600);
	if (log->fd < 0)
		return error_errno(err, errno, "The log \"%s\" cannot be written", name);
	log->bytes = 0;
	log->full = false;
	log->size = 0;
	log->stream = mem_zero(1, sizeof *log->stream);
	return 0;
}

void stage_log_take(struct stage_log *log, const void *bytes, size_t size)
{
	if (log->mask)
		mask_feed(log->mask, log->stream, bytes, size, split, log);
	else
		split(log, bytes, size);
}

void stage_log_note(struct stage_log *log, const char *text)
{
	if (log->mask)
		mask_end(log->mask, log->stream, split, log);
	if (log->size > 0)
		end_line(log);
	stage_log_take(log, text, strlen(text));
	if (log->mask)
		mask_end(log->mask, log->stream, split, log);
	end_line(log);
}

void stage_log_close(struct stage_log *log)
{
	if (log->fd < 0)
		return;
	if (log->mask)
		mask_end(log->mask, log->stream, split, log);
	if (log->size > 0)
		end_line(log);
	free(log->stream);
	close(log->fd);
	log->fd = -1;
}
