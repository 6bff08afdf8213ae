/* SPDX-License-Identifier: Apache-2.0
 * Tests of gateway/rules.c: header rules as they reach the other side, and what a worker refuses of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "base/text.h"
#include "gateway/rules.h"
#include "rig.h"

#define OK                                                                               \
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Powered-By: app\r\nX-A: app\r\nx-a: " \
	"again\r\n\r\nok"

static void rule(struct gateway_table *t, bool answer, const char *name, const char *value)
{
	struct table_rule *to = &t->rules[t->rule_count++];
	t->environments[0].rule_count++;
	text_copy(to->name, sizeof to->name, name);
	text_copy(to->value, sizeof to->value, value);
	to->answer = answer;
}

static bool has(const char *text, const char *part)
{
	return strstr(text, part) != NULL;
}

static void fields_are_set_and_removed_on_the_way_to_a_backend(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	rule(rig->table, false, "X-Tier", "web 1");
	rule(rig->table, false, "X-Debug", "");
	rig_apply(rig);
	int client = rig_connect(rig);
	rig_send(client, "GET / HTTP/1.1\r\nHost: a\r\nx-tier: mine\r\nX-TIER: too\r\n"
			 "x-debug: 1\r\nX-Tiers: kept\r\n\r\n");
	int backend = rig_accept(rig, 1);
	const char *head = rig_until(backend, "\r\n\r\n");
	rig_assert_text(head, "\r\nx-tier: web 1\r\n");
	rig_assert_text(head, "\r\nX-Tiers: kept\r\n");
	rig_assert_text(head, "\r\nx-forwarded-for: ");
	assert_false(has(head, "mine") || has(head, "too") || has(head, "debug"));
	rig_send(backend, OK);
	head = rig_until(client, "\r\n\r\nok");
	rig_assert_text(head, "\r\nX-Powered-By: app\r\nX-A: app\r\nx-a: again\r\n");
	close(client);
	close(backend);
	rig_stop(rig);
}

static void fields_are_set_and_removed_on_the_way_to_a_client(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	rule(rig->table, true, "X-A", "davit");
	rule(rig->table, true, "X-Powered-By", "");
	rule(rig->table, true, "X-Frame-Options", "DENY");
	rig_apply(rig);
	int client = rig_connect(rig);
	rig_send(client, "GET / HTTP/1.1\r\nHost: a\r\nX-A: client\r\n\r\n");
	int backend = rig_accept(rig, 1);
	rig_assert_text(rig_until(backend, "\r\n\r\n"), "\r\nX-A: client\r\n");
	rig_send(backend, "HTTP/1.1 103 Early Hints\r\nX-A: hint\r\n\r\n" OK);
	const char *head = rig_until(client, "\r\n\r\n");
	rig_assert_text(head, "X-A: hint\r\n"); /* interim ones are passed as they are */
	head = rig_until(client, "\r\n\r\nok");
	rig_assert_text(head, "\r\nx-a: davit\r\n");
	rig_assert_text(head, "\r\nx-frame-options: DENY\r\n");
	assert_false(has(head, "app") || has(head, "again") || has(head, "Powered"));
	close(client);
	close(backend);
	rig_stop(rig);
}

static void a_new_table_has_its_own_rules(void **state)
{
	(void)state;
	struct rig *rig = rig_start_one();
	rule(rig->table, true, "X-A", "one");
	rig_apply(rig);
	int client = rig_connect(rig);
	rig_send(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	int backend = rig_accept(rig, 1);
	rig_until(backend, "\r\n\r\n");
	rig->table->rule_count = rig->table->environments[0].rule_count = 0;
	rig_apply(rig); /* the request is still under the old ones */
	rig_send(backend, OK);
	rig_assert_text(rig_until(client, "\r\n\r\nok"), "\r\nx-a: one\r\n");
	rig_send(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_until(backend, "\r\n\r\n");
	rig_send(backend, OK);
	rig_assert_text(rig_until(client, "\r\n\r\nok"), "\r\nX-A: app\r\n");
	close(client);
	close(backend);
	rig_stop(rig);
}

/* Of an environment with these rules, in a table that no worker sees. */
static int prepare(const char *rules[][2], bool answer, struct error *err)
{
	struct live live = {.table = table_new()};
	struct rules *made[2] = {0};
	live.rules = mem_zero(2, sizeof(struct rules *));
	live.table->environment_count = 1;
	text_copy(live.table->environments[0].app, TABLE_NAME_SIZE, "shop");
	text_copy(live.table->environments[0].name, TABLE_NAME_SIZE, "prod");
	for (size_t i = 0; rules[i][0]; i++)
		rule(live.table, answer, rules[i][0], rules[i][1]);
	int failed = rules_prepare(&live, err);
	made[0] = live.rules[0];
	if (!failed)
		assert_int_equal((answer ? made[0]->answer : made[0]->request).count,
				 live.table->rule_count);
	rules_forget(&live);
	table_free(live.table);
	return failed;
}

static void a_worker_refuses_rules_that_could_smuggle(void **state)
{
	static const char *bad[][3][2] = {
		{{"Host", "b"}},
		{{"content-length", "0"}},
		{{"Transfer-Encoding", ""}},
		{{"X-Forwarded-For", "10.0.0.1"}},
		{{"X-A", "a\r\nContent-Length: 0"}},
		{{"X-A\r\nB", "a"}},
		{{"X-A", "a"}, {"x-a", ""}},
		{{"", "a"}},
	};
	static const char *good[][2] = {{"X-A", "a"}, {"X-B", ""}, {NULL, NULL}};
	struct error err;
	(void)state;
	assert_int_equal(prepare(good, true, &err), 0);
	assert_int_equal(prepare(good, false, &err), 0);
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (prepare(bad[i], i % 2, &err) != ERR_INVALID)
			fail_msg("%s: %s", bad[i][0][0], bad[i][0][1]);
		assert_non_null(strstr(err.text, "\"shop/prod\""));
	}
}

static void rules_are_bounded_together(void **state)
{
	const char *rules[6][2] = {0};
	static const char *const names[] = {"a", "b", "c", "d", "e"};
	char value[FIELD_RULE_VALUE_MAX + 1];
	struct error err;
	(void)state;
	memset(value, 'x', sizeof value);
	value[FIELD_RULE_VALUE_MAX] = '\0';
	for (size_t i = 0; i < 4; i++) {
		rules[i][0] = names[i];
		rules[i][1] = value;
	}
	assert_int_equal(prepare(rules, true, &err), 0);
	rules[4][0] = names[4];
	rules[4][1] = value;
	assert_int_equal(prepare(rules, true, &err), ERR_INVALID);
	assert_non_null(strstr(err.text, "too large"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_set_and_removed_on_the_way_to_a_backend),
		cmocka_unit_test(fields_are_set_and_removed_on_the_way_to_a_client),
		cmocka_unit_test(a_new_table_has_its_own_rules),
		cmocka_unit_test(a_worker_refuses_rules_that_could_smuggle),
		cmocka_unit_test(rules_are_bounded_together),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
