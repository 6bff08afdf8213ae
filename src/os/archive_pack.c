/* SPDX-License-Identifier: Apache-2.0
 * archive (packing) - see archive.h for the contract. */
#include "os/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/archive_walk.h"
#include "os/file.h"

enum { PART_SIZE = 65536 };

struct packing {
	struct archive *writer;
	archive_sink sink;
	bool (*skip)(const char *name);
	void *context;
	int code; /* what the sink refused with, or why packing stopped */
	struct error error;
};

static bool left_out(const char *name)
{
	return strcmp(name, ".git") == 0 || strcmp(name, ".davit") == 0;
}

/* Never fails towards libarchive, which would lose memory: once the sink has refused, or packing has
 * stopped, what still comes is thrown away. */
static la_ssize_t give(struct archive *writer, void *context, const void *bytes, size_t size)
{
	struct packing *p = context;
	(void)writer;
	int code = p->code < 0 ? 0 : p->sink(p->context, bytes, size, &p->error);
	if (code < 0)
		p->code = code;
	return (la_ssize_t)size;
}

/* After each call of libarchive: has it failed, or the sink beneath it? */
static int check(struct packing *p, bool failed, const char *path, struct error *err)
{
	char shown[ARCHIVE_SHOWN_SIZE];
	const char *why = archive_error_string(p->writer);
	if (p->code < 0) {
		*err = p->error;
		return p->code;
	}
	if (!failed)
		return 0;
	return error_set(err, ERR_INTERNAL, "\"%s\" cannot be packed: %s.",
			 archive_path_show(path, shown), why ? why : "no reason was given");
}

static int pack_content(struct packing *p, const struct archive_item *item, struct error *err)
{
	char shown[ARCHIVE_SHOWN_SIZE], part[PART_SIZE];
	uint64_t left = (uint64_t)item->st->st_size;
	ssize_t size;
	AUTO_CLOSE int fd = openat(item->parent_fd, item->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "\"%s\" cannot be opened",
				   archive_path_show(item->path, shown));
	while ((size = read(fd, part, sizeof part)) > 0 || (size < 0 && errno == EINTR)) {
		if (size < 0)
			continue;
		if ((uint64_t)size > left)
			break;
		bool failed = archive_write_data(p->writer, part, (size_t)size) != size;
		int code = check(p, failed, item->path, err);
		if (code < 0)
			return code;
		left -= (uint64_t)size;
	}
	if (size < 0)
		return error_errno(err, errno, "\"%s\" cannot be read",
				   archive_path_show(item->path, shown));
	if (left > 0 || size > 0)
		return error_set(
			err, ERR_CONFLICT,
			"\"%s\" changes while it is packed; try again when nothing writes to it.",
			archive_path_show(item->path, shown));
	return 0;
}

static int pack_item(void *context, const struct archive_item *item, struct error *err)
{
	struct packing *p = context;
	mode_t mode = item->st->st_mode;
	if (!S_ISREG(mode) && !S_ISDIR(mode) && !S_ISLNK(mode)) {
		char shown[ARCHIVE_SHOWN_SIZE];
		return error_set(
			err, ERR_INVALID,
			"\"%s\" is neither a file nor a directory nor a link: take it out of the "
			"directory.",
			archive_path_show(item->path, shown));
	}
	struct archive_entry *entry = archive_entry_new();
	ASSERT(entry);
	archive_entry_copy_pathname(entry, item->path);
	archive_entry_set_filetype(entry, mode & S_IFMT);
	archive_entry_set_perm(entry, S_ISDIR(mode) || mode & 0111 ? 0755 : 0644);
	archive_entry_set_mtime(entry, 0, 0);
	archive_entry_set_size(entry, S_ISREG(mode) ? item->st->st_size : 0);
	if (item->target)
		archive_entry_copy_symlink(entry, item->target);
	bool failed = archive_write_header(p->writer, entry) < ARCHIVE_WARN;
	int code = check(p, failed, item->path, err);
	archive_entry_free(entry);
	if (code == 0 && S_ISREG(mode))
		code = pack_content(p, item, err);
	return code;
}

static int pack_tree(struct packing *p, int dir_fd, struct error *err)
{
	archive_write_set_format_pax_restricted(p->writer);
	archive_write_set_bytes_per_block(p->writer, PART_SIZE);
	archive_write_set_bytes_in_last_block(p->writer, 1); /* no padding after the end */
	int code = check(p, archive_write_open(p->writer, p, NULL, give, NULL) != ARCHIVE_OK, ".",
			 err);
	if (code == 0)
		code = archive_walk(dir_fd, p->skip, pack_item, p, err);
	if (code == 0)
		code = check(p, archive_write_close(p->writer) != ARCHIVE_OK, ".", err);
	return code;
}

static int pack(int dir_fd, bool (*skip)(const char *name), archive_sink sink, void *context,
		struct error *err)
{
	struct packing p = {
		.writer = archive_write_new(), .sink = sink, .skip = skip, .context = context};
	ASSERT(p.writer);
	/* Names are this thread's locale's to libarchive; C would not take all but ASCII. */
	locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0), before = (locale_t)0;
	if (utf8)
		before = uselocale(utf8);
	int code = pack_tree(&p, dir_fd, err);
	p.code = code; /* freeing writes the end: not after a failure */
	archive_write_free(p.writer);
	if (utf8) {
		uselocale(before);
		freelocale(utf8);
	}
	return code;
}

int archive_pack(int dir_fd, archive_sink sink, void *context, struct error *err)
{
	return pack(dir_fd, left_out, sink, context, err);
}

int archive_pack_all(int dir_fd, archive_sink sink, void *context, struct error *err)
{
	return pack(dir_fd, NULL, sink, context, err);
}
