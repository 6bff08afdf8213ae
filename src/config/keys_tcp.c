/* SPDX-License-Identifier: Apache-2.0
 * keys_tcp - see keys.h for the contract. Connections of what is not HTTP. */
#include "base/cidr.h"
#include "config/app.h"
#include "config/keys.h"

static const char *const proxies[] = {"off", "v2", NULL};

static bool is_network(const char *text)
{
	struct cidr network;
	return cidr_parse(text, &network);
}

static const struct schema_key tcp_keys[] = {
	{"idle", SCHEMA_DURATION, AT(app_tcp, idle_ms), .fallback = "1h", .min = SECOND(1),
	 .max = DAY(30), .doc = "A connection on which nothing comes for so long is closed."},
	{"proxy", SCHEMA_CHOICE, AT(app_tcp, proxy), .fallback = "off", .choices = proxies,
	 .doc = "`v2`: each connection to an instance begins with a header of the PROXY protocol, "
		"version 2, that names the client's address and port, and those that it connected "
		"to. The instance must expect it."},
	{"proxies", SCHEMA_TEXTS, AT(app_tcp, proxies), .flags = SCHEMA_ONE, .max = APP_PROXIES_MAX,
	 .valid = is_network, .shape = "a network such as 10.0.0.0/8 or 2001:db8::/32",
	 .example = "[10.0.0.0/8]",
	 .doc = "Networks of proxies in front. Each connection from there begins with such a "
		"header, "
		"and its client is the one that it names; one without is closed. From elsewhere "
		"none is read."},
};

const struct schema_section schema_tcp = {
	.title = "tcp", KEYS(tcp_keys), .doc = "Connections that are not HTTP."};
