/* SPDX-License-Identifier: Apache-2.0
 * test_secrets - versions of secrets, pins, and the mark of the key. */
#include "../cmocka_all.h"

#include <string.h>

#include "base/text.h"
#include "store/secrets.h"

static struct store *store;
static struct error err;

static int set_up(void **state)
{
	(void)state;
	return store_open(":memory:", &store, &err);
}

static int tear_down(void **state)
{
	(void)state;
	store_close(store);
	return 0;
}

static void add(const char *name, uint32_t version, const char *bytes)
{
	struct store_secret row = {.app = "shop", .version = version, .by = "ann", .at_unix_ms = 7};
	text_copy(row.name, sizeof row.name, name);
	store_add_secret(store, &row, bytes, strlen(bytes));
}

static int find(const char *name, uint32_t version, struct store_secret *row, char to[16])
{
	struct buf sealed;
	buf_init(&sealed, 1024);
	int found = store_secret_find(store, "shop", name, version, row, &sealed, &err);
	text_copy(to, 16, buf_text(&sealed));
	buf_done(&sealed);
	return found;
}

static void commit(void)
{
	assert_int_equal(store_commit(store, &err), 0);
}

static int count(void *context, const struct store_secret *secret)
{
	uint32_t *sum = context;
	*sum = *sum * 10 + secret->version;
	return 0;
}

static void the_newest_or_one_is_found(void **state)
{
	struct store_secret row;
	char bytes[16];
	uint32_t versions = 0;
	(void)state;
	store_begin(store);
	add("prod/db", 1, "one");
	add("prod/db", 2, "two");
	add("mail", 1, "m");
	commit();
	assert_int_equal(find("prod/db", 0, &row, bytes), 1);
	assert_int_equal(row.version, 2);
	assert_string_equal(bytes, "two");
	assert_string_equal(row.by, "ann");
	assert_int_equal(find("prod/db", 1, &row, bytes), 1);
	assert_string_equal(bytes, "one");
	assert_int_equal(find("prod/db", 3, &row, bytes), 0);
	assert_int_equal(find("prod/d", 0, &row, bytes), 0);
	assert_int_equal(store_secrets(store, count, &versions, &err), 0);
	assert_int_equal(versions, 12); /* mail 1, prod/db 2 */
}

static void what_is_pinned_stays(void **state)
{
	struct store_secret row;
	struct store_secret_pin pin = {.app = "shop",
				       .environment = "prod",
				       .release = "r1",
				       .name = "prod/db",
				       .version = 1};
	char bytes[16];
	uint32_t version = 0;
	(void)state;
	store_begin(store);
	for (uint32_t i = 1; i <= 4; i++)
		add("prod/db", i, "x");
	store_put_secret_pin(store, &pin);
	store_remove_secrets(store, "shop", "prod/db", 4, false);
	commit();
	assert_int_equal(find("prod/db", 1, &row, bytes), 1);
	assert_int_equal(find("prod/db", 2, &row, bytes), 0);
	assert_int_equal(find("prod/db", 4, &row, bytes), 1);
	assert_int_equal(store_secret_pin_find(store, &pin, &version, &err), 1);
	assert_int_equal(version, 1);
	text_copy(pin.environment, sizeof pin.environment, "dev");
	assert_int_equal(store_secret_pin_find(store, &pin, &version, &err), 0);
	store_begin(store);
	store_remove_secrets(store, "shop", "prod/db", 5, true);
	commit();
	assert_int_equal(find("prod/db", 0, &row, bytes), 0);
}

static void the_key_is_marked_once(void **state)
{
	struct digest mark = digest_of("k", 1), found;
	(void)state;
	assert_int_equal(store_secret_key_mark(store, &found, &err), 0);
	store_begin(store);
	store_put_secret_key_mark(store, &mark);
	commit();
	assert_int_equal(store_secret_key_mark(store, &found, &err), 1);
	assert_true(digest_equal(&mark, &found));
	store_begin(store);
	store_put_secret_key_mark(store, &mark);
	assert_int_equal(store_commit(store, &err), ERR_CONFLICT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_newest_or_one_is_found, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_pinned_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_key_is_marked_once, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
