/* SPDX-License-Identifier: Apache-2.0
 * Who may do what by the server's own file, and what it asks of a commit's checks and analysis. */
#include <stdio.h>
#include <string.h>

#include "../cmocka_all.h"

#include "config/server.h"

static struct config_errors errors;

static struct server *load(const char *text)
{
	struct server *server = NULL;
	memset(&errors, 0, sizeof errors);
	if (server_load(text, strlen(text), "server.yaml", &server, &errors) < 0)
		return NULL;
	return server;
}

#define PEOPLE                                                                          \
	"people: { ann: [\"user:ann\"], bob: [\"user:robert\", \"token:pager\"], cat: " \
	"[\"user:c\"],"                                                                 \
	" dan: [\"user:dan\"] }\n"                                                      \
	"groups: { managers: [ann], on-call: [bob], dan: [cat] }\n"

static enum server_may may(const struct server *s, enum server_role role,
			   enum server_standing standing, const char *who)
{
	return server_may(s, "shop/prod", role, standing, who);
}

static void nothing_written_leaves_it_to_whoever_runs_the_server(void **state)
{
	(void)state;
	struct server *s = load(PEOPLE "protect: { shop/prod: { signed_tags: false } }\n");
	const struct server *both[] = {NULL, s};
	assert_non_null(s);
	for (size_t i = 0; i < 2; i++)
		for (uint32_t role = 0; role < SERVER_ROLE_COUNT; role++) {
			enum server_role r = (enum server_role)role;
			assert_int_equal(may(both[i], r, SERVER_OWNER, "root"), SERVER_MAY);
			assert_int_equal(may(both[i], r, SERVER_HOLDER, "token:ci"), SERVER_MAY);
			assert_int_equal(may(both[i], r, SERVER_GUEST, "ann"), SERVER_MAY_NOT);
			assert_false(server_limits(both[i], "shop/prod", r));
		}
	assert_false(server_has_roles(s));
	assert_false(server_has_roles(NULL));
	server_free(s);
}

static void who_is_named_may_and_others_may_not(void **state)
{
	(void)state;
	char names[SERVER_ROLE_WORDS];
	struct server *s = load(PEOPLE "protect: { shop/prod: { deploy: [managers, cat],"
				       " rollback: on-call, clear: [bob] } }\n");
	assert_non_null(s);
	assert_true(server_has_roles(s));
	/* By group, by person, by token, and by whoever the file does not know. */
	assert_int_equal(may(s, SERVER_DEPLOY, SERVER_GUEST, "ann"), SERVER_MAY);
	assert_int_equal(may(s, SERVER_DEPLOY, SERVER_GUEST, "c"), SERVER_MAY);
	assert_int_equal(may(s, SERVER_DEPLOY, SERVER_GUEST, "robert"), SERVER_MAY_NOT);
	assert_int_equal(may(s, SERVER_DEPLOY, SERVER_HOLDER, "token:pager"), SERVER_MAY_NOT);
	assert_int_equal(may(s, SERVER_DEPLOY, SERVER_HOLDER, "token:ci"), SERVER_MAY_NOT);
	assert_int_equal(may(s, SERVER_ROLLBACK, SERVER_HOLDER, "token:pager"), SERVER_MAY);
	/* Who may deploy may go back, who may go back may not deploy. */
	assert_int_equal(may(s, SERVER_ROLLBACK, SERVER_GUEST, "ann"), SERVER_MAY);
	assert_string_equal(server_role_names(s, "shop/prod", SERVER_ROLLBACK, names),
			    "on-call, managers, cat");
	/* What is left out is as `deploy` says; what is written is only that. */
	assert_int_equal(may(s, SERVER_FREEZE, SERVER_GUEST, "ann"), SERVER_MAY);
	assert_int_equal(may(s, SERVER_FREEZE, SERVER_GUEST, "robert"), SERVER_MAY_NOT);
	assert_int_equal(may(s, SERVER_CLEAR, SERVER_GUEST, "robert"), SERVER_MAY);
	assert_int_equal(may(s, SERVER_CLEAR, SERVER_GUEST, "ann"), SERVER_MAY_NOT);
	/* Whoever runs the server may, and it shows; where he is named, it is nothing special. */
	assert_int_equal(may(s, SERVER_DEPLOY, SERVER_OWNER, "root"), SERVER_MAY_AS_OWNER);
	assert_int_equal(may(s, SERVER_DEPLOY, SERVER_OWNER, "ann"), SERVER_MAY);
	/* Another environment is another matter. */
	assert_int_equal(server_may(s, "shop/dev", SERVER_DEPLOY, SERVER_HOLDER, "token:ci"),
			 SERVER_MAY);
	assert_true(server_limits_app(s, "shop", SERVER_DEPLOY));
	assert_false(server_limits_app(s, "sho", SERVER_DEPLOY));
	assert_false(server_limits_app(NULL, "shop", SERVER_DEPLOY));
	assert_true(server_guest_of(s, "shop", "ann"));
	assert_false(server_guest_of(s, "shop", "robert"));
	assert_false(server_guest_of(s, "sho", "ann"));
	assert_false(server_guest_of(s, "", "ann"));
	server_free(s);
}

