/* SPDX-License-Identifier: Apache-2.0
 * keys - see keys.h for the contract. Environments, the file, and its resolved form. */
#include "config/keys.h"
#include "base/text.h"
#include "config/app.h"
#include "config/value.h"

/* ---- environments ---- */

static const struct schema_key route_keys[] = {
	{"host", SCHEMA_TEXT, AT(app_route, host), .valid = value_is_host, .max = 253,
	 .shape = "a host name in lower case such as shop.example.com",
	 .example = "shop.example.com",
	 .doc = "Requests for this host. Left out: for every host that no other route names."},
	{"path", SCHEMA_TEXT, AT(app_route, path), .valid = value_is_url_path, .max = 255,
	 .shape = "a path such as /api", .fallback = "/",
	 .doc = "This path and everything below it. The longest match wins."},
	{"to", SCHEMA_TEXT, AT(app_route, to), .valid = text_is_name, .shape = KEYS_NAME_SHAPE,
	 .example = "web",
	 .doc = "The process that answers. Left out: `web`, or the only one that serves."},
};

static const struct schema_section route_section = {
	.title = "route", KEYS(route_keys), .doc = "Which requests go to which process."};

static const struct schema_key sticky_keys[] = {
	{"cookie", SCHEMA_TEXT, AT(app_sticky, cookie), .valid = value_is_token, .max = 64,
	 .shape = "a cookie's name such as davit_unit", .example = "davit_unit",
	 .doc = "davit gives each visitor a signed cookie of this name and a place in the "
		"split by it."},
	{"header", SCHEMA_TEXT, AT(app_sticky, header), .valid = value_is_token, .max = 64,
	 .shape = "a header's name such as X-User", .example = "X-User",
	 .doc = "A request header that names the visitor. Use one that clients cannot choose."},
};

static const struct schema_section sticky_section = {
	.title = "sticky",
	KEYS(sticky_keys),
	.one_of = 3,
	.one_of_needed = true,
	.doc = "Keep a visitor on one release while the weights stand. Without it each "
	       "request is split at random."};

static const struct schema_key hold_keys[] = {
	{"requests", SCHEMA_NUMBER, AT(app_hold, requests), .fallback = "10000", .max = 1000000,
	 .doc = "At most so many requests wait; more get 503 at once."},
	{"time", SCHEMA_DURATION, AT(app_hold, time_ms), .fallback = "30s", .max = MINUTE(10),
	 .doc = "The longest that a request waits; then 503 with Retry-After."},
};

static const struct schema_section hold_section = {
	.title = "hold",
	KEYS(hold_keys),
	.doc = "Requests wait while no release can take them, as during `recreate`."};

static const char *const concurrency[] = {"queue", "supersede", NULL};

static const char *const protocols[] = {"http", "tcp", NULL};

