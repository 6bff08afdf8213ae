/* SPDX-License-Identifier: Apache-2.0
 * Tests of gateway/cohort.c: of which requests a rule holds, and whose address counts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"
#include "base/text.h"
#include "gateway/cohort.h"

static struct table_cohort rules;

static void rule(enum table_cohort_kind kind, const char *name, const char *first,
		 const char *second)
{
	struct table_cohort_rule *r = &rules.rules[rules.rule_count++];
	memset(r, 0, sizeof(*r));
	r->kind = kind;
	text_copy(r->name, sizeof(r->name), name);
	text_copy(r->values[r->value_count++], TABLE_COHORT_TEXT_SIZE, first);
	if (second)
		text_copy(r->values[r->value_count++], TABLE_COHORT_TEXT_SIZE, second);
}

static struct http1_head parse(const char *data)
{
	struct http1_head head;
	http1_head_init(&head);
	assert_true(http1_parse_request(&head, data, strlen(data), &http1_limits_default) > 0);
	return head;
}

static bool has(const char *fields, const char *address)
{
	char data[1024];
	uint8_t bytes[CIDR_ADDRESS_SIZE];
	snprintf(data, sizeof(data), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
	struct http1_head head = parse(data);
	struct cohort *cohort = cohort_make(&rules);
	bool known = address && cidr_address(address, bytes);
	bool result = cohort_has(cohort, &head, data, known ? bytes : NULL);
	free(cohort);
	return result;
}

static void one_rule_that_holds_is_enough(void **state)
{
	(void)state;
	rules = (struct table_cohort){.release = 0};
	rule(TABLE_COHORT_HEADER, "x-beta", "yes", "1");
	rule(TABLE_COHORT_NETWORK, "", "10.0.0.0/8", NULL);
	rule(TABLE_COHORT_COOKIE, "plan", "beta", NULL);
	rule(TABLE_COHORT_NETWORK, "", "2001:db8::/32", "192.0.2.7");
	static const struct {
		const char *fields, *address;
		bool member;
	} cases[] = {
		{"", "203.0.113.1", false},
		{"X-Beta: yes\r\n", "203.0.113.1", true},
		{"x-BETA: 1\r\n", NULL, true},
		{"X-Beta: no\r\nX-Beta: 1\r\n", NULL, true},
		{"X-Beta: Yes\r\n", NULL, false},
		{"X-Beta: yes, 1\r\n", NULL, false},
		{"X-Beta: ye\r\n", NULL, false},
		{"X-Beta: yess\r\n", NULL, false},
		{"X-Beta:\r\n", NULL, false},
		{"X-Beta-2: yes\r\n", NULL, false},
		{"plan: beta\r\n", NULL, false},
		{"Cookie: plan=beta\r\n", NULL, true},
		{"Cookie: a=b; plan=beta; c=d\r\n", NULL, true},
		{"Cookie: a=b\r\nCookie: plan=beta\r\n", NULL, true},
		{"Cookie: plan=betaa\r\n", NULL, false},
		{"Cookie: xplan=beta\r\n", NULL, false},
		{"Cookie: Plan=beta\r\n", NULL, false},
		{"Cookie: x-beta=yes\r\n", NULL, false},
		{"", "10.255.0.1", true},
		{"", "::ffff:10.255.0.1", true},
		{"", "2001:db8::7", true},
		{"", "192.0.2.7", true},
		{"", "192.0.2.8", false},
		{"", "unix", false},
		{"X-Forwarded-For: 10.0.0.1\r\n", "192.0.2.8", false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (has(cases[i].fields, cases[i].address) != cases[i].member)
			fail_msg("case %zu: %s %s", i, cases[i].fields, cases[i].address);
}

static void without_a_release_or_a_rule_there_is_no_cohort(void **state)
{
	(void)state;
	rules = (struct table_cohort){.release = 0};
	assert_null(cohort_make(&rules));
	rule(TABLE_COHORT_HEADER, "x-beta", "yes", NULL);
	rules.release = TABLE_NONE;
	assert_null(cohort_make(&rules));
}

static void behind_trusted_proxies_the_last_stranger_counts(void **state)
{
	(void)state;
	static const struct {
		const char *fields, *peer, *address; /* NULL: not known */
	} cases[] = {
		{"", "203.0.113.1", "203.0.113.1"},
		{"", "unix", NULL},
		{"X-Forwarded-For: 10.0.0.9\r\n", "203.0.113.1", "203.0.113.1"},
		{"X-Forwarded-For: 192.0.2.1\r\n", "10.0.0.1", "192.0.2.1"},
		{"X-Forwarded-For: 198.51.100.1, 192.0.2.1\r\n", "10.0.0.1", "192.0.2.1"},
		{"X-Forwarded-For: 198.51.100.1 ,192.0.2.1,\t10.0.0.2\r\n", "10.0.0.1",
		 "192.0.2.1"},
		{"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 10.0.0.2\r\n", "10.0.0.1",
		 "192.0.2.1"},
		{"X-Forwarded-For: 10.0.0.3, 10.0.0.2\r\n", "10.0.0.1", "10.0.0.3"},
		{"X-Forwarded-For: 2001:db8::1\r\n", "10.0.0.1", "2001:db8::1"},
		{"", "10.0.0.1", "10.0.0.1"},
		{"X-Forwarded-For: 192.0.2.1, unknown\r\n", "10.0.0.1", NULL},
		{"X-Forwarded-For: 192.0.2.1,\r\n", "10.0.0.1", NULL},
		{"X-Forwarded-For: 192.0.2.1:443\r\n", "10.0.0.1", NULL},
	};
	struct gateway_table *table = table_new();
	struct live *live = calloc(1, sizeof(*live));
	live->table = table;
	table->trusted_count = 1;
	assert_true(cidr_parse("10.0.0.0/8", &live->trusted[0]));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char data[1024];
		uint8_t found[CIDR_ADDRESS_SIZE], expected[CIDR_ADDRESS_SIZE];
		snprintf(data, sizeof(data), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n",
			 cases[i].fields);
		struct http1_head head = parse(data);
		bool known = cohort_address(live, &head, data, cases[i].peer, found);
		if (known != (cases[i].address != NULL))
			fail_msg("case %zu is %sknown", i, known ? "" : "not ");
		if (!known)
			continue;
		assert_true(cidr_address(cases[i].address, expected));
		assert_memory_equal(found, expected, sizeof(found));
	}
	free(live);
	table_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_rule_that_holds_is_enough),
		cmocka_unit_test(without_a_release_or_a_rule_there_is_no_cohort),
		cmocka_unit_test(behind_trusted_proxies_the_last_stranger_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
