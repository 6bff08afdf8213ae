/* SPDX-License-Identifier: Apache-2.0
 * usage - see usage.h for the contract. */
#include "os/usage.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

enum {
	PROCESSES_FIRST = 256,
	LISTED_MAX = 1024,    /* of a cgroup */
	GENERATIONS_MAX = 64, /* between a process and the leader */
	FALLS_MAX = 2,        /* so many readings in a row, and the fall is real */
};

/* ---- all processes ---- */

static int by_pid(const void *a, const void *b)
{
	pid_t x = ((const struct usage_process *)a)->pid,
	      y = ((const struct usage_process *)b)->pid;
	return x < y ? -1 : x > y;
}

static void read_all(struct usage_processes *all)
{
	size_t room = 0;
	DIR *proc = opendir("/proc");
	all->read = true;
	if (!proc)
		return;
	for (struct dirent *entry; (entry = readdir(proc));) {
		uint64_t number;
		struct usage_process one;
		if (!text_parse_u64(entry->d_name, INT32_MAX, &number))
			continue;
		one.pid = (pid_t)number;
		if (!process_look(one.pid, &one.about))
			continue;
		if (all->count == room) {
			room = room ? room * 2 : PROCESSES_FIRST;
			all->list = mem_grow(all->list, room * sizeof all->list[0]);
		}
		all->list[all->count++] = one;
	}
	closedir(proc);
	if (all->count > 0)
		qsort(all->list, all->count, sizeof all->list[0], by_pid);
}

void usage_processes_done(struct usage_processes *all)
{
	free(all->list);
	*all = (struct usage_processes){0};
}

static const struct usage_process *find(const struct usage_processes *all, pid_t pid)
{
	struct usage_process key = {.pid = pid};
	return all->count == 0 ? NULL
			       : bsearch(&key, all->list, all->count, sizeof all->list[0], by_pid);
}

static bool belongs(const struct usage_processes *all, const struct usage_process *one,
		    pid_t leader, uint64_t start)
{
	for (int i = 0; one && one->about.start >= start && i < GENERATIONS_MAX; i++) {
		if (one->pid == leader)
			return one->about.start == start;
		if (one->about.session == leader)
			return true;
		one = find(all, one->about.parent);
	}
	return false;
}

/* ---- one program ---- */

struct sum {
	size_t count;
	uint64_t cpu_ticks, memory_bytes;
};

static void add(struct sum *sum, const struct process_about *about)
{
	sum->count++;
	sum->cpu_ticks += about->cpu_ticks;
	sum->memory_bytes += about->memory_bytes;
}

static struct sum sum_processes(const struct cgroup *cgroup, pid_t leader, uint64_t start,
				struct usage_processes *all)
{
	pid_t listed[LISTED_MAX];
	struct sum sum = {0};
	size_t count = cgroup_list(cgroup, listed, LISTED_MAX);
	for (size_t i = 0; i < count; i++) {
		struct process_about about;
		if (process_look(listed[i], &about))
			add(&sum, &about);
	}
	if (count > 0)
		return sum;
	if (!all->read)
		read_all(all);
	/* Its session may outlive the leader, but not another process of that number. */
	const struct usage_process *first = find(all, leader);
	if (first && first->about.start != start)
		return sum;
	for (size_t i = 0; i < all->count; i++)
		if (belongs(all, &all->list[i], leader, start))
			add(&sum, &all->list[i].about);
	return sum;
}

static bool cgroup_cpu(const struct cgroup *cgroup, uint64_t *ret_us)
{
	if (cgroup_number(cgroup, "cpu.stat", "usage_usec", ret_us))
		return true;
	if (!cgroup_number(cgroup, "cpuacct.usage", NULL, ret_us))
		return false;
	*ret_us /= 1000;
	return true;
}

static bool cgroup_memory(const struct cgroup *cgroup, uint64_t *ret_bytes, uint64_t *ret_peak)
{
	uint64_t cache = 0;
	if (cgroup_number(cgroup, "memory.current", NULL, ret_bytes)) {
		if (!cgroup_number(cgroup, "memory.peak", NULL, ret_peak))
			*ret_peak = 0;
		cgroup_number(cgroup, "memory.stat", "inactive_file", &cache);
	} else if (cgroup_number(cgroup, "memory.usage_in_bytes", NULL, ret_bytes)) {
		if (!cgroup_number(cgroup, "memory.max_usage_in_bytes", NULL, ret_peak))
			*ret_peak = 0;
		cgroup_number(cgroup, "memory.stat", "total_inactive_file", &cache);
	} else {
		return false;
	}
	*ret_bytes -= cache < *ret_bytes ? cache : *ret_bytes;
	return true;
}

void usage_read(const struct cgroup *cgroup, pid_t leader, uint64_t start,
		struct usage_processes *all, struct usage *ret_usage)
{
	struct usage u = {0};
	if (cgroup_cpu(cgroup, &u.cpu_us))
		u.cpu_source = USAGE_CGROUP;
	if (cgroup_memory(cgroup, &u.memory_bytes, &u.memory_peak_bytes))
		u.memory_source = USAGE_CGROUP;
	*ret_usage = u;
	if (u.cpu_source && u.memory_source)
		return;
	struct sum sum = sum_processes(cgroup, leader, start, all);
	if (sum.count == 0)
		return;
	if (!u.cpu_source) {
		ret_usage->cpu_source = USAGE_PROCESSES;
		ret_usage->cpu_us = sum.cpu_ticks * (1000000 / (uint64_t)sysconf(_SC_CLK_TCK));
	}
	if (!u.memory_source) {
		ret_usage->memory_source = USAGE_PROCESSES;
		ret_usage->memory_bytes = sum.memory_bytes;
	}
}

/* The total stays as it is, and goes on from a reading of `cpu_us`. Wrapping is meant. */
static void go_on_from(struct usage_meter *m, uint64_t cpu_us)
{
	m->base_us += m->high_us - cpu_us;
	m->high_us = cpu_us;
	m->falls = 0;
}

void usage_meter_take(struct usage_meter *m, uint64_t life, enum usage_source source,
		      uint64_t cpu_us)
{
	if (life != m->life)
		go_on_from(m, 0);
	else if (source != m->source)
		go_on_from(m, cpu_us);
	m->life = life;
	m->source = source;
	if (cpu_us >= m->high_us) {
		m->high_us = cpu_us;
		m->falls = 0;
	} else if (++m->falls == FALLS_MAX) {
		go_on_from(m, cpu_us);
	}
}

uint64_t usage_meter_total(const struct usage_meter *m)
{
	return m->base_us + m->high_us;
}
