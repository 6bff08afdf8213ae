/* SPDX-License-Identifier: Apache-2.0
 * tcp - see tcp.h for the contract. */
#include "os/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

bool tcp_port_free(uint16_t port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	/* As servers do it: connections that are just ending do not count. Any address, for a server
	 * may want them all. */
	int yes = 1;
	struct sockaddr_in address = loopback(port);
	address.sin_addr.s_addr = htonl(INADDR_ANY);
	bool is_free = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
		       bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
	close(fd);
	return is_free;
}

int tcp_connect(uint16_t port, int *ret_fd, struct error *err)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_errno(err, errno, "A socket cannot be made");
	struct sockaddr_in address = loopback(port);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS) {
		int number = errno;
		close(fd);
		return error_errno(err, number, "Port %u does not answer", port);
	}
	*ret_fd = fd;
	return 0;
}

int tcp_connected(int fd, struct error *err)
{
	int number = 0;
	socklen_t size = sizeof number;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &size) != 0)
		number = errno;
	return number ? error_errno(err, number, "The connection failed") : 0;
}

static int result(ssize_t count, struct error *err)
{
	if (count > 0)
		return (int)count;
	if (count == 0)
		return error_set(err, ERR_CLOSED, "The connection was closed.");
	return error_errno(err, errno, "The connection failed");
}

int tcp_send(int fd, const void *bytes, size_t size, struct error *err)
{
	return result(send(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT), err);
}

int tcp_receive(int fd, void *to, size_t size, struct error *err)
{
	return result(recv(fd, to, size, MSG_DONTWAIT), err);
}
