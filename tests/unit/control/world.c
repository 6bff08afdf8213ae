/* SPDX-License-Identifier: Apache-2.0
 * world - see world.h. Here: time, the control's life, and what tests say. */
#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../small_disk.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "store/query.h"

enum {
	WALL_BEGINS_MS = 1800000000000 % 1000000007,
	REST_MS = 90000,
	CHECK_MS = 100,
	START_AGAIN_MS = 500
};

struct world world;

const char world_yaml[] =
	"app: shop\n"
	"service:\n"
	"  run: bin/server --port $PORT\n"
	"  instances: 2\n"
	"  health: { path: /up, interval: 1s, min_healthy: 500ms, deadline: 10s }\n"
	"  drain: { requests: 2s, websockets: 2s }\n"
	"  stop: { timeout: 1s }\n"
	"checks: { smoke: [{ get: /up }] }\n"
	"analysis: { method: rules, errors: { max: 2%, at_least: 50 requests }, hang: 2s }\n"
	"strategies:\n"
	"  quick:\n"
	"    - canary: { steps: [10%, 50%], each: { at_least: 2s, at_most: 20s } }\n"
	"    - switch\n"
	"    - bake: 2s\n"
	"  mix:\n"
	"    - check: smoke\n"
	"    - shadow: { share: 50%, until: { requests: 100 } }\n"
	"    - canary: { steps: [20%], each: { at_least: 2s, at_most: 20s } }\n"
	"    - switch\n"
	"    - bake: 2s\n"
	"  swap:\n"
	"    - check: smoke\n"
	"    - switch\n"
	"    - bake: 2s\n"
	"  roll:\n"
	"    - rolling: { batch: 50%, each: { at_least: 1s, at_most: 20s } }\n"
	"  again:\n"
	"    - recreate\n"
	"    - bake: 2s\n"
	"environments:\n"
	"  prod: { listen: \"127.0.0.1:8080\", strategy: quick, keep_warm: 20s }\n"
	"  staging: { listen: \"127.0.0.1:8081\", strategy: quick, keep_warm: 20s }\n"
	"  fast: { listen: \"127.0.0.1:8082\", strategy: quick, keep_warm: 20s,"
	" concurrency: supersede }\n";

uint64_t world_random(void)
{
	uint64_t x = world.random;
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return world.random = x;
}

void world_violated(const char *format, ...)
{
	va_list list;
	if (world.violation[0])
		return;
	va_start(list, format);
	int at = snprintf(world.violation, sizeof world.violation,
			  "at %llu ms: ", (unsigned long long)world.now_ms);
	vsnprintf(world.violation + at, sizeof world.violation - (size_t)at, format, list);
	va_end(list);
	log_event(LOG_ERROR, "world.violated", "%s", world.violation);
}

/* --- time */

static uint64_t now_ms(struct env *env)
{
	(void)env;
	return world.now_ms;
}

static uint64_t wall_ms(struct env *env)
{
	(void)env;
	return WALL_BEGINS_MS + world.now_ms;
}

static void fill_random(struct env *env, void *to, size_t size)
{
	(void)env;
	for (size_t i = 0; i < size; i++)
		((uint8_t *)to)[i] = (uint8_t)(world_random() >> 16);
}

static void timer_stop(struct env *env, struct env_timer *timer)
{
	(void)env;
	for (uint32_t i = 0; i < world.timer_count; i++)
		if (world.timers[i].timer == timer) {
			world.timers[i] = world.timers[--world.timer_count];
			return;
		}
}

static void timer_start(struct env *env, struct env_timer *timer, uint64_t after_ms)
{
	timer_stop(env, timer);
	assert_true(world.timer_count < 8);
	world.timers[world.timer_count].timer = timer;
	world.timers[world.timer_count].at_ms = world.now_ms + after_ms;
	world.timers[world.timer_count++].seq = ++world.seq;
}

static const char *boot_id(struct env *env)
{
	(void)env;
	return "one-boot";
}

void world_happen(uint64_t after_ms, bool of_control, void (*fire)(void *), void *argument)
{
	assert_true(world.happening_count < WORLD_HAPPENINGS_MAX);
	world.happenings[world.happening_count++] =
		(struct happening){.at_ms = world.now_ms + after_ms,
				   .seq = ++world.seq,
				   .life = of_control ? world.life : 0,
				   .fire = fire,
				   .argument = argument};
}

