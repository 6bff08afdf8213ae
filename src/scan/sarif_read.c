/* SPDX-License-Identifier: Apache-2.0
 * sarif_read - reads a report; see sarif.h for the contract, and sections 3.14 to 3.27 of the standard. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "scan/json_input.h"
#include "scan/path.h"
#include "scan/sarif.h"
#include "scan/sarif_rules.h"

enum { BASES_MAX = 8 };

struct reader {
	struct json_input in;
	const char *root;
	struct findings *to;
	struct sarif_rules rules; /* of the run at hand */
	json_t *bases;            /* its originalUriBaseIds, or NULL */
	struct finding_tool tool;
	unsigned run;
	char path[FINDING_PATH_SIZE];
	char message[FINDING_MESSAGE_SIZE + 1];
};

/* --- places */

/* Put what the base stands for before the path; bases may have bases. */
static int apply_base(struct reader *r, const char *id)
{
	char base[FINDING_PATH_SIZE];
	for (unsigned i = 0; id && i < BASES_MAX; i++) {
		json_t *location;
		const char *uri;
		int status = json_input_object(&r->in, r->bases, id, &location);
		if (status == 0)
			status = json_input_text(&r->in, location, "uri", &uri);
		if (status == 0)
			status = json_input_text(&r->in, location, "uriBaseId", &id);
		if (status < 0 || !uri)
			return status;
		if (!path_of_uri(uri, base))
			return json_input_refuse(&r->in, ERR_LIMIT, "A base of paths is too long.");
		path_normalise(base, NULL);
		/* Where the scanner saw the tree is of no interest, but for a part of the tree at hand. */
		size_t size = r->root ? strlen(r->root) : 0;
		bool beneath = size > 0 && strncmp(base, r->root, size) == 0 && base[size] == '/';
		if (path_is_absolute(base) && !beneath)
			return 0;
		if (!path_put_beneath(r->path, base))
			return json_input_refuse(&r->in, ERR_LIMIT, "A path is too long.");
	}
	return 0;
}

static int read_artifact(struct reader *r, const json_t *physical)
{
	json_t *artifact;
	const char *uri = NULL, *base = NULL;
	int status = json_input_object(&r->in, physical, "artifactLocation", &artifact);
	if (status == 0)
		status = json_input_text(&r->in, artifact, "uri", &uri);
	if (status == 0)
		status = json_input_text(&r->in, artifact, "uriBaseId", &base);
	if (status < 0 || !uri)
		return status;
	if (!path_of_uri(uri, r->path))
		return json_input_refuse(&r->in, ERR_LIMIT, "A path is longer than %d bytes.",
					 FINDING_PATH_SIZE - 1);
	if (!path_is_absolute(r->path))
		status = apply_base(r, base);
	path_normalise(r->path, r->root);
	return status;
}

static int read_region(struct reader *r, const json_t *physical, struct finding *draft)
{
	json_t *region, *snippet;
	int status = json_input_object(&r->in, physical, "region", &region);
	if (status == 0)
		status = json_input_count(&r->in, region, "startLine", &draft->line);
	if (status == 0)
		status = json_input_count(&r->in, region, "startColumn", &draft->column);
	if (status == 0)
		status = json_input_object(&r->in, region, "snippet", &snippet);
	if (status == 0)
		status = json_input_text(&r->in, snippet, "text", &draft->snippet);
	return status;
}

/* Without a file, what the report calls the place: a URL of a scan, a function. */
static int read_logical(struct reader *r, const json_t *location)
{
	json_t *list;
	const char *name = NULL;
	int status = json_input_array(&r->in, location, "logicalLocations", &list);
	if (status < 0 || json_array_size(list) == 0)
		return status;
	status = json_input_text(&r->in, json_array_get(list, 0), "fullyQualifiedName", &name);
	if (status == 0 && name && !path_of_name(name, r->path))
		status = json_input_refuse(&r->in, ERR_LIMIT, "A place is longer than %d bytes.",
					   FINDING_PATH_SIZE - 1);
	return status;
}

/* The first location is the one that a result is about. */
static int read_location(struct reader *r, const json_t *result, struct finding *draft)
{
	json_t *list, *physical;
	r->path[0] = '\0';
	draft->path = r->path;
	int status = json_input_array(&r->in, result, "locations", &list);
	if (status < 0 || json_array_size(list) == 0)
		return status;
	const json_t *location = json_array_get(list, 0);
	status = json_input_is_object(&r->in, location, "A location");
	if (status == 0)
		status = json_input_object(&r->in, location, "physicalLocation", &physical);
	if (status == 0)
		status = read_artifact(r, physical);
	if (status == 0)
		status = read_region(r, physical, draft);
	return status < 0 || r->path[0] ? status : read_logical(r, location);
}

