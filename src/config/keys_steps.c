/* SPDX-License-Identifier: Apache-2.0
 * keys_steps - see keys.h for the contract. Analysis and strategies. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/app.h"
#include "config/keys.h"
#include "config/value.h"

/* ---- analysis ---- */

static const char ABSOLUTE_DOC[] = "Fail even when the live release breaks the same maximum at the "
				   "same time. Otherwise that is taken "
				   "for a shared outage, as long as the new release is at most "
				   "half again as bad: it neither aborts the "
				   "rollout nor lets it pass. Refused without `max`.";

static const struct schema_key error_keys[] = {
	{"worse_by", SCHEMA_SHARE, AT(app_error_rule, worse_by_bp), .fallback = "25%",
	 .max = SHARE_FULL_BP,
	 .doc = "The new release may fail so much more often than the live one does in the same "
		"moments: 25% is 1.25 times. Worse than that, and more than `or_points` above "
		"it, it is taken back as soon as chance no longer explains it. Errors are "
		"answers 500 to 599, timeouts, and connections that fail or break."},
	{"or_points", SCHEMA_MILLI, AT(app_error_rule, or_points_milli), .fallback = "0.02",
	 .max = 100000,
	 .doc = "Or so many percentage points more often: what one error in 5,000 requests is."},
	{"pass_below", SCHEMA_SHARE, AT(app_error_rule, pass_below_bp), .fallback = "2%",
	 .max = SHARE_FULL_BP - 1,
	 .doc = "A step passes when the new release is shown to fail less often than this, or "
		"not three times as often as the live one; some 250 requests without an error "
		"show the first. `0%`: only the comparison counts."},
	{"max", SCHEMA_SHARE, AT(app_error_rule, max_bp), .max = SHARE_FULL_BP, .example = "2%",
	 .doc = "A plain rule beside the statistics: more errors than this in the requests of "
		"the new release abort the rollout at once. Requests that hang count here too. "
		"Not written: there is no such rule."},
	{"at_least", SCHEMA_REQUESTS, AT(app_error_rule, at_least), .fallback = "50", .min = 1,
	 .max = 1000000000,
	 .doc = "The plain rule waits for so many requests, unless more have failed than may "
		"fail among so many. Refused where there is no such rule."},
	{"absolute", SCHEMA_BOOL, AT(app_error_rule, absolute), .fallback = "false",
	 .doc = ABSOLUTE_DOC},
};

const struct schema_section schema_errors = {
	.title = "errors", KEYS(error_keys), .doc = "How many requests may fail."};

static const char *const states[] = {"on", "off", NULL};

static const struct schema_key refused_keys[] = {
	{"state", SCHEMA_CHOICE, AT(app_refused_rule, state), .fallback = "on", .choices = states,
	 .doc = "`off`: answers 400 to 499 are nobody's business."},
	{"worse_by", SCHEMA_SHARE, AT(app_refused_rule, worse_by_bp), .fallback = "50%",
	 .max = SHARE_FULL_BP, .doc = "As for `errors`."},
	{"or_points", SCHEMA_MILLI, AT(app_refused_rule, or_points_milli), .fallback = "0.2",
	 .max = 100000, .doc = "As for `errors`."},
};

static const struct schema_section refused_section = {
	.title = "refused",
	KEYS(refused_keys),
	.scalar_key = "state",
	.doc = "How many requests may be answered with 400 to 499. `off` or a mapping."};

