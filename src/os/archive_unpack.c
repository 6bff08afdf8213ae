/* SPDX-License-Identifier: Apache-2.0
 * archive (reading) - see archive.h for the contract.
 *
 * Note  libarchive only turns bytes into entries here. Its own writer to disk is not used: what may be
 *       written, and where, is decided by the few functions below, which no entry can get around. */
#include "os/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/archive_walk.h"
#include "os/file.h"

enum { PART_SIZE = 65536, RESOLVE_TRIES = 100 };

const struct archive_limits archive_limits_default = {
	.bytes = ARCHIVE_BYTES_MAX,
	.ratio_free_bytes = ARCHIVE_RATIO_FREE_BYTES,
	.ratio = ARCHIVE_RATIO_MAX,
	.entries = ARCHIVE_ENTRIES_MAX,
};

struct unpack {
	struct archive *reader;
	const struct archive_limits *limits;
	int dir_fd;
	uint64_t bytes;   /* written, or linked once more */
	uint32_t entries; /* made */
	char path[ARCHIVE_PATH_MAX + 1];
	char shown[ARCHIVE_SHOWN_SIZE];
};

bool archive_is_archive_name(const char *name)
{
	static const char *const endings[] = {".tar",     ".tar.gz",  ".tgz",  ".tar.xz", ".txz",
					      ".tar.zst", ".tar.bz2", ".tbz2", ".zip"};
	size_t length = strlen(name);
	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		size_t ending = strlen(endings[i]);
		if (length > ending && strcmp(name + length - ending, endings[i]) == 0)
			return true;
	}
	return false;
}

static int count_entry(struct unpack *u, struct error *err)
{
	if (++u->entries > u->limits->entries)
		return error_set(
			err, ERR_LIMIT,
			"The archive holds more than %u files and directories (at \"%s\").",
			u->limits->entries, u->shown);
	return 0;
}

static int count_bytes(struct unpack *u, uint64_t size, struct error *err)
{
	if (size > u->limits->bytes - u->bytes)
		return error_set(
			err, ERR_LIMIT,
			"The files are larger than the %llu MiB that a release may have (at "
			"\"%s\").",
			(unsigned long long)(u->limits->bytes >> 20), u->shown);
	u->bytes += size;
	if (u->reader && u->bytes > u->limits->ratio_free_bytes) {
		int64_t in = archive_filter_bytes(u->reader, -1);
		if (u->bytes / u->limits->ratio > (in > 0 ? (uint64_t)in : 0))
			return error_set(err, ERR_LIMIT,
					 "\"%s\" unpacks to more than %u times the archive's size.",
					 u->shown, u->limits->ratio);
	}
	return 0;
}

