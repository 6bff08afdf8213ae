/* SPDX-License-Identifier: Apache-2.0
 * Rollouts under faults and commands at random. Whatever happened: once it is calm every rollout ends, one release
 * has all requests at full strength, and nothing else is left.
 *
 * CONTROL_SEEDS says how many seeds, CONTROL_FIRST which is the first: a failure is repeated by its number. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "world.h"

enum { SEEDS = 500, STORM_MS = 40000, CALM_MS = 400000, NUDGE_MS = 5000 };

static const char yaml[] =
	"app: shop\n"
	"service:\n"
	"  run: bin/server --port $PORT\n"
	"  instances: 2\n"
	"  health: { path: /up, min_healthy: 100ms, deadline: 3s }\n"
	"  drain: { requests: 1s, websockets: 1s }\n"
	"  stop: { timeout: 1s }\n"
	"checks: { smoke: [{ get: /up }] }\n"
	"analysis: { method: rules, errors: { max: 2%, at_least: 20 requests }, hang: 1s }\n"
	"strategies:\n"
	"  brief: [{ canary: { steps: [50%], each: { at_least: 500ms, at_most: 9s } } }, switch,\n"
	"          { bake: 500ms }]\n"
	"  swap: [{ check: smoke }, switch, { bake: 500ms }]\n"
	"  new: [recreate, { bake: 500ms }]\n"
	"  roll: [{ rolling: { batch: 50%, each: { at_least: 300ms, at_most: 9s } } }]\n"
	"  mix: [{ shadow: { share: 50%, until: { requests: 30 } } },\n"
	"        { canary: { steps: [20%], each: { at_least: 500ms, at_most: 9s } } }, switch,\n"
	"        { bake: 500ms }]\n"
	"environments:\n"
	"  prod: { listen: \"127.0.0.1:8080\", strategy: brief, keep_warm: 8s,"
	" concurrency: supersede }\n"
	"  fast: { listen: \"127.0.0.1:8081\", strategy: roll, keep_warm: 8s }\n";

static const char *const tags[] = {"v1", "v2", "v3", "v4"};
static const char *const places[] = {"prod", "fast"};
static uint64_t seed, dice;

/* A generator of its own: what happens does not change what is drawn. */
static uint64_t draw(uint64_t below)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (dice >> 11) % below;
}

static void spoil(const char *tag)
{
	struct behaviour *b = world_behaviour(tag);
	switch (draw(10)) {
	case 0: b->error_bp = 3000; break;
	case 1: b->hang_bp = 5000; break;
	case 2: b->crash_at_start = true; break;
	case 3: b->crash_after_ms = 200 + draw(2000); break;
	case 4: b->never_ready = true; break;
	case 5: b->checks_fail = true; break;
	case 6: b->start_ms = draw(2500); break;
	case 7: b->stop_ms = draw(8000); break;
	default: break;
	}
}

static void command(void)
{
	static const char *const strategies[] = {"", "", "brief", "swap", "new", "roll", "mix"};
	const char *place = places[draw(2)];
	struct control_caller caller = world_caller("");
	switch (draw(9)) {
	case 0:
	case 1:
	case 2: world_deploy_by(place, tags[draw(4)], strategies[draw(7)], ""); break;
	case 3: world_rollback(place, draw(2) ? "" : tags[draw(4)]); break;
	case 4: world_restart(place); break;
	case 5: (void)!world_command(place, (enum control_verb)draw(4)); break;
	case 6: (void)!world_command(place, CONTROL_PROMOTE); break;
	case 7:
		(void)!control_maintenance(world.control, &caller, place,
					   (enum control_access)draw(3), "", &world.err);
		break;
	default:
		(void)!control_mark_release(world.control, &caller, tags[draw(4)], place, false, "",
					    &world.err);
	}
}

static void crash_one(void)
{
	if (world.instance_count == 0)
		return;
	struct fake_instance *f = &world.instances[draw(world.instance_count)];
	if (f->status.state == INSTANCE_READY || f->status.state == INSTANCE_RUNNING)
		runtime_crash(f);
}

static void fault(void)
{
	uint64_t kind = draw(10);
	log_event(LOG_DEBUG, "world.fault", "at=%llu kind=%llu", (unsigned long long)world.now_ms,
		  (unsigned long long)kind);
	switch (kind) {
	case 0:
		world_kill();
		world_run(draw(4000) + 1);
		world_start();
		break;
	case 1:
	case 2: world.failpoint_at = world.failpoints + 1 + draw(60); break;
	case 3: world.router_down = !world.router_down; break;
	case 4: world.router_down = false; break;
	case 5:
		world_break_store(true);
		world_run(draw(3000) + 1);
		world_break_store(false);
		while (!world.control)
			world_run(WORLD_BEAT_MS);
		break;
	case 6: world.runtime_refuses = draw(3) == 0; break;
	case 7: world.router_delay_ms = draw(2) * draw(400); break;
	case 8: world.runtime_delay_ms = draw(2) * draw(400); break;
	default: crash_one();
	}
}

