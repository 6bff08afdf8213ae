/* SPDX-License-Identifier: Apache-2.0
 * Certificates of environments: which are ordered, when again, what a crash leaves, what is refused beforehand. */
#include <stdio.h>
#include <string.h>

#include "control/renewal.h"
#include "provider/certificates.h"
#include "provider/router_document.h"
#include "world.h"

#define HEAD                                                                           \
	"app: shop\n"                                                                  \
	"service: { run: bin/server --port $PORT, health: { path: /up, interval: 1s, " \
	"min_healthy: 500ms } }\n"                                                     \
	"analysis: off\n"                                                              \
	"strategies: { quick: [switch] }\n"                                            \
	"environments:\n"                                                              \
	"  prod:\n    listen: \"127.0.0.1:8443\"\n    strategy: quick\n"

#define ACME(hosts)                      \
	HEAD "    routes: [" hosts "]\n" \
	     "    tls: { acme: ops@shop.test, redirect: \"127.0.0.1:8080\" }\n"

static const char one[] = ACME("{ host: shop.test }"),
		  two[] = ACME(
			  "{ host: shop.test }, { host: shop.test, path: /a }, { host: b.test }"),
		  files[] = HEAD "    tls: { certificate: /t/a.pem, key: /t/a.key }\n";

#define DAY_MS (24 * 3600 * 1000ull)

static struct {
	struct certificates certificates;
	enum err fails, unready, unreadable;
	uint64_t life_ms; /* of what is given; 0 = 90 days */
	uint32_t tries;
	uint64_t tried_ms[64];
	char last[512];
	char covered[256]; /* the hosts of the certificate that is there */
	uint64_t from_unix_ms, until_unix_ms;
} script;

static void join(const char *const *names, uint32_t count, char to[256])
{
	to[0] = '\0';
	for (uint32_t i = 0; i < count; i++)
		snprintf(to + strlen(to), 256 - strlen(to), "%s ", names[i]);
}

static int place(struct certificates *certificates, const char *app, const char *environment,
		 struct certificates_place *to, struct error *err)
{
	(void)certificates;
	(void)err;
	snprintf(to->certificate, sizeof to->certificate, "/acme/%s.%s.pem", app, environment);
	snprintf(to->challenges, sizeof to->challenges, "/acme/%s.%s", app, environment);
	return 0;
}

static int read_files(struct certificates *certificates, struct certificates_files *f,
		      struct error *err)
{
	char names[256];
	(void)certificates;
	if (script.unreadable || (f->name_count > 0 && !script.until_unix_ms))
		return error_set(err, ERR_DENIED, "The file \"%s\" cannot be read.",
				 f->certificate);
	join(f->names, f->name_count, names);
	f->covers = strcmp(names, script.covered) == 0;
	f->from_unix_ms = script.from_unix_ms;
	f->until_unix_ms = script.until_unix_ms;
	return 0;
}

static int ready(struct certificates *certificates, struct error *err)
{
	(void)certificates;
	return script.unready ? error_set(err, script.unready, "Install it.") : 0;
}

static int order(struct certificates *certificates, const struct certificates_order *o,
		 struct error *err)
{
	char names[256];
	(void)certificates;
	join(o->names, o->name_count, names);
	script.tried_ms[script.tries++ % 64] = world.now_ms;
	snprintf(script.last, sizeof script.last, "%s.%s %s %s %s %s", o->app, o->environment,
		 o->directory, o->email, o->challenge, names);
	if (script.fails)
		return error_set(err, script.fails, "The authority says no.");
	text_copy(script.covered, sizeof script.covered, names);
	script.from_unix_ms = env_wall_ms(&world.env);
	script.until_unix_ms =
		script.from_unix_ms + (script.life_ms ? script.life_ms : 90 * DAY_MS);
	return 0;
}

static int setup(void **state)
{
	static const struct certificates_ops ops = {
		.place = place, .read = read_files, .ready = ready, .order = order};
	(void)state;
	memset(&script, 0, sizeof script);
	script.certificates.ops = &ops;
	world_open();
	world.certificates = &script.certificates;
	world_kill();
	world_start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_assert_sane();
	world_close();
	world.certificates = NULL;
	return 0;
}

static void live(const char *name, const char *yaml)
{
	world_release("prod", name, yaml);
	assert_string_equal(world_until_end(world_deploy("prod", name), 60000), "succeeded");
}

static void take(void *context, const struct view_environment *e)
{
	*(struct view_certificate *)context = e->certificate;
}

