/* SPDX-License-Identifier: Apache-2.0
 *
 * counters - see counters.h for the contract.
 */
#include "link/counters.h"

#include <string.h>

#include "base/text.h"

static const char MAGIC[8] = {'D', 'V', 'C', 'O', 'U', 'N', 'T', 'S'};

size_t counters_size(uint32_t place_count)
{
	return sizeof(struct counters) + place_count * sizeof(struct counters_worker_block);
}

void counters_format(struct counters *memory, uint32_t worker_count, uint32_t place_count,
		     uint64_t segment, const char *machine)
{
	ASSERT(worker_count > 0 && worker_count <= COUNTERS_WORKERS);
	ASSERT(place_count >= worker_count && place_count <= COUNTERS_PLACES);
	memory->abi = COUNTERS_ABI;
	memory->worker_count = worker_count;
	memory->place_count = place_count;
	memory->size = counters_size(place_count);
	memory->segment = segment;
	ASSERT(text_copy(memory->machine, sizeof(memory->machine), machine));
	memcpy(memory->magic, MAGIC, sizeof(MAGIC));
}

int counters_check(const struct counters *memory, size_t size, struct error *err)
{
	if (size < sizeof(*memory) || memcmp(memory->magic, MAGIC, sizeof(MAGIC)) != 0)
		return error_set(err, ERR_CORRUPT, "This is not a gateway's counters.");
	if (memory->abi != COUNTERS_ABI)
		return error_set(err, ERR_CORRUPT,
				 "The gateway's counters have format %u; this davit reads %d.",
				 memory->abi, COUNTERS_ABI);
	if (memory->worker_count == 0 || memory->worker_count > COUNTERS_WORKERS ||
	    memory->place_count < memory->worker_count || memory->place_count > COUNTERS_PLACES ||
	    memory->size != counters_size(memory->place_count) || memory->size > size ||
	    !memchr(memory->machine, 0, sizeof(memory->machine)))
		return error_set(err, ERR_CORRUPT, "The gateway's counters are cut short.");
	return 0;
}

/* Only a slot that was used is written: the others' pages stay untouched. */
static void lose(counters_cell *lost, uint64_t started, uint64_t ended)
{
	if (started > ended + counters_get(lost))
		counters_set(lost, started - ended);
}

static void lose_of_class(counters_cell *v)
{
	lose(&v[COUNTERS_RELEASE_LOST], counters_get(&v[COUNTERS_RELEASE_STARTED]),
	     counters_get(&v[COUNTERS_RELEASE_COMPLETED]));
	counters_set(&v[COUNTERS_RELEASE_DIVIDED_DONE], counters_get(&v[COUNTERS_RELEASE_DIVIDED]));
}

static bool has_counted(const struct counters_worker_block *w, uint32_t slot, uint32_t class)
{
	return counters_get(&w->counted[slot]) >> class & 1;
}

void counters_settle(struct counters *memory, uint32_t place)
{
	ASSERT(place < memory->place_count);
	struct counters_worker_block *w = &memory->workers[place];
	for (uint32_t i = 0; i < COUNTERS_RELEASES; i++)
		for (uint32_t class = 0; class < COUNTERS_CLASSES; class ++) {
			if (has_counted(w, i, class))
				lose_of_class(w->releases[i][class].values);
		}
	for (uint32_t i = 0; i < COUNTERS_BACKENDS; i++) {
		counters_cell *v = w->backends[i].values;
		lose(&v[COUNTERS_BACKEND_LOST], counters_get(&v[COUNTERS_BACKEND_STARTED]),
		     counters_get(&v[COUNTERS_BACKEND_COMPLETED]));
		if (counters_get(&v[COUNTERS_BACKEND_FAILED_IN_A_ROW]))
			counters_set(&v[COUNTERS_BACKEND_FAILED_IN_A_ROW], 0);
	}
	for (uint32_t i = 0; i < COUNTERS_ENVIRONMENTS; i++) {
		counters_cell *v = w->environments[i].values;
		lose(&v[COUNTERS_ENVIRONMENT_HELD_GONE],
		     counters_get(&v[COUNTERS_ENVIRONMENT_HELD]),
		     counters_get(&v[COUNTERS_ENVIRONMENT_HELD_RELEASED]) +
			     counters_get(&v[COUNTERS_ENVIRONMENT_HELD_TIMEOUT]));
	}
	counters_set(&w->connections, 0);
	counters_set(&w->prepared, 0);
	counters_set(&w->seen, 0);
	counters_set(&w->oldest, 0);
	counters_set(&w->values[COUNTERS_WORKER_CLOSED],
		     counters_get(&w->values[COUNTERS_WORKER_ACCEPTED]));
	counters_set(&w->pid, 0);
}

