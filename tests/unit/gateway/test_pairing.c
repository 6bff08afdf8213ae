/* SPDX-License-Identifier: Apache-2.0
 * Tests of gateway/pairing.c and shadow.c: what of two answers is the same, and what the controller is told. The worker
 * and its backends are real, the controller is this test. */
#include <string.h>
#include <unistd.h>

#include "../cmocka_all.h"

#include "link/shadow_pair.h"
#include "os/channel.h"
#include "rig.h"

#define GET "GET /a?password=x HTTP/1.1\r\nHost: shop\r\n\r\n"

struct desk { /* where pairs arrive */
	struct rig *rig;
	int listen_fd, fd;
	int client, live, shadow, again;
	struct shadow_pair pair;
	uint8_t bytes[CHANNEL_MESSAGE_MAX];
};

static struct desk desk;

static struct table_mirror *mirror(void)
{
	return &desk.rig->table->environments[0].mirror;
}

static int begin(void **state)
{
	struct error err;
	memset(&desk, 0, sizeof(desk));
	*state = &desk;
	desk.rig = rig_start_one();
	desk.fd = desk.client = desk.live = desk.shadow = desk.again = -1;
	assert_int_equal(channel_listen(desk.rig->state_fd, SHADOW_SOCKET, &desk.listen_fd, &err),
			 0);
	mirror()->release = 0;
	mirror()->share_bp = 10000;
	mirror()->in_flight_max = 8;
	rig_apply(desk.rig);
	desk.client = rig_connect(desk.rig);
	return 0;
}

