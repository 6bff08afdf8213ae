/* SPDX-License-Identifier: Apache-2.0
 * selfcheck - see selfcheck.h for the contract. */
#include "judge/selfcheck.h"

static const double RAISED_BY = 1.5, PHI_MOST = 10;
enum { TURN_SECONDS = 600 };

static void begin_turn(struct judge_selfcheck *check, uint32_t place)
{
	struct judge_settings settings;
	judge_settings_default(&settings);
	judge_proportion_begin(&check->errors, &settings.metrics[JUDGE_METRIC_ERRORS].proportion);
	check->errors.dispersion.least = check->phi_least;
	check->place = place;
	check->seconds = 0;
	check->turns++;
}

void judge_selfcheck_begin(struct judge_selfcheck *check)
{
	*check = (struct judge_selfcheck){.phi_least = 1};
	begin_turn(check, 0);
}

static struct judge_table table_of(const struct judge_member *members, uint32_t count,
				   uint32_t place)
{
	struct judge_table t = {0};
	for (uint32_t i = 0; i < count; i++) {
		uint64_t requests = members[i].requests > members[i].errors ? members[i].requests
									    : members[i].errors;
		*(i == place ? &t.new_requests : &t.live_requests) += requests;
		*(i == place ? &t.new_events : &t.live_events) += members[i].errors;
	}
	return t;
}

bool judge_selfcheck_second(struct judge_selfcheck *check, const struct judge_member *members,
			    uint32_t count, double alpha)
{
	if (count < 2)
		return false;
	if (check->place >= count || check->seconds >= TURN_SECONDS)
		begin_turn(check, (check->place + 1) % count);
	struct judge_table table = table_of(members, count, check->place);
	judge_proportion_tick(&check->errors, &table, 1);
	judge_proportion_second(&check->errors);
	check->seconds++;
	if (judge_proportion_worse(&check->errors) < 1 / alpha)
		return false;
	check->alarms++;
	check->phi_least *= RAISED_BY;
	if (check->phi_least > PHI_MOST)
		check->phi_least = PHI_MOST;
	begin_turn(check, (check->place + 1) % count);
	return true;
}
