/* SPDX-License-Identifier: Apache-2.0
 * damaged - see damaged.h for the contract. */
#include "drivers/runtime/damaged.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "link/instance_record.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/lock.h"
#include "os/sweep.h"

enum { LOOK_MS = 10 };

static const char prefix[] = ".damaged-";

static bool time_left(uint64_t deadline_ms)
{
	const struct timespec pause = {0, LOOK_MS * 1000000L};
	nanosleep(&pause, NULL);
	return clock_now_ms() < deadline_ms;
}

/* End its keeper, and keep the next one away: whoever has the lock is the keeper. */
static int take_place(int dir_fd, uint64_t deadline_ms, int *ret_lock_fd, struct error *err)
{
	int code;
	do {
		pid_t holder = 0, again = 0;
		struct process keeper;
		struct error gone;
		code = lock_take(dir_fd, "lock", ret_lock_fd, &holder, err);
		if (code != ERR_CONFLICT || holder <= 0)
			continue;
		if (process_adopt(holder, process_start_of(holder), &keeper, &gone) < 0)
			continue;
		/* Of the process that is open now: does it hold the lock? */
		code = lock_take(dir_fd, "lock", ret_lock_fd, &again, err);
		if (code == ERR_CONFLICT && again == holder)
			process_signal(&keeper, SIGKILL);
		process_done(&keeper);
	} while (code == ERR_CONFLICT && time_left(deadline_ms));
	return code;
}

static int read_record(int dir_fd, struct instance_record *ret_record)
{
	struct buf text;
	struct error unreadable;
	buf_init(&text, RECORD_MAX_BYTES);
	int code = file_read(dir_fd, "state", &text, &unreadable);
	if (code == 0)
		code = instance_record_read(buf_text(&text), text.size, ret_record, &unreadable);
	buf_done(&text);
	return code;
}

static int sweep_all(const struct sweep *sweep, uint64_t deadline_ms, struct error *err)
{
	do
		sweep_end(sweep);
	while (sweep_count(sweep) > 0 && time_left(deadline_ms));
	if (sweep_count(sweep) > 0)
		return error_set(err, ERR_TIMEOUT, "What it has started does not end.");
	cgroup_remove(sweep->cgroup);
	return 0;
}

/* Without a record: what has the name of its place. A cgroup leaves nothing out. */
static int end_by_name(int dir_fd, const char *id, uint64_t deadline_ms, bool *ret_sure,
		       struct error *err)
{
	const struct cgroup_limits limits = {0};
	struct stat about;
	struct cgroup cgroup;
	char place[RECORD_PLACE_SIZE], mark[RECORD_MARK_SIZE], note[CGROUP_NOTE_SIZE];
	if (fstat(dir_fd, &about) != 0)
		return error_errno(err, errno, "\"%s\" cannot be read", id);
	instance_record_place(id, about.st_dev, about.st_ino, place);
	instance_record_mark(place, mark);
	cgroup_make(place, &limits, &cgroup, note);
	struct sweep sweep = {.cgroup = &cgroup, .mark = mark, .spare_children = true};
	*ret_sure = cgroup.kill != CGROUP_NONE;
	return sweep_all(&sweep, deadline_ms, err);
}

static int end_program(int dir_fd, const char *id, uint64_t deadline_ms, bool *ret_sure,
		       struct error *err)
{
	struct instance_record record;
	struct cgroup cgroup;
	int code = read_record(dir_fd, &record);
	*ret_sure = true;
	if (code == ERR_NOT_FOUND)
		return 0; /* it is written before anything runs */
	if (code < 0 || !record.mark[0])
		return end_by_name(dir_fd, id, deadline_ms, ret_sure, err);
	bool same_boot = strcmp(record.boot, clock_boot_id()) == 0;
	cgroup_open(record.cgroup, &cgroup);
	struct sweep sweep = {.cgroup = &cgroup,
			      .session = same_boot ? record.pid : 0,
			      .start = record.start,
			      .mark = record.mark,
			      .spare_children = true};
	return sweep_all(&sweep, deadline_ms, err);
}

/* Make room for one more: remove the oldest of too many. */
static int remove_oldest(int instances_fd, struct error *err)
{
	int fd = openat(instances_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *all = fd < 0 ? NULL : fdopendir(fd);
	if (!all)
		return error_errno(err, errno, "The directory of instances cannot be read");
	char oldest[256] = "";
	time_t oldest_at = 0;
	uint32_t count = 0;
	for (struct dirent *entry; (entry = readdir(all));) {
		struct stat about;
		if (!text_starts(entry->d_name, prefix) ||
		    fstatat(fd, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		if (count++ == 0 || about.st_mtime < oldest_at) {
			oldest_at = about.st_mtime;
			text_copy(oldest, sizeof oldest, entry->d_name);
		}
	}
	closedir(all);
	return count < DAMAGED_KEPT_MAX ? 0 : file_remove_tree(instances_fd, oldest, err);
}

static int move(int instances_fd, int dir_fd, const char *id, const char *name, struct error *err)
{
	int code = file_remove_tree(dir_fd, "release", err);
	if (code == 0)
		code = file_remove_tree(instances_fd, name, err);
	if (code == 0)
		code = remove_oldest(instances_fd, err);
	if (code == 0 && renameat(instances_fd, id, instances_fd, name) != 0)
		code = error_errno(err, errno, "\"%s\" cannot be moved away", id);
	return code;
}

bool damaged_name(const char *name)
{
	return text_starts(name, prefix);
}

int damaged_put_aside(int instances_fd, const char *id, char ret_name[DAMAGED_NAME_SIZE],
		      bool *ret_sure, struct error *err)
{
	uint64_t deadline_ms = clock_now_ms() + DAMAGED_WAIT_MS;
	AUTO_CLOSE int dir_fd = -1;
	AUTO_CLOSE int lock_fd = -1;
	snprintf(ret_name, DAMAGED_NAME_SIZE, "%s%s", prefix, id);
	int code = file_open_directory(instances_fd, id, &dir_fd, err);
	if (code == 0)
		code = take_place(dir_fd, deadline_ms, &lock_fd, err);
	if (code == 0)
		code = end_program(dir_fd, id, deadline_ms, ret_sure, err);
	if (code == 0)
		code = move(instances_fd, dir_fd, id, ret_name, err);
	return code;
}
