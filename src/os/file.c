/* SPDX-License-Identifier: Apache-2.0
 * file - see file.h for the contract. */
#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

enum { PART_SIZE = 64 * 1024, PATH_SIZE = 4096 };

static int read_all(int fd, const char *name, struct buf *to, struct error *err)
{
	char part[4096];
	for (;;) {
		ssize_t count = read(fd, part, sizeof part);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return error_errno(err, errno, "\"%s\" cannot be read", name);
		if (count == 0)
			return 0;
		buf_append(to, part, (size_t)count);
		if (to->overflowed)
			return error_set(err, ERR_LIMIT, "\"%s\" is larger than %zu bytes.", name,
					 to->max);
	}
}

int file_read(int dir_fd, const char *name, struct buf *to, struct error *err)
{
	AUTO_CLOSE int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "\"%s\" cannot be read", name);
	return read_all(fd, name, to, err);
}

int file_read_beneath(int dir_fd, const char *name, struct buf *to, struct error *err)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
			       .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	struct stat st;
	AUTO_CLOSE int fd = (int)syscall(SYS_openat2, dir_fd, name, &how, sizeof how);
	if (fd < 0 && errno == EXDEV)
		return error_set(err, ERR_DENIED, "\"%s\" lies outside of the directory.", name);
	if (fd < 0 || fstat(fd, &st) != 0)
		return error_errno(err, errno, "\"%s\" cannot be read", name);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERR_INVALID, "\"%s\" is not a plain file.", name);
	return read_all(fd, name, to, err);
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t count = write(fd, data, size);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -errno;
		data += count;
		size -= (size_t)count;
	}
	return 0;
}

int file_sync_parent(int dir_fd, const char *name)
{
	char parent[PATH_SIZE] = ".";
	const char *slash = strrchr(name, '/');
	if (slash && (size_t)(slash - name) < sizeof parent)
		snprintf(parent, sizeof parent, "%.*s", slash == name ? 1 : (int)(slash - name),
			 name);
	AUTO_CLOSE int fd = openat(dir_fd, parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) != 0)
		return -errno;
	return 0;
}

static int write_new(int dir_fd, const char *name, const void *data, size_t size, mode_t mode)
{
	unlinkat(dir_fd, name, 0); /* of a writer that was killed */
	AUTO_CLOSE int fd =
		openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	int code = write_all(fd, data, size);
	if (code == 0 && (fchmod(fd, mode) != 0 || fsync(fd) != 0))
		code = -errno;
	return code;
}

int file_write(int dir_fd, const char *name, const void *data, size_t size, mode_t mode,
	       struct error *err)
{
	char temporary[PATH_SIZE];
	int length = snprintf(temporary, sizeof temporary, "%s.new", name);
	if (length < 0 || (size_t)length >= sizeof temporary)
		return error_set(err, ERR_INVALID, "A file's name is too long.");
	int code = write_new(dir_fd, temporary, data, size, mode);
	if (code == 0 && renameat(dir_fd, temporary, dir_fd, name) != 0)
		code = -errno;
	if (code == 0)
		code = file_sync_parent(dir_fd, name);
	else
		unlinkat(dir_fd, temporary, 0);
	return code < 0 ? error_errno(err, -code, "\"%s\" cannot be written", name) : 0;
}

int file_open_directory(int dir_fd, const char *path, int *ret_fd, struct error *err)
{
	int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "The directory \"%s\" cannot be opened", path);
	*ret_fd = fd;
	return 0;
}

int file_make_directories(int dir_fd, const char *path, mode_t mode, struct error *err)
{
	char part[PATH_SIZE];
	size_t size = strlen(path);
	if (size == 0 || size >= sizeof part)
		return error_set(err, ERR_INVALID, "A directory's name is empty or too long.");
	memcpy(part, path, size + 1);
	for (size_t i = 1; i <= size; i++) {
		if (part[i] != '/' && part[i] != '\0')
			continue;
		char kept = part[i];
		part[i] = '\0';
		if (mkdirat(dir_fd, part, mode) != 0 && errno != EEXIST)
			return error_errno(err, errno, "The directory \"%s\" cannot be made", part);
		part[i] = kept;
	}
	struct stat about;
	if (fstatat(dir_fd, path, &about, 0) != 0)
		return error_errno(err, errno, "The directory \"%s\" cannot be made", path);
	if (!S_ISDIR(about.st_mode))
		return error_set(err, ERR_CONFLICT, "\"%s\" is not a directory.", path);
	return 0;
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Open a directory for its entries, never through a link; an unreadable one of ours is made readable. */
static DIR *open_entries(int dir_fd, const char *name)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dir_fd, name, flags);
	if (fd < 0 && errno == EACCES && fchmodat(dir_fd, name, 0700, 0) == 0)
		fd = openat(dir_fd, name, flags);
	if (fd < 0)
		return NULL;
	DIR *entries = fdopendir(fd);
	if (!entries)
		close(fd);
	return entries;
}