static const struct view_certificate *shown(void)
{
	static struct view_certificate copy;
	assert_int_equal(control_view_environments(world.control, "prod", take, &copy, &world.err),
			 0);
	return &copy;
}

/* --- */

static void one_is_ordered_once_the_gateway_listens(void **state)
{
	(void)state;
	live("v1", two);
	world_run(1000);
	assert_int_equal(script.tries, 1);
	assert_string_equal(
		script.last,
		"shop.prod https://acme-v02.api.letsencrypt.org/directory ops@shop.test "
		"http-01 shop.test b.test ");
	const struct router_tls *tls = &world.environments[0].document->tls;
	assert_string_equal(tls->certificate, "/acme/shop.prod.pem");
	assert_string_equal(tls->key, tls->certificate);
	assert_string_equal(tls->challenges, "/acme/shop.prod");
	assert_string_equal(tls->redirect, "127.0.0.1:8080");
	world_run(20000);
	assert_string_equal(shown()->state, "good");
	world_kill();
	world_start();
	world_run(60000);
	assert_int_equal(script.tries, 1);
}

static void failures_wait_also_over_a_restart(void **state)
{
	(void)state;
	script.fails = ERR_DENIED;
	live("v1", one);
	world_run(30000);
	assert_int_equal(script.tries, 1);
	assert_string_equal(shown()->state, "failing");
	assert_non_null(strstr(shown()->text, "The authority says no. Next try: "));
	world_kill();
	world_start();
	world_run(60000);
	assert_int_equal(script.tries, 1);
	assert_string_equal(shown()->state, "failing");
	world_run(RENEWAL_FIRST_MS * 11 / 10);
	assert_int_equal(script.tries, 2);
	script.fails = ERR_OK;
	world_run(RENEWAL_FIRST_MS * 4);
	assert_int_equal(script.tries, 3);
	assert_string_equal(shown()->state, "good");
}

static void other_hosts_are_another_order(void **state)
{
	(void)state;
	script.fails = ERR_DENIED;
	live("v1", one);
	world_run(1000);
	script.fails = ERR_OK;
	live("v2", two);
	world_run(1000);
	assert_int_equal(script.tries, 2);
	world_run(20000);
	assert_string_equal(shown()->state, "good");
}

static void it_is_renewed_and_people_are_warned_when_that_fails(void **state)
{
	(void)state;
	script.life_ms = 6 * 3600 * 1000;
	live("v1", one);
	world_run(1000);
	script.fails = ERR_TIMEOUT;
	world_run(3 * 3600 * 1000);
	assert_int_equal(script.tries, 1);
	world_run(3600 * 1000 + 60000);
	assert_in_range(script.tries, 2,
			3); /* one certificate is renewed a little earlier than another */
	assert_string_equal(shown()->state, "failing");
	assert_true(strncmp(shown()->text, "Good until ", 11) == 0);
	script.fails = ERR_OK;
	world_run(3600 * 1000);
	assert_in_range(script.tries, 3, 4);
	assert_string_equal(shown()->state, "good");
}

static void what_the_gateway_would_refuse_is_not_deployed(void **state)
{
	(void)state;
	script.unreadable = ERR_DENIED;
	world_release("prod", "v1", files);
	assert_int_equal(world_deploy("prod", "v1"), 0);
	assert_string_equal(world.err.text, "The file \"/t/a.pem\" cannot be read.");
	script.unreadable = ERR_OK;
	script.until_unix_ms = env_wall_ms(&world.env) + DAY_MS;
	script.from_unix_ms = 1; /* the clock of this world began eleven days ago */
	live("v1", files);
	world_run(1000);
	assert_int_equal(script.tries, 0);
	assert_string_equal(shown()->state, "soon");
	script.unready = ERR_UNSUPPORTED;
	world_release("prod", "v2", one);
	assert_int_equal(world_deploy("prod", "v2"), 0);
	assert_string_equal(world.err.text, "Install it.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_is_ordered_once_the_gateway_listens, setup,
						teardown),
		cmocka_unit_test_setup_teardown(failures_wait_also_over_a_restart, setup, teardown),
		cmocka_unit_test_setup_teardown(other_hosts_are_another_order, setup, teardown),
		cmocka_unit_test_setup_teardown(it_is_renewed_and_people_are_warned_when_that_fails,
						setup, teardown),
		cmocka_unit_test_setup_teardown(what_the_gateway_would_refuse_is_not_deployed,
						setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
