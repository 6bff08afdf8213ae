/* SPDX-License-Identifier: Apache-2.0
 * keys_measures - see keys.h for the contract. The parts of `analysis` about what instances use, log and count of
 * themselves. */
#include <stdio.h>

#include "base/text.h"
#include "config/app.h"
#include "config/keys.h"
#include "config/value.h"

enum { MILLI_ONE = 1000 };

static const char *const states[] = {"on", "off", NULL};
static const char *const directions[] = {"higher", "lower", NULL};

#define SELECTOR_SHAPE \
	"a metric's name, with labels or without, such as orders_total{kind=\"paid\"}"
#define STATE_DOC "`off`: it is not judged."

/* ---- what the application counts ---- */

static const struct schema_key scrape_keys[] = {
	{"path", SCHEMA_TEXT, AT(app_scrape, path), .fallback = "/metrics", .max = 1024,
	 .valid = value_is_url_path, .shape = "a path such as /metrics",
	 .doc = "The page in Prometheus' text format, on each instance's own port."},
	{"interval", SCHEMA_DURATION, AT(app_scrape, interval_ms), .fallback = "1s", .min = 200,
	 .max = MINUTE(1), .doc = "How often each is asked, while a release is judged."},
};

const struct schema_section schema_scrape = {
	.title = "scrape",
	KEYS(scrape_keys),
	.scalar_key = "path",
	.doc = "How the instances are asked for what they count; a path or a mapping. They are "
	       "asked "
	       "only where there is a `kpi`. A page may have 1 MiB and must arrive within a "
	       "second; "
	       "one that does not is no evidence for or against the release."};

static const struct schema_key kpi_keys[] = {
	{"count", SCHEMA_TEXT, AT(app_kpi, count), .flags = SCHEMA_REQUIRED, .max = 511,
	 .valid = value_is_selector, .shape = SELECTOR_SHAPE, .example = "orders_total",
	 .doc = "The counter of what happens: by itself so many for each request. All series of "
		"that name with these labels are added up."},
	{"of", SCHEMA_TEXT, AT(app_kpi, of), .max = 511, .valid = value_is_selector,
	 .shape = SELECTOR_SHAPE, .example = "visits_total",
	 .doc = "The counter of what it could have happened to: then it is a share, so many of "
		"these."},
	{"sum", SCHEMA_TEXT, AT(app_kpi, sum), .max = 511, .valid = value_is_selector,
	 .shape = SELECTOR_SHAPE, .example = "order_value_sum",
	 .doc = "The sum of the values that `count` counts: then it is their mean."},
	{"direction", SCHEMA_CHOICE, AT(app_kpi, direction), .fallback = "higher",
	 .choices = directions, .doc = "Which way is good."},
	{"worse_by", SCHEMA_SHARE, AT(app_kpi, worse_by_bp), .fallback = "5%", .max = SHARE_FULL_BP,
	 .doc = "The new release may be so much worse than the live one is in the same moments."},
	{"max", SCHEMA_MILLI, AT(app_kpi, max_milli), .max = UINT32_MAX, .example = "1.5",
	 .doc = "More than this is bad, whatever the live release does. Of a share 0.05 is 5%."},
	{"min", SCHEMA_MILLI, AT(app_kpi, min_milli), .max = UINT32_MAX, .example = "0.02",
	 .doc = "Less than this is bad, whatever the live release does."},
	{"at_least", SCHEMA_REQUESTS, AT(app_kpi, at_least), .fallback = "200", .min = 1,
	 .max = 1000000000,
	 .doc = "Nothing is decided before so many were counted in the new release: requests, of "
		"a share `of`, of a mean `count`."},
};

_Static_assert(COUNT(kpi_keys) == 8, "the bits APP_KPI_ in steps.h follow the rows");

