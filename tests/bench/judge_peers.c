/* SPDX-License-Identifier: Apache-2.0
 * judge_peers - see judge_peers.h for the contract. */
#include "judge_peers.h"

#include <math.h>

#include "judge/beta_binomial.h"

static const double PEER_ALPHA = 0.01, ORACLE_ALPHA = 0.001;
enum { MINUTE_S = 60 };

static void add_table(struct judge_table *sum, const struct judge_table *t)
{
	sum->new_requests += t->new_requests;
	sum->new_events += t->new_events;
	sum->live_requests += t->live_requests;
	sum->live_events += t->live_events;
}

static double share_of(uint64_t events, uint64_t requests)
{
	return requests > 0 ? (double)events / (double)requests : 0;
}

static bool minute_is_over(const struct peer *peer)
{
	return peer->seconds % MINUTE_S == 0;
}

/* A minute with a success rate below 99 % is a failed check; `setting` of them abort. */
static bool threshold(struct peer *peer, const struct peer_second *now)
{
	(void)now;
	if (!minute_is_over(peer) || peer->minute.new_requests == 0)
		return false;
	peer->failures += share_of(peer->minute.new_events, peer->minute.new_requests) > 0.01;
	return peer->failures >= (uint32_t)peer->kind->setting;
}

/* Every minute one point of each side, and all points judged again; from `setting` points on. */
static bool kayenta_says_high(struct peer *peer, uint64_t requests, uint64_t events)
{
	struct kayenta_settings settings = kayenta_settings_default(KAYENTA_MEAN_RATIO);
	settings.direction = KAYENTA_INCREASE;
	if (!minute_is_over(peer) || peer->experiment.count == SAMPLE_MAX)
		return false;
	peer->experiment.points[peer->experiment.count++] =
		100 * share_of(peer->minute.new_events, peer->minute.new_requests);
	peer->control.points[peer->control.count++] = 100 * share_of(events, requests);
	if (peer->experiment.count < (uint32_t)peer->kind->setting)
		return false;
	struct kayenta_series experiment = peer->experiment, control = peer->control;
	return kayenta_classify(&settings, &experiment, &control).class == KAYENTA_HIGH;
}

static bool kayenta_baseline(struct peer *peer, const struct peer_second *now)
{
	(void)now;
	return kayenta_says_high(peer, peer->base_requests, peer->base_events);
}

static bool kayenta_production(struct peer *peer, const struct peer_second *now)
{
	(void)now;
	return kayenta_says_high(peer, peer->minute.live_requests, peer->minute.live_events);
}

/* Two proportions, one-sided, looked at every second as if it were the only time. */
static bool peeked_z(struct peer *peer, const struct peer_second *now)
{
	const struct judge_table *t = &peer->sum;
	double n = (double)t->new_requests, m = (double)t->live_requests;
	(void)now;
	if (n < 100 || m < 100)
		return false;
	double all = (double)(t->new_events + t->live_events) / (n + m);
	double sigma = sqrt(all * (1 - all) * (1 / n + 1 / m));
	return sigma > 0 && share_of(t->new_events, t->new_requests) -
					    share_of(t->live_events, t->live_requests) >
				    2.326 * sigma;
}

/* A confidence sequence of the difference by the central limit theorem: a normal mixture, two-sided, from `setting`
 * requests on; tightest about a thousand requests at 1 %. */
static bool normal_sequence(struct peer *peer, const struct peer_second *now)
{
	static const double RHO = 1;
	const struct judge_table *t = &peer->sum;
	double n = (double)t->new_requests, m = (double)t->live_requests;
	(void)now;
	if (n < peer->kind->setting || m < peer->kind->setting)
		return false;
	double p = share_of(t->new_events, t->new_requests);
	double q = share_of(t->live_events, t->live_requests);
	double variance = n * p * (1 - p) + n * n * q * (1 - q) / m;
	double margin =
		sqrt((variance + RHO) * log((variance + RHO) / RHO / (PEER_ALPHA * PEER_ALPHA)));
	return n * (p - q) > margin;
}

/* Given an error, on which side? By the configured share, with `setting` imagined errors beforehand. */
static bool given_an_error(struct peer *peer, const struct peer_second *now)
{
	const struct judge_table *t = &peer->sum;
	double share = (double)t->new_requests / (double)(t->new_requests + t->live_requests);
	(void)now;
	if (t->new_requests == 0 || t->live_requests == 0)
		return false;
	struct beta_binomial test = beta_binomial_around(share, peer->kind->setting);
	return beta_binomial_log_e_above(&test, (double)t->new_events,
					 (double)(t->new_events + t->live_events)) >=
	       log(1 / PEER_ALPHA);
}

/* Wald's test by one who was told both rates beforehand: nobody can be much faster. */
static bool oracle(struct peer *peer, const struct peer_second *now)
{
	const struct judge_table *t = &now->counts;
	double n = (double)t->new_requests, m = (double)t->live_requests;
	if (t->new_requests == 0 || peer->truth <= 1)
		return false;
	double share = n / (n + m), bad = share * peer->truth / (1 + share * (peer->truth - 1));
	peer->log_odds += (double)t->new_events * log(bad / share);
	if (t->live_events > 0)
		peer->log_odds += (double)t->live_events * log((1 - bad) / (1 - share));
	return peer->log_odds >= log(1 / ORACLE_ALPHA);
}

const struct peer_kind peer_kinds[PEERS] = {
	{"threshold: success < 99 %, the 1st minute", threshold, 1},
	{"threshold: success < 99 %, 3 minutes", threshold, 3},
	{"Mann-Whitney each minute from 5, own baseline", kayenta_baseline, 5},
	{"Mann-Whitney each minute from 5, production", kayenta_production, 5},
	{"Mann-Whitney each minute from 50, own baseline", kayenta_baseline, 50},
	{"z-test each second, p < 0.01", peeked_z, 0},
	{"CLT confidence sequence, 0.01, from 100", normal_sequence, 100},
	{"CLT confidence sequence, 0.01, from 1,000", normal_sequence, 1000},
	{"beta-binomial, 0.01, strength 100", given_an_error, 100},
	{"beta-binomial, 0.01, strength 10,000", given_an_error, 10000},
	{"oracle: told both rates, 0.001", oracle, 0},
};

void peer_begin(struct peer *peer, const struct peer_kind *kind, double truth)
{
	*peer = (struct peer){.kind = kind, .truth = truth};
}

bool peer_second(struct peer *peer, const struct peer_second *now)
{
	peer->seconds++;
	add_table(&peer->sum, &now->counts);
	add_table(&peer->minute, &now->counts);
	peer->base_requests += now->base_requests;
	peer->base_events += now->base_events;
	bool aborts = peer->kind->second(peer, now);
	if (minute_is_over(peer)) {
		peer->minute = (struct judge_table){0};
		peer->base_requests = peer->base_events = 0;
	}
	return aborts;
}
