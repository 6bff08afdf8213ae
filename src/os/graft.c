/* SPDX-License-Identifier: Apache-2.0
 * graft - see graft.h for the contract. Everything is opened by one name in an open directory, and never a link. */
#include "os/graft.h"

#include <dirent.h>
#include <errno.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/text.h"
#include "os/archive_walk.h"
#include "os/file.h"

enum {
	PART_SIZE = 64 * 1024,
	BLOCK = 4096,
	STAT_BLOCK = 512,
	MEASURE_DEPTH = 256,
	REMOVE_DEPTH = 32
};

static int open_directory(int parent_fd, const char *name)
{
	return openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int refuse(struct error *err, int number, const char *path)
{
	char shown[ARCHIVE_SHOWN_SIZE];
	if (number == ENOENT)
		return error_set(err, ERR_NOT_FOUND, "There is no \"%s\".",
				 archive_path_show(path, shown));
	if (number == ELOOP || number == ENOTDIR)
		return error_set(err, ERR_INVALID,
				 "\"%s\" cannot be copied: a link or a file stands where a "
				 "directory should.",
				 archive_path_show(path, shown));
	return error_errno(err, number, "\"%s\" cannot be copied", archive_path_show(path, shown));
}

/* The directory `name` in the other tree; what is no directory there gives way. */
static int enter(const struct graft *graft, int to_fd, const char *name)
{
	int fd = open_directory(to_fd, name);
	if (fd >= 0)
		return fd;
	if (errno != ENOENT && (errno == ELOOP || errno == ENOTDIR) &&
	    unlinkat(to_fd, name, 0) != 0)
		return -1;
	if (mkdirat(to_fd, name, 0755) != 0)
		return -1;
	fd = open_directory(to_fd, name);
	if (fd >= 0 && fchown(fd, graft->uid, graft->gid) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int copy_bytes(int from, int to)
{
	char part[PART_SIZE];
	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	for (;;) {
		ssize_t count = read(from, part, sizeof part);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return count < 0 ? errno : 0;
		for (ssize_t done = 0; done < count;) {
			ssize_t n = write(to, part + done, (size_t)(count - done));
			if (n < 0 && errno != EINTR)
				return errno;
			done += n > 0 ? n : 0;
		}
	}
}

static int make_room(int to_fd, const char *name)
{
	struct error ignored; /* what could not be removed is found when the new one is made */
	return file_remove_tree(to_fd, name, &ignored);
}

static int copy_file(struct graft *graft, int from_fd, int to_fd, const char *name,
		     const char *path, struct error *err)
{
	struct stat about;
	AUTO_CLOSE int from = openat(from_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (from < 0 || fstat(from, &about) != 0)
		return refuse(err, errno, path);
	graft->bytes += (uint64_t)about.st_size;
	if (graft->bytes > graft->bytes_max) {
		char shown[ARCHIVE_SHOWN_SIZE], size[32];
		return error_set(err, ERR_LIMIT, "With \"%s\" it is more than %s; copy less.",
				 archive_path_show(path, shown),
				 text_format_size(graft->bytes_max, size, sizeof size));
	}
	make_room(to_fd, name);
	AUTO_CLOSE int to =
		openat(to_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return refuse(err, errno, path);
	int number = copy_bytes(from, to);
	const struct timespec times[2] = {about.st_atim, about.st_mtim};
	if (number == 0 &&
	    (fchown(to, graft->uid, graft->gid) != 0 ||
	     fchmod(to, about.st_mode & 0111 ? 0755 : 0644) != 0 || futimens(to, times) != 0))
		number = errno;
	return number ? refuse(err, number, path) : 0;
}

static int copy_link(const struct graft *graft, int from_fd, int to_fd, const char *name,
		     const char *path, struct error *err)
{
	char target[ARCHIVE_PATH_MAX + 1], shown[ARCHIVE_SHOWN_SIZE];
	ssize_t size = readlinkat(from_fd, name, target, sizeof target);
	if (size < 0 || size == (ssize_t)sizeof target)
		return refuse(err, size < 0 ? errno : ENAMETOOLONG, path);
	target[size] = '\0';
	if (graft->links_inside && !archive_path_target_inside(path, target))
		return error_set(err, ERR_INVALID,
				 "The link \"%s\" leads out of the application; copy the file, or "
				 "make the link lead to one inside.",
				 archive_path_show(path, shown));
	make_room(to_fd, name);
	if (symlinkat(target, to_fd, name) != 0 ||
	    fchownat(to_fd, name, graft->uid, graft->gid, AT_SYMLINK_NOFOLLOW) != 0)
		return refuse(err, errno, path);
	return 0;
}

static int copy_entry(struct graft *graft, int from_fd, int to_fd, const char *name,
		      const char *path, int depth, struct error *err);

/* All that is in the directory `from_fd`, whose path is `path` ("" for the root). */
static int copy_content(struct graft *graft, int from_fd, int to_fd, const char *path, int depth,
			struct error *err)
{
	int copy = open_directory(from_fd, ".");
	DIR *entries = copy >= 0 ? fdopendir(copy) : NULL;
	if (!entries) {
		int number = errno;
		if (copy >= 0)
			close(copy);
		return refuse(err, number, path);
	}
	int code = 0;
	for (struct dirent *entry; code == 0 && (entry = readdir(entries));) {
		char below[ARCHIVE_PATH_MAX + 1];
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		size_t length = strlen(path);
		if (length + strlen(entry->d_name) + 2 > sizeof below) {
			code = refuse(err, ENAMETOOLONG, path);
			break;
		}
		memcpy(below, path, length);
		if (length > 0)
			below[length++] = '/';
		text_copy(below + length, sizeof below - length, entry->d_name);
		code = copy_entry(graft, from_fd, to_fd, entry->d_name, below, depth + 1, err);
	}
	closedir(entries);
	return code;
}

static int copy_entry(struct graft *graft, int from_fd, int to_fd, const char *name,
		      const char *path, int depth, struct error *err)
{
	struct stat about;
	char shown[ARCHIVE_SHOWN_SIZE];
	if (depth > FILE_DEPTH_MAX)
		return error_set(err, ERR_LIMIT, "\"%s\" is more than %d directories deep.",
				 archive_path_show(path, shown), FILE_DEPTH_MAX);
	if (++graft->entries > graft->entries_max)
		return error_set(err, ERR_LIMIT, "There are more than %llu files; copy fewer.",
				 (unsigned long long)graft->entries_max);
	if (fstatat(from_fd, name, &about, AT_SYMLINK_NOFOLLOW) != 0)
		return refuse(err, errno, path);
	if (S_ISREG(about.st_mode))
		return copy_file(graft, from_fd, to_fd, name, path, err);
	if (S_ISLNK(about.st_mode))
		return copy_link(graft, from_fd, to_fd, name, path, err);
	if (!S_ISDIR(about.st_mode))
		return error_set(
			err, ERR_INVALID,
			"\"%s\" is neither a file nor a directory nor a link: it cannot be "
			"copied.",
			archive_path_show(path, shown));
	AUTO_CLOSE int from = open_directory(from_fd, name);
	AUTO_CLOSE int to = enter(graft, to_fd, name);
	if (from < 0 || to < 0)
		return refuse(err, errno, path);
	return copy_content(graft, from, to, path, depth, err);
}

int graft_copy(struct graft *graft, int from_fd, int to_fd, const char *path, struct error *err)
{
	char clean[ARCHIVE_PATH_MAX + 1];
	AUTO_CLOSE int from = open_directory(from_fd, ".");
	AUTO_CLOSE int to = open_directory(to_fd, ".");
	if (from < 0 || to < 0)
		return refuse(err, errno, path);
	int code = archive_path_clean(path, clean, err);
	if (code < 0)
		return code;
	if (clean[0] == '\0')
		return copy_content(graft, from, to, "", 0, err);
	int depth = 0;
	char *name = clean;
	for (char *slash; (slash = strchr(name, '/')); name = slash + 1, depth++) {
		*slash = '\0';
		int next_from = open_directory(from, name);
		int next_to = next_from >= 0 ? enter(graft, to, name) : -1;
		int number = errno;
		*slash = '/';
		if (next_from >= 0) {
			close(from);
			from = next_from;
		}
		if (next_to < 0)
			return refuse(err, number, path);
		close(to);
		to = next_to;
	}
	return copy_entry(graft, from, to, name, clean, depth, err);
}

int graft_open(int tree_fd, const char *path, int *ret_fd, struct error *err)
{
	char clean[ARCHIVE_PATH_MAX + 1];
	struct stat about;
	AUTO_CLOSE int dir = open_directory(tree_fd, ".");
	int code = dir < 0 ? refuse(err, errno, path) : archive_path_clean(path, clean, err);
	if (code < 0)
		return code;
	char *name = clean;
	for (char *slash; (slash = strchr(name, '/')); name = slash + 1) {
		*slash = '\0';
		int next = open_directory(dir, name);
		if (next < 0)
			return refuse(err, errno, path);
		close(dir);
		dir = next;
	}
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return refuse(err, errno, path);
	if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
		close(fd);
		return error_set(err, ERR_INVALID, "\"%s\" is no file.", path);
	}
	*ret_fd = fd;
	return 0;
}

/* --- removing */

struct removal {
	int top_fd; /* what is too deep is moved up to here, and removed from here */
	uint32_t moved;
	int number; /* the first error */
};

static void remove_content(struct removal *removal, int dir_fd, int depth);

static void remove_one(struct removal *removal, int dir_fd, const char *name, int depth)
{
	struct stat about;
	char deep[32];
	int flags = 0;
	if (fstatat(dir_fd, name, &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(about.st_mode)) {
		flags = AT_REMOVEDIR;
		if (fchmodat(dir_fd, name, 0700, 0) != 0 && removal->number == 0)
			removal->number = errno;
		snprintf(deep, sizeof deep, "davit-deep-%u", removal->moved);
		if (depth >= REMOVE_DEPTH && renameat(dir_fd, name, removal->top_fd, deep) == 0) {
			removal->moved++;
			return;
		}
		AUTO_CLOSE int fd = open_directory(dir_fd, name);
		if (fd >= 0)
			remove_content(removal, fd, depth + 1);
	}
	if (unlinkat(dir_fd, name, flags) != 0 && errno != ENOENT && removal->number == 0)
		removal->number = errno;
}

static void remove_content(struct removal *removal, int dir_fd, int depth)
{
	int copy = open_directory(dir_fd, ".");
	DIR *entries = copy >= 0 ? fdopendir(copy) : NULL;
	if (!entries) {
		if (copy >= 0)
			close(copy);
		return;
	}
	for (struct dirent *entry; (entry = readdir(entries));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			remove_one(removal, dir_fd, entry->d_name, depth);
	closedir(entries);
}

int graft_remove(int dir_fd, const char *name, struct error *err)
{
	struct removal removal = {.top_fd = open_directory(dir_fd, name)};
	if (removal.top_fd >= 0) {
		for (uint32_t before = 1; removal.number == 0 && before != removal.moved;) {
			before = removal.moved;
			fchmod(removal.top_fd, 0700);
			remove_content(&removal, removal.top_fd, 0);
		}
		close(removal.top_fd);
	}
	remove_one(&removal, dir_fd, name, 0);
	return removal.number ? error_errno(err, removal.number, "\"%s\" cannot be removed", name)
			      : 0;
}

/* --- measuring */

static void measure(int dir_fd, uint64_t enough, int depth, uint64_t *sum)
{
	int copy = open_directory(dir_fd, ".");
	DIR *entries = copy >= 0 ? fdopendir(copy) : NULL;
	if (!entries) {
		if (copy >= 0)
			close(copy);
		return;
	}
	for (struct dirent *entry; *sum <= enough && (entry = readdir(entries));) {
		struct stat about;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    fstatat(dir_fd, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		uint64_t taken = (uint64_t)about.st_blocks * STAT_BLOCK;
		*sum += taken > BLOCK ? taken : BLOCK;
		int below = S_ISDIR(about.st_mode) && depth < MEASURE_DEPTH
				    ? open_directory(dir_fd, entry->d_name)
				    : -1;
		if (below >= 0) {
			measure(below, enough, depth + 1, sum);
			close(below);
		}
	}
	closedir(entries);
}

uint64_t graft_measure(int tree_fd, uint64_t enough)
{
	uint64_t sum = 0;
	measure(tree_fd, enough, 0, &sum);
	return sum;
}
