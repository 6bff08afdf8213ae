/* SPDX-License-Identifier: Apache-2.0
 * sweep - see sweep.h for the contract. */
#include "os/sweep.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/text.h"

enum { ENVIRONMENT_SIZE = 256 * 1024 };

static bool has_mark(pid_t pid, const char *mark)
{
	static char text[ENVIRONMENT_SIZE]; /* one thread sweeps; too large for a stack */
	char path[40];
	snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	size_t size = 0;
	ssize_t count;
	while (size + 1 < sizeof text &&
	       (count = read(fd, text + size, sizeof text - 1 - size)) > 0)
		size += (size_t)count;
	close(fd);
	text[size] = '\0';
	for (size_t at = 0; at < size; at += strlen(text + at) + 1)
		if (strcmp(text + at, mark) == 0)
			return true;
	return false;
}

/* `about` is what was just read of `pid`. */
static bool belongs(const struct sweep *sweep, pid_t pid, const struct process_about *about)
{
	if (about->zombie || pid == getpid())
		return false;
	if (!sweep->spare_children && about->parent == getpid())
		return true;
	if (sweep->session > 0 && about->session == sweep->session &&
	    about->start >= sweep->start) {
		/* Unless the leader is another by now: then the whole session is another. */
		uint64_t leader = process_start_of(sweep->session);
		return leader == 0 || leader == sweep->start;
	}
	return sweep->mark && has_mark(pid, sweep->mark);
}

static size_t walk(const struct sweep *sweep, bool end)
{
	DIR *all = opendir("/proc");
	if (!all)
		return 0;
	size_t found = 0;
	for (struct dirent *entry; (entry = readdir(all));) {
		uint64_t number;
		struct process_about about;
		if (!text_parse_u64(entry->d_name, INT32_MAX, &number))
			continue;
		pid_t pid = (pid_t)number;
		int pidfd =
			end ? pidfd_open(pid, 0) : -1; /* before we look: it must be the same one */
		if (process_look(pid, &about) && belongs(sweep, pid, &about)) {
			found++;
			if (pidfd >= 0)
				pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
		}
		if (pidfd >= 0)
			close(pidfd);
	}
	closedir(all);
	return found;
}

static size_t count_cgroup(const struct cgroup *cgroup)
{
	pid_t pids[1024];
	size_t count = cgroup_list(cgroup, pids, sizeof pids / sizeof pids[0]);
	size_t alive = 0;
	for (size_t i = 0; i < count; i++) {
		struct process_about about;
		alive += process_look(pids[i], &about) && !about.zombie;
	}
	return alive;
}

size_t sweep_count(const struct sweep *sweep)
{
	size_t count = count_cgroup(sweep->cgroup);
	return count > 0 ? count : walk(sweep, false);
}

void sweep_end(const struct sweep *sweep)
{
	cgroup_end(sweep->cgroup);
	walk(sweep, true);
}

static bool in_group(const struct sweep *sweep, pid_t pid)
{
	struct process_about about;
	return sweep->session > 0 && process_look(pid, &about) && !about.zombie &&
	       about.group == sweep->session && about.start >= sweep->start;
}

/* Signal the group's members, or with 0 only see whether there is one. */
static bool walk_group(const struct sweep *sweep, int number)
{
	DIR *all = opendir("/proc");
	if (!all)
		return false;
	bool found = false;
	for (struct dirent *entry; (number || !found) && (entry = readdir(all));) {
		uint64_t pid;
		if (!text_parse_u64(entry->d_name, INT32_MAX, &pid))
			continue;
		int pidfd = number ? pidfd_open((pid_t)pid, 0) : -1;
		if (in_group(sweep, (pid_t)pid)) {
			found = true;
			if (pidfd >= 0)
				pidfd_send_signal(pidfd, number, NULL, 0);
		}
		if (pidfd >= 0)
			close(pidfd);
	}
	closedir(all);
	return found;
}

void sweep_signal_group(const struct sweep *sweep, int number)
{
	walk_group(sweep, number);
}

bool sweep_group_lives(const struct sweep *sweep)
{
	return walk_group(sweep, 0);
}
