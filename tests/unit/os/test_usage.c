/* SPDX-License-Identifier: Apache-2.0
 * Tests of os/usage with real processes, and of the meter without. */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "../cmocka_all.h"
#include "os/usage.h"
#include "scratch.h"

enum { BURN_US = 200 * 1000, BLOCK_BYTES = 64 << 20 };

static struct error err;
static struct cgroup none;

static uint64_t own_cpu_us(void)
{
	struct timespec used;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

static void burn(void)
{
	for (uint64_t began = own_cpu_us(); own_cpu_us() - began < BURN_US;)
		;
}

/* A process that leads a session of its own, and does `work` there. Says when it has. */
static pid_t lead(void (*work)(void), uint64_t *ret_start)
{
	int said[2];
	char byte;
	assert_int_equal(pipe(said), 0);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		work();
		if (write(said[1], "", 1) == 1)
			pause();
		_exit(0);
	}
	assert_int_equal(read(said[0], &byte, 1), 1);
	close(said[0]);
	close(said[1]);
	*ret_start = process_start_of(pid);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static struct usage look(const struct cgroup *cgroup, pid_t pid, uint64_t start)
{
	struct usage_processes all = {0};
	struct usage usage;
	usage_read(cgroup, pid, start, &all, &usage);
	usage_processes_done(&all);
	return usage;
}

static void spend_time_and_memory(void)
{
	void *block = mmap(NULL, BLOCK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (block == MAP_FAILED)
		abort();
	burn();
}

static void a_process_without_cgroup_is_summed(void **state)
{
	(void)state;
	uint64_t start;
	pid_t pid = lead(spend_time_and_memory, &start);
	struct usage u = look(&none, pid, start);
	assert_int_equal(u.cpu_source, USAGE_PROCESSES);
	assert_int_equal(u.memory_source, USAGE_PROCESSES);
	assert_true(u.cpu_us >= BURN_US * 8 / 10 && u.cpu_us < BURN_US * 10);
	assert_true(u.memory_bytes >= BLOCK_BYTES && u.memory_bytes < 4ull * BLOCK_BYTES);
	assert_int_equal(u.memory_peak_bytes, 0);
	end(pid);
}

static void burn_in_a_child(void)
{
	pid_t child = fork();
	if (child == 0) {
		burn();
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static void the_time_of_children_that_ended_is_kept(void **state)
{
	(void)state;
	uint64_t start;
	pid_t pid = lead(burn_in_a_child, &start);
	assert_true(look(&none, pid, start).cpu_us >= BURN_US * 8 / 10);
	end(pid);
}

/* A child in a session of its own, with memory: the walk must follow the parents. */
static void block_in_another_session(void)
{
	int said[2];
	char byte;
	if (pipe(said) != 0 || fork() == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
		spend_time_and_memory();
		if (write(said[1], "", 1) == 1)
			pause();
		_exit(0);
	}
	if (read(said[0], &byte, 1) != 1)
		abort();
}

static void children_in_other_sessions_belong_to_it(void **state)
{
	(void)state;
	uint64_t start;
	pid_t pid = lead(block_in_another_session, &start);
	assert_true(look(&none, pid, start).memory_bytes >= BLOCK_BYTES);
	end(pid);
}

static void another_process_of_that_number_is_not_it(void **state)
{
	(void)state;
	uint64_t start;
	pid_t pid = lead(burn, &start);
	assert_int_equal(look(&none, pid, start - 1).cpu_source, USAGE_UNKNOWN);
	assert_int_equal(look(&none, pid, start + 1).cpu_source, USAGE_UNKNOWN);
	end(pid);
	assert_int_equal(look(&none, pid, start).memory_source, USAGE_UNKNOWN);
}

/* Directories stand in for cgroups: which files there are differs from machine to machine. */
static void a_cgroup_counts_where_it_has_the_files(void **state)
{
	(void)state;
	static const struct {
		const char *name, *text;
	} files[] = {
		{"v2/cpu.stat", "usage_usec 1234567\nuser_usec 1\n"},
		{"v2/memory.current", "1000000\n"},
		{"v2/memory.peak", "3000000\n"},
		{"v2/memory.stat", "anon 5\ninactive_file 400000\nactive_file 7\n"},
		{"cpu/cpu.stat", "nr_periods 9\n"},
		{"cpu/cpuacct.usage", "7654321000\n"},
		{"memory/memory.usage_in_bytes", "500000\n"},
		{"memory/memory.max_usage_in_bytes", "600000\n"},
		{"memory/memory.stat", "inactive_file 1\ntotal_inactive_file 900000\n"},
	};
	static struct cgroup group;
	struct scratch dir;
	scratch_make(&dir);
	assert_int_equal(file_make_directories(dir.fd, "v2", 0755, &err), 0);
	assert_int_equal(file_make_directories(dir.fd, "cpu", 0755, &err), 0);
	assert_int_equal(file_make_directories(dir.fd, "memory", 0755, &err), 0);
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		assert_int_equal(file_write(dir.fd, files[i].name, files[i].text,
					    strlen(files[i].text), 0644, &err),
				 0);
	snprintf(group.dirs[0], CGROUP_PATH_SIZE, "%s/v2", dir.path);
	group.dir_count = 1;
	struct usage u = look(&group, 1, 1);
	assert_int_equal(u.cpu_source, USAGE_CGROUP);
	assert_int_equal(u.cpu_us, 1234567);
	assert_int_equal(u.memory_bytes, 600000);
	assert_int_equal(u.memory_peak_bytes, 3000000);
	snprintf(group.dirs[0], CGROUP_PATH_SIZE, "%s/cpu", dir.path);
	snprintf(group.dirs[1], CGROUP_PATH_SIZE, "%s/memory", dir.path);
	group.dir_count = 2;
	u = look(&group, 1, 1);
	assert_int_equal(u.cpu_us, 7654321);
	assert_int_equal(u.memory_source, USAGE_CGROUP);
	assert_int_equal(u.memory_bytes, 0); /* the cache was read a moment later */
	assert_int_equal(u.memory_peak_bytes, 600000);
	group.dir_count = 1; /* memory from the processes, of which there are none */
	u = look(&group, INT32_MAX, 1);
	assert_int_equal(u.cpu_source, USAGE_CGROUP);
	assert_int_equal(u.memory_source, USAGE_UNKNOWN);
	scratch_remove(&dir);
}

static void a_meter_never_goes_down_and_adds_up_lives(void **state)
{
	(void)state;
	struct usage_meter m = {0};
#define TAKE(life, source, us) \
	(usage_meter_take(&m, life, USAGE_##source, us), usage_meter_total(&m))
	assert_int_equal(TAKE(7, PROCESSES, 100), 100);
	assert_int_equal(TAKE(7, PROCESSES, 150), 150);
	assert_int_equal(TAKE(7, PROCESSES, 120), 150); /* a child just ended */
	assert_int_equal(TAKE(7, PROCESSES, 160), 160); /* now its parent has its time */
	assert_int_equal(TAKE(7, PROCESSES, 60), 160);  /* nobody waited for one */
	assert_int_equal(TAKE(7, PROCESSES, 70), 160);
	assert_int_equal(TAKE(7, PROCESSES, 90), 180);
	assert_int_equal(TAKE(8, PROCESSES, 5), 185); /* started again */
	assert_int_equal(TAKE(8, PROCESSES, 10), 190);
	assert_int_equal(TAKE(8, CGROUP, 4000), 190); /* counted in another way */
	assert_int_equal(TAKE(8, CGROUP, 4010), 200);
	assert_int_equal(TAKE(9, CGROUP, 0), 200);
#undef TAKE
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_without_cgroup_is_summed),
		cmocka_unit_test(the_time_of_children_that_ended_is_kept),
		cmocka_unit_test(children_in_other_sessions_belong_to_it),
		cmocka_unit_test(another_process_of_that_number_is_not_it),
		cmocka_unit_test(a_cgroup_counts_where_it_has_the_files),
		cmocka_unit_test(a_meter_never_goes_down_and_adds_up_lives),
	};
	return cmocka_run_group_tests_name("os/usage", tests, NULL, NULL);
}
