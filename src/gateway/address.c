/* SPDX-License-Identifier: Apache-2.0
 *
 * address - see address.h for the contract.
 */
#include "gateway/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "base/text.h"

enum { HOST_SIZE = 64 };

static bool parse_unix(const char *path, struct sockaddr_storage *to, socklen_t *ret_size)
{
	struct sockaddr_un *address = (struct sockaddr_un *)to;
	address->sun_family = AF_UNIX;
	*ret_size = sizeof(*address);
	return path[0] == '/' && text_copy(address->sun_path, sizeof(address->sun_path), path);
}

static bool parse_internet(const char *text, struct sockaddr_storage *to, socklen_t *ret_size)
{
	char host[HOST_SIZE];
	uint64_t port;
	const char *colon = strrchr(text, ':');
	if (!colon || colon == text || (size_t)(colon - text) >= sizeof(host) ||
	    !text_parse_u64(colon + 1, 65535, &port) || port == 0)
		return false;
	size_t size = (size_t)(colon - text);
	memcpy(host, text, size);
	host[size] = 0;
	if (host[0] == '[' && host[size - 1] == ']') {
		struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;
		host[size - 1] = 0;
		six->sin6_family = AF_INET6;
		six->sin6_port = htons((uint16_t)port);
		*ret_size = sizeof(*six);
		return inet_pton(AF_INET6, host + 1, &six->sin6_addr) == 1;
	}
	struct sockaddr_in *four = (struct sockaddr_in *)to;
	four->sin_family = AF_INET;
	four->sin_port = htons((uint16_t)port);
	*ret_size = sizeof(*four);
	return inet_pton(AF_INET, host, &four->sin_addr) == 1;
}

int address_parse(const char *text, struct sockaddr_storage *ret_address, socklen_t *ret_size,
		  struct error *err)
{
	memset(ret_address, 0, sizeof(*ret_address));
	bool good = text_starts(text, "unix:") ? parse_unix(text + 5, ret_address, ret_size)
					       : parse_internet(text, ret_address, ret_size);
	if (!good)
		return error_set(err, ERR_INVALID,
				 "\"%s\" is not an address: write \"127.0.0.1:8080\", "
				 "\"[::1]:8080\" or \"unix:/path\".",
				 text);
	return 0;
}
