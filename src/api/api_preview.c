/* SPDX-License-Identifier: Apache-2.0
 * api_preview - a token by which somebody sees a new release before users do. See routes.h. */
#include <string.h>

#include "api/routes.h"

enum { USUAL_MS = 3600 * 1000 };

/* Out of range is control's to say. */
static bool body_duration(struct http_request *request, const json_t *body, uint64_t *ret_ms)
{
	const json_t *value = json_object_get(body, "for_ms");
	struct error err;
	*ret_ms = USUAL_MS;
	if (!value)
		return true;
	if (json_is_integer(value) && json_integer_value(value) >= 0) {
		*ret_ms = (uint64_t)json_integer_value(value);
		return true;
	}
	error_set(&err, ERR_INVALID, "\"for_ms\" is a time in milliseconds.");
	answer_error(request, &err, NULL);
	return false;
}

void post_preview(struct api *api, struct http_request *request)
{
	static const char *const fields[] = {"for_ms", NULL};
	struct control_caller caller = caller_of(request);
	struct control_preview preview;
	struct error err;
	uint64_t for_ms;
	json_t *body = body_of(request, fields);
	if (!body)
		return;
	bool fine = body_duration(request, body, &for_ms);
	json_decref(body);
	if (!fine)
		return;
	if (control_preview(api->parts.control, &caller, http_segment(request, 2), for_ms, &preview,
			    &err) < 0) {
		answer_error(request, &err, NULL);
		return;
	}
	json_t *o =
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "schema", "davit.v1/preview",
			  "environment", preview.key, "release", preview.release, "tag",
			  preview.tag, "token", preview.token, "url", preview.url, "link",
			  preview.link, "expires_unix_ms", (json_int_t)preview.expires_unix_ms);
	explicit_bzero(preview.token, sizeof preview.token);
	explicit_bzero(preview.link, sizeof preview.link);
	answer_json(request, 201, o);
}