static void beat(void *argument)
{
	(void)argument;
	runtime_beat();
	router_beat();
	world_happen(WORLD_BEAT_MS, false, beat, NULL);
}

/* The earliest of what was announced; of two at one time the one announced first. */
static uint32_t next_happening(void)
{
	uint32_t best = 0;
	for (uint32_t i = 1; i < world.happening_count; i++) {
		const struct happening *a = &world.happenings[i], *b = &world.happenings[best];
		if (a->at_ms < b->at_ms || (a->at_ms == b->at_ms && a->seq < b->seq))
			best = i;
	}
	return best;
}

static uint32_t next_timer(void)
{
	uint32_t best = 0;
	for (uint32_t i = 1; i < world.timer_count; i++)
		if (world.timers[i].at_ms < world.timers[best].at_ms ||
		    (world.timers[i].at_ms == world.timers[best].at_ms &&
		     world.timers[i].seq < world.timers[best].seq))
			best = i;
	return best;
}

/* Run what belongs to the control; a failpoint may end its life in the middle of it. */
static void guarded(void (*fire)(void *), void *argument)
{
	world.in_turn = true;
	if (setjmp(world.killed) == 0)
		fire(argument);
	bool died = !world.in_turn;
	world.in_turn = false;
	if (died) {
		world_kill();
		world_start();
	}
}

static void fire_timer(uint32_t index)
{
	struct env_timer *timer = world.timers[index].timer;
	world.now_ms =
		world.timers[index].at_ms > world.now_ms ? world.timers[index].at_ms : world.now_ms;
	world.timers[index] = world.timers[--world.timer_count];
	guarded(timer->fire, timer->context);
}

void world_step(void)
{
	uint32_t h = next_happening();
	if (world.timer_count > 0) {
		uint32_t t = next_timer();
		if (world.timers[t].at_ms <= world.happenings[h].at_ms) {
			fire_timer(t);
			return;
		}
	}
	struct happening now = world.happenings[h];
	world.happenings[h] = world.happenings[--world.happening_count];
	world.now_ms = now.at_ms > world.now_ms ? now.at_ms : world.now_ms;
	if (now.life == 0)
		now.fire(now.argument);
	else if (now.life == world.life && world.control)
		guarded(now.fire, now.argument);
	free(now.argument);
}

void world_run(uint64_t ms)
{
	uint64_t until = world.now_ms + ms;
	while (world.now_ms < until)
		world_step();
}

void world_suspend(uint64_t ms)
{
	world.now_ms += ms;
}

/* --- artifacts and checks */

struct behaviour *world_behaviour(const char *tag)
{
	for (uint32_t i = 0; i < world.behaviour_count; i++)
		if (strcmp(world.behaviours[i].tag, tag) == 0)
			return &world.behaviours[i];
	assert_true(world.behaviour_count < WORLD_TAGS_MAX);
	struct behaviour *b = &world.behaviours[world.behaviour_count++];
	*b = (struct behaviour){0};
	text_copy(b->tag, sizeof b->tag, tag);
	return b;
}

static int find_files(const struct digest *digest, struct error *err)
{
	for (uint32_t i = 0; i < world.behaviour_count; i++) {
		struct digest known =
			digest_of(world.behaviours[i].tag, strlen(world.behaviours[i].tag));
		if (digest_equal(&known, digest))
			return world.behaviours[i].damaged
				       ? error_set(err, ERR_CORRUPT,
						   "The files of the release are not those that "
						   "were imported.")
				       : 0;
	}
	return error_set(err, ERR_NOT_FOUND, "There is no such artifact.");
}

static int path(struct artifact_store *a, const struct digest *digest, char *ret_path, size_t size,
		struct error *err)
{
	char hex[DIGEST_HEX_SIZE];
	(void)a;
	if (world.files)
		return text_copy(ret_path, size, world.files) ? 0 : ERR_LIMIT;
	snprintf(ret_path, size, "/artifacts/%s", digest_format(digest, hex));
	return find_files(digest, err);
}

static int verify(struct artifact_store *a, const struct digest *digest,
		  struct artifact_info *ret_info, struct error *err)
{
	(void)a;
	ret_info->digest = *digest;
	return find_files(digest, err);
}

