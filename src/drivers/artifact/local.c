/* SPDX-License-Identifier: Apache-2.0
 * local - see local.h for the contract. */
#include "drivers/artifact/local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/failpoint.h"
#include "base/text.h"
#include "os/archive.h"
#include "os/file.h"

enum { PART_SIZE = 65536, TEMPORARY_SIZE = 32 };

#define INCOMING ".incoming-"
#define TRASH    ".trash-"

struct local {
	struct artifact_store base; /* first: the ops are called with it */
	int fd;
	char path[PATH_MAX];
};

static struct local *local_of(struct artifact_store *a)
{
	return (struct local *)a;
}

static void temporary_name(const char *prefix, char to[TEMPORARY_SIZE])
{
	uint64_t chance = 0;
	ASSERT(getrandom(&chance, sizeof chance, 0) == sizeof chance);
	snprintf(to, TEMPORARY_SIZE, "%s%016llx", prefix, (unsigned long long)chance);
}

/* A descriptor of the whole directory that holds its lock; closing it lets go. */
static int lock_all(struct local *l, int *ret_fd, struct error *err)
{
	int fd = openat(l->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "\"%s\" cannot be opened", l->path);
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR) {
			int code = error_errno(err, errno, "\"%s\" cannot be locked", l->path);
			close(fd);
			return code;
		}
	*ret_fd = fd;
	return 0;
}

/* A new directory that is locked while somebody works in it. */
static int make_incoming(struct local *l, char name[TEMPORARY_SIZE], int *ret_fd, struct error *err)
{
	AUTO_CLOSE int lock = -1;
	temporary_name(INCOMING, name);
	int code = lock_all(l, &lock, err); /* or a collection sees it before it is locked */
	if (code < 0)
		return code;
	if (mkdirat(l->fd, name, 0700) < 0)
		return error_errno(err, errno, "\"%s/%s\" cannot be made", l->path, name);
	int fd = openat(l->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0) {
		code = error_errno(err, errno, "\"%s/%s\" cannot be opened", l->path, name);
		if (fd >= 0)
			close(fd);
		unlinkat(l->fd, name, AT_REMOVEDIR);
		return code;
	}
	*ret_fd = fd;
	return 0;
}

/* An archive that comes through a pipe or a socket goes to a nameless file first: a zip is only understood
 * from its end. */
