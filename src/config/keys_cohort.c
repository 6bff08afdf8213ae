/* SPDX-License-Identifier: Apache-2.0
 * keys_cohort - see keys.h. Whose requests a new release gets whatever its share. */
#include <stdio.h>
#include <string.h>

#include "base/cidr.h"
#include "config/app.h"
#include "config/keys.h"
#include "config/value.h"

enum { COMPARED_MAX = 95 };

static bool is_network(const char *text)
{
	struct cidr network;
	return cidr_parse(text, &network);
}

/* What stands around a field's value is no part of it. */
static bool is_compared(const char *text)
{
	size_t size = strlen(text);
	return value_is_line(text) && size <= COMPARED_MAX && text[0] != ' ' &&
	       text[size - 1] != ' ';
}

/* app.h names these bits. */
static const struct schema_key member_keys[] = {
	{"header", SCHEMA_TEXT, AT(app_member, header), .valid = value_is_token, .max = 64,
	 .shape = "a header's name such as X-Beta", .example = "X-Beta",
	 .doc = "Requests with this header, if it has one of the values in `is`."},
	{"cookie", SCHEMA_TEXT, AT(app_member, cookie), .valid = value_is_token, .max = 64,
	 .shape = "a cookie's name such as plan", .example = "plan",
	 .doc = "Requests with this cookie, if it has one of the values in `is`."},
	{"network", SCHEMA_TEXTS, AT(app_member, network), .flags = SCHEMA_ONE,
	 .max = APP_MEMBER_VALUES_MAX, .valid = is_network,
	 .shape = "a network such as 10.0.0.0/8 or 2001:db8::/32", .example = "[10.0.0.0/8]",
	 .doc = "Requests of clients whose address, as the gateway sees it, is in one of these."},
	{"is", SCHEMA_TEXTS, AT(app_member, is), .flags = SCHEMA_ONE, .max = APP_MEMBER_VALUES_MAX,
	 .valid = is_compared, .shape = "a value such as beta, of up to 95 characters",
	 .example = "[beta, staff]",
	 .doc = "The values of the header or cookie, compared letter by letter."},
};

static bool check_member(const void *base, char *why, size_t why_size)
{
	const struct app_member *m = base;
	bool network = m->set & APP_MEMBER_NETWORK;
	if (network == !(m->set & APP_MEMBER_IS))
		return true;
	snprintf(why, why_size,
		 network ? "\"is\" belongs to a header or a cookie; remove it."
			 : "which value? Add \"is\".");
	return false;
}

static const struct schema_section member_section = {
	.title = "member",
	.check = check_member,
	KEYS(member_keys),
	.one_of = APP_MEMBER_HEADER | APP_MEMBER_COOKIE | APP_MEMBER_NETWORK,
	.one_of_needed = true,
	.doc = "One of the three, each with up to 16 values: any of them makes a request a "
	       "member's."};

static const struct schema_key cohort_keys[] = {
	{"members", SCHEMA_LIST, ITEMS(app_cohort, members, member_count), .flags = SCHEMA_REQUIRED,
	 .max = APP_MEMBERS_MAX, .section = &member_section,
	 .example = "[{ header: X-Beta, is: \"1\" }, { network: 10.0.0.0/8 }]",
	 .doc = "One that fits is enough."},
	{"only", SCHEMA_BOOL, AT(app_cohort, only), .fallback = "false",
	 .doc = "Nobody else meets the new release in the steps of `canary`, whatever their "
		"shares; from the next step on everybody does."},
};

const struct schema_section schema_cohort = {
	.title = "cohort",
	KEYS(cohort_keys),
	.list_key = "members",
	.map_key = "members",
	.doc = "Whose requests go to the new release as soon as it has any share of them, and as "
	       "long as it has: your own people first. They count for it as all others do. That of "
	       "the release that goes out counts."};
