/* SPDX-License-Identifier: Apache-2.0
 * source - see source.h for the contract. */
#include "scan/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"

struct source {
	int dir_fd;
	char *root;
	char *path; /* of the file at hand, NULL before the first */
	bool there; /* it could be read */
	struct buf text;
	uint32_t line; /* the one that begins at `at` */
	size_t at;
};

int source_open(const char *directory, struct source **ret_source, struct error *err)
{
	int fd;
	char *root = realpath(directory, NULL);
	if (!root)
		return error_errno(err, errno, "The source tree \"%s\" cannot be opened",
				   directory);
	int status = file_open_directory(AT_FDCWD, root, &fd, err);
	if (status < 0) {
		free(root);
		return status;
	}
	size_t size = strlen(root);
	if (root[size - 1] == '/')
		root[size - 1] = '\0';
	struct source *source = mem_zero(1, sizeof *source);
	source->dir_fd = fd;
	source->root = root;
	buf_init(&source->text, SOURCE_FILE_MAX);
	*ret_source = source;
	return 0;
}

void source_free(struct source *source)
{
	if (!source)
		return;
	close(source->dir_fd);
	free(source->root);
	free(source->path);
	buf_done(&source->text);
	free(source);
}

const char *source_root(const struct source *source)
{
	return source->root;
}

static void take_file(struct source *source, const char *path)
{
	struct error ignored;
	if (source->path && strcmp(source->path, path) == 0)
		return;
	free(source->path);
	source->path = mem_copy_text(path);
	buf_clear(&source->text);
	source->text.overflowed = false;
	source->there = file_read_beneath(source->dir_fd, path, &source->text, &ignored) == 0;
	source->line = 1;
	source->at = 0;
}

/* The offset behind the end of the line at `at`. */
static size_t line_end(const struct buf *text, size_t at)
{
	const char *end = memchr(text->data + at, '\n', text->size - at);
	return end ? (size_t)(end - text->data) + 1 : text->size;
}

static bool seek(struct source *source, uint32_t line)
{
	if (line < source->line) {
		source->line = 1;
		source->at = 0;
	}
	while (source->line < line && source->at < source->text.size) {
		source->at = line_end(&source->text, source->at);
		source->line++;
	}
	return source->at < source->text.size;
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void put_line(const char *line, size_t size, struct buf *to)
{
	bool begun = false, gap = false;
	size = size < SOURCE_LINE_MAX ? size : SOURCE_LINE_MAX;
	for (size_t i = 0; i < size; i++) {
		if (is_blank(line[i])) {
			gap = begun;
			continue;
		}
		if (gap)
			buf_append(to, " ", 1);
		buf_append(to, &line[i], 1);
		begun = true;
		gap = false;
	}
	buf_append(to, "\n", 1);
}

bool source_context(struct source *source, const char *path, uint32_t line, struct buf *to)
{
	if (line == 0)
		return false;
	take_file(source, path);
	if (!source->there || !seek(source, line))
		return false;
	(void)seek(source, line > 1 ? line - 1 : 1);
	if (line == 1)
		buf_append(to, "\n", 1); /* a first line has nothing before it */
	for (uint32_t i = line > 1 ? line - 1 : 1, at = 0; i <= line + 1; i++) {
		size_t from = source->at + at, end;
		if (from >= source->text.size)
			break;
		end = line_end(&source->text, from);
		put_line(source->text.data + from, end - from, to);
		at += (uint32_t)(end - from);
	}
	return true;
}

void source_normalise(const char *lines, struct buf *to)
{
	for (const char *p = lines; *p;) {
		size_t size = strcspn(p, "\n");
		put_line(p, size, to);
		p += size + (p[size] == '\n');
	}
}
