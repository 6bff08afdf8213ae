/* SPDX-License-Identifier: Apache-2.0
 * Builds that were made elsewhere: said once or ten times they are one, and go where they may. */
#include <stdio.h>
#include <string.h>

#include "control/external.h"
#include "control/known.h"
#include "store/builds.h"
#include "world.h"
#include "world_builds.h"

static const char yaml[] =
	"app: shop\n"
	"service:\n"
	"  run: bin/server --port $PORT\n"
	"  health: { path: /up, interval: 1s, min_healthy: 500ms, deadline: 10s }\n"
	"environments:\n"
	"  prod: { listen: \"127.0.0.1:8080\", strategy: recreate, analysis: off, "
	"production: true, trigger: { tag: \"v*\", signed: true } }\n"
	"  staging: { listen: \"127.0.0.1:8081\", strategy: recreate, analysis: off, trigger: { "
	"branch: "
	"main } }\n";

static struct external_build said;
static const char *refused_in; /* an environment that may not be sent to */

/* What the judge of scans was given last, and how often it was. */
static struct {
	uint32_t calls, block_at, reports;
	char known[64], since[64], waivers[64];
} judged;

/* A report is "NEW WORD": its findings, and what becomes of it. */
static int judge(const struct scan_job *job, struct scan_verdict *v, struct error *err)
{
	const char *report = job->reports[0];
	judged.calls++;
	judged.block_at = job->block_at;
	judged.reports = job->report_count;
	text_copy(judged.known, sizeof judged.known, job->known ? buf_text(job->known) : "");
	text_copy(judged.since, sizeof judged.since, job->since ? job->since : "");
	text_copy(judged.waivers, sizeof judged.waivers, job->waivers ? job->waivers : "");
	*v = (struct scan_verdict){.fresh = (uint32_t)(report[0] - '0'), .known = 2, .waived = 3};
	buf_init(&v->kept, 64);
	buf_puts(&v->kept, report);
	v->blocked = strstr(report, "blocks");
	text_copy(v->why, sizeof v->why, v->blocked ? "It is bad." : "");
	return strstr(report, "none") ? error_set(err, ERR_INVALID, "It is none.") : 0;
}

static int may(void *context, const char *app, const char *environment, struct error *err)
{
	(void)context;
	assert_string_equal(app, "shop");
	return refused_in && strcmp(refused_in, environment) == 0
		       ? error_set(err, ERR_DENIED, "Not there.")
		       : 0;
}

static int setup(void **state)
{
	int result = builder_setup(state);
	refused_in = NULL;
	said = (struct external_build){
		.app = "shop",
		.run = "github/acme/shop/1/1",
		.commit = "1111111111111111111111111111111111111111",
		.ref = "refs/heads/main",
		.stage_count = 1,
		.stages = {{.name = "tests", .state = "passed", .tests = 3, .skipped = 1}}};
	memset(&judged, 0, sizeof judged);
	world.judge_scan = judge;
	world_kill();
	world_start();
	text_copy(said.release, sizeof said.release, world_release("staging", "v1", yaml));
	return result;
}

/* Its second stage is a scan, with this report. */
static void scans(const char *report)
{
	said.stage_count = 2;
	said.stages[1] = (struct external_stage){.name = "scan",
						 .state = "passed",
						 .report_count = 1,
						 .reports = {report},
						 .block_at = 1};
}

static int take_scan(void *context, const struct store_build_stage *stage)
{
	if (strcmp(stage->name, "scan") == 0)
		*(struct store_build_stage *)context = *stage;
	return 0;
}

static const struct store_build_stage *scan_of(uint32_t number)
{
	static struct store_build_stage stage;
	stage = (struct store_build_stage){.build = 0};
	assert_int_equal(store_build_stages(world.store, number, take_scan, &stage, &world.err), 0);
	assert_int_equal(stage.build, number);
	return &stage;
}

/* Its number, 0: refused with world.err. */
static uint32_t tell(bool *ret_existed)
{
	struct control_caller caller = world_caller("");
	struct digest content = digest_of(&said, sizeof said);
	uint32_t number = 0;
	bool existed;
	int result = control_register_build(world.control, &caller, &said, &content, may, NULL,
					    &number, &existed, &world.err);
	if (ret_existed)
		*ret_existed = existed;
	return result < 0 ? 0 : number;
}

static int take(void *context, const struct store_build_rollout *r)
{
	struct buf *to = context;
	buf_printf(to, "%s=%u ", r->environment, r->rollout);
	return 0;
}

static const char *sent(uint32_t number)
{
	static char text[256];
	struct buf to;
	buf_init(&to, sizeof text - 1);
	assert_int_equal(store_build_rollouts(world.store, number, take, &to, &world.err), 0);
	text_copy(text, sizeof text, buf_text(&to));
	buf_done(&to);
	return text;
}