static int remove_entry(int dir_fd, const char *name, int depth);

static int remove_contents(int dir_fd, const char *name, int depth)
{
	if (depth > FILE_DEPTH_MAX)
		return -ELOOP;
	DIR *entries = open_entries(dir_fd, name);
	if (!entries)
		return errno == ENOENT ? 0 : -errno;
	fchmod(dirfd(entries), 0700); /* entries of a read-only directory cannot be removed */
	int code = 0;
	for (struct dirent *entry; code == 0 && (entry = readdir(entries));)
		if (!is_dots(entry->d_name))
			code = remove_entry(dirfd(entries), entry->d_name, depth + 1);
	closedir(entries);
	return code;
}

static int remove_entry(int dir_fd, const char *name, int depth)
{
	if (unlinkat(dir_fd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	int code = remove_contents(dir_fd, name, depth);
	if (code == 0 && unlinkat(dir_fd, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
		code = -errno;
	return code;
}

int file_remove_tree(int dir_fd, const char *name, struct error *err)
{
	int code = remove_entry(dir_fd, name, 0);
	return code < 0 ? error_errno(err, -code, "\"%s\" cannot be removed", name) : 0;
}

struct copy {
	uid_t uid;
	gid_t gid;
};

static int copy_bytes(int from, int to)
{
	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	char part[PART_SIZE];
	for (;;) {
		ssize_t count = read(from, part, sizeof part);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return count < 0 ? -errno : 0;
		int code = write_all(to, part, (size_t)count);
		if (code < 0)
			return code;
	}
}

static int copy_file(const struct copy *copy, int from_fd, int to_fd, const char *name,
		     const struct stat *about)
{
	AUTO_CLOSE int from = openat(from_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_CLOSE int to = openat(to_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (from < 0 || to < 0)
		return -errno;
	int code = copy_bytes(from, to);
	if (code == 0 && (fchown(to, copy->uid, copy->gid) != 0 ||
			  fchmod(to, (about->st_mode & 0777) | S_IWUSR) != 0))
		code = -errno;
	return code;
}

static int copy_link(const struct copy *copy, int from_fd, int to_fd, const char *name)
{
	char target[PATH_SIZE];
	ssize_t size = readlinkat(from_fd, name, target, sizeof target - 1);
	if (size < 0)
		return -errno;
	target[size] = '\0';
	if (symlinkat(target, to_fd, name) != 0 ||
	    fchownat(to_fd, name, copy->uid, copy->gid, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	return 0;
}

static int copy_directory(const struct copy *copy, int from_dir_fd, const char *from, int to_dir_fd,
			  const char *to, int depth);

static int copy_entry(const struct copy *copy, int from_fd, int to_fd, const char *name, int depth)
{
	struct stat about;
	if (fstatat(from_fd, name, &about, AT_SYMLINK_NOFOLLOW) != 0)
		return -errno;
	if (S_ISDIR(about.st_mode))
		return copy_directory(copy, from_fd, name, to_fd, name, depth + 1);
	if (S_ISREG(about.st_mode))
		return copy_file(copy, from_fd, to_fd, name, &about);
	if (S_ISLNK(about.st_mode))
		return copy_link(copy, from_fd, to_fd, name);
	return -EINVAL;
}

static int copy_directory(const struct copy *copy, int from_dir_fd, const char *from, int to_dir_fd,
			  const char *to, int depth)
{
	if (depth > FILE_DEPTH_MAX)
		return -ELOOP;
	AUTO_CLOSE int from_fd =
		openat(from_dir_fd, from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (from_fd < 0 || mkdirat(to_dir_fd, to, 0700) != 0)
		return -errno;
	AUTO_CLOSE int to_fd =
		openat(to_dir_fd, to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to_fd < 0)
		return -errno;
	DIR *entries = open_entries(from_fd, ".");
	if (!entries)
		return -errno;
	int code = 0;
	for (struct dirent *entry; code == 0 && (entry = readdir(entries));)
		if (!is_dots(entry->d_name))
			code = copy_entry(copy, from_fd, to_fd, entry->d_name, depth);
	closedir(entries);
	struct stat about;
	if (code == 0 && (fstat(from_fd, &about) != 0 || fchown(to_fd, copy->uid, copy->gid) != 0 ||
			  fchmod(to_fd, (about.st_mode & 0777) | S_IRWXU) != 0))
		code = -errno;
	return code;
}

int file_copy_tree(int from_dir_fd, const char *from, int to_dir_fd, const char *to, uid_t uid,
		   gid_t gid, struct error *err)
{
	struct copy copy = {.uid = uid, .gid = gid};
	int code = copy_directory(&copy, from_dir_fd, from, to_dir_fd, to, 0);
	if (code == 0)
		return 0;
	if (code != -EEXIST)
		remove_entry(to_dir_fd, to, 0);
	return error_errno(err, -code, "\"%s\" cannot be copied", from);
}
