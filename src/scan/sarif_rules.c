/* SPDX-License-Identifier: Apache-2.0
 * sarif_rules - see sarif_rules.h for the contract. */
#include "scan/sarif_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { SCORE_DIGITS_MAX = 8 };

static const double SCORE_MOST = 10;

/* --- the rules of a run */

static int index_rules(struct json_input *in, struct sarif_rules *rules, const json_t *list)
{
	json_t *rule;
	size_t i;
	json_array_foreach (list, i, rule) {
		const char *id = NULL;
		int status = json_input_is_object(in, rule, "A rule");
		if (status == 0)
			status = json_input_text(in, rule, "id", &id);
		if (status < 0)
			return status;
		if (id && !json_object_get(rules->by_id, id))
			json_object_set(rules->by_id, id, rule);
	}
	return 0;
}

int sarif_rules_load(struct json_input *in, struct sarif_rules *rules, const json_t *tool)
{
	json_t *driver = NULL, *list = NULL, *extensions = NULL, *extension;
	size_t i;
	*rules = (struct sarif_rules){.by_id = json_object()};
	int status = json_input_object(in, tool, "driver", &driver);
	if (status == 0)
		status = json_input_array(in, driver, "rules", &list);
	if (status == 0)
		status = json_input_array(in, tool, "extensions", &extensions);
	if (status == 0)
		status = index_rules(in, rules, list);
	if (status == 0) {
		rules->driver = list;
		rules->extensions = extensions;
	}
	json_array_foreach (extensions, i, extension) {
		if (status == 0)
			status = json_input_is_object(in, extension, "An extension");
		if (status == 0)
			status = json_input_array(in, extension, "rules", &list);
		if (status == 0)
			status = index_rules(in, rules, list);
	}
	if (status < 0)
		sarif_rules_done(rules);
	return status;
}

void sarif_rules_done(struct sarif_rules *rules)
{
	json_decref(rules->by_id);
	*rules = (struct sarif_rules){0};
}

/* --- the rule of a result */

static const json_t *by_index(const struct sarif_rules *rules, const json_t *result,
			      const json_t *reference)
{
	const json_t *index = json_object_get(reference, "index"),
		     *component =
			     json_object_get(json_object_get(reference, "toolComponent"), "index");
	const json_t *list = rules->driver;
	if (!json_is_integer(index))
		index = json_object_get(result, "ruleIndex");
	if (json_is_integer(component))
		list = json_object_get(
			json_array_get(rules->extensions, (size_t)json_integer_value(component)),
			"rules");
	return json_is_integer(index) ? json_array_get(list, (size_t)json_integer_value(index))
				      : NULL;
}

/* "CA1711/2" is a result of rule CA1711 (3.27.5). */
static const json_t *by_id(const struct sarif_rules *rules, const char *id)
{
	char parent[FINDING_NAME_SIZE];
	const json_t *rule = json_object_get(rules->by_id, id);
	size_t size = strlen(id);
	while (!rule && size > 0 && size < sizeof parent) {
		while (size > 0 && id[size - 1] != '/')
			size--;
		if (size == 0)
			break;
		memcpy(parent, id, --size);
		parent[size] = '\0';
		rule = json_object_get(rules->by_id, parent);
	}
	return rule;
}

int sarif_rule_find(struct json_input *in, const struct sarif_rules *rules, const json_t *result,
		    struct sarif_rule *ret_rule)
{
	json_t *reference;
	const char *id = NULL, *referred = NULL;
	int status = json_input_text(in, result, "ruleId", &id);
	if (status == 0)
		status = json_input_object(in, result, "rule", &reference);
	if (status == 0)
		status = json_input_text(in, reference, "id", &referred);
	if (status < 0)
		return status;
	id = id ? id : referred;
	const json_t *rule = by_index(rules, result, reference);
	if (!rule && id)
		rule = by_id(rules, id);
	if (!id)
		status = json_input_text(in, rule, "id", &id);
	if (status == 0 && (!id || !id[0]))
		return json_input_refuse(in, ERR_INVALID,
					 "The result names no rule (\"ruleId\" or \"ruleIndex\").");
	*ret_rule = (struct sarif_rule){.id = id, .description = rule};
	return status < 0 ? status : json_input_text(in, rule, "helpUri", &ret_rule->url);
}

