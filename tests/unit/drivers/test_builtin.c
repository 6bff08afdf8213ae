/* SPDX-License-Identifier: Apache-2.0
 * Tests of drivers/router/builtin.h against a real supervisor with scripted workers. */
#include "../cmocka_all.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../gateway/supervisor_kit.h"
#include "base/text.h"
#include "drivers/router/builtin.h"
#include "os/clock.h"

struct seen {
	int answers;
	int code;
	char text[ERROR_TEXT_MAX];
	uint32_t seen_us;
	struct router_observation observation;
};

static struct kit kit;
static struct loop *loop;
static struct router *router;
static struct env_timer limit;
static struct router_document *document;

static void limit_passed(void *context)
{
	(void)context;
	fail_msg("no answer in time");
}

static void noted(struct seen *seen, const struct router_answer *answer)
{
	seen->answers++;
	seen->code = answer->code;
	seen->seen_us = answer->seen_us;
	text_copy(seen->text, sizeof seen->text, answer->code ? answer->error->text : "");
	loop_stop(loop);
}

static void done(void *context, const struct router_answer *answer)
{
	noted(context, answer);
}

static void observed(void *context, const struct router_answer *answer,
		     const struct router_observation *observation)
{
	struct seen *seen = context;
	if (observation)
		seen->observation = *observation;
	noted(seen, answer);
}

/* Run the loop until `seen` has `answers` of them. */
static void await(struct seen *seen, int answers)
{
	struct env *env = loop_env(loop);
	limit.fire = limit_passed;
	env->ops->timer_start(env, &limit, KIT_DEADLINE_MS);
	while (seen->answers < answers)
		loop_run(loop);
	env->ops->timer_stop(env, &limit);
}

static int apply(struct seen *seen)
{
	memset(seen, 0, sizeof *seen);
	router->ops->apply(router, document, done, seen);
	assert_int_equal(seen->answers, 0); /* never from inside the call */
	await(seen, 1);
	return seen->code;
}

static int observe(struct seen *seen)
{
	memset(seen, 0, sizeof *seen);
	router->ops->observe(router, document->app, document->environment, observed, seen);
	assert_int_equal(seen->answers, 0);
	await(seen, 1);
	return seen->code;
}

static void add_backend(uint32_t release, const char *instance)
{
	struct router_backend *b = &document->backends[document->backend_count++];
	*b = (struct router_backend){.release = release};
	text_copy(b->process, sizeof b->process, "web");
	text_copy(b->instance, sizeof b->instance, instance);
	text_copy(b->address, sizeof b->address, "127.0.0.1:9");
}

static void write_document(const char *environment, uint16_t port, uint64_t n,
			   uint32_t candidate_bp)
{
	router_document_init(document);
	text_copy(document->app, sizeof document->app, "shop");
	text_copy(document->environment, sizeof document->environment, environment);
	document->version = (struct router_version){1, n};
	snprintf(document->listener, sizeof document->listener, "127.0.0.1:%u", port);
	document->route_count = 1;
	text_copy(document->routes[0].path, ROUTER_PATH_SIZE, "/");
	text_copy(document->routes[0].process, ROUTER_NAME_SIZE, "web");
	document->release_count = 2;
	document->live = 1;
	for (uint8_t i = 0; i < 2; i++) {
		document->releases[i].id.bytes[0] = (uint8_t)(i + 1);
		text_copy(document->releases[i].tag, ROUTER_NAME_SIZE, i ? "v1" : "v2");
	}
	document->releases[0].weight_bp = candidate_bp;
	document->releases[1].weight_bp = 10000 - candidate_bp;
	add_backend(0, "web-new-1");
	add_backend(1, "web-old-1");
	add_backend(1, "web-old-2");
}

static void new_router(void)
{
	struct error err;
	assert_int_equal(loop_new(&loop, &err), 0);
	router = builtin_router_new(loop, kit.dir_fd);
}

static void free_router(void)
{
	router->ops->free(router);
	loop_free(loop);
	memset(&limit, 0, sizeof limit);
}

static int set_up(void **state)
{
	(void)state;
	document = calloc(1, sizeof *document);
	kit_open(&kit, 2);
	kit_start(&kit, NULL);
	new_router();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free_router();
	kit_close(&kit);
	free(document);
	return 0;
}