struct counters_worker_block *counters_attach(struct counters *memory, uint32_t place, uint64_t pid)
{
	counters_settle(memory, place);
	counters_set(&memory->workers[place].pid, pid);
	return &memory->workers[place];
}

uint64_t counters_active(const struct counters *memory)
{
	return atomic_load_explicit((counters_cell *)&memory->active_generation,
				    memory_order_acquire);
}

void counters_commit(struct counters *memory, uint64_t generation)
{
	atomic_store_explicit(&memory->active_generation, generation, memory_order_release);
}

static uint64_t least(const struct counters *memory, size_t offset)
{
	uint64_t result = 0;
	bool any = false;
	for (uint32_t i = 0; i < memory->place_count; i++) {
		const struct counters_worker_block *w = &memory->workers[i];
		if (!counters_get(&w->pid))
			continue;
		uint64_t value = counters_get((const counters_cell *)((const char *)w + offset));
		if (!any || value < result)
			result = value;
		any = true;
	}
	return result;
}

uint64_t counters_seen(const struct counters *memory)
{
	return least(memory, offsetof(struct counters_worker_block, seen));
}

uint64_t counters_oldest(const struct counters *memory)
{
	return least(memory, offsetof(struct counters_worker_block, oldest));
}

static void add_cells(uint64_t *to, const counters_cell *cells, size_t count)
{
	for (size_t i = 0; i < count; i++)
		to[i] += counters_get(&cells[i]);
}

/* Ends before starts: a request that comes in between is then in flight, not -1. */
static void add_values(uint64_t *to, const struct counters_release_block *block)
{
	for (size_t f = COUNTERS_RELEASE_COUNT; f-- > 0;)
		to[f] += counters_get(&block->values[f]);
}

void counters_sum_release(const struct counters *memory, uint32_t slot,
			  struct counters_release *ret_sum)
{
	ASSERT(slot < COUNTERS_RELEASES);
	memset(ret_sum, 0, sizeof(*ret_sum));
	for (uint32_t i = 0; i < memory->place_count; i++) {
		const struct counters_worker_block *w = &memory->workers[i];
		for (uint32_t class = 0; class < COUNTERS_CLASSES; class ++) {
			if (!has_counted(w, slot, class))
				continue;
			add_values(ret_sum->values, &w->releases[slot][class]);
			for (size_t h = 0; h < COUNTERS_HISTOGRAM_COUNT; h++)
				add_cells(ret_sum->histograms[h],
					  w->histograms[slot][class].counts[h], HISTOGRAM_BUCKETS);
		}
	}
}

void counters_sum_class(const struct counters *memory, uint32_t slot, uint32_t class,
			struct counters_class *ret_sum)
{
	ASSERT(slot < COUNTERS_RELEASES && class < COUNTERS_CLASSES);
	memset(ret_sum, 0, sizeof(*ret_sum));
	for (uint32_t i = 0; i < memory->place_count; i++) {
		const struct counters_worker_block *w = &memory->workers[i];
		if (!has_counted(w, slot, class))
			continue;
		add_values(ret_sum->values, &w->releases[slot][class]);
		add_cells(ret_sum->first, w->histograms[slot][class].counts[COUNTERS_FIRST],
			  HISTOGRAM_BUCKETS);
	}
}

