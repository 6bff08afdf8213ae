/* SPDX-License-Identifier: Apache-2.0
 * Tests of gateway/closed.c: what clients of an environment get that is read-only, or under maintenance. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "base/text.h"
#include "rig.h"

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static struct rig *start(enum table_mode mode, bool read_only)
{
	struct rig *rig = rig_start_one();
	rig->table->environments[0].mode = mode;
	rig->table->environments[0].read_only = read_only;
	rig_apply(rig);
	return rig;
}

static void who_changes_nothing_passes_a_read_only_environment(void **state)
{
	static const char *const pass[] = {"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
					   "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"};
	(void)state;
	struct rig *rig = start(TABLE_MODE_SERVE, true);
	int client = rig_connect(rig), backend = -1;
	for (size_t i = 0; i < 2; i++) {
		rig_send(client, pass[i]);
		if (backend < 0)
			backend = rig_accept(rig, 1);
		rig_until(backend, "\r\n\r\n");
		rig_send(backend, OK);
		rig_until(client, "\r\n\r\nok");
	}
	assert_int_equal(rig_environment(rig, COUNTERS_ENVIRONMENT_MAINTENANCE), 0);
	close(client);
	close(backend);
	rig_stop(rig);
}

static void what_may_change_something_is_refused_for_a_time(void **state)
{
	static const char *const refused[] = {
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
		"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
		"DELETE / HTTP/1.1\r\nHost: a\r\n\r\n",
		"PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
	};
	(void)state;
	struct rig *rig = start(TABLE_MODE_SERVE, true);
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		int client = rig_connect(rig);
		rig_send(client, refused[i]);
		const char *head = rig_until(client, "\r\n\r\n");
		rig_assert_text(head, "HTTP/1.1 503 ");
		rig_assert_text(head, "X-Davit-Error: read-only\r\n");
		rig_assert_text(head, "Retry-After: 30\r\n");
		assert_false(rig_pending(rig, 1));
		close(client);
	}
	assert_int_equal(rig_environment(rig, COUNTERS_ENVIRONMENT_MAINTENANCE), 5);
	rig_stop(rig);
}

static void a_preview_may_change_what_is_read_only(void **state)
{
	(void)state;
	struct rig *rig = start(TABLE_MODE_SERVE, true);
	int client = rig_connect(rig);
	rig_send(client, "POST / HTTP/1.1\r\nHost: a\r\nX-Davit-Preview: see-v2\r\n"
			 "Content-Length: 3\r\n\r\nabc");
	int backend = rig_accept(rig, 0);
	rig_until(backend, "\r\n\r\nabc");
	rig_send(backend, OK);
	rig_until(client, "\r\n\r\nok");
	close(client);
	close(backend);
	rig_stop(rig);
}

static void nobody_who_may_not_pass_waits_for_a_parked_environment(void **state)
{
	(void)state;
	struct rig *rig = start(TABLE_MODE_PARK, true);
	int client = rig_connect(rig);
	rig_send(client, "DELETE / HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_assert_text(rig_until(client, "\r\n\r\n"), "X-Davit-Error: read-only\r\n");
	close(client);
	rig_stop(rig);
}

static void a_browser_gets_a_page_and_others_a_sentence(void **state)
{
	(void)state;
	struct rig *rig = start(TABLE_MODE_MAINTENANCE, false);
	int client = rig_connect(rig);
	rig_send(client, "GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html,*/*;q=0.8\r\n\r\n");
	const char *answer = rig_until(client, "</html>\n");
	rig_assert_text(answer, "HTTP/1.1 503 ");
	rig_assert_text(answer, "Content-Type: text/html; charset=utf-8\r\n");
	rig_assert_text(answer, "Cache-Control: no-store\r\n");
	rig_assert_text(answer, "<title>Back soon</title>");
	rig_send(client, "GET / HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n");
	answer = rig_until(client, "maintenance.\n");
	rig_assert_text(answer, "Content-Type: text/plain; charset=utf-8\r\n");
	rig_assert_text(answer, "\r\n\r\nThis site is under");
	close(client);
	rig_stop(rig);
}

