/* SPDX-License-Identifier: Apache-2.0
 * keys_tcp - see keys.h for the contract. Connections of what is not HTTP. */
#include "config/app.h"
#include "config/keys.h"

static const char *const proxies[] = {"off", "v2", NULL};

static const struct schema_key tcp_keys[] = {
	{"idle", SCHEMA_DURATION, AT(app_tcp, idle_ms), .fallback = "1h", .min = SECOND(1),
	 .max = DAY(30), .doc = "A connection on which nothing comes for so long is closed."},
	{"proxy", SCHEMA_CHOICE, AT(app_tcp, proxy), .fallback = "off", .choices = proxies,
	 .doc = "`v2`: each connection to an instance begins with a header of the PROXY protocol, "
		"version 2, that names the client's address and port, and those that it connected "
		"to. The instance must expect it."},
};

const struct schema_section schema_tcp = {
	.title = "tcp", KEYS(tcp_keys), .doc = "Connections that are not HTTP."};
