/* SPDX-License-Identifier: Apache-2.0
 * past - see past.h for the contract. */
#include "control/past.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

struct past_second {
	uint32_t elapsed_ms, cell_count, live_count;
	struct judge_arm arms[JUDGE_STRATA_MAX]; /* their slots follow each other in `slots` */
	struct judge_member members[JUDGE_INSTANCES_MAX];
	struct judge_table extras[PAST_EXTRAS];
	struct judge_slot slots[];
};

void past_keep(struct past *past, const struct judge_tick *tick)
{
	uint32_t slots = 0;
	for (uint32_t c = 0; c < tick->cell_count; c++)
		slots += tick->cells[c].live_release.slot_count;
	if (slots > PAST_SLOTS_MAX)
		return;
	struct past_second *s = mem_new(sizeof *s + slots * sizeof s->slots[0]);
	*s = (struct past_second){.elapsed_ms = tick->elapsed_ms,
				  .cell_count = tick->cell_count,
				  .live_count = tick->live_count};
	memcpy(s->members, tick->live_members, sizeof s->members);
	memcpy(s->extras, tick->extras, sizeof s->extras);
	struct judge_slot *to = s->slots;
	for (uint32_t c = 0; c < tick->cell_count; c++) {
		s->arms[c] = tick->cells[c].live_release;
		s->arms[c].slots = to;
		if (s->arms[c].slot_count > 0)
			memcpy(to, tick->cells[c].live_release.slots,
			       s->arms[c].slot_count * sizeof *to);
		to += s->arms[c].slot_count;
	}
	free(past->seconds[past->next]);
	past->seconds[past->next] = s;
	past->next = (past->next + 1) % PAST_SECONDS;
	if (past->count < PAST_SECONDS)
		past->count++;
}

void past_feed(const struct past *past, void (*feed)(void *context, const struct judge_tick *tick),
	       void *context)
{
	for (uint32_t i = past->count; i > 0; i--) {
		const struct past_second *s =
			past->seconds[(past->next + PAST_SECONDS - i) % PAST_SECONDS];
		struct judge_tick tick = {.elapsed_ms = s->elapsed_ms,
					  .cell_count = s->cell_count,
					  .live_count = s->live_count};
		for (uint32_t c = 0; c < s->cell_count; c++)
			tick.cells[c].live_release = s->arms[c];
		memcpy(tick.live_members, s->members, sizeof tick.live_members);
		memcpy(tick.extras, s->extras, sizeof s->extras);
		feed(context, &tick);
	}
}

struct adding {
	struct past_sum *sum;
	struct judge_proportion errors;
};

static void add_tick(void *context, const struct judge_tick *tick)
{
	struct adding *adding = context;
	uint64_t requests = 0, errors = 0;
	for (uint32_t c = 0; c < tick->cell_count; c++) {
		const struct judge_arm *arm = &tick->cells[c].live_release;
		uint64_t failed = 0;
		for (uint32_t i = 0; i < JUDGE_ERROR_COUNT; i++)
			failed += arm->errors[i];
		requests += arm->requests - (arm->repeated < arm->requests ? arm->repeated : 0);
		errors += failed - (arm->repeated < failed ? arm->repeated : failed);
	}
	adding->sum->seconds += tick->elapsed_ms / 1000.0;
	adding->sum->requests += (double)requests;
	adding->sum->errors += (double)errors;
	judge_proportion_learn(&adding->errors, requests, errors);
	judge_proportion_second(&adding->errors);
}

void past_add_up(const struct past *past, struct past_sum *ret_sum)
{
	struct adding adding = {.sum = ret_sum};
	struct judge_settings settings;
	judge_settings_default(&settings);
	judge_proportion_begin(&adding.errors, &settings.metrics[JUDGE_METRIC_ERRORS].proportion);
	*ret_sum = (struct past_sum){0};
	past_feed(past, add_tick, &adding);
	ret_sum->remembered_requests = adding.errors.past_requests;
	ret_sum->remembered_errors = adding.errors.past_events;
}

void past_forget(struct past *past)
{
	for (uint32_t i = 0; i < PAST_SECONDS; i++)
		free(past->seconds[i]);
	*past = (struct past){0};
}
