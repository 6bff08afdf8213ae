/* SPDX-License-Identifier: Apache-2.0
 * main - seeds, their swarm of faults, the two phases of a run; see sim.h.
 *
 *     sim N                       replay seed N and tell everything
 *     sim --seeds N --first K     run N seeds from K on, in two processes; ends with "N passed, N failed"
 *         --stop M                each process ends after M failing seeds (5)
 *         --quiet 1               no coverage tables, and no check of them */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim.h"

enum { WORKERS = 2, COVERAGE_SEEDS_MIN = 20000, TWICE_EVERY = 1000 };

struct sim_totals totals;
static struct sim world;
static sigjmp_buf aborted;

uint64_t sim_next(struct sim_random *random) /* splitmix64 */
{
	uint64_t z = (random->state += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint32_t sim_below(struct sim *s, uint32_t limit)
{
	return (uint32_t)(sim_next(&s->random) % limit);
}

bool sim_chance(struct sim *s, uint32_t percent)
{
	return percent > 0 && sim_below(s, 100) < percent;
}

void sim_fail(struct sim *s, const char *format, ...)
{
	va_list args;
	if (s->failed)
		return;
	s->failed = true;
	va_start(args, format);
	vsnprintf(s->why, sizeof s->why, format, args);
	va_end(args);
	sim_say(s, "VIOLATION %s", s->why);
}

void sim_say(struct sim *s, const char *format, ...)
{
	va_list args;
	if (!s->verbose)
		return;
	va_start(args, format);
	printf("%8llu ", (unsigned long long)s->now_ms);
	vprintf(format, args);
	printf("\n");
	va_end(args);
}

struct release_id sim_release_id(uint8_t release)
{
	struct release_id id = {{0}};
	if (release != 0xff)
		id.bytes[0] = (uint8_t)(release + 1);
	return id;
}

uint8_t sim_release_index(const struct release_id *id)
{
	return id->bytes[0] == 0 ? 0xff : (uint8_t)(id->bytes[0] - 1);
}

static uint32_t swarm(struct sim *s, uint32_t limit)
{
	return sim_chance(s, 40) ? 0 : 1 + sim_below(s, limit);
}

static void draw_moves(struct sim *s)
{
	struct strategy_settings *t = &s->settings;
	uint32_t kind = sim_below(s, STRATEGY_KIND_COUNT + 1);

	s->kind = kind;
	strategy_default(t, kind < STRATEGY_KIND_COUNT ? kind : STRATEGY_CANARY);
	if (kind == ROW_MIX) {
		static const enum strategy_move_kind first[] = {
			STRATEGY_MOVE_CHECK, STRATEGY_MOVE_SHADOW, STRATEGY_MOVE_CANARY};
		t->move_count = 0;
		for (uint32_t i = 0; i < 3; i++)
			if (sim_chance(s, 60))
				t->moves[t->move_count++] = strategy_move_default(first[i]);
		if (t->move_count == 0 || sim_chance(s, 60))
			t->moves[t->move_count++] = strategy_move_default(STRATEGY_MOVE_SWITCH);
		if (sim_chance(s, 50))
			t->moves[t->move_count++] = strategy_move_default(STRATEGY_MOVE_BAKE);
	}
	if (kind == STRATEGY_SHADOW && sim_chance(s, 30)) {
		t->move_count = 2;
		t->report_only = true;
	}
	for (uint32_t i = 0; i < t->move_count; i++) {
		struct strategy_move *m = &t->moves[i];
		m->at_least_ms = sim_below(s, 4) * 1500;
		m->at_most_ms = m->at_least_ms + 4000 + sim_below(s, 8000);
		if (m->kind == STRATEGY_MOVE_CANARY && sim_chance(s, 60)) {
			m->share_count = 1 + sim_below(s, 2);
			m->share_bp[0] = 1000;
			m->share_bp[1] = 6000;
		}
		if (m->kind == STRATEGY_MOVE_ROLLING) {
			m->surge = sim_chance(s, 60);
			m->batch_bp = sim_chance(s, 50) ? 5000 : 2500;
		}
	}
}

static void draw_settings(struct sim *s)
{
	struct strategy_settings *t = &s->settings;

	strategy_settings_init(t);
	draw_moves(s);
	t->process[0].count = (uint16_t)(1 + sim_below(s, 3));
	t->process[0].traffic = !sim_chance(s, 10);
	if (sim_chance(s, 40)) {
		t->process[1].count = (uint16_t)(1 + sim_below(s, 2));
		t->process[1].traffic = sim_chance(s, 20);
		t->process[1].handover = !t->process[1].traffic && sim_chance(s, 50)
						 ? HANDOVER_STOP_FIRST
						 : HANDOVER_OVERLAP;
	}
	t->checks = sim_chance(s, 50);
	t->analysis = sim_chance(s, 75);
	t->too_little = sim_below(s, 3);
	t->inconclusive_max = sim_below(s, 3);
	t->control_bp = sim_chance(s, 60) ? 100 : 0;
	t->fetch_deadline_ms = 15000;
	t->ready_deadline_ms = 15000;
	t->min_ready_ms = sim_below(s, 3) * 1000;
	t->check_deadline_ms = 10000;
	t->route_deadline_ms = 8000;
	t->drain_ms = 1000 + sim_below(s, 4) * 1500;
	t->stop_deadline_ms = 6000;
	t->keep_warm_ms = sim_below(s, 3) * 8000;
	t->pause_ttl_ms = sim_chance(s, 30) ? 10000 : 0;
	t->infrastructure = sim_chance(s, 10);
	t->infrastructure_deadline_ms = 10000;
	t->before_step = sim_chance(s, 15);
	t->after_step = sim_chance(s, 15);
	t->step_deadline_ms = 10000;
	t->migrate_before = sim_chance(s, 15);
	t->migrate_after = sim_chance(s, 15);
	t->migrate_asks = sim_chance(s, 50);
	t->migrate_deadline_ms = 10000;
}

static void draw(struct sim *s, uint64_t seed, bool verbose)
{
	memset(s, 0, sizeof *s);
	s->seed = seed;
	s->random.state = seed * 0x9e3779b97f4a7c15u + 1;
	s->verbose = verbose;
	s->faults = true;
	environment_init(&s->memory.env);
	s->memory.stable_before = 0xff;
	s->memory.env.epoch = 1;
	draw_settings(s);
	s->loss = swarm(s, 30);
	s->duplicate = swarm(s, 30);
	s->crash = swarm(s, 4);
	s->persist_fails = swarm(s, 8);
	s->stale = swarm(s, 20);
	s->jump = swarm(s, 4);
	s->instance_crash = swarm(s, 8);
	s->commands = swarm(s, 10);
	s->guard = swarm(s, 2);
	s->verdict_bad = swarm(s, 20);
	s->inconclusive = swarm(s, 40);
	s->newer = swarm(s, 2);
	s->freeze = swarm(s, 3);
	s->lease = swarm(s, 2);
	s->outage = swarm(s, 6);
	s->away = swarm(s, 4);
	s->supersede = sim_chance(s, 50);
	s->lazy_commit = sim_chance(s, 30);
	s->actions = 100 + sim_below(s, 300);
	for (uint32_t i = 0; i < SIM_RELEASES; i++)
		s->quality[i] = sim_chance(s, 65) ? GOOD : sim_below(s, QUALITY_COUNT);
	if (sim_chance(s, 30)) { /* a calm seed gets far */
		memset(s->quality, 0, sizeof s->quality);
		s->verdict_bad = s->inconclusive = s->instance_crash = s->persist_fails = 0;
		s->guard = s->commands = s->loss = 0;
		s->actions += 200;
	}
	s->route_applied.mirror = s->route_applied.preview = SLOT_NONE;
	s->disk = s->memory;
}

/* Most seeds begin with a live release, as most rollouts do. */
static void draw_live(struct sim *s)
{
	struct environment_state *env = &s->memory.env;
	struct environment_set *set = &env->sets[1];

	if (sim_chance(s, 25))
		return;
	s->quality[0] = GOOD;
	env->stable = 1;
	set->document.release = sim_release_id(0);
	set->document.standing = true;
	set->document.drain_ms = s->settings.drain_ms;
	set->document.version = (struct version){.epoch = 1, .n = env->next_n++};
	memcpy(set->process, s->settings.process, sizeof set->process);
	for (uint32_t p = 0; p < SIM_PROCESSES; p++) {
		set->document.count[p] = s->settings.process[p].count;
		for (uint32_t slot = 0; slot < set->document.count[p]; slot++)
			s->instance[0][p][slot] = (struct instance){.exists = true,
								    .state = FLEET_READY,
								    .ready_ms = 60000,
								    .in_flight = 1};
		if (set->document.count[p] > 0 && set->process[p].traffic)
			env->router.weight_bp[1] = 10000;
	}
	env->router.version = (struct version){.epoch = 1, .n = env->next_n++};
	s->route_applied = env->router;
	for (uint32_t i = 0; i < ENVIRONMENT_SETS_MAX; i++)
		s->route_slots[i] = env->sets[i].document.release;
	s->set_applied[0] = set->document;
	s->oracle.newest = env->router.version;
	s->disk = s->memory;
	world_report_router(s);
	world_report_set(s, 0);
}

static void tick(struct sim *s, uint64_t elapsed_ms)
{
	world_age(s, elapsed_ms);
	shell_deliver(s, &(struct rollout_event){.kind = EVENT_TICK, .elapsed_ms = elapsed_ms});
}

static void command(struct sim *s)
{
	static const enum rollout_event_kind kinds[] = {EVENT_PAUSE,  EVENT_RESUME, EVENT_PROMOTE,
							EVENT_ABORT,  EVENT_RESUME, EVENT_APPROVE,
							EVENT_REJECT, EVENT_PAUSE,  EVENT_PROMOTE};
	struct rollout_event event = {.kind = kinds[sim_below(s, 9)], .seen = shell_seen(s)};

	if (event.kind == EVENT_ABORT && sim_chance(s, 50))
		return;
	if (sim_chance(s, 20))
		event.seen = s->old_seen; /* somebody who looked a while ago */
	else if (sim_chance(s, 30))
		s->old_seen = event.seen;
	if (event.kind == EVENT_APPROVE && sim_chance(s, 20))
		event.hash[0] = 1;
	shell_deliver(s, &event);
	if (sim_chance(s, 15))
		shell_deliver(s, &event); /* sent twice */
	if (s->memory.queued.there && sim_chance(s, 10)) {
		struct rollout_effects fx;
		static struct plan none;
		struct environment_state env = s->memory.env;
		totals.cell[ROLLOUT_QUEUED][EVENT_ABORT]++;
		rollout_step(&none, &env, &s->memory.queued.r,
			     &(struct rollout_event){.kind = EVENT_ABORT}, &fx);
		if (!s->memory.env.standby) {
			if (s->memory.queued.r.status != ROLLOUT_CANCELLED || fx.count != 1)
				sim_fail(s, "a waiting rollout cannot be withdrawn");
			s->memory.queued.there = false;
			s->disk = s->memory;
		}
	}
}

static void newer(struct sim *s)
{
	uint8_t release = (uint8_t)sim_below(s, SIM_RELEASES);
	const struct store *m = &s->memory;

	if (m->queued.there && m->queued.release == release)
		return;
	if (m->active.there && m->active.release == release)
		return;
	if (sim_chance(s, 25) && m->stable_before != 0xff && m->env.stable != SLOT_NONE)
		shell_submit(s, m->stable_before, true);
	else
		shell_submit(s, release, false);
}

static void look(struct sim *s)
{
	if (sim_chance(s, 85) && !s->router_away)
		world_report_router(s);
	for (uint8_t release = 0; release < SIM_RELEASES; release++)
		if (s->set_applied[release].version.n > 0 && sim_chance(s, 85))
			world_report_set(s, release);
	shell_observe(s);
}

static void deliver_message(struct sim *s)
{
	if (s->message_count == 0)
		return;
	uint32_t i = sim_below(s, s->message_count < 6 ? s->message_count : 6);
	if (s->router_away && s->messages[i].kind == MESSAGE_ROUTE)
		return;
	if (!sim_chance(s, s->loss))
		world_receive(s, &s->messages[i]);
	if (!sim_chance(s, s->duplicate)) { /* keep the order of those that wait */
		s->message_count--;
		memmove(&s->messages[i], &s->messages[i + 1],
			(s->message_count - i) * sizeof s->messages[0]);
	}
}

static void answer_any(struct sim *s)
{
	uint32_t first = sim_below(s, SIM_QUESTIONS);
	for (uint32_t i = 0; i < SIM_QUESTIONS; i++)
		if (s->questions[(first + i) % SIM_QUESTIONS].kind != ASKED_NOTHING) {
			shell_answer(s, (first + i) % SIM_QUESTIONS, false);
			return;
		}
}

static void rare(struct sim *s)
{
	const struct rollout *r = &s->memory.active.r;

	if (sim_chance(s, s->away))
		s->router_away = !s->router_away;
	if (sim_chance(s, s->commands))
		command(s);
	if (sim_chance(s, s->newer))
		newer(s);
	if (sim_chance(s, s->freeze))
		shell_deliver(s,
			      &(struct rollout_event){.kind = sim_chance(s, 50) ? EVENT_FREEZE
										: EVENT_UNFREEZE});
	if (sim_chance(s, s->freeze) && sim_chance(s, 30))
		shell_deliver(s, &(struct rollout_event){.kind = EVENT_MAINTENANCE,
							 .access = sim_below(s, ACCESS_COUNT)});
	if (s->memory.active.there && sim_chance(s, s->guard))
		shell_deliver(
			s, &(struct rollout_event){
				   .kind = EVENT_EVIDENCE,
				   .guard = true,
				   .verdict = sim_below(s, 3),
				   .attempt = r->attempt - (r->attempt > 0 ? sim_below(s, 2) : 0)});
	if (sim_chance(s, s->lease))
		shell_deliver(s, &(struct rollout_event){.kind = EVENT_LEASE_LOST});
	if (s->memory.env.standby && sim_chance(s, 30)) {
		s->serial = 0; /* looks are counted anew */
		s->old_there = false;
		shell_deliver(s, &(struct rollout_event){.kind = EVENT_LEASE_WON,
							 .epoch = s->memory.env.epoch + 2});
	}
	if (s->memory.active.there && r->status == ROLLOUT_GATED && sim_chance(s, 2))
		shell_deliver(s, &(struct rollout_event){.kind = EVENT_DRIFT});
	if (s->old_there && sim_chance(s, 10))
		shell_deliver(s, &s->old_observation);
}

static void act(struct sim *s)
{
	uint32_t choice = sim_below(s, 100);

	if (choice < 25)
		deliver_message(s);
	else if (choice < 45)
		world_act(s);
	else if (choice < 60)
		world_decide(s, (uint8_t)sim_below(s, SIM_RELEASES),
			     sim_chance(s, 70) ? UINT32_MAX : 1);
	else if (choice < 80)
		look(s);
	else if (choice < 92)
		tick(s, sim_chance(s, s->jump) ? 3600000 : 100 + sim_below(s, 1500));
	else
		answer_any(s);
	rare(s);
	shell_pump(s);
	if (!s->memory.active.there && !s->memory.queued.there && sim_chance(s, 2)) {
		if (s->memory.stable_before != 0xff && sim_chance(s, 60))
			shell_submit(s, s->memory.stable_before, true);
		else
			newer(s);
	}
}

/* Phase 2: whoever is asked answers, whoever can help does. */
static void help(struct sim *s)
{
	const struct rollout *r = &s->memory.active.r;
	struct rollout_event event = {.seen = shell_seen(s)};

	if (s->memory.env.standby)
		shell_deliver(s, &(struct rollout_event){.kind = EVENT_LEASE_WON});
	if (s->memory.env.frozen)
		shell_deliver(s, &(struct rollout_event){.kind = EVENT_UNFREEZE});
	if (!s->memory.active.there)
		return;
	event.seen = shell_seen(s);
	event.kind = EVENT_RESUME;
	if (r->status == ROLLOUT_PAUSED && r->reason != REASON_FROZEN)
		shell_deliver(s, &event);
	event.kind = EVENT_APPROVE;
	event.seen = shell_seen(s);
	if (s->memory.active.there && (r->status == ROLLOUT_GATED ||
				       (r->cursor < s->memory.active.plan.step_count &&
					s->memory.active.plan.steps[r->cursor].op == PLAN_GATE)))
		shell_deliver(s, &event);
}

static bool at_rest(const struct sim *s)
{
	const struct environment_state *env = &s->memory.env;
	uint32_t sets = 0;

	for (uint32_t i = 0; i < ENVIRONMENT_SETS_MAX; i++)
		sets += sim_release_index(&env->sets[i].document.release) != 0xff;
	for (uint32_t p = 0; p < SIM_PROCESSES && env->stable != SLOT_NONE; p++)
		if (world_ready(s, sim_release_index(&env->sets[env->stable].document.release), p) <
		    s->settings.process[p].count)
			return false; /* one that gave up is tried again only after a while */
	return !s->memory.active.there && !s->memory.queued.there &&
	       sets == (env->stable != SLOT_NONE);
}

static void liveness(struct sim *s)
{
	const struct environment_state *env = &s->memory.env;
	uint32_t rounds = 0, calm = 0;

	s->faults = s->router_away = false;
	for (; rounds < SIM_ROUNDS_MAX && calm < 3 && !s->failed; rounds++) {
		if (env->stable != SLOT_NONE)
			s->quality[sim_release_index(&env->sets[env->stable].document.release)] =
				GOOD;
		world_settle(s);
		tick(s, rounds < 8 ? 500 : 2500);
		world_report_router(s);
		for (uint8_t release = 0; release < SIM_RELEASES; release++)
			world_report_set(s, release);
		for (uint32_t i = 0; i < SIM_QUESTIONS; i++)
			shell_answer(s, i, true);
		help(s);
		shell_observe(s);
		shell_pump(s);
		calm = at_rest(s) ? calm + 1 : 0;
	}
	if (rounds == SIM_ROUNDS_MAX)
		sim_fail(s, "I-14: no rest after %d rounds: %s (%s), step %u", SIM_ROUNDS_MAX,
			 s->memory.active.there ? rollout_status_name(s->memory.active.r.status)
						: "idle",
			 rollout_reason_name(s->memory.active.r.reason), s->memory.active.r.cursor);
	if (!s->failed)
		oracle_rest(s);
}

static void on_abort(int number)
{
	(void)number;
	siglongjmp(aborted, 1);
}

static uint64_t run(struct sim *s, uint64_t seed, bool verbose)
{
	draw(s, seed, verbose);
	totals.seeds++;
	if (sigsetjmp(aborted, 1) != 0) {
		sim_fail(s, "an assertion of the core fails");
	} else {
		draw_live(s);
		shell_submit(s, 1, false);
		for (uint32_t i = 0; i < s->actions && !s->failed; i++, totals.actions++)
			act(s);
		liveness(s);
	}
	if (s->failed) {
		totals.failed++;
		if (totals.first_failed == 0)
			totals.first_failed = seed;
	}
	return s->hash;
}

static void run_range(uint64_t first, uint64_t count, uint64_t step, uint32_t stop_after)
{
	for (uint64_t seed = first; seed < first + count; seed += step) {
		uint64_t hash = run(&world, seed, false);
		if (!world.failed && seed % TWICE_EVERY == 0 && run(&world, seed, false) != hash)
			sim_fail(&world, "I-30: the same seed ends differently");
		if (!world.failed)
			continue;
		printf("seed %llu: %s\n", (unsigned long long)seed, world.why);
		fflush(stdout);
		if (totals.failed >= stop_after)
			return;
	}
}

static void add_totals(const struct sim_totals *part)
{
	const uint64_t *from = (const uint64_t *)part;
	uint64_t *to = (uint64_t *)&totals;
	for (size_t i = 0; i < sizeof totals / sizeof *to; i++)
		to[i] += from[i];
}

static uint64_t run_parallel(uint64_t first, uint64_t count, uint32_t stop)
{
	struct sim_totals *shared = mmap(NULL, WORKERS * sizeof *shared, PROT_READ | PROT_WRITE,
					 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t workers[WORKERS];
	uint64_t first_failed = 0, died = 0;

	fflush(stdout);
	for (uint32_t w = 0; w < WORKERS; w++) {
		workers[w] = fork();
		if (workers[w] == 0) {
			run_range(first + w, count > w ? count - w : 0, WORKERS, stop);
			shared[w] = totals;
			fflush(stdout);
			_exit(0);
		}
	}
	for (uint32_t w = 0; w < WORKERS; w++) {
		int status = 0;
		waitpid(workers[w], &status, 0);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
			printf("a worker died\n");
			died++;
		}
		uint64_t found = shared[w].first_failed;
		if (found != 0 && (first_failed == 0 || found < first_failed))
			first_failed = found;
		shared[w].first_failed = 0;
		add_totals(&shared[w]);
	}
	munmap(shared, WORKERS * sizeof *shared);
	totals.failed += died;
	return first_failed;
}

int main(int argc, char **argv)
{
	uint64_t seeds = 20000, first = 1, stop = 5, quiet = 0;

	signal(SIGABRT, on_abort);
	if (argc == 2 && argv[1][0] != '-') {
		run(&world, strtoull(argv[1], NULL, 10), true);
		printf("%s\n", world.failed ? world.why : "passed");
		return world.failed;
	}
	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--seeds") == 0)
			seeds = strtoull(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--first") == 0)
			first = strtoull(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--stop") == 0)
			stop = strtoull(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--quiet") == 0)
			quiet = strtoull(argv[i + 1], NULL, 10);
	}
	uint64_t first_failed = run_parallel(first, seeds, (uint32_t)stop);
	uint32_t empty = quiet ? 0 : coverage_print(seeds >= COVERAGE_SEEDS_MIN);
	printf("seeds=%llu actions=%llu steps=%llu crashes=%llu succeeded=%llu reverted=%llu "
	       "other=%llu\n",
	       (unsigned long long)totals.seeds, (unsigned long long)totals.actions,
	       (unsigned long long)totals.steps, (unsigned long long)totals.crashes,
	       (unsigned long long)totals.succeeded, (unsigned long long)totals.reverted,
	       (unsigned long long)totals.rejected);
	if (totals.failed > 0)
		printf("replay with: sim %llu\n", (unsigned long long)first_failed);
	if (empty > 0)
		printf("%u reachable cells were never reached\n", empty);
	uint64_t failed = totals.failed + (empty > 0);
	printf("%llu passed, %llu failed\n",
	       (unsigned long long)(totals.seeds > totals.failed ? totals.seeds - totals.failed
								 : 0),
	       (unsigned long long)failed);
	return failed > 0;
}