/* A quantile needs about five requests beyond it before it says anything. */
#define LATENCY_KEYS(least)                                                                  \
	{                                                                                    \
		{"max",                                                                      \
		 SCHEMA_DURATION,                                                            \
		 AT(app_latency_rule, max_ms),                                               \
		 .min = 1,                                                                   \
		 .max = HOUR(1),                                                             \
		 .example = "400ms",                                                         \
		 .doc = "A plain rule beside the statistics: a slower new release aborts "   \
			"the rollout at once. Not written: there is no such rule."},         \
			{"worse_by",                                                         \
			 SCHEMA_SHARE,                                                       \
			 AT(app_latency_rule, worse_by_bp),                                  \
			 .fallback = "9%",                                                   \
			 .max = SHARE_FULL_BP,                                               \
			 .doc = "Answers may become so much slower. Judged by how many are " \
				"slower than this quantile of the live release."},           \
			{"or_by",                                                            \
			 SCHEMA_DURATION,                                                    \
			 AT(app_latency_rule, or_by_ms),                                     \
			 .fallback = "5ms",                                                  \
			 .max = HOUR(1),                                                     \
			 .doc = "Or so much slower, where that is more: an instance with "   \
				"less to do answers a little later."},                       \
			{"at_least",                                                         \
			 SCHEMA_REQUESTS,                                                    \
			 AT(app_latency_rule, at_least),                                     \
			 .fallback = least,                                                  \
			 .min = 1,                                                           \
			 .max = 1000000000,                                                  \
			 .doc = "The plain rule waits for so many answers. Refused without " \
				"`max`."},                                                   \
			{"absolute", SCHEMA_BOOL, AT(app_latency_rule, absolute),            \
			 .fallback = "false", .doc = ABSOLUTE_DOC},                          \
	}

static const struct schema_key p50_keys[] = LATENCY_KEYS("50");
static const struct schema_key p99_keys[] = LATENCY_KEYS("500");
static const struct schema_key p999_keys[] = LATENCY_KEYS("5000");

static const struct schema_section p50_section = {
	.title = "p50-p90",
	KEYS(p50_keys),
	.doc = "How slow half, or nine tenths, of the answers may be."};
static const struct schema_section p99_section = {
	.title = "p99", KEYS(p99_keys), .doc = "How slow 99 of 100 answers may be."};
static const struct schema_section p999_section = {
	.title = "p99.9",
	KEYS(p999_keys),
	.doc = "How slow 999 of 1,000 answers may be; judged only where it is written."};

static const struct schema_key latency_keys[] = {
	{"state", SCHEMA_CHOICE, AT(app_latency, state), .fallback = "on", .choices = states,
	 .doc = "`off`: slowness is not judged."},
	{"p50", SCHEMA_SECTION, AT(app_latency, p50), .flags = SCHEMA_OPTIONAL,
	 .section = &p50_section, .example = "{ max: 50ms }",
	 .doc = "Half of the answers are faster."},
	{"p90", SCHEMA_SECTION, AT(app_latency, p90), .flags = SCHEMA_OPTIONAL,
	 .section = &p50_section, .example = "{ max: 100ms }",
	 .doc = "90 % of the answers are faster."},
	{"p99", SCHEMA_SECTION, AT(app_latency, p99), .flags = SCHEMA_OPTIONAL,
	 .section = &p99_section, .example = "{ max: 400ms }",
	 .doc = "99 % of the answers are faster."},
	{"p99.9", SCHEMA_SECTION, AT(app_latency, p999), .flags = SCHEMA_OPTIONAL,
	 .section = &p999_section, .example = "{ max: 1s }",
	 .doc = "99.9 % of the answers are faster."},
};

static const struct schema_section latency_section = {
	.title = "latency",
	KEYS(latency_keys),
	.scalar_key = "state",
	.doc = "How slow the answers may be. `off` or a mapping."};

static const struct schema_key class_keys[] = {
	{"paths", SCHEMA_TEXTS, AT(app_class, paths), .flags = SCHEMA_REQUIRED,
	 .valid = value_is_prefix, .max = APP_CLASS_PATHS_MAX,
	 .shape = "a path such as /checkout of up to 255 characters, without a \"/\" at its "
		  "end",
	 .example = "[/checkout, /cart]",
	 .doc = "These paths and everything below them. The longest path of all classes wins."},
};

static const struct schema_section class_section = {
	.title = "class",
	KEYS(class_keys),
	.list_key = "paths",
	.doc = "A named list of paths whose requests are counted apart."};

