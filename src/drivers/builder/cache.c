/* SPDX-License-Identifier: Apache-2.0
 * cache - see cache.h for the contract. */
#include "drivers/builder/cache.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "os/file.h"
#include "os/random.h"

/* What one stage keeps must not push out what another is just taking. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

enum { PART_SIZE = 64 * 1024, ENTRIES_MAX = 1024, FILES_MAX = 500000, NEW_SIZE = 32 };

static void add_text(struct digester *d, const char *text)
{
	digester_add(d, text, strlen(text) + 1);
}

static int add_file(struct digester *d, int source_fd, const char *path, struct error *err)
{
	char part[PART_SIZE];
	int fd;
	ssize_t size;
	add_text(d, path);
	int code = graft_open(source_fd, path, &fd, err);
	if (code == ERR_NOT_FOUND) {
		add_text(d, "absent");
		return 0;
	}
	if (code < 0)
		return error_prefix(err, "cache key");
	struct digester *content = digester_new();
	while ((size = read(fd, part, sizeof part)) > 0)
		digester_add(content, part, (size_t)size);
	close(fd);
	struct digest digest = digester_finish(content);
	digester_add(d, digest.bytes, sizeof digest.bytes);
	return 0;
}

int cache_key(const struct builder_job *job, const char *ref, int source_fd,
	      char ret_key[DIGEST_HEX_SIZE], struct error *err)
{
	struct digester *d = digester_new();
	int code = 0;
	add_text(d, "davit cache 2");
	add_text(d, ref);
	add_text(d, job->stage);
	for (uint32_t i = 0; i < job->cache_paths.count; i++)
		add_text(d, job->cache_paths.items[i]);
	for (uint32_t i = 0; code == 0 && i < job->cache_key.count; i++)
		code = add_file(d, source_fd, job->cache_key.items[i], err);
	struct digest digest = digester_finish(d);
	digest_format(&digest, ret_key);
	return code;
}

static int restore(int cache_fd, const char *key, const struct builder_job *job, int work_fd,
		   struct graft *graft, bool *ret_hit, struct error *err)
{
	AUTO_CLOSE int kept = openat(cache_fd, key, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*ret_hit = kept >= 0;
	if (kept < 0)
		return 0;
	futimens(kept, NULL); /* when it was used last */
	for (uint32_t i = 0; i < job->cache_paths.count; i++) {
		int code = graft_copy(graft, kept, work_fd, job->cache_paths.items[i], err);
		if (code < 0 && code != ERR_NOT_FOUND)
			return code;
	}
	return 0;
}

/* --- room */

struct entry {
	char name[DIGEST_HEX_SIZE];
	struct timespec used;
	uint64_t bytes;
};

static bool older(const struct entry *a, const struct entry *b)
{
	return a->used.tv_sec != b->used.tv_sec ? a->used.tv_sec < b->used.tv_sec
						: a->used.tv_nsec < b->used.tv_nsec;
}

static uint32_t list(int cache_fd, struct entry *entries, uint64_t *ret_sum)
{
	uint32_t count = 0;
	int copy = openat(cache_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	*ret_sum = 0;
	for (struct dirent *item; dir && count < ENTRIES_MAX && (item = readdir(dir));) {
		struct stat about;
		struct digest ignored;
		struct entry *entry = &entries[count];
		AUTO_CLOSE int fd = -1;
		if (!digest_parse(item->d_name, &ignored))
			continue;
		fd = openat(cache_fd, item->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &about) != 0)
			continue;
		text_copy(entry->name, sizeof entry->name, item->d_name);
		entry->used = about.st_mtim;
		entry->bytes = graft_measure(fd, UINT64_MAX);
		*ret_sum += entry->bytes;
		count++;
	}
	if (dir)
		closedir(dir);
	else if (copy >= 0)
		close(copy);
	return count;
}

static int make_room(int cache_fd, uint64_t bytes_max, struct error *err)
{
	struct entry *entries = mem_zero(ENTRIES_MAX, sizeof *entries);
	uint64_t sum;
	int code = 0;
	uint32_t count = list(cache_fd, entries, &sum);
	while (code == 0 && count > 0 && (sum > bytes_max || count == ENTRIES_MAX)) {
		uint32_t oldest = 0;
		for (uint32_t i = 1; i < count; i++)
			if (older(&entries[i], &entries[oldest]))
				oldest = i;
		code = file_remove_tree(cache_fd, entries[oldest].name, err);
		sum -= entries[oldest].bytes;
		entries[oldest] = entries[--count];
	}
	free(entries);
	return code;
}

static int save(int cache_fd, const char *key, const struct builder_job *job, int work_fd,
		uint64_t bytes_max, struct error *err)
{
	struct graft graft = {.uid = (uid_t)-1,
			      .gid = (gid_t)-1,
			      .bytes_max = bytes_max,
			      .entries_max = FILES_MAX};
	struct error ignored;
	char new[NEW_SIZE] = "new-";
	random_hex(new + 4, 17);
	if (mkdirat(cache_fd, new, 0700) != 0)
		return error_errno(err, errno, "The cache cannot be written");
	AUTO_CLOSE int new_fd = openat(cache_fd, new, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int code = new_fd < 0 ? error_errno(err, errno, "The cache cannot be written") : 0;
	for (uint32_t i = 0; code == 0 && i < job->cache_paths.count; i++) {
		code = graft_copy(&graft, work_fd, new_fd, job->cache_paths.items[i], err);
		if (code == ERR_NOT_FOUND)
			code = 0;
	}
	/* Another stage with the same name and content cannot be: then the first one stays. */
	if (code == 0 && renameat(cache_fd, new, cache_fd, key) != 0 && errno != EEXIST &&
	    errno != ENOTEMPTY)
		code = error_errno(err, errno, "The cache cannot be written");
	(void)!file_remove_tree(cache_fd, new, &ignored); /* gone already, when it was renamed */
	return code < 0 ? code : make_room(cache_fd, bytes_max, err);
}

int cache_restore(int cache_fd, const char *key, const struct builder_job *job, int work_fd,
		  struct graft *graft, bool *ret_hit, struct error *err)
{
	pthread_mutex_lock(&lock);
	int code = restore(cache_fd, key, job, work_fd, graft, ret_hit, err);
	pthread_mutex_unlock(&lock);
	return code;
}

int cache_save(int cache_fd, const char *key, const struct builder_job *job, int work_fd,
	       uint64_t bytes_max, struct error *err)
{
	pthread_mutex_lock(&lock);
	int code = save(cache_fd, key, job, work_fd, bytes_max, err);
	pthread_mutex_unlock(&lock);
	return code;
}