static void a_document_is_answered_when_it_is_in_force_and_observed_then(void **state)
{
	(void)state;
	struct seen seen;
	write_document("prod", kit.port, 1, 1000);
	assert_int_equal(apply(&seen), 0);
	assert_int_equal(kit_request(kit.port), 1);
	assert_int_equal(observe(&seen), 0);
	assert_int_equal(seen.observation.applied.epoch, 1);
	assert_int_equal(seen.observation.applied.n, 1);
	assert_true(seen.observation.seen);
	assert_int_equal(seen.observation.release_count, 2);
	assert_int_equal(seen.observation.releases[0].weight_bp, 1000);
	assert_int_equal(seen.observation.backend_count, 3);
	assert_string_equal(seen.observation.backends[0].instance, "web-new-1");
}

static void asking_for_what_stands_makes_no_table(void **state)
{
	(void)state;
	struct seen seen;
	write_document("prod", kit.port, 1, 1000);
	assert_int_equal(apply(&seen), 0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(apply(&seen), 0);
	assert_int_equal(kit_request(kit.port), 1);
	document->backends[1].state =
		ROUTER_BACKEND_DRAINING; /* the same version, other backends */
	assert_int_equal(apply(&seen), 0);
	assert_int_equal(kit_request(kit.port), 2);
	assert_int_equal(observe(&seen), 0);
	assert_int_equal(seen.observation.backends[1].state, ROUTER_BACKEND_DRAINING);
}

static void older_documents_and_other_words_of_the_same_version_are_refused(void **state)
{
	(void)state;
	struct seen seen;
	write_document("prod", kit.port, 5, 1000);
	assert_int_equal(apply(&seen), 0);
	write_document("prod", kit.port, 4, 1000);
	assert_int_equal(apply(&seen), ERR_CONFLICT);
	write_document("prod", kit.port, 5, 2000);
	assert_int_equal(apply(&seen), ERR_CONFLICT);
	write_document("prod", kit.port, 5, 1000);
	document->hold.time_ms++;
	assert_int_equal(apply(&seen), ERR_CONFLICT);
	write_document("prod", kit.port, 6, 2000);
	assert_int_equal(apply(&seen), 0);
	document->version = (struct router_version){2, 1};
	assert_int_equal(apply(&seen), 0);
}

static void the_fence_holds_over_a_new_life_of_the_controller(void **state)
{
	(void)state;
	struct seen seen;
	write_document("prod", kit.port, 5, 1000);
	assert_int_equal(apply(&seen), 0);
	free_router();
	new_router();
	write_document("prod", kit.port, 4, 1000);
	assert_int_equal(apply(&seen), ERR_CONFLICT);
	write_document("prod", kit.port, 5, 2000);
	assert_int_equal(apply(&seen), ERR_CONFLICT);
	write_document("prod", kit.port, 5, 1000);
	assert_int_equal(apply(&seen), 0);
	assert_true(router->ops->settled(router));
}

static void an_environment_not_spoken_of_yet_is_carried_along(void **state)
{
	(void)state;
	struct seen seen;
	uint16_t other = kit_free_port();
	write_document("prod", kit.port, 1, 1000);
	assert_int_equal(apply(&seen), 0);
	write_document("staging", other, 7, 0);
	assert_int_equal(apply(&seen), 0);
	free_router();
	new_router();
	write_document("prod", kit.port, 2, 5000);
	assert_int_equal(apply(&seen), 0);
	assert_int_equal(kit_request(other), 3);
	write_document("staging", other, 7, 0);
	assert_int_equal(observe(&seen), 0);
	assert_int_equal(seen.observation.applied.n, 7);
	assert_int_equal(seen.observation.releases[1].weight_bp, 10000);

	memset(&seen, 0, sizeof seen);
	router->ops->forget(router, "shop", "staging", done, &seen);
	await(&seen, 1);
	assert_int_equal(seen.code, 0);
	assert_int_equal(kit_request(other), KIT_REFUSED);
	assert_true(kit_request(kit.port) > 0);
}

static void a_refusal_answers_who_caused_it_and_nobody_else(void **state)
{
	(void)state;
	struct seen good, bad;
	memset(&good, 0, sizeof good);
	memset(&bad, 0, sizeof bad);
	write_document("prod", kit.port, 1, 1000);
	router->ops->apply(router, document, done, &good);
	write_document("staging", kit.port, 1, 0); /* the same address and host */
	router->ops->apply(router, document, done, &bad);
	await(&good, 1);
	await(&bad, 1);
	assert_int_equal(good.code, 0);
	assert_int_equal(bad.code, ERR_INVALID);
	write_document("prod", kit.port, 2, 9000);
	document->releases[1].weight_bp = 5000;
	assert_int_equal(apply(&bad), ERR_INVALID);
	assert_int_equal(observe(&good), 0);
	assert_int_equal(good.observation.applied.n, 1);
}

static void a_newer_request_takes_the_place_of_one_that_waits(void **state)
{
	(void)state;
	struct seen first, second;
	memset(&first, 0, sizeof first);
	memset(&second, 0, sizeof second);
	write_document("prod", kit.port, 1, 1000);
	router->ops->apply(router, document, done, &first);
	write_document("prod", kit.port, 2, 2000);
	router->ops->apply(router, document, done, &second);
	await(&first, 1);
	await(&second, 1);
	assert_int_equal(first.code, ERR_CONFLICT);
	assert_int_equal(second.code, 0);
	assert_int_equal(first.answers + second.answers, 2);
}

static void a_gateway_that_is_killed_is_found_again_and_misses_nothing(void **state)
{
	(void)state;
	struct seen seen;
	for (uint64_t n = 1; n <= 5; n++) {
		write_document("prod", kit.port, n, 1000);
		memset(&seen, 0, sizeof seen);
		router->ops->apply(router, document, done, &seen);
		kit_kill(&kit);
		kit_start(&kit, NULL);
		await(&seen, 1);
		assert_int_equal(seen.code, 0);
		assert_int_equal(observe(&seen), 0);
		assert_int_equal(seen.observation.applied.n, n);
		assert_true(kit_request(kit.port) >= (int64_t)n);
	}
}

static void a_gateway_that_lost_its_table_gets_it_again(void **state)
{
	(void)state;
	struct seen seen;
	write_document("prod", kit.port, 1, 1000);
	assert_int_equal(apply(&seen), 0);
	kit_attach(&kit);
	kit_await_status(&kit, 2, 1);
	pid_t pids[2] = {kit_worker_pid(&kit, 0), kit_worker_pid(&kit, 1)};
	kit_kill(&kit);
	kill(pids[0], SIGKILL);
	kill(pids[1], SIGKILL);
	kit_await_gone(pids[0]);
	kit_await_gone(pids[1]);
	unlinkat(kit.dir_fd, "table", 0);
	kit_start(&kit, NULL);
	uint64_t until = clock_now_ms() + KIT_DEADLINE_MS;
	while (observe(&seen) != 0 || !seen.observation.seen || kit_request(kit.port) < 0)
		assert_true(clock_now_ms() < until);
	assert_int_equal(seen.observation.applied.n, 1);
}

static void counters_are_read_by_release_and_keep_their_place(void **state)
{
	(void)state;
	struct seen seen;
	struct router_counters *before = calloc(2, sizeof *before), *after = before + 1;
	struct router_environment_counters environment;
	struct error err;
	write_document("prod", kit.port, 1, 1000);
	assert_int_equal(apply(&seen), 0);
	struct digest id = document->releases[0].id, unknown = {{99}};
	assert_int_equal(router->ops->counters(router, "shop", "prod", &id, before, &err), 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(kit_request(kit.port), 1);
	free_router(); /* a new controller finds the same place */
	new_router();
	assert_int_equal(router->ops->counters(router, "shop", "prod", &id, after, &err),
			 ERR_UNAVAILABLE); /* it has not even connected */
	write_document("prod", kit.port, 2, 2000);
	assert_int_equal(apply(&seen), 0);
	assert_int_equal(router->ops->counters(router, "shop", "prod", &id, after, &err), 0);
	assert_int_equal(after->started - before->started,
			 10); /* the scripted worker counts in place 0 */
	assert_int_equal(after->life, before->life);
	assert_int_equal(router->ops->counters(router, "shop", "prod", &unknown, after, &err),
			 ERR_NOT_FOUND);
	assert_int_equal(
		router->ops->environment_counters(router, "shop", "prod", &environment, &err), 0);
	free(before);
}

static void counters_are_read_by_class_and_by_instance(void **state)
{
	(void)state;
	struct seen seen;
	struct router_class_counters *classes = calloc(1, sizeof *classes);
	struct router_backend_counters *backends = calloc(1, sizeof *backends);
	struct digest unknown = {{99}};
	struct error err;
	write_document("prod", kit.port, 1, 1000);
	assert_int_equal(apply(&seen), 0);
	struct digest id = document->releases[0].id;
	for (int i = 0; i < 10; i++)
		assert_int_equal(kit_request(kit.port), 1);
	assert_int_equal(router->ops->class_counters(router, "shop", "prod", &id, classes, &err),
			 0);
	assert_int_equal(classes->count, 1); /* no class is named: all is in the first */
	assert_int_equal(classes->classes[0].started, 10);
	assert_string_equal(classes->classes[0].name, "");
	uint64_t life = classes->life;
	document->version.n = 2;
	document->class_count = 1;
	text_copy(document->classes[0].name, sizeof document->classes[0].name, "api");
	text_copy(document->classes[0].paths[0], sizeof document->classes[0].paths[0], "/api");
	document->classes[0].path_count = 1;
	assert_int_equal(apply(&seen), 0);
	assert_int_equal(router->ops->class_counters(router, "shop", "prod", &id, classes, &err),
			 0);
	assert_int_equal(classes->count, 2);
	assert_string_equal(classes->classes[1].name, "api");
	assert_int_equal(classes->classes[1].started, 0);
	assert_true(classes->life != life); /* other classes: earlier readings are no base */
	life = classes->life;
	document->version.n = 3;
	document->classes[0].paths[0][1] = 'x';
	assert_int_equal(apply(&seen), 0);
	assert_int_equal(router->ops->class_counters(router, "shop", "prod", &id, classes, &err),
			 0);
	assert_true(classes->life != life);
	assert_int_equal(router->ops->backend_counters(router, "shop", "prod", &id, backends, &err),
			 0);
	assert_int_equal(backends->count, 1);
	assert_string_equal(backends->backends[0].instance, document->backends[0].instance);
	assert_int_equal(
		router->ops->class_counters(router, "shop", "prod", &unknown, classes, &err),
		ERR_NOT_FOUND);
	assert_int_equal(
		router->ops->backend_counters(router, "shop", "prod", &unknown, backends, &err),
		ERR_NOT_FOUND);
	free(classes);
	free(backends);
}

static void a_place_outlives_the_controller_that_gave_it(void **state)
{
	(void)state;
	struct seen seen;
	struct router_counters *before = calloc(2, sizeof *before), *after = before + 1;
	struct error err;
	write_document("prod", kit.port, 1, 1000);
	assert_int_equal(apply(&seen), 0);
	write_document("prod", kit.port, 2, 1000);
	document->releases[0].id.bytes[0] = 3; /* the first place is free now */
	assert_int_equal(apply(&seen), 0);
	struct digest id = document->releases[0].id;
	assert_int_equal(router->ops->counters(router, "shop", "prod", &id, before, &err), 0);
	free_router();
	new_router();
	document->version.n = 3;
	assert_int_equal(apply(&seen), 0);
	assert_int_equal(router->ops->counters(router, "shop", "prod", &id, after, &err), 0);
	assert_int_equal(after->life, before->life);
	free(before);
}

static void without_a_gateway_nothing_is_known_and_everything_is_asked_again(void **state)
{
	(void)state;
	struct seen seen;
	kit_kill(&kit);
	write_document("prod", kit.port, 1, 1000);
	assert_int_equal(observe(&seen), ERR_UNAVAILABLE);
	assert_false(router->ops->settled(router));
	memset(&seen, 0, sizeof seen);
	router->ops->apply(router, document, done, &seen);
	kit_start(&kit, NULL);
	await(&seen, 1);
	assert_int_equal(seen.code, 0);
}

int main(int argc, char **argv)
{
	int role = kit_role(argc, argv);
	if (role >= 0)
		return role;
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(a_document_is_answered_when_it_is_in_force_and_observed_then),
		T(asking_for_what_stands_makes_no_table),
		T(older_documents_and_other_words_of_the_same_version_are_refused),
		T(the_fence_holds_over_a_new_life_of_the_controller),
		T(an_environment_not_spoken_of_yet_is_carried_along),
		T(a_refusal_answers_who_caused_it_and_nobody_else),
		T(a_newer_request_takes_the_place_of_one_that_waits),
		T(a_gateway_that_is_killed_is_found_again_and_misses_nothing),
		T(a_gateway_that_lost_its_table_gets_it_again),
		T(counters_are_read_by_release_and_keep_their_place),
		T(counters_are_read_by_class_and_by_instance),
		T(a_place_outlives_the_controller_that_gave_it),
		T(without_a_gateway_nothing_is_known_and_everything_is_asked_again),
	};
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
