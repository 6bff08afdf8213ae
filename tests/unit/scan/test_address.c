/* SPDX-License-Identifier: Apache-2.0
 * test_address - the place where an instance listened is nowhere in what a report says, and nothing else is lost. */
#include "kit.h"
#include "scan/address.h"

static void becomes(const char *from, const char *wanted)
{
	char text[256];
	snprintf(text, sizeof text, "%s", from);
	address_hide(text, "127.0.0.1:2001");
	assert_string_equal(text, wanted);
}

static void the_address_becomes_a_word(void **state)
{
	(void)state;
	becomes("", "");
	becomes("http://127.0.0.1:2001", "$URL");
	becomes("http://127.0.0.1:2001/a?b", "$URL/a?b");
	becomes("GET http://127.0.0.1:2001/, 127.0.0.1:2001", "GET $URL/, $URL");
	becomes("https://127.0.0.1:2001/", "https://$URL/");
	becomes("127.0.0.1:2001127.0.0.1:2001", "127.0.0.1:2001127.0.0.1:2001");
}

static void what_only_looks_like_it_stays(void **state)
{
	(void)state;
	becomes("http://127.0.0.1:20017/", "http://127.0.0.1:20017/");
	becomes("http://127.0.0.1:200", "http://127.0.0.1:200");
	becomes("1127.0.0.1:2001 1.127.0.0.1:2001", "1127.0.0.1:2001 1.127.0.0.1:2001");
	becomes("http://127.0.0.1:20017/?to=http://127.0.0.1:2001/x",
		"http://127.0.0.1:20017/?to=$URL/x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_address_becomes_a_word),
		cmocka_unit_test(what_only_looks_like_it_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
