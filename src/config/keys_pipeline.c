/* SPDX-License-Identifier: Apache-2.0
 * keys_pipeline - see keys.h for the contract. The stages that make a release of a commit. */
#include <string.h>

#include "base/text.h"
#include "config/app.h"
#include "config/keys.h"
#include "config/schedule.h"
#include "config/value.h"
#include "config/window.h"

#define PATH_SHAPE "a path inside the application such as bin/"

static bool any_text(const char *text)
{
	return *text != '\0';
}

/* All of it, or a part. */
static bool is_path(const char *text)
{
	return strcmp(text, ".") == 0 || value_is_inside(text);
}

/* main, release/1.2; "release/" is all below it. */
bool keys_is_branch(const char *text)
{
	return text[0] != '-' && text[0] != '/' &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-") ==
		       strlen(text) &&
	       *text;
}

/* v1.4.2, or "v*" for all that begin so. */
bool keys_is_tag_pattern(const char *text)
{
	size_t size = strlen(text);
	char name[128];
	if (size == 0 || size >= sizeof name)
		return false;
	text_copy(name, sizeof name, text);
	if (name[size - 1] == '*')
		name[size - 1] = '\0';
	return name[0] == '\0' || keys_is_branch(name);
}

static const struct schema_key script_keys[] = {
	{"sh", SCHEMA_TEXT, AT(app_command, sh), .valid = any_text, .shape = "a script for /bin/sh",
	 .example = "make test",
	 .doc = "A script that `/bin/sh -e -c` runs: the first command that fails ends it. What is "
		"known of the commit reaches it through its environment, never as a part of its "
		"text."},
	{"args", SCHEMA_TEXTS, AT(app_command, args), .max = APP_TEXTS_MAX, .valid = any_text,
	 .shape = "an argument", .example = "[make, test]",
	 .doc = "The program and its arguments, one item each, as they are. No shell runs."},
};

static const struct schema_section script_section = {
	.title = "script",
	KEYS(script_keys),
	.one_of = 3,
	.one_of_needed = true,
	.scalar_key = "sh",
	.list_key = "args",
	.doc = "What a stage runs, in its own copy of the commit: a script, or a list of "
	       "arguments."};

static const struct schema_key ready_keys[] = {
	{"tcp", SCHEMA_NUMBER, AT(app_service_ready, tcp), .min = 1, .max = 65535,
	 .example = "5432", .doc = "This port of 127.0.0.1 in the sandbox takes a connection."},
	{"run", SCHEMA_SECTION, AT(app_service_ready, run), .flags = SCHEMA_OPTIONAL,
	 .section = &script_section, .example = "pg_isready -h /tmp",
	 .doc = "Instead of `tcp`: this script exits with 0. It is tried again and again."},
	{"deadline", SCHEMA_DURATION, AT(app_service_ready, deadline_ms), .fallback = "30s",
	 .min = 100, .max = MINUTE(30), .doc = "Not ready by then: the stage has failed."},
};

static const struct schema_section ready_section = {
	.title = "ready",
	KEYS(ready_keys),
	.one_of = 3,
	.one_of_needed = true,
	.doc = "How davit knows that a service is ready, and the stage's own script may start."};

static const struct schema_key service_keys[] = {
	{"run", SCHEMA_SECTION, AT(app_service, run), .flags = SCHEMA_REQUIRED,
	 .section = &script_section, .example = "exec redis-server --port 6379",
	 .doc = "The program. It stays in the foreground."},
	{"ready", SCHEMA_SECTION, AT(app_service, ready), .flags = SCHEMA_REQUIRED,
	 .section = &ready_section, .example = "{ tcp: 6379 }", .doc = "When it can be used."},
};

static const struct schema_section service_section = {
	.title = "service",
	KEYS(service_keys),
	.doc = "A program that runs beside a stage, in the same sandbox: it is reached at "
	       "127.0.0.1, "
	       "is ready before the stage's script starts, and ends with it."};

static const struct schema_key cache_keys[] = {
	{"key", SCHEMA_TEXTS, AT(app_cache, key), .flags = SCHEMA_REQUIRED, .max = 16,
	 .valid = value_is_inside, .shape = PATH_SHAPE, .example = "[package-lock.json]",
	 .doc = "Files of the commit. Their content is the key: as long as it is the same, what "
		"was "
		"kept is used again."},
	{"paths", SCHEMA_TEXTS, AT(app_cache, paths), .flags = SCHEMA_REQUIRED, .max = 16,
	 .valid = value_is_inside, .shape = PATH_SHAPE, .example = "[node_modules/]",
	 .doc = "What is put there before the script runs, and kept after the first run that "
		"passed."},
};