static void it_goes_where_its_ref_brings_it_once(void **state)
{
	bool existed;
	(void)state;
	said.triggered = true;
	uint32_t number = tell(&existed);
	assert_int_equal(number, 1);
	assert_false(existed);
	assert_string_equal(build_row(1)->state, "passed");
	assert_string_equal(sent(1), "staging=1 ");
	assert_int_equal(tell(&existed), 1);
	assert_true(existed);
	assert_string_equal(sent(1), "staging=1 ");
	world_kill();
	world_start();
	assert_int_equal(tell(&existed), 1);
	assert_true(existed);
	assert_string_equal(sent(1), "staging=1 ");
}

static void something_else_of_the_same_run_is_a_conflict(void **state)
{
	(void)state;
	assert_int_equal(tell(NULL), 1);
	said.stages[0].tests = 4;
	assert_int_equal(tell(NULL), 0);
	assert_int_equal(world.err.code, ERR_CONFLICT);
	text_copy(said.run, sizeof said.run, "github/acme/shop/1/2");
	assert_int_equal(tell(NULL), 2);
}

static void one_that_failed_goes_nowhere(void **state)
{
	(void)state;
	said.failed = true;
	said.triggered = true;
	said.release[0] = '\0';
	text_copy(said.why, sizeof said.why, "tests have failed");
	text_copy(said.stages[0].state, sizeof said.stages[0].state, "failed");
	said.stages[0].failed = 1;
	assert_int_equal(tell(NULL), 1);
	assert_string_equal(build_row(1)->state, "failed");
	assert_string_equal(build_row(1)->why, "tests have failed");
	assert_string_equal(sent(1), "");
}

static void what_makes_no_sense_is_refused(void **state)
{
	const struct external_build good = said;
	(void)state;
#define REFUSED(change, wanted)                           \
	do {                                              \
		said = good;                              \
		change;                                   \
		assert_int_equal(tell(NULL), 0);          \
		assert_int_equal(world.err.code, wanted); \
	} while (0)
	REFUSED(text_copy(said.app, 2, "/"), ERR_INVALID);
	REFUSED(said.run[0] = '\0', ERR_INVALID);
	REFUSED(said.commit[3] = 'G', ERR_INVALID);
	REFUSED(text_copy(said.ref, 5, "main"), ERR_INVALID);
	REFUSED(text_copy(said.url, 20, "javascript:1"), ERR_INVALID);
	REFUSED(said.stages[0].failed = 1, ERR_INVALID);
	REFUSED(said.stages[0].skipped = 4, ERR_INVALID);
	REFUSED(text_copy(said.stages[0].state, 8, "failed"), ERR_INVALID);
	REFUSED(text_copy(said.stages[0].state, 8, "well"), ERR_INVALID);
	REFUSED(said.release[0] = '\0', ERR_INVALID);
	REFUSED(text_copy(said.release, 10, "v9"), ERR_NOT_FOUND);
	REFUSED(text_copy(said.artifact, 10, "deadbeef"), ERR_CONFLICT);
	REFUSED(text_copy(said.environments, 10, "prod;x"), ERR_INVALID);
	REFUSED((said.triggered = true, text_copy(said.environments, 10, "prod")), ERR_INVALID);
	REFUSED((said.triggered = true, said.ref[0] = '\0'), ERR_INVALID);
	said = good;
	assert_int_equal(tell(NULL), 1);
}

/* Nobody here has verified the tag. */
static void a_signed_tag_is_not_believed(void **state)
{
	(void)state;
	said.triggered = true;
	text_copy(said.ref, sizeof said.ref, "refs/tags/v1");
	assert_int_equal(tell(NULL), 0);
	assert_int_equal(world.err.code, ERR_DENIED);
	world_server("allowed_signers: /etc/signers\nprotect: { shop/staging: { signed_tags: true "
		     "} }\n");
	text_copy(said.ref, sizeof said.ref, "refs/heads/main");
	assert_int_equal(tell(NULL), 0);
	assert_int_equal(world.err.code, ERR_DENIED);
}

static void it_goes_only_where_who_asks_may_send_it(void **state)
{
	(void)state;
	text_copy(said.environments, sizeof said.environments, "staging prod");
	refused_in = "prod";
	assert_int_equal(tell(NULL), 0);
	assert_int_equal(world.err.code, ERR_DENIED);
	said.environments[0] = '\0';
	assert_int_equal(tell(NULL), 1);
	assert_string_equal(sent(1), "");
}

/* A build of another commit that takes an hour keeps nothing back. */
static void it_does_not_wait_for_what_is_built_here(void **state)
{
	(void)state;
	assert_int_equal(order_ref("refs/heads/main", "staging"), 1);
	world_run(500);
	assert_int_equal(world_builder.running, 1);
	said.triggered = true;
	assert_int_equal(tell(NULL), 2);
	assert_string_equal(build_row(2)->state, "passed");
	assert_string_equal(sent(2), "staging=1 ");
	builder_ends("failed", "", NULL);
	uint32_t number;
	struct control_caller caller = world_caller("");
	assert_int_equal(control_rebuild(world.control, &caller, 2, false, &number, &world.err),
			 ERR_INVALID);
}

