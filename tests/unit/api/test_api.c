/* SPDX-License-Identifier: Apache-2.0
 * The API on a real socket, in front of a real control on a made-up world. */
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "../control/world.h"
#include "api/api.h"
#include "api/http.h"
#include "base/buf.h"
#include "os/loop.h"

enum { PATIENCE_MS = 20000, PUMP_MS = 2, ANSWER_MAX = 32 << 20, VIRTUAL_MS = 100 };

static char directory[64];
static struct loop *loop;
static struct api *api;
static struct error err;

/* --- a client in the same loop */

struct call {
	int fd;
	struct loop_watch *watch;
	struct buf answer;
	bool over;
	int status;
	char *body;
	json_t *json;
};

static uint64_t deadline_ms;
static struct env_timer pump;
static bool world_moves;

/* The world's time is made here: as the loop turns, so it passes. */
static void on_pump(void *context)
{
	(void)context;
	if (env_now_ms(loop_env(loop)) > deadline_ms)
		fail_msg("the API does not answer");
	if (world_moves)
		world_run(VIRTUAL_MS);
	loop_env(loop)->ops->timer_start(loop_env(loop), &pump, PUMP_MS);
}

static void on_readable(void *context, int events)
{
	struct call *call = context;
	char bytes[65536];
	(void)events;
	ssize_t n = read(call->fd, bytes, sizeof bytes);
	if (n > 0) {
		buf_append(&call->answer, bytes, (size_t)n);
		return;
	}
	call->over = true;
	loop_stop(loop);
}

static int connect_to_api(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s/api.sock", directory);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static void send_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0) { /* let the other side read; it may also have closed */
			struct env *env = loop_env(loop);
			struct env_timer brief = {.fire = (void (*)(void *))loop_stop,
						  .context = loop};
			env->ops->timer_start(env, &brief, 1);
			loop_run(loop);
			continue;
		}
		bytes += n;
		size -= (size_t)n;
	}
}

/* Chunks to text, in place. */
static void unchunk(char *body)
{
	char *from = body, *to = body;
	for (;;) {
		char *end;
		size_t size = strtoul(from, &end, 16);
		if (size == 0 || end[0] != '\r')
			break;
		memmove(to, end + 2, size);
		to += size;
		from = end + 2 + size + 2;
	}
	*to = '\0';
}

static void call_end(struct call *call)
{
	loop_watch_stop(call->watch);
	close(call->fd);
	buf_done(&call->answer);
	json_decref(call->json);
	*call = (struct call){.fd = -1};
}

/* Send what is given as it is, and read until the server closes. */
static void call_raw(struct call *call, const char *bytes, size_t size)
{
	*call = (struct call){.fd = connect_to_api()};
	buf_init(&call->answer, ANSWER_MAX);
	deadline_ms = env_now_ms(loop_env(loop)) + PATIENCE_MS;
	assert_int_equal(
		loop_watch_start(loop, call->fd, LOOP_READ, on_readable, call, &call->watch, &err),
		0);
	send_all(call->fd, bytes, size);
	while (!call->over)
		loop_run(loop);
	if (sscanf(buf_text(&call->answer), "HTTP/1.1 %d", &call->status) != 1)
		return;
	char *body = strstr(call->answer.data, "\r\n\r\n");
	assert_non_null(body);
	*body = '\0';
	call->body = body + 4;
	if (strcasestr(call->answer.data, "transfer-encoding: chunked"))
		unchunk(call->body);
	call->json = json_loads(call->body, 0, NULL);
}

static void call_with(struct call *call, const char *method, const char *path, const char *fields,
		      const char *body, size_t size)
{
	struct buf text;
	buf_init(&text, ANSWER_MAX);
	buf_printf(&text,
		   "%s %s HTTP/1.1\r\nHost: davit\r\nConnection: close\r\n%s"
		   "Content-Length: %zu\r\n\r\n",
		   method, path, fields, size);
	if (size > 0)
		buf_append(&text, body, size);
	call_raw(call, text.data, text.size);
	buf_done(&text);
}

static void post(struct call *call, const char *path, const char *fields, const char *body)
{
	call_with(call, "POST", path, fields, body, strlen(body));
}

static int status_of(const char *method, const char *path, const char *body)
{
	struct call call;
	call_with(&call, method, path, "", body, strlen(body));
	int status = call.status;
	if (status >= 400) { /* every error is the same object */
		assert_string_equal(json_string_value(json_object_get(call.json, "schema")),
				    "davit.v1/error");
		const char *message = json_string_value(json_object_get(call.json, "message"));
		assert_true(message && strlen(message) > 10);
		assert_non_null(json_object_get(call.json, "error"));
	}
	call_end(&call);
	return status;
}

static void get(struct call *call, const char *path)
{
	call_with(call, "GET", path, "", "", 0);
	assert_int_equal(call->status, 200);
}

static const char *text_at(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	return text ? text : "";
}