static const struct schema_section cache_section = {
	.title = "cache", KEYS(cache_keys), .doc = "What a stage need not make again each time."};

static const struct schema_key when_keys[] = {
	{"branch", SCHEMA_TEXTS, AT(app_when, branch), .max = 16, .valid = keys_is_branch,
	 .shape = "a branch such as main, or release/ for all below it", .example = "[main]",
	 .doc = "Only for commits of these branches; a name that ends in `/` is all below it."},
	{"tag", SCHEMA_TEXTS, AT(app_when, tag), .max = 16, .valid = keys_is_tag_pattern,
	 .shape = "a tag such as v1.4.2, or v* for all that begin so", .example = "[\"v*\"]",
	 .doc = "Only for these tags; `v*` is all that begin with v. Beside `branch` one of both "
		"is "
		"enough."},
};

static const struct schema_later when_later[] = {{"changed", NULL}};

static const struct schema_section when_section = {
	.title = "when",
	KEYS(when_keys),
	LATER(when_later),
	.doc = "When a stage runs at all. One that does not counts as passed for those that need "
	       "it; "
	       "they get no outputs of it."};

static const char *const severities[] = {"low", "medium", "high", "critical", NULL};

static const struct schema_key stage_keys[] = {
	{"run", SCHEMA_SECTION, AT(app_stage, run), .flags = SCHEMA_OPTIONAL,
	 .section = &script_section, .example = "make",
	 .doc = "A script for /bin/sh, or a list of arguments. Only a stage with an `archive` can "
		"be "
		"without."},
	{"needs", SCHEMA_TEXTS, AT(app_stage, needs), .max = APP_STAGES_MAX, .valid = text_is_name,
	 .shape = KEYS_NAME_SHAPE, .example = "[compile]",
	 .doc = "Stages that must have passed before; their outputs, and those of "
		"what they need, are put into this one's directory. Stages without `needs` start "
		"at once, as many as there are "
		"processors."},
	{"outputs", SCHEMA_TEXTS, AT(app_stage, outputs), .max = 32, .valid = is_path,
	 .shape = PATH_SHAPE, .example = "[bin/]",
	 .doc = "Files and directories that stages which need this one, also through others, are "
		"given; `[.]` is everything. Each must be there when it has passed. Links must "
		"stay inside of the application."},
	{"timeout", SCHEMA_DURATION, AT(app_stage, timeout_ms), .fallback = "10m", .min = SECOND(1),
	 .max = DAY(1),
	 .doc = "How long one attempt may take, services included. Then all of its processes get "
		"TERM, "
		"and KILL 5s later."},
	{"retry", SCHEMA_NUMBER, AT(app_stage, retry), .fallback = "0", .max = 5,
	 .doc = "How often it is tried again after a failure or a timeout, from a clean copy."},
	{"env", SCHEMA_ENV, AT(app_stage, env), .max = APP_ENV_MAX, .valid = value_is_variable,
	 .shape = "a variable's name such as CFLAGS, not PORT or DAVIT_*",
	 .example = "{ CFLAGS: -O2 }",
	 .doc = "Environment variables. Values are texts as written."},
	{"secrets", SCHEMA_ENV, AT(app_stage, secrets), .max = APP_STAGE_SECRETS_MAX,
	 .valid = value_is_variable,
	 .shape = "a variable's name such as NPM_TOKEN, not PORT or DAVIT_*",
	 .example = "{ NPM_TOKEN: davit:stages/npm }",
	 .doc = "Environment variables whose values come from the server's store of secrets: "
		"`davit secrets set stages/npm` writes it. A stage can read no secret of another "
		"name. Each branch that may be pushed can read these, unless the server's own file "
		"names the branches and tags (`secrets: { stages: … }`)."},
	{"network", SCHEMA_BOOL, AT(app_stage, network), .fallback = "false",
	 .doc = "Whether it can reach the network. Without it there is only a loopback of its "
		"own."},
	{"services", SCHEMA_MAP, ITEMS(app_stage, services, service_count), .max = APP_SERVICES_MAX,
	 .section = &service_section, .valid = text_is_name, .shape = KEYS_NAME_SHAPE,
	 .example = "{ db: { run: exec redis-server, ready: { tcp: 6379 } } }",
	 .doc = "Programs that run beside it, by name."},
	{"cache", SCHEMA_SECTION, AT(app_stage, cache), .flags = SCHEMA_OPTIONAL,
	 .section = &cache_section, .example = "{ key: [go.sum], paths: [vendor/] }",
	 .doc = "What need not be made again each time."},
	{"when", SCHEMA_SECTION, AT(app_stage, when), .flags = SCHEMA_OPTIONAL,
	 .section = &when_section, .example = "{ branch: [main] }", .doc = "When it runs at all."},
	{"finally", SCHEMA_BOOL, AT(app_stage, finally), .fallback = "false",
	 .doc = "It runs last, also when another stage has failed: to tell or to clean up. With "
		"`needs` it runs as soon as those have ended, in whatever way. When the run is "
		"cancelled it does not run."},
	{"junit", SCHEMA_TEXT, AT(app_stage, junit), .valid = value_is_inside,
	 .shape = "a path inside the application such as results.xml", .example = "results.xml",
	 .doc = "A JUnit XML file that the script writes: davit reads how many tests there were "
		"and "
		"which have failed. A file with failures fails the stage."},
	{"sarif", SCHEMA_TEXT, AT(app_stage, sarif), .valid = value_is_inside,
	 .shape = "a path inside the application such as findings.sarif",
	 .example = "findings.sarif",
	 .doc = "A SARIF report that the script writes. A finding that is new and as severe as "
		"`block_at` fails the stage; so does a report that is missing, is none, or is of "
		"a scan that failed. `waivers.yaml` of the commit lets findings through for a "
		"time."},
	{"block_at", SCHEMA_CHOICE, AT(app_stage, block_at), .choices = severities,
	 .fallback = "high", .doc = "From which severity on a new finding fails the stage."},
	{"baseline", SCHEMA_TEXT, AT(app_stage, baseline), .valid = value_is_inside,
	 .shape = "a path inside the application such as baseline.sarif",
	 .example = "baseline.sarif",
	 .doc = "A SARIF report in the commit: what is in it is not new. Left out, what the last "
		"good release of production had is not, in a build of the server; elsewhere every "
		"finding is new."},
	{"archive", SCHEMA_TEXTS, AT(app_stage, archive), .max = APP_TEXTS_MAX, .valid = is_path,
	 .shape = PATH_SHAPE, .example = "[bin/, assets/]",
	 .doc = "Make the release's archive of these paths, or of all with `[.]`, and of "
		"davit.yaml. One stage of a "
		"pipeline does."},
};

