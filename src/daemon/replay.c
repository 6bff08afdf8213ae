/* SPDX-License-Identifier: Apache-2.0
 * replay - see replay.h for the contract. */
#include "daemon/replay.h"

#include <string.h>

const struct replay_changes replay_as_it_was = {-1, -1, -1, -1, -1};

static void change(double *setting, double to)
{
	if (to >= 0)
		*setting = to;
}

static void adjust(void *context, struct judge_settings *settings)
{
	struct replay *r = context;
	const struct replay_changes *changes = &r->changes;
	struct judge_proportion_settings *errors =
		&settings->metrics[JUDGE_METRIC_ERRORS].proportion;
	r->was = *settings;
	change(&settings->alpha, changes->alpha);
	change(&settings->beta, changes->beta);
	change(&errors->ratio, changes->worse_by < 0 ? -1 : 1 + changes->worse_by);
	change(&errors->points, changes->or_points);
	change(&errors->fine_share, changes->pass_below);
}

void replay_begin(struct replay *r, const struct replay_changes *changes)
{
	memset(r, 0, sizeof *r);
	r->changes = *changes;
	r->reader.judge = &r->judge;
	r->reader.adjust = adjust;
	r->reader.context = r;
}

static void add(struct replay_counts *to, const struct judge_arm *arm)
{
	to->requests += arm->requests;
	for (uint32_t c = 0; c < JUDGE_ERROR_COUNT; c++)
		to->errors += arm->errors[c];
}

static void count(struct replay *r)
{
	const struct judge_tick *tick = &r->reader.tick;
	for (uint32_t s = 0; s < tick->cell_count && !r->began; s++)
		r->began = tick->cells[s].new_release.requests > 0 ||
			   tick->cells[s].new_release.hangs > 0;
	for (uint32_t s = 0; s < tick->cell_count; s++) {
		add(&r->fresh, &tick->cells[s].new_release);
		add(r->began ? &r->live : &r->past, &tick->cells[s].live_release);
	}
	if (!r->began)
		r->past_ms = r->judge.time_ms;
}

int replay_line(struct replay *r, const char *line, size_t size, struct error *err)
{
	int status = tick_text_feed(&r->reader, line, size, err);
	if (status < 0)
		return status;
	if (r->reader.line == TICK_TEXT_TICK)
		count(r);
	judge_decide(&r->judge, &r->result);
	if (r->result.verdict == JUDGE_VERDICT_FAIL && !r->failed) {
		r->failed = true;
		r->failure = r->result;
		r->failed_ms = replay_time_ms(r);
	}
	return 0;
}

uint64_t replay_time_ms(const struct replay *r)
{
	return r->judge.time_ms - r->past_ms;
}