static bool check_kpi(const void *base, char *why, size_t why_size)
{
	const struct app_kpi *kpi = base;
	bool both = (kpi->set & APP_KPI_MAX) && (kpi->set & APP_KPI_MIN);
	if (both && kpi->min_milli > kpi->max_milli) {
		snprintf(why, why_size, "\"min\" is greater than \"max\"; turn them around.");
		return false;
	}
	if ((kpi->set & APP_KPI_OF) && (kpi->max_milli > MILLI_ONE || kpi->min_milli > MILLI_ONE)) {
		snprintf(why, why_size,
			 "A share is never greater than 1; write for example 0.05 for 5%%.");
		return false;
	}
	return true;
}

static const struct schema_later kpi_later[] = {
	{"prometheus", "Name the counters of the instances with `count` until then."}};

const struct schema_section schema_kpi = {.title = "kpi",
					  KEYS(kpi_keys),
					  LATER(kpi_later),
					  .one_of = APP_KPI_OF | APP_KPI_SUM,
					  .scalar_key = "count",
					  .check = check_kpi,
					  .doc = "One number that tells whether the application "
						 "does its work; a counter or a mapping."};

/* ---- what instances use and log ---- */

static const struct schema_key cpu_keys[] = {
	{"state", SCHEMA_CHOICE, AT(app_cpu_rule, state), .fallback = "on", .choices = states,
	 .doc = STATE_DOC},
	{"worse_by", SCHEMA_SHARE, AT(app_cpu_rule, worse_by_bp), .fallback = "25%",
	 .max = SHARE_FULL_BP,
	 .doc = "A request may take so much more processor time than in the live release."},
	{"max", SCHEMA_SHARE, AT(app_cpu_rule, max_bp), .min = 1, .max = SHARE_FULL_BP,
	 .example = "85%",
	 .doc = "An instance may use so much of its `limits.cpu`, or without one of the whole "
		"machine."},
};

const struct schema_section schema_cpu = {.title = "cpu",
					  KEYS(cpu_keys),
					  .scalar_key = "state",
					  .doc = "Processor time. `on`, `off` or a mapping."};

static const struct schema_key memory_keys[] = {
	{"state", SCHEMA_CHOICE, AT(app_memory_rule, state), .fallback = "on", .choices = states,
	 .doc = STATE_DOC},
	{"worse_by", SCHEMA_SHARE, AT(app_memory_rule, worse_by_bp), .fallback = "25%",
	 .max = SHARE_FULL_BP,
	 .doc = "An instance may have so much more memory than one of the live release."},
	{"max", SCHEMA_SIZE, AT(app_memory_rule, max_bytes), .example = "512MiB", .min = MIB(1),
	 .max = MIB(1ull << 24), .doc = "No instance may have more."},
};

const struct schema_section schema_memory = {
	.title = "memory",
	KEYS(memory_keys),
	.scalar_key = "state",
	.doc = "Memory, without file cache that could go. `on`, "
	       "`off` or a mapping."};

static const struct schema_key count_keys[] = {
	{"state", SCHEMA_CHOICE, AT(app_count_rule, state), .fallback = "on", .choices = states,
	 .doc = STATE_DOC},
	{"worse_by", SCHEMA_SHARE, AT(app_count_rule, worse_by_bp), .fallback = "100%",
	 .max = SHARE_FULL_BP,
	 .doc = "It may happen so much more often than in the live release: 100% is twice as "
		"often."},
};

const struct schema_section schema_crashes = {
	.title = "crashes",
	KEYS(count_keys),
	.scalar_key = "state",
	.doc = "Ends of instances that nobody asked for. `on`, `off` or a mapping."};

const struct schema_section schema_log_errors = {
	.title = "log_errors",
	KEYS(count_keys),
	.scalar_key = "state",
	.doc = "Lines of the instances' logs that look like errors: with the word ERROR, FATAL, "
	       "CRITICAL, "
	       "PANIC, Exception or Traceback, or the level error or fatal in JSON. `on`, `off` or "
	       "a "
	       "mapping."};