static void put_away(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int end(void **state)
{
	(void)state;
	put_away(&desk.client);
	put_away(&desk.live);
	put_away(&desk.shadow);
	put_away(&desk.again);
	rig_stop(desk.rig);
	put_away(&desk.fd);
	put_away(&desk.listen_fd);
	return 0;
}

static uint64_t count(enum counters_release_field field)
{
	return rig_release(desk.rig, 0, field);
}

/* The request is at the live backend and at the shadow. */
static void ask(const char *request)
{
	rig_send(desk.client, request);
	if (desk.live < 0)
		desk.live = rig_accept(desk.rig, 1);
	rig_until(desk.live, "\r\n\r\n");
	if (desk.shadow < 0)
		desk.shadow = rig_accept(desk.rig, 0);
	rig_assert_text(rig_until(desk.shadow, "\r\n\r\n"), "x-davit-shadow: 1");
}

static bool arrived(void)
{
	struct channel_peer peer;
	struct error err;
	if (desk.fd < 0 && channel_accept(desk.listen_fd, &desk.fd, &peer, &err) < 0)
		return false;
	int size = channel_receive(desk.fd, desk.bytes, NULL, NULL, &err);
	if (size < 0)
		return false;
	assert_int_equal(shadow_pair_read(desk.bytes, (size_t)size, &desk.pair, &err), 0);
	return true;
}

static void pair(const char *live, const char *shadow)
{
	ask(GET);
	rig_send(desk.live, live);
	rig_send(desk.shadow, shadow);
	RIG_WAIT_FOR(arrived());
}

static void the_same_answers_are_a_pair_that_does_not_differ(void **state)
{
	(void)state;
	pair("HTTP/1.1 200 OK\r\nDate: now\r\nContent-Length: 2\r\n\r\nok",
	     "HTTP/1.1 200 OK\r\nDate: then\r\nContent-Length: 2\r\n\r\nok");
	rig_until(desk.client, "ok");
	assert_int_equal(count(COUNTERS_RELEASE_SHADOW_PAIRS), 1);
	assert_int_equal(count(COUNTERS_RELEASE_SHADOW_DIFFER), 0);
	assert_string_equal(desk.pair.app, desk.rig->table->environments[0].app);
	assert_memory_equal(&desk.pair.release, &desk.rig->table->releases[0].id,
			    sizeof(desk.pair.release));
	assert_string_equal(desk.pair.path, "/a");
	assert_string_equal(desk.pair.method, "GET");
	assert_false(desk.pair.noise);
	assert_false(desk.pair.body_differs);
	assert_int_equal(desk.pair.field_count, 0);
	assert_int_equal(desk.pair.sides[0].body_size, 0);
	assert_int_equal(desk.pair.sides[1].body_bytes, 2);
}

static void how_a_body_is_framed_or_cut_makes_no_difference(void **state)
{
	(void)state;
	pair("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	     "1\r\nh\r\n9\r\nello worl\r\n2;x=y\r\nd!\r\n0\r\nT: 1\r\n\r\n",
	     "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhello world!");
	assert_false(desk.pair.body_differs);
	rig_until(desk.client, "0\r\nT: 1\r\n\r\n");
	ask(GET);
	rig_send(desk.live, "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nhel");
	rig_until(desk.client, "hel"); /* that much has passed */
	rig_send(desk.live, "lo world?");
	rig_send(desk.shadow, "HTTP/1.1 200 OK\r\n\r\nhello ");
	rig_send(desk.shadow, "world!");
	put_away(&desk.shadow);
	RIG_WAIT_FOR(arrived());
	assert_true(desk.pair.body_differs);
	assert_int_equal(desk.pair.sides[0].body_size, 12);
	assert_memory_equal(desk.pair.sides[0].body, "hello world?", 12);
	assert_memory_equal(desk.pair.sides[1].body, "hello world!", 12);
	assert_int_equal(count(COUNTERS_RELEASE_SHADOW_PAIRS), 2);
	assert_int_equal(count(COUNTERS_RELEASE_SHADOW_DIFFER), 1);
}

static void status_and_the_named_fields_are_compared_and_secrets_are_not_told(void **state)
{
	(void)state;
	struct table_mirror *m = mirror();
	strcpy(m->headers[m->header_count++], "set-cookie");
	rig_apply(desk.rig);
	pair("HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nSet-Cookie: id=1\r\nContent-Length: "
	     "0\r\n\r\n",
	     "HTTP/1.1 404 No\r\nContent-Type: a/c\r\nSet-Cookie: id=2\r\nContent-Length: "
	     "0\r\n\r\n");
	assert_int_equal(desk.pair.sides[0].status, 200);
	assert_int_equal(desk.pair.sides[1].status, 404);
	assert_int_equal(desk.pair.field_count, 2);
	assert_string_equal(desk.pair.fields[0].name, "content-type");
	assert_string_equal(desk.pair.fields[0].value[0], "a/b");
	assert_string_equal(desk.pair.fields[0].value[1], "a/c");
	assert_string_equal(desk.pair.fields[1].name, "set-cookie");
	assert_string_equal(desk.pair.fields[1].value[0], "");
	assert_string_equal(desk.pair.fields[1].value[1], "");
}

static void the_live_release_gets_a_second_copy_which_is_noise(void **state)
{
	(void)state;
	mirror()->noise_bp = 10000;
	rig_apply(desk.rig);
	ask(GET);
	desk.again = rig_accept(desk.rig, 1);
	rig_assert_text(rig_until(desk.again, "\r\n\r\n"), "x-davit-shadow: 1");
	rig_send(desk.again, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb");
	rig_send(desk.live, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na");
	RIG_WAIT_FOR(arrived());
	assert_true(desk.pair.noise);
	assert_true(desk.pair.body_differs);
	rig_send(desk.shadow, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na");
	RIG_WAIT_FOR(arrived());
	assert_false(desk.pair.noise);
	assert_false(desk.pair.body_differs);
	assert_int_equal(count(COUNTERS_RELEASE_NOISE_SENT), 1);
	assert_int_equal(count(COUNTERS_RELEASE_NOISE_PAIRS), 1);
	assert_int_equal(count(COUNTERS_RELEASE_NOISE_DIFFER), 1);
	assert_int_equal(count(COUNTERS_RELEASE_SHADOW_DIFFER), 0);
	/* Its connection is for copies: the next request of a user goes where the last one went. */
	rig_until(desk.client, "a");
	rig_send(desk.client, GET);
	rig_until(desk.live, "\r\n\r\n");
}

static void what_is_not_whole_is_counted_and_no_pair(void **state)
{
	(void)state;
	ask(GET); /* the shadow breaks off */
	rig_send(desk.shadow, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
	put_away(&desk.shadow);
	RIG_WAIT_FOR(count(COUNTERS_RELEASE_SHADOW_FAILED) == 1);
	rig_send(desk.live, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	rig_until(desk.client, "ok");
	ask(GET); /* it speaks no HTTP */
	rig_send(desk.shadow, "\x16\x03\x01garbage\r\n\r\n");
	put_away(&desk.shadow);
	RIG_WAIT_FOR(count(COUNTERS_RELEASE_SHADOW_FAILED) == 2);
	rig_send(desk.live, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	rig_until(desk.client, "ok");
	ask(GET); /* the live release breaks off */
	rig_send(desk.shadow, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	rig_send(desk.live, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
	rig_until(desk.client, "half");
	put_away(&desk.live);
	RIG_WAIT_FOR(count(COUNTERS_RELEASE_SHADOW_UNPAIRED) == 1);
	assert_int_equal(count(COUNTERS_RELEASE_SHADOW_SENT), 3);
	assert_int_equal(count(COUNTERS_RELEASE_SHADOW_PAIRS), 0);
}

static void without_a_controller_pairs_are_counted_all_the_same(void **state)
{
	(void)state;
	pair("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	put_away(&desk.fd);
	put_away(&desk.listen_fd);
	ask(GET);
	rig_send(desk.live, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno");
	rig_send(desk.shadow, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	RIG_WAIT_FOR(count(COUNTERS_RELEASE_SHADOW_UNTOLD) == 1);
	assert_int_equal(count(COUNTERS_RELEASE_SHADOW_PAIRS), 2);
	assert_int_equal(count(COUNTERS_RELEASE_SHADOW_DIFFER), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_same_answers_are_a_pair_that_does_not_differ),
		TEST(how_a_body_is_framed_or_cut_makes_no_difference),
		TEST(status_and_the_named_fields_are_compared_and_secrets_are_not_told),
		TEST(the_live_release_gets_a_second_copy_which_is_noise),
		TEST(what_is_not_whole_is_counted_and_no_pair),
		TEST(without_a_controller_pairs_are_counted_all_the_same),
	};
	return cmocka_run_group_tests_name("pairing", tests, NULL, NULL);
}
