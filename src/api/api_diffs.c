/* SPDX-License-Identifier: Apache-2.0
 * api_diffs - where a shadow's answers differ from the live release's. See routes.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/routes.h"
#include "control/comparing.h"

/* So that it is a number in JSON. */
static const double ODDS_MAX = 1e9;

static json_t *whole(uint64_t value)
{
	return json_integer((json_int_t)value);
}

/* What came from an application need not be UTF-8. */
static json_t *text_of(const char *text)
{
	json_t *value = json_string(text);
	return value ? value : json_string("(not UTF-8)");
}

static uint64_t quantile(const uint64_t counts[HISTOGRAM_BUCKETS], uint32_t bp)
{
	uint64_t total = histogram_total(counts);
	return total == 0 ? 0 : histogram_upper_us(histogram_quantile(counts, total, bp));
}

static json_t *latency_of(const struct diffs *d)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "live_p50_us",
			 whole(quantile(d->first_us[0], 5000)), "new_p50_us",
			 whole(quantile(d->first_us[1], 5000)), "live_p99_us",
			 whole(quantile(d->first_us[0], 9900)), "new_p99_us",
			 whole(quantile(d->first_us[1], 9900)), "slower", whole(d->slower),
			 "faster", whole(d->faster));
}

static json_t *place_of(const struct diffs *d, const struct diffs_place *p, bool reported)
{
	double odds = exp(p->noise.log_evidence);
	json_t *o = json_pack("{s:o, s:s, s:b, s:{s:o, s:o}, s:{s:o, s:o}, s:f}", "place",
			      text_of(p->first.place), "kind", answer_kind_text(p->first.kind),
			      "beyond_noise", reported, "new", "differ",
			      whole(diffs_place_fresh(p)), "pairs", whole(d->looked), "noise",
			      "differ", whole(diffs_place_noise(p)), "pairs",
			      whole(d->looked_noise), "odds", odds < ODDS_MAX ? odds : ODDS_MAX);
	json_object_set_new(o, "example",
			    json_pack("{s:b, s:o, s:o, s:o, s:o}", "noise", p->first_is_noise,
				      "method", text_of(p->method), "path", text_of(p->path),
				      "live", text_of(p->first.live), "new",
				      text_of(p->first.fresh)));
	return o;
}

/* What differs more than noise first, then what differs most often. */
struct order {
	const struct diffs_place *place;
	bool reported;
};

static int compare_order(const void *a, const void *b)
{
	const struct order *x = a, *y = b;
	uint64_t p = diffs_place_fresh(x->place), q = diffs_place_fresh(y->place);
	if (x->reported != y->reported)
		return x->reported ? -1 : 1;
	if (p != q)
		return p > q ? -1 : 1;
	return strcmp(x->place->first.place, y->place->first.place);
}

static json_t *places_of(const struct diffs *d, uint64_t *ret_reported)
{
	struct order order[JUDGE_NOISE_PLACES];
	bool reported[JUDGE_NOISE_PLACES];
	json_t *list = json_array();
	diffs_report(d, reported);
	*ret_reported = 0;
	for (uint32_t i = 0; i < d->place_count; i++)
		order[i] = (struct order){&d->places[i], reported[i]};
	qsort(order, d->place_count, sizeof order[0], compare_order);
	for (uint32_t i = 0; i < d->place_count; i++) {
		*ret_reported += order[i].reported;
		json_array_append_new(list, place_of(d, order[i].place, order[i].reported));
	}
	return list;
}

static json_t *json_of_diffs(const struct diffs *d)
{
	const struct diffs_counts *c = &d->counts;
	uint64_t reported;
	json_t *places = places_of(d, &reported);
	json_t *o = json_pack("{s:s, s:i, s:o, s:o}", "schema", "davit.v1/diffs", "rollout",
			      (int)d->rollout, "beyond_noise", whole(reported), "places", places);
	json_object_set_new(o, "copies",
			    json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "sent", whole(c->sent),
				      "dropped", whole(c->dropped), "failed", whole(c->failed),
				      "unpaired", whole(c->unpaired), "pairs", whole(c->pairs),
				      "differ", whole(c->differ)));
	json_object_set_new(o, "noise",
			    json_pack("{s:o, s:o, s:o, s:o}", "sent", whole(c->noise_sent),
				      "unpaired", whole(c->noise_unpaired), "pairs",
				      whole(c->noise_pairs), "differ", whole(c->noise_differ)));
	json_object_set_new(o, "looked_into",
			    json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "pairs", whole(d->looked),
				      "differ", whole(d->looked_differ), "noise",
				      whole(d->looked_noise), "untold", whole(c->untold), "skipped",
				      whole(d->skipped), "more", whole(d->more)));
	json_object_set_new(o, "latency", latency_of(d));
	return o;
}

void get_rollout_diffs(struct api *api, struct http_request *request)
{
	struct diffs *d = mem_new(sizeof *d);
	struct error err;
	int result = control_view_diffs(api->parts.control, http_segment(request, 2), d, &err);
	if (result < 0)
		answer_error(request, &err, "davit history");
	else
		answer_json(request, 200, json_of_diffs(d));
	free(d);
}
