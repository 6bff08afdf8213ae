/* SPDX-License-Identifier: Apache-2.0
 * api_kpi - what a person or a job counts of a release. */
#include <math.h>

#include "api/routes.h"

/* A count, or nothing where it may be missing. False: answered already. */
static bool body_count(struct http_request *request, const json_t *body, const char *key,
		       bool needed, bool *ret_there, uint64_t *ret_count)
{
	const json_t *value = json_object_get(body, key);
	struct error err;
	*ret_there = value != NULL;
	*ret_count = 0;
	if (!value && !needed)
		return true;
	if (json_is_integer(value) && json_integer_value(value) >= 0 &&
	    json_integer_value(value) <= CONTROL_KPI_MOST) {
		*ret_count = (uint64_t)json_integer_value(value);
		return true;
	}
	error_set(&err, ERR_INVALID, "The field \"%s\" must be a whole number from 0 to %d.", key,
		  CONTROL_KPI_MOST);
	answer_error(request, &err, NULL);
	return false;
}

static bool body_sum(struct http_request *request, const json_t *body, bool *ret_there,
		     double *ret_sum)
{
	const json_t *value = json_object_get(body, "sum");
	struct error err;
	*ret_there = value != NULL;
	*ret_sum = json_number_value(value);
	if (!value || (json_is_number(value) && fabs(*ret_sum) <= CONTROL_KPI_SUM_MOST))
		return true;
	error_set(&err, ERR_INVALID, "The field \"sum\" must be a number of at most 1e15.");
	answer_error(request, &err, NULL);
	return false;
}

void post_kpi(struct api *api, struct http_request *request)
{
	struct control_caller caller = caller_of(request);
	struct control_kpi kpi = {0};
	struct error err;
	bool counted, there;
	static const char *const fields[] = {"release", "name", "count", "of", "sum", NULL};
	json_t *body = body_of(request, fields);
	if (!body)
		return;
	bool fine = body_text(request, body, "release", kpi.release, sizeof kpi.release) &&
		    body_text(request, body, "name", kpi.name, sizeof kpi.name) &&
		    body_count(request, body, "count", true, &there, &kpi.count) &&
		    body_count(request, body, "of", false, &kpi.has_of, &kpi.of) &&
		    body_sum(request, body, &kpi.has_sum, &kpi.sum);
	json_decref(body);
	if (!fine)
		return;
	if (control_kpi(api->parts.control, &caller, http_segment(request, 2), &kpi, &counted,
			&err) < 0) {
		answer_error(request, &err, NULL);
		return;
	}
	json_t *o = json_object();
	json_object_set_new(o, "schema", json_string("davit.v1/kpi"));
	json_object_set_new(o, "counted", json_boolean(counted));
	answer_json(request, 200, o);
}