static char own_page[64];

/* An environment in maintenance with a page of `size` times 'x' and "</html>". */
static struct rig *start_with_page(size_t size)
{
	struct rig *rig = rig_start_one();
	struct table_environment *e = &rig->table->environments[0];
	text_copy(own_page, sizeof own_page, "/tmp/davit-page.XXXXXX");
	int fd = mkstemp(own_page);
	assert_true(fd >= 0);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(write(fd, "x", 1), 1);
	if (size > 0)
		assert_int_equal(write(fd, "</html>", 7), 7);
	close(fd);
	e->mode = TABLE_MODE_MAINTENANCE;
	text_copy(e->maintenance_page, sizeof e->maintenance_page, own_page);
	rig_apply(rig);
	return rig;
}

static const char html[] = "GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n";

static void the_page_may_be_ones_own(void **state)
{
	(void)state;
	struct rig *rig = start_with_page(10);
	unlink(own_page); /* it was read with the table */
	int client = rig_connect(rig);
	rig_send(client, html);
	const char *answer = rig_until(client, "\r\n\r\nxxxxxxxxxx</html>");
	rig_assert_text(answer, "HTTP/1.1 503 ");
	rig_assert_text(answer, "Content-Type: text/html; charset=utf-8\r\n");
	rig_assert_text(answer, "Retry-After: 30\r\n");
	rig_assert_text(answer, "Content-Length: 17\r\n");
	rig_send(client, "HEAD / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n");
	rig_assert_text(rig_until(client, "\r\n\r\n"), "Content-Length: 17\r\n");
	rig_send(client, "GET / HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\n\r\n");
	answer = rig_until(client, "maintenance.\n");
	rig_assert_text(answer, "HTTP/1.1 503 "); /* HEAD had no body */
	assert_null(strstr(answer, "xxx"));
	rig->table->environments[0].mode = TABLE_MODE_SERVE;
	rig->table->environments[0].read_only = true;
	rig_apply(rig);
	rig_send(client, "DELETE / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n");
	rig_until(client, "<h1>Read-only for now</h1>");
	close(client);
	rig_stop(rig);
}

static void the_largest_page_goes_out_whole_and_a_larger_one_or_none_leaves_our_own(void **state)
{
	static const struct {
		size_t size;
		const char *end;
	} pages[] = {{TABLE_PAGE_MAX - 7, "xxx</html>"},
		     {TABLE_PAGE_MAX - 6, "minutes.</p>\n</html>\n"},
		     {0, "minutes.</p>\n</html>\n"}};
	(void)state;
	for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++) {
		struct rig *rig = start_with_page(pages[i].size);
		int client = rig_connect(rig);
		rig_send(client, html);
		rig_send(client, html); /* whose first byte follows the last one of the first */
		const char *answer = rig_until(client, pages[i].end);
		rig_assert_text(answer, i == 0 ? "Content-Length: 65536\r\n" : "Back soon");
		rig_assert_text(rig_until(client, pages[i].end), "HTTP/1.1 503 ");
		close(client);
		rig_stop(rig);
		unlink(own_page);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_changes_nothing_passes_a_read_only_environment),
		cmocka_unit_test(what_may_change_something_is_refused_for_a_time),
		cmocka_unit_test(a_preview_may_change_what_is_read_only),
		cmocka_unit_test(nobody_who_may_not_pass_waits_for_a_parked_environment),
		cmocka_unit_test(a_browser_gets_a_page_and_others_a_sentence),
		cmocka_unit_test(the_page_may_be_ones_own),
		cmocka_unit_test(
			the_largest_page_goes_out_whole_and_a_larger_one_or_none_leaves_our_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
