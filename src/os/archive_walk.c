/* SPDX-License-Identifier: Apache-2.0
 * archive_walk - see archive_walk.h for the contract. */
#include "os/archive_walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

struct walk {
	bool (*skip)(const char *name);
	archive_visit visit;
	void *context;
	uint32_t entries;
	uint32_t depth;
	char path[ARCHIVE_PATH_MAX + 1];
	char target[ARCHIVE_PATH_MAX + 1];
};

struct names {
	char **list;
	size_t count;
	size_t capacity;
};

const char *archive_path_show(const char *name, char to[ARCHIVE_SHOWN_SIZE])
{
	return text_escape(name, strlen(name), to, ARCHIVE_SHOWN_SIZE);
}

static void names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int too_many(struct error *err)
{
	return error_set(err, ERR_LIMIT, "There are more than %d files and directories.",
			 ARCHIVE_ENTRIES_MAX);
}

/* All names of the directory, sorted. */
static int names_read(struct walk *w, int dir_fd, struct names *ret_names, struct error *err)
{
	int copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	char shown[ARCHIVE_SHOWN_SIZE];
	int code = 0;
	if (!dir) {
		code = error_errno(err, errno, "The directory \"%s\" cannot be listed",
				   archive_path_show(w->path, shown));
		if (copy >= 0)
			close(copy);
		return code;
	}
	struct dirent *entry;
	while (code == 0 && (errno = 0, entry = readdir(dir))) {
		const char *name = entry->d_name;
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || (w->skip && w->skip(name)))
			continue;
		if (++w->entries > ARCHIVE_ENTRIES_MAX) {
			code = too_many(err);
			break;
		}
		if (ret_names->count == ret_names->capacity) {
			ret_names->capacity = ret_names->capacity ? 2 * ret_names->capacity : 32;
			ret_names->list = mem_grow(ret_names->list,
						   ret_names->capacity * sizeof *ret_names->list);
		}
		ret_names->list[ret_names->count++] = mem_copy_text(name);
	}
	if (code == 0 && errno)
		code = error_errno(err, errno, "The directory \"%s\" cannot be listed",
				   archive_path_show(w->path, shown));
	closedir(dir);
	if (ret_names->count)
		qsort(ret_names->list, ret_names->count, sizeof *ret_names->list, compare_names);
	return code;
}

static int walk_directory(struct walk *w, int dir_fd, struct error *err);

static int walk_beneath(struct walk *w, int dir_fd, const char *name, struct error *err)
{
	char shown[ARCHIVE_SHOWN_SIZE];
	if (w->depth == ARCHIVE_DEPTH_MAX)
		return error_set(err, ERR_LIMIT, "\"%s\" is more than %d directories deep.",
				 archive_path_show(w->path, shown), ARCHIVE_DEPTH_MAX);
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "The directory \"%s\" cannot be opened",
				   archive_path_show(w->path, shown));
	w->depth++;
	int code = walk_directory(w, fd, err);
	w->depth--;
	close(fd);
	return code;
}

static int walk_entry(struct walk *w, int dir_fd, const char *name, struct error *err)
{
	struct stat st;
	struct archive_item item = {.path = w->path, .name = name, .parent_fd = dir_fd, .st = &st};
	char shown[ARCHIVE_SHOWN_SIZE];
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, errno, "\"%s\" cannot be looked at",
				   archive_path_show(w->path, shown));
	if (S_ISLNK(st.st_mode)) {
		ssize_t size = readlinkat(dir_fd, name, w->target, sizeof w->target);
		if (size < 0)
			return error_errno(err, errno, "The link \"%s\" cannot be read",
					   archive_path_show(w->path, shown));
		if ((size_t)size == sizeof w->target)
			return error_set(err, ERR_LIMIT,
					 "The target of the link \"%s\" is longer than %d bytes.",
					 archive_path_show(w->path, shown), ARCHIVE_PATH_MAX);
		w->target[size] = '\0';
		item.target = w->target;
	}
	int code = w->visit(w->context, &item, err);
	if (code == 0 && S_ISDIR(st.st_mode))
		code = walk_beneath(w, dir_fd, name, err);
	return code;
}