static int import(struct artifact_store *a, int fd, const char *file_name,
		  struct artifact_info *ret_info, struct error *err)
{
	char bytes[65536];
	ssize_t n;
	(void)a;
	(void)err;
	usleep(world.import_ms * 1000u);
	world.imported_size = 0;
	while ((n = read(fd, bytes, sizeof bytes)) > 0) {
		if (world.imported_size == 0)
			memcpy(world.imported, bytes,
			       (size_t)n < sizeof world.imported ? (size_t)n
								 : sizeof world.imported);
		world.imported_size += (size_t)n;
	}
	*ret_info = (struct artifact_info){.digest = digest_of(file_name, strlen(file_name)),
					   .entries = 1};
	return 0;
}

static int collect(struct artifact_store *a, const struct digest *keep, size_t keep_count,
		   uint64_t grace_ms, struct artifact_collected *ret_collected, struct error *err)
{
	(void)a;
	(void)keep;
	(void)grace_ms;
	(void)err;
	*ret_collected = (struct artifact_collected){.kept = (uint32_t)keep_count};
	return 0;
}

struct check_run {
	uint64_t number;
	char address[128];
	const struct check_listener *listener;
	void *context;
};

/* "v1 (prod)=FINDINGS", "?WHY". */
static bool find_all(const struct check_run *run)
{
	struct check_base base = {.there = false};
	struct check_found found = {
		.fresh = 1, .known = 2, .fixed = 3, .waived = 4, .since = "something"};
	buf_init(&base.findings, CHECK_FINDINGS_MAX);
	buf_init(&found.kept, CHECK_FINDINGS_MAX);
	buf_puts(&found.kept, world.check_finds);
	int result = run->listener->base(run->context, &world.check.checks[0], &base, &world.err);
	snprintf(world.check_told, sizeof world.check_told, "%s%s%s%s", base.since,
		 base.there ? "=" : "?", base.unknown, buf_text(&base.findings));
	if (result == 0)
		run->listener->found(run->context, &world.check.checks[0], &found);
	buf_done(&base.findings);
	buf_done(&found.kept);
	return result == 0;
}

static void check_ended(void *argument)
{
	struct check_run *run = argument;
	const struct fake_instance *f = NULL;
	if (world.check_cancelled == run->number)
		return;
	for (size_t i = 0; i < world.instance_count; i++)
		if (strcmp(world.instances[i].status.address, run->address) == 0)
			f = &world.instances[i];
	bool passed = f && f->status.healthy && !world_behaviour(f->status.tag)->checks_fail;
	if (passed && world.check_finds)
		passed = find_all(run);
	run->listener->done(run->context, passed,
			    passed ? "1 smoke check passed."
				   : "GET /up was answered 500, 200 was expected.",
			    passed ? "" : "one line\nand \"another\"");
}

static int check_start(struct check_runner *runner, const struct check_request *request,
		       const struct check_listener *listener, void *context, uint64_t *ret_run,
		       struct error *err)
{
	(void)runner;
	(void)err;
	struct check_run *run = mem_zero(1, sizeof *run);
	run->number = *ret_run = ++world.check_run;
	world.check = *request;
	run->listener = listener;
	run->context = context;
	text_copy(run->address, sizeof run->address, request->address);
	world_happen(CHECK_MS, true, check_ended, run);
	return 0;
}

static void check_cancel(struct check_runner *runner, uint64_t run)
{
	(void)runner;
	world.check_cancelled = run;
}

/* --- the control's life */

static void on_failpoint(const char *name)
{
	if (strncmp(name, "control.", 8) != 0 || !world.in_turn)
		return;
	if (++world.failpoints != world.failpoint_at)
		return;
	world.in_turn = false;
	longjmp(world.killed, 1);
}

/* As a launcher does. */
static void start_again(void *argument)
{
	(void)argument;
	world_start();
}

static const struct server *server_now(void *context)
{
	(void)context;
	return world.server;
}

/* One zone that is an hour ahead. */
static int zone_offset(const char *name, int64_t unix_s, int32_t *ret_offset_s, struct error *err)
{
	(void)unix_s;
	*ret_offset_s = strcmp(name, "Europe/Berlin") == 0 ? 3600 : 0;
	if (strcmp(name, "UTC") == 0 || *ret_offset_s != 0)
		return 0;
	return error_set(err, ERR_NOT_FOUND, "There is no time zone \"%s\".", name);
}