/* The class before place (class, index) that has the path too; NULL: none. */
static const char *class_with(const struct app_analysis *analysis, const char *path, uint32_t class,
			      uint32_t index)
{
	for (uint32_t i = 0; i <= class; i++) {
		const struct app_texts *paths = &analysis->classes[i].paths;
		for (uint32_t k = 0; k < (i < class ? paths->count : index); k++)
			if (strcmp(paths->items[k], path) == 0)
				return analysis->classes[i].name;
	}
	return NULL;
}

/* A path can be in one class only. */
static bool check_classes(const void *base, char *why, size_t why_size)
{
	const struct app_analysis *analysis = base;
	for (uint32_t i = 0; i < analysis->class_count; i++)
		for (uint32_t k = 0; k < analysis->classes[i].paths.count; k++) {
			const char *path = analysis->classes[i].paths.items[k];
			const char *other = class_with(analysis, path, i, k);
			if (!other)
				continue;
			snprintf(why, why_size,
				 "the path \"%s\" is named twice, in class \"%s\" and in \"%s\"; "
				 "keep one.",
				 path, other, analysis->classes[i].name);
			return false;
		}
	return true;
}

static const char *const judges[] = {"sequential", "rules", "mann-whitney", NULL};
static const char *const when_too_little[] = {"hold", "rollback", "continue", NULL};

static const struct schema_key analysis_keys[] = {
	{"state", SCHEMA_CHOICE, AT(app_analysis, state), .fallback = "on", .choices = states,
	 .doc = "`off`: nothing is judged, and steps pass by time alone. What stands beside it "
		"waits "
		"until it is on again."},
	{"method", SCHEMA_CHOICE, AT(app_analysis, method), .fallback = "sequential",
	 .choices = judges,
	 .doc = "`sequential`: the new release is compared with the live one, request by request, "
		"as long as it takes to be sure. `rules`: only the plain rules below count; errors "
		"then have `max: 2%` where none is written. `mann-whitney`: Kayenta's judge, for "
		"those who come from Spinnaker with its scores; see `kayenta`. Plain rules that "
		"are written count with each of them; keys that only one of them uses are refused "
		"with the others."},
	{"false_alarms", SCHEMA_SHARE, AT(app_analysis, false_alarms_bp), .fallback = "0.1%",
	 .min = 1, .max = 1000,
	 .doc = "The chance that a release which is not worse than tolerated is taken back, over "
		"a whole rollout."},
	{"wrong_passes", SCHEMA_SHARE, AT(app_analysis, wrong_passes_bp), .fallback = "1%",
	 .min = 1, .max = 2000,
	 .doc = "The chance that a step passes with a release that fails `pass_below` or more, "
		"and three times as often as the live one."},
	{"errors", SCHEMA_SECTION, AT(app_analysis, errors), .section = &schema_errors,
	 .example = "{ worse_by: 25% }", .doc = "How many may fail."},
	{"refused", SCHEMA_SECTION, AT(app_analysis, refused), .section = &refused_section,
	 .example = "off", .doc = "How many may be answered with 400 to 499."},
	{"latency", SCHEMA_SECTION, AT(app_analysis, latency), .section = &latency_section,
	 .example = "{ p99: { worse_by: 20% } }", .doc = "How slow they may be."},
	{"hang", SCHEMA_DURATION, AT(app_analysis, hang_ms), .fallback = "5s", .min = 100,
	 .max = HOUR(1),
	 .doc = "A request without an answer for this long is hanging. It hangs sooner where the "
		"live release is quick: after 8 times its p99, but not before a second. An "
		"application "
		"that answers late on purpose (long polling) needs more. The statistics count it "
		"after 30s at "
		"most, the plain rule when the time is over."},
	{"classes", SCHEMA_MAP, ITEMS(app_analysis, classes, class_count), .max = APP_CLASSES_MAX,
	 .section = &class_section, .valid = text_is_name, .shape = KEYS_NAME_SHAPE,
	 .example = "{ checkout: [/checkout, /cart], api: [/api] }",
	 .doc = "Kinds of requests that are counted apart, by name. What no class names is "
		"counted together. As with routes, those of the live release count; what an "
		"environment writes takes the place of all that the file says."},
	{"when_too_little", SCHEMA_CHOICE, AT(app_analysis, when_too_little), .fallback = "hold",
	 .choices = when_too_little,
	 .doc = "What a step does that has reached its longest time without enough requests "
		"for a verdict: `hold` pauses and asks a person, `rollback` ends the rollout, "
		"`continue` goes on unjudged."},
	{"crashes", SCHEMA_SECTION, AT(app_analysis, crashes), .section = &schema_crashes,
	 .example = "off", .doc = "How often its instances may crash."},
	{"log_errors", SCHEMA_SECTION, AT(app_analysis, log_errors), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_log_errors, .example = "on",
	 .doc = "How many errors they may log. Without it that is not judged."},
	{"cpu", SCHEMA_SECTION, AT(app_analysis, cpu), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_cpu, .example = "{ worse_by: 25% }",
	 .doc = "How much processor time they may need. Without it that is not judged."},
	{"memory", SCHEMA_SECTION, AT(app_analysis, memory), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_memory, .example = "{ worse_by: 25%, max: 512MiB }",
	 .doc = "How much memory they may need. Without it that is not judged."},
	{"scrape", SCHEMA_SECTION, AT(app_analysis, scrape), .section = &schema_scrape,
	 .example = "{ path: /metrics, interval: 1s }",
	 .doc = "Where the numbers of `kpi` come from."},
	{"kpi", SCHEMA_MAP, ITEMS(app_analysis, kpis, kpi_count), .max = APP_KPIS_MAX,
	 .section = &schema_kpi, .valid = text_is_name, .shape = KEYS_NAME_SHAPE,
	 .example = "{ checkouts: { count: checkouts_total, of: visits_total } }",
	 .doc = "What the application counts of itself and the release must not make worse, by "
		"name. An environment that writes some replaces all."},
	{"kayenta", SCHEMA_SECTION, AT(app_analysis, kayenta), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_kayenta, .example = "{ pass: 90, marginal: 60 }",
	 .doc = "With `method: mann-whitney`: what Kayenta's judge goes by."},
	{"compare", SCHEMA_SECTION, AT(app_analysis, compare), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_compare, .example = "{ ignore: [$.generated_at] }",
	 .doc = "How the answers to a shadow's copies are compared with those that users get; "
		"`davit diffs` shows what was found."},
};

