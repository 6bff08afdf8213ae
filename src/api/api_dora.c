/* SPDX-License-Identifier: Apache-2.0
 * api_dora - the measures of delivery, of each environment by itself: they are never blended. See routes.h. */
#include <stdlib.h>
#include <string.h>

#include "api/routes.h"
#include "base/text.h"
#include "control/deployments.h"
#include "control/view.h"
#include "report/dora.h"

enum { WINDOW_DAYS = 90 };

struct measuring_dora {
	struct control *control;
	bool rows;
	struct dora_input input;
	struct deployment_list *list;
	struct dora_numbers *numbers;
	json_t *environments;
	int result;
	struct error *err;
};

static json_t *whole(uint64_t number)
{
	return json_integer((json_int_t)number);
}

/* What too few values say is null. */
static json_t *spread_of(const struct dora_spread *s)
{
	bool enough = s->n >= DORA_LEAST && s->n <= DORA_TIMES_MAX;
	return json_pack("{s:o, s:o, s:o}", "n", whole(s->n), "p50_ms",
			 enough ? whole(s->p50_ms) : json_null(), "p90_ms",
			 enough ? whole(s->p90_ms) : json_null());
}

static json_t *share_of(uint32_t part, uint32_t all)
{
	return all >= DORA_LEAST ? json_real((double)part / all) : json_null();
}

/* Of the deployments that count: what lies between each and the one before, as far as it is known. */
static json_t *lead_of(const struct measuring_dora *m)
{
	uint32_t known = 0, unknown = 0, cut = 0;
	struct dora_row row;
	for (uint32_t i = 0; i < m->list->count; i++) {
		const struct deployment_release *release = &m->list->releases[i];
		dora_row(&m->input, i, &row);
		known += row.counted && release->commits_known;
		cut += row.counted && release->commits_cut;
		unknown += row.counted && !release->commits_known;
	}
	return json_pack("{s:o, s:b, s:o, s:o, s:o}", "commits", spread_of(&m->numbers->lead),
			 "recorded", known > 0, "deployments", whole(known), "unknown",
			 whole(unknown), "cut", whole(cut));
}

static json_t *numbers_of(const struct measuring_dora *m)
{
	const struct dora_numbers *n = m->numbers;
	return json_pack("{s:{s:o, s:o, s:o, s:o, s:o}, s:o, s:{s:o, s:o, s:o, s:o}, s:{s:o, s:o}, "
			 "s:{s:b, s:o, s:o, s:o, s:o}}",
			 "deployment_frequency", "deployments", whole(n->deployments), "per_day",
			 n->deployments >= DORA_LEAST ? json_real(n->per_day) : json_null(), "gap",
			 spread_of(&n->gap), "days_with", whole(n->days_with), "days",
			 whole(n->days_touched), "change_lead_time", lead_of(m), "change_fail_rate",
			 "failed", whole(n->failed), "exposed", whole(n->exposed), "rate",
			 share_of(n->failed, n->exposed), "caught_before_exposure",
			 whole(n->caught_unexposed), "failed_deployment_recovery_time", "recovery",
			 spread_of(&n->recovery), "ongoing", whole(n->ongoing), "rework_rate",
			 "recorded", n->hotfixes_known, "repairs", whole(n->hotfixes),
			 "deployments", whole(n->all), "rate",
			 n->hotfixes_known ? share_of(n->hotfixes, n->all) : json_null(),
			 "rollbacks", whole(n->rollbacks));
}

/* Those that count with this deployment; null: what it brought is not known. */
static json_t *commits_of(const struct measuring_dora *m, uint32_t index)
{
	const struct deployment_list *list = m->list;
	uint64_t lead_ms;
	if (!list->releases[index].commits_known)
		return json_null();
	json_t *commits = json_array();
	for (uint32_t i = 0; i < list->commit_count; i++)
		if (list->commits[i].deployment == list->items[index].id &&
		    dora_lead(&m->input, &list->commits[i], &lead_ms))
			json_array_append_new(commits,
					      json_pack("{s:s, s:o}", "commit", list->commit_ids[i],
							"lead_ms", whole(lead_ms)));
	return commits;
}

