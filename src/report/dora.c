/* SPDX-License-Identifier: Apache-2.0
 * dora - see dora.h for the contract. */
#include "report/dora.h"

#include <string.h>

const char *dora_kind_name(enum dora_kind kind)
{
	static const char *const names[] = {
#define X(name, text) text,
		DORA_KINDS(X)
#undef X
	};
	return names[kind];
}

static bool is_new(const struct dora_deployment *d)
{
	return d->kind == DORA_NORMAL || d->kind == DORA_HOTFIX;
}

static bool within(const struct dora_input *input, uint64_t at)
{
	return at >= input->from_unix_ms && at < input->to_unix_ms && at > 0;
}

/* Until when a rollback or a repair is held against it. */
static uint64_t blame_ends(const struct dora_input *input, const struct dora_deployment *d)
{
	uint64_t end = d->completed_unix_ms + DORA_DAY_MS;
	for (uint32_t i = 0; i < input->deployment_count; i++) {
		const struct dora_deployment *next = &input->deployments[i];
		if (next->kind == DORA_NORMAL && next->id != d->id &&
		    next->started_unix_ms > d->completed_unix_ms && next->started_unix_ms < end)
			end = next->started_unix_ms;
	}
	return end;
}

/* The first that repaired it or took it back while it was to blame. */
static const struct dora_deployment *answer_to(const struct dora_input *input,
					       const struct dora_deployment *d)
{
	const struct dora_deployment *first = NULL;
	uint64_t end = blame_ends(input, d);
	for (uint32_t i = 0; i < input->deployment_count; i++) {
		const struct dora_deployment *o = &input->deployments[i];
		if (o->about != d->id || (o->kind != DORA_ROLLBACK && o->kind != DORA_HOTFIX) ||
		    o->started_unix_ms < d->completed_unix_ms || o->started_unix_ms > end)
			continue;
		if (!first || o->started_unix_ms < first->started_unix_ms ||
		    (o->started_unix_ms == first->started_unix_ms && o->id < first->id))
			first = o;
	}
	return first;
}

void dora_row(const struct dora_input *input, uint32_t index, struct dora_row *ret_row)
{
	const struct dora_deployment *d = &input->deployments[index];
	*ret_row = (struct dora_row){.in_window = within(input, d->completed_unix_ms)};
	if (!is_new(d) || d->completed_unix_ms == 0)
		return;
	ret_row->counted = ret_row->in_window && d->succeeded;
	ret_row->exposed = d->exposed_unix_ms > 0;
	uint64_t restored_at = d->restored ? d->completed_unix_ms : 0;
	if (d->succeeded) {
		const struct dora_deployment *answer = answer_to(input, d);
		ret_row->failed = ret_row->exposed && answer;
		ret_row->by = answer ? answer->id : 0;
		restored_at = answer && answer->succeeded ? answer->completed_unix_ms : 0;
	} else {
		ret_row->failed = ret_row->exposed;
	}
	ret_row->restored = ret_row->failed && restored_at > d->exposed_unix_ms;
	if (ret_row->restored)
		ret_row->recovery_ms = restored_at - d->exposed_unix_ms;
}

/* Shell's sort: no memory, and short. */
static void sort(uint64_t *values, uint32_t count)
{
	for (uint32_t gap = count / 2; gap > 0; gap /= 2)
		for (uint32_t i = gap; i < count; i++) {
			uint64_t value = values[i];
			uint32_t k = i;
			for (; k >= gap && values[k - gap] > value; k -= gap)
				values[k] = values[k - gap];
			values[k] = value;
		}
}

static uint64_t at_rank(const uint64_t *sorted, uint32_t n, uint32_t percent)
{
	uint32_t rank = (uint32_t)(((uint64_t)n * percent + 99) / 100);
	return sorted[rank - 1];
}

static void spread_of(uint64_t *values, uint32_t n, struct dora_spread *to)
{
	*to = (struct dora_spread){.n = n};
	if (n < DORA_LEAST || n > DORA_TIMES_MAX)
		return;
	sort(values, n);
	to->p50_ms = at_rank(values, n, 50);
	to->p90_ms = at_rank(values, n, 90);
}

