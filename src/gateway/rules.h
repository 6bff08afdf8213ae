/* SPDX-License-Identifier: Apache-2.0
 *
 * rules - the header rules of an environment, ready to be applied.
 *
 * WHAT  One set of fields for requests on their way to a backend, one for answers on their way to a client.
 *       Each names fields that are left out, and what is written instead, if anything.
 * HOW   rules_prepare() makes them from a table once, and refuses what wire/field_rule.h does not allow, for
 *       the worker trusts nobody. A route without rules has none: `rules` is NULL and nothing is asked.
 *       Both writers of heads apply a set in the same way: a field that http1_set_has() is left out, then
 *       the set's own fields follow, those with a value. Names are lower case, as HTTP/2 wants them.
 *       Answers of davit's own and interim ones are not touched.
 * OWNS  Texts are the table's, which must live as long.
 * ERRORS ERR_INVALID, with a sentence that names the environment.
 */
#ifndef GATEWAY_RULES_H
#define GATEWAY_RULES_H

#include "gateway/core.h"
#include "wire/field_rule.h"
#include "wire/http1_write.h"

struct rules_way {
	uint32_t count;
	uint32_t bytes; /* of names and values */
	struct http1_set set[FIELD_RULES_MAX];
};

struct rules {
	struct rules_way request, answer;
};

/* For each environment of live->table, into live->rules; names in the table become lower case. */
int rules_prepare(struct live *live, struct error *err) MUST_CHECK;
void rules_forget(struct live *live);

#endif