/* --- severity */

/* Text ("7.5", as GitHub wants it) or a number; what is no score says nothing. */
static bool score_of(const json_t *o, double *ret_score)
{
	const json_t *value =
		json_object_get(json_object_get(o, "properties"), "security-severity");
	const char *text = json_string_value(value);
	double score = json_number_value(value);
	if (text && text[0] && strlen(text) <= SCORE_DIGITS_MAX &&
	    strspn(text, "0123456789.") == strlen(text))
		score = strtod(text, NULL);
	if (!(score > 0 && score <= SCORE_MOST))
		return false;
	*ret_score = score;
	return true;
}

static bool severity_of_level(const char *level, enum severity *ret_severity)
{
	static const struct {
		const char *level;
		enum severity severity;
	} levels[] = {{"error", SEVERITY_HIGH},
		      {"warning", SEVERITY_MEDIUM},
		      {"note", SEVERITY_LOW},
		      {"none", SEVERITY_LOW}};
	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
		if (strcmp(level, levels[i].level) == 0) {
			*ret_severity = levels[i].severity;
			return true;
		}
	return false;
}

int sarif_rule_severity(struct json_input *in, const struct sarif_rule *rule, const json_t *result,
			enum severity *ret_severity)
{
	json_t *defaults;
	const char *level = NULL, *usual = NULL;
	double score;
	int status = json_input_text(in, result, "level", &level);
	if (status == 0)
		status =
			json_input_object(in, rule->description, "defaultConfiguration", &defaults);
	if (status == 0)
		status = json_input_text(in, defaults, "level", &usual);
	if (status < 0)
		return status;
	level = level ? level : usual ? usual : "warning";
	if (!severity_of_level(level, ret_severity))
		return json_input_refuse(in, ERR_INVALID,
					 "\"level\" is \"%s\", which means nothing.", level);
	if (score_of(result, &score) || score_of(rule->description, &score))
		*ret_severity = severity_of_score(score);
	return 0;
}

/* --- message */

/* {0} to {9} stand for the arguments; {{ and }} for a brace (3.11.5). */
static void fill(const char *text, const json_t *arguments, size_t size, struct buf *to)
{
	for (const char *p = text; *p && to->size < size; p++) {
		bool holds = p[0] == '{' && p[1] >= '0' && p[1] <= '9' && p[2] == '}';
		const char *argument =
			holds ? json_string_value(json_array_get(arguments, (size_t)(p[1] - '0')))
			      : NULL;
		if (argument)
			buf_append(to, argument, strnlen(argument, size));
		else
			buf_append(to, p, 1);
		if (argument)
			p += 2;
		else if ((p[0] == '{' || p[0] == '}') && p[1] == p[0])
			p++;
	}
}

static const char *text_in(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(json_object_get(o, key), "text"));
}

int sarif_rule_message(struct json_input *in, const struct sarif_rule *rule, const json_t *result,
		       char *to, size_t size)
{
	json_t *message, *arguments;
	const char *text = NULL, *id = NULL;
	struct buf filled;
	int status = json_input_object(in, result, "message", &message);
	if (status == 0)
		status = json_input_text(in, message, "text", &text);
	if (status == 0)
		status = json_input_text(in, message, "id", &id);
	if (status == 0)
		status = json_input_array(in, message, "arguments", &arguments);
	if (status < 0)
		return status;
	if (!text && id)
		text = text_in(json_object_get(rule->description, "messageStrings"), id);
	if (!text)
		text = text_in(rule->description, "shortDescription");
	if (!text)
		text = text_in(rule->description, "fullDescription");
	if (!text)
		text = rule->id;
	buf_init(&filled, 2 * size);
	if (arguments)
		fill(text, arguments, size, &filled);
	else
		buf_append(&filled, text, strnlen(text, size));
	size_t length = filled.size < size - 1 ? filled.size : size - 1;
	memcpy(to, buf_text(&filled), length);
	to[length] = '\0';
	buf_done(&filled);
	return 0;
}