static void keep(struct dora_numbers *to, uint32_t *n, uint64_t value)
{
	if (*n < DORA_TIMES_MAX)
		to->times[*n] = value;
	(*n)++;
}

/* The moments at which those that count were completed, in order. */
static void compute_frequency(const struct dora_input *input, struct dora_numbers *to)
{
	struct dora_row row;
	uint32_t n = 0;
	for (uint32_t i = 0; i < input->deployment_count; i++) {
		dora_row(input, i, &row);
		if (row.counted)
			keep(to, &n, input->deployments[i].completed_unix_ms);
	}
	to->deployments = n;
	to->per_day = to->days > 0 ? n / to->days : 0;
	to->gap.n = n > 0 ? n - 1 : 0;
	if (input->to_unix_ms > input->from_unix_ms)
		to->days_touched = (uint32_t)((input->to_unix_ms - 1) / DORA_DAY_MS -
					      input->from_unix_ms / DORA_DAY_MS + 1);
	if (n == 0 || n > DORA_TIMES_MAX)
		return;
	sort(to->times, n);
	to->days_with = 1;
	for (uint32_t i = 1; i < n; i++)
		to->days_with += to->times[i] / DORA_DAY_MS != to->times[i - 1] / DORA_DAY_MS;
	for (uint32_t i = 1; i < n; i++)
		to->times[i - 1] = to->times[i] - to->times[i - 1];
	spread_of(to->times, n - 1, &to->gap);
}

static void compute_failures(const struct dora_input *input, struct dora_numbers *to)
{
	struct dora_row row;
	uint32_t n = 0;
	for (uint32_t i = 0; i < input->deployment_count; i++) {
		const struct dora_deployment *d = &input->deployments[i];
		dora_row(input, i, &row);
		if (!row.in_window)
			continue;
		to->rollbacks += d->kind == DORA_ROLLBACK;
		to->hotfixes += d->kind == DORA_HOTFIX && d->about != 0;
		to->all += is_new(d);
		to->exposed += row.exposed;
		to->failed += row.failed;
		to->caught_unexposed += is_new(d) && !row.exposed && !d->succeeded;
		to->ongoing += row.failed && !row.restored;
		if (row.restored)
			keep(to, &n, row.recovery_ms);
	}
	spread_of(to->times, n, &to->recovery);
}

/* The deployment that a commit counts with; NULL: none, or it does not count. */
static const struct dora_deployment *brought_by(const struct dora_input *input,
						const struct dora_commit *commit)
{
	for (uint32_t i = 0; i < input->deployment_count; i++) {
		const struct dora_deployment *d = &input->deployments[i];
		if (d->id == commit->deployment && is_new(d) && d->succeeded &&
		    within(input, d->completed_unix_ms))
			return d;
	}
	return NULL;
}

bool dora_lead(const struct dora_input *input, const struct dora_commit *commit,
	       uint64_t *ret_lead_ms)
{
	const struct dora_deployment *d = commit->merge ? NULL : brought_by(input, commit);
	bool ahead = commit->pushed_unix_ms > 0 && commit->made_unix_ms > commit->pushed_unix_ms;
	uint64_t from = ahead ? commit->pushed_unix_ms : commit->made_unix_ms;
	if (d)
		*ret_lead_ms = d->completed_unix_ms > from ? d->completed_unix_ms - from : 0;
	return d != NULL;
}

static void compute_lead(const struct dora_input *input, struct dora_numbers *to)
{
	uint32_t n = 0;
	uint64_t lead_ms;
	for (uint32_t i = 0; i < input->commit_count; i++)
		if (dora_lead(input, &input->commits[i], &lead_ms))
			keep(to, &n, lead_ms);
	spread_of(to->times, n, &to->lead);
}

void dora_compute(const struct dora_input *input, struct dora_numbers *ret_numbers)
{
	memset(ret_numbers, 0, sizeof *ret_numbers);
	ret_numbers->hotfixes_known = input->hotfixes_known;
	if (input->to_unix_ms > input->from_unix_ms)
		ret_numbers->days = (double)(input->to_unix_ms - input->from_unix_ms) / DORA_DAY_MS;
	compute_frequency(input, ret_numbers);
	compute_failures(input, ret_numbers);
	compute_lead(input, ret_numbers);
}