static int64_t number_at(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* --- the fixture */

static int setup(void **state)
{
	char path[128];
	(void)state;
	snprintf(directory, sizeof directory, "/tmp/davit-api-XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof path, "%s/spool", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	world_open();
	world.random ^= 1;
	assert_int_equal(loop_new(&loop, &err), 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%s/api.sock", directory);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(fd, 16), 0);
	struct api_parts parts = {.loop = loop,
				  .control = world.control,
				  .store = world.store,
				  .artifacts = &world.artifacts,
				  .state_directory = directory,
				  .version = "1.2.3",
				  .listen_fd = fd};
	if (api_new(&parts, &api, &err) < 0)
		fail_msg("%s", err.text);
	pump = (struct env_timer){.fire = on_pump};
	world_moves = true;
	deadline_ms = env_now_ms(loop_env(loop)) + PATIENCE_MS;
	on_pump(NULL);
	return 0;
}

static void remove_tree(const char *path)
{
	pid_t child = fork();
	if (child == 0) {
		execl("/bin/rm", "rm", "-rf", "--", path, (char *)NULL);
		_exit(1);
	}
	int status;
	waitpid(child, &status, 0);
}

static int teardown(void **state)
{
	(void)state;
	if (api)
		api_free(api);
	api = NULL;
	loop_env(loop)->ops->timer_stop(loop_env(loop), &pump);
	world_close();
	loop_free(loop);
	remove_tree(directory);
	return 0;
}

/* A release by the API's own way: configuration, then the archive. The fake store takes its name as content. */
static void upload(struct call *call, const char *tag, const char *rest, const char *fields)
{
	char head[512], path[256];
	struct buf body;
	buf_init(&body, ANSWER_MAX);
	buf_puts(&body, world_yaml);
	buf_puts(&body, rest);
	snprintf(head, sizeof head, "Davit-Config-Size: %zu\r\n%s", strlen(world_yaml), fields);
	snprintf(path, sizeof path, "/v1/releases?environment=prod&tag=%s&name=%s", tag, tag);
	world_behaviour(tag);
	call_with(call, "POST", path, head, body.data, body.size);
	buf_done(&body);
}

static void have(const char *tag)
{
	struct call call;
	upload(&call, tag, "bytes", "");
	assert_int_equal(call.status, 201);
	call_end(&call);
}

static int64_t deploy(const char *tag)
{
	char body[128];
	struct call call;
	snprintf(body, sizeof body, "{\"release\":\"%s\"}", tag);
	post(&call, "/v1/environments/prod/deploy", "", body);
	assert_int_equal(call.status, 202);
	int64_t rollout = number_at(call.json, "rollout");
	call_end(&call);
	return rollout;
}

static void go_live(const char *tag)
{
	char path[64];
	struct call call;
	have(tag);
	snprintf(path, sizeof path, "/v1/rollouts/%lld/events?follow=1", (long long)deploy(tag));
	get(&call, path);
	call_end(&call);
}

/* --- tests */

static void the_server_tells_of_itself(void **state)
{
	(void)state;
	struct call call;
	get(&call, "/v1/server?check=1");
	assert_string_equal(text_at(call.json, "schema"), "davit.v1/server");
	assert_string_equal(text_at(call.json, "version"), "1.2.3");
	assert_int_equal(number_at(call.json, "pid"), getpid());
	assert_string_equal(text_at(call.json, "health"), "ok");
	call_end(&call);
}

static void a_store_that_cannot_write_is_told(void **state)
{
	(void)state;
	struct call call;
	go_live("v1");
	have("v2");
	deploy("v2");
	world_break_store(true);
	world_run(5000);
	get(&call, "/v1/server");
	assert_string_equal(text_at(call.json, "health"), "degraded");
	assert_true(strlen(text_at(call.json, "message")) > 10);
	call_end(&call);
	world_break_store(false);
}

static void what_is_not_there_is_404_and_what_is_wrong_400(void **state)
{
	(void)state;
	static const struct {
		const char *method, *path, *body;
		int status;
	} cases[] = {
		{"GET", "/", "", 404},
		{"GET", "/v1", "", 404},
		{"GET", "/v2/server", "", 404},
		{"GET", "/v1/server/x", "", 404},
		{"GET", "/v1/servers", "", 404},
		{"GET", "/v1/rollouts/1/events/2/3/4/5/6/7/8/9", "", 404},
		{"POST", "/v1/server", "", 400},
		{"DELETE", "/v1/rollouts/1", "", 400},
		{"GET", "/v1/rollouts/1", "", 404},
		{"GET", "/v1/rollouts/prod", "", 404},
		{"GET", "/v1/rollouts/99999999999999", "", 404},
		{"GET", "/v1/rollouts/1/postmortem", "", 404},
		{"GET", "/v1/rollouts/1/postmortem?format=pdf", "", 400},
		{"GET", "/v1/dora?window=1h", "", 400},
		{"GET", "/v1/dora?window=367d", "", 400},
		{"GET", "/v1/dora?environment=prod", "", 404},
		{"GET", "/v1/rollouts?limit=0", "", 400},
		{"GET", "/v1/rollouts?limit=many", "", 400},
		{"GET", "/v1/audit?limit=100000", "", 400},
		{"GET", "/v1/audit?before=x", "", 400},
		{"GET", "/v1/environments/prod/plan?release=v1", "", 404},
		{"GET", "/v1/environments/prod/config", "", 404},
		{"GET", "/v1/environments/prod/logs?lines=0", "", 404},
		{"GET", "/v1/status?environment=prod", "", 404},
		{"GET", "/v1/releases?environment=prod", "", 404},
		{"POST", "/v1/releases?environment=prod", "x", 400},
		{"POST", "/v1/releases/v1/bad", "{\"environment\":\"prod\"}", 404},
		{"POST", "/v1/environments/prod/deploy", "{\"release\":\"v1\"}", 404},
		{"POST", "/v1/environments/prod/deploy", "{", 400},
		{"POST", "/v1/environments/prod/deploy", "[]", 400},
		{"POST", "/v1/environments/prod/deploy", "\"v1\"", 400},
		{"POST", "/v1/environments/prod/deploy", "{\"release\":1}", 400},
		{"POST", "/v1/environments/prod/deploy", "{\"release\":\"a\",\"release\":\"b\"}",
		 400},
		{"POST", "/v1/environments/prod/deploy", "{\"release\":\"v1\",\"stratgey\":\"x\"}",
		 400},
		{"POST", "/v1/environments/prod/deploy",
		 "{\"release\":\"v1\",\"allow_bad\":\"yes\"}", 400},
		{"POST", "/v1/environments/prod/deploy",
		 "{\"release\":\"v1\",\"reason\":\"a\\nb\"}", 400},
		{"POST", "/v1/environments/prod/deploy",
		 "{\"release\":\"v1\",\"reason\":\"\\u001b[2J\"}", 400},
		{"POST", "/v1/environments/prod/deploy",
		 "{\"release\":\"v1\",\"reason\":\"a\\u0000b\"}", 400},
		{"POST", "/v1/environments/prod/maintenance", "{}", 400},
		{"POST", "/v1/environments/prod/maintenance", "{\"on\":1}", 400},
		{"POST", "/v1/environments/prod/maintenance", "{\"on\":true}", 404},
		{"POST", "/v1/environments/prod/preview", "{\"for_ms\":\"1h\"}", 400},
		{"POST", "/v1/environments/prod/preview", "{\"for_ms\":-1}", 400},
		{"POST", "/v1/environments/prod/preview", "{\"for\":1}", 400},
		{"POST", "/v1/environments/prod/preview", "{}", 404},
		{"POST", "/v1/environments/prod/kpi", "{}", 400},
		{"POST", "/v1/environments/prod/kpi", "{\"count\":-1}", 400},
		{"POST", "/v1/environments/prod/kpi", "{\"count\":1000001}", 400},
		{"POST", "/v1/environments/prod/kpi", "{\"count\":1,\"of\":\"2\"}", 400},
		{"POST", "/v1/environments/prod/kpi", "{\"count\":1,\"sum\":1e300}", 400},
		{"POST", "/v1/environments/prod/kpi", "{\"count\":1,\"so\":1}", 400},
		{"POST", "/v1/environments/prod/kpi",
		 "{\"release\":\"v1\",\"name\":\"a\",\"count\":1,\"of\":2}", 404},
		{"POST", "/v1/environments/prod/rollback", "", 404},
		{"POST", "/v1/environments/prod/restart", "", 404},
		{"POST", "/v1/environments/prod/exec", "{\"command\":\"sh\"}", 404},
		{"POST", "/v1/rollouts/prod/promote", "", 404},
		{"POST", "/v1/rollouts/7/promote", "", 409},
		{"POST", "/v1/rollouts/7/promote", "{\"expect\":3}", 400},
		{"POST", "/v1/rollouts/7/promote", "{\"expect\":{\"state\":\"running\"}}", 400},
		{"POST", "/v1/rollouts/7/promote",
		 "{\"expect\":{\"state\":\"running\",\"step\":-1,\"attempt\":1}}", 400},
		{"POST", "/v1/rollouts/7/explode", "", 404},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		int status = status_of(cases[i].method, cases[i].path, cases[i].body);
		if (status != cases[i].status)
			fail_msg("%s %s %s: %d, not %d", cases[i].method, cases[i].path,
				 cases[i].body, status, cases[i].status);
	}
	struct call call;
	get(&call, "/v1/audit");
	assert_int_equal(json_array_size(json_object_get(call.json, "entries")), 0);
	call_end(&call);
}

static void bodies_and_addresses_have_limits(void **state)
{
	(void)state;
	struct call call;
	size_t size = (1 << 20) + 1;
	char *body = mem_new(size + 1), path[2048];
	memset(body, ' ', size);
	call_with(&call, "POST", "/v1/environments/prod/deploy", "", body, size - 1);
	assert_int_equal(call.status, 400); /* read whole, and no object */
	call_end(&call);
	call_with(&call, "POST", "/v1/environments/prod/deploy", "", body, size);
	assert_int_equal(call.status, 413);
	assert_string_equal(text_at(call.json, "error"), "limit");
	call_end(&call);
	/* Reports of scans may be larger, and are no trees of values all the same. */
	free(body);
	body = mem_new(HTTP_LARGE_MAX + 2);
	memset(body, ' ', HTTP_LARGE_MAX + 1);
	call_with(&call, "POST", "/v1/external-builds", "", body, HTTP_LARGE_MAX);
	assert_int_equal(call.status, 400);
	assert_string_equal(text_at(call.json, "error"), "invalid");
	call_end(&call);
	call_with(&call, "POST", "/v1/external-builds", "", body, HTTP_LARGE_MAX + 1);
	assert_int_equal(call.status, 413);
	call_end(&call);
	memset(body, '[', HTTP_LARGE_MAX);
	call_with(&call, "POST", "/v1/external-builds", "", body, HTTP_LARGE_MAX);
	assert_int_equal(call.status, 413);
	assert_non_null(strstr(text_at(call.json, "message"), "more values"));
	call_end(&call);
	memset(body, ' ', size);
	snprintf(path, sizeof path, "/v1/rollouts/%.*s", 1500, body);
	for (char *p = path; *p; p++)
		*p = *p == ' ' ? 'a' : *p;
	assert_int_equal(status_of("GET", path, ""), 414);
	free(body);
	size_t used = (size_t)snprintf(path, sizeof path, "/v1/server?a=1");
	for (int i = 0; i < 20; i++)
		used += (size_t)snprintf(path + used, sizeof path - used, "&b=2");
	assert_int_equal(status_of("GET", path, ""), 414);
}

static void what_is_no_http_ends_the_connection(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"hello\r\n\r\n", "GET\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "\x16\x03\x01\x02"};
	for (size_t i = 0; i < 3; i++) {
		struct call call;
		call_raw(&call, texts[i], strlen(texts[i]));
		assert_true(call.status == 0 || call.status >= 400);
		call_end(&call);
	}
}

static void a_release_comes_in_two_parts(void **state)
{
	(void)state;
	struct call call;
	upload(&call, "v1", "the archive's bytes", "");
	assert_int_equal(call.status, 201);
	assert_string_equal(text_at(call.json, "tag"), "v1");
	assert_false(json_is_true(json_object_get(call.json, "existed")));
	call_end(&call);
	assert_int_equal(world.imported_size, strlen("the archive's bytes"));
	assert_memory_equal(world.imported, "the archive's bytes", world.imported_size);
	upload(&call, "v1", "the archive's bytes", "");
	assert_int_equal(call.status, 200);
	assert_true(json_is_true(json_object_get(call.json, "existed")));
	call_end(&call);
	/* More than fits into memory's share of a body. */
	size_t size = 3 << 20;
	char *large = mem_new(size + 1);
	memset(large, 'x', size);
	large[size] = '\0';
	upload(&call, "v2", large, "");
	assert_int_equal(call.status, 201);
	call_end(&call);
	assert_int_equal(world.imported_size, size);
	free(large);
	get(&call, "/v1/releases?environment=prod");
	assert_int_equal(json_array_size(json_object_get(call.json, "releases")), 2);
	call_end(&call);
}

static void a_release_that_is_wrong_is_refused_with_its_place(void **state)
{
	(void)state;
	static const char yaml[] = "app: shop\nservce: {}\n";
	struct call call;
	char head[64];
	snprintf(head, sizeof head, "Davit-Config-Size: %zu\r\n", strlen(yaml));
	call_with(&call, "POST", "/v1/releases?environment=prod&tag=v1&name=v1", head, yaml,
		  strlen(yaml));
	assert_true(call.status == 400 || call.status == 422);
	assert_non_null(strstr(call.body, "davit.yaml:"));
	call_end(&call);
	upload(&call, "-x", "b", "");
	assert_int_equal(call.status, 400);
	call_end(&call);
	call_with(&call, "POST", "/v1/releases?environment=prod&tag=v1",
		  "Davit-Config-Size: 99\r\n", "short", 5);
	assert_int_equal(call.status, 400);
	call_end(&call);
}

static void what_a_rollout_was_judged_by_is_sent_whole(void **state)
{
	(void)state;
	enum { LINES = 5000 }; /* several pieces */
	char path[64], line[128];
	struct ticks_log *log;
	struct call call;
	struct buf all;
	go_live("v1");
	have("v2");
	int64_t rollout = deploy("v2");
	assert_int_equal(status_of("GET", "/v1/rollouts/prod/ticks", ""), 404);
	assert_int_equal(world.ticks.ops->begin(&world.ticks, (uint32_t)rollout, false, &log, &err),
			 0);
	buf_init(&all, ANSWER_MAX);
	for (int i = 0; i < LINES; i++) {
		snprintf(
			line, sizeof line, "{\"ms\":%d,\"live\":\"%.*s\"}", i, i % 70,
			"------------------------------------------------------------------------");
		assert_int_equal(world.ticks.ops->add(log, line, strlen(line), &err), 0);
		buf_printf(&all, "%s\n", line);
	}
	snprintf(path, sizeof path, "/v1/rollouts/%lld/ticks", (long long)rollout);
	get(&call, path);
	assert_true(all.size > 3 * 65536);
	assert_string_equal(call.body, buf_text(&all));
	call_end(&call);
	buf_done(&all);
	get(&call, "/v1/rollouts/prod/ticks"); /* that is the same one */
	call_end(&call);
	assert_int_equal(status_of("GET", "/v1/rollouts/999/ticks", ""), 404);
}

static void a_rollout_is_followed_to_its_end(void **state)
{
	(void)state;
	struct call call;
	go_live("v1");
	have("v2");
	char path[64];
	int64_t rollout = deploy("v2");
	snprintf(path, sizeof path, "/v1/rollouts/%lld/events?follow=1", (long long)rollout);
	get(&call, path);
	uint32_t transitions = 0, progress = 0, ends = 0;
	int64_t seq = 0;
	char *rest = call.body, *line;
	while ((line = strsep(&rest, "\n")) && *line) {
		json_t *event = json_loads(line, 0, NULL);
		assert_non_null(event);
		assert_int_equal(ends, 0);
		const char *kind = text_at(event, "kind");
		if (strcmp(kind, "transition") == 0) {
			assert_int_equal(number_at(event, "seq"), ++seq);
			transitions++;
		} else if (strcmp(kind, "progress") == 0) {
			progress++;
		} else {
			const json_t *r = json_object_get(event, "rollout");
			assert_string_equal(kind, "end");
			assert_string_equal(text_at(r, "state"), "succeeded");
			assert_int_equal(number_at(r, "exit_code"), 0);
			ends++;
		}
		json_decref(event);
	}
	assert_int_equal(transitions, 3); /* queued, running, succeeded */
	assert_true(progress >= 1);
	assert_int_equal(ends, 1);
	call_end(&call);
	snprintf(path, sizeof path, "/v1/rollouts/%lld/events?since=%lld", (long long)rollout,
		 (long long)seq - 1);
	get(&call, path);
	uint32_t lines = 0;
	for (const char *p = call.body; (p = strchr(p, '\n')); p++)
		lines++;
	assert_int_equal(lines, 2); /* the last transition, and the end */
	call_end(&call);
	get(&call, "/v1/rollouts/prod");
	assert_int_equal(number_at(call.json, "number"), rollout);
	assert_string_equal(text_at(call.json, "serving"), "v2");
	call_end(&call);
	get(&call, "/v1/rollouts?limit=1");
	assert_int_equal(json_array_size(json_object_get(call.json, "rollouts")), 1);
	call_end(&call);
	get(&call, "/v1/status?environment=shop%2Fprod");
	assert_non_null(strstr(call.body, "\"tag\":\"v2\""));
	call_end(&call);
	get(&call, "/v1/environments/shop%2Fprod/config");
	assert_string_equal(text_at(json_object_get(call.json, "config"), "environment"), "prod");
	call_end(&call);
	get(&call, "/v1/audit/verify");
	assert_true(json_is_true(json_object_get(call.json, "whole")));
	call_end(&call);
}

static void a_follower_that_leaves_is_forgotten(void **state)
{
	(void)state;
	go_live("v1");
	have("v2");
	int64_t rollout = deploy("v2");
	for (int i = 0; i < 80; i++) { /* more than may be connected at a time */
		char text[160];
		int fd = connect_to_api();
		snprintf(text, sizeof text,
			 "GET /v1/rollouts/%lld/events?follow=1 HTTP/1.1\r\nHost: x\r\n\r\n",
			 (long long)rollout);
		send_all(fd, text, strlen(text));
		struct env_timer brief = {.fire = (void (*)(void *))loop_stop, .context = loop};
		loop_env(loop)->ops->timer_start(loop_env(loop), &brief, 5);
		loop_run(loop);
		close(fd);
	}
	assert_int_equal(status_of("GET", "/v1/server", ""), 200);
}

/* Somebody has to be heard who wants to abort. */
static void followers_leave_room_for_commands(void **state)
{
	int followers[HTTP_STREAMS_MAX];
	struct call call;
	char text[160], path[64];
	(void)state;
	go_live("v1");
	have("v2");
	int64_t rollout = deploy("v2");
	assert_int_equal(status_of("POST", "/v1/rollouts/prod/pause", ""), 200);
	snprintf(path, sizeof path, "/v1/rollouts/%lld/events?follow=1", (long long)rollout);
	snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
	for (size_t i = 0; i < HTTP_STREAMS_MAX; i++) {
		struct env_timer brief = {.fire = (void (*)(void *))loop_stop, .context = loop};
		followers[i] = connect_to_api();
		send_all(followers[i], text, strlen(text));
		/* The queue of the socket is short: let the API take it. */
		loop_env(loop)->ops->timer_start(loop_env(loop), &brief, 1);
		loop_run(loop);
	}
	call_with(&call, "GET", path, "", "", 0);
	assert_int_equal(call.status, 503);
	assert_string_equal(text_at(call.json, "error"), "unavailable");
	call_end(&call);
	snprintf(path, sizeof path, "/v1/rollouts/%lld/abort", (long long)rollout);
	assert_int_equal(status_of("POST", path, ""), 200);
	for (size_t i = 0; i < HTTP_STREAMS_MAX; i++)
		close(followers[i]);
}

static void a_command_answers_with_the_rollout(void **state)
{
	(void)state;
	struct call call;
	go_live("v1");
	have("v2");
	deploy("v2");
	post(&call, "/v1/rollouts/prod/pause", "", "{\"reason\":\"lunch\"}");
	assert_int_equal(call.status, 200);
	assert_string_equal(text_at(call.json, "state"), "paused");
	call_end(&call);
	post(&call, "/v1/rollouts/prod/resume", "",
	     "{\"expect\":{\"state\":\"running\",\"step\":0,\"attempt\":0}}");
	assert_int_equal(call.status, 409);
	call_end(&call);
	post(&call, "/v1/rollouts/prod/abort", "", "");
	assert_int_equal(call.status, 200);
	assert_string_equal(text_at(call.json, "state"), "reverting");
	call_end(&call);
	get(&call, "/v1/audit?limit=50");
	assert_non_null(strstr(call.body, "\"action\":\"pause\""));
	assert_non_null(strstr(call.body, "lunch"));
	struct passwd *me = getpwuid(geteuid());
	char who[128];
	snprintf(who, sizeof who, "\"who\":\"%s\"", me->pw_name);
	assert_non_null(strstr(call.body, who)); /* the kernel said so, not the client */
	call_end(&call);
}

static void a_post_mortem_comes_as_facts_or_as_a_document(void **state)
{
	(void)state;
	struct call call;
	go_live("v1");
	get(&call, "/v1/rollouts/prod/postmortem");
	assert_int_equal(call.status, 200);
	assert_string_equal(text_at(call.json, "schema"), "davit.v1/postmortem");
	assert_string_equal(text_at(json_object_get(call.json, "bad"), "tag"), "v1");
	assert_true(json_array_size(json_object_get(call.json, "timeline")) > 0);
	call_end(&call);
	get(&call, "/v1/rollouts/prod/postmortem?format=html");
	assert_int_equal(call.status, 200);
	assert_true(text_starts(text_at(call.json, "text"), "<!DOCTYPE html>"));
	call_end(&call);
	get(&call, "/v1/rollouts/prod/postmortem?format=markdown");
	assert_true(text_starts(text_at(call.json, "text"), "---\nid: \"postmortem-"));
	call_end(&call);
	have("v2");
	deploy("v2");
	assert_int_equal(status_of("GET", "/v1/rollouts/prod/postmortem", ""), 409);
}

static void dora_tells_numbers_and_the_rows_behind_them(void **state)
{
	(void)state;
	struct call call;
	go_live("v1");
	get(&call, "/v1/dora?environment=prod&rows=1");
	assert_int_equal(call.status, 200);
	const json_t *e = json_array_get(json_object_get(call.json, "environments"), 0);
	const json_t *frequency = json_object_get(e, "deployment_frequency"),
		     *row = json_array_get(json_object_get(e, "rows"), 0);
	assert_int_equal(number_at(frequency, "deployments"), 1);
	assert_true(json_is_null(json_object_get(frequency, "per_day"))); /* too few */
	assert_true(json_is_true(json_object_get(row, "counted")));
	assert_true(json_is_true(json_object_get(row, "exposed")));
	call_end(&call);
	get(&call, "/v1/dora");
	assert_null(json_object_get(json_array_get(json_object_get(call.json, "environments"), 0),
				    "rows"));
	call_end(&call);
}

static void the_same_request_id_has_one_effect(void **state)
{
	(void)state;
	static const char body[] = "{\"release\":\"v2\"}";
	static const char id[] = "Davit-Request-Id: 4711\r\n";
	struct call call;
	char field[128];
	go_live("v1");
	have("v2");
	post(&call, "/v1/environments/prod/deploy", id, body);
	assert_int_equal(call.status, 202);
	int64_t first = number_at(call.json, "rollout");
	call_end(&call);
	post(&call, "/v1/environments/prod/deploy", id, body);
	assert_int_equal(call.status, 202);
	assert_int_equal(number_at(call.json, "rollout"), first);
	call_end(&call);
	post(&call, "/v1/environments/prod/deploy", id, "{\"release\":\"v1\"}");
	assert_int_equal(call.status, 409);
	call_end(&call);
	snprintf(field, sizeof field, "Davit-Request-Id: %065d\r\n", 1);
	post(&call, "/v1/environments/prod/deploy", field, body);
	assert_int_equal(call.status, 400);
	call_end(&call);
}

static void other_steers_answer_as_documented(void **state)
{
	(void)state;
	struct call call;
	go_live("v1");
	have("v2");
	get(&call, "/v1/environments/prod/plan?release=v2&strategy=swap");
	assert_string_equal(text_at(call.json, "schema"), "davit.v1/plan");
	assert_string_equal(text_at(call.json, "strategy"), "swap");
	assert_true(json_array_size(json_object_get(call.json, "steps")) > 4);
	assert_true(json_is_null(json_object_get(call.json, "forecast")));
	assert_true(json_is_null(json_object_get(call.json, "proposal")));
	call_end(&call);
	get(&call, "/v1/environments/prod/plan?release=v2&for=1.5%25");
	const json_t *proposal = json_object_get(call.json, "proposal");
	assert_int_equal(number_at(proposal, "errors_ppm"), 15000);
	assert_true(text_at(proposal, "sentence")[0] != '\0');
	call_end(&call);
	assert_int_equal(status_of("GET", "/v1/environments/prod/plan?release=v2&for=0%25", ""),
			 400);
	assert_int_equal(status_of("GET", "/v1/environments/prod/plan?release=v2&for=much", ""),
			 400);
	assert_int_equal(status_of("POST", "/v1/environments/prod/maintenance", "{\"on\":true}"),
			 200);
	get(&call, "/v1/status");
	assert_non_null(strstr(call.body, "\"state\":\"maintenance\""));
	call_end(&call);
	assert_int_equal(status_of("POST", "/v1/environments/prod/maintenance",
				   "{\"on\":true,\"read_only\":true}"),
			 200);
	get(&call, "/v1/status");
	assert_non_null(strstr(call.body, "\"read_only\":true"));
	call_end(&call);
	assert_int_equal(status_of("POST", "/v1/environments/prod/maintenance", "{\"on\":false}"),
			 200);
	assert_int_equal(status_of("POST", "/v1/environments/prod/preview", "{\"for_ms\":999}"),
			 400);
	assert_int_equal(status_of("POST", "/v1/environments/prod/preview", ""), 409);
	post(&call, "/v1/environments/prod/kpi", "",
	     "{\"release\":\"v1\",\"name\":\"a\",\"count\":1,\"of\":2}");
	assert_int_equal(call.status, 200);
	assert_true(json_is_false(json_object_get(call.json, "counted"))); /* nothing is judged */
	call_end(&call);
	post(&call, "/v1/environments/prod/exec", "", "{\"command\":\"sh -c 'a\\nb'\"}");
	assert_int_equal(call.status, 200);
	assert_true(strncmp(text_at(call.json, "directory"), "/artifacts/", 11) == 0);
	call_end(&call);
	get(&call, "/v1/audit?limit=1");
	assert_non_null(strstr(call.body, "a\\\\x0ab")); /* escaped, then JSON */
	call_end(&call);
	assert_int_equal(status_of("POST", "/v1/releases/v2/bad",
				   "{\"environment\":\"prod\",\"reason\":\"it leaks\"}"),
			 200);
	assert_int_equal(status_of("POST", "/v1/environments/prod/deploy", "{\"release\":\"v2\"}"),
			 403);
	assert_int_equal(status_of("POST", "/v1/releases/v2/clear", "{\"environment\":\"prod\"}"),
			 200);
	assert_int_equal(status_of("POST", "/v1/environments/prod/restart", ""), 202);
	assert_int_equal(status_of("POST", "/v1/environments/prod/rollback", ""), 404);
}

static void logs_are_the_last_lines_of_each_instance(void **state)
{
	(void)state;
	struct call call;
	char path[256];
	go_live("v1");
	snprintf(path, sizeof path, "%s/instances", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	const char *id = world.instances[0].status.id;
	snprintf(path, sizeof path, "%s/instances/%s", directory, id);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/instances/%s/log", directory, id);
	FILE *log = fopen(path, "w");
	for (int i = 1; i <= 50; i++)
		fprintf(log, "2026-01-01T00:00:00Z line %d\n", i);
	fclose(log);
	get(&call, "/v1/environments/prod/logs?lines=2");
	char expected[512];
	snprintf(expected, sizeof expected,
		 "%s 2026-01-01T00:00:00Z line 49\n%s 2026-01-01T00:00:00Z line 50\n", id, id);
	assert_string_equal(call.body, expected);
	call_end(&call);
	get(&call, "/v1/environments/prod/logs?process=none");
	assert_string_equal(call.body, "");
	call_end(&call);
}

/* A line that never ends must not keep a follower where it is. */
static void a_log_without_lines_is_read_on(void **state)
{
	(void)state;
	char path[256];
	struct call call;
	go_live("v1");
	snprintf(path, sizeof path, "%s/instances", directory);
	assert_int_equal(mkdir(path, 0700), 0);
	const char *id = world.instances[0].status.id;
	snprintf(path, sizeof path, "%s/instances/%s", directory, id);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/instances/%s/log", directory, id);
	FILE *log = fopen(path, "w");
	for (int i = 0; i < 300 * 1024; i++)
		fputc('x', log);
	fprintf(log, "\nlast\n");
	fclose(log);
	get(&call, "/v1/environments/prod/logs?lines=1");
	assert_non_null(strstr(call.body, " last\n"));
	call_end(&call);
}

/* Somebody else, who may open the socket's directory all the same. */
static void strangers_are_refused(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip(); /* nobody else to be */
	char path[128], answer[4096] = "";
	int pipe_fds[2];
	assert_int_equal(pipe(pipe_fds), 0);
	snprintf(path, sizeof path, "%s/api.sock", directory);
	assert_int_equal(chmod(directory, 0755) | chmod(path, 0777), 0);
	pid_t child = fork();
	if (child == 0) {
		static const char text[] =
			"GET /v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
		if (setgid(65534) != 0 || setuid(65534) != 0)
			_exit(2);
		int fd = connect_to_api();
		ssize_t n = write(fd, text, sizeof text - 1);
		while ((n = read(fd, answer, sizeof answer)) > 0)
			(void)!write(pipe_fds[1], answer, (size_t)n);
		_exit(0);
	}
	close(pipe_fds[1]);
	deadline_ms = env_now_ms(loop_env(loop)) + PATIENCE_MS;
	int status;
	while (waitpid(child, &status, WNOHANG) == 0) {
		struct env_timer brief = {.fire = (void (*)(void *))loop_stop, .context = loop};
		loop_env(loop)->ops->timer_start(loop_env(loop), &brief, 5);
		loop_run(loop);
	}
	assert_int_equal(status, 0);
	assert_true(read(pipe_fds[0], answer, sizeof answer - 1) > 0);
	close(pipe_fds[0]);
	assert_non_null(strstr(answer, "HTTP/1.1 403"));
	assert_non_null(strstr(answer, "Only the user that runs davit"));
}

/* The controller may end while an archive is being unpacked, and while somebody follows. */
static void it_may_end_in_the_middle(void **state)
{
	(void)state;
	char text[512];
	go_live("v1");
	have("v2");
	int64_t rollout = deploy("v2");
	int follower = connect_to_api(), uploader = connect_to_api();
	snprintf(text, sizeof text,
		 "GET /v1/rollouts/%lld/events?follow=1 HTTP/1.1\r\nHost: x\r\n\r\n",
		 (long long)rollout);
	send_all(follower, text, strlen(text));
	world.import_ms = 300;
	snprintf(text, sizeof text,
		 "POST /v1/releases?environment=prod&name=v3 HTTP/1.1\r\nHost: x\r\n"
		 "Davit-Config-Size: 2\r\nContent-Length: 4\r\n\r\n{}ab");
	send_all(uploader, text, strlen(text));
	struct env_timer brief = {.fire = (void (*)(void *))loop_stop, .context = loop};
	loop_env(loop)->ops->timer_start(loop_env(loop), &brief, 100);
	loop_run(loop);
	api_free(api);
	api = NULL;
	close(follower);
	close(uploader);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_server_tells_of_itself),
		TEST(a_store_that_cannot_write_is_told),
		TEST(what_is_not_there_is_404_and_what_is_wrong_400),
		TEST(bodies_and_addresses_have_limits),
		TEST(what_is_no_http_ends_the_connection),
		TEST(a_release_comes_in_two_parts),
		TEST(a_release_that_is_wrong_is_refused_with_its_place),
		TEST(what_a_rollout_was_judged_by_is_sent_whole),
		TEST(a_rollout_is_followed_to_its_end),
		TEST(a_follower_that_leaves_is_forgotten),
		TEST(followers_leave_room_for_commands),
		TEST(a_command_answers_with_the_rollout),
		TEST(a_post_mortem_comes_as_facts_or_as_a_document),
		TEST(dora_tells_numbers_and_the_rows_behind_them),
		TEST(the_same_request_id_has_one_effect),
		TEST(other_steers_answer_as_documented),
		TEST(logs_are_the_last_lines_of_each_instance),
		TEST(a_log_without_lines_is_read_on),
		TEST(strangers_are_refused),
		TEST(it_may_end_in_the_middle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