/* --- what makes a finding the same one in the next report */

/* "context:" and hex, as davit writes it. */
static bool take_given(const char *text, struct finding *draft)
{
	const char *colon = strchr(text, ':');
	enum identity_kind kind;
	if (!colon || !identity_kind_parse(text, (size_t)(colon - text), &kind) ||
	    strlen(colon + 1) != FINDING_IDENTITY_SIZE - 1 ||
	    strspn(colon + 1, "0123456789abcdef") != FINDING_IDENTITY_SIZE - 1)
		return false;
	draft->kind = kind;
	memcpy(draft->identity, colon + 1, FINDING_IDENTITY_SIZE);
	return true;
}

/* A hash is one word; several are a note of why there is none. */
static bool is_fingerprint(const char *text)
{
	return text && text[0] && strlen(text) < FINDING_NAME_SIZE && !strpbrk(text, " \t\r\n");
}

/* Of several, the first by name: the order of members means nothing. */
static const char *first_fingerprint(const json_t *fingerprints)
{
	const char *first = NULL, *key;
	json_t *value;
	json_object_foreach((json_t *)fingerprints, key,
			    value) if (is_fingerprint(json_string_value(value)) &&
				       (!first || strcmp(key, first) < 0)) first = key;
	return first ? json_string_value(json_object_get(fingerprints, first)) : NULL;
}

static int read_fingerprints(struct reader *r, const json_t *result, struct finding *draft)
{
	json_t *partial, *whole;
	const char *given = NULL, *hash = NULL;
	int status = json_input_object(&r->in, result, "partialFingerprints", &partial);
	if (status == 0)
		status = json_input_object(&r->in, result, "fingerprints", &whole);
	if (status == 0)
		status = json_input_text(&r->in, partial, SARIF_IDENTITY, &given);
	if (status == 0)
		status = json_input_text(&r->in, partial, "primaryLocationLineHash", &hash);
	if (status < 0 || (given && take_given(given, draft)))
		return status;
	draft->fingerprint = is_fingerprint(hash) ? hash : first_fingerprint(whole);
	return 0;
}

/* Suppressed, unless one of its suppressions is still under review or was rejected (3.27.23). */
static int read_suppressions(struct reader *r, const json_t *result, struct finding *draft)
{
	json_t *list, *row;
	size_t i;
	int status = json_input_array(&r->in, result, "suppressions", &list);
	json_array_foreach (list, i, row) {
		const char *kind, *said;
		if (status == 0)
			status = json_input_is_object(&r->in, row, "A suppression");
		if (status == 0)
			status = json_input_text(&r->in, row, "kind", &kind);
		if (status == 0)
			status = json_input_text(&r->in, row, "status", &said);
		if (status < 0)
			return status;
		if (said && strcmp(said, "accepted") != 0) {
			draft->suppression = SUPPRESSED_NOT;
			return 0;
		}
		draft->suppression = kind && strcmp(kind, "external") == 0 ? SUPPRESSED_EXTERNAL
									   : SUPPRESSED_IN_SOURCE;
	}
	return status;
}

/* --- results */

/* Does it say that something is wrong? */
static int read_kind(struct reader *r, const json_t *result, bool *ret_wrong)
{
	const char *kind, *state;
	int status = json_input_text(&r->in, result, "kind", &kind);
	if (status == 0)
		status = json_input_text(&r->in, result, "baselineState", &state);
	*ret_wrong = status == 0 && !(state && strcmp(state, "absent") == 0) &&
		     (!kind || (strcmp(kind, "pass") != 0 && strcmp(kind, "notApplicable") != 0 &&
				strcmp(kind, "informational") != 0));
	return status;
}

static int read_result(struct reader *r, const json_t *result)
{
	struct finding draft = {.tool = r->tool.name, .version = r->tool.version};
	struct sarif_rule rule;
	bool wrong = false;
	int status = json_input_is_object(&r->in, result, "A result");
	if (status == 0)
		status = read_kind(r, result, &wrong);
	if (status < 0 || !wrong) {
		r->to->left_out += status == 0;
		return status;
	}
	status = sarif_rule_find(&r->in, &r->rules, result, &rule);
	if (status == 0)
		status = sarif_rule_severity(&r->in, &rule, result, &draft.severity);
	if (status == 0)
		status = sarif_rule_message(&r->in, &rule, result, r->message, sizeof r->message);
	if (status == 0)
		status = read_location(r, result, &draft);
	if (status == 0)
		status = read_fingerprints(r, result, &draft);
	if (status == 0)
		status = read_suppressions(r, result, &draft);
	if (status < 0)
		return status;
	draft.rule = rule.id;
	draft.url = rule.url;
	draft.message = r->message;
	status = findings_add(r->to, &draft, r->in.err);
	if (status < 0)
		error_where(r->in.err, "%s: %s", r->in.name, r->in.place);
	return status;
}