/* Without `deploy` only what is written is limited. */
static void one_role_limits_nothing_else(void **state)
{
	(void)state;
	struct server *s = load(PEOPLE "protect: { shop/prod: { freeze: [managers] } }\n");
	assert_non_null(s);
	assert_int_equal(may(s, SERVER_DEPLOY, SERVER_HOLDER, "token:ci"), SERVER_MAY);
	assert_int_equal(may(s, SERVER_DEPLOY, SERVER_OWNER, "root"), SERVER_MAY);
	assert_int_equal(may(s, SERVER_ROLLBACK, SERVER_HOLDER, "token:ci"), SERVER_MAY);
	assert_int_equal(may(s, SERVER_FREEZE, SERVER_HOLDER, "token:ci"), SERVER_MAY_NOT);
	assert_int_equal(may(s, SERVER_FREEZE, SERVER_GUEST, "ann"), SERVER_MAY);
	server_free(s);
}

/* A local user who is called as a person of the file is not that person, and a group goes before its namesake. */
static void a_name_alone_is_nobody(void **state)
{
	(void)state;
	struct server *s = load(PEOPLE "protect: { shop/prod: { deploy: [bob, dan] } }\n");
	assert_non_null(s);
	assert_int_equal(may(s, SERVER_DEPLOY, SERVER_GUEST, "bob"), SERVER_MAY_NOT);
	assert_int_equal(may(s, SERVER_DEPLOY, SERVER_GUEST, "robert"), SERVER_MAY);
	assert_int_equal(may(s, SERVER_DEPLOY, SERVER_GUEST, "c"), SERVER_MAY);
	assert_int_equal(may(s, SERVER_DEPLOY, SERVER_GUEST, "dan"), SERVER_MAY_NOT);
	assert_false(server_knows(s, "bob"));
	assert_true(server_knows(s, "user:robert"));
	assert_true(server_knows(s, "token:pager"));
	assert_false(server_knows(NULL, "ann"));
	server_free(s);
}

