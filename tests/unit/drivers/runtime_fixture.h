/* SPDX-License-Identifier: Apache-2.0
 * A state directory with one artifact, a runtime on it, and what the tests ask of it. */
#ifndef TESTS_UNIT_DRIVERS_RUNTIME_FIXTURE_H
#define TESTS_UNIT_DRIVERS_RUNTIME_FIXTURE_H

#include <arpa/inet.h>
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../cmocka_all.h"
#include "../os/scratch.h"
#include "base/failpoint.h"
#include "base/text.h"
#include "drivers/runtime/process.h"
#include "os/clock.h"
#include "os/lock.h"
#include "os/loop.h"
#include "os/process.h"
#include "os/sweep.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct scratch dir;
static struct error err;
static struct loop *loop;
static struct runtime *runtime;
static uint64_t document; /* the version's n */

static inline struct instance_version at(uint64_t n)
{
	return (struct instance_version){.epoch = 1, .n = n};
}

static inline void open_runtime(void)
{
	assert_int_equal(loop_new(&loop, &err), 0);
	if (runtime_process_new(loop, dir.fd, KEEPER_PROGRAM, &runtime, &err) < 0)
		fail_msg("%s", err.text);
}

static inline void close_runtime(void)
{
	runtime->ops->free(runtime);
	loop_free(loop);
}

/* The artifact: the application, and a file. */
static inline void make_artifact(void)
{
	struct buf app;
	assert_int_equal(file_make_directories(dir.fd, "artifacts/" HEX64, 0755, &err), 0);
	buf_init(&app, 16 << 20);
	assert_int_equal(file_read(AT_FDCWD, APP_PROGRAM, &app, &err), 0);
	assert_int_equal(
		file_write(dir.fd, "artifacts/" HEX64 "/app", app.data, app.size, 0555, &err), 0);
	assert_int_equal(
		file_write(dir.fd, "artifacts/" HEX64 "/text", "artifact\n", 9, 0444, &err), 0);
	buf_done(&app);
}

