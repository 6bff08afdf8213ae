/* SPDX-License-Identifier: Apache-2.0
 * trigger - see trigger.h for the contract. */
#include "config/trigger.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

bool trigger_branch_is(const char *pattern, const char *branch)
{
	size_t size = strlen(pattern);
	return pattern[size - 1] == '/' ? text_starts(branch, pattern)
					: strcmp(branch, pattern) == 0;
}

bool trigger_tag_is(const char *pattern, const char *tag)
{
	size_t size = strlen(pattern);
	return pattern[size - 1] == '*' ? strncmp(pattern, tag, size - 1) == 0
					: strcmp(tag, pattern) == 0;
}

bool trigger_names(const struct app_trigger *trigger, const char *ref)
{
	static const char heads[] = "refs/heads/", tags[] = "refs/tags/";
	if (text_starts(ref, heads))
		for (uint32_t i = 0; i < trigger->branch.count; i++)
			if (trigger_branch_is(trigger->branch.items[i], ref + sizeof heads - 1))
				return true;
	if (text_starts(ref, tags))
		for (uint32_t i = 0; i < trigger->tag.count; i++)
			if (trigger_tag_is(trigger->tag.items[i], ref + sizeof tags - 1))
				return true;
	return false;
}

bool trigger_matches(const struct app_trigger *trigger, const char *ref)
{
	return trigger->schedule.count == 0 && trigger_names(trigger, ref);
}

bool trigger_is_timed(const struct app_trigger *trigger, const char *ref)
{
	return trigger->schedule.count > 0 && trigger_names(trigger, ref);
}

const char *trigger_fallback(const struct app *app, const char *ref)
{
	const char *first = NULL;
	for (uint32_t i = 0; i < app->environment_count; i++) {
		const struct app_trigger *trigger = &app->environments[i].trigger;
		if (trigger_names(trigger, ref))
			return NULL;
		for (uint32_t k = 0; k < trigger->branch.count && !first; k++) {
			const char *name = trigger->branch.items[k];
			first = name[strlen(name) - 1] != '/' ? name : NULL;
		}
	}
	return first;
}

static bool list(const struct app *app, const char *ref,
		 bool (*wanted)(const struct app_trigger *trigger, const char *ref), char *to,
		 size_t size)
{
	bool any = false;
	size_t used = 0;
	to[0] = '\0';
	for (uint32_t i = 0; i < app->environment_count; i++) {
		const struct app_environment *e = &app->environments[i];
		if (!wanted(&e->trigger, ref))
			continue;
		if (used < size)
			used += (size_t)snprintf(to + used, size - used, "%s%s",
						 used > 0 ? ", " : "", e->name);
		any = true;
	}
	return any;
}

bool trigger_environments(const struct app *app, const char *ref, char *to, size_t size)
{
	return list(app, ref, trigger_matches, to, size);
}

bool trigger_timed_environments(const struct app *app, const char *ref, char *to, size_t size)
{
	return list(app, ref, trigger_is_timed, to, size);
}