void world_start(void)
{
	struct control_parts parts = {.env = &world.env,
				      .store = world.store,
				      .runtime = &world.runtime,
				      .router = &world.router,
				      .artifacts = &world.artifacts,
				      .checks = &world.checks,
				      .ticks = &world.ticks,
				      .postmortems = world.postmortems,
				      .builds = world.builds,
				      .judge_scan = world.judge_scan,
				      .history = world.history,
				      .tag_pusher = world.tag_pusher,
				      .certificates = world.certificates,
				      .host = world.host,
				      .metrics = &world.metrics,
				      .background = world.beside,
				      .server = server_now,
				      .zone_offset = zone_offset,
				      .secret_key = world.secret_key};
	world.life++;
	world.started_ms = world.now_ms;
	world.settled_at_ms = world.now_ms + world.runtime_settle_ms;
	world.control = control_new(&parts);
	if (control_start(world.control, &world.err) == 0)
		return;
	if (!world.store_broken)
		fail_msg("the control did not start: %s", world.err.text);
	world_kill();
	world_happen(START_AGAIN_MS, false, start_again, NULL);
}

void world_kill(void)
{
	control_free(world.control);
	world.control = NULL;
	world.timer_count = 0;
	world.life++;
	world.kills++;
}

void world_open(void)
{
	world_open_on(":memory:");
}

void world_open_on(const char *file)
{
	static const struct env_ops env_ops = {.now_ms = now_ms,
					       .wall_ms = wall_ms,
					       .random = fill_random,
					       .timer_start = timer_start,
					       .timer_stop = timer_stop,
					       .boot_id = boot_id};
	static const struct artifact_ops artifact_ops = {
		.import = import, .path = path, .verify = verify, .collect = collect};
	static const struct check_ops check_ops = {.start = check_start, .cancel = check_cancel};
	memset(&world, 0, sizeof world);
	log_init("test", getenv("WORLD_LOG") ? LOG_DEBUG : (enum log_level)(LOG_ERROR + 1));
	world.random = 88172645463325252ull;
	world.now_ms = 1000;
	text_copy(world.who, sizeof world.who, "ann");
	world.rate_per_s = 500;
	world.env.ops = &env_ops;
	world.artifacts.ops = &artifact_ops;
	world.checks.ops = &check_ops;
	runtime_open();
	router_open();
	ticks_open();
	metrics_open();
	failpoint_hook = on_failpoint;
	if (store_open(file, &world.store, &world.err) < 0)
		fail_msg("%s", world.err.text);
	beat(NULL);
	world_start();
}

void world_close(void)
{
	world_kill();
	for (uint32_t i = 0; i < world.happening_count; i++)
		free(world.happenings[i].argument);
	router_close();
	ticks_close();
	server_free(world.server);
	world.server = NULL;
	store_close(world.store);
	world.store = NULL;
	failpoint_hook = NULL;
}

/* --- commands */

struct control_caller world_caller(const char *request_id)
{
	struct control_caller caller = {.who = ""};
	text_copy(caller.who, sizeof caller.who, world.who);
	text_copy(caller.request_id, sizeof caller.request_id, request_id);
	return caller;
}

const char *world_release(const char *environment, const char *tag, const char *yaml)
{
	static char ids[4][DIGEST_HEX_SIZE];
	static uint32_t next;
	char *id = ids[next++ % 4];
	struct control_caller caller = world_caller("");
	struct control_release release = {.config_text = yaml,
					  .config_name = "davit.yaml",
					  .artifact = digest_of(tag, strlen(tag)),
					  .files = 1};
	bool existed;
	world_behaviour(tag);
	text_copy(release.environment, sizeof release.environment, environment);
	text_copy(release.tag, sizeof release.tag, tag);
	if (control_add_release(world.control, &caller, &release, id, &existed, &world.err) < 0)
		fail_msg("the release %s was refused: %s", tag, world.err.text);
	return id;
}

uint32_t world_deploy_by(const char *environment, const char *release, const char *strategy,
			 const char *request_id)
{
	struct control_caller caller = world_caller(request_id);
	struct control_deploy deploy = {.reason = "because"};
	uint32_t rollout = 0;
	text_copy(deploy.release, sizeof deploy.release, release);
	text_copy(deploy.strategy, sizeof deploy.strategy, strategy);
	if (control_deploy(world.control, &caller, environment, &deploy, &rollout, &world.err) < 0)
		return 0;
	assert_int_not_equal(rollout, 0);
	return rollout;
}