static const struct schema_later analysis_later[] = {{"alerts", NULL}};

const struct schema_section schema_analysis = {
	.title = "analysis",
	.check = check_classes,
	KEYS(analysis_keys),
	LATER(analysis_later),
	.scalar_key = "state",
	.doc = "What the new release is judged by, all the time that it has traffic. `off` or "
	       "a mapping. What an environment writes goes over what the file says for all."};

/* ---- strategies ---- */

static const struct schema_section each_section;

static const struct schema_key each_keys[] = {
	{"at_least", SCHEMA_DURATION, AT(app_each, at_least_ms), .fallback = "2m", .max = DAY(7),
	 .doc = "The shortest time, even when everything is fine."},
	{"at_most", SCHEMA_DURATION, AT(app_each, at_most_ms), .fallback = "15m", .max = DAY(30),
	 .doc = "After it, without a verdict, `when_too_little` decides. At least `at_least`."},
};

/* What is not written has its default. */
static bool check_each(const void *base, char *why, size_t why_size)
{
	struct app_each each = *(const struct app_each *)base;
	char least[VALUE_TEXT_MAX], most[VALUE_TEXT_MAX];
	schema_defaults(&each_section, &each);
	if (each.at_least_ms <= each.at_most_ms)
		return true;
	snprintf(why, why_size, "\"at_most\" (%s) is shorter than \"at_least\" (%s); raise it.",
		 text_format_duration(each.at_most_ms, most, sizeof most),
		 text_format_duration(each.at_least_ms, least, sizeof least));
	return false;
}

