/* SPDX-License-Identifier: Apache-2.0
 * keys_process - see keys.h for the contract. Commands and processes. */
#include "base/text.h"
#include "config/app.h"
#include "config/command.h"
#include "config/keys.h"
#include "config/value.h"

/* ---- commands ---- */

static bool any_text(const char *text)
{
	return *text != '\0';
}

static const struct schema_key command_keys[] = {
	{"line", SCHEMA_TEXT, AT(app_command, line), .valid = value_is_line,
	 .shape = "a text of one line", .example = "bin/server --port $PORT",
	 .doc = "A command line. It is split into words as a shell would (quotes, backslash), "
		"but no shell runs it. `$PORT` and the other declared upper-case variables are "
		"put in; any other `$` stays as it is, and so does one in single quotes."},
	{"sh", SCHEMA_TEXT, AT(app_command, sh), .valid = any_text, .shape = "a script for /bin/sh",
	 .example = "exec bin/server --port \"$PORT\"",
	 .doc = "A script that `/bin/sh -c` runs. Variables reach it through its environment. "
		"Begin the last command with `exec`, so that the program itself gets the "
		"signals."},
	{"args", SCHEMA_TEXTS, AT(app_command, args), .max = APP_TEXTS_MAX, .valid = any_text,
	 .shape = "an argument", .example = "[bin/server, --port, $PORT]",
	 .doc = "The program and its arguments, one item each. Variables are put in as in "
		"`line`; spaces and quotes mean nothing."},
};

/* A list or a script needs no look inside. */
static bool check_command(const void *base, char *why, size_t why_size)
{
	const struct app_command *command = base;
	struct error err = {0};
	if (!command->line || command_check(command->line, &err) == 0)
		return true;
	text_copy(why, why_size, err.text);
	return false;
}

const struct schema_section schema_command = {
	.check = check_command,
	.title = "command",
	KEYS(command_keys),
	.one_of = 7,
	.one_of_needed = true,
	.scalar_key = "line",
	.list_key = "args",
	.doc = "What is run: a command line, a list of arguments, or a script under `sh`. The "
	       "program is looked for in the release's directory, then in PATH."};

/* ---- processes ---- */

static const struct schema_key health_keys[] = {
	{"path", SCHEMA_TEXT, AT(app_health, path), .valid = value_is_url_path, .max = 255,
	 .shape = "a path such as /up", .example = "/up",
	 .doc = "An HTTP GET of this path on the instance's port, by HTTP/2 if that is what the "
		"process "
		"`speaks`. 200 to 399 is healthy."},
	{"tcp", SCHEMA_BOOL, AT(app_health, tcp), .example = "true",
	 .doc = "Instead of `path`: that the instance's port takes a connection is healthy."},
	{"grpc", SCHEMA_BOOL, AT(app_health, grpc), .example = "true",
	 .doc = "Instead of `path`: that the server says SERVING to gRPC's health check "
		"(`grpc.health.v1.Health`, of the server as a whole) is healthy."},
	{"command", SCHEMA_SECTION, AT(app_health, command), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_command, .example = "bin/check",
	 .doc = "Instead of `path`: this command is healthy when it exits with 0."},
	{"interval", SCHEMA_DURATION, AT(app_health, interval_ms), .fallback = "1s", .min = 100,
	 .max = MINUTE(10), .doc = "From one probe's start to the next."},
	{"timeout", SCHEMA_DURATION, AT(app_health, timeout_ms), .fallback = "2s", .min = 10,
	 .max = MINUTE(10), .doc = "A probe without an answer in this time has failed."},
	{"passes", SCHEMA_NUMBER, AT(app_health, passes), .fallback = "3", .min = 1, .max = 100,
	 .doc = "So many probes in a row must pass before the instance counts as ready."},
	{"fails", SCHEMA_NUMBER, AT(app_health, fails), .fallback = "3", .min = 1, .max = 100,
	 .doc = "So many probes in a row must fail before a ready instance counts as down."},
	{"min_healthy", SCHEMA_DURATION, AT(app_health, min_healthy_ms), .fallback = "2s",
	 .max = HOUR(1),
	 .doc = "How long an instance must have been running, without a restart, before it "
		"counts as ready. It is the only test of a process without `path`, `tcp`, `grpc` "
		"and "
		"`command`."},
	{"deadline", SCHEMA_DURATION, AT(app_health, deadline_ms), .fallback = "60s",
	 .min = SECOND(1), .max = HOUR(6),
	 .doc = "An instance that is not ready this long after its start has failed, and with "
		"it the rollout."},
};

static const struct schema_section health_section = {
	.title = "health",
	KEYS(health_keys),
	.one_of = 15,
	.scalar_key = "path",
	.doc = "How davit knows that an instance is ready, and that it still works."};

static const struct schema_key drain_keys[] = {
	{"requests", SCHEMA_DURATION, AT(app_drain, requests_ms), .fallback = "30s", .max = HOUR(6),
	 .doc = "How long requests under way may take to end, once an instance gets no new "
		"ones."},
	{"websockets", SCHEMA_DURATION, AT(app_drain, websockets_ms), .fallback = "2m",
	 .max = DAY(1),
	 .doc = "The same for WebSockets and other upgraded connections, and for the "
		"connections of an environment whose `protocol` is `tcp`."},
};

static const struct schema_section drain_section = {
	.title = "drain",
	KEYS(drain_keys),
	.doc = "What an instance may finish before it is stopped."};