static const struct schema_later stage_later[] = {
	{"image", "Make an archive: write \"archive: [bin/]\"."},
	{"external", "What another system builds is registered: \"davit register\"."}};

const struct schema_section schema_stage = {
	.title = "stage",
	KEYS(stage_keys),
	LATER(stage_later),
	.doc = "One step from a commit to a release. It runs in a sandbox, in a clean copy of the "
	       "commit; `docs/pipeline.md` shows how."};

static const struct schema_key trigger_keys[] = {
	{"branch", SCHEMA_TEXTS, AT(app_trigger, branch), .flags = SCHEMA_ONE, .max = 16,
	 .valid = keys_is_branch, .shape = "a branch such as main, or release/ for all below it",
	 .example = "main",
	 .doc = "When one of these branches moves; a name that ends in `/` is all below it."},
	{"tag", SCHEMA_TEXTS, AT(app_trigger, tag), .flags = SCHEMA_ONE, .max = 16,
	 .valid = keys_is_tag_pattern, .shape = "a tag such as v1.4.2, or v* for all that begin so",
	 .example = "\"v*\"",
	 .doc = "When one of these tags comes; `v*` is all that begin with v. The release is "
		"called by the tag."},
	{"signed", SCHEMA_BOOL, AT(app_trigger, signed_only), .example = "true",
	 .doc = "Only a tag that an allowed signer of the server's own file has signed "
		"(`allowed_signers`, with ssh keys) brings a release; another one is refused with "
		"its reason."},
	{"schedule", SCHEMA_TEXTS, AT(app_trigger, schedule), .flags = SCHEMA_ONE,
	 .max = SCHEDULE_TIMES_MAX, .valid = schedule_time_valid,
	 .shape = "a time such as \"02:30\", or \"mon-fri 02:30\"", .example = "\"mon-fri 02:30\"",
	 .doc = "Not when the branch moves, but at these times: what it is then goes out, unless "
		"that went out the last time. A time at which no server ran is made up for once. "
		"Days are as in `windows`; one that is left out is every day."},
	{"zone", SCHEMA_TEXT, AT(app_trigger, zone), .max = 63, .valid = window_zone_valid,
	 .shape = "a time zone's name such as Europe/Berlin", .example = "Europe/Berlin",
	 .doc = "Whose clock counts for `schedule`; left out: UTC. Summer time is followed: a time "
		"that a clock skips comes as much later, and one that it shows twice counts once."},
};

const struct schema_section schema_trigger = {
	.title = "trigger",
	KEYS(trigger_keys),
	.doc = "Which pushes, or which times, bring a release to an environment. The file of the "
	       "commit decides; approvals, windows and freezes hold for it as for everybody."};
