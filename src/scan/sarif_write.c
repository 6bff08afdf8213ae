/* SPDX-License-Identifier: Apache-2.0
 * sarif_write - writes findings as SARIF; see sarif.h for the contract. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "scan/path.h"
#include "scan/sarif.h"

enum { URI_MAX = 4 * FINDING_PATH_SIZE };

static const char schema[] = "https://json.schemastore.org/sarif-2.1.0.json";

/* A score in the middle of each band, so that others read the same severity. */
static const char *score_of(enum severity severity)
{
	static const char *const scores[SEVERITIES] = {"2.0", "5.5", "8.0", "9.5"};
	return scores[severity];
}

static const char *level_of(enum severity severity)
{
	static const char *const levels[SEVERITIES] = {"note", "warning", "error", "error"};
	return levels[severity];
}

static json_t *text_of(const char *text)
{
	json_t *value = json_string(text);
	return value ? value : json_string("(not UTF-8)");
}

static json_t *location(const struct finding *f)
{
	struct buf uri;
	json_t *physical = json_object(), *region = json_object();
	buf_init(&uri, URI_MAX);
	path_put_uri(&uri, f->path);
	json_object_set_new(physical, "artifactLocation",
			    json_pack("{s:s}", "uri", buf_text(&uri)));
	buf_done(&uri);
	if (f->line > 0)
		json_object_set_new(region, "startLine", json_integer(f->line));
	if (f->line > 0 && f->column > 0)
		json_object_set_new(region, "startColumn", json_integer(f->column));
	if (f->line > 0 && f->snippet[0])
		json_object_set_new(region, "snippet",
				    json_pack("{s:o}", "text", text_of(f->snippet)));
	if (f->line > 0)
		json_object_set_new(physical, "region", region);
	else
		json_decref(region);
	return json_pack("{s:o}", "physicalLocation", physical);
}

static void put_identity(json_t *result, const struct finding *f)
{
	char text[FINDING_IDENTITY_SIZE + 16];
	/* Message and snippet are there anyway, and the tree may be at hand when this is read. */
	if (f->kind == IDENTITY_MESSAGE || f->kind == IDENTITY_SNIPPET)
		return;
	snprintf(text, sizeof text, "%s:%s", identity_kind_name(f->kind), f->identity);
	json_object_set_new(result, "partialFingerprints",
			    json_pack("{s:s}", SARIF_IDENTITY, text));
}

static json_t *result(const struct finding *f)
{
	json_t *o = json_object();
	json_object_set_new(o, "ruleId", text_of(f->rule));
	json_object_set_new(o, "level", json_string(level_of(f->severity)));
	json_object_set_new(o, "message", json_pack("{s:o}", "text", text_of(f->message)));
	if (f->path[0])
		json_object_set_new(o, "locations", json_pack("[o]", location(f)));
	put_identity(o, f);
	if (f->suppression != SUPPRESSED_NOT)
		json_object_set_new(
			o, "suppressions",
			json_pack("[{s:s}]", "kind",
				  f->suppression == SUPPRESSED_EXTERNAL ? "external" : "inSource"));
	json_object_set_new(o, "properties",
			    json_pack("{s:s}", "security-severity", score_of(f->severity)));
	return o;
}

/* The rules of one tool, each with the worst severity that it was found with. */
static json_t *rules_of(const struct findings *list, const struct finding_tool *tool)
{
	json_t *by_id = json_object(), *rules = json_array();
	for (unsigned s = SEVERITIES; s-- > 0;)
		for (uint32_t i = 0; i < list->count; i++) {
			const struct finding *f = &list->items[i];
			if (f->tool != tool->name || f->severity != s ||
			    json_object_get(by_id, f->rule))
				continue;
			json_t *rule =
				json_pack("{s:o,s:{s:s}}", "id", text_of(f->rule), "properties",
					  "security-severity", score_of(f->severity));
			if (f->url[0])
				json_object_set_new(rule, "helpUri", text_of(f->url));
			json_object_set_new(by_id, f->rule, json_true());
			json_array_append_new(rules, rule);
		}
	json_decref(by_id);
	return rules;
}

static json_t *run(const struct findings *list, const struct finding_tool *tool)
{
	json_t *driver = json_pack("{s:o,s:o}", "name", text_of(tool->name), "rules",
				   rules_of(list, tool)),
	       *results = json_array();
	if (tool->version[0])
		json_object_set_new(driver, "version", text_of(tool->version));
	for (uint32_t i = 0; i < list->count; i++)
		if (list->items[i].tool == tool->name)
			json_array_append_new(results, result(&list->items[i]));
	return json_pack("{s:{s:o},s:[{s:b}],s:o}", "tool", "driver", driver, "invocations",
			 "executionSuccessful", 1, "results", results);
}

json_t *sarif_write(const struct findings *list)
{
	json_t *runs = json_array();
	for (uint32_t i = 0; i < list->tool_count; i++)
		json_array_append_new(runs, run(list, &list->tools[i]));
	return json_pack("{s:s,s:s,s:o}", "$schema", schema, "version", "2.1.0", "runs", runs);
}
