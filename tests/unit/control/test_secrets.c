/* SPDX-License-Identifier: Apache-2.0
 * What people give an application: versions, who gets which, keys that are others, requests that are repeated. */
#include <string.h>

#include "base/seal.h"
#include "control/secrets.h"
#include "store/secrets.h"
#include "world.h"

#define SERVICE(secrets)                                                                      \
	"app: shop\n"                                                                         \
	"service:\n"                                                                          \
	"  run: bin/server --port $PORT\n"                                                    \
	"  health: { path: /up, interval: 1s, min_healthy: 500ms, deadline: 10s }\n"          \
	"  secrets: { " secrets " }\n"                                                        \
	"analysis: { method: rules, errors: { max: 2%, at_least: 50 requests }, hang: 2s }\n" \
	"environments:\n"                                                                     \
	"  prod: { listen: \"127.0.0.1:8080\", strategy: recreate }\n"

static const char latest[] = SERVICE("DB: \"davit:prod/db\"");
static const char pinned[] = SERVICE("DB: { from: \"davit:prod/db\", version: pinned }");

static struct seal_key key;
static int key_result; /* 0: it is there */

static int give_key(void *context, bool make, struct seal_key *ret_key, struct error *err)
{
	(void)context;
	(void)make;
	*ret_key = key;
	return key_result == 0 ? 0 : error_set(err, (enum err)key_result, "No key.");
}

static int setup(void **state)
{
	(void)state;
	memset(&key, 7, sizeof key);
	key_result = 0;
	world_open();
	world_kill();
	world.secret_key = give_key;
	world_start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close();
	return 0;
}

static void assert_tells(const char *part)
{
	if (!strstr(world.err.text, part))
		fail_msg("\"%s\" does not say \"%s\"", world.err.text, part);
}

/* The version; 0: refused, with world.err. */
static uint32_t set(const char *name, const char *value, const char *request_id)
{
	struct control_caller caller = world_caller(request_id);
	struct secret_order order = {
		.app = "shop", .name = name, .value = value, .size = strlen(value)};
	uint32_t version = 0;
	if (control_set_secret(world.control, &caller, &order, &version, &world.err) < 0)
		return 0;
	return version;
}

/* The value that an instance of the release gets; NULL: refused, with world.err. */
static const char *given_in(const char *environment, const char *release, const char *from,
			    bool pin)
{
	static char value[64];
	struct instance_secret secret = {.name = "DB", .from = from, .pinned = pin};
	struct instance_spec spec = {.app = "shop", .environment = environment, .release = release};
	struct buf to;
	buf_init(&to, sizeof value - 1);
	int result = secrets_give(world.control, &spec, &secret, &to, &world.err);
	text_copy(value, sizeof value, buf_text(&to));
	buf_done(&to);
	return result < 0 ? NULL : value;
}

static const char *given(const char *release, bool pin)
{
	return given_in("prod", release, "davit:prod/db", pin);
}

static void the_newest_is_given(void **state)
{
	(void)state;
	const char *v1 = world_release("prod", "v1", latest);
	assert_int_equal(set("prod/db", "one", ""), 1);
	assert_string_equal(given(v1, false), "one");
	assert_int_equal(set("prod/db", "two", ""), 2);
	assert_string_equal(given(v1, false), "two");
}

static void a_pinned_release_keeps_its_own(void **state)
{
	char v1[DIGEST_HEX_SIZE], v2[DIGEST_HEX_SIZE];
	(void)state;
	text_copy(v1, sizeof v1, world_release("prod", "v1", pinned));
	text_copy(v2, sizeof v2, world_release("prod", "v2", pinned));
	set("prod/db", "one", "");
	assert_string_equal(given(v1, true), "one");
	set("prod/db", "two", "");
	assert_string_equal(given(v2, true), "two");
	assert_string_equal(given(v1, true), "one");
	/* However many come after it. */
	for (int i = 0; i < 2 * SECRETS_KEPT; i++)
		assert_true(set("prod/db", "more", "") > 0);
	assert_string_equal(given(v1, true), "one");
	/* One that is gone is not replaced by another. */
	struct control_caller caller = world_caller("");
	assert_int_equal(
		control_remove_secret(world.control, &caller, "shop", "prod/db", &world.err), 0);
	set("prod/db", "new", "");
	assert_null(given(v1, true));
	assert_tells("Version 1 of the secret");
	assert_string_equal(given(v2, false), "new");
}

static void old_versions_go_and_numbers_stay(void **state)
{
	struct store_secret row;
	struct buf sealed;
	struct control_caller caller = world_caller("");
	(void)state;
	for (int i = 0; i < SECRETS_KEPT + 3; i++)
		set("prod/db", "x", "");
	buf_init(&sealed, 4096);
	assert_int_equal(
		store_secret_find(world.store, "shop", "prod/db", 3, &row, &sealed, &world.err), 0);
	assert_int_equal(
		store_secret_find(world.store, "shop", "prod/db", 4, &row, &sealed, &world.err), 1);
	buf_done(&sealed);
	assert_int_equal(
		control_remove_secret(world.control, &caller, "shop", "prod/db", &world.err), 0);
	assert_int_equal(set("prod/db", "x", ""), SECRETS_KEPT + 4);
}

static void another_environment_gets_nothing(void **state)
{
	(void)state;
	const char *v1 = world_release("prod", "v1", latest);
	set("prod/db", "one", "");
	set("mail", "all", "");
	assert_null(given_in("dev", v1, "davit:prod/db", false));
	assert_tells("not one of dev");
	assert_null(given_in("pro", v1, "davit:prod/db", false));
	assert_string_equal(given_in("dev", v1, "davit:mail", false), "all");
}

