/* SPDX-License-Identifier: Apache-2.0
 * target - see target.h for the contract. */
#include "cli/target.h"

#include <string.h>

#include "base/text.h"
#include "cli/screen.h"

static bool is_environment(const json_t *status, const char *app, size_t app_length,
			   const char *name)
{
	const json_t *a, *e;
	size_t i, k;
	json_array_foreach (json_object_get(status, "applications"), i, a) {
		const char *of = json_text_of(a, "app");
		if (strlen(of) != app_length || strncmp(of, app, app_length) != 0)
			continue;
		json_array_foreach (json_object_get(a, "environments"), k, e)
			if (strcmp(json_text_of(e, "name"), name) == 0)
				return true;
	}
	return false;
}

int target_parse(struct client *client, const char *text, struct target *ret_target,
		 struct error *err)
{
	const char *first = strchr(text, '/'), *last = strrchr(text, '/');
	bool process = first != last;
	if (strlen(text) >= TARGET_SIZE)
		return error_set(err, ERR_INVALID,
				 "\"%.40s...\" is too long for an environment's name.", text);
	if (first && first == last) {
		json_t *status;
		int result = client_get(client, "/v1/status", &status, err);
		if (result < 0)
			return result;
		process = !is_environment(status, text, (size_t)(first - text), first + 1);
		json_decref(status);
	}
	text_copy(ret_target->environment, TARGET_SIZE, text);
	text_copy(ret_target->process, TARGET_SIZE, process ? last + 1 : "");
	if (process)
		ret_target->environment[last - text] = '\0';
	return 0;
}