static const struct schema_section each_section = {.check = check_each,
						   .title = "each",
						   KEYS(each_keys),
						   .doc = "How long each part of a step lasts."};

static const char *const methods[] = {"GET", "HEAD",  "OPTIONS", "POST",
				      "PUT", "PATCH", "DELETE",  NULL};

static const struct schema_key until_keys[] = {
	{"requests", SCHEMA_REQUESTS, AT(app_until, requests), .fallback = "1000", .min = 1,
	 .max = 1000000000, .doc = "So many copies were answered."},
	{"time", SCHEMA_DURATION, AT(app_until, time_ms), .fallback = "15m", .min = SECOND(1),
	 .max = DAY(30), .doc = "After it, with fewer copies, `when_too_little` decides."},
};

static const struct schema_section until_section = {
	.title = "until", KEYS(until_keys), .doc = "When a shadow has seen enough."};

static const struct schema_key shadow_keys[] = {
	{"share", SCHEMA_SHARE, AT(app_step_shadow, share_bp), .fallback = "10%", .min = 1,
	 .max = SHARE_FULL_BP, .doc = "The share of requests that is copied."},
	{"methods", SCHEMA_FLAGS, AT(app_step_shadow, methods), .fallback = "GET, HEAD",
	 .choices = methods, .example = "[GET, HEAD]",
	 .doc = "Only requests with these methods are copied. GET, HEAD and OPTIONS change "
		"nothing. "
		"What a POST, PUT, PATCH or DELETE does is done by the new release too, with "
		"whatever it is connected to: name them only where that does no harm, or where it "
		"heeds `X-Davit-Shadow: 1`."},
	{"body", SCHEMA_SIZE, AT(app_step_shadow, body_max), .fallback = "64KiB", .max = MIB(1),
	 .doc = "A request with a larger body is not copied, and counted. `0`: none with a body "
		"is."},
	{"until", SCHEMA_SECTION, AT(app_step_shadow, until), .section = &until_section,
	 .example = "{ requests: 2000 }", .doc = "How long."},
};

static const struct schema_later shadow_later[] = {{"differ", NULL}, {"secrets", NULL}};

static const struct schema_section shadow_section = {
	.title = "shadow",
	KEYS(shadow_keys),
	LATER(shadow_later),
	.may_be_empty = true,
	.doc = "The new release gets copies of real requests. Its answers are counted and "
	       "thrown away."};

static const struct schema_key canary_keys[] = {
	{"steps", SCHEMA_SHARES, AT(app_step_canary, steps), .fallback = "1%, 10%, 50%", .min = 1,
	 .max = APP_WEIGHTS_MAX, .example = "[1%, 10%, 50%]",
	 .doc = "The shares of traffic that the new release gets, one after the other."},
	{"each", SCHEMA_SECTION, AT(app_step_canary, each), .section = &each_section,
	 .example = "{ at_least: 2m, at_most: 15m }", .doc = "How long each share is held."},
};

static const struct schema_section canary_section = {
	.title = "canary",
	KEYS(canary_keys),
	.may_be_empty = true,
	.doc = "A growing share of the traffic, each judged before the next."};

static const struct schema_key rolling_keys[] = {
	{"batch", SCHEMA_SHARE, AT(app_step_rolling, batch_bp), .fallback = "25%", .min = 1000,
	 .max = SHARE_FULL_BP,
	 .doc = "The share of instances that is replaced at a time; at least one instance."},
	{"surge", SCHEMA_BOOL, AT(app_step_rolling, surge), .fallback = "true",
	 .doc = "Start a batch's new instances before its old ones stop. `false` needs no room "
		"for both, but serves with fewer meanwhile."},
	{"each", SCHEMA_SECTION, AT(app_step_rolling, each), .section = &each_section,
	 .example = "{ at_least: 30s, at_most: 10m }", .doc = "How long each batch is held."},
};

static const struct schema_section rolling_section = {
	.title = "rolling",
	KEYS(rolling_keys),
	.may_be_empty = true,
	.doc = "Instances are replaced batch by batch, each judged before the next; traffic "
	       "follows."};