static void another_key_opens_and_seals_nothing(void **state)
{
	(void)state;
	const char *v1 = world_release("prod", "v1", latest);
	set("prod/db", "one", "");
	key.bytes[0]++;
	assert_null(given(v1, false));
	assert_tells("not the one that they were sealed with");
	assert_int_equal(set("prod/db", "two", ""), 0);
	assert_int_equal(world.err.code, ERR_DENIED);
	key.bytes[0]--;
	assert_string_equal(given(v1, false), "one");
	key_result = ERR_NOT_FOUND;
	assert_null(given(v1, false));
}

static void a_request_is_carried_out_once(void **state)
{
	(void)state;
	assert_int_equal(set("prod/db", "one", "r1"), 1);
	assert_int_equal(set("prod/db", "one", "r1"), 1);
	assert_int_equal(set("prod/db", "other", "r1"), 0);
	assert_int_equal(world.err.code, ERR_CONFLICT);
	assert_int_equal(set("prod/db", "one", "r2"), 2);
}

static void names_that_are_none_are_refused(void **state)
{
	static const char *const names[] = {"",    "/db",  "prod/",  "a/b/c",   "Prod/db",
					    "a b", "../x", "prod/$", "davit:db"};
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		assert_int_equal(set(names[i], "x", ""), 0);
		assert_int_equal(world.err.code, ERR_INVALID);
	}
	assert_int_equal(set("db", "", ""), 0);
	assert_tells("1 to 65536 bytes");
}

static void what_is_missing_is_told_before_anything_begins(void **state)
{
	(void)state;
	world_release("prod", "v1", latest);
	assert_int_equal(world_deploy("prod", "v1"), 0);
	assert_tells("davit secrets set prod/db --app shop");
	set("prod/db", "one", "");
	key_result = ERR_NOT_FOUND;
	assert_int_equal(world_deploy("prod", "v1"), 0);
	key_result = 0;
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
}

#define CHECKED(secrets)                                                                         \
	"app: shop\n"                                                                            \
	"service: { run: bin/server --port $PORT, health: { path: /up, min_healthy: 500ms } }\n" \
	"analysis: off\n"                                                                        \
	"checks: { smoke: { run: bin/smoke, secrets: { " secrets " } } }\n"                      \
	"environments:\n"                                                                        \
	"  prod: { listen: \"127.0.0.1:8080\", strategy: recreate, verify: [smoke] }\n"          \
	"  dev: { listen: \"127.0.0.1:8081\", strategy: [recreate] }\n"

static void a_check_is_told_what_it_is_given_and_that_it_is_there(void **state)
{
	(void)state;
	world_release("prod", "v1",
		      CHECKED("PW: { from: \"davit:pw\", version: pinned, as: file }"));
	/* Where the check does not run, nobody asks for it. */
	assert_string_equal(world_until_end(world_deploy("dev", "v1"), 60000), "succeeded");
	assert_int_equal(world_deploy("prod", "v1"), 0);
	assert_tells("davit secrets set pw --app shop");
	set("pw", "abc", "");
	assert_int_equal(world_deploy("prod", "v1"), 0);
	assert_tells("secrets of 4 to 4096 bytes");
	set("pw", "abcd", "");
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	const struct check *check = &world.check.checks[0];
	assert_string_equal(check->command, "'bin/smoke'");
	assert_int_equal(check->secret_count, 1);
	assert_string_equal(check->secrets[0].name, "PW");
	assert_string_equal(check->secrets[0].from, "davit:pw");
	assert_true(check->secrets[0].file && check->secrets[0].pinned);
}

static void look_at_use(void *context, const struct secret_use *use)
{
	struct secret_use *last = context;
	*last = *use;
}

static void what_only_checks_use_starts_nothing_anew(void **state)
{
	struct secret_use use = {.app = NULL};
	(void)state;
	set("pw", "abcd", "");
	world_release("prod", "v1", CHECKED("PW: \"davit:pw\""));
	assert_string_equal(world_until_end(world_deploy("prod", "v1"), 60000), "succeeded");
	control_secret_uses(world.control, "shop", "pw", look_at_use, &use);
	assert_string_equal(use.environment, "prod");
	assert_true(use.checks && !use.pinned);
}

static void no_commit_no_version(void **state)
{
	(void)state;
	const char *v1 = world_release("prod", "v1", latest);
	set("prod/db", "one", "");
	world_break_store(true);
	assert_int_equal(set("prod/db", "two", "r1"), 0);
	world_break_store(false);
	world_run(2000);
	assert_string_equal(given(v1, false), "one");
	assert_true(set("prod/db", "two", "r1") > 0);
	assert_string_equal(given(v1, false), "two");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_newest_is_given, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pinned_release_keeps_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(old_versions_go_and_numbers_stay, setup, teardown),
		cmocka_unit_test_setup_teardown(another_environment_gets_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(another_key_opens_and_seals_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_request_is_carried_out_once, setup, teardown),
		cmocka_unit_test_setup_teardown(names_that_are_none_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_missing_is_told_before_anything_begins,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_check_is_told_what_it_is_given_and_that_it_is_there, setup, teardown),
		cmocka_unit_test_setup_teardown(what_only_checks_use_starts_nothing_anew, setup,
						teardown),
		cmocka_unit_test_setup_teardown(no_commit_no_version, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
