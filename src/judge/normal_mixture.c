/* SPDX-License-Identifier: Apache-2.0
 * normal_mixture - see normal_mixture.h for the contract. */
#include "judge/normal_mixture.h"

#include <math.h>

#include "base/err.h"
#include "judge/special.h"

double normal_mixture_rho(double v, double alpha)
{
	ASSERT(v > 0 && alpha > 0 && alpha < 1);
	double evidence = 2 * log(1 / alpha);
	return v / (evidence + log1p(evidence));
}

double normal_mixture_two_sided(double s, double v, double rho)
{
	ASSERT(v >= 0 && rho > 0);
	return s * s / (2 * (v + rho)) - log1p(v / rho) / 2;
}

double normal_mixture_one_sided(double s, double v, double rho)
{
	return normal_mixture_two_sided(s, v, rho) + log(2) + log_normal_cdf(s / sqrt(v + rho));
}

struct normal_mixture normal_mixture_start(double delta, double expected, double alpha)
{
	ASSERT(isfinite(delta) && expected >= 1 && expected <= 1e11 && alpha > 0 && alpha < 1);
	return (struct normal_mixture){.delta = delta, .expected = expected, .alpha = alpha};
}

/* What the next batch of this arm varies by, as far as the past tells. */
static double foreseen(const struct normal_arm *arm)
{
	return arm->freedom > 0 ? fmax(arm->last, arm->squares / arm->freedom) : 0;
}

static void learn(struct normal_arm *arm, const struct normal_batch *batch)
{
	if (batch->requests < 2)
		return;
	double freedom = (double)(batch->requests - 1);
	arm->last = batch->variance;
	arm->squares += batch->variance * freedom;
	arm->freedom += freedom;
}

/* Add one batch by the variances foreseen, which are not both 0. */
static void count(struct normal_mixture *test, const struct normal_batch *new_release,
		  const struct normal_batch *live_release, double variance_new,
		  double variance_live)
{
	double n = (double)new_release->requests, m = (double)live_release->requests;
	double weight = n / (n + m) * m;
	test->sum += weight * (new_release->mean - live_release->mean - test->delta);
	test->weight += weight;
	test->variance += weight * weight * (variance_new / n + variance_live / m);
	test->batches++;
	test->new_release.requests += new_release->requests;
	test->live_release.requests += live_release->requests;
}

void normal_mixture_add(struct normal_mixture *test, const struct normal_batch *new_release,
			const struct normal_batch *live_release)
{
	ASSERT(isfinite(new_release->mean) && isfinite(live_release->mean));
	ASSERT(isfinite(new_release->variance) && new_release->variance >= 0);
	ASSERT(isfinite(live_release->variance) && live_release->variance >= 0);
	double a = foreseen(&test->new_release), b = foreseen(&test->live_release);
	bool known = test->new_release.freedom > 0 && test->live_release.freedom > 0;
	if (known && a + b > 0 && new_release->requests > 0 && live_release->requests > 0) {
		if (test->rho == 0)
			test->rho = normal_mixture_rho(test->expected * fmax(a, b),
						       fmin(2 * test->alpha, 0.5));
		count(test, new_release, live_release, a, b);
	}
	learn(&test->new_release, new_release);
	learn(&test->live_release, live_release);
}

bool normal_mixture_ready(const struct normal_mixture *test)
{
	return test->batches >= NORMAL_MIXTURE_BATCHES &&
	       test->new_release.requests >= NORMAL_MIXTURE_REQUESTS &&
	       test->live_release.requests >= NORMAL_MIXTURE_REQUESTS;
}

double normal_mixture_log_e_above(const struct normal_mixture *test)
{
	if (!normal_mixture_ready(test))
		return 0;
	return normal_mixture_one_sided(test->sum, test->variance, test->rho);
}

double normal_mixture_log_e(const struct normal_mixture *test)
{
	if (!normal_mixture_ready(test))
		return 0;
	return normal_mixture_two_sided(test->sum, test->variance, test->rho);
}

struct normal_band normal_mixture_band(const struct normal_mixture *test, double alpha)
{
	ASSERT(alpha > 0 && alpha < 1);
	if (!normal_mixture_ready(test))
		return (struct normal_band){.low = -INFINITY, .high = INFINITY};
	double spread = test->variance + test->rho;
	double reach = sqrt(spread * (2 * log(1 / alpha) + log1p(test->variance / test->rho)));
	double middle = test->delta + test->sum / test->weight;
	return (struct normal_band){.low = middle - reach / test->weight,
				    .high = middle + reach / test->weight};
}
