/* SPDX-License-Identifier: Apache-2.0
 * rules - see rules.h for the contract. */
#include "gateway/rules.h"

#include <stdlib.h>
#include <string.h>

#include "wire/chars.h"

_Static_assert((int)TABLE_ENVIRONMENT_RULES_MAX == (int)FIELD_RULES_MAX &&
		       (int)FIELD_RULE_NAME_MAX < (int)TABLE_NAME_SIZE &&
		       (int)FIELD_RULE_VALUE_MAX < (int)TABLE_VALUE_SIZE,
	       "what a rule may be fits into a table");

static int refuse(const struct table_environment *e, const struct table_rule *rule,
		  struct error *err, const char *what)
{
	return error_set(err, ERR_INVALID,
			 "The header rule for \"%s\" of environment \"%s/%s\" %s.", rule->name,
			 e->app, e->name, what);
}

static int add_rule(struct rules *rules, const struct table_environment *e, struct table_rule *rule,
		    struct error *err)
{
	struct rules_way *way = rule->answer ? &rules->answer : &rules->request;
	size_t name_size = strlen(rule->name), value_size = strlen(rule->value);
	if (!field_rule_name(rule->name))
		return refuse(e, rule, err, "names a field that must not be touched");
	if (value_size > 0 && !field_rule_value(rule->value))
		return refuse(e, rule, err, "has a value that is not visible ASCII");
	for (char *c = rule->name; *c; c++)
		*c = char_lower(*c);
	if (http1_set_has(way->set, way->count, rule->name, name_size))
		return refuse(e, rule, err, "is there twice");
	way->bytes += (uint32_t)(name_size + value_size);
	if (way->bytes > FIELD_RULES_BYTES_MAX)
		return refuse(e, rule, err, "makes them too large together");
	way->set[way->count++] = (struct http1_set){.name = rule->name,
						    .name_size = (uint16_t)name_size,
						    .value = value_size > 0 ? rule->value : NULL,
						    .value_size = (uint16_t)value_size};
	return 0;
}

int rules_prepare(struct live *live, struct error *err)
{
	struct gateway_table *t = live->table;
	for (uint32_t i = 0; i < t->environment_count; i++) {
		const struct table_environment *e = &t->environments[i];
		if (e->rule_count == 0)
			continue;
		live->rules[i] = mem_zero(1, sizeof(struct rules));
		for (uint32_t k = 0; k < e->rule_count; k++) {
			int failed = add_rule(live->rules[i], e, &t->rules[e->first_rule + k], err);
			if (failed)
				return failed;
		}
	}
	return 0;
}

void rules_forget(struct live *live)
{
	for (uint32_t i = 0; i < live->table->environment_count; i++)
		free(live->rules[i]);
	free(live->rules);
}
