/* SPDX-License-Identifier: Apache-2.0
 * Tokens: what they reach, when they end, that they are nowhere. */
#include <string.h>

#include "control/tokens.h"
#include "store/tokens.h"
#include "world.h"

enum { DAY_MS = 24 * 3600 * 1000 };

static int setup(void **state)
{
	(void)state;
	world_open();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_close();
	return 0;
}

static uint64_t wall(void)
{
	return env_wall_ms(&world.env);
}

/* The text; NULL: refused, with world.err. */
static const char *create(const char *name, const char *scopes, const char *reach, uint64_t life_ms)
{
	static char text[TOKEN_TEXT_SIZE];
	struct control_caller caller = world_caller("");
	struct token_order order = {.name = name,
				    .scopes = scopes,
				    .reach = reach,
				    .expires_unix_ms = wall() + life_ms};
	return control_create_token(world.control, &caller, &order, text, &world.err) < 0 ? NULL
											  : text;
}

static int admit(const char *text, struct token_grant *grant)
{
	return control_admit_token(world.control, text, grant, &world.err);
}

static bool reaches(const char *reach, const char *app, const char *environment)
{
	struct token_grant grant = {.scopes = TOKEN_DEPLOY};
	text_copy(grant.reach, sizeof grant.reach, reach);
	return token_reaches(&grant, app, environment);
}

static void a_reach_is_an_application_or_one_environment(void **state)
{
	(void)state;
	assert_true(reaches("", "shop", "prod"));
	assert_true(reaches("", "shop", NULL));
	assert_true(reaches("shop", "shop", "prod"));
	assert_true(reaches("shop", "shop", NULL));
	assert_true(reaches("shop/prod", "shop", "prod"));
	assert_true(reaches("blog shop/prod", "shop", "prod"));
	assert_false(reaches("shop/prod", "shop", NULL));
	assert_false(reaches("shop/prod", "shop", "prod-2"));
	assert_false(reaches("shop/prod-2", "shop", "prod"));
	assert_false(reaches("shop", "shop-2", "prod"));
	assert_false(reaches("shop-2", "shop", "prod"));
	assert_false(reaches("shop/prod", "prod", "prod"));
	struct token_grant grant = {.reach = "shop/prod"};
	assert_true(token_touches(&grant, "shop"));
	assert_false(token_touches(&grant, "shop-2"));
	assert_false(token_touches(&grant, "sho"));
}

static void scopes_are_words(void **state)
{
	uint32_t bits;
	char text[TOKEN_SCOPES_SIZE];
	(void)state;
	assert_int_equal(token_scopes_parse("rollback,deploy", &bits, &world.err), 0);
	assert_int_equal(bits, TOKEN_DEPLOY | TOKEN_ROLLBACK);
	assert_string_equal(token_scopes_text(bits, text), "deploy,rollback");
	assert_int_equal(token_scopes_parse("deploy,", &bits, &world.err), ERR_INVALID);
	assert_int_equal(token_scopes_parse("", &bits, &world.err), ERR_INVALID);
	assert_int_equal(token_scopes_parse("deploy, read", &bits, &world.err), ERR_INVALID);
}

static void it_is_good_until_it_ends(void **state)
{
	struct token_grant grant;
	char text[TOKEN_TEXT_SIZE];
	(void)state;
	text_copy(text, sizeof text, create("ci", "deploy", "shop/prod", 2 * DAY_MS));
	assert_int_equal(strlen(text), TOKEN_TEXT_SIZE - 1);
	assert_int_equal(admit(text, &grant), 0);
	assert_string_equal(grant.name, "ci");
	assert_int_equal(grant.scopes, TOKEN_DEPLOY);
	assert_string_equal(grant.reach, "shop/prod");
	world_run(2 * DAY_MS - 1000);
	assert_int_equal(admit(text, &grant), 0);
	world_run(2000);
	assert_int_equal(admit(text, &grant), ERR_DENIED);
}

static void a_restart_keeps_it_and_a_revocation_does_not(void **state)
{
	struct token_grant grant;
	struct control_caller caller = world_caller("");
	char text[TOKEN_TEXT_SIZE];
	(void)state;
	text_copy(text, sizeof text, create("ci", "read", "", DAY_MS));
	world_kill();
	world_start();
	assert_int_equal(admit(text, &grant), 0);
	assert_int_equal(control_token_of(world.control, "token:ci", &grant, &world.err), 1);
	assert_int_equal(control_token_of(world.control, "alice", &grant, &world.err), 0);
	assert_int_equal(control_revoke_token(world.control, &caller, "ci", &world.err), 0);
	assert_int_equal(admit(text, &grant), ERR_DENIED);
	assert_int_equal(control_token_of(world.control, "token:ci", &grant, &world.err),
			 ERR_DENIED);
	assert_int_equal(control_revoke_token(world.control, &caller, "ci", &world.err),
			 ERR_NOT_FOUND);
	assert_non_null(create("ci", "read", "", DAY_MS));
}

static void what_is_wrong_makes_none(void **state)
{
	(void)state;
	assert_null(create("Ci", "read", "", DAY_MS));
	assert_null(create("ci", "root", "", DAY_MS));
	assert_null(create("ci", "read", "shop/", DAY_MS));
	assert_null(create("ci", "read", "shop,,blog", DAY_MS));
	assert_null(create("ci", "read", "shop prod", DAY_MS));
	assert_null(create("ci", "read", "", 0));
	assert_null(create("ci", "read", "", 367ull * DAY_MS));
	assert_non_null(create("ci", "read", "shop,blog/prod", 366ull * DAY_MS));
	assert_null(create("ci", "read", "", DAY_MS));
	assert_int_equal(world.err.code, ERR_CONFLICT);
}

/* The store has its digest; the time of the last use is written once a minute. */
static void only_its_digest_is_kept(void **state)
{
	struct token_grant grant;
	struct store_token row;
	char text[TOKEN_TEXT_SIZE];
	(void)state;
	text_copy(text, sizeof text, create("ci", "read", "", DAY_MS));
	assert_int_equal(store_token_by_name(world.store, "ci", &row, &world.err), 1);
	struct digest digest = digest_of(text, strlen(text));
	assert_true(digest_equal(&row.digest, &digest));
	assert_int_equal(strlen(row.shown), 14);
	assert_int_equal(row.used_unix_ms, 0);
	assert_int_equal(admit(text, &grant), 0);
	assert_int_equal(store_token_by_name(world.store, "ci", &row, &world.err), 1);
	uint64_t first = row.used_unix_ms;
	assert_int_equal(first, wall());
	world_run(59 * 1000);
	assert_int_equal(admit(text, &grant), 0);
	assert_int_equal(store_token_by_name(world.store, "ci", &row, &world.err), 1);
	assert_int_equal(row.used_unix_ms, first);
	world_run(2 * 1000);
	assert_int_equal(admit(text, &grant), 0);
	assert_int_equal(store_token_by_name(world.store, "ci", &row, &world.err), 1);
	assert_int_equal(row.used_unix_ms, wall());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_reach_is_an_application_or_one_environment, setup,
						teardown),
		cmocka_unit_test_setup_teardown(scopes_are_words, setup, teardown),
		cmocka_unit_test_setup_teardown(it_is_good_until_it_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(a_restart_keeps_it_and_a_revocation_does_not, setup,
						teardown),
		cmocka_unit_test_setup_teardown(what_is_wrong_makes_none, setup, teardown),
		cmocka_unit_test_setup_teardown(only_its_digest_is_kept, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