uint32_t world_deploy(const char *environment, const char *release)
{
	return world_deploy_by(environment, release, "", "");
}

uint32_t world_rollback(const char *environment, const char *to)
{
	struct control_caller caller = world_caller("");
	struct control_back back = {.to = to, .reason = "it hurts"};
	uint32_t rollout = 0;
	if (control_rollback(world.control, &caller, environment, &back, &rollout, &world.err) < 0)
		return 0;
	return rollout;
}

void world_server(const char *yaml)
{
	static struct config_errors errors;
	server_free(world.server);
	world.server = NULL;
	if (yaml && server_load(yaml, strlen(yaml), "server.yaml", &world.server, &errors) < 0)
		fail_msg("%s %s", errors.items[0].where, errors.items[0].text);
}

int world_answer(const char *rollout, const char *who, enum control_answer_verdict verdict)
{
	struct control_caller caller = {.who = ""};
	struct control_answer answer = {.verdict = verdict, .reason = "so I say"};
	text_copy(caller.who, sizeof caller.who, who);
	return control_answer(world.control, &caller, rollout, &answer, &world.err);
}

int world_freeze(const char *environment, bool on, uint64_t for_ms)
{
	struct control_caller caller = world_caller("");
	uint64_t until = for_ms ? env_wall_ms(&world.env) + for_ms : 0;
	return control_freeze(world.control, &caller, environment, on, until, "holidays",
			      &world.err);
}

uint32_t world_restart(const char *environment)
{
	struct control_caller caller = world_caller("");
	uint32_t rollout = 0;
	if (control_restart(world.control, &caller, environment, "", &rollout, &world.err) < 0)
		return 0;
	return rollout;
}

int world_command(const char *rollout, enum control_verb verb)
{
	struct control_caller caller = world_caller("");
	struct control_expect expect = {.any = true};
	return control_command(world.control, &caller, rollout, verb, "so I say", &expect,
			       &world.err);
}

static struct {
	const char *environment, *release, *strategy, *request_id;
	uint32_t rollout;
	bool answered;
} insisted;

static void say_it(void *argument)
{
	(void)argument;
	struct control_caller caller = world_caller(insisted.request_id);
	struct control_back back = {.to = "", .reason = ""};
	if (insisted.release)
		insisted.rollout = world_deploy_by(insisted.environment, insisted.release,
						   insisted.strategy, insisted.request_id);
	else if (control_rollback(world.control, &caller, insisted.environment, &back,
				  &insisted.rollout, &world.err) < 0)
		insisted.rollout = 0;
	insisted.answered = true;
}

static uint32_t insist(void)
{
	insisted.answered = false;
	while (!insisted.answered) {
		guarded(say_it, NULL);
		if (!insisted.answered)
			world_run(100);
	}
	return insisted.rollout;
}

uint32_t world_insist_deploy(const char *environment, const char *release, const char *strategy,
			     const char *request_id)
{
	insisted.environment = environment;
	insisted.release = release;
	insisted.strategy = strategy;
	insisted.request_id = request_id;
	return insist();
}

uint32_t world_insist_rollback(const char *environment, const char *request_id)
{
	insisted.environment = environment;
	insisted.release = NULL;
	insisted.request_id = request_id;
	return insist();
}

static int refuse(void *context)
{
	(void)context;
	return 1;
}

void world_break_store(bool broken)
{
	world.store_broken = broken;
	sqlite3_commit_hook(world.store->db, broken ? refuse : NULL, NULL);
}

/* The log is cut before: else there is room in it. */
void world_fill_disk(const char *directory)
{
	assert_int_equal(sqlite3_wal_checkpoint_v2(world.store->db, NULL,
						   SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL),
			 SQLITE_OK);
	small_disk_fill(directory);
}

/* --- what is seen */

const struct view_rollout *world_view(uint32_t rollout)
{
	static struct view_rollout view;
	if (control_view_number(world.control, rollout, &view, &world.err) < 0)
		fail_msg("%s", world.err.text);
	return &view;
}

static int keep_state(void *context, const struct store_rollout *r)
{
	text_copy(context, STORE_WORD_SIZE, r->state_name);
	return 0;
}

