/* SPDX-License-Identifier: Apache-2.0
 * test_deliveries - what was taken is known, each application's by itself, the last thousand of them. */
#include "../cmocka_all.h"

#include <string.h>

#include "store/deliveries.h"

static void what_was_taken_is_known_and_the_oldest_is_forgotten(void **state)
{
	(void)state;
	struct store *store;
	struct error err;
	struct digest first = digest_of("first", 5), body = first;
	assert_int_equal(store_open(":memory:", &store, &err), 0);
	assert_int_equal(store_delivery_find(store, "shop", &first, &err), 0);
	store_begin(store);
	store_add_delivery(store, "shop", &first, 1);
	store_add_delivery(store, "other", &first, 2);
	assert_int_equal(store_commit(store, &err), 0);
	assert_int_equal(store_delivery_find(store, "shop", &first, &err), 1);
	assert_int_equal(store_delivery_find(store, "more", &first, &err), 0);
	store_begin(store);
	for (uint32_t i = 1; i < STORE_DELIVERIES_KEPT; i++) {
		body = digest_of(&i, sizeof i);
		store_add_delivery(store, "shop", &body, i);
	}
	assert_int_equal(store_commit(store, &err), 0);
	assert_int_equal(store_delivery_find(store, "shop", &first, &err), 1);
	body = digest_of("one more", 8);
	store_begin(store);
	store_add_delivery(store, "shop", &body, 3);
	assert_int_equal(store_commit(store, &err), 0);
	assert_int_equal(store_delivery_find(store, "shop", &first, &err), 0);
	assert_int_equal(store_delivery_find(store, "shop", &body, &err), 1);
	assert_int_equal(store_delivery_find(store, "other", &first, &err), 1);
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_taken_is_known_and_the_oldest_is_forgotten),
	};
	return cmocka_run_group_tests_name("store/deliveries", tests, NULL, NULL);
}