static const struct schema_key environment_keys[] = {
	{"listen", SCHEMA_TEXT, AT(app_environment, listen), .valid = value_is_address, .max = 64,
	 .shape = "an address and a port such as 0.0.0.0:8080 or [::]:8080",
	 .example = "0.0.0.0:8080",
	 .doc = "Where users reach it. Environments may share an address when each has routes "
		"with hosts of its own; one of them may have routes without. Needed when a "
		"process serves."},
	{"protocol", SCHEMA_CHOICE, AT(app_environment, protocol), .fallback = "http",
	 .choices = protocols,
	 .doc = "What is spoken at `listen`. `tcp`: anything else than HTTP; its bytes pass "
		"unread, "
		"and whole connections take the place of requests. Such an environment has its "
		"address for itself."},
	{"tcp", SCHEMA_SECTION, AT(app_environment, tcp), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_tcp, .example = "{ idle: 1h, proxy: v2 }",
	 .doc = "What becomes of connections, where `protocol` is `tcp`."},
	{"routes", SCHEMA_LIST, ITEMS(app_environment, routes, route_count), .max = APP_ROUTES_MAX,
	 .section = &route_section, .example = "[{ host: shop.example.com, to: web }]",
	 .doc = "Left out: everything goes to `web`, or to the only process that serves."},
	{"strategy", SCHEMA_SECTION, AT(app_environment, strategy), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_strategy, .example = "canary", .doc = "Default is `canary`."},
	{"processes", SCHEMA_MAP, ITEMS(app_environment, processes, process_count),
	 .max = APP_PROCESSES_MAX, .section = &schema_process, .valid = text_is_name,
	 .shape = KEYS_NAME_SHAPE, .example = "{ web: { instances: 4 } }",
	 .doc = "What differs here. The one process of `service` is called `web`."},
	{"env", SCHEMA_ENV, AT(app_environment, env), .max = APP_ENV_MAX,
	 .valid = value_is_variable,
	 .shape = "a variable's name such as LOG_LEVEL, not PORT or DAVIT_*",
	 .example = "{ LOG_LEVEL: warn }", .doc = "For all processes here."},
	{"secrets", SCHEMA_MAP, ITEMS(app_environment, secrets, secret_count),
	 .flags = SCHEMA_BY_NAME, .max = APP_SECRETS_MAX, .section = &schema_secret,
	 .valid = value_is_given,
	 .shape = "a variable's name such as DATABASE_URL, not PORT or DAVIT_*",
	 .example = "{ DATABASE_URL: \"davit:prod/db\" }", .doc = "For all processes here."},
	{"sticky", SCHEMA_SECTION, AT(app_environment, sticky), .flags = SCHEMA_OPTIONAL,
	 .section = &sticky_section, .example = "{ cookie: davit_unit }",
	 .doc = "Keep visitors on one release."},
	{"cohort", SCHEMA_SECTION, AT(app_environment, cohort), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_cohort, .example = "[{ header: X-Beta, is: \"1\" }]",
	 .doc = "Whose requests a new release gets whatever its share."},
	{"hold", SCHEMA_SECTION, AT(app_environment, hold), .section = &hold_section,
	 .example = "{ requests: 10000, time: 30s }",
	 .doc = "How many requests may wait, how long."},
	{"requests", SCHEMA_SECTION, AT(app_environment, requests), .section = &schema_requests,
	 .example = "{ shield: true, answer: 10s }", .doc = "How the gateway treats each request."},
	{"tls", SCHEMA_SECTION, AT(app_environment, tls), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_tls,
	 .example =
		 "{ certificate: /etc/davit/tls/fullchain.pem, key: /etc/davit/tls/privkey.pem }",
	 .doc = "Serve by HTTPS. Environments that share an address do so all, or none."},
	{"concurrency", SCHEMA_CHOICE, AT(app_environment, concurrency), .fallback = "queue",
	 .choices = concurrency,
	 .doc = "A newer release while one rolls out waits (`queue`), or turns it back and "
		"goes first (`supersede`). So does a newer commit before one that waits to be "
		"built."},
	{"keep_warm", SCHEMA_DURATION, AT(app_environment, keep_warm_ms), .fallback = "1h",
	 .max = DAY(30),
	 .doc = "How long the instances of the release before stay up, so that a rollback "
		"takes effect at once."},
	{"retain", SCHEMA_NUMBER, AT(app_environment, retain), .fallback = "5", .min = 1,
	 .max = 100,
	 .doc = "How many releases besides the live one are kept on disk to roll back to."},
	{"analysis", SCHEMA_SECTION, AT(app_environment, analysis), .section = &schema_analysis,
	 .example = "off", .doc = "What differs here."},
	{"from", SCHEMA_TEXT, AT(app_environment, from), .valid = text_is_name,
	 .shape = KEYS_NAME_SHAPE, .example = "staging",
	 .doc = "Only a release that was live and good in this environment before comes here: the "
		"same bytes, nothing is built again. With `approve` it comes by itself, and waits "
		"for the answer; else `davit deploy` brings it."},
	{"soak", SCHEMA_DURATION, AT(app_environment, soak_ms), .min = 1, .max = DAY(30),
	 .example = "30m",
	 .doc = "It stayed live and good in `from` for so long before it begins."},
	{"approve", SCHEMA_SECTION, AT(app_environment, approve), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_approve, .example = "{ by: [release-managers], count: 1 }",
	 .doc = "Who has to say yes before a release goes out here."},
	{"windows", SCHEMA_SECTION, AT(app_environment, windows), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_windows,
	 .example = "{ days: mon-thu, hours: \"09:00-16:00\", zone: Europe/Berlin }",
	 .doc = "When releases may go out here. A rollback asks for no window."},
	{"trigger", SCHEMA_SECTION, AT(app_environment, trigger), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_trigger, .example = "{ branch: main }",
	 .doc = "A push to the server's repository that moves this is built, and goes out here "
		"when its pipeline passes."},
	{"verify", SCHEMA_TEXTS, AT(app_environment, verify), .max = 8, .valid = text_is_name,
	 .shape = "the names of `checks`, such as [smoke]", .example = "[smoke]",
	 .doc = "Checks of the release once it has all requests, before it counts as good. One "
		"that fails takes it back. Default is the check called `smoke`, where there is one "
		"and the strategy is a built-in one."},
	{"check_secrets", SCHEMA_MAP, ITEMS(app_environment, check_secrets, check_secret_count),
	 .flags = SCHEMA_BY_NAME, .max = APP_CHECK_SECRETS_MAX, .section = &schema_secret,
	 .valid = value_is_given,
	 .shape = "a variable's name such as SMOKE_PASSWORD, not PORT or DAVIT_*",
	 .example = "{ SMOKE_PASSWORD: davit:prod/smoke }",
	 .doc = "For the commands of all checks that run here. Later ones win: the check, the "
		"environment. Processes get none of these."},
	{"migrate", SCHEMA_SECTION, AT(app_environment, migrate), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_migrate, .example = "{ ask: false }", .doc = "What differs here."},
	{"hooks", SCHEMA_SECTION, AT(app_environment, hooks), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_hooks, .example = "{ before_step: bin/announce }",
	 .doc = "What differs here."},
	{"infrastructure", SCHEMA_SECTION, AT(app_environment, infrastructure),
	 .flags = SCHEMA_OPTIONAL, .section = &schema_infrastructure,
	 .example = "{ plan: bin/infra plan, apply: bin/infra apply }",
	 .doc = "What is changed outside before a release goes out here."},
	{"production", SCHEMA_BOOL, AT(app_environment, production), .example = "true",
	 .doc = "Whether its deployments are those that count: they are what `davit dora` calls "
		"production. Left out, it is where a release ends: an environment that has `from`, "
		"and that none comes from."},
	{"tag", SCHEMA_BOOL, AT(app_environment, tag), .example = "false",
	 .doc = "Whether the commit of a release that has succeeded here gets an annotated tag, "
		"called as the release is, in the server's repository that it was built from. One "
		"that is there is never moved. Left out: where it is production."},
};

