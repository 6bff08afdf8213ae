/* SPDX-License-Identifier: Apache-2.0
 * file - see file.h and provider/ticks.h for the contracts. */
#include "drivers/ticks/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"

enum { NAME_SIZE = 32, CHUNK = 64 << 10 };

struct ticks_file {
	struct ticks ticks;
	int dir_fd;
};

struct ticks_log {
	int fd;
	uint64_t size;
	char name[NAME_SIZE];
};

static const char *name_of(uint32_t rollout, char to[NAME_SIZE])
{
	snprintf(to, NAME_SIZE, "%010u.jsonl", rollout);
	return to;
}

static int system_error(struct error *err, const char *what, const char *name)
{
	return error_errno(err, errno, "%s \"ticks/%s\" failed", what, name);
}

/* The names have equal lengths, so that their order is that of the numbers. */
static int is_log(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return length > 6 && strcmp(entry->d_name + length - 6, ".jsonl") == 0;
}

/* Older ones than the newest TICKS_LOGS_MAX go; what cannot be removed stays, and costs nothing but space. */
static void remove_old(const struct ticks_file *f)
{
	struct dirent **entries;
	int count = scandirat(f->dir_fd, ".", &entries, is_log, alphasort);
	for (int i = 0; i < count; i++) {
		if (i + TICKS_LOGS_MAX < count)
			unlinkat(f->dir_fd, entries[i]->d_name, 0);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

/* Drop what follows the last line end. */
static int repair(struct ticks_log *log, struct error *err)
{
	char chunk[CHUNK];
	off_t size = lseek(log->fd, 0, SEEK_END), end = size;
	while (end > 0) {
		off_t from = end > CHUNK ? end - CHUNK : 0;
		ssize_t n = pread(log->fd, chunk, (size_t)(end - from), from);
		if (n < 0)
			return system_error(err, "Reading", log->name);
		const char *last = memrchr(chunk, '\n', (size_t)n);
		end = from;
		if (last) {
			end += last - chunk + 1;
			break;
		}
	}
	if (end < size && ftruncate(log->fd, end) < 0)
		return system_error(err, "Cutting", log->name);
	log->size = (uint64_t)end;
	return 0;
}

static int begin(struct ticks *ticks, uint32_t rollout, bool anew, struct ticks_log **ret_log,
		 struct error *err)
{
	const struct ticks_file *f = (const struct ticks_file *)ticks;
	struct ticks_log *log = mem_zero(1, sizeof *log);
	name_of(rollout, log->name);
	log->fd = openat(f->dir_fd, log->name,
			 O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | (anew ? O_TRUNC : 0), 0600);
	int result = log->fd < 0 ? system_error(err, "Opening", log->name) : repair(log, err);
	if (result < 0) {
		if (log->fd >= 0)
			close(log->fd);
		free(log);
		return result;
	}
	remove_old(f);
	*ret_log = log;
	return 0;
}

static int add(struct ticks_log *log, const char *line, size_t size, struct error *err)
{
	if (size > TICKS_LINE_MAX || log->size + size + 1 > TICKS_BYTES_MAX)
		return error_set(err, ERR_LIMIT, "The log of ticks is full.");
	char *whole = mem_new(size + 1);
	memcpy(whole, line, size);
	whole[size] = '\n';
	ssize_t n = write(log->fd, whole, size + 1);
	free(whole);
	if (n == (ssize_t)size + 1) {
		log->size += size + 1;
		return 0;
	}
	if (n >= 0)
		errno = ENOSPC; /* a part of it had room */
	int result = system_error(err, "Writing", log->name);
	if (n > 0 && ftruncate(log->fd, (off_t)log->size) < 0)
		log->size =
			TICKS_BYTES_MAX; /* a line is cut in the middle: nothing may follow it */
	return result;
}

static void end(struct ticks_log *log)
{
	if (!log)
		return;
	close(log->fd);
	free(log);
}

static int read_lines(FILE *file, uint64_t *at, ticks_visit visit, void *context, struct error *err)
{
	char *line = NULL;
	size_t capacity = 0;
	ssize_t size;
	int result = 0;
	while (result == 0 && (size = getline(&line, &capacity, file)) > 0) {
		if (line[size - 1] != '\n')
			break; /* cut by a crash */
		line[size - 1] = '\0';
		*at += (uint64_t)size;
		result = visit(context, line, (size_t)size - 1, err);
	}
	free(line);
	return result;
}

static int read_log(struct ticks *ticks, uint32_t rollout, uint64_t *at, ticks_visit visit,
		    void *context, struct error *err)
{
	const struct ticks_file *f = (const struct ticks_file *)ticks;
	char name[NAME_SIZE];
	int fd = openat(f->dir_fd, name_of(rollout, name), O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return error_set(
			err, ERR_NOT_FOUND,
			"Nothing is kept of what rollout %u was judged by: it was not judged "
			"by statistics, or %d rollouts came after it.",
			rollout, TICKS_LOGS_MAX);
	if (fd < 0)
		return system_error(err, "Opening", name);
	FILE *file = fdopen(fd, "r");
	ASSERT(file);
	int result = fseeko(file, (off_t)*at, SEEK_SET) < 0
			     ? system_error(err, "Reading", name)
			     : read_lines(file, at, visit, context, err);
	fclose(file);
	return result;
}

static const struct ticks_ops ops = {.begin = begin, .add = add, .end = end, .read = read_log};

int ticks_file_new(int state_fd, struct ticks **ret_ticks, struct error *err)
{
	int fd, result = file_make_directories(state_fd, "ticks", 0700, err);
	if (result == 0)
		result = file_open_directory(state_fd, "ticks", &fd, err);
	if (result < 0)
		return result;
	struct ticks_file *f = mem_zero(1, sizeof *f);
	*f = (struct ticks_file){.ticks = {.ops = &ops}, .dir_fd = fd};
	*ret_ticks = &f->ticks;
	return 0;
}

void ticks_file_free(struct ticks *ticks)
{
	struct ticks_file *f = (struct ticks_file *)ticks;
	if (!f)
		return;
	close(f->dir_fd);
	free(f);
}
