/* SPDX-License-Identifier: Apache-2.0
 * server_floor - see server_floor.h for the contract. */
#include "config/server_floor.h"

#include <string.h>

#include "base/text.h"
#include "config/keys.h"
#include "config/server.h"

static const struct schema_key protected_keys[] = {
	{"approve", SCHEMA_SECTION, AT(server_protected, approve), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_approve, .example = "{ by: [release-managers], count: 2 }",
	 .doc = "The least that is asked here, whatever the repository says."},
	{"from", SCHEMA_TEXT, AT(server_protected, from), .valid = text_is_name,
	 .shape = KEYS_NAME_SHAPE, .example = "staging",
	 .doc = "Only a release that was live and good in this environment of the application "
		"before comes here, whatever the repository says."},
	{"soak", SCHEMA_DURATION, AT(server_protected, soak_ms), .min = 1, .max = DAY(30),
	 .example = "30m",
	 .doc = "At least so long; where the repository says longer, that counts."},
	{"windows", SCHEMA_SECTION, AT(server_protected, windows), .flags = SCHEMA_OPTIONAL,
	 .section = &schema_windows, .example = "{ days: mon-thu, hours: \"09:00-16:00\" }",
	 .doc = "When releases may go out here at all; the repository's own have to be open too."},
	{"signed_tags", SCHEMA_BOOL, AT(server_protected, signed_tags), .example = "true",
	 .doc = "A push brings a release here only by a tag that one of `allowed_signers` has "
		"signed, whatever the repository says."},
};

const struct schema_section server_protected_section = {.title = "protected environment",
							KEYS(protected_keys),
							.doc = "A floor for one environment."};

void server_floor_defaults(struct server_protected *floor)
{
	if (floor->approve.set != 0)
		schema_defaults(&schema_approve, &floor->approve);
	if (floor->windows.set != 0)
		schema_defaults(&schema_windows, &floor->windows);
}

static const struct server_protected *floor_of(const struct server *s, const char *key)
{
	for (uint32_t i = 0; s && i < s->protected_count; i++)
		if (strcmp(s->protected[i].name, key) == 0)
			return &s->protected[i];
	return NULL;
}

bool server_approval(const struct server *s, const char *key, const struct app_approve *own,
		     struct app_approve *ret_approve)
{
	const struct server_protected *floor = floor_of(s, key);
	const struct app_approve *least = floor && floor->approve.set != 0 ? &floor->approve : NULL;
	*ret_approve = own->set != 0 || !least ? *own : *least;
	if (own->set != 0 && least) {
		if (least->by.count > 0)
			ret_approve->by = least->by;
		if (least->count > own->count)
			ret_approve->count = least->count;
		if (least->expires_ms < own->expires_ms)
			ret_approve->expires_ms = least->expires_ms;
		ret_approve->not_author |= least->not_author;
	}
	return own->set != 0 || least;
}

struct server_passage server_passage(const struct server *s, const char *key,
				     const struct app_environment *own)
{
	const struct server_protected *floor = floor_of(s, key);
	struct server_passage p = {.from = own->from, .soak_ms = own->soak_ms};
	if (own->windows.set != 0)
		p.windows[p.window_count++] = &own->windows;
	if (!floor)
		return p;
	if (floor->from)
		p.from = floor->from;
	if (floor->soak_ms > p.soak_ms)
		p.soak_ms = floor->soak_ms;
	if (floor->windows.set != 0)
		p.windows[p.window_count++] = &floor->windows;
	return p;
}
