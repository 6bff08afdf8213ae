/* SPDX-License-Identifier: Apache-2.0
 * api_postmortem - the post-mortem of a rollout: its facts, or the finished document. See routes.h. */
#include <string.h>

#include "api/json.h"
#include "api/routes.h"
#include "base/log.h"
#include "control/postmortem.h"

static bool is_format(const char *text, enum postmortem_format *ret_format)
{
	*ret_format = strcmp(text, "html") == 0 ? POSTMORTEM_HTML : POSTMORTEM_MARKDOWN;
	return *ret_format == POSTMORTEM_HTML || strcmp(text, "markdown") == 0;
}

static void answer(void *context, const struct postmortem *facts)
{
	struct http_request *request = context;
	const char *format_text = http_query(request, "format");
	enum postmortem_format format;
	if (!format_text) {
		answer_json(request, 200, json_of_postmortem(facts));
		return;
	}
	struct buf text;
	ASSERT(is_format(format_text, &format));
	buf_init(&text, POSTMORTEM_BYTES_MAX);
	postmortem_write(facts, format, &text);
	json_t *o = json_object();
	json_object_set_new(o, "schema", json_string("davit.v1/postmortem-text"));
	json_object_set_new(o, "rollout", json_integer(facts->number));
	json_object_set_new(o, "format", json_string(format_text));
	json_object_set_new(o, "text", json_stringn(buf_text(&text), text.size));
	answer_json(request, 200, o);
	buf_done(&text);
}

void get_rollout_postmortem(struct api *api, struct http_request *request)
{
	const char *format_text = http_query(request, "format");
	enum postmortem_format format;
	struct error err;
	if (format_text && !is_format(format_text, &format)) {
		error_set(&err, ERR_INVALID,
			  "\"format\" must be \"markdown\" or \"html\"; without it the facts are "
			  "sent.");
		answer_error(request, &err, NULL);
		return;
	}
	int result = control_postmortem(api->parts.control, http_segment(request, 2), answer,
					request, &err);
	if (result < 0)
		answer_error(request, &err, "davit history");
	else if (result == 0)
		http_later(request);
}
