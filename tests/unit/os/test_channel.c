/* SPDX-License-Identifier: Apache-2.0
 * Tests of os/channel.h, over real sockets in a directory of their own. */
#include "../cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/channel.h"

static char directory[] = "/tmp/davit-channel-XXXXXX";
static int dir_fd;
static uint8_t message[CHANNEL_MESSAGE_MAX + 1], received[CHANNEL_MESSAGE_MAX];

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	dir_fd = open(directory, O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < sizeof message; i++)
		message[i] = (uint8_t)(i * 31);
	return dir_fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlinkat(dir_fd, "test.sock", 0);
	close(dir_fd);
	return rmdir(directory);
}

static void connected(int *ret_listen, int *ret_server, int *ret_client)
{
	struct error err;
	struct channel_peer peer;
	assert_int_equal(channel_listen(dir_fd, "test.sock", ret_listen, &err), 0);
	assert_int_equal(channel_connect(dir_fd, "test.sock", ret_client, &peer, &err), 0);
	assert_int_equal(peer.pid, getpid());
	assert_int_equal(channel_accept(*ret_listen, ret_server, &peer, &err), 0);
	assert_int_equal(peer.pid, getpid());
	assert_int_equal(peer.uid, getuid());
}

static void messages_arrive_whole_and_in_order(void **state)
{
	(void)state;
	struct error err;
	int listener, server, client;
	connected(&listener, &server, &client);
	assert_int_equal(channel_send(client, message, 1, NULL, 0, &err), 0);
	assert_int_equal(channel_send(client, message, CHANNEL_MESSAGE_MAX, NULL, 0, &err), 0);
	assert_int_equal(channel_receive(server, received, NULL, NULL, &err), 1);
	assert_int_equal(channel_receive(server, received, NULL, NULL, &err), CHANNEL_MESSAGE_MAX);
	assert_memory_equal(received, message, CHANNEL_MESSAGE_MAX);
	assert_int_equal(channel_receive(server, received, NULL, NULL, &err), ERR_RETRY);
	close(client);
	assert_int_equal(channel_receive(server, received, NULL, NULL, &err), ERR_CLOSED);
	assert_int_equal(channel_send(server, message, 1, NULL, 0, &err), ERR_CLOSED);
	close(server);
	close(listener);
}

static void descriptors_travel_with_a_message(void **state)
{
	(void)state;
	struct error err;
	int listener, server, client, fds[CHANNEL_FDS_MAX], pipe_fds[2];
	size_t count = 0;
	connected(&listener, &server, &client);
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	for (int i = 0; i < CHANNEL_FDS_MAX; i++)
		fds[i] = pipe_fds[1];
	assert_int_equal(channel_send(client, message, 4, fds, CHANNEL_FDS_MAX, &err), 0);
	assert_int_equal(channel_receive(server, received, fds, &count, &err), 4);
	assert_int_equal(count, CHANNEL_FDS_MAX);
	close(pipe_fds[1]);
	assert_int_equal(write(fds[7], "x", 1), 1);
	assert_int_equal(read(pipe_fds[0], received, 8), 1);
	assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	channel_close_fds(fds, count);
	assert_int_equal(read(pipe_fds[0], received, 8), 0); /* every copy is closed */
	close(pipe_fds[0]);
	close(client);
	close(server);
	close(listener);
}

static void descriptors_that_nobody_expects_are_closed(void **state)
{
	(void)state;
	struct error err;
	int pair[2], pipe_fds[2];
	assert_int_equal(channel_pair(pair, &err), 0);
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	assert_int_equal(channel_send(pair[0], message, 4, &pipe_fds[1], 1, &err), 0);
	close(pipe_fds[1]);
	assert_int_equal(channel_receive(pair[1], received, NULL, NULL, &err), 4);
	assert_int_equal(read(pipe_fds[0], received, 8), 0);
	close(pipe_fds[0]);
	close(pair[0]);
	close(pair[1]);
}

static void what_is_beyond_the_bounds_is_refused_before_it_is_sent(void **state)
{
	(void)state;
	struct error err;
	int pair[2], fds[CHANNEL_FDS_MAX + 1] = {0};
	assert_int_equal(channel_pair(pair, &err), 0);
	assert_int_equal(channel_send(pair[0], message, CHANNEL_MESSAGE_MAX + 1, NULL, 0, &err),
			 ERR_LIMIT);
	assert_int_equal(channel_send(pair[0], message, 0, NULL, 0, &err), ERR_LIMIT);
	assert_int_equal(channel_send(pair[0], message, 1, fds, CHANNEL_FDS_MAX + 1, &err),
			 ERR_LIMIT);
	assert_int_equal(channel_receive(pair[1], received, NULL, NULL, &err), ERR_RETRY);
	close(pair[0]);
	close(pair[1]);
}

static void a_full_channel_says_retry_and_loses_nothing(void **state)
{
	(void)state;
	struct error err;
	int pair[2], sent = 0, got = 0, rc;
	assert_int_equal(channel_pair(pair, &err), 0);
	while ((rc = channel_send(pair[0], message, 1000, NULL, 0, &err)) == 0 && sent < 100000)
		sent++;
	assert_int_equal(rc, ERR_RETRY);
	while (channel_receive(pair[1], received, NULL, NULL, &err) == 1000)
		got++;
	assert_int_equal(got, sent);
	close(pair[0]);
	close(pair[1]);
}

static void a_dead_listener_is_told_from_a_missing_one_and_can_be_replaced(void **state)
{
	(void)state;
	struct error err;
	struct channel_peer peer;
	int listener, client, server;
	assert_int_equal(channel_connect(dir_fd, "missing.sock", &client, &peer, &err),
			 ERR_NOT_FOUND);
	assert_int_equal(channel_listen(dir_fd, "test.sock", &listener, &err), 0);
	struct stat status;
	assert_int_equal(fstatat(dir_fd, "test.sock", &status, 0), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
	close(listener);
	assert_int_equal(channel_connect(dir_fd, "test.sock", &client, &peer, &err),
			 ERR_UNAVAILABLE);
	connected(&listener, &server, &client);
	assert_int_equal(channel_accept(listener, &server, &peer, &err), ERR_RETRY);
	close(client);
	close(server);
	close(listener);
}

static void a_name_that_leaves_the_directory_is_refused(void **state)
{
	(void)state;
	struct error err;
	int fd;
	assert_int_equal(channel_listen(dir_fd, "../x", &fd, &err), ERR_INVALID);
	assert_int_equal(channel_listen(dir_fd, "", &fd, &err), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_arrive_whole_and_in_order),
		cmocka_unit_test(descriptors_travel_with_a_message),
		cmocka_unit_test(descriptors_that_nobody_expects_are_closed),
		cmocka_unit_test(what_is_beyond_the_bounds_is_refused_before_it_is_sent),
		cmocka_unit_test(a_full_channel_says_retry_and_loses_nothing),
		cmocka_unit_test(a_dead_listener_is_told_from_a_missing_one_and_can_be_replaced),
		cmocka_unit_test(a_name_that_leaves_the_directory_is_refused),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
