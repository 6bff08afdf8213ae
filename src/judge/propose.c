/* SPDX-License-Identifier: Apache-2.0
 * propose - see propose.h for the contract. */
#include "judge/propose.h"

#include <math.h>

static const double SHARES[PROPOSE_SHARES] = {0.01, 0.02, 0.05, 0.1, 0.2, 0.5};
/* A release that takes more than so many requests to catch is not looked for. */
static const double REQUESTS_MOST = PROPOSE_REQUESTS_MOST;
/* Chance makes nine in ten of these runs a little fewer of all: a tenth more time. */
static const double MARGIN = 1.1;
static const double LATER_S = 120, AT_MOST_TIMES = 3, AT_MOST_LEAST_S = 900;

/* A time that people would write: whole 10 seconds, then minutes, then hours. */
static double round_up(double seconds)
{
	double unit = seconds <= 600 ? 10 : seconds <= 36000 ? 60 : 3600;
	return ceil(seconds / unit) * unit;
}

static struct judge_power_step step_of(double share, double at_least_s)
{
	double at_most_s = AT_MOST_TIMES * at_least_s;
	return (struct judge_power_step){.share = share,
					 .at_least_s = at_least_s,
					 .at_most_s = at_most_s > AT_MOST_LEAST_S ? at_most_s
										  : AT_MOST_LEAST_S,
					 .judged = true};
}

/* Seconds until nine in ten are caught at this share; 0: they are not. */
static double time_at(struct judge_power *power, const struct judge_settings *settings,
		      const struct judge_power_traffic *traffic, double share, double errors)
{
	double seconds = REQUESTS_MOST / (traffic->requests_per_s * share);
	struct judge_power_step step = {
		.share = share, .at_least_s = seconds, .at_most_s = seconds};
	struct judge_power_outcome outcome;
	judge_power_begin(power, settings, traffic, &step, 1);
	judge_power_run(power, &(struct judge_power_release){.errors = errors}, &outcome);
	return MARGIN * outcome.requests_most / (traffic->requests_per_s * share);
}

static void add_later(struct judge_proposal *to)
{
	static const double LATER[] = {0.1, 0.5};
	for (uint32_t i = 0; i < sizeof LATER / sizeof LATER[0]; i++)
		if (LATER[i] > to->steps[0].share)
			to->steps[to->step_count++] = step_of(LATER[i], LATER_S);
}

void judge_propose(struct judge_power *power, const struct judge_settings *settings,
		   const struct judge_power_traffic *traffic, double errors,
		   struct judge_proposal *to)
{
	struct judge_power_outcome good;
	double fastest = 0, share = 0;
	*to = (struct judge_proposal){0};
	for (uint32_t i = 0; i < PROPOSE_SHARES; i++) {
		double seconds = time_at(power, settings, traffic, SHARES[i], errors);
		if (seconds <= 0 && fastest <= 0)
			return; /* a greater share would take more requests */
		if (seconds <= 0 || (fastest > 0 && seconds >= fastest))
			continue;
		fastest = seconds;
		share = SHARES[i];
		if (seconds <= PROPOSE_TIME_S)
			break;
	}
	to->found = true;
	to->slow = fastest > PROPOSE_TIME_S;
	to->steps[to->step_count++] = step_of(share, round_up(fastest));
	add_later(to);
	judge_power_begin(power, settings, traffic, to->steps, to->step_count);
	judge_power_run(power, &(struct judge_power_release){.errors = errors}, &to->outcome);
	judge_power_run(power, &(struct judge_power_release){.errors = traffic->errors}, &good);
	for (uint32_t s = 0; s < to->step_count; s++)
		to->good_s += good.step_s[s];
}
