/* SPDX-License-Identifier: Apache-2.0
 * mann_whitney - see mann_whitney.h for the contract. */
#include "judge/mann_whitney.h"

#include <float.h>
#include <math.h>

#include "base/err.h"
#include "judge/special.h"

static const double ROOT_TOLERANCE = 1e-4;

struct ranks {
	double sum;  /* of the ranks of x - mu among all, ties sharing their mean */
	double ties; /* sum of t³ - t over the groups of t equal values */
};

/* How many values from `at` on, less mu, equal `value`. */
static uint32_t equal_to(const struct mann_whitney_sample *s, uint32_t at, double mu, double value)
{
	uint32_t end = at;
	while (end < s->count && s->sorted[end] - mu == value)
		end++;
	return end - at;
}

/* Merges the two: subtracting mu keeps x sorted. All sums are exact. */
static struct ranks rank(const struct mann_whitney_sample *x, const struct mann_whitney_sample *y,
			 double mu)
{
	struct ranks r = {0};
	for (uint32_t i = 0, j = 0; i < x->count || j < y->count;) {
		double next_x = i < x->count ? x->sorted[i] - mu : INFINITY;
		double next_y = j < y->count ? y->sorted[j] : INFINITY;
		double value = fmin(next_x, next_y);
		uint32_t of_x = equal_to(x, i, mu, value), of_y = equal_to(y, j, 0, value);
		double tied = (double)of_x + of_y;
		r.sum += of_x * (i + j + (tied + 1) / 2);
		r.ties += tied * tied * tied - tied;
		i += of_x;
		j += of_y;
	}
	return r;
}

static void check(const struct mann_whitney_sample *s)
{
	ASSERT(s->count > 0 && s->count <= SAMPLE_MAX);
	ASSERT(s->sorted[0] >= -MANN_WHITNEY_VALUE_MAX);
	ASSERT(s->sorted[s->count - 1] <= MANN_WHITNEY_VALUE_MAX);
}

/* How far the rank sum is above what it is to be without a shift. */
static double excess(const struct mann_whitney_sample *x, const struct mann_whitney_sample *y,
		     double rank_sum)
{
	double n = x->count, m = y->count;
	return rank_sum - n * (n + 1) / 2 - n * m / 2;
}

double mann_whitney_z(const struct mann_whitney_sample *x, const struct mann_whitney_sample *y,
		      double mu, double quantile)
{
	check(x);
	check(y);
	double n = x->count, m = y->count, all = n + m;
	struct ranks r = rank(x, y, mu);
	double above = excess(x, y, r.sum);
	double continuity = above > 0 ? 0.5 : above < 0 ? -0.5 : 0;
	double variance = n * m / 12 * (all + 1 - r.ties / (all * (all - 1)));
	if (variance <= 0)
		return NAN;
	return (above - continuity) / sqrt(variance) - quantile;
}

double mann_whitney_chance_above(const struct mann_whitney_sample *x,
				 const struct mann_whitney_sample *y)
{
	check(x);
	check(y);
	double pairs = (double)x->count * y->count;
	return excess(x, y, rank(x, y, 0).sum) / pairs + 0.5;
}

/* Where z(mu) - quantile is sought to be 0. */
struct crossing {
	const struct mann_whitney_sample *x, *y;
	double quantile;
};

static double at(const struct crossing *c, double mu)
{
	return mann_whitney_z(c->x, c->y, mu, c->quantile);
}

struct point {
	double mu, z;
};

/* The step from `best` that interpolation suggests: a secant, or an inverse parabola through three
 * points; 0 where it would not beat halving. `before` is the step that led here. */
static double interpolate(struct point last, struct point best, struct point other, double before,
			  double tolerance)
{
	double p, q, width = other.mu - best.mu;
	if (last.mu == other.mu) {
		double s = best.z / last.z;
		p = width * s;
		q = 1 - s;
	} else {
		double r = best.z / other.z, s = best.z / last.z, t = last.z / other.z;
		p = s * (width * t * (t - r) - (best.mu - last.mu) * (r - 1));
		q = (t - 1) * (r - 1) * (s - 1);
	}
	if (p > 0)
		q = -q;
	else
		p = -p;
	bool inside = p < 0.75 * width * q - fabs(tolerance * q) / 2;
	return inside && p < fabs(before * q / 2) ? p / q : 0;
}

/* Brent's method between two ends of opposite sign: `best` and `other` always hold the root between
 * them, `last` is where `best` was before. */
static double root(const struct crossing *c, struct point low, struct point high)
{
	enum { STEPS_MAX = 1001 };
	struct point last = low, best = high, other = low;
	for (int i = 0; i < STEPS_MAX; i++) {
		double before = best.mu - last.mu;
		if (fabs(other.z) < fabs(best.z)) {
			last = best;
			best = other;
			other = last;
		}
		double tolerance = 2 * DBL_EPSILON * fabs(best.mu) + ROOT_TOLERANCE / 2;
		double step = (other.mu - best.mu) / 2;
		if (fabs(step) <= tolerance || best.z == 0)
			break;
		if (fabs(before) >= tolerance && fabs(last.z) > fabs(best.z)) {
			double better = interpolate(last, best, other, before, tolerance);
			step = better != 0 ? better : step;
		}
		if (fabs(step) < tolerance)
			step = step > 0 ? tolerance : -tolerance;
		last = best;
		best.mu += step;
		best.z = at(c, best.mu);
		if ((best.z > 0 && other.z > 0) || (best.z < 0 && other.z < 0))
			other = last;
	}
	return best.mu;
}

/* Where z meets `quantile`, or the end of the range beyond which it does. */
static double meet(struct crossing c, double quantile, double from, double to)
{
	c.quantile = quantile;
	struct point low = {from, at(&c, from)}, high = {to, at(&c, to)};
	if (low.z <= 0 || high.z >= 0)
		return low.z <= 0 ? from : to;
	return root(&c, low, high);
}

bool mann_whitney_shift(const struct mann_whitney_sample *x, const struct mann_whitney_sample *y,
			double confidence, struct mann_whitney_shift *ret_shift)
{
	ASSERT(confidence > 0 && confidence < 1);
	check(x);
	check(y);
	struct crossing c = {.x = x, .y = y};
	double from = x->sorted[0] - y->sorted[y->count - 1];
	double to = x->sorted[x->count - 1] - y->sorted[0];
	if (isnan(at(&c, from)) || isnan(at(&c, to)))
		return false;
	double quantile = normal_quantile((1 - confidence) / 2);
	*ret_shift = (struct mann_whitney_shift){
		.low = meet(c, -quantile, from, to),
		.high = meet(c, quantile, from, to),
		.estimate = meet(c, 0, from, to),
	};
	return true;
}
