/* SPDX-License-Identifier: Apache-2.0
 *
 * view_forecast - what people and programs are shown of what the judge will see: a part of view.h's plan.
 *
 * OWNS  The caller's storage, without pointers.
 * UNITS Shares of errors are parts per million (*_ppm), chances and shares of answers basis points (*_bp).
 */
#ifndef CONTROL_VIEW_FORECAST_H
#define CONTROL_VIEW_FORECAST_H

#include <stdbool.h>
#include <stdint.h>

enum {
	VIEW_SUPPOSED_MAX = 5,
	VIEW_SEES_BP = 9000, /* the chance that "sees" stands for */
	VIEW_SENTENCE_SIZE = 400,
	VIEW_YAML_SIZE = 800,
};

/* A new release that is supposed, and what becomes of it. */
struct view_supposed {
	uint32_t errors_ppm; /* of its requests fail */
	uint32_t slow_bp;    /* of its answers take longer than the live one's p99 */
	uint32_t caught_bp, held_bp, passed_bp; /* sum to all */
	uint64_t after_requests; /* half of those that are caught are so by then; 0 = none */
	uint64_t exposed_requests, failed_requests; /* on average */
};

/* Steps that catch a release failing with `errors_ppm`. */
struct view_proposal {
	bool asked, found;
	uint32_t errors_ppm;
	char sentence[VIEW_SENTENCE_SIZE];
	char yaml[VIEW_YAML_SIZE]; /* lines for a strategy of davit.yaml; "" = not found */
	uint64_t good_ms; /* how long they take for a release that is as good as the live one */
	struct view_supposed supposed;
};

/* What the judge will see: by control/forecast.h. */
struct view_forecast {
	bool known;            /* else the proposal or plan.notes say why not */
	double requests_per_s; /* now; 0 = none */
	uint32_t live_errors_ppm;
	struct view_supposed good; /* as the live release */
	uint64_t good_ms; /* how long the steps take for it; 0 = it does not come through */
	uint32_t supposed_count;
	struct view_supposed supposed[VIEW_SUPPOSED_MAX];
	uint32_t sees_ppm; /* the smallest share of errors caught with VIEW_SEES_BP; 0 = none */
	struct view_proposal proposal;
};

#endif
