/* SPDX-License-Identifier: Apache-2.0
 * convert_json - the JSON of bandit, shellcheck and npm audit; see convert.h. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "scan/convert.h"
#include "scan/json_input.h"
#include "scan/path.h"

struct words {
	const char *word;
	enum severity severity;
};

struct reader {
	struct json_input in;
	const struct convert_input *input;
	struct findings *to;
	struct finding_tool tool;
	char path[FINDING_PATH_SIZE];
};

typedef int read_document(struct reader *r, const json_t *root);

static int run(const struct convert_input *input, const char *tool, read_document *read,
	       struct findings *to, struct error *err)
{
	struct reader r = {.in = {.name = input->name, .err = err, .hide = input->hide},
			   .input = input,
			   .to = to};
	json_t *root;
	int status = findings_tool(to, tool, "", &r.tool, err);
	if (status < 0)
		return status;
	status = json_input_load(&r.in, input->text, input->size, &root);
	if (status < 0)
		return status;
	status = read(&r, root);
	json_decref(root);
	return status;
}

static int severity_of(struct reader *r, const struct words *words, const char *word,
		       enum severity *ret_severity)
{
	for (; words->word; words++)
		if (word && strcmp(words->word, word) == 0) {
			*ret_severity = words->severity;
			return 0;
		}
	return json_input_refuse(&r->in, ERR_INVALID, "\"%s\" is no severity of %s.",
				 word ? word : "", r->tool.name);
}

static int add(struct reader *r, struct finding *draft, const char *file)
{
	if (!path_of_name(file ? file : "", r->path))
		return json_input_refuse(&r->in, ERR_LIMIT, "A file's name is too long.");
	path_normalise(r->path, r->input->root);
	draft->tool = r->tool.name;
	draft->version = r->tool.version;
	draft->path = r->path;
	int status = findings_add(r->to, draft, r->in.err);
	if (status < 0)
		error_where(r->in.err, "%s: %s", r->in.name, r->in.place);
	return status;
}

/* A list that must be there: without it the tool has not looked. */
static int needed_list(struct reader *r, const json_t *root, const char *key, json_t **ret_list)
{
	int status = json_input_array(&r->in, root, key, ret_list);
	if (status == 0 && !*ret_list)
		return json_input_refuse(&r->in, ERR_INVALID,
					 "There is no \"%s\": this is no report of %s.", key,
					 r->tool.name);
	return status;
}

/* --- bandit -f json */

static const struct words bandit_words[] = {{"HIGH", SEVERITY_HIGH},
					    {"MEDIUM", SEVERITY_MEDIUM},
					    {"LOW", SEVERITY_LOW},
					    {"UNDEFINED", SEVERITY_LOW},
					    {NULL, SEVERITY_LOW}};

static int bandit_result(struct reader *r, const json_t *o)
{
	struct finding draft = {0};
	const char *file = NULL, *severity = NULL, *confidence = NULL;
	int status = json_input_is_object(&r->in, o, "A result");
	if (status == 0)
		status = json_input_text(&r->in, o, "test_id", &draft.rule);
	if (status == 0)
		status = json_input_text(&r->in, o, "issue_text", &draft.message);
	if (status == 0)
		status = json_input_text(&r->in, o, "more_info", &draft.url);
	if (status == 0)
		status = json_input_text(&r->in, o, "filename", &file);
	if (status == 0)
		status = json_input_text(&r->in, o, "issue_severity", &severity);
	if (status == 0)
		status = json_input_text(&r->in, o, "issue_confidence", &confidence);
	if (status == 0)
		status = json_input_count(&r->in, o, "line_number", &draft.line);
	if (status == 0)
		status = severity_of(r, bandit_words, severity, &draft.severity);
	if (status < 0)
		return status;
	if (confidence && strcmp(confidence, "LOW") == 0 && draft.severity > SEVERITY_LOW)
		draft.severity--;
	return add(r, &draft, file);
}

/* Files that bandit could not read or parse. */
static int bandit_errors(struct reader *r, const json_t *root)
{
	json_t *errors;
	const char *file = NULL, *reason = NULL;
	int status = json_input_array(&r->in, root, "errors", &errors);
	if (status < 0 || json_array_size(errors) == 0)
		return status;
	const json_t *first = json_array_get(errors, 0);
	status = json_input_text(&r->in, first, "filename", &file);
	if (status == 0)
		status = json_input_text(&r->in, first, "reason", &reason);
	return status < 0 ? status
			  : json_input_refuse(&r->in, ERR_INVALID,
					      "bandit could not look at %zu files, the first is "
					      "\"%.200s\": %.200s.",
					      json_array_size(errors), file ? file : "?",
					      reason ? reason : "it does not say why");
}

static int bandit(struct reader *r, const json_t *root)
{
	json_t *results, *row;
	size_t i;
	int status = bandit_errors(r, root);
	if (status == 0)
		status = needed_list(r, root, "results", &results);
	if (status < 0)
		return status;
	json_array_foreach (results, i, row) {
		json_input_place(&r->in, "results[%zu]", i);
		status = bandit_result(r, row);
		if (status < 0)
			break;
	}
	return status;
}

int convert_bandit(const struct convert_input *input, struct findings *to, struct error *err)
{
	return run(input, "bandit", bandit, to, err);
}

/* --- shellcheck -f json1 */

static const struct words shellcheck_words[] = {{"error", SEVERITY_HIGH},
						{"warning", SEVERITY_MEDIUM},
						{"info", SEVERITY_LOW},
						{"style", SEVERITY_LOW},
						{NULL, SEVERITY_LOW}};