/* --- runs */

static int check_invocations(struct reader *r, const json_t *run)
{
	json_t *list, *row;
	size_t i;
	bool ran;
	int status = json_input_array(&r->in, run, "invocations", &list);
	json_array_foreach (list, i, row) {
		if (status == 0)
			status = json_input_is_object(&r->in, row, "An invocation");
		if (status == 0)
			status = json_input_bool(&r->in, row, "executionSuccessful", true, &ran);
		if (status < 0)
			return status;
		if (!ran)
			return json_input_refuse(&r->in, ERR_INVALID,
						 "The scanner says that it failed "
						 "(executionSuccessful is false).");
	}
	return status;
}

static int read_tool(struct reader *r, const json_t *run, json_t **ret_tool)
{
	json_t *driver;
	const char *name = NULL, *version = NULL, *semantic = NULL;
	int status = json_input_object(&r->in, run, "tool", ret_tool);
	if (status == 0)
		status = json_input_object(&r->in, *ret_tool, "driver", &driver);
	if (status == 0)
		status = json_input_text(&r->in, driver, "name", &name);
	if (status == 0)
		status = json_input_text(&r->in, driver, "version", &version);
	if (status == 0)
		status = json_input_text(&r->in, driver, "semanticVersion", &semantic);
	if (status < 0)
		return status;
	version = version ? version : semantic ? semantic : "";
	status = findings_tool(r->to, name ? name : "", version, &r->tool, r->in.err);
	if (status < 0)
		error_where(r->in.err, "%s: %s", r->in.name, r->in.place);
	return status;
}

static int read_results(struct reader *r, const json_t *run)
{
	json_t *list, *row;
	size_t i;
	int status = json_input_array(&r->in, run, "results", &list);
	if (status == 0 && !list)
		return json_input_refuse(&r->in, ERR_INVALID,
					 "The run has no \"results\": the scanner did not look. A "
					 "scan that finds nothing says \"results\": [].");
	json_array_foreach (list, i, row) {
		json_input_place(&r->in, "runs[%u].results[%zu]", r->run, i);
		if (status == 0)
			status = read_result(r, row);
		if (status < 0)
			break;
	}
	return status;
}

static int read_run(struct reader *r, const json_t *run)
{
	json_t *tool;
	json_input_place(&r->in, "runs[%u]", r->run);
	int status = json_input_is_object(&r->in, run, "A run");
	if (status == 0)
		status = check_invocations(r, run);
	if (status == 0)
		status = read_tool(r, run, &tool);
	if (status == 0)
		status = json_input_object(&r->in, run, "originalUriBaseIds", &r->bases);
	if (status < 0)
		return status;
	status = sarif_rules_load(&r->in, &r->rules, tool);
	if (status == 0)
		status = read_results(r, run);
	sarif_rules_done(&r->rules);
	return status;
}

static int read_root(struct reader *r, const json_t *root)
{
	json_t *runs = NULL, *run;
	const char *version = NULL;
	size_t i;
	int status = json_input_text(&r->in, root, "version", &version);
	if (status == 0 && (!version || strcmp(version, "2.1.0") != 0))
		return json_input_refuse(
			&r->in, ERR_INVALID,
			"This is not SARIF 2.1.0 (\"version\" says so). \"davit scan "
			"convert\" makes SARIF of other reports.");
	if (status == 0)
		status = json_input_array(&r->in, root, "runs", &runs);
	if (status == 0 && json_array_size(runs) == 0)
		return json_input_refuse(&r->in, ERR_INVALID,
					 "The report has no runs: the scanner did not run.");
	if (status == 0 && json_array_size(runs) > SARIF_RUNS_MAX)
		return json_input_refuse(&r->in, ERR_LIMIT, "The report has more than %d runs.",
					 SARIF_RUNS_MAX);
	json_array_foreach (runs, i, run) {
		r->run = (unsigned)i;
		if (status == 0)
			status = read_run(r, run);
	}
	return status;
}

int sarif_read(const struct convert_input *input, struct findings *to, struct error *err)
{
	json_t *document;
	struct reader *r = mem_zero(1, sizeof *r);
	r->in = (struct json_input){.name = input->name, .err = err, .hide = input->hide};
	r->root = input->root;
	r->to = to;
	int status = json_input_load(&r->in, input->text, input->size, &document);
	if (status == 0) {
		status = read_root(r, document);
		json_decref(document);
	}
	free(r);
	return status;
}
