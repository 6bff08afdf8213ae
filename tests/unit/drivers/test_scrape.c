/* SPDX-License-Identifier: Apache-2.0
 * Tests of drivers/metrics/scrape against a real server, which answers by path; one process a connection. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "drivers/metrics/scrape.h"
#include "os/clock.h"

enum { WAIT_MS = 20000, TURN_MS = 10 };

static struct loop *loop;
static struct metrics *metrics;
static pid_t server;
static char address[32];
static struct error err;
static int turns; /* of the loop */

static void put(int fd, const char *text)
{
	for (size_t at = 0, size = strlen(text); at < size;) {
		ssize_t count = send(fd, text + at, size - at, MSG_NOSIGNAL);
		if (count <= 0)
			_exit(0);
		at += (size_t)count;
	}
}

static void put_huge(int fd)
{
	char line[128];
	put(fd, "HTTP/1.1 200 OK\r\n\r\n");
	for (int i = 0;; i++) {
		snprintf(line, sizeof line, "orders_total{a_long_name=\"and_a_long_value_%d\"} 1\n",
			 i);
		put(fd, line);
	}
}

/* Until the other side has closed. */
static void wait_closed(int fd)
{
	char byte;
	while (recv(fd, &byte, 1, 0) > 0)
		;
}

static void answer(int fd)
{
	char request[4096] = "";
	ssize_t size = recv(fd, request, sizeof request - 1, 0);
	request[size > 0 ? size : 0] = '\0';
	if (strncmp(request, "GET /metrics HTTP/1.1\r\n", 23) == 0 &&
	    strstr(request, "Accept: text/plain;version=0.0.4") &&
	    strstr(request, "Connection: close"))
		put(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			"16\r\norders_total{a=\"1\"} 2\n\r\n"
			"a\r\norders_tot\r\n"
			"d\r\nal{a=\"2\"} 3\nb\r\n"
			"8\r\n 0.5 17\n\r\n0\r\n\r\n");
	else if (strstr(request, "GET /silent "))
		wait_closed(fd);
	else if (strstr(request, "GET /stalls ")) {
		put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nb 1\n");
		wait_closed(fd);
	} else if (strstr(request, "GET /cut "))
		put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nb 1\n");
	else if (strstr(request, "GET /cut-line "))
		put(fd, "HTTP/1.1 200 OK\r\n\r\na 1\nb 12");
	else if (strstr(request, "GET /huge "))
		put_huge(fd);
	else if (strstr(request, "GET /html "))
		put(fd, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na 1\n<html>");
	else if (strstr(request, "GET /moved "))
		put(fd,
		    "HTTP/1.1 302 Found\r\nLocation: /metrics\r\nContent-Length: 4\r\n\r\nb 1\n");
	else if (strstr(request, "GET /garbage "))
		put(fd, "this is no HTTP at all\r\n\r\n");
	else
		put(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nb 1\n");
}

static int listen_anywhere(uint16_t *ret_port)
{
	struct sockaddr_in where = {.sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof where;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&where, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&where, &size), 0);
	*ret_port = ntohs(where.sin_port);
	return fd;
}

static void serve(int listener)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			answer(fd);
			_exit(0);
		}
		close(fd);
	}
}

static int set_up(void **state)
{
	uint16_t port;
	(void)state;
	int listener = listen_anywhere(&port);
	assert_int_equal(listen(listener, 64), 0);
	snprintf(address, sizeof address, "127.0.0.1:%u", port);
	server = fork();
	if (server == 0)
		serve(listener);
	close(listener);
	assert_int_equal(loop_new(&loop, &err), 0);
	metrics = scrape_new(loop);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scrape_free(metrics);
	loop_free(loop);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return 0;
}

struct seen {
	int calls;
	struct metrics_answer answer;
	char sentence[2000];
};

static void on_done(void *context, const struct metrics_answer *got)
{
	struct seen *seen = context;
	seen->calls++;
	seen->answer = *got;
	snprintf(seen->sentence, sizeof seen->sentence, "%s", got->sentence);
}

static int ask(const char *where, const char *path, struct seen *seen, uint64_t *ret_scrape)
{
	static const char *const selectors[] = {"orders_total", "orders_total{a=\"2\"}", "b",
						"nothing"};
	struct metrics_request request = {
		.address = where, .path = path, .selectors = selectors, .selector_count = 4};
	return metrics->ops->scrape(metrics, &request, on_done, seen, ret_scrape, &err);
}

static void on_turn(void *context)
{
	(void)context;
	loop_stop(loop);
}

/* Turn the loop for TURN_MS. */
static void turn(void)
{
	struct env *env = loop_env(loop);
	struct env_timer timer = {.fire = on_turn};
	env->ops->timer_start(env, &timer, TURN_MS);
	loop_run(loop);
	env->ops->timer_stop(env, &timer);
	turns++;
}

static void wait_for(struct seen *seen)
{
	for (uint64_t end = clock_now_ms() + WAIT_MS; seen->calls == 0;) {
		if (clock_now_ms() > end)
			fail_msg("no answer");
		turn();
	}
	assert_int_equal(seen->calls, 1);
}

static void expect_fault(const char *where, const char *path, int code, const char *word)
{
	struct seen seen = {0};
	uint64_t number;
	assert_int_equal(ask(where, path, &seen, &number), 0);
	wait_for(&seen);
	if (seen.answer.code != code || !strstr(seen.sentence, word) || seen.answer.count != 0)
		fail_msg("%s: %d, %s", path, seen.answer.code, seen.sentence);
}