/* Open the directory `name` in `at`, making it where it is missing. Never through a link. */
static int enter(struct unpack *u, int at, const char *name, int *ret_fd, struct error *err)
{
	if (mkdirat(at, name, 0755) == 0) {
		int code = count_entry(u, err);
		if (code < 0)
			return code;
	} else if (errno != EEXIST) {
		return error_errno(err, errno, "A directory for \"%s\" cannot be made", u->shown);
	}
	int fd = openat(at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return error_set(err, ERR_INVALID,
				 "The way to \"%s\" leads through a file or a link of the archive.",
				 u->shown);
	if (fd < 0)
		return error_errno(err, errno, "The directory of \"%s\" cannot be opened",
				   u->shown);
	*ret_fd = fd;
	return 0;
}

/* Enter the directories of the first `length` bytes of u->path, from the root. */
static int enter_path(struct unpack *u, size_t length, int *ret_fd, struct error *err)
{
	char part[ARCHIVE_PATH_MAX + 1];
	int at = openat(u->dir_fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return error_errno(err, errno, "The target directory cannot be opened");
	for (size_t from = 0; from < length;) {
		size_t size = strcspn(u->path + from, "/");
		int next = -1;
		memcpy(part, u->path + from, size);
		part[size] = '\0';
		int code = enter(u, at, part, &next, err);
		close(at);
		if (code < 0)
			return code;
		at = next;
		from += size + 1;
	}
	*ret_fd = at;
	return 0;
}

/* The directory that is to hold u->path, and the name in there. */
static int enter_parent(struct unpack *u, int *ret_fd, const char **ret_name, struct error *err)
{
	const char *slash = strrchr(u->path, '/');
	*ret_name = slash ? slash + 1 : u->path;
	return enter_path(u, slash ? (size_t)(slash - u->path) : 0, ret_fd, err);
}

static int not_made(struct unpack *u, int number, struct error *err)
{
	if (number == EEXIST)
		return error_set(err, ERR_INVALID, "\"%s\" stands in the archive twice.", u->shown);
	return error_errno(err, number, "\"%s\" cannot be written", u->shown);
}

static int write_all(struct unpack *u, int fd, const char *data, size_t size, struct error *err)
{
	int code = count_bytes(u, size, err);
	while (code == 0 && size > 0) {
		ssize_t count = write(fd, data, size);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return not_made(u, errno, err);
		data += count;
		size -= (size_t)count;
	}
	return code;
}

static int broken(struct unpack *u, struct error *err)
{
	int number = archive_errno(u->reader);
	const char *why = archive_error_string(u->reader);
	return error_set(err, number == ENOMEM ? ERR_LIMIT : ERR_INVALID,
			 "The archive cannot be read%s%s%s: %s.", u->shown[0] ? " (at \"" : "",
			 u->shown, u->shown[0] ? "\")" : "", why ? why : "it is broken");
}

static int new_file(struct unpack *u, int *ret_fd, struct error *err)
{
	AUTO_CLOSE int parent = -1;
	const char *name;
	int code = enter_parent(u, &parent, &name, err);
	if (code < 0)
		return code;
	*ret_fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return *ret_fd < 0 ? not_made(u, errno, err) : count_entry(u, err);
}

static int unpack_file(struct unpack *u, struct archive_entry *entry, struct error *err)
{
	AUTO_CLOSE int fd = -1;
	char part[PART_SIZE];
	la_ssize_t size = 0;
	/* Before the first byte: a sparse file may claim any size. */
	if (archive_entry_size_is_set(entry) && archive_entry_size(entry) > 0 &&
	    (uint64_t)archive_entry_size(entry) > u->limits->bytes - u->bytes)
		return count_bytes(u, (uint64_t)archive_entry_size(entry), err);
	int code = new_file(u, &fd, err);
	while (code == 0 && (size = archive_read_data(u->reader, part, sizeof part)) > 0)
		code = write_all(u, fd, part, (size_t)size, err);
	if (code == 0 && size < 0)
		code = broken(u, err);
	if (code == 0 && fchmod(fd, archive_entry_perm(entry) & 0111 ? 0755 : 0644) < 0)
		code = not_made(u, errno, err);
	return code;
}

static int open_beneath(int dir_fd, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {.flags = flags | O_PATH | O_CLOEXEC,
			       .resolve = resolve | RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
	long fd = -1;
	/* EAGAIN: something was renamed on this machine meanwhile, and the kernel could not tell. */
	for (int i = 0;
	     i < RESOLVE_TRIES && (fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof how)) < 0 &&
	     errno == EAGAIN;
	     i++)
		;
	return (int)fd;
}

static int unpack_hard_link(struct unpack *u, struct archive_entry *entry, struct error *err)
{
	char target[ARCHIVE_PATH_MAX + 1];
	struct stat st;
	const char *name;
	int code = archive_path_clean(archive_entry_hardlink(entry), target, err);
	if (code < 0)
		return error_prefix(err, "The link \"%s\"", u->shown);
	AUTO_CLOSE int fd = open_beneath(u->dir_fd, target, O_NOFOLLOW, RESOLVE_NO_SYMLINKS);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return error_set(err, ERR_INVALID,
				 "The link \"%s\" does not name a file that came before it.",
				 u->shown);
	if (archive_entry_size_is_set(entry) && archive_entry_size(entry) > 0)
		return error_set(err, ERR_INVALID, "The link \"%s\" brings data of its own.",
				 u->shown);
	AUTO_CLOSE int parent = -1;
	code = enter_parent(u, &parent, &name, err);
	if (code == 0)
		code = count_entry(u, err);
	if (code == 0)
		code = count_bytes(u, (uint64_t)st.st_size, err);
	if (code == 0 && linkat(u->dir_fd, target, parent, name, 0) < 0)
		code = not_made(u, errno, err);
	return code;
}

static int unpack_link(struct unpack *u, struct archive_entry *entry, struct error *err)
{
	const char *target = archive_entry_symlink(entry), *name;
	if (!target || !archive_path_target_inside(u->path, target))
		return error_set(err, ERR_INVALID, "The link \"%s\" leads out of the archive.",
				 u->shown);
	AUTO_CLOSE int parent = -1;
	int code = enter_parent(u, &parent, &name, err);
	if (code == 0)
		code = count_entry(u, err);
	if (code == 0 && symlinkat(target, parent, name) < 0)
		code = not_made(u, errno, err);
	return code;
}

static int unpack_directory(struct unpack *u, struct error *err)
{
	AUTO_CLOSE int fd = -1;
	return enter_path(u, strlen(u->path), &fd, err);
}

static int unpack_entry(struct unpack *u, struct archive_entry *entry, struct error *err)
{
	const char *name = archive_entry_pathname(entry);
	unsigned type = archive_entry_filetype(entry);
	if (!name)
		return error_set(err, ERR_INVALID, "An entry of the archive has no readable name.");
	archive_path_show(name, u->shown);
	int code = archive_path_clean(name, u->path, err);
	if (code < 0)
		return code;
	if (archive_entry_is_encrypted(entry))
		return error_set(err, ERR_INVALID, "\"%s\" is encrypted.", u->shown);
	if (u->path[0] == '\0') {
		if (type == AE_IFDIR && !archive_entry_hardlink(entry))
			return 0; /* "./", the root itself */
		return error_set(err, ERR_INVALID, "The name \"%s\" is no name of a file.",
				 u->shown);
	}
	if (archive_entry_hardlink(entry))
		return unpack_hard_link(u, entry, err);
	switch (type) {
	case AE_IFREG: return unpack_file(u, entry, err);
	case AE_IFDIR: return unpack_directory(u, err);
	case AE_IFLNK: return unpack_link(u, entry, err);
	default:
		return error_set(
			err, ERR_INVALID,
			"\"%s\" is neither a file nor a directory nor a link (a device, a FIFO "
			"or a socket).",
			u->shown);
	}
}

/* Links may lead through links, so that reading their targets is not enough: ask the kernel. */
static int check_link(void *context, const struct archive_item *item, struct error *err)
{
	const int *dir_fd = context;
	if (!item->target)
		return 0;
	AUTO_CLOSE int fd = open_beneath(*dir_fd, item->path, 0, 0);
	if (fd >= 0 || errno == ENOENT || errno == ENOTDIR)
		return 0; /* what it names may come to be later: a kept directory, say */
	char shown[ARCHIVE_SHOWN_SIZE];
	archive_path_show(item->path, shown);
	if (errno == EXDEV)
		return error_set(err, ERR_INVALID, "The link \"%s\" leads out of the archive.",
				 shown);
	if (errno == ELOOP)
		return error_set(err, ERR_INVALID, "The link \"%s\" leads in a circle.", shown);
	return error_errno(err, errno, "The link \"%s\" cannot be followed", shown);
}

/* A filter that would start a program is none: only what is linked in is used. */
static int make_reader(struct archive **ret_reader, struct error *err)
{
	struct archive *reader = archive_read_new();
	ASSERT(reader);
	if (archive_read_support_filter_gzip(reader) != ARCHIVE_OK ||
	    archive_read_support_filter_bzip2(reader) != ARCHIVE_OK ||
	    archive_read_support_filter_xz(reader) != ARCHIVE_OK ||
	    archive_read_support_filter_zstd(reader) != ARCHIVE_OK ||
	    archive_read_support_format_tar(reader) != ARCHIVE_OK ||
	    archive_read_support_format_zip_seekable(reader) != ARCHIVE_OK) {
		archive_read_free(reader);
		return error_set(
			err, ERR_UNSUPPORTED,
			"This machine's libarchive lacks gzip, bzip2, xz, zstd, tar or zip.");
	}
	*ret_reader = reader;
	return 0;
}

static int unpack_all(struct unpack *u, int fd, struct error *err)
{
	struct archive_entry *entry;
	int code = 0, result = archive_read_open_fd(u->reader, fd, PART_SIZE);
	uint32_t headers = 0;
	if (result != ARCHIVE_OK)
		return broken(u, err);
	while (code == 0 && ((result = archive_read_next_header(u->reader, &entry)) == ARCHIVE_OK ||
			     result == ARCHIVE_WARN)) {
		/* "./" and a directory given again make nothing, but cost time. */
		if (++headers > 2 * (uint64_t)u->limits->entries)
			return error_set(err, ERR_LIMIT, "The archive holds more than %u entries.",
					 2 * u->limits->entries);
		code = unpack_entry(u, entry, err);
	}
	if (code == 0 && result != ARCHIVE_EOF)
		code = broken(u, err);
	if (code == 0 && u->entries == 0)
		code = error_set(err, ERR_INVALID, "The archive is empty.");
	if (code == 0)
		code = archive_walk(u->dir_fd, NULL, check_link, &u->dir_fd, err);
	return code;
}

int archive_unpack(int fd, int dir_fd, const struct archive_limits *limits, struct error *err)
{
	if (lseek(fd, 0, SEEK_SET) != 0)
		return error_errno(err, errno, "The archive is not a file that can be read twice");
	struct unpack *u = mem_zero(1, sizeof *u);
	u->limits = limits;
	u->dir_fd = dir_fd;
	int code = make_reader(&u->reader, err);
	if (code == 0) {
		/* libarchive converts names to this thread's locale; C would lose all but ASCII. */
		locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0),
			 before = (locale_t)0;
		if (utf8)
			before = uselocale(utf8);
		code = unpack_all(u, fd, err);
		archive_read_free(u->reader);
		if (utf8) {
			uselocale(before);
			freelocale(utf8);
		}
	}
	free(u);
	return code;
}

int archive_unpack_file(int fd, const char *name, int dir_fd, const struct archive_limits *limits,
			struct error *err)
{
	struct unpack u = {.limits = limits, .dir_fd = dir_fd};
	AUTO_CLOSE int to = -1;
	char part[PART_SIZE];
	ssize_t size = 0;
	archive_path_show(name, u.shown);
	int code = archive_path_clean(name, u.path, err);
	if (code < 0)
		return code;
	if (u.path[0] == '\0' || strchr(u.path, '/'))
		return error_set(err, ERR_INVALID, "\"%s\" is not the name of a file.", u.shown);
	code = new_file(&u, &to, err);
	while (code == 0 &&
	       ((size = read(fd, part, sizeof part)) > 0 || (size < 0 && errno == EINTR)))
		if (size > 0)
			code = write_all(&u, to, part, (size_t)size, err);
	if (code == 0 && size < 0)
		code = error_errno(err, errno, "\"%s\" cannot be read", u.shown);
	if (code == 0 && u.bytes == 0)
		code = error_set(err, ERR_INVALID, "\"%s\" is empty.", u.shown);
	if (code == 0 && fchmod(to, 0755) < 0)
		code = not_made(&u, errno, err);
	return code;
}
