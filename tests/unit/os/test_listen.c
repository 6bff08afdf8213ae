/* SPDX-License-Identifier: Apache-2.0
 * Tests of os/listen.h and os/memfd.h. */
#include "../cmocka_all.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/listen.h"
#include "os/memfd.h"

static char free_address[64];

static int set_up(void **state)
{
	(void)state;
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &size) != 0)
		return -1;
	snprintf(free_address, sizeof free_address, "127.0.0.1:%u", ntohs(a.sin_port));
	return close(fd);
}

static void an_address_is_listened_on_once(void **state)
{
	(void)state;
	struct error err;
	int fd, other;
	assert_int_equal(listen_open(free_address, &fd, &err), 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(listen_open(free_address, &other, &err), ERR_DENIED);
	assert_non_null(strstr(err.text, free_address));
	close(fd);
	assert_int_equal(listen_open(free_address, &fd, &err), 0);
	close(fd);
}

static void what_is_no_address_is_refused(void **state)
{
	(void)state;
	const char *bad[] = {"",
			     "8080",
			     "127.0.0.1",
			     "127.0.0.1:",
			     "127.0.0.1:0",
			     "127.0.0.1:65536",
			     "localhost:80",
			     "[::1:80",
			     "::1:80",
			     ":80",
			     "[]:80",
			     "unix:",
			     "unix:relative"};
	struct error err;
	int fd;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(listen_open(bad[i], &fd, &err), ERR_INVALID);
	assert_int_equal(listen_open("192.0.2.1:8080", &fd, &err), ERR_INVALID); /* not ours */
}

static void a_stale_unix_socket_is_replaced_and_a_live_one_is_not(void **state)
{
	(void)state;
	struct error err;
	char directory[] = "/tmp/davit-listen-XXXXXX", address[64];
	int fd, other;
	assert_non_null(mkdtemp(directory));
	snprintf(address, sizeof address, "unix:%s/s", directory);
	assert_int_equal(listen_open(address, &fd, &err), 0);
	assert_int_equal(listen_open(address, &other, &err), ERR_DENIED);
	close(fd);
	assert_int_equal(listen_open(address, &fd, &err), 0);
	close(fd);
	listen_forget(address);
	FILE *file = fopen(address + 5, "w"); /* somebody's file is left alone */
	fclose(file);
	assert_int_equal(listen_open(address, &fd, &err), ERR_DENIED);
	assert_int_equal(unlink(address + 5), 0);
	assert_int_equal(rmdir(directory), 0);
}

static void a_sealed_block_is_read_whole_and_cannot_change(void **state)
{
	(void)state;
	struct error err;
	struct buf block;
	static char data[100000];
	int fd;
	memset(data, 'x', sizeof data);
	assert_int_equal(memfd_seal("test", data, sizeof data, &fd, &err), 0);
	assert_int_equal(pwrite(fd, "y", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 1), -1);
	buf_init(&block, sizeof data);
	assert_int_equal(memfd_read_sealed(fd, sizeof data, &block, &err), 0);
	assert_int_equal(block.size, sizeof data);
	assert_memory_equal(block.data, data, sizeof data);
	assert_int_equal(memfd_read_sealed(fd, sizeof data - 1, &block, &err), ERR_LIMIT);
	buf_done(&block);
	close(fd);
}

static void what_could_still_change_is_refused(void **state)
{
	(void)state;
	struct error err;
	struct buf block;
	void *memory, *again;
	size_t size;
	int fd;
	assert_int_equal(memfd_share("test", 4096, &fd, &memory, &err), 0);
	buf_init(&block, 4096);
	assert_int_equal(memfd_read_sealed(fd, 4096, &block, &err), ERR_CORRUPT);
	assert_int_equal(ftruncate(fd, 1), -1);
	assert_int_equal(memfd_map(fd, 4095, &again, &size, &err), ERR_LIMIT);
	assert_int_equal(memfd_map(fd, 4096, &again, &size, &err), 0);
	strcpy(memory, "shared");
	assert_string_equal(again, "shared");
	memfd_unmap(again, size);
	memfd_unmap(memory, 4096);
	close(fd);
	int pipe_fds[2];
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	assert_int_equal(memfd_map(pipe_fds[0], 4096, &again, &size, &err), ERR_CORRUPT);
	assert_int_equal(memfd_read_sealed(pipe_fds[0], 4096, &block, &err), ERR_CORRUPT);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	buf_done(&block);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_listened_on_once),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(a_stale_unix_socket_is_replaced_and_a_live_one_is_not),
		cmocka_unit_test(a_sealed_block_is_read_whole_and_cannot_change),
		cmocka_unit_test(what_could_still_change_is_refused),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