static void what_a_scan_finds_is_written_down(void **state)
{
	(void)state;
	said.triggered = true;
	scans("1 passes");
	said.waivers = "waivers";
	assert_int_equal(tell(NULL), 1);
	assert_int_equal(judged.block_at, 1);
	assert_string_equal(judged.waivers, "waivers");
	assert_string_equal(judged.since, "");
	const struct store_build_stage *scan = scan_of(1);
	assert_true(scan->scanned);
	assert_int_equal(scan->fresh, 1);
	assert_int_equal(scan->known, 2);
	assert_int_equal(scan->waived, 3);
	assert_true(scan->found[0]);
	assert_string_equal(sent(1), "staging=1 ");
	struct view_findings shown;
	known_show(world.control, build_row(1)->release, &shown);
	assert_true(shown.scanned);
	assert_int_equal(shown.build, 1);
	assert_int_equal(shown.fresh, 1);
}

static void a_scan_that_blocks_fails_the_build(void **state)
{
	(void)state;
	said.triggered = true;
	scans("1 blocks");
	assert_int_equal(tell(NULL), 1);
	assert_string_equal(build_row(1)->state, "failed");
	assert_string_equal(build_row(1)->why, "new findings are blocked");
	assert_string_equal(build_row(1)->release, "");
	assert_true(build_row(1)->ended_unix_ms > 0);
	assert_string_equal(sent(1), "");
	assert_string_equal(scan_of(1)->state, "failed");
	assert_string_equal(scan_of(1)->why, "It is bad.");
	assert_int_equal(scan_of(1)->fresh, 1);
	assert_string_equal(scan_of(1)->found, "");
	/* Said again it is the same, whatever would be found now. */
	bool existed;
	assert_int_equal(tell(&existed), 1);
	assert_true(existed);
	assert_int_equal(judged.calls, 1);
	said.stages[1].reports[0] = "1 passes";
	assert_int_equal(tell(NULL), 0);
	assert_int_equal(world.err.code, ERR_CONFLICT);
	assert_int_equal(judged.calls, 1);
}

static void what_production_has_is_what_it_is_compared_with(void **state)
{
	(void)state;
	text_copy(said.environments, sizeof said.environments, "prod");
	scans("1 passes");
	assert_int_equal(tell(NULL), 1);
	world_run(60000);
	text_copy(said.run, sizeof said.run, "github/acme/shop/2/1");
	scans("2 passes");
	assert_int_equal(tell(NULL), 2);
	assert_string_equal(judged.known, "1 passes");
	assert_string_equal(judged.since, "v1 (prod)");
	assert_string_equal(scan_of(2)->since, "v1 (prod)");
	/* A baseline of the commit comes first, and another stage has nothing. */
	text_copy(said.run, sizeof said.run, "github/acme/shop/3/1");
	said.stages[1].baseline = "{}";
	text_copy(said.stages[1].baseline_name, 10, "base");
	assert_int_equal(tell(NULL), 3);
	assert_string_equal(judged.known, "");
	assert_string_equal(scan_of(3)->since, "base");
	text_copy(said.run, sizeof said.run, "github/acme/shop/4/1");
	scans("2 passes");
	text_copy(said.stages[1].name, sizeof said.stages[1].name, "other");
	assert_int_equal(tell(NULL), 4);
	assert_string_equal(judged.since, "");
}

static void a_report_that_is_none_registers_nothing(void **state)
{
	(void)state;
	scans("0 none");
	assert_int_equal(tell(NULL), 0);
	assert_string_equal(world.err.text, "It is none.");
	struct store_external external;
	assert_int_equal(store_external_find(world.store, "shop", said.run, &external, &world.err),
			 0);
	scans("0 passes");
	const struct external_build good = said;
	REFUSED(text_copy(said.stages[1].state, 8, "skipped"), ERR_INVALID);
	REFUSED(text_copy(said.stages[1].name, 8, "tests"), ERR_INVALID);
	REFUSED(said.stages[0].baseline = "{}", ERR_INVALID);
	REFUSED((said.stages[1].report_count = 0, said.waivers = ""), ERR_INVALID);
	said = good;
	assert_int_equal(tell(NULL), 1);
}

int main(void)
{
#define ONE(test) cmocka_unit_test_setup_teardown(test, setup, builder_teardown)
	const struct CMUnitTest tests[] = {
		ONE(it_goes_where_its_ref_brings_it_once),
		ONE(something_else_of_the_same_run_is_a_conflict),
		ONE(one_that_failed_goes_nowhere),
		ONE(what_makes_no_sense_is_refused),
		ONE(a_signed_tag_is_not_believed),
		ONE(it_goes_only_where_who_asks_may_send_it),
		ONE(it_does_not_wait_for_what_is_built_here),
		ONE(what_a_scan_finds_is_written_down),
		ONE(a_scan_that_blocks_fails_the_build),
		ONE(what_production_has_is_what_it_is_compared_with),
		ONE(a_report_that_is_none_registers_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
