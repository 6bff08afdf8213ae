/* SPDX-License-Identifier: Apache-2.0
 * check_headers - see check.h for the contract. */
#include <string.h>
#include <strings.h>

#include "config/check.h"
#include "wire/field_rule.h"

/* The rules of one direction, those that set first. */
static const char *name_of(const struct app_field_rules *rules, uint32_t index)
{
	return index < rules->set_count ? rules->fields[index].name
					: rules->remove.items[index - rules->set_count];
}

static uint32_t count_of(const struct app_field_rules *rules)
{
	return rules->set_count + rules->remove.count;
}

/* What is under `key`, the place of which is `at`. */
static void check_way(struct reader *r, const struct yaml_node *at,
		      const struct app_field_rules *rules)
{
	uint32_t count = count_of(rules);
	size_t bytes = 0;
	for (uint32_t i = 0; i < count; i++) {
		bytes += strlen(name_of(rules, i));
		bytes += i < rules->set_count ? strlen(rules->fields[i].value) : 0;
		uint32_t before = 0;
		while (before < i && strcasecmp(name_of(rules, i), name_of(rules, before)) != 0)
			before++;
		if (before < i)
			reader_error(r, at, "\"%s\" has two rules; remove one.", name_of(rules, i));
	}
	if (bytes > FIELD_RULES_BYTES_MAX)
		reader_error(r, at,
			     "The header rules have %zu bytes of names and values, more than %d; "
			     "shorten them.",
			     bytes, FIELD_RULES_BYTES_MAX);
}

void check_headers(struct reader *r, const struct yaml_node *node,
		   const struct app_environment *environment)
{
	const struct app_headers *headers = &environment->requests.headers;
	const struct yaml_node *at = yaml_get(yaml_get(node, "requests"), "headers");
	if (!at)
		return;
	check_way(r, yaml_get(at, "request"), &headers->request);
	check_way(r, yaml_get(at, "response"), &headers->response);
	uint32_t count = count_of(&headers->request) + count_of(&headers->response);
	if (count > FIELD_RULES_MAX)
		reader_error(r, at, "\"headers\" has %u rules, more than %d; remove some.", count,
			     FIELD_RULES_MAX);
	for (uint32_t i = 0; i < headers->response.set_count && environment->tls.hsts_ms; i++)
		if (strcasecmp(headers->response.fields[i].name, "Strict-Transport-Security") == 0)
			reader_error(r, at,
				     "\"hsts\" of \"tls\" says Strict-Transport-Security already; "
				     "remove one of both.");
}
