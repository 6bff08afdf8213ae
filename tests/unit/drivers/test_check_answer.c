/* SPDX-License-Identifier: Apache-2.0
 * Tests of drivers/check/answer: what is expected, what came, and what is said of it. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "../cmocka_all.h"
#include "drivers/check/answer.h"

static struct check check;
static struct answer answer;
static char said[600];
static const char *fields[4][2];

static const char *find_field(void *context, const char *name, size_t at)
{
	(void)context;
	for (size_t i = 0; i < 4 && fields[i][0]; i++)
		if (strcasecmp(fields[i][0], name) == 0 && at-- == 0)
			return fields[i][1];
	return NULL;
}

static int setup(void **state)
{
	(void)state;
	memset(fields, 0, sizeof fields);
	check = (struct check){.path = "/state"};
	answer = (struct answer){.status = 200, .body = "", .field = find_field};
	return 0;
}

static void expects(bool json, const char *name, const char *value)
{
	struct check_condition *c = &check.conditions[check.condition_count++];
	c->json = json;
	snprintf(c->name, sizeof c->name, "%s", name);
	snprintf(c->value, sizeof c->value, "%s", value);
}

static void comes(const char *body)
{
	answer.body = body;
	answer.size = strlen(body);
}

static void passes(void)
{
	said[0] = '\0';
	if (!answer_judge(&check, &answer, said, sizeof said))
		fail_msg("%s", said);
}

static void fails(const char *sentence)
{
	assert_false(answer_judge(&check, &answer, said, sizeof said));
	assert_string_equal(said, sentence);
}

static void a_status_is_as_expected(void **state)
{
	(void)state;
	passes();
	answer.status = 399;
	passes();
	answer.status = 404;
	fails("The smoke check GET /state was answered 404 instead of 200.");
	check.expect_status = 404;
	passes();
	strcpy(check.contains, "gone");
	comes("is gone now");
	passes();
	comes("is not");
	fails("The smoke check GET /state was answered without \"gone\".");
}

static void a_field_has_its_value(void **state)
{
	(void)state;
	expects(false, "Cache-Control", "no-store");
	fails("The smoke check GET /state was answered without the header Cache-Control; "
	      "\"no-store\" was expected.");
	fields[0][0] = "cache-control";
	fields[0][1] = "private";
	fails("The smoke check GET /state was answered with the header Cache-Control: \"private\" "
	      "instead of \"no-store\".");
	fields[1][0] = "Cache-Control";
	fields[1][1] = "no-store";
	passes();
	fields[1][1] = "no-Store";
	fails("The smoke check GET /state was answered with the header Cache-Control: \"private\" "
	      "instead of \"no-store\".");
}

static void a_value_of_json_is_found(void **state)
{
	(void)state;
	comes("{\"a\":{\"b\":[{\"ok\":true},\"x\",7,-2.5,null]},\"1\":\"7\",\"e\":\"\"}");
	expects(true, "$.a.b[0].ok", "true");
	expects(true, "$.a.b[1]", "x");
	expects(true, "$.a.b[2]", "7");
	expects(true, "$.a.b[3]", "-2.50");
	expects(true, "$.a.b[4]", "null");
	expects(true, "$.1", "7");
	expects(true, "$.e", "");
	passes();
	comes("\"x\"");
	check.condition_count = 0;
	expects(true, "$", "x");
	passes();
}

static void a_value_that_is_another_is_told(void **state)
{
	(void)state;
	expects(true, "$.a[1]", "ok");
	comes("{\"a\":[1]}");
	fails("The smoke check GET /state was answered without $.a[1]; \"ok\" was expected there.");
	comes("[1,2]");
	fails("The smoke check GET /state was answered without $.a[1]; \"ok\" was expected there.");
	comes("{\"a\":[1,\"no\\n\"]}");
	fails("The smoke check GET /state was answered with $.a[1] = no\\x0a instead of \"ok\".");
	comes("{\"a\":[1,{}]}");
	fails("The smoke check GET /state was answered with $.a[1] = an object instead of \"ok\".");
	comes("{\"a\":[1,12]}");
	fails("The smoke check GET /state was answered with $.a[1] = 12 instead of \"ok\".");
	strcpy(check.conditions[0].value, "an object");
	comes("{\"a\":[1,{}]}");
	fails("The smoke check GET /state was answered with $.a[1] = an object instead of \"an "
	      "object\".");
	strcpy(check.conditions[0].value, "ok");
	comes("<html>");
	assert_false(answer_judge(&check, &answer, said, sizeof said));
	assert_non_null(strstr(said, "GET /state was answered with no JSON (line 1: "));
	assert_non_null(strstr(said, "\"ok\" was expected at $.a[1]."));
	comes("");
	assert_false(answer_judge(&check, &answer, said, sizeof said));
	static char deep[100001];
	memset(deep, '[', sizeof deep - 1);
	comes(deep);
	assert_false(answer_judge(&check, &answer, said, sizeof said));
}

static void an_answer_is_there_in_time(void **state)
{
	(void)state;
	check.within_ms = 300;
	answer.took_us = 300000;
	passes();
	answer.took_us = 300001;
	fails("The smoke check GET /state was answered in 301 ms instead of within 300 ms.");
	check.within_ms = 0;
	passes();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_status_is_as_expected, setup),
		cmocka_unit_test_setup(a_field_has_its_value, setup),
		cmocka_unit_test_setup(a_value_of_json_is_found, setup),
		cmocka_unit_test_setup(a_value_that_is_another_is_told, setup),
		cmocka_unit_test_setup(an_answer_is_there_in_time, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
