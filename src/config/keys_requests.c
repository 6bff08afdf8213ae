/* SPDX-License-Identifier: Apache-2.0
 * keys_requests - see keys.h. What an environment asks of the gateway for each of its requests. */
#include "config/keys.h"

#include "config/app.h"

static const char *const logs[] = {"off", "text", "json", NULL};

static const struct schema_key requests_keys[] = {
	{"shield", SCHEMA_BOOL, AT(app_requests, shield), .fallback = "false",
	 .doc = "A request that the new release answers with 500 to 599 goes to the live one "
		"before its user sees it, and counts against the new one all the same. Only "
		"what may be done twice: GET, HEAD, OPTIONS, PUT, DELETE and TRACE, with a body "
		"that fits into the gateway's buffer."},
	{"answer", SCHEMA_DURATION, AT(app_requests, answer_ms), .fallback = "60s", .min = 100,
	 .max = HOUR(1),
	 .doc = "The longest from a request to the head of its answer; then 504. An answer may "
		"also pause for so long, but an event stream or a WebSocket for an hour."},
	{"body_max", SCHEMA_SIZE, AT(app_requests, body_max), .example = "64MiB", .min = 1,
	 .max = MIB(4095), .doc = "A larger body is answered 413. Left out: any size."},
	{"slow_start", SCHEMA_DURATION, AT(app_requests, slow_start_ms), .fallback = "10s",
	 .max = HOUR(1),
	 .doc = "An instance that joins others of its release gets a tenth of its share at "
		"first, and all of it after so long. `0s`: all at once."},
	{"log", SCHEMA_CHOICE, AT(app_requests, log), .fallback = "text", .choices = logs,
	 .doc = "What each request leaves in the access log, where `davit up --access-log FILE` "
		"has one: a line of `name=value`, an object in JSON, or nothing."},
};

const struct schema_section schema_requests = {.title = "requests",
					       KEYS(requests_keys),
					       .doc = "How the gateway treats each request here."};
