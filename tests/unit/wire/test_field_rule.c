/* SPDX-License-Identifier: Apache-2.0
 * test_field_rule - which fields may have a rule, and what may be in them. */
#include "../cmocka_all.h"

#include <string.h>

#include "wire/field_rule.h"

static void names_of_an_applications_own_may_have_a_rule(void **state)
{
	static const char *const names[] = {"X-Frame-Options",
					    "x-powered-by",
					    "Set-Cookie",
					    "Authorization",
					    "Content-Type",
					    "Server",
					    "Tea",
					    "X-Forwarded",
					    "Upgrade-Insecure-Requests",
					    "X-Davit",
					    "Content-Encoding",
					    "~!#$%&'*+-.^_`|"};
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (!field_rule_name(names[i]))
			fail_msg("%s", names[i]);
}

static void what_frames_a_message_or_is_davits_own_may_not(void **state)
{
	static const char *const names[] = {
		"Host",        "content-length",       "TRANSFER-ENCODING", "Trailer",
		"Expect",      "Connection",           "Keep-Alive",        "Upgrade",
		"TE",          "HTTP2-Settings",       "Proxy-Connection",  "proxy-",
		"Via",         "Sec-WebSocket-Key",    "Forwarded",         "X-Forwarded-For",
		"X-Real-IP",   "X-Forwarded-Anything", "X-Request-Id",      "X-Davit-Preview",
		"Traceparent", "tracestate",
	};
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (field_rule_name(names[i]))
			fail_msg("%s", names[i]);
}

static void a_name_is_a_token_of_bounded_length(void **state)
{
	static const char *const names[] = {"",  "X Y", "X:",  "X\r\nHost", "X\t",
					    "Ü", "(X)", "X\"", "X,Y"};
	char name[FIELD_RULE_NAME_MAX + 2];
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (field_rule_name(names[i]))
			fail_msg("%s", names[i]);
	memset(name, 'x', sizeof name);
	name[FIELD_RULE_NAME_MAX + 1] = '\0';
	assert_false(field_rule_name(name));
	name[FIELD_RULE_NAME_MAX] = '\0';
	assert_true(field_rule_name(name));
}

static void a_value_is_visible_and_of_bounded_length(void **state)
{
	static const char *const good[] = {"a", "DENY", "a b\tc", "default-src 'self'; img-src *"};
	static const char *const bad[] = {"",       " a",        "a ",          "\ta",
					  "a\t",    "a\r\nX: b", "a\nb",        "a\rb",
					  "a\001b", "a\177",     "gr\303\274n", " "};
	char value[FIELD_RULE_VALUE_MAX + 2];
	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		if (!field_rule_value(good[i]))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (field_rule_value(bad[i]))
			fail_msg("%s", bad[i]);
	memset(value, 'x', sizeof value);
	value[FIELD_RULE_VALUE_MAX + 1] = '\0';
	assert_false(field_rule_value(value));
	value[FIELD_RULE_VALUE_MAX] = '\0';
	assert_true(field_rule_value(value));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_an_applications_own_may_have_a_rule),
		cmocka_unit_test(what_frames_a_message_or_is_davits_own_may_not),
		cmocka_unit_test(a_name_is_a_token_of_bounded_length),
		cmocka_unit_test(a_value_is_visible_and_of_bounded_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