static void mistakes_are_named(void **state)
{
	(void)state;
	static const struct {
		const char *text, *part;
	} cases[] = {
		{PEOPLE "protect: { shop/prod: { deploy: [eve] } }\n", "nobody called \"eve\""},
		{PEOPLE "protect: { shop/prod: { clear: [] } }\n", "not an empty one"},
		{"protect: { shop/prod: { verify: [] } }\n", "not an empty one"},
		{"protect: { shop/prod: { verify: [\"kind:any\"] } }\n", "kind:scan"},
		{"protect: { shop/prod: { analysis: [speed] } }\n", "log_errors"},
		{"protect: { shop/prod: { analysis: [\"kpi:\"] } }\n", "KPI"},
		{"socket_group: \"a b\"\n", "a group of this machine"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct server *s = load(cases[i].text);
		if (s || !strstr(errors.items[0].text, cases[i].part))
			fail_msg("%s: %s", cases[i].text, errors.items[0].text);
	}
}

/* --- the floor under checks and analysis */

#define APP                                                              \
	"app: shop\nservice: { run: ./app --port $PORT, health: /up }\n" \
	"checks:\n"                                                      \
	"  page: [{ get: /up }]\n"                                       \
	"  unit: { run: ./test.sh }\n"                                   \
	"  dast: { run: ./zap.sh, sarif: zap.sarif }\n"

static void missing_is(const char *floor, const char *prod, const char *wanted)
{
	char text[1024], missing[256];
	struct app *app;
	struct resolved *config;
	struct error err;
	snprintf(text, sizeof text, "protect: { shop/prod: { %s } }\n", floor);
	struct server *s = load(text);
	assert_non_null(s);
	snprintf(text, sizeof text,
		 APP "environments: { prod: { listen: \"127.0.0.1:8080\"%s } }\n", prod);
	if (config_load(text, strlen(text), "davit.yaml", &app, &errors) < 0)
		fail_msg("%s: %s", text, errors.items[0].text);
	assert_int_equal(config_resolve(app, "prod", NULL, &config, &err), 0);
	bool is = server_missing(s, "shop/prod", config, missing, sizeof missing);
	if (strcmp(missing, wanted) != 0 || is != (wanted[0] != '\0'))
		fail_msg("%s over %s: \"%s\", not \"%s\"", floor, prod, missing, wanted);
	assert_false(server_missing(s, "shop/dev", config, missing, sizeof missing));
	assert_false(server_missing(NULL, "shop/prod", config, missing, sizeof missing));
	config_resolved_free(config);
	config_free(app);
	server_free(s);
}

static void checks_that_a_commit_leaves_out_are_named(void **state)
{
	(void)state;
	missing_is("verify: page", ", verify: [page]", "");
	missing_is("verify: page", "", "the check page (verify)");
	missing_is("verify: [page, dast]", ", verify: [unit]",
		   "the check page (verify), the check dast (verify)");
	/* A check that is only there is not run. */
	missing_is("verify: \"kind:scan\"", ", verify: [page, unit]",
		   "a check of kind:scan (verify)");
	missing_is("verify: \"kind:scan\"", ", verify: [dast]", "");
	missing_is("verify: [\"kind:run\", \"kind:get\"]", ", verify: [unit]",
		   "a check of kind:get (verify)");
}

static void analysis_that_a_commit_switches_off_is_named(void **state)
{
	(void)state;
	missing_is("analysis: [errors, refused, latency, crashes]", "", "");
	missing_is("analysis: [errors, latency]", ", analysis: off",
		   "errors (analysis), latency (analysis)");
	missing_is("analysis: [errors, latency]", ", analysis: { latency: off }",
		   "latency (analysis)");
	missing_is("analysis: [refused, crashes]", ", analysis: { refused: off, crashes: off }",
		   "refused (analysis), crashes (analysis)");
	/* What is only judged where it is written. */
	missing_is("analysis: [cpu, memory, log_errors, \"kpi:sold\"]", "",
		   "cpu (analysis), memory (analysis), log_errors (analysis), kpi:sold (analysis)");
	missing_is("analysis: [cpu, memory, log_errors, \"kpi:sold\"]",
		   ", analysis: { cpu: { worse_by: 25% }, memory: on, log_errors: on,"
		   " kpi: { sold: { count: sold_total } } }",
		   "");
	/* Plain rules look at errors, and at slowness where a bound is written, and at nothing else. */
	missing_is("analysis: [errors, latency, crashes]", ", analysis: { method: rules }",
		   "latency (analysis), crashes (analysis)");
	missing_is("analysis: [errors, latency]",
		   ", analysis: { method: rules, latency: { p99: { max: 1s } } }", "");
	missing_is("analysis: [errors, latency, crashes]", ", analysis: { method: mann-whitney }",
		   "crashes (analysis)");
}

static void more_than_has_room_is_still_missing(void **state)
{
	(void)state;
	char small[8];
	struct app *app;
	struct resolved *config;
	struct error err;
	static const char text[] = APP "environments: { prod: { listen: \"127.0.0.1:8080\" } }\n";
	struct server *s = load("protect: { shop/prod: { verify: [page, unit, dast] } }\n");
	assert_int_equal(config_load(text, strlen(text), "davit.yaml", &app, &errors), 0);
	assert_int_equal(config_resolve(app, "prod", NULL, &config, &err), 0);
	assert_true(server_missing(s, "shop/prod", config, small, sizeof small));
	assert_string_equal(small, "the che");
	config_resolved_free(config);
	config_free(app);
	server_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_written_leaves_it_to_whoever_runs_the_server),
		cmocka_unit_test(who_is_named_may_and_others_may_not),
		cmocka_unit_test(one_role_limits_nothing_else),
		cmocka_unit_test(a_name_alone_is_nobody),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(checks_that_a_commit_leaves_out_are_named),
		cmocka_unit_test(analysis_that_a_commit_switches_off_is_named),
		cmocka_unit_test(more_than_has_room_is_still_missing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