void counters_sum_environment(const struct counters *memory, uint32_t slot,
			      struct counters_environment *ret_sum)
{
	ASSERT(slot < COUNTERS_ENVIRONMENTS);
	memset(ret_sum, 0, sizeof(*ret_sum));
	for (uint32_t i = 0; i < memory->place_count; i++)
		add_cells(ret_sum->values, memory->workers[i].environments[slot].values,
			  COUNTERS_ENVIRONMENT_COUNT);
}

void counters_sum_backend(const struct counters *memory, uint32_t slot,
			  struct counters_backend *ret_sum)
{
	ASSERT(slot < COUNTERS_BACKENDS);
	uint64_t row = 0;
	memset(ret_sum, 0, sizeof(*ret_sum));
	for (uint32_t i = 0; i < memory->place_count; i++) {
		const struct counters_backend_block *b = &memory->workers[i].backends[slot];
		for (size_t f = COUNTERS_BACKEND_COUNT; f-- > 0;)
			ret_sum->values[f] += counters_get(&b->values[f]);
		uint64_t mine = counters_get(&b->values[COUNTERS_BACKEND_FAILED_IN_A_ROW]);
		row = mine > row ? mine : row;
	}
	ret_sum->values[COUNTERS_BACKEND_FAILED_IN_A_ROW] = row;
}

void counters_sum_totals(const struct counters *memory, struct counters_totals *ret_sum)
{
	memset(ret_sum, 0, sizeof(*ret_sum));
	for (uint32_t i = 0; i < memory->place_count; i++) {
		ret_sum->connections += counters_get(&memory->workers[i].connections);
		add_cells(ret_sum->values, memory->workers[i].values, COUNTERS_WORKER_COUNT);
	}
}

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

void counters_difference(const struct counters_release *now, const struct counters_release *base,
			 struct counters_release *ret_difference)
{
	for (size_t f = 0; f < COUNTERS_RELEASE_COUNT; f++)
		ret_difference->values[f] = minus(now->values[f], base->values[f]);
	for (size_t h = 0; h < COUNTERS_HISTOGRAM_COUNT; h++)
		for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
			ret_difference->histograms[h][i] =
				minus(now->histograms[h][i], base->histograms[h][i]);
}

uint64_t counters_release_in_flight(const struct counters_release *sum)
{
	return minus(sum->values[COUNTERS_RELEASE_STARTED],
		     sum->values[COUNTERS_RELEASE_COMPLETED] + sum->values[COUNTERS_RELEASE_LOST]);
}

uint64_t counters_backend_in_flight(const struct counters_backend *sum)
{
	return minus(sum->values[COUNTERS_BACKEND_STARTED],
		     sum->values[COUNTERS_BACKEND_COMPLETED] + sum->values[COUNTERS_BACKEND_LOST]);
}

#define X(upper, lower) [COUNTERS_RELEASE_##upper] = #lower,
static const char *const release_names[] = {COUNTERS_RELEASE_FIELDS(X)};
#undef X
#define X(upper, lower) [COUNTERS_ENVIRONMENT_##upper] = #lower,
static const char *const environment_names[] = {COUNTERS_ENVIRONMENT_FIELDS(X)};
#undef X
#define X(upper, lower) [COUNTERS_BACKEND_##upper] = #lower,
static const char *const backend_names[] = {COUNTERS_BACKEND_FIELDS(X)};
#undef X
#define X(upper, lower) [COUNTERS_WORKER_##upper] = #lower,
static const char *const worker_names[] = {COUNTERS_WORKER_FIELDS(X)};
#undef X

const char *counters_release_name(enum counters_release_field field)
{
	return release_names[field];
}

const char *counters_environment_name(enum counters_environment_field field)
{
	return environment_names[field];
}

const char *counters_backend_name(enum counters_backend_field field)
{
	return backend_names[field];
}

const char *counters_worker_name(enum counters_worker_field field)
{
	return worker_names[field];
}
