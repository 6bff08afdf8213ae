/* SPDX-License-Identifier: Apache-2.0
 * listen - see listen.h for the contract. */
#include "os/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

static int unix_address(const char *path, union address *to, socklen_t *ret_size)
{
	*ret_size = sizeof to->local;
	to->local.sun_family = AF_UNIX;
	return path[0] == '/' && text_copy(to->local.sun_path, sizeof to->local.sun_path, path)
		       ? 0
		       : ERR_INVALID;
}

static int parse(const char *text, union address *to, socklen_t *ret_size)
{
	memset(to, 0, sizeof *to);
	if (text_starts(text, "unix:"))
		return unix_address(text + 5, to, ret_size);
	char host[64];
	uint64_t port;
	const char *colon = strrchr(text, ':');
	if (!colon || (size_t)(colon - text) >= sizeof host ||
	    !text_parse_u64(colon + 1, 65535, &port) || port == 0)
		return ERR_INVALID;
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	size_t length = strlen(host);
	if (host[0] == '[' && host[length - 1] == ']') {
		host[length - 1] = '\0';
		to->v6.sin6_family = AF_INET6;
		to->v6.sin6_port = htons((uint16_t)port);
		*ret_size = sizeof to->v6;
		return inet_pton(AF_INET6, host + 1, &to->v6.sin6_addr) == 1 ? 0 : ERR_INVALID;
	}
	to->v4.sin_family = AF_INET;
	to->v4.sin_port = htons((uint16_t)port);
	*ret_size = sizeof to->v4;
	return inet_pton(AF_INET, host, &to->v4.sin_addr) == 1 ? 0 : ERR_INVALID;
}

/* Nobody listens there any more: its file may go. */
static void remove_stale(const union address *address, socklen_t size)
{
	struct stat status;
	if (lstat(address->local.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode))
		return;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, &address->any, size) != 0 && errno == ECONNREFUSED)
		unlink(address->local.sun_path);
	if (fd >= 0)
		close(fd);
}

static int refuse(const char *address, int number, struct error *err)
{
	if (number == EADDRINUSE)
		return error_set(
			err, ERR_DENIED,
			"The address \"%s\" is taken by another program: stop that one, or "
			"choose another address.",
			address);
	if (number == EACCES || number == EPERM)
		return error_set(
			err, ERR_DENIED,
			"This user may not listen on \"%s\": ports below 1024 need root or "
			"CAP_NET_BIND_SERVICE.",
			address);
	if (number == EADDRNOTAVAIL)
		return error_set(err, ERR_INVALID, "The address \"%s\" is not of this machine.",
				 address);
	return error_errno(err, number, "Cannot listen on \"%s\"", address);
}

int listen_open(const char *address, int *ret_fd, struct error *err)
{
	union address a;
	socklen_t size = 0;
	if (parse(address, &a, &size) < 0)
		return error_set(err, ERR_INVALID,
				 "\"%s\" is not an address to listen on; write \"127.0.0.1:8080\", "
				 "\"[::1]:8080\" or \"unix:/path\".",
				 address);
	if (a.any.sa_family == AF_UNIX)
		remove_stale(&a, size);
	int fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return refuse(address, errno, err);
	int one = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (a.any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (bind(fd, &a.any, size) != 0 || listen(fd, LISTEN_BACKLOG) != 0) {
		int rc = refuse(address, errno, err);
		close(fd);
		return rc;
	}
	*ret_fd = fd;
	return 0;
}

void listen_forget(const char *address)
{
	if (text_starts(address, "unix:/"))
		unlink(address + 5);
}
