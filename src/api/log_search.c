/* SPDX-License-Identifier: Apache-2.0
 * log_search - see log_search.h for the contract. */
#include "api/log_search.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "os/clock.h"

enum { BLOCK_SIZE = 256 * 1024, TIME_CHARS = 24, STAGES_MAX = 256, ROTATED = 4 };

/* A file as it is searched. */
struct file {
	const char *kind, *name; /* "stage" and its name, or "instance" and its id */
	uint32_t build;          /* 0: none */
	uint64_t line;
};

void log_search_begin(struct log_search *s)
{
	s->matches = json_array();
	s->files = s->read = s->found = 0;
	s->why[0] = '\0';
	s->text_size = strlen(s->text);
	s->deadline_ms = clock_now_ms() + LOG_SEARCH_MS;
	s->block = mem_new(BLOCK_SIZE);
	s->folded = mem_new(BLOCK_SIZE);
	text_format_time(s->since_unix_ms, s->since, sizeof s->since);
	for (char *c = s->text; s->ignore_case && *c; c++)
		*c = (char)tolower((unsigned char)*c);
}

void log_search_end(struct log_search *s)
{
	free(s->block);
	free(s->folded);
}

/* Where in a line it is, or NULL. */
static const char *look(struct log_search *s, const char *line, size_t size)
{
	if (!s->ignore_case)
		return memmem(line, size, s->text, s->text_size);
	for (size_t i = 0; i < size; i++)
		s->folded[i] =
			line[i] >= 'A' && line[i] <= 'Z' ? (char)(line[i] + ('a' - 'A')) : line[i];
	const char *at = memmem(s->folded, size, s->text, s->text_size);
	return at ? line + (at - s->folded) : NULL;
}

/* A stranger's bytes; JSON takes no other than UTF-8. */
static json_t *words(const char *text, size_t size)
{
	char safe[4 * LOG_SEARCH_LINE + 1];
	json_t *whole = json_stringn(text, size);
	return whole ? whole : json_string(text_escape(text, size, safe, sizeof safe));
}

/* Of a long line the part around what was found, from and to the bounds of characters. */
static bool cut(const char **text, size_t *size, size_t at)
{
	size_t from = at > LOG_SEARCH_LINE / 2 ? at - LOG_SEARCH_LINE / 2 : 0, to;
	if (*size <= LOG_SEARCH_LINE)
		return false;
	to = from + LOG_SEARCH_LINE < *size ? from + LOG_SEARCH_LINE : *size;
	while (from < at && ((unsigned char)(*text)[from] & 0xc0) == 0x80)
		from++;
	while (to > at && to < *size && ((unsigned char)(*text)[to] & 0xc0) == 0x80)
		to--;
	*text += from;
	*size = to - from;
	return true;
}

static bool add_match(struct log_search *s, const struct file *f, const char *time,
		      const char *text, size_t size, size_t at)
{
	if (json_array_size(s->matches) == s->lines_max || s->found > LOG_SEARCH_FOUND) {
		snprintf(s->why, sizeof s->why,
			 "The first %zu lines that have it are shown, and there are more.",
			 json_array_size(s->matches));
		return false;
	}
	bool short_of_all = cut(&text, &size, at);
	json_t *o = json_object();
	if (f->build > 0)
		json_object_set_new(o, "build", json_integer(f->build));
	json_object_set_new(o, f->kind, json_string(f->name));
	if (f->build > 0)
		json_object_set_new(o, "line", json_integer((json_int_t)f->line));
	if (time)
		json_object_set_new(o, "time", words(time, TIME_CHARS));
	json_object_set_new(o, "text", words(text, size));
	if (short_of_all)
		json_object_set_new(o, "cut", json_true());
	json_array_append_new(s->matches, o);
	s->found += size;
	return true;
}

static bool take_line(struct log_search *s, struct file *f, const char *line, size_t size)
{
	bool timed = size > TIME_CHARS && line[TIME_CHARS] == ' ' && line[TIME_CHARS - 1] == 'Z';
	const char *text = timed ? line + TIME_CHARS + 1 : line;
	size_t length = size - (size_t)(text - line);
	f->line++;
	if (timed && s->since_unix_ms > 0 && memcmp(line, s->since, TIME_CHARS) < 0)
		return true;
	const char *at = look(s, text, length);
	return !at || add_match(s, f, timed ? line : NULL, text, length, (size_t)(at - text));
}