static json_t *row_of(const struct measuring_dora *m, uint32_t index)
{
	const struct dora_input *input = &m->input;
	const struct dora_deployment *d = &input->deployments[index];
	struct dora_row row;
	dora_row(input, index, &row);
	if (!row.in_window)
		return NULL;
	return json_pack("{s:o, s:s, s:b, s:o, s:o, s:o, s:b, s:b, s:b, s:o, s:o, s:o, s:o}",
			 "rollout", whole(d->id), "kind", dora_kind_name(d->kind), "succeeded",
			 d->succeeded, "started_unix_ms", whole(d->started_unix_ms),
			 "first_exposed_unix_ms", whole(d->exposed_unix_ms), "completed_unix_ms",
			 whole(d->completed_unix_ms), "counted", row.counted, "exposed",
			 row.exposed, "failed", row.failed, "taken_back_by", whole(row.by),
			 "repairs", d->kind == DORA_HOTFIX ? whole(d->about) : json_null(),
			 "recovery_ms", row.restored ? whole(row.recovery_ms) : json_null(),
			 "commits", commits_of(m, index));
}

static void add_environment(void *context, const struct view_environment *e)
{
	struct measuring_dora *m = context;
	if (m->result < 0)
		return;
	m->result = control_deployments(m->control, e->app, e->name, m->list, m->err);
	if (m->result < 0)
		return;
	m->input.deployments = m->list->items;
	m->input.deployment_count = m->list->count;
	m->input.hotfixes_known = m->list->repairs_known;
	m->input.commits = m->list->commits;
	m->input.commit_count = m->list->commit_count;
	dora_compute(&m->input, m->numbers);
	json_t *o = numbers_of(m), *rows = json_array();
	json_object_set_new(o, "app", json_string(e->app));
	json_object_set_new(o, "environment", json_string(e->name));
	json_object_set_new(o, "production", json_boolean(e->production));
	for (uint32_t i = 0; m->rows && i < m->list->count; i++) {
		json_t *row = row_of(m, i);
		if (row)
			json_array_append_new(rows, row);
	}
	if (m->rows)
		json_object_set(o, "rows", rows);
	json_decref(rows);
	json_array_append_new(m->environments, o);
}

static bool take_window(struct api *api, struct http_request *request, struct dora_input *input)
{
	const char *text = http_query(request, "window");
	uint64_t window_ms = (uint64_t)WINDOW_DAYS * DORA_DAY_MS;
	struct error err;
	if (text && (!text_parse_duration(text, &window_ms) || window_ms < DORA_DAY_MS)) {
		error_set(&err, ERR_INVALID,
			  "\"window\" must be a time from 1d to 366d such as 90d, not \"%s\".",
			  text);
		answer_error(request, &err, NULL);
		return false;
	}
	input->to_unix_ms = control_now_unix_ms(api->parts.control);
	input->from_unix_ms = input->to_unix_ms > window_ms ? input->to_unix_ms - window_ms : 0;
	return true;
}

void get_dora(struct api *api, struct http_request *request)
{
	struct error err;
	struct measuring_dora m = {
		.control = api->parts.control, .rows = http_query(request, "rows"), .err = &err};
	if (!take_window(api, request, &m.input))
		return;
	m.environments = json_array();
	m.list = mem_new(sizeof *m.list);
	m.numbers = mem_new(sizeof *m.numbers);
	int result = control_view_environments(
		api->parts.control, http_query(request, "environment"), add_environment, &m, &err);
	if (result < 0 || m.result < 0) {
		json_decref(m.environments);
		answer_error(request, &err, "davit status");
	} else {
		answer_json(request, 200,
			    json_pack("{s:s, s:o, s:o, s:o}", "schema", "davit.v1/dora",
				      "from_unix_ms", whole(m.input.from_unix_ms), "to_unix_ms",
				      whole(m.input.to_unix_ms), "environments", m.environments));
	}
	free(m.list);
	free(m.numbers);
}
