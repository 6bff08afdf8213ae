/* SPDX-License-Identifier: Apache-2.0
 * How long the logs of builds are kept, as the server's own file says it. */
#include <string.h>

#include "../cmocka_all.h"

#include "config/server.h"

static struct config_errors errors;

static struct server *load(const char *text)
{
	struct server *server = NULL;
	memset(&errors, 0, sizeof errors);
	return server_load(text, strlen(text), "server.yaml", &server, &errors) < 0 ? NULL : server;
}

static void what_is_not_written_has_its_default(void **state)
{
	(void)state;
	struct server *none = load(""), *some = load("logs: { builds: 20, failed: 90d }\n");
	assert_non_null(none);
	assert_non_null(some);
	const struct server *const without[] = {NULL, none};
	for (size_t i = 0; i < 2; i++) {
		struct server_logs logs = server_logs(without[i]);
		assert_int_equal(logs.builds, 500);
		assert_int_equal(logs.bytes, 5ull << 30);
		assert_int_equal(logs.failed_ms, 0);
	}
	struct server_logs logs = server_logs(some);
	assert_int_equal(logs.builds, 20);
	assert_int_equal(logs.bytes, 5ull << 30);
	assert_int_equal(logs.failed_ms, 90ull * 24 * 3600 * 1000);
	server_free(none);
	server_free(some);
}

static void what_cannot_be_is_refused_with_its_place(void **state)
{
	(void)state;
	static const char *const texts[] = {"logs: { builds: 0 }\n", "logs: { builds: 10001 }\n",
					    "logs: { bytes: 1KiB }\n", "logs: { failed: 0s }\n",
					    "logs: { passed: 1d }\n"};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		assert_null(load(texts[i]));
		assert_non_null(strstr(errors.items[0].where, "server.yaml:1:"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_written_has_its_default),
		cmocka_unit_test(what_cannot_be_is_refused_with_its_place),
	};
	return cmocka_run_group_tests_name("config/server_logs", tests, NULL, NULL);
}
