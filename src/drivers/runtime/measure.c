/* SPDX-License-Identifier: Apache-2.0
 * measure - see measure.h for the contract. */
#include "drivers/runtime/measure.h"

#include <string.h>

#include "os/clock.h"
#include "os/file.h"

bool measure_read_record(int dir_fd, struct instance_record *ret_record)
{
	struct buf text;
	struct error err;
	buf_init(&text, RECORD_MAX_BYTES);
	bool read = file_read(dir_fd, "state", &text, &err) == 0 &&
		    instance_record_read(buf_text(&text), text.size, ret_record, &err) == 0;
	buf_done(&text);
	return read;
}

/* Learn who the program is and where it runs; the record is written before it does. */
static bool know(struct measure *m, int dir_fd, int32_t pid)
{
	struct instance_record record;
	if (m->pid == pid)
		return true;
	if (!measure_read_record(dir_fd, &record) || record.pid != pid ||
	    strcmp(record.boot, clock_boot_id()) != 0)
		return false;
	m->pid = pid;
	m->start = record.start;
	cgroup_open(record.cgroup, &m->cgroup);
	return true;
}

static enum runtime_source source_of(enum usage_source source)
{
	return source == USAGE_CGROUP      ? RUNTIME_CGROUP
	       : source == USAGE_PROCESSES ? RUNTIME_PROCESSES
					   : RUNTIME_UNKNOWN;
}

void measure_take(struct measure *m, int dir_fd, int32_t pid, struct usage_processes *all,
		  struct runtime_usage *ret_usage)
{
	struct usage usage = {0};
	if (pid != 0 && know(m, dir_fd, pid))
		usage_read(&m->cgroup, m->pid, m->start, all, &usage);
	if (usage.cpu_source)
		usage_meter_take(&m->meter, m->start, usage.cpu_source, usage.cpu_us);
	ret_usage->cpu_us = usage_meter_total(&m->meter);
	ret_usage->cpu_source = source_of(usage.cpu_source);
	ret_usage->memory_source = source_of(usage.memory_source);
	ret_usage->memory_bytes = usage.memory_bytes;
	ret_usage->memory_peak_bytes = usage.memory_peak_bytes;
}