static void a_page_is_summed_for_each_selector(void **state)
{
	(void)state;
	struct seen seen = {0};
	uint64_t number, before = clock_now_ms();
	assert_int_equal(ask(address, "/metrics", &seen, &number), 0);
	assert_int_equal(seen.calls, 0); /* never from within */
	wait_for(&seen);
	if (seen.answer.code != 0)
		fail_msg("%s", seen.sentence);
	assert_int_equal(seen.answer.count, 4);
	assert_true(seen.answer.values[0].sum == 5 && seen.answer.values[0].samples == 2);
	assert_true(seen.answer.values[1].sum == 3 && seen.answer.values[1].samples == 1);
	assert_true(seen.answer.values[2].sum == 0.5);
	assert_int_equal(seen.answer.values[3].samples, 0);
	assert_true(seen.answer.read_ms >= before && seen.answer.read_ms <= clock_now_ms());
}

static void bad_pages_are_told_apart(void **state)
{
	(void)state;
	expect_fault(address, "/html", ERR_CORRUPT, "line 2: there is no metric's name");
	expect_fault(address, "/cut-line", ERR_CORRUPT, "within a line");
	expect_fault(address, "/huge", ERR_LIMIT, "more than 1048576 bytes");
	expect_fault(address, "/nowhere", ERR_DENIED, "404");
	expect_fault(address, "/moved", ERR_DENIED, "302");
	expect_fault(address, "/cut", ERR_UNAVAILABLE, "cannot be had");
	expect_fault(address, "/garbage", ERR_UNAVAILABLE, "cannot be had");
}

static void nobody_there_is_unavailable(void **state)
{
	(void)state;
	uint16_t port;
	char dead[32];
	int fd = listen_anywhere(&port); /* bound, and does not listen */
	snprintf(dead, sizeof dead, "127.0.0.1:%u", port);
	expect_fault(dead, "/metrics", ERR_UNAVAILABLE, "cannot be had");
	close(fd);
}

static void slow_ones_end_by_time_and_hold_nobody_up(void **state)
{
	(void)state;
	struct seen silent = {0}, stalls = {0}, quick = {0};
	uint64_t number, began = clock_now_ms();
	assert_int_equal(ask(address, "/silent", &silent, &number), 0);
	assert_int_equal(ask(address, "/stalls", &stalls, &number), 0);
	assert_int_equal(ask(address, "/metrics", &quick, &number), 0);
	wait_for(&quick);
	assert_int_equal(quick.answer.code, 0);
	assert_int_equal(silent.calls + stalls.calls, 0);
	int before = turns;
	wait_for(&silent);
	wait_for(&stalls);
	assert_int_equal(silent.answer.code, ERR_TIMEOUT);
	assert_int_equal(stalls.answer.code, ERR_TIMEOUT);
	assert_true(clock_now_ms() - began >= METRICS_TIMEOUT_MS - TURN_MS);
	assert_true(turns - before > 5);
}

static void a_target_is_not_asked_twice_at_a_time(void **state)
{
	(void)state;
	struct seen first = {0}, second = {0}, other = {0};
	uint64_t number;
	assert_int_equal(ask(address, "/metrics", &first, &number), 0);
	assert_int_equal(ask(address, "/metrics", &second, &number), ERR_CONFLICT);
	assert_int_equal(ask(address, "/html", &other, &number), 0);
	wait_for(&first);
	wait_for(&other);
	assert_int_equal(second.calls, 0);
	assert_int_equal(ask(address, "/metrics", &second, &number), 0);
	wait_for(&second);
}

static void what_was_cancelled_does_not_call(void **state)
{
	(void)state;
	struct seen cancelled = {0}, other = {0}, left = {0};
	uint64_t number;
	assert_int_equal(ask(address, "/metrics", &cancelled, &number), 0);
	metrics->ops->cancel(metrics, number);
	metrics->ops->cancel(metrics, number);
	assert_int_equal(ask(address, "/metrics", &other, &number), 0);
	wait_for(&other);
	assert_int_equal(cancelled.calls, 0);
	assert_int_equal(ask(address, "/silent", &left, &number), 0);
	turn(); /* and it is freed on its way */
}

static void requests_out_of_bounds_are_refused(void **state)
{
	(void)state;
	static const char *selectors[METRICS_SELECTORS_MAX + 1];
	struct seen seen = {0};
	uint64_t number;
	struct metrics_request request = {.address = address,
					  .path = "/metrics",
					  .selectors = selectors,
					  .selector_count = 2};
	for (size_t i = 0; i <= METRICS_SELECTORS_MAX; i++)
		selectors[i] = "a";
	selectors[1] = "a{b}";
	assert_int_equal(metrics->ops->scrape(metrics, &request, on_done, &seen, &number, &err),
			 ERR_INVALID);
	assert_non_null(strstr(err.text, "\"a{b}\""));
	selectors[1] = "a";
	request.selector_count = METRICS_SELECTORS_MAX + 1;
	assert_int_equal(metrics->ops->scrape(metrics, &request, on_done, &seen, &number, &err),
			 ERR_LIMIT);
	request.selector_count = METRICS_SELECTORS_MAX;
	request.path = "metrics";
	assert_int_equal(metrics->ops->scrape(metrics, &request, on_done, &seen, &number, &err),
			 ERR_INVALID);
	request.path = "/metrics";
	assert_int_equal(metrics->ops->scrape(metrics, &request, on_done, &seen, &number, &err), 0);
	wait_for(&seen);
	assert_int_equal(seen.answer.count, METRICS_SELECTORS_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_page_is_summed_for_each_selector),
		TEST(bad_pages_are_told_apart),
		TEST(nobody_there_is_unavailable),
		TEST(slow_ones_end_by_time_and_hold_nobody_up),
		TEST(a_target_is_not_asked_twice_at_a_time),
		TEST(what_was_cancelled_does_not_call),
		TEST(requests_out_of_bounds_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