static const char *state_of(uint32_t rollout)
{
	static char state[STORE_WORD_SIZE];
	if (store_rollout_get(world.store, rollout, keep_state, state, &world.err) < 0)
		fail_msg("%s", world.err.text);
	return state;
}

static bool ended(const char *state)
{
	static const char *const ends[] = {"succeeded", "reverted", "rejected", "superseded",
					   "cancelled"};
	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
		if (strcmp(ends[i], state) == 0)
			return true;
	return false;
}

const char *world_until_end(uint32_t rollout, uint64_t at_most_ms)
{
	uint64_t until = world.now_ms + at_most_ms;
	assert_int_not_equal(rollout, 0);
	while (!ended(state_of(rollout)) && world.now_ms < until)
		world_run(WORLD_BEAT_MS);
	return state_of(rollout);
}

bool world_until_state(uint32_t rollout, const char *state, uint64_t at_most_ms)
{
	uint64_t until = world.now_ms + at_most_ms;
	while (strcmp(state_of(rollout), state) != 0 && world.now_ms < until)
		world_run(WORLD_BEAT_MS);
	return strcmp(state_of(rollout), state) == 0;
}

bool world_until_label(uint32_t rollout, const char *label, uint64_t at_most_ms)
{
	uint64_t until = world.now_ms + at_most_ms;
	for (;;) {
		const struct view_rollout *v = world_view(rollout);
		if (v->step < v->step_count && strcmp(v->steps[v->step].label, label) == 0)
			return true;
		if (world.now_ms >= until || v->ended)
			return false;
		world_run(WORLD_BEAT_MS);
	}
}

static void keep_environment(void *context, const struct view_environment *e)
{
	memcpy(context, e, sizeof *e);
}

static const struct view_environment *environment_view(const char *environment)
{
	static struct view_environment view;
	if (control_view_environments(world.control, environment, keep_environment, &view,
				      &world.err) < 0)
		fail_msg("%s", world.err.text);
	return &view;
}

const char *world_live(const char *environment)
{
	return environment_view(environment)->live.tag;
}

const char *world_state(const char *environment)
{
	return environment_view(environment)->state;
}

uint32_t world_weight(const char *environment, const char *tag)
{
	const struct router_document *d = world_traffic("shop", environment)->document;
	for (uint32_t i = 0; d && i < d->release_count; i++)
		if (strcmp(d->releases[i].tag, tag) == 0)
			return d->releases[i].weight_bp;
	return 0;
}

uint32_t world_instances(const char *environment, const char *tag)
{
	uint32_t count = 0;
	for (size_t i = 0; i < world.instance_count; i++) {
		const struct instance_status *s = &world.instances[i].status;
		count += strcmp(s->environment, environment) == 0 && strcmp(s->tag, tag) == 0 &&
			 !instance_state_over(s->state);
	}
	return count;
}

bool world_marked_bad(const char *environment, const char *release)
{
	struct store_release row;
	struct store_bad_mark mark;
	if (store_release_match(world.store, "shop", release, &row, &world.err) < 0)
		fail_msg("%s", world.err.text);
	return store_bad_mark_find(world.store, "shop", environment, row.id, &mark, &world.err) ==
	       1;
}

void world_assert_sane(void)
{
	struct store_audit_head head;
	uint64_t broken = 0;
	if (world.violation[0])
		fail_msg("%s", world.violation);
	if (store_audit_verify(world.store, NULL, &head, &broken, &world.err) < 0)
		fail_msg("%s", world.err.text);
}

void world_assert_at_rest(const char *environment, const char *live, uint32_t instances)
{
	world_run(REST_MS);
	world_assert_sane();
	assert_string_equal(world_live(environment), live);
	for (size_t i = 0; i < world.instance_count; i++) {
		const struct instance_status *s = &world.instances[i].status;
		if (strcmp(s->environment, environment) == 0 && !instance_state_over(s->state) &&
		    strcmp(s->tag, live) != 0)
			fail_msg("%s of %s is left over (%s)", s->id, s->tag,
				 instance_state_name(s->state));
	}
	assert_int_equal(world_instances(environment, live), instances);
	if (live[0])
		assert_int_equal(world_weight(environment, live), SHARE_FULL_BP);
	assert_string_equal(world_state(environment), live[0] ? "serving" : "empty");
}

/* A controller that is killed frees nothing: what it leaves behind here is no leak. Read by the sanitizer. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
