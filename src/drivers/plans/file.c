/* SPDX-License-Identifier: Apache-2.0
 * file - see file.h and provider/plans.h for the contracts. */
#include "drivers/plans/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "os/file.h"
#include "os/process.h"

enum { NAME_SIZE = 40, WORDS_READ = 16 << 10, TIME_SIZE = 25 /* "2026-11-26T23:57:22.503Z " */ };

struct plans_file {
	struct plans plans;
	int state_fd, dir_fd;
	char path[PLANS_PATH_SIZE];
};

static const char *name_of(uint32_t rollout, const char *end, char to[NAME_SIZE])
{
	snprintf(to, NAME_SIZE, "%010u%s", rollout, end);
	return to;
}

/* The names have equal lengths, so that their order is that of the numbers. */
static int is_copy(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);
	return length > 5 && strcmp(entry->d_name + length - 5, ".plan") == 0;
}

static int forget(struct plans *plans, uint32_t rollout, struct error *err)
{
	struct plans_file *f = (struct plans_file *)plans;
	char name[NAME_SIZE];
	int result = file_remove_tree(f->dir_fd, name_of(rollout, "", name), err);
	return result < 0 ? result
			  : file_remove_tree(f->dir_fd, name_of(rollout, ".plan", name), err);
}

/* What cannot be removed stays, and costs nothing but space. */
static void remove_old(struct plans_file *f)
{
	struct dirent **entries;
	struct error ignored;
	int count = scandirat(f->dir_fd, ".", &entries, is_copy, alphasort);
	for (int i = 0; i < count; i++) {
		if (i + PLANS_KEPT < count)
			(void)!forget(&f->plans, (uint32_t)strtoul(entries[i]->d_name, NULL, 10),
				      &ignored);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static int find_user(const char *user, struct process_user *ret_user, struct error *err)
{
	*ret_user = (struct process_user){.uid = (uid_t)-1, .gid = (gid_t)-1};
	return user ? process_user_find(user, ret_user, err) : 0;
}

static int ask(struct plans *plans, uint32_t rollout, const char *user,
	       char ret_path[PLANS_PATH_SIZE], struct error *err)
{
	struct plans_file *f = (struct plans_file *)plans;
	struct process_user who;
	char name[NAME_SIZE];
	int result = find_user(user, &who, err);
	if (result == 0)
		result = file_remove_tree(f->dir_fd, name_of(rollout, "", name), err);
	if (result == 0)
		result = file_make_directories(f->dir_fd, name, 0700, err);
	if (result == 0 && user && fchownat(f->dir_fd, name, who.uid, who.gid, 0) < 0)
		result = error_errno(err, errno, "Giving \"plans/%s\" to %s failed", name, user);
	if (result < 0)
		return result;
	remove_old(f);
	snprintf(ret_path, PLANS_PATH_SIZE, "%s/%s/plan", f->path, name);
	return 0;
}

static int seal(struct plans *plans, uint32_t rollout, const char *user, struct digest *ret_digest,
		struct error *err)
{
	struct plans_file *f = (struct plans_file *)plans;
	struct process_user who;
	char name[NAME_SIZE], copy[NAME_SIZE];
	struct buf bytes;
	int fd = -1;
	int result = find_user(user, &who, err);
	buf_init(&bytes, PLANS_BYTES_MAX);
	if (result == 0)
		result = file_open_directory(f->dir_fd, name_of(rollout, "", name), &fd, err);
	if (result == 0)
		result = file_read_beneath(fd, "plan", &bytes, err);
	if (fd >= 0)
		close(fd);
	name_of(rollout, ".plan", copy);
	if (result == 0) {
		*ret_digest = digest_of(buf_text(&bytes), bytes.size);
		result = file_write(f->dir_fd, copy, buf_text(&bytes), bytes.size, 0440, err);
	}
	/* A plan may hold what is secret: nobody but davit and the command's own group reads it. */
	if (result == 0 && user &&
	    (fchownat(f->dir_fd, copy, (uid_t)-1, who.gid, 0) < 0 ||
	     fchmodat(f->dir_fd, copy, 0440, 0) < 0)) /* whatever the umask */
		result = error_errno(err, errno, "Giving \"plans/%s\" to %s failed", copy, user);
	buf_done(&bytes);
	return result;
}

static int open_copy(struct plans *plans, uint32_t rollout, const struct digest *digest,
		     char ret_path[PLANS_PATH_SIZE], struct error *err)
{
	struct plans_file *f = (struct plans_file *)plans;
	char copy[NAME_SIZE];
	struct buf bytes;
	buf_init(&bytes, PLANS_BYTES_MAX);
	int result = file_read(f->dir_fd, name_of(rollout, ".plan", copy), &bytes, err);
	struct digest now = digest_of(buf_text(&bytes), bytes.size);
	buf_done(&bytes);
	if (result == 0 && memcmp(now.bytes, digest->bytes, sizeof now.bytes) != 0)
		result =
			error_set(err, ERR_CORRUPT,
				  "The file of the plan is not what was approved: somebody changed "
				  "%s/%s.",
				  f->path, copy);
	snprintf(ret_path, PLANS_PATH_SIZE, "%s/%s", f->path, copy);
	return result;
}

/* Lines of davit itself about the instance are none of the command. */
static void add_line(const char *line, size_t length, char *to, size_t size)
{
	size_t used = strlen(to);
	if (length <= TIME_SIZE || line[TIME_SIZE - 1] != ' ')
		return;
	line += TIME_SIZE;
	length -= TIME_SIZE;
	if (length < 7 || memcmp(line, "davit: ", 7) != 0)
		snprintf(to + used, size - used, "%.*s\n", (int)length, line);
}

/* Where the last lines begin that fit beneath `size`. */
static size_t tail_of(const char *text, size_t length, size_t size)
{
	size_t at = length > size - 1 ? length - (size - 1) : 0;
	while (at > 0 && at < length && text[at - 1] != '\n')
		at++;
	return at;
}

static void words(struct plans *plans, const char *instance, char *to, size_t size)
{
	const struct plans_file *f = (const struct plans_file *)plans;
	char name[PLANS_PATH_SIZE], *text = mem_new(WORDS_READ);
	to[0] = '\0';
	snprintf(name, sizeof name, "instances/%s/log", instance);
	int fd = openat(f->state_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	off_t end = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
	off_t from = end > WORDS_READ ? end - WORDS_READ : 0;
	ssize_t n = end > 0 ? pread(fd, text, WORDS_READ, from) : 0;
	if (fd >= 0)
		close(fd);
	size_t length = n > 0 ? (size_t)n : 0;
	for (size_t at = tail_of(text, length, size); at < length;) {
		const char *newline = memchr(text + at, '\n', length - at);
		if (!newline)
			break;
		add_line(text + at, (size_t)(newline - text) - at, to, size);
		at = (size_t)(newline - text) + 1;
	}
	free(text);
}

static const struct plans_ops ops = {
	.ask = ask, .seal = seal, .open = open_copy, .words = words, .forget = forget};

int plans_file_new(int state_fd, const char *state_path, struct plans **ret_plans,
		   struct error *err)
{
	int fd, result = file_make_directories(state_fd, "plans", 0711, err);
	if (result == 0)
		result = file_open_directory(state_fd, "plans", &fd, err);
	/* Others pass through, and see nothing: a command may have a user of its own. */
	if (result == 0 && fchmod(fd, 0711) < 0) {
		result = error_errno(err, errno, "\"plans\" cannot be opened to commands");
		close(fd);
	}
	if (result < 0)
		return result;
	struct plans_file *f = mem_zero(1, sizeof *f);
	f->plans.ops = &ops;
	f->state_fd = state_fd;
	f->dir_fd = fd;
	snprintf(f->path, sizeof f->path, "%s/plans", state_path);
	*ret_plans = &f->plans;
	return 0;
}

void plans_file_free(struct plans *plans)
{
	struct plans_file *f = (struct plans_file *)plans;
	if (!f)
		return;
	close(f->dir_fd);
	free(f);
}
