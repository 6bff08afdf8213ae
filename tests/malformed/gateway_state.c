/* SPDX-License-Identifier: Apache-2.0
 * gateway_state - see gateway_state.h for the contract. */
#include "gateway_state.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "link/counters.h"

enum { WORKERS_MS = 5000, LOOK_NS = 2000000 };

struct gateway_state {
	const struct counters *memory;
	size_t size;
	uint64_t pids[COUNTERS_PLACES];
};

/* The counters behind one descriptor, or NULL. */
static const struct counters *map_counters(const char *path, size_t *ret_size)
{
	struct stat about;
	struct error err;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &about) != 0)
		return NULL;
	void *memory = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (memory == MAP_FAILED)
		return NULL;
	*ret_size = (size_t)about.st_size;
	if (counters_check(memory, *ret_size, &err) == 0)
		return memory;
	munmap(memory, *ret_size);
	return NULL;
}

/* Those that begin the gateway take their places a moment after it listens. */
static bool workers_there(const struct counters *memory)
{
	uint32_t there = 0;
	for (uint32_t i = 0; i < memory->place_count; i++)
		there += counters_get(&memory->workers[i].pid) != 0;
	return there >= memory->worker_count;
}

struct gateway_state *gateway_state_open(int pid)
{
	char directory[64], path[384], name[128];
	const struct counters *memory = NULL;
	const struct timespec pause = {0, LOOK_NS};
	size_t counters_bytes = 0;
	snprintf(directory, sizeof directory, "/proc/%d/fd", pid);
	DIR *all = opendir(directory);
	for (struct dirent *entry; !memory && all && (entry = readdir(all));) {
		snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
		ssize_t size = readlink(path, name, sizeof name - 1);
		name[size > 0 ? size : 0] = '\0';
		if (strstr(name, "memfd:davit-counters"))
			memory = map_counters(path, &counters_bytes);
	}
	if (all)
		closedir(all);
	struct gateway_state *state = memory ? calloc(1, sizeof *state) : NULL;
	if (!state)
		return NULL;
	state->memory = memory;
	state->size = counters_bytes;
	for (int looks = 0; !workers_there(memory) && looks < WORKERS_MS * 1000000L / LOOK_NS;
	     looks++)
		nanosleep(&pause, NULL);
	for (uint32_t i = 0; i < memory->place_count; i++)
		state->pids[i] = counters_get(&memory->workers[i].pid);
	return state;
}

bool gateway_state_quiet(const struct gateway_state *state, char *text, size_t size)
{
	static struct counters_release release;
	struct counters_backend backend;
	struct counters_totals totals;
	uint64_t requests = 0, tries = 0;
	for (uint32_t i = 0; i < state->memory->place_count; i++)
		if (counters_get(&state->memory->workers[i].pid) != state->pids[i]) {
			snprintf(text, size, "a worker has died");
			return false;
		}
	for (uint32_t slot = 0; slot < COUNTERS_RELEASES; slot++) {
		counters_sum_release(state->memory, slot, &release);
		requests += counters_release_in_flight(&release);
	}
	for (uint32_t slot = 0; slot < COUNTERS_BACKENDS; slot++) {
		counters_sum_backend(state->memory, slot, &backend);
		tries += counters_backend_in_flight(&backend);
	}
	counters_sum_totals(state->memory, &totals);
	snprintf(text, size,
		 "the same workers, and %" PRIu64 " connections, %" PRIu64 " requests, %" PRIu64
		 " tries are left",
		 totals.connections, requests, tries);
	return totals.connections + requests + tries == 0;
}

void gateway_state_close(struct gateway_state *state)
{
	munmap((void *)state->memory, state->size);
	free(state);
}