static int walk_directory(struct walk *w, int dir_fd, struct error *err)
{
	struct names names = {0};
	size_t base = strlen(w->path);
	int code = names_read(w, dir_fd, &names, err);
	for (size_t i = 0; code == 0 && i < names.count; i++) {
		const char *name = names.list[i];
		size_t room = sizeof w->path - base;
		if (strlen(name) + (base ? 1 : 0) >= room) {
			char shown[ARCHIVE_SHOWN_SIZE];
			code = error_set(err, ERR_LIMIT,
					 "The name of \"%s\" in \"%s\" is longer than %d bytes.",
					 name, archive_path_show(w->path, shown), ARCHIVE_PATH_MAX);
			break;
		}
		if (base)
			w->path[base] = '/';
		text_copy(w->path + base + (base ? 1 : 0), room - (base ? 1 : 0), name);
		code = walk_entry(w, dir_fd, name, err);
		w->path[base] = '\0';
	}
	names_free(&names);
	return code;
}

int archive_walk(int dir_fd, bool (*skip)(const char *name), archive_visit visit, void *context,
		 struct error *err)
{
	struct walk *w = mem_zero(1, sizeof *w);
	w->skip = skip;
	w->visit = visit;
	w->context = context;
	int code = walk_directory(w, dir_fd, err);
	free(w);
	return code;
}

int archive_path_clean(const char *name, char *ret_path, struct error *err)
{
	char shown[ARCHIVE_SHOWN_SIZE], path[ARCHIVE_PATH_MAX + 1];
	size_t used = 0, depth = 0;
	archive_path_show(name, shown);
	if (!text_is_printable(name))
		return error_set(err, ERR_INVALID,
				 "The name \"%s\" is not UTF-8 or holds control characters.",
				 shown);
	if (name[0] == '/')
		return error_set(err, ERR_INVALID, "The name \"%s\" is absolute.", shown);
	for (const char *at = name; *at;) {
		size_t length = strcspn(at, "/");
		if (length == 2 && at[0] == '.' && at[1] == '.')
			return error_set(err, ERR_INVALID, "The name \"%s\" holds \"..\".", shown);
		if (length > 0 && !(length == 1 && at[0] == '.')) {
			if (length > NAME_MAX || used + length + 1 > ARCHIVE_PATH_MAX)
				return error_set(err, ERR_LIMIT,
						 "The name \"%s\" is too long: at most %d bytes, "
						 "%d between two slashes.",
						 shown, ARCHIVE_PATH_MAX, NAME_MAX);
			if (++depth > ARCHIVE_DEPTH_MAX)
				return error_set(
					err, ERR_LIMIT,
					"The name \"%s\" is more than %d directories deep.", shown,
					ARCHIVE_DEPTH_MAX);
			if (used)
				path[used++] = '/';
			memcpy(path + used, at, length);
			used += length;
		}
		at += length + (at[length] == '/');
	}
	path[used] = '\0';
	memcpy(ret_path, path, used + 1);
	return 0;
}

bool archive_path_target_inside(const char *path, const char *target)
{
	size_t depth = 0;
	if (!*target || *target == '/' || strlen(target) > ARCHIVE_PATH_MAX ||
	    !text_is_printable(target))
		return false;
	for (const char *at = path; *at; at++)
		depth += *at == '/';
	while (*target) {
		size_t length = strcspn(target, "/");
		if (length == 2 && target[0] == '.' && target[1] == '.') {
			if (depth-- == 0)
				return false;
		} else if (length > 0 && !(length == 1 && target[0] == '.')) {
			depth++;
		}
		target += length + (target[length] == '/');
	}
	return true;
}