static int spool(struct local *l, int from, int *ret_fd, struct error *err)
{
	char part[PART_SIZE];
	uint64_t total = 0;
	ssize_t size;
	char name[TEMPORARY_SIZE];
	temporary_name(INCOMING, name);
	AUTO_CLOSE int fd = openat(l->fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	/* A collection may have taken the name away before us. */
	if (fd < 0 || (unlinkat(l->fd, name, 0) < 0 && errno != ENOENT))
		return error_errno(err, errno, "A temporary file in \"%s\" cannot be made",
				   l->path);
	while ((size = read(from, part, sizeof part)) > 0 || (size < 0 && errno == EINTR)) {
		if (size < 0)
			continue;
		total += (uint64_t)size;
		if (total > ARCHIVE_BYTES_MAX)
			return error_set(err, ERR_LIMIT, "The archive is larger than %llu MiB.",
					 (unsigned long long)(ARCHIVE_BYTES_MAX >> 20));
		for (ssize_t done = 0, count; done < size; done += count)
			if ((count = write(fd, part + done, (size_t)(size - done))) < 0) {
				if (errno != EINTR)
					return error_errno(err, errno,
							   "The archive cannot be stored");
				count = 0;
			}
	}
	if (size < 0)
		return error_errno(err, errno, "The archive cannot be read");
	*ret_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return *ret_fd < 0 ? error_errno(err, errno, "The archive cannot be read") : 0;
}

static int unpack(struct local *l, int fd, const char *file_name, int to, struct error *err)
{
	AUTO_CLOSE int spooled = -1;
	if (file_name && !archive_is_archive_name(file_name))
		return archive_unpack_file(fd, file_name, to, &archive_limits_default, err);
	if (lseek(fd, 0, SEEK_CUR) != 0) { /* not a file, or not at its beginning */
		int code = spool(l, fd, &spooled, err);
		if (code < 0)
			return code;
		fd = spooled;
	}
	return archive_unpack(fd, to, &archive_limits_default, err);
}

/* Is what is published under this digest whole? */
static int is_whole(struct local *l, const char *name, const struct digest *digest)
{
	struct error ignored;
	struct archive_tree tree;
	AUTO_CLOSE int fd = openat(l->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd >= 0 && archive_tree_digest(fd, &tree, &ignored) == 0 &&
	       digest_equal(&tree.digest, digest);
}

/* Give the finished tree its name. When this returns 0, nothing called `incoming` is left but a tree that
 * is not needed. */
static int publish(struct local *l, const char *incoming, const struct digest *digest,
		   struct error *err)
{
	char name[DIGEST_HEX_SIZE];
	AUTO_CLOSE int lock = -1;
	int code = lock_all(l, &lock, err);
	if (code < 0)
		return code;
	digest_format(digest, name);
	int result = renameat2(l->fd, incoming, l->fd, name, RENAME_NOREPLACE);
	if (result < 0 && errno == EEXIST)
		result = is_whole(l, name, digest)
				 ? 0
				 : renameat2(l->fd, incoming, l->fd, name, RENAME_EXCHANGE);
	/* The time of the last import: a collection spares what is young. */
	if (result < 0 || utimensat(l->fd, name, NULL, AT_SYMLINK_NOFOLLOW) < 0 || fsync(lock) < 0)
		return error_errno(err, errno, "The artifact \"%s/%s\" cannot be published",
				   l->path, name);
	return 0;
}

static int finish(struct local *l, int fd, const char *incoming, struct archive_tree *ret_tree,
		  struct error *err)
{
	int code = archive_tree_digest(fd, ret_tree, err);
	if (code == 0)
		code = archive_tree_seal(fd, err);
	if (code == 0 && syncfs(fd) < 0)
		code = error_errno(err, errno, "The artifact cannot be brought to the disk");
	if (code < 0)
		return code;
	FAILPOINT("artifact.before-publish");
	code = publish(l, incoming, &ret_tree->digest, err);
	FAILPOINT("artifact.after-publish");
	return code;
}

static int local_import(struct artifact_store *a, int fd, const char *file_name,
			struct artifact_info *ret_info, struct error *err)
{
	struct local *l = local_of(a);
	char incoming[TEMPORARY_SIZE];
	struct archive_tree tree;
	struct error ignored;
	AUTO_CLOSE int to = -1;
	int code = make_incoming(l, incoming, &to, err);
	if (code < 0)
		return code;
	code = unpack(l, fd, file_name, to, err);
	if (code == 0)
		code = finish(l, to, incoming, &tree, err);
	/* After a failure the part that was written; else at most a tree that was there already. What
	 * cannot be removed now, a collection will. */
	(void)!file_remove_tree(l->fd, incoming, &ignored);
	if (code == 0)
		*ret_info = (struct artifact_info){.digest = tree.digest,
						   .size_bytes = tree.size_bytes,
						   .entries = tree.entries};
	return code;
}

static int open_artifact(struct local *l, const struct digest *digest, int *ret_fd,
			 struct error *err)
{
	char name[DIGEST_HEX_SIZE];
	digest_format(digest, name);
	*ret_fd = openat(l->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret_fd >= 0)
		return 0;
	if (errno == ENOENT)
		return error_set(err, ERR_NOT_FOUND, "There is no artifact \"%s\".", name);
	return error_errno(err, errno, "The artifact \"%s/%s\" cannot be opened", l->path, name);
}

static int local_path(struct artifact_store *a, const struct digest *digest, char *ret_path,
		      size_t size, struct error *err)
{
	struct local *l = local_of(a);
	char name[DIGEST_HEX_SIZE];
	AUTO_CLOSE int fd = -1;
	int code = open_artifact(l, digest, &fd, err);
	if (code < 0)
		return code;
	int length = snprintf(ret_path, size, "%s/%s", l->path, digest_format(digest, name));
	if (length < 0 || (size_t)length >= size)
		return error_set(err, ERR_LIMIT, "The path of the artifact in \"%s\" is too long.",
				 l->path);
	return 0;
}

static int local_verify(struct artifact_store *a, const struct digest *digest,
			struct artifact_info *ret_info, struct error *err)
{
	struct archive_tree tree;
	char name[DIGEST_HEX_SIZE];
	AUTO_CLOSE int fd = -1;
	int code = open_artifact(local_of(a), digest, &fd, err);
	if (code == 0)
		code = archive_tree_digest(fd, &tree, err);
	if (code < 0)
		return code;
	if (!digest_equal(&tree.digest, digest))
		return error_set(err, ERR_CORRUPT,
				 "The files of the artifact \"%s\" were changed; import it again.",
				 digest_format(digest, name));
	*ret_info = (struct artifact_info){
		.digest = tree.digest, .size_bytes = tree.size_bytes, .entries = tree.entries};
	return 0;
}

static bool is_kept(const struct digest *digest, const struct digest *keep, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (digest_equal(digest, &keep[i]))
			return true;
	return false;
}

/* Imported less than `grace_ms` ago. */
static bool is_young(struct local *l, const char *name, uint64_t grace_ms)
{
	struct stat st;
	struct timespec now;
	if (fstatat(l->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t age_ms = (now.tv_sec - st.st_mtim.tv_sec) * 1000 +
			 (now.tv_nsec - st.st_mtim.tv_nsec) / 1000000;
	return age_ms < 0 || (uint64_t)age_ms < grace_ms;
}

/* Under the lock an artifact only loses its name; the long work is done after it. */
static int take_away(struct local *l, const char *name, char trash[TEMPORARY_SIZE],
		     uint64_t grace_ms, bool *ret_taken, struct error *err)
{
	AUTO_CLOSE int lock = -1;
	int code = lock_all(l, &lock, err);
	if (code < 0)
		return code;
	*ret_taken = !is_young(l, name, grace_ms);
	if (*ret_taken && renameat(l->fd, name, l->fd, trash) < 0)
		return error_errno(err, errno, "The artifact \"%s/%s\" cannot be removed", l->path,
				   name);
	return 0;
}

static int collect_artifact(struct local *l, const char *name, bool keep, uint64_t grace_ms,
			    struct artifact_collected *so_far, struct error *err)
{
	char trash[TEMPORARY_SIZE];
	struct archive_tree tree = {0};
	struct error ignored;
	bool taken = false;
	int code = 0;
	int fd = openat(l->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, errno, "\"%s/%s\" cannot be opened", l->path, name);
	(void)!archive_tree_measure(fd, &tree, &ignored); /* damaged: its size does not matter */
	close(fd);
	temporary_name(TRASH, trash);
	if (!keep)
		code = take_away(l, name, trash, grace_ms, &taken, err);
	if (code == 0 && taken)
		code = file_remove_tree(l->fd, trash, err);
	if (code < 0)
		return code;
	so_far->removed += taken;
	so_far->kept += !taken;
	*(taken ? &so_far->removed_bytes : &so_far->kept_bytes) += tree.size_bytes;
	return 0;
}

/* What a killed import or collection left; one that goes on holds its lock. */
static int collect_leftover(struct local *l, const char *name, struct error *err)
{
	{
		AUTO_CLOSE int lock = -1;
		int code = lock_all(l, &lock, err);
		if (code < 0)
			return code;
		AUTO_CLOSE int fd =
			openat(l->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
			return 0;
	}
	return file_remove_tree(l->fd, name, err);
}

static int collect_entry(struct local *l, const char *name, const struct digest *keep, size_t count,
			 uint64_t grace_ms, struct artifact_collected *so_far, struct error *err)
{
	struct digest digest;
	if (digest_parse(name, &digest))
		return collect_artifact(l, name, is_kept(&digest, keep, count), grace_ms, so_far,
					err);
	if (text_starts(name, INCOMING) || text_starts(name, TRASH))
		return collect_leftover(l, name, err);
	return 0; /* not ours */
}

static int local_collect(struct artifact_store *a, const struct digest *keep, size_t keep_count,
			 uint64_t grace_ms, struct artifact_collected *ret_collected,
			 struct error *err)
{
	struct local *l = local_of(a);
	struct artifact_collected so_far = {0};
	struct dirent *entry;
	int code = 0, fd = openat(l->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir) {
		code = error_errno(err, errno, "\"%s\" cannot be listed", l->path);
		if (fd >= 0)
			close(fd);
		return code;
	}
	while (code == 0 && (errno = 0, entry = readdir(dir)))
		code = collect_entry(l, entry->d_name, keep, keep_count, grace_ms, &so_far, err);
	if (code == 0 && errno)
		code = error_errno(err, errno, "\"%s\" cannot be listed", l->path);
	closedir(dir);
	if (code == 0)
		*ret_collected = so_far;
	return code;
}

static const struct artifact_ops local_ops = {
	.import = local_import,
	.path = local_path,
	.verify = local_verify,
	.collect = local_collect,
};

int artifact_local_new(const char *directory, struct artifact_store **ret_store, struct error *err)
{
	struct local *l = mem_zero(1, sizeof *l);
	int code = 0;
	l->base.ops = &local_ops;
	l->fd = -1;
	if (mkdir(directory, 0755) < 0 && errno != EEXIST)
		code = error_errno(err, errno, "The directory \"%s\" cannot be made", directory);
	else if (!realpath(directory, l->path))
		code = error_errno(err, errno, "The directory \"%s\" cannot be found", directory);
	else
		code = file_open_directory(AT_FDCWD, l->path, &l->fd, err);
	if (code < 0) {
		free(l);
		return code;
	}
	*ret_store = &l->base;
	return 0;
}

void artifact_local_free(struct artifact_store *a)
{
	if (!a)
		return;
	close(local_of(a)->fd);
	free(a);
}
