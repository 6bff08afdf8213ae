/* SPDX-License-Identifier: Apache-2.0
 * report - a checked scan as davit.v1/scan; see scan.h. */
#include "scan/scan.h"

static json_t *text_of(const char *text)
{
	json_t *value = json_string(text);
	return value ? value : json_string("(not UTF-8)");
}

static json_t *finding_json(const struct scan_report *report, const struct finding *f)
{
	json_t *o = json_object();
	json_object_set_new(o, "state", json_string(finding_state_name(f->state)));
	json_object_set_new(o, "severity", json_string(severity_name(f->severity)));
	json_object_set_new(o, "tool", text_of(f->tool));
	json_object_set_new(o, "rule", text_of(f->rule));
	json_object_set_new(o, "path", text_of(f->path));
	json_object_set_new(o, "line", json_integer(f->line));
	json_object_set_new(o, "column", json_integer(f->column));
	json_object_set_new(o, "message", text_of(f->message));
	json_object_set_new(o, "url", text_of(f->url));
	json_object_set_new(o, "identity", json_string(f->identity));
	json_object_set_new(o, "known_by", json_string(identity_kind_name(f->kind)));
	if (f->state == FINDING_WAIVED) {
		const struct waiver *w = &report->waivers.items[f->waiver];
		json_object_set_new(o, "waiver",
				    json_pack("{s:o,s:o,s:s}", "reason", text_of(w->reason),
					      "owner", text_of(w->owner), "until", w->until));
	}
	return o;
}

static json_t *list_json(const struct scan_report *report, const struct findings *list, bool fixed)
{
	json_t *rows = json_array();
	for (uint32_t i = 0; i < list->count; i++)
		if ((list->items[i].state == FINDING_FIXED) == fixed)
			json_array_append_new(rows, finding_json(report, &list->items[i]));
	return rows;
}

static json_t *counts_json(const struct scan_report *report)
{
	json_t *o = json_object();
	for (unsigned state = 0; state < FINDING_STATES; state++) {
		json_t *row = json_pack("{s:i}", "total", (int)report->counts.total[state]);
		for (unsigned s = SEVERITIES; s-- > 0;)
			json_object_set_new(row, severity_name((enum severity)s),
					    json_integer(report->counts.of[state][s]));
		json_object_set_new(o, finding_state_name((enum finding_state)state), row);
	}
	json_object_set_new(o, "left_out", json_integer(report->now.left_out));
	return o;
}

static json_t *tools_json(const struct findings *list)
{
	json_t *rows = json_array();
	for (uint32_t i = 0; i < list->tool_count; i++)
		json_array_append_new(rows,
				      json_pack("{s:o,s:o}", "name", text_of(list->tools[i].name),
						"version", text_of(list->tools[i].version)));
	return rows;
}

static json_t *waivers_json(const struct waivers *waivers)
{
	json_t *rows = json_array();
	for (uint32_t i = 0; i < waivers->count; i++) {
		const struct waiver *w = &waivers->items[i];
		json_array_append_new(rows, json_pack("{s:o,s:o,s:o,s:o,s:s,s:i,s:b,s:i}", "rule",
						      text_of(w->rule), "path", text_of(w->path),
						      "reason", text_of(w->reason), "owner",
						      text_of(w->owner), "until", w->until, "line",
						      (int)w->line, "expired", w->expired,
						      "findings", (int)w->used));
	}
	return rows;
}

json_t *scan_report_json(const struct scan_report *report)
{
	json_t *o = json_object();
	json_object_set_new(o, "schema", json_string("davit.v1/scan"));
	json_object_set_new(o, "verdict", json_string(report->blocked ? "blocked" : "pass"));
	json_object_set_new(o, "sentence", json_string(report->sentence));
	json_object_set_new(o, "block_at",
			    report->policy.blocks
				    ? json_string(severity_name(report->policy.block_at))
				    : json_null());
	json_object_set_new(o, "against", json_boolean(report->has_base));
	json_object_set_new(o, "tools", tools_json(&report->now));
	json_object_set_new(o, "counts", counts_json(report));
	json_object_set_new(o, "findings", list_json(report, &report->now, false));
	json_object_set_new(o, "fixed", list_json(report, &report->base, true));
	json_object_set_new(o, "waivers", waivers_json(&report->waivers));
	return o;
}