static const struct schema_section recreate_section = {
	.title = "recreate",
	.may_be_empty = true,
	.doc = "The old release stops before the new one starts; requests wait meanwhile, "
	       "within `hold`."};

static const struct schema_section switch_section = {
	.title = "switch",
	.may_be_empty = true,
	.doc = "All traffic at once, with the old release kept warm."};

/* app.h names these bits. */
static const struct schema_key step_keys[] = {
	{"check", SCHEMA_TEXT, AT(app_step, check), .valid = text_is_name, .shape = KEYS_NAME_SHAPE,
	 .example = "smoke", .doc = "One of `checks`, run on the new release's preview address."},
	{"shadow", SCHEMA_SECTION, AT(app_step, shadow), .flags = SCHEMA_OPTIONAL,
	 .section = &shadow_section, .example = "{ share: 10% }",
	 .doc = "Copies of real requests."},
	{"canary", SCHEMA_SECTION, AT(app_step, canary), .flags = SCHEMA_OPTIONAL,
	 .section = &canary_section, .example = "{ steps: [1%, 10%, 50%] }",
	 .doc = "A growing share of the traffic."},
	{"rolling", SCHEMA_SECTION, AT(app_step, rolling), .flags = SCHEMA_OPTIONAL,
	 .section = &rolling_section, .example = "{ batch: 25% }",
	 .doc = "Instances batch by batch."},
	{"recreate", SCHEMA_SECTION, AT(app_step, recreate), .flags = SCHEMA_OPTIONAL,
	 .section = &recreate_section, .example = "{}", .doc = "Stop the old, then start the new."},
	{"switch", SCHEMA_SECTION, AT(app_step, switch_all), .flags = SCHEMA_OPTIONAL,
	 .section = &switch_section, .example = "{}", .doc = "All traffic at once."},
	{"bake", SCHEMA_DURATION, AT(app_step, bake_ms), .min = 1, .max = DAY(30), .example = "30m",
	 .doc = "Watch the new release for this long before it becomes the live one."},
};

static const struct schema_later step_later[] = {
	{"approve", NULL},
	{"hook", "Write `hooks`: its commands run before and after each step."},
	{"pause", "Type `davit pause` instead."}};

static const struct schema_section step_section = {
	.title = "step",
	KEYS(step_keys),
	LATER(step_later),
	.one_of = 0x7f,
	.one_of_needed = true,
	.scalar_is_key = true,
	.doc = "One step of a strategy: exactly one of these keys."};

static const struct schema_key strategy_keys[] = {
	{"name", SCHEMA_TEXT, AT(app_strategy, name), .valid = text_is_name,
	 .shape = KEYS_NAME_SHAPE, .example = "canary",
	 .doc = "`recreate`, `rolling`, `blue-green`, `canary`, `shadow`, or one of "
		"`strategies`."},
	{"steps", SCHEMA_LIST, ITEMS(app_strategy, steps, count), .max = APP_STEPS_MAX,
	 .section = &step_section, .example = "[{ canary: { steps: [5%, 50%] } }, { bake: 10m }]",
	 .doc = "The steps themselves; a name is then only how they are shown."},
};

const struct schema_section schema_strategy = {
	.title = "strategy",
	KEYS(strategy_keys),
	.scalar_key = "name",
	.list_key = "steps",
	.map_key = "steps",
	.doc = "How a release gets the traffic: a name, one step, or a list of steps."};

static const struct schema_key definition_keys[] = {
	{"steps", SCHEMA_LIST, ITEMS(app_strategy, steps, count), .flags = SCHEMA_REQUIRED,
	 .max = APP_STEPS_MAX, .section = &step_section, .example = "[{ canary: {} }]",
	 .doc = "In this order."},
};

const struct schema_section schema_definition = {.title = "strategies",
						 KEYS(definition_keys),
						 .list_key = "steps",
						 .map_key = "steps",
						 .doc = "A strategy of your own: a list of steps."};
