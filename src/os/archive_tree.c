/* SPDX-License-Identifier: Apache-2.0
 * archive (trees) - see archive.h for the contract.
 *
 * Note  The packed form of an entry is what every artifact's digest in every store stands on: it can only
 *       be changed together with its label. */
#include "os/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/pack.h"
#include "os/archive_walk.h"
#include "os/file.h"

enum { PART_SIZE = 65536, PACKED_MAX = 2 * ARCHIVE_PATH_MAX + 64 };

struct measure {
	struct digester *digester; /* NULL: sizes alone */
	struct archive_tree tree;
};

static int file_digest(const struct archive_item *item, struct digest *ret_digest,
		       struct error *err)
{
	char shown[ARCHIVE_SHOWN_SIZE], part[PART_SIZE];
	uint64_t total = 0;
	ssize_t size;
	AUTO_CLOSE int fd = openat(item->parent_fd, item->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "\"%s\" cannot be opened",
				   archive_path_show(item->path, shown));
	struct digester *digester = digester_new();
	while ((size = read(fd, part, sizeof part)) > 0 || (size < 0 && errno == EINTR)) {
		if (size < 0)
			continue;
		digester_add(digester, part, (size_t)size);
		total += (uint64_t)size;
	}
	int number = errno;
	*ret_digest = digester_finish(digester);
	if (size < 0)
		return error_errno(err, number, "\"%s\" cannot be read",
				   archive_path_show(item->path, shown));
	if (total != (uint64_t)item->st->st_size)
		return error_set(err, ERR_CORRUPT, "\"%s\" changes while it is read.",
				 archive_path_show(item->path, shown));
	return 0;
}

static int add_entry(void *context, const struct archive_item *item, struct error *err)
{
	struct measure *m = context;
	uint8_t bytes[PACKED_MAX];
	struct digest content;
	struct packer p;
	mode_t mode = item->st->st_mode;
	if (!S_ISREG(mode) && !S_ISDIR(mode) && !S_ISLNK(mode)) {
		char shown[ARCHIVE_SHOWN_SIZE];
		return error_set(err, ERR_CORRUPT,
				 "\"%s\" is neither a file nor a directory nor a link.",
				 archive_path_show(item->path, shown));
	}
	m->tree.entries++;
	m->tree.size_bytes += S_ISREG(mode) ? (uint64_t)item->st->st_size : 0;
	if (!m->digester)
		return 0;
	pack_init(&p, bytes, sizeof bytes);
	pack_u8(&p, (uint8_t)(S_ISDIR(mode) ? 'd' : S_ISLNK(mode) ? 'l' : mode & 0111 ? 'x' : 'f'));
	pack_text(&p, item->path);
	if (S_ISLNK(mode))
		pack_text(&p, item->target);
	if (S_ISREG(mode)) {
		int code = file_digest(item, &content, err);
		if (code < 0)
			return code;
		pack_u64(&p, (uint64_t)item->st->st_size);
		pack_bytes(&p, content.bytes, DIGEST_SIZE);
	}
	ASSERT(p.ok);
	digester_add(m->digester, bytes, p.size);
	return 0;
}

int archive_tree_digest(int dir_fd, struct archive_tree *ret_tree, struct error *err)
{
	static const char label[] = "davit tree 1";
	struct measure m = {.digester = digester_new()};
	digester_add(m.digester, label, sizeof label);
	int code = archive_walk(dir_fd, NULL, add_entry, &m, err);
	m.tree.digest = digester_finish(m.digester);
	if (code == 0)
		*ret_tree = m.tree;
	return code;
}

int archive_tree_measure(int dir_fd, struct archive_tree *ret_tree, struct error *err)
{
	struct measure m = {0};
	int code = archive_walk(dir_fd, NULL, add_entry, &m, err);
	if (code == 0)
		*ret_tree = m.tree;
	return code;
}

static int seal_entry(void *context, const struct archive_item *item, struct error *err)
{
	(void)context;
	char shown[ARCHIVE_SHOWN_SIZE];
	mode_t mode = item->st->st_mode;
	mode_t wanted = S_ISDIR(mode) || mode & 0111 ? 0555 : 0444;
	if (!item->target && fchmodat(item->parent_fd, item->name, wanted, 0) < 0)
		return error_errno(err, errno, "\"%s\" cannot be made read-only",
				   archive_path_show(item->path, shown));
	return 0;
}

int archive_tree_seal(int dir_fd, struct error *err)
{
	int code = archive_walk(dir_fd, NULL, seal_entry, NULL, err);
	if (code == 0 && fchmod(dir_fd, 0555) < 0)
		code = error_errno(err, errno, "The tree cannot be made read-only");
	return code;
}