static const char *const signals[] = {
#define X(name, text) text,
	APP_SIGNALS(X)
#undef X
		NULL};

static const struct schema_key stop_keys[] = {
	{"signal", SCHEMA_CHOICE, AT(app_stop, signal), .fallback = "TERM", .choices = signals,
	 .doc = "The signal that asks an instance to end."},
	{"timeout", SCHEMA_DURATION, AT(app_stop, timeout_ms), .fallback = "30s", .min = 100,
	 .max = HOUR(6), .doc = "After it the instance, and every process it started, is killed."},
};

static const struct schema_section stop_section = {
	.title = "stop", KEYS(stop_keys), .doc = "How an instance is stopped, after its drain."};

static const struct schema_key limits_keys[] = {
	{"memory", SCHEMA_SIZE, AT(app_limits, memory_bytes), .example = "512MiB", .min = MIB(1),
	 .max = MIB(1ull << 24),
	 .doc = "The most memory that an instance may use. Without it there is no limit."},
	{"cpu", SCHEMA_MILLI, AT(app_limits, cpu_milli), .example = "1.5", .min = 10,
	 .max = 1024000,
	 .doc = "The most processors. Needs a writable cgroup; where there is none davit says "
		"so and goes on."},
	{"files", SCHEMA_NUMBER, AT(app_limits, files), .fallback = "4096", .min = 32,
	 .max = 1 << 20, .doc = "The most open files."},
};

static const struct schema_section limits_section = {
	.title = "limits", KEYS(limits_keys), .doc = "What an instance may use of the machine."};

static const char *const speaks[] = {"http1", "http2", NULL};

static const char *const handovers[] = {"start-first", "stop-first", NULL};

static const struct schema_key process_keys[] = {
	{"run", SCHEMA_SECTION, AT(app_process, run), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_command, .example = "bin/server --port $PORT",
	 .doc = "The program. It must stay in the foreground. One that takes requests listens "
		"on `$PORT` of 127.0.0.1; davit chooses the port."},
	{"user", SCHEMA_TEXT, AT(app_process, user), .valid = value_is_user, .max = 32,
	 .shape = "a user's name such as \"shop\"", .example = "shop",
	 .doc = "The system user that it runs as. Needs a server that runs as root; default is "
		"the server's own user."},
	{"instances", SCHEMA_NUMBER, AT(app_process, instances), .fallback = "1", .min = 1,
	 .max = 64, .doc = "How many run at the same time."},
	{"handover", SCHEMA_CHOICE, AT(app_process, handover), .fallback = "start-first",
	 .choices = handovers,
	 .doc = "Whether the new release's instance starts before the old one's stops, or "
		"after: a worker of which never two may run at the same time wants "
		"`stop-first`."},
	{"serves", SCHEMA_BOOL, AT(app_process, serves), .example = "true",
	 .doc = "Whether it takes requests. Left out, it does when `run` names `$PORT`, when "
		"it has a `health` path, tcp or grpc of its own, or when it is called `web` and "
		"`service` has one; others inherit neither. The N of M instances of a process "
		"that does not are its canary."},
	{"speaks", SCHEMA_CHOICE, AT(app_process, speaks), .fallback = "http1", .choices = speaks,
	 .doc = "By what it takes requests: `http2` is HTTP/2 in clear and with prior knowledge, "
		"as "
		"servers of gRPC speak it. Clients may use either one."},
	{"health", SCHEMA_SECTION, AT(app_process, health), .section = &health_section,
	 .example = "/up", .doc = "A path, or a mapping."},
	{"drain", SCHEMA_SECTION, AT(app_process, drain), .section = &drain_section,
	 .example = "{ requests: 30s }", .doc = "What it may finish."},
	{"stop", SCHEMA_SECTION, AT(app_process, stop), .section = &stop_section,
	 .example = "{ signal: TERM }", .doc = "How it ends."},
	{"limits", SCHEMA_SECTION, AT(app_process, limits), .section = &limits_section,
	 .example = "{ memory: 512MiB }", .doc = "What it may use."},
	{"env", SCHEMA_ENV, AT(app_process, env), .max = APP_ENV_MAX, .valid = value_is_variable,
	 .shape = "a variable's name such as LOG_LEVEL, not PORT or DAVIT_*",
	 .example = "{ LOG_LEVEL: info }",
	 .doc = "Environment variables. Values are texts as written. Later ones win: service, "
		"the process, the environment, the process in the environment."},
	{"secrets", SCHEMA_MAP, ITEMS(app_process, secrets, secret_count), .flags = SCHEMA_BY_NAME,
	 .max = APP_SECRETS_MAX, .section = &schema_secret, .valid = value_is_given,
	 .shape = "a variable's name such as DATABASE_URL, not PORT or DAVIT_*",
	 .example = "{ DATABASE_URL: \"davit:prod/db\" }",
	 .doc = "What the process is given from the server's store of secrets, under the names of "
		"variables. Later ones win, as with `env`. No value is part of a release."},
};

static const struct schema_later process_later[] = {
	{"cron", "Run it from the system's cron until then."},
	{"image", NULL},
	{"directory", "Processes run in the release's directory."}};

const struct schema_section schema_process = {
	.title = "process",
	KEYS(process_keys),
	LATER(process_later),
	.doc = "One role of the application. `service` says it for all; an entry of "
	       "`processes` and of an environment's `processes` says what differs."};
