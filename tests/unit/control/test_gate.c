/* SPDX-License-Identifier: Apache-2.0
 * The decision at the gate, case by case. */
#include <string.h>

#include "../cmocka_all.h"

#include "control/gate.h"

static const struct gate_rules rules = {
	.count = 2, .expires_ms = 1000, .soak_ms = 500, .by = "managers", .from = "staging"};
static const struct gate_facts good = {.now_unix_ms = 10000,
				       .asked_unix_ms = 9500,
				       .yes = 2,
				       .good_there = true,
				       .soaked_ms = 500};

static void expect(const struct gate_facts *facts, enum gate_answer answer, const char *part)
{
	char sentence[GATE_SENTENCE_SIZE];
	assert_int_equal(gate_decide(&rules, facts, sentence, sizeof sentence), answer);
	if (!strstr(sentence, part))
		fail_msg("\"%s\" does not say \"%s\"", sentence, part);
}

static void each_thing_that_is_missing_is_named(void **state)
{
	(void)state;
	struct gate_facts f = good;
	expect(&f, GATE_OPEN, "approved by 2 persons");
	f.yes = 1;
	expect(&f, GATE_WAITS, "another 1 person of managers");
	f.asked_unix_ms = 9000;
	expect(&f, GATE_SHUT, "nobody approved it within 1s");
	f = good;
	f.asked_unix_ms =
		0; /* an approval that was given in time does not expire while a window is shut */
	f.opens_in_ms = 60000;
	expect(&f, GATE_WAITS, "opens in 1m");
	f = good;
	f.soaked_ms = 499;
	expect(&f, GATE_WAITS, "stay good in staging for another 1s");
	f = good;
	f.good_there = false;
	expect(&f, GATE_SHUT, "not good in staging any more");
}

static void a_no_is_stronger_than_an_emergency_and_that_than_all_else(void **state)
{
	(void)state;
	struct gate_facts f = {.now_unix_ms = 10000, .emergency = 1, .no_reason = ""};
	expect(&f, GATE_SHUT, "not good");
	f.emergency = 2;
	expect(&f, GATE_OPEN, "emergency");
	f.no_by = "bob";
	expect(&f, GATE_SHUT, "rejected by bob");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_thing_that_is_missing_is_named),
		cmocka_unit_test(a_no_is_stronger_than_an_emergency_and_that_than_all_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
