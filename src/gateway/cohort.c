/* SPDX-License-Identifier: Apache-2.0
 *
 * cohort - see cohort.h for the contract.
 */
#include "gateway/cohort.h"

#include <string.h>

#include "gateway/live.h"

struct cohort {
	const struct table_cohort *rules;
	bool by_network;
	uint32_t first_network[TABLE_COHORT_RULES_MAX];
	struct cidr networks[]; /* of the rules, one after the other */
};

static uint32_t count_networks(const struct table_cohort *rules)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < rules->rule_count; i++)
		if (rules->rules[i].kind == TABLE_COHORT_NETWORK)
			count += rules->rules[i].value_count;
	return count;
}

struct cohort *cohort_make(const struct table_cohort *rules)
{
	uint32_t count = count_networks(rules), at = 0;
	if (rules->release == TABLE_NONE || rules->rule_count == 0)
		return NULL;
	struct cohort *cohort = mem_zero(1, sizeof(*cohort) + count * sizeof(struct cidr));
	cohort->rules = rules;
	cohort->by_network = count > 0;
	for (uint32_t i = 0; i < rules->rule_count; i++) {
		const struct table_cohort_rule *r = &rules->rules[i];
		if (r->kind != TABLE_COHORT_NETWORK)
			continue;
		cohort->first_network[i] = at;
		for (uint32_t k = 0; k < r->value_count; k++)
			ASSERT(cidr_parse(r->values[k], &cohort->networks[at++]));
	}
	return cohort;
}

static bool is_among(const struct table_cohort_rule *r, const char *text, size_t size)
{
	for (uint32_t i = 0; i < r->value_count; i++)
		if (strlen(r->values[i]) == size && memcmp(r->values[i], text, size) == 0)
			return true;
	return false;
}

static bool field_holds(const struct table_cohort_rule *r, const struct http1_head *head,
			const char *data)
{
	const struct http1_field *f = http1_field_named(head, data, r->name, 0);
	while (f && !is_among(r, data + f->value.at, f->value.size))
		f = http1_field_named(head, data, r->name, (uint16_t)(f - head->fields + 1));
	return f != NULL;
}

static bool cookie_holds(const struct table_cohort_rule *r, const struct http1_head *head,
			 const char *data)
{
	struct http1_span value;
	return http1_cookie_find(head, data, r->name, &value) &&
	       is_among(r, data + value.at, value.size);
}

static bool network_holds(const struct cohort *cohort, uint32_t rule, const uint8_t *address)
{
	const struct cidr *networks = cohort->networks + cohort->first_network[rule];
	for (uint32_t i = 0; address && i < cohort->rules->rules[rule].value_count; i++)
		if (cidr_holds(&networks[i], address))
			return true;
	return false;
}

bool cohort_has(const struct cohort *cohort, const struct http1_head *head, const char *data,
		const uint8_t *address)
{
	for (uint32_t i = 0; i < cohort->rules->rule_count; i++) {
		const struct table_cohort_rule *r = &cohort->rules->rules[i];
		if (r->kind == TABLE_COHORT_HEADER   ? field_holds(r, head, data)
		    : r->kind == TABLE_COHORT_COOKIE ? cookie_holds(r, head, data)
						     : network_holds(cohort, i, address))
			return true;
	}
	return false;
}

/* The last address of a list, without the white space around it; `size` becomes what is before it. */
static bool take_last(const char *list, size_t *size, char to[INET6_ADDRSTRLEN])
{
	size_t end = *size;
	while (end > 0 && (list[end - 1] == ' ' || list[end - 1] == '\t'))
		end--;
	size_t at = end;
	while (at > 0 && list[at - 1] != ',')
		at--;
	*size = at > 0 ? at - 1 : 0;
	while (at < end && (list[at] == ' ' || list[at] == '\t'))
		at++;
	if (end - at >= INET6_ADDRSTRLEN)
		return false;
	memcpy(to, list + at, end - at);
	to[end - at] = 0;
	return true;
}

bool cohort_address(const struct live *live, const struct http1_head *head, const char *data,
		    const char *peer, uint8_t ret_address[CIDR_ADDRESS_SIZE])
{
	char text[INET6_ADDRSTRLEN];
	if (!cidr_address(peer, ret_address))
		return false;
	if (!live_trusts(live, peer))
		return true;
	for (uint32_t i = head->field_count; i-- > 0;) {
		const struct http1_field *f = &head->fields[i];
		size_t left = f->value.size;
		while (f->id == HTTP1_FIELD_X_FORWARDED_FOR && left > 0) {
			if (!take_last(data + f->value.at, &left, text) ||
			    !cidr_address(text, ret_address))
				return false;
			if (!live_trusts(live, text))
				return true;
		}
	}
	return true;
}

bool cohort_takes(const struct exchange *x)
{
	const struct cohort *cohort = x->route->cohort;
	const char *data = x->request.buffer->data;
	uint8_t address[CIDR_ADDRESS_SIZE];
	bool known = cohort->by_network &&
		     cohort_address(x->live, &x->head, data, x->client->address, address);
	return cohort_has(cohort, &x->head, data, known ? address : NULL);
}