static void storm(void)
{
	uint64_t until = world.now_ms + STORM_MS, faults = draw(4), commands = 1 + draw(3);
	while (world.now_ms < until) {
		world_run(1 + draw(1500));
		if (draw(4) < commands)
			command();
		if (draw(4) < faults)
			fault();
	}
}

static void calm_down(void)
{
	struct control_caller caller = world_caller("");
	world.router_down = world.runtime_refuses = false;
	world.router_delay_ms = world.runtime_delay_ms = world.failpoint_at = 0;
	for (uint32_t i = 0; i < world.behaviour_count; i++) {
		struct behaviour *b = &world.behaviours[i];
		b->error_bp = b->hang_bp = 0;
		b->crash_at_start = b->never_ready = b->checks_fail = false;
		b->crash_after_ms = b->start_ms = b->stop_ms = 0;
	}
	for (size_t i = 0; i < 2; i++)
		if (control_maintenance(world.control, &caller, places[i], CONTROL_OPEN, "",
					&world.err) < 0)
			fail_msg("seed %llu: %s", (unsigned long long)seed, world.err.text);
}

static bool busy(const char *place)
{
	const char *state = world_state(place);
	return strcmp(state, "serving") != 0 && strcmp(state, "empty") != 0;
}

static int count_unended(void *context, const struct store_rollout *r)
{
	(void)r;
	++*(uint32_t *)context;
	return 0;
}

static uint32_t unended(void)
{
	struct store_rollout_filter filter = {.unended = true};
	uint32_t count = 0;
	if (store_rollouts(world.store, &filter, count_unended, &count, &world.err) < 0)
		fail_msg("%s", world.err.text);
	return count;
}

static void settle(void)
{
	uint64_t until = world.now_ms + CALM_MS;
	while (unended() > 0 || busy("prod") || busy("fast")) {
		if (world.now_ms >= until)
			fail_msg("seed %llu: prod is %s, fast is %s, %u rollouts have not ended",
				 (unsigned long long)seed, world_state("prod"), world_state("fast"),
				 unended());
		for (size_t i = 0; i < 2; i++)
			if (strcmp(world_state(places[i]), "paused") == 0)
				(void)!world_command(places[i], CONTROL_RESUME);
		world_run(NUDGE_MS);
	}
}

static void one_seed(void)
{
	static char live[2][CONTROL_TAG_SIZE];
	world_open();
	dice = seed * 2654435761u + 88172645463325252ull;
	for (int i = 0; i < 8; i++)
		draw(2);
	world.random ^= seed << 20;
	world.rate_per_s = 200;
	for (size_t t = 0; t < 4; t++)
		for (size_t p = 0; p < 2; p++)
			world_release(places[p], tags[t], yaml);
	world_deploy("prod", "v1");
	world_deploy("fast", "v1");
	if (draw(4) > 0)
		world_run(8000);
	for (size_t t = 1; t < 4; t++)
		spoil(tags[t]);
	world.runtime_settle_ms = draw(2) * draw(1500);
	storm();
	calm_down();
	settle();
	if (world.violation[0])
		fail_msg("seed %llu: %s", (unsigned long long)seed, world.violation);
	for (size_t p = 0; p < 2; p++)
		text_copy(live[p], sizeof live[p], world_live(places[p]));
	for (size_t p = 0; p < 2; p++)
		world_assert_at_rest(places[p], live[p], live[p][0] ? 2 : 0);
	world_close();
}

static void whatever_happens_it_ends_well(void **state)
{
	(void)state;
	const char *count = getenv("CONTROL_SEEDS"), *first = getenv("CONTROL_FIRST");
	uint64_t from = first ? strtoull(first, NULL, 10) : 1;
	uint64_t seeds = count ? strtoull(count, NULL, 10) : SEEDS;
	for (seed = from; seed < from + seeds; seed++)
		one_seed();
}

static int tell(void **state)
{
	(void)state;
	if (world.store)
		fprintf(stderr, "the seed was %llu\n", (unsigned long long)seed);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whatever_happens_it_ends_well, NULL, tell),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