/* Is there time, and room, to read on? */
static bool may_go_on(struct log_search *s)
{
	if (atomic_load(s->stop))
		return false;
	if (s->read >= LOG_SEARCH_READ)
		snprintf(s->why, sizeof s->why,
			 "Not all logs were looked at: the search ended after 1 GiB.");
	else if (clock_now_ms() > s->deadline_ms)
		snprintf(s->why, sizeof s->why,
			 "Not all logs were looked at: the search ended after %d seconds.",
			 LOG_SEARCH_MS / 1000);
	return s->why[0] == '\0';
}

/* Whole lines of the block; what is left of it is moved to its beginning. */
static bool take_block(struct log_search *s, struct file *f, size_t *used, bool last)
{
	size_t at = 0;
	while (at < *used) {
		const char *end = memchr(s->block + at, '\n', *used - at);
		if (!end && !last && !(at == 0 && *used == BLOCK_SIZE))
			break;
		size_t size = end ? (size_t)(end - s->block) - at : *used - at;
		if (!take_line(s, f, s->block + at, size))
			return false;
		at += size + (end != NULL);
	}
	memmove(s->block, s->block + at, *used - at);
	*used -= at;
	return true;
}

/* As far as it is now: whoever writes to it does not hold us up. */
static bool search_file(struct log_search *s, int fd, struct file *f)
{
	struct stat about;
	size_t used = 0;
	uint64_t left;
	if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) ||
	    (uint64_t)about.st_mtime * 1000 + 999 < s->since_unix_ms)
		return true;
	s->files++;
	for (left = (uint64_t)about.st_size; left > 0;) {
		if (!may_go_on(s))
			return false;
		size_t room = BLOCK_SIZE - used < left ? BLOCK_SIZE - used : (size_t)left;
		ssize_t n = read(fd, s->block + used, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		left -= (uint64_t)n;
		used += (size_t)n;
		s->read += (uint64_t)n;
		if (!take_block(s, f, &used, false))
			return false;
	}
	return take_block(s, f, &used, true);
}

static bool search_in(struct log_search *s, int directory, const char *name, struct file *f)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return true;
	bool more = search_file(s, fd, f);
	close(fd);
	return more;
}

static int stage_log(const struct dirent *entry)
{
	size_t size = strlen(entry->d_name);
	return size > strlen(".log") && strcmp(entry->d_name + size - strlen(".log"), ".log") == 0;
}

bool log_search_build(struct log_search *s, const char *directory, uint32_t build,
		      const char *stage)
{
	struct dirent **entries = NULL;
	int fd = open(directory, O_DIRECTORY | O_RDONLY | O_CLOEXEC),
	    count = fd < 0 ? 0 : scandirat(fd, ".", &entries, stage_log, alphasort);
	bool more = may_go_on(s);
	for (int i = 0; i < count; i++) {
		char name[256];
		struct file f = {.kind = "stage", .name = name, .build = build};
		text_copy(name, sizeof name, entries[i]->d_name);
		name[strlen(name) - strlen(".log")] = '\0';
		if (more && i < STAGES_MAX && (!stage[0] || strcmp(name, stage) == 0))
			more = search_in(s, fd, entries[i]->d_name, &f);
		free(entries[i]);
	}
	free(entries);
	if (fd >= 0)
		close(fd);
	return more;
}

bool log_search_instance(struct log_search *s, const char *directory, const char *instance)
{
	int fd = open(directory, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	struct file f = {.kind = "instance", .name = instance};
	bool more = may_go_on(s);
	if (fd < 0)
		return more;
	for (int i = ROTATED; i >= 0 && more; i--) {
		char name[16];
		snprintf(name, sizeof name, "log.%d", i);
		more = search_in(s, fd, i > 0 ? name : "log", &f);
	}
	close(fd);
	return more;
}
