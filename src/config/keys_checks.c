/* SPDX-License-Identifier: Apache-2.0
 * keys_checks - see keys.h for the contract. Checks and their probes. */
#include <stdio.h>

#include "config/app.h"
#include "config/keys.h"
#include "config/value.h"

enum { TIMEOUT_DEFAULT_MS = 10000 };

static const char *const severities[] = {"low", "medium", "high", "critical", NULL};

static const struct schema_key condition_keys[] = {
	{"value", SCHEMA_TEXT, AT(app_condition, value), .flags = SCHEMA_REQUIRED, .max = 256,
	 .example = "ok", .doc = "What it has to be, as text."},
};

static const struct schema_section condition_section = {
	.title = "condition", KEYS(condition_keys), .scalar_key = "value", .doc = "The value."};

static const struct schema_key probe_keys[] = {
	{"get", SCHEMA_TEXT, AT(app_probe, get), .valid = value_is_url_path, .max = 1024,
	 .shape = "a path such as /up", .example = "/up",
	 .doc = "An HTTP GET of this path on the address under test."},
	{"run", SCHEMA_SECTION, AT(app_probe, run), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_command, .example = "tests/smoke.sh $URL",
	 .doc = "Instead of `get`: a command of the release, which passes when it exits with "
		"0. `$URL` is the address under test, `$PREVIEW` what a request must carry in "
		"the header X-Davit-Preview, `$RELEASE` the directory of the release's files, in "
		"which it runs. It is the `user` of the process `web`, or of the first one, and "
		"has "
		"its `limits`; 512 processes, and 4 GiB of memory where those name none. All "
		"that it started ends with it."},
	{"expect", SCHEMA_NUMBER, AT(app_probe, expect), .fallback = "200", .min = 100, .max = 599,
	 .doc = "The status that `get` must answer with."},
	{"contains", SCHEMA_TEXT, AT(app_probe, contains), .max = 1024,
	 .example = "\"<title>Shop\"",
	 .doc = "A text that must be in the first MiB of the answer."},
	{"timeout", SCHEMA_DURATION, AT(app_probe, timeout_ms), .fallback = "10s", .min = 100,
	 .max = HOUR(1), .doc = "After it the probe has failed."},
	{"sarif", SCHEMA_TEXT, AT(app_probe, sarif), .valid = value_is_inside, .max = 255,
	 .shape = "a file's name such as dast.sarif", .example = "dast.sarif",
	 .doc = "A SARIF report that `run` writes. Such a command runs in an empty directory of "
		"its own, and `$RELEASE` is the directory of the release's files. A finding that "
		"is new and as severe as `block_at` fails the check; so does a report that is "
		"missing, is none, or is of a scan that failed."},
	{"block_at", SCHEMA_CHOICE, AT(app_probe, block_at), .choices = severities,
	 .example = "high",
	 .doc = "From which severity on a new finding fails the check. Default is `high`."},
	{"baseline", SCHEMA_TEXT, AT(app_probe, baseline), .valid = value_is_inside, .max = 255,
	 .shape = "a path inside the application such as dast-baseline.sarif",
	 .example = "dast-baseline.sarif",
	 .doc = "A SARIF report among the release's files: what is in it is not new. Left out, "
		"what the same check found in the last good release of production is not. "
		"`waivers.yaml` beside it lets findings through for a time."},
	{"secrets", SCHEMA_MAP, ITEMS(app_probe, secrets, secret_count), .flags = SCHEMA_BY_NAME,
	 .max = APP_CHECK_SECRETS_MAX, .section = &schema_secret, .valid = value_is_given,
	 .shape = "a variable's name such as SMOKE_PASSWORD, not PORT or DAVIT_*",
	 .example = "{ SMOKE_PASSWORD: davit:smoke }",
	 .doc = "What `run` is given from the server's store of secrets, under the names of "
		"variables; `check_secrets` of an environment wins. Each has 4 to 4,096 bytes, so "
		"that it can be masked in what is kept of the command's output."},
	{"header", SCHEMA_MAP, ITEMS(app_probe, headers, header_count), .flags = SCHEMA_BY_NAME,
	 .max = APP_CONDITIONS_MAX, .section = &condition_section, .valid = value_is_header,
	 .shape = "a header's name such as Cache-Control", .example = "{ Cache-Control: no-store }",
	 .doc = "Headers that the answer must have, with exactly these values; of one that comes "
		"several times one of them."},
	{"json", SCHEMA_MAP, ITEMS(app_probe, values, value_count), .flags = SCHEMA_BY_NAME,
	 .max = APP_CONDITIONS_MAX, .section = &condition_section, .valid = value_is_json_path,
	 .shape = "a way into the answer such as $.status or $.services[0].name",
	 .example = "{ $.status: ok }",
	 .doc = "What must be at these places of the answer, which is JSON of at most 1 MiB: `$` "
		"is "
		"all of it, `.name` a member of an object, `[0]` one of an array. A text is "
		"compared with its characters, a number, `true`, `false` and `null` as they are "
		"written."},
	{"within", SCHEMA_DURATION, AT(app_probe, within_ms), .min = 1, .max = HOUR(1),
	 .example = "300ms",
	 .doc = "The whole answer must be there so soon, counted from the connection on. "
		"Not more than `timeout`."},
};

/* What is about a report counts only with one, and a command writes it. */
static bool check_probe(const void *base, char *why, size_t why_size)
{
	const struct app_probe *probe = base;
	if (probe->sarif && probe->get)
		snprintf(
			why, why_size,
			"\"sarif\" is the report of a command; write \"run\" in place of \"get\".");
	else if (!probe->sarif && (probe->set & APP_PROBE_BLOCK_AT || probe->baseline))
		snprintf(why, why_size,
			 "\"block_at\" and \"baseline\" count only with \"sarif\"; name the report "
			 "that the scanner writes, or remove them.");
	else if (probe->get && probe->secret_count > 0)
		snprintf(
			why, why_size,
			"\"secrets\" are given to a command; write \"run\" in place of \"get\", or "
			"remove them.");
	else if (!probe->get &&
		 (probe->header_count > 0 || probe->value_count > 0 || probe->within_ms > 0))
		snprintf(
			why, why_size,
			"\"header\", \"json\" and \"within\" are about an answer; write \"get\" in "
			"place of \"run\", or remove them.");
	else if (probe->within_ms >
		 (probe->set & APP_PROBE_TIMEOUT ? probe->timeout_ms : TIMEOUT_DEFAULT_MS))
		snprintf(why, why_size,
			 "\"within\" is longer than \"timeout\", after which nobody waits; make "
			 "\"timeout\" longer or \"within\" shorter.");
	else
		return true;
	return false;
}

static const struct schema_section probe_section = {.title = "probe",
						    KEYS(probe_keys),
						    .check = check_probe,
						    .one_of = 3,
						    .one_of_needed = true,
						    .doc = "One thing that is tried."};

static const struct schema_key check_keys[] = {
	{"probes", SCHEMA_LIST, ITEMS(app_check, probes, count), .flags = SCHEMA_REQUIRED,
	 .max = APP_PROBES_MAX, .section = &probe_section, .example = "[{ get: /up }]",
	 .doc = "All must pass, in this order."},
};

const struct schema_section schema_check = {
	.title = "check",
	KEYS(check_keys),
	.list_key = "probes",
	.map_key = "probes",
	.doc = "A named list of probes. It runs against the new release alone, on its preview "
	       "address, before any user reaches it."};
