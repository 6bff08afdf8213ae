/* SPDX-License-Identifier: Apache-2.0
 * restoring - see restoring.h for the contract. */
#include "daemon/restoring.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/failpoint.h"
#include "base/text.h"
#include "os/file.h"

enum { NAME_SIZE = 64 };

#define STAGING   "restoring"
#define COMMITTED "restored"

/* The log of the store goes before the store: without the store nobody looks at it, with the new one nobody may. */
static const char *const moved[] = {"davit.db-wal", "davit.db-journal", "davit.db", "ticks",
				    "postmortems"};

static int failed(const char *what, struct error *err)
{
	return error_errno(err, errno, "Restoring the state directory failed at \"%s\"", what);
}

int restoring_begin(int state_fd, int *ret_new_fd, struct error *err)
{
	int code = file_remove_tree(state_fd, STAGING, err);
	if (code == 0)
		code = file_make_directories(state_fd, STAGING "/new", 0700, err);
	if (code == 0)
		code = file_make_directories(state_fd, STAGING "/old", 0700, err);
	return code == 0 ? file_open_directory(state_fd, STAGING "/new", ret_new_fd, err) : code;
}

static bool is_there(int fd, const char *name)
{
	struct stat st;
	return fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* What is new goes last, so that its absence says that this name has been done. What has no new one, a log, goes by the
 * store's. */
static int move_one(int state_fd, const char *name, bool *ret_old, struct error *err)
{
	char old[NAME_SIZE], new[NAME_SIZE];
	snprintf(old, sizeof old, COMMITTED "/old/%s", name);
	snprintf(new, sizeof new, COMMITTED "/new/%s",
		 text_starts(name, "davit.db") ? "davit.db" : name);
	if (is_there(state_fd, new)) {
		if (!is_there(state_fd, old) && is_there(state_fd, name) &&
		    renameat(state_fd, name, state_fd, old) != 0)
			return failed(name, err);
		FAILPOINT("restore.between-moves");
		if (!text_starts(name, "davit.db-") && renameat(state_fd, new, state_fd, name) != 0)
			return failed(name, err);
	}
	*ret_old |= is_there(state_fd, old);
	return 0;
}

static int put_away(int state_fd, bool old, char *ret_old, size_t size, struct error *err)
{
	char name[NAME_SIZE];
	struct timespec now;
	ret_old[0] = '\0';
	int code = file_remove_tree(state_fd, COMMITTED "/new", err);
	if (code < 0)
		return code;
	if (!old)
		return file_remove_tree(state_fd, COMMITTED, err);
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(name, sizeof name, "before-restore-%lld.%03ld", (long long)now.tv_sec,
		 now.tv_nsec / 1000000);
	if (renameat(state_fd, COMMITTED, state_fd, name) != 0)
		return failed(name, err);
	snprintf(ret_old, size, "%s/old", name);
	return 0;
}

static int move_all(int state_fd, char *ret_old, size_t size, struct error *err)
{
	bool old = false;
	for (size_t i = 0; i < sizeof moved / sizeof moved[0]; i++) {
		int code = move_one(state_fd, moved[i], &old, err);
		if (code < 0)
			return code;
	}
	if (syncfs(state_fd) != 0)
		return failed("syncfs", err);
	FAILPOINT("restore.after-moves");
	return put_away(state_fd, old, ret_old, size, err);
}

int restoring_commit(int state_fd, char *ret_old, size_t size, struct error *err)
{
	FAILPOINT("restore.before-commit");
	if (syncfs(state_fd) != 0 || renameat(state_fd, STAGING, state_fd, COMMITTED) != 0 ||
	    fsync(state_fd) != 0)
		return failed(STAGING, err);
	FAILPOINT("restore.after-commit");
	return move_all(state_fd, ret_old, size, err);
}

/* What a backup that was killed had copied. */
static int sweep_spool(int state_fd, struct error *err)
{
	int fd = openat(state_fd, "spool", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
	int code = 0;
	if (!entries) {
		if (fd >= 0)
			close(fd);
		return 0; /* no folder yet */
	}
	for (struct dirent *entry; code == 0 && (entry = readdir(entries));)
		if (text_starts(entry->d_name, "backup"))
			code = file_remove_tree(dirfd(entries), entry->d_name, err);
	closedir(entries);
	return code;
}

int restoring_finish(int state_fd, struct error *err)
{
	char old[NAME_SIZE + 8];
	int code = is_there(state_fd, COMMITTED) ? move_all(state_fd, old, sizeof old, err) : 0;
	if (code == 0)
		code = file_remove_tree(state_fd, STAGING, err);
	return code == 0 ? sweep_spool(state_fd, err) : code;
}