static inline int set_up(void **state)
{
	(void)state;
	unsetenv("DAVIT_CGROUPS");
	unsetenv("DAVIT_FAILPOINT");
	/* As the launcher does: what keepers leave behind is ours to see. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	scratch_make(&dir);
	make_artifact();
	document = 1;
	open_runtime();
	return 0;
}

static inline const struct instance_status *look(const char *id)
{
	const struct instance_status *list;
	size_t count = runtime->ops->observe(runtime, &list);
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].id, id) == 0)
			return &list[i];
	return NULL;
}

static inline void turn_over(void *context)
{
	(void)context;
	loop_stop(loop);
}

/* Turn the loop for a few milliseconds. */
static inline void turn(void)
{
	struct env *env = loop_env(loop);
	struct env_timer timer = {.fire = turn_over};
	env->ops->timer_start(env, &timer, 3);
	loop_run(loop);
	env->ops->timer_stop(env, &timer);
}

static inline void show_logs(void);

#define UNTIL(condition)                                                  \
	do {                                                              \
		uint64_t until_ = clock_now_ms() + SCRATCH_WAIT_MS;       \
		bool true_;                                               \
		while (!(true_ = (condition)) && clock_now_ms() < until_) \
			turn();                                           \
		if (!true_) {                                             \
			show_logs();                                      \
			fail_msg("never came true: %s", #condition);      \
		}                                                         \
	} while (0)

static inline void show_logs(void)
{
	const struct instance_status *list;
	size_t count = runtime->ops->observe(runtime, &list);
	for (size_t i = 0; i < count; i++) {
		char command[256];
		fprintf(stderr, "%s: %s, %s\n", list[i].id, instance_state_name(list[i].state),
			list[i].sentence);
		snprintf(command, sizeof command, "%s/instances/%s/log", dir.path, list[i].id);
		struct buf text;
		struct error e;
		buf_init(&text, 1 << 20);
		if (file_read(AT_FDCWD, command, &text, &e) == 0)
			fputs(buf_text(&text), stderr);
		buf_done(&text);
	}
}

static inline bool is(const char *id, enum instance_state state)
{
	const struct instance_status *s = look(id);
	return s && s->state == state;
}

/* A spec that answers HTTP, quick in everything. */
static inline struct instance_spec spec_of(const char *id, const char *mode)
{
	struct instance_spec spec = {
		.id = id,
		.app = "shop",
		.environment = "prod",
		.release = HEX64,
		.tag = "v1",
		.process = "web",
		.slot = 1,
		.traffic = true,
		.artifact = HEX64,
		.argv = {"./app", mode, NULL},
		.health = {.kind = INSTANCE_HEALTH_HTTP,
			   .path = "/up",
			   .interval_ms = 20,
			   .timeout_ms = 1000,
			   .passes = 2,
			   .fails = 2,
			   .min_healthy_ms = 40,
			   .deadline_ms = 15000},
		.stop_signal = SIGTERM,
		.stop_timeout_ms = 300,
		.restart = {.first_ms = 20, .most_ms = 200, .limit = 4, .window_ms = 60000},
	};
	return spec;
}

static inline void start_spec(const struct instance_spec *spec)
{
	if (runtime->ops->start(runtime, spec, at(document), &err) < 0)
		fail_msg("%s", err.text);
}

static inline void start_ready(const char *id)
{
	struct instance_spec spec = spec_of(id, "serve");
	start_spec(&spec);
	UNTIL(is(id, INSTANCE_READY));
}

static inline uint16_t port_of(const char *id)
{
	const char *colon = strchr(look(id)->address, ':');
	return colon ? (uint16_t)strtol(colon + 1, NULL, 10) : 0;
}

/* The pid that answers on a port; 0 when the request failed in any way. */
static inline int ask_port(uint16_t port, const char *path)
{
	char text[512];
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int length = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
	size_t size = 0;
	ssize_t count;
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
	    send(fd, text, (size_t)length, MSG_NOSIGNAL) != length) {
		close(fd);
		return 0;
	}
	while (size + 1 < sizeof text &&
	       (count = read(fd, text + size, sizeof text - 1 - size)) > 0)
		size += (size_t)count;
	close(fd);
	text[size] = '\0';
	const char *body = strstr(text, "\r\n\r\n");
	return body ? (int)strtol(body + 4, NULL, 10) : 0;
}

static inline pid_t keeper_of(const char *id)
{
	char name[160];
	struct buf text;
	uint64_t pid = 0;
	snprintf(name, sizeof name, "instances/%s/lock", id);
	buf_init(&text, 64);
	if (file_read(dir.fd, name, &text, &err) < 0)
		return 0; /* its first keeper is just starting */
	if (text.size > 0)
		text.data[text.size - 1] = '\0';
	if (!text_parse_u64(buf_text(&text), INT32_MAX, &pid))
		pid = 0; /* being written */
	buf_done(&text);
	return (pid_t)pid;
}

/* Processes whose command line or working directory is in our state directory. */
static inline size_t count_processes(void)
{
	DIR *all = opendir("/proc");
	size_t count = 0;
	for (struct dirent *entry; (entry = readdir(all));) {
		char link[64], path[512];
		uint64_t pid;
		struct process_about about;
		if (!text_parse_u64(entry->d_name, INT32_MAX, &pid))
			continue;
		snprintf(link, sizeof link, "/proc/%s/cwd", entry->d_name);
		ssize_t size = readlink(link, path, sizeof path - 1);
		path[size > 0 ? size : 0] = '\0';
		count += strncmp(path, dir.path, strlen(dir.path)) == 0 &&
			 process_look((pid_t)pid, &about) && !about.zombie;
	}
	closedir(all);
	return count;
}

static inline void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static inline bool all_over(void)
{
	const struct instance_status *list;
	size_t count = runtime->ops->observe(runtime, &list);
	for (size_t i = 0; i < count; i++)
		if (!instance_state_over(list[i].state))
			return false;
	return runtime->ops->settled(runtime);
}

/* It has left, and had nothing to complain of. */
static inline void assert_keeper_content(const char *id)
{
	char name[160];
	struct buf text;
	snprintf(name, sizeof name, "instances/%s", id);
	int fd = openat(dir.fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	UNTIL((reap(), !lock_held(fd, "lock")));
	buf_init(&text, 1 << 20);
	assert_int_equal(file_read(fd, "keeper.log", &text, &err), 0);
	assert_string_equal(buf_text(&text), "");
	buf_done(&text);
	close(fd);
}

/* Stop everything, and see that nothing at all is left. */
static inline int tear_down(void **state)
{
	(void)state;
	const struct instance_status *list;
	static char ids[16][INSTANCE_ID_SIZE];
	unsetenv("DAVIT_FAILPOINT");
	UNTIL(runtime->ops->settled(runtime));
	size_t count = runtime->ops->observe(runtime, &list);
	assert_true(count <= 16);
	for (size_t i = 0; i < count; i++)
		text_copy(ids[i], sizeof ids[i], list[i].id);
	for (size_t i = 0; i < count; i++)
		if (runtime->ops->stop(runtime, ids[i], at(1000000), true, &err) < 0)
			fail_msg("%s", err.text);
	UNTIL(all_over());
	UNTIL((reap(), count_processes() == 0));
	for (size_t i = 0; i < count; i++) {
		assert_keeper_content(ids[i]);
		assert_int_equal(runtime->ops->forget(runtime, ids[i], &err), 0);
	}
	close_runtime();
	reap();
	scratch_remove(&dir);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
