/* SPDX-License-Identifier: Apache-2.0
 * fence - see fence.h for the contract. */
#include "gateway/fence.h"

#include <string.h>

static const struct table_environment *find(const struct gateway_table *table,
					    const struct table_environment *like)
{
	for (uint32_t i = 0; i < table->environment_count; i++) {
		const struct table_environment *e = &table->environments[i];
		if (strcmp(e->app, like->app) == 0 && strcmp(e->name, like->name) == 0)
			return e;
	}
	return NULL;
}

static bool older(const struct table_environment *a, const struct table_environment *b)
{
	if (a->document_epoch != b->document_epoch)
		return a->document_epoch < b->document_epoch;
	return a->document_n < b->document_n;
}

/* The weight of the release `id` in an environment; 0 when it is not there. */
static uint32_t weight(const struct gateway_table *table, const struct table_environment *e,
		       const struct digest *id)
{
	for (uint32_t i = 0; i < e->release_count; i++) {
		const struct table_release *r = &table->releases[e->first_release + i];
		if (digest_equal(&r->id, id))
			return r->weight_bp;
	}
	return 0;
}

static bool weights_within(const struct gateway_table *a, const struct table_environment *of_a,
			   const struct gateway_table *b, const struct table_environment *of_b)
{
	for (uint32_t i = 0; i < of_a->release_count; i++) {
		const struct table_release *r = &a->releases[of_a->first_release + i];
		if (weight(b, of_b, &r->id) != r->weight_bp)
			return false;
	}
	return true;
}

static bool same_traffic(const struct gateway_table *a, const struct table_environment *of_a,
			 const struct gateway_table *b, const struct table_environment *of_b)
{
	return of_a->mode == of_b->mode && weights_within(a, of_a, b, of_b) &&
	       weights_within(b, of_b, a, of_a);
}

int fence_check(const struct gateway_table *in_force, const struct gateway_table *next,
		struct error *err)
{
	if (next->generation <= in_force->generation)
		return error_set(err, ERR_CONFLICT,
				 "Table %llu comes too late: table %llu is in force.",
				 (unsigned long long)next->generation,
				 (unsigned long long)in_force->generation);
	for (uint32_t i = 0; i < next->environment_count; i++) {
		const struct table_environment *new = &next->environments[i];
		const struct table_environment *old = find(in_force, new);
		if (!old || older(old, new))
			continue;
		const char *fault = older(new, old) ? "comes too late" : "says something else now";
		if (older(new, old) || !same_traffic(in_force, old, next, new))
			return error_set(
				err, ERR_CONFLICT,
				"Version %llu.%llu of the traffic of \"%s/%s\" %s: version "
				"%llu.%llu is in force.",
				(unsigned long long)new->document_epoch,
				(unsigned long long)new->document_n, new->app, new->name, fault,
				(unsigned long long)old->document_epoch,
				(unsigned long long)old->document_n);
	}
	return 0;
}