static const struct schema_later environment_later[] = {
	{"mirrors", NULL},
	{"notify", NULL},
	{"freeze", NULL},
	{"protect", NULL},
	{"checks", "Write checks at the top of the file."}};

const struct schema_section schema_environment = {.title = "environment",
						  KEYS(environment_keys),
						  LATER(environment_later),
						  .doc = "One place where the application runs."};

/* ---- the file ---- */

static const struct schema_key app_keys[] = {
	{"app", SCHEMA_TEXT, AT(app, name), .flags = SCHEMA_REQUIRED, .valid = text_is_name,
	 .shape = KEYS_NAME_SHAPE, .example = "shop", .doc = "The application's name."},
	{"service", SCHEMA_SECTION, AT(app, service), .section = &schema_process,
	 .example = "{ run: bin/server --port $PORT, health: /up }",
	 .doc = "The one process of the application, called `web`; with `processes`, what they "
		"share."},
	{"processes", SCHEMA_MAP, ITEMS(app, processes, process_count), .max = APP_PROCESSES_MAX,
	 .section = &schema_process, .valid = text_is_name, .shape = KEYS_NAME_SHAPE,
	 .example = "{ web: { run: bin/server --port $PORT }, worker: { run: bin/worker } }",
	 .doc = "Several processes, by role."},
	{"persist", SCHEMA_TEXTS, AT(app, persist), .max = 16, .valid = value_is_inside,
	 .shape = "a path inside the application such as storage/", .example = "[storage/]",
	 .doc = "Paths that releases share: they survive a deployment."},
	{"migrate", SCHEMA_SECTION, AT(app, migrate), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_migrate,
	 .example = "{ before: bin/migrate expand, after: bin/migrate contract }",
	 .doc = "Commands before the first instance of a new release, and once it is live for "
		"good."},
	{"hooks", SCHEMA_SECTION, AT(app, hooks), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_hooks,
	 .example = "{ before_step: bin/announce, after_step: bin/measure }",
	 .doc = "Commands before and after each step of the strategy."},
	{"checks", SCHEMA_MAP, ITEMS(app, checks, check_count), .max = APP_CHECKS_MAX,
	 .section = &schema_check, .valid = text_is_name, .shape = KEYS_NAME_SHAPE,
	 .example = "{ smoke: [{ get: /up, expect: 200 }] }",
	 .doc = "Tests of a running release, by name. One called `smoke` is the first step of "
		"the strategies that need no definition, all but `recreate`, and runs once more "
		"when the release has all requests (`verify`)."},
	{"analysis", SCHEMA_SECTION, AT(app, analysis), .section = &schema_analysis,
	 .example = "{ errors: { max: 1% } }", .doc = "What a new release is judged by."},
	{"pipeline", SCHEMA_MAP, ITEMS(app, stages, stage_count), .max = APP_STAGES_MAX,
	 .section = &schema_stage, .valid = text_is_name, .shape = KEYS_NAME_SHAPE,
	 .example = "{ compile: { run: make, outputs: [bin/] } }",
	 .doc = "The stages from a commit to a release, by name; `davit build --local` runs them."},
	{"strategies", SCHEMA_MAP, ITEMS(app, strategies, strategy_count),
	 .max = APP_STRATEGIES_MAX, .section = &schema_definition, .valid = text_is_name,
	 .shape = KEYS_NAME_SHAPE, .example = "{ careful: [{ canary: {} }, { bake: 30m }] }",
	 .doc = "Strategies of your own, by name."},
	{"environments", SCHEMA_MAP, ITEMS(app, environments, environment_count),
	 .flags = SCHEMA_REQUIRED, .max = APP_ENVIRONMENTS_MAX, .section = &schema_environment,
	 .valid = text_is_name, .shape = KEYS_NAME_SHAPE,
	 .example = "{ prod: { listen: 0.0.0.0:8080 } }",
	 .doc = "Where the application runs, by name."},
};

