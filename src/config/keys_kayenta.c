/* SPDX-License-Identifier: Apache-2.0
 * keys_kayenta - see keys.h for the contract. What `method: mann-whitney` goes by. */
#include <assert.h>
#include <stdio.h>

#include "base/text.h"
#include "config/app.h"
#include "config/config.h"
#include "config/keys.h"
#include "judge/sample.h"

/* Of two releases that are alike, a look at fewer points calls a metric High in 0.6 % of the cases with 4, in 12 % with
 * 2; from 5 on it is 0.1 %. */
enum { POINTS_LEAST = 5, SCORE_FULL = 100 };

static const char *const metrics[] = {"errors", "p50", "p90", "p99", NULL};

static_assert(sizeof metrics / sizeof *metrics == CONFIG_KAYENTA_METRICS + 1, "see config.h");

static const struct schema_key kayenta_keys[] = {
	{"interval", SCHEMA_DURATION, AT(app_kayenta, interval_ms), .fallback = "1m",
	 .min = SECOND(1), .max = HOUR(1),
	 .doc = "What both releases did in so much time is a point of each metric. A judgement "
		"is made at the end of each."},
	{"points", SCHEMA_NUMBER, AT(app_kayenta, points), .fallback = "10", .min = POINTS_LEAST,
	 .max = SAMPLE_MAX,
	 .doc = "The first judgement waits for so many points of both releases. Kayenta's "
		"documents ask for 50, which is most of an hour; 10 fit into the 15 minutes that "
		"a part of a canary may last where nothing else is written. With fewer than 5 "
		"chance alone makes metrics High, too often."},
	{"pass", SCHEMA_NUMBER, AT(app_kayenta, pass), .fallback = "95", .max = SCORE_FULL,
	 .doc = "A step passes with this score or more, when its time is over."},
	{"marginal", SCHEMA_NUMBER, AT(app_kayenta, marginal), .fallback = "75", .max = SCORE_FULL,
	 .doc = "A score below this takes the release back. Between the two the step holds."},
	{"tolerance", SCHEMA_SHARE, AT(app_kayenta, tolerance_bp), .fallback = "25%",
	 .max = SHARE_FULL_BP,
	 .doc = "How far from zero, as a share of the estimated shift, the whole interval of the "
		"shift must be before a metric is High."},
	{"allowed_increase", SCHEMA_SHARE, AT(app_kayenta, allowed_increase_bp), .fallback = "0%",
	 .max = SHARE_FULL_BP,
	 .doc = "A metric is High only when its mean has grown by this share or more: 10% is "
		"Kayenta's `allowedIncrease: 1.1`."},
	{"critical", SCHEMA_FLAGS, AT(app_kayenta, critical), .choices = metrics,
	 .example = "[errors]", .doc = "When one of these metrics does not pass, the score is 0."},
};

/* What is not written has its default. */
static bool check_scores(const void *base, char *why, size_t why_size)
{
	struct app_kayenta kayenta = *(const struct app_kayenta *)base;
	schema_defaults(&schema_kayenta, &kayenta);
	if (kayenta.marginal <= kayenta.pass)
		return true;
	snprintf(why, why_size, "\"marginal\" (%u) is above \"pass\" (%u); lower it.",
		 kayenta.marginal, kayenta.pass);
	return false;
}

const struct schema_section schema_kayenta = {
	.title = "kayenta",
	.check = check_scores,
	KEYS(kayenta_keys),
	.doc = "The judge of Kayenta. Its metrics are the share of errors (group `errors`), and "
	       "p50, "
	       "p90 and p99 (group `latency`; left out with `latency: off`), which are bad when "
	       "they grow; both groups have half of the score. For other methods there is no such "
	       "section."};
