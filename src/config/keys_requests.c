/* SPDX-License-Identifier: Apache-2.0
 * keys_requests - see keys.h. What an environment asks of the gateway for each of its requests. */
#include "config/keys.h"

#include "config/app.h"
#include "config/value.h"
#include "wire/field_rule.h"

_Static_assert((int)APP_HEADER_RULES_MAX == (int)FIELD_RULES_MAX, "rules fit");

static const struct schema_key field_keys[] = {
	{"value", SCHEMA_TEXT, AT(app_condition, value), .flags = SCHEMA_REQUIRED,
	 .max = FIELD_RULE_VALUE_MAX, .valid = field_rule_value, .shape = FIELD_RULE_VALUE_SHAPE,
	 .example = "no-store", .doc = "The field's value."},
};

static const struct schema_section field_section = {
	.title = "field", KEYS(field_keys), .scalar_key = "value", .doc = "One header field."};

static const struct schema_key rules_keys[] = {
	{"set", SCHEMA_MAP, ITEMS(app_field_rules, fields, set_count), .flags = SCHEMA_BY_NAME,
	 .max = FIELD_RULES_MAX, .section = &field_section, .valid = field_rule_name,
	 .shape = FIELD_RULE_NAME_SHAPE, .example = "{ X-Frame-Options: DENY }",
	 .doc = "Fields that are there then, once each, with these values; what came under their "
		"names is dropped."},
	{"remove", SCHEMA_TEXTS, AT(app_field_rules, remove), .flags = SCHEMA_ONE,
	 .max = FIELD_RULES_MAX, .valid = field_rule_name, .shape = FIELD_RULE_NAME_SHAPE,
	 .example = "[X-Powered-By]", .doc = "Fields that are dropped."},
};

static const struct schema_section rules_section = {
	.title = "header rules",
	KEYS(rules_keys),
	.doc = "Which header fields are set and which are removed."};

static const struct schema_key headers_keys[] = {
	{"request", SCHEMA_SECTION, AT(app_headers, request), .flags = SCHEMA_OPTIONAL,
	 .section = &rules_section, .example = "{ remove: [X-Debug] }",
	 .doc = "Of requests, on their way to an instance; of copies of requests too."},
	{"response", SCHEMA_SECTION, AT(app_headers, response), .flags = SCHEMA_OPTIONAL,
	 .section = &rules_section, .example = "{ set: { X-Frame-Options: DENY } }",
	 .doc = "Of what an instance answers. What davit answers itself is not touched."},
};

static const struct schema_section headers_section = {
	.title = "headers",
	KEYS(headers_keys),
	.doc = "Header fields that the gateway sets or removes: at most 32 rules, and 4096 bytes "
	       "of "
	       "names and values each way. Not up for it are those that frame a message or belong "
	       "to "
	       "a connection (`Host`, `Content-Length`, `Transfer-Encoding`, `Trailer`, `Expect`, "
	       "`Connection`, `Keep-Alive`, `Upgrade`, `TE`, `HTTP2-Settings`, `Proxy-*`, "
	       "`Sec-WebSocket-*`), and what davit writes itself (`Via`, `Forwarded`, "
	       "`X-Forwarded-*`, `X-Real-IP`, `X-Request-Id`, `X-Davit-*`, `traceparent`, "
	       "`tracestate`). Values are part of the release's configuration: they are no place "
	       "for "
	       "secrets."};

static const char *const logs[] = {"off", "text", "json", NULL};
static const char *const http2[] = {"on", "off", NULL};

static const struct schema_key queue_keys[] = {
	{"most", SCHEMA_NUMBER, AT(app_queue, most), .fallback = "100", .max = 10000,
	 .doc = "At most so many requests of a release wait in each of the gateway's workers; more "
		"are answered 503 at once. `0`: none waits."},
	{"for", SCHEMA_DURATION, AT(app_queue, time_ms), .fallback = "5s", .min = 1,
	 .max = MINUTE(10), .doc = "The longest that one waits; then 503 with Retry-After."},
	{"first", SCHEMA_TEXTS, AT(app_queue, first), .valid = value_is_prefix,
	 .max = APP_QUEUE_FIRST_MAX,
	 .shape = "a path such as /admin of up to 255 characters, without a \"/\" at its end",
	 .example = "[/up, /admin]",
	 .doc = "Requests for these paths and everything below them go before the others, and have "
		"as many places of their own. Not written: the paths of the health checks of "
		"processes that take requests."},
};

static const struct schema_section queue_section = {
	.title = "queue",
	KEYS(queue_keys),
	.doc = "Where requests wait while every instance of their release is at its limit of "
	       "`connections`: first in, first out."};

static const struct schema_key maintenance_keys[] = {
	{"page", SCHEMA_TEXT, AT(app_maintenance, page), .valid = value_is_inside,
	 .shape = "a path inside the release, such as public/maintenance.html",
	 .example = "public/maintenance.html",
	 .doc = "A file of the release, HTML in UTF-8 of at most 64 KiB, that browsers see instead "
		"of davit's own page. It stands alone: nothing else is served meanwhile that it "
		"could load from here. A release without the file, or with a larger or an empty "
		"one, is refused."},
};

static const struct schema_section maintenance_section = {
	.title = "maintenance",
	KEYS(maintenance_keys),
	.doc = "What clients get while `davit maintenance` lets nobody in."};

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
	{"http2", SCHEMA_CHOICE, AT(app_requests, http2), .fallback = "on", .choices = http2,
	 .doc = "Whether clients may speak HTTP/2. `off` in one environment is so for all that "
		"share its address, for what is spoken is agreed on before a host is asked for."},
	{"connections", SCHEMA_NUMBER, AT(app_requests, connections), .fallback = "1024", .min = 1,
	 .max = 1024,
	 .doc = "At most so many connections to one instance, of each of the gateway's workers: so "
		"many requests are in it at once, copies for a shadow among them."},
	{"queue", SCHEMA_SECTION, AT(app_requests, queue), .section = &queue_section,
	 .example = "{ most: 100, for: 5s }",
	 .doc = "Where requests wait that find all connections in use."},
	{"headers", SCHEMA_SECTION, AT(app_requests, headers), .flags = SCHEMA_OPTIONAL,
	 .section = &headers_section, .example = "{ response: { remove: [X-Powered-By] } }",
	 .doc = "Header fields that are set or removed on the way."},
	{"maintenance", SCHEMA_SECTION, AT(app_requests, maintenance), .flags = SCHEMA_OPTIONAL,
	 .section = &maintenance_section, .example = "{ page: public/maintenance.html }",
	 .doc = "A page of one's own for browsers while nobody is let in."},
};

const struct schema_section schema_requests = {.title = "requests",
					       KEYS(requests_keys),
					       .doc = "How the gateway treats each request here."};
