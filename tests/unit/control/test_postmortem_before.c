/* SPDX-License-Identifier: Apache-2.0
 * What was before a rollout, in the timeline of its post-mortem: commit, build, findings, the environment before. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

#include "control/builds.h"
#include "control/postmortem.h"
#include "world_builds.h"

static const char yaml[] =
	"app: shop\n"
	"service: { run: bin/server --port $PORT, health: { path: /up, "
	"interval: 1s, min_healthy: 500ms } }\n"
	"analysis: off\n"
	"strategies: { quick: [switch] }\n"
	"environments:\n"
	"  staging: { listen: \"127.0.0.1:8081\", strategy: quick }\n"
	"  prod: { listen: \"127.0.0.1:8080\", strategy: quick, from: staging }\n";

static struct postmortem *facts;
static char release[DIGEST_HEX_SIZE];

static int setup(void **state)
{
	facts = mem_zero(1, sizeof *facts);
	int result = builder_setup(state);
	builder_file("davit.yaml", yaml);
	return result;
}

static int teardown(void **state)
{
	free(facts);
	return builder_teardown(state);
}

static void stage(uint32_t place, const char *name, uint32_t tests, bool scanned)
{
	struct builds_stage s = {.state = "passed",
				 .attempt = 1,
				 .took_ms = 1500,
				 .tests = tests,
				 .scanned = scanned,
				 .fresh = 1,
				 .known = 12,
				 .since = "v0.0.1 (prod)"};
	text_copy(s.name, sizeof s.name, name);
	world_builder.builds.listener.stage(world_builder.builds.listener.context,
					    world_builder.running, place, &s);
}

static void goes_to_staging(char digit, uint32_t stages)
{
	char content[] = "content of 0";
	content[11] = digit;
	uint32_t number = order_commit(digit, "refs/heads/main", "staging");
	world_run(500);
	stage(0, "unit", 40, false);
	stage(1, "scan", 0, true);
	for (uint32_t i = 2; i < stages; i++) {
		char name[32];
		snprintf(name, sizeof name, "another-stage-%u", i);
		stage(i, name, 0, false);
	}
	builder_ends("passed", builder_archive(content), NULL);
	world_run(60000);
	text_copy(release, sizeof release, build_row(number)->release);
}

static uint32_t goes_to_prod(void)
{
	uint32_t rollout = world_deploy("prod", release);
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	return rollout;
}

static const struct postmortem_line *line_of(const char *event, const char *what)
{
	for (uint32_t i = 0; i < facts->line_count; i++)
		if (strcmp(facts->lines[i].event, event) == 0 &&
		    strcmp(facts->lines[i].what, what) == 0)
			return &facts->lines[i];
	fail_msg("no line \"%s\" of %s", what, event);
	return NULL;
}

static void read_facts(uint32_t rollout)
{
	assert_int_equal(postmortem_facts(world.control, rollout, facts, &world.err), 0);
	for (uint32_t i = 1; i < facts->line_count; i++)
		assert_true(facts->lines[i].at_unix_ms >= facts->lines[i - 1].at_unix_ms);
}

/* The first is live in prod; the second was in staging for a while, went to prod, and somebody goes back. */
static uint32_t gone_back(uint32_t stages)
{
	goes_to_staging('1', 2);
	goes_to_prod();
	goes_to_staging('2', stages);
	world_run(120000);
	goes_to_prod();
	world_run(30000);
	uint32_t rollout = world_rollback("prod", "");
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	return rollout;
}

static void it_begins_with_the_commit_and_ends_with_the_way_back(void **state)
{
	(void)state;
	read_facts(gone_back(2));
	assert_string_equal(facts->lines[0].event, "build 2");
	assert_string_equal(facts->lines[0].what, "commit is known");
	assert_true(facts->lines[0].by_person);
	assert_non_null(strstr(facts->lines[0].text, "of refs/heads/main"));
	line_of("build 2", "build begins");
	assert_string_equal(line_of("build 2", "build has ended")->text,
			    "unit passed (1.5 s, 40 tests, 0 failed); scan passed (1.5 s)");
	assert_string_equal(line_of("build 2", "findings")->text,
			    "1 new, 12 existing, 0 fixed, 0 waived, compared with v0.0.1 (prod)");
	line_of("rollout 3", "rollout begins");
	assert_string_equal(line_of("rollout 3", "is live")->text, "v0.0.2 in staging");
	const struct postmortem_line *soaked = line_of("rollout 3", "soaked");
	assert_non_null(strstr(soaked->text, "min"));
	assert_non_null(strstr(soaked->text, "in staging, until it was asked for here"));
	assert_string_equal(line_of("rollout 4", "is live")->text, "v0.0.2 in prod");
}

static void what_is_newer_in_staging_ends_its_soak(void **state)
{
	(void)state;
	char second[DIGEST_HEX_SIZE];
	goes_to_staging('1', 2);
	goes_to_prod();
	goes_to_staging('2', 2);
	text_copy(second, sizeof second, release);
	goes_to_staging('3', 2);
	world_run(600000);
	text_copy(release, sizeof release, second);
	goes_to_prod();
	uint32_t rollout = world_rollback("prod", "");
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	read_facts(rollout);
	assert_non_null(
		strstr(line_of("rollout 3", "soaked")->text, "until something newer was there"));
}

/* What happens later, and another controller, change nothing. */
static void later_records_give_the_same_lines(void **state)
{
	(void)state;
	uint32_t rollout = gone_back(2);
	struct postmortem *once = mem_new(sizeof *once);
	read_facts(rollout);
	*once = *facts;
	goes_to_staging('3', 2);
	goes_to_staging('2', 2);
	world_kill();
	world_start();
	world_run(1000);
	read_facts(rollout);
	assert_int_equal(facts->line_count, once->line_count);
	assert_memory_equal(facts->lines, once->lines, sizeof facts->lines);
	free(once);
}

static void many_stages_are_counted_where_they_have_no_room(void **state)
{
	(void)state;
	read_facts(gone_back(30));
	const char *text = line_of("build 2", "build has ended")->text;
	assert_non_null(strstr(text, "; and "));
	assert_string_equal(text + strlen(text) - strlen(" more"), " more");
}

static void a_release_from_elsewhere_has_no_build_in_it(void **state)
{
	(void)state;
	goes_to_staging('1', 2);
	goes_to_prod();
	text_copy(release, sizeof release, world_release("shop/staging", "v9", yaml));
	assert_string_equal(world_until_end(world_deploy("staging", release), 60000), "succeeded");
	goes_to_prod();
	uint32_t rollout = world_rollback("prod", "");
	assert_string_equal(world_until_end(rollout, 60000), "succeeded");
	read_facts(rollout);
	for (uint32_t i = 0; i < facts->line_count; i++)
		assert_false(text_starts(facts->lines[i].event, "build"));
	line_of("rollout 3", "is live");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_begins_with_the_commit_and_ends_with_the_way_back),
		TEST(what_is_newer_in_staging_ends_its_soak),
		TEST(later_records_give_the_same_lines),
		TEST(many_stages_are_counted_where_they_have_no_room),
		TEST(a_release_from_elsewhere_has_no_build_in_it),
	};
	return cmocka_run_group_tests_name("control/postmortem_before", tests, NULL, NULL);
}
