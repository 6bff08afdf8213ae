/* SPDX-License-Identifier: Apache-2.0
 * sample_ratio - see sample_ratio.h for the contract. */
#include "judge/sample_ratio.h"

#include <math.h>

#include "base/text.h"
#include "judge/beta_binomial.h"

/* Requests imagined beforehand: shares that are off by a tenth and more are found soonest. */
static const double STRENGTH = 100;
static const double LOG_ODDS_MAX = 690; /* 1e300 is still a number */

void sample_ratio_begin(struct sample_ratio *s)
{
	*s = (struct sample_ratio){0};
	judge_dispersion_begin(&s->dispersion, false);
}

/* Two stretches of time are compared only within one weight. */
static void forget_halves(struct judge_dispersion *d)
{
	for (uint32_t i = 0; i < JUDGE_DISPERSION_SCALES; i++) {
		d->scales[i].requests = d->scales[i].events = 0;
		d->scales[i].last_requests = d->scales[i].last_events = 0;
	}
}

static void begin_stretch(struct sample_ratio *s, uint64_t new_open, uint64_t live_open)
{
	s->stretch++;
	s->seconds = 0;
	s->new_done = s->live_done = 0;
	s->new_counted = s->live_counted = 0;
	s->new_left = s->live_left = 0;
	s->new_before = s->new_open = new_open;
	s->live_before = s->live_open = live_open;
}

/* What ended in the tick with which it goes on may have been divided in the pause. */
static void go_on(struct sample_ratio *s, const struct sample_ratio_tick *t)
{
	s->paused = false;
	s->new_left += s->new_open;
	s->live_left += s->live_open;
	s->new_before += t->new_open;
	s->live_before += t->live_open;
	s->new_open = t->new_open;
	s->live_open = t->live_open;
	forget_halves(&s->dispersion);
}

/* What ended in the first tick may have been divided before. */
static void change(struct sample_ratio *s, const struct sample_ratio_tick *t)
{
	bool divided = t->weight_bp < SHARE_FULL_BP;
	s->weight_bp = divided ? t->weight_bp : 0;
	s->paused = false;
	forget_halves(&s->dispersion);
	if (divided)
		begin_stretch(s, t->new_open, t->live_open);
}

static void count(struct sample_ratio *s, const struct sample_ratio_tick *t)
{
	double phi = judge_dispersion_phi(&s->dispersion);
	judge_dispersion_add(&s->dispersion, t->new_done + t->live_done, t->new_done);
	s->new_done += t->new_done;
	s->live_done += t->live_done;
	s->new_counted += (double)t->new_done / phi;
	s->live_counted += (double)t->live_done / phi;
	s->new_open = t->new_open;
	s->live_open = t->live_open;
}

void sample_ratio_tick(struct sample_ratio *s, const struct sample_ratio_tick *t)
{
	if (t->weight_bp == 0)
		s->paused = true;
	else if (t->weight_bp != s->weight_bp)
		change(s, t);
	else if (s->paused)
		go_on(s, t);
	else
		count(s, t);
}

void sample_ratio_second(struct sample_ratio *s)
{
	if (s->weight_bp == 0 || s->paused)
		return;
	judge_dispersion_second(&s->dispersion);
	s->seconds++;
	if (s->seconds >= SAMPLE_RATIO_STRETCH_S && !sample_ratio_is_off(s))
		begin_stretch(s, s->new_open, s->live_open);
}

bool sample_ratio_known(const struct sample_ratio *s)
{
	return s->weight_bp > 0 && s->new_done + s->live_done > 0;
}

/* Against "this release has at least `share`": with all that is under way there, and without what the other one may
 * have had from before. */
static double log_e_too_few(double share, double own, double own_open, double others,
			    double others_before)
{
	struct beta_binomial others_test = beta_binomial_around(1 - share, STRENGTH);
	double most = own + own_open;
	double least = others > others_before ? others - others_before : 0;
	return beta_binomial_log_e_above(&others_test, least, least + most);
}

double sample_ratio_odds(const struct sample_ratio *s)
{
	if (s->weight_bp == 0)
		return 1;
	double share = (double)s->weight_bp / SHARE_FULL_BP, rest = 1 - share;
	double tolerated = SAMPLE_RATIO_TOLERANCE * (share < rest ? share : rest);
	double new_open = (double)(s->new_left + s->new_open),
	       live_open = (double)(s->live_left + s->live_open);
	double few = log_e_too_few(share - tolerated, s->new_counted, new_open, s->live_counted,
				   (double)s->live_before);
	double many = log_e_too_few(rest - tolerated, s->live_counted, live_open, s->new_counted,
				    (double)s->new_before);
	double level = 1.0 / ((double)s->stretch * (s->stretch + 1.0));
	return level / 2 * (exp(fmin(few, LOG_ODDS_MAX)) + exp(fmin(many, LOG_ODDS_MAX)));
}

bool sample_ratio_is_off(const struct sample_ratio *s)
{
	return sample_ratio_odds(s) >= 1 / SAMPLE_RATIO_LEVEL;
}

void sample_ratio_put(struct judge_line *line, const struct sample_ratio *s)
{
	uint64_t all = s->new_done + s->live_done;
	judge_line_put(line, "the new release completed ");
	judge_line_count(line, s->new_done);
	judge_line_put(line, " of ");
	judge_line_count(line, all);
	judge_line_put(line, " requests that were divided by weight (");
	judge_line_share(line, s->new_done, all > 0 ? all : 1);
	judge_line_put(line, "), where its weight is ");
	judge_line_share(line, s->weight_bp, SHARE_FULL_BP);
	judge_line_put(line, "; the odds are ");
	judge_line_odds(line, sample_ratio_odds(s));
	judge_line_put(line, " that the gateway does not divide as it was told; nothing passes "
			     "before it is understood");
}