static int shellcheck_comment(struct reader *r, const json_t *o)
{
	struct finding draft = {0};
	const char *file = NULL, *level = NULL;
	char rule[16], url[64];
	uint32_t code;
	int status = json_input_is_object(&r->in, o, "A comment");
	if (status == 0)
		status = json_input_text(&r->in, o, "file", &file);
	if (status == 0)
		status = json_input_text(&r->in, o, "level", &level);
	if (status == 0)
		status = json_input_text(&r->in, o, "message", &draft.message);
	if (status == 0)
		status = json_input_count(&r->in, o, "code", &code);
	if (status == 0)
		status = json_input_count(&r->in, o, "line", &draft.line);
	if (status == 0)
		status = json_input_count(&r->in, o, "column", &draft.column);
	if (status == 0)
		status = severity_of(r, shellcheck_words, level, &draft.severity);
	if (status < 0)
		return status;
	snprintf(rule, sizeof rule, "SC%u", code);
	snprintf(url, sizeof url, "https://www.shellcheck.net/wiki/%s", rule);
	draft.rule = rule;
	draft.url = url;
	return add(r, &draft, file);
}

static int shellcheck(struct reader *r, const json_t *root)
{
	json_t *comments, *row;
	size_t i;
	int status = needed_list(r, root, "comments", &comments);
	if (status < 0)
		return status;
	json_array_foreach (comments, i, row) {
		json_input_place(&r->in, "comments[%zu]", i);
		status = shellcheck_comment(r, row);
		if (status < 0)
			break;
	}
	return status;
}

int convert_shellcheck(const struct convert_input *input, struct findings *to, struct error *err)
{
	return run(input, "shellcheck", shellcheck, to, err);
}

/* --- npm audit --json */

static const struct words npm_words[] = {{"critical", SEVERITY_CRITICAL}, {"high", SEVERITY_HIGH},
					 {"moderate", SEVERITY_MEDIUM},   {"low", SEVERITY_LOW},
					 {"info", SEVERITY_LOW},          {NULL, SEVERITY_LOW}};

/* The advisory's own name is the end of its address; older ones have a number. */
static void npm_rule(const char *url, uint32_t source, char *to, size_t size)
{
	const char *slash = url ? strrchr(url, '/') : NULL;
	if (slash && slash[1])
		snprintf(to, size, "%.200s", slash + 1);
	else
		snprintf(to, size, "npm-%u", source);
}

static int npm_advisory(struct reader *r, const char *package, const json_t *via)
{
	struct finding draft = {0};
	const char *title = NULL, *severity = NULL, *range = NULL;
	char rule[FINDING_NAME_SIZE], message[FINDING_MESSAGE_SIZE];
	uint32_t source = 0;
	int status = json_input_is_object(&r->in, via, "An advisory");
	if (status == 0)
		status = json_input_text(&r->in, via, "title", &title);
	if (status == 0)
		status = json_input_text(&r->in, via, "severity", &severity);
	if (status == 0)
		status = json_input_text(&r->in, via, "range", &range);
	if (status == 0)
		status = json_input_text(&r->in, via, "url", &draft.url);
	if (status == 0)
		status = json_input_count(&r->in, via, "source", &source);
	if (status == 0)
		status = severity_of(r, npm_words, severity, &draft.severity);
	if (status < 0)
		return status;
	npm_rule(draft.url, source, rule, sizeof rule);
	snprintf(message, sizeof message, "%.200s %.200s: %.500s", package, range ? range : "",
		 title ? title : "a known vulnerability");
	draft.rule = rule;
	draft.message = message;
	return add(r, &draft, "package-lock.json");
}

/* Where `via` is the name of another package, that one has the advisory itself. */
static int npm_package(struct reader *r, const char *package, const json_t *o)
{
	json_t *list, *via;
	size_t i;
	json_input_place(&r->in, "vulnerabilities.%.60s", package);
	int status = json_input_is_object(&r->in, o, "A vulnerability");
	if (status == 0)
		status = json_input_array(&r->in, o, "via", &list);
	if (status < 0)
		return status;
	json_array_foreach (list, i, via) {
		if (!json_is_string(via))
			status = npm_advisory(r, package, via);
		if (status < 0)
			break;
	}
	return status;
}

static int npm_audit(struct reader *r, const json_t *root)
{
	json_t *packages, *o;
	const char *package;
	uint32_t version;
	if (json_object_get(root, "error"))
		return json_input_refuse(&r->in, ERR_INVALID,
					 "npm audit failed, and says so in \"error\": nothing was "
					 "looked up.");
	int status = json_input_count(&r->in, root, "auditReportVersion", &version);
	if (status == 0 && version != 2)
		return json_input_refuse(&r->in, ERR_INVALID,
					 "This is no report of npm audit --json of npm 7 or later "
					 "(\"auditReportVersion\" is not 2).");
	if (status == 0)
		status = json_input_object(&r->in, root, "vulnerabilities", &packages);
	if (status == 0 && !packages)
		return json_input_refuse(
			&r->in, ERR_INVALID,
			"There is no \"vulnerabilities\": this is no report of npm audit.");
	if (status < 0)
		return status;
	json_object_foreach(packages, package, o)
	{
		status = npm_package(r, package, o);
		if (status < 0)
			break;
	}
	return status;
}

int convert_npm_audit(const struct convert_input *input, struct findings *to, struct error *err)
{
	return run(input, "npm audit", npm_audit, to, err);
}