static const struct schema_later app_later[] = {
	{"root", "Give the directory to `davit deploy`."},
	{"watch", NULL},
	{"version", "Give the version to `davit deploy --as`."},
	{"notify", NULL},
	{"secrets", NULL},
	{"protect", NULL},
	{"groups", NULL},
	{"trusted_proxies", NULL},
	{"listeners", NULL},
	{"freeze", NULL}};

const struct schema_section schema_app = {
	.title = "davit.yaml",
	KEYS(app_keys),
	LATER(app_later),
	.doc = "One file in the application's directory says everything a deployment needs."};

static const char *const formats[] = {"1", NULL};

static const struct schema_key resolved_keys[] = {
	{"format", SCHEMA_CHOICE, AT(resolved, format), .flags = SCHEMA_REQUIRED,
	 .choices = formats, .doc = ""},
	{"app", SCHEMA_TEXT, AT(resolved, app), .flags = SCHEMA_REQUIRED, .valid = text_is_name,
	 .shape = KEYS_NAME_SHAPE, .doc = ""},
	{"environment", SCHEMA_TEXT, AT(resolved, name), .flags = SCHEMA_REQUIRED,
	 .valid = text_is_name, .shape = KEYS_NAME_SHAPE, .doc = ""},
	{"persist", SCHEMA_TEXTS, AT(resolved, persist), .max = 16, .valid = value_is_inside,
	 .shape = "a path inside the application", .doc = ""},
	{"checks", SCHEMA_MAP, ITEMS(resolved, checks, check_count), .max = APP_CHECKS_MAX,
	 .section = &schema_check, .valid = text_is_name, .shape = KEYS_NAME_SHAPE, .doc = ""},
	{"settings", SCHEMA_SECTION, AT(resolved, environment), .flags = SCHEMA_REQUIRED,
	 .section = &schema_environment, .doc = ""},
};

const struct schema_section schema_resolved = {
	.title = "resolved configuration", KEYS(resolved_keys), .doc = ""};
