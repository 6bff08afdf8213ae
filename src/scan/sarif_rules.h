/* SPDX-License-Identifier: Apache-2.0
 *
 * sarif_rules - the rules of one run of a SARIF report, and what a result takes from its rule: name, severity,
 *               message, link. For sarif_read.c.
 *
 * HOW   sarif_rules_load() for a run, sarif_rule_find() for a result, then the others with what it found. A rule
 *       that the report names and does not describe is fine: only its name is known then.
 * OWNS  Rules and texts are borrowed from the document.
 */
#ifndef SCAN_SARIF_RULES_H
#define SCAN_SARIF_RULES_H

#include <jansson.h>

#include "scan/finding.h"
#include "scan/json_input.h"

struct sarif_rules {
	const json_t *driver;     /* list of rules, or NULL */
	const json_t *extensions; /* list of components with rules, or NULL */
	json_t *by_id;            /* of the driver and of every extension */
};

struct sarif_rule {
	const char *id;
	const char *url;           /* or NULL */
	const json_t *description; /* or NULL */
};

int sarif_rules_load(struct json_input *in, struct sarif_rules *rules,
		     const json_t *tool) MUST_CHECK;
void sarif_rules_done(struct sarif_rules *rules);

/* By ruleIndex, rule.index, ruleId or rule.id; ERR_INVALID when the result names none. */
int sarif_rule_find(struct json_input *in, const struct sarif_rules *rules, const json_t *result,
		    struct sarif_rule *ret_rule) MUST_CHECK;

int sarif_rule_severity(struct json_input *in, const struct sarif_rule *rule, const json_t *result,
			enum severity *ret_severity) MUST_CHECK;

/* The sentence, with its placeholders filled; cut at `size`. */
int sarif_rule_message(struct json_input *in, const struct sarif_rule *rule, const json_t *result,
		       char *to, size_t size) MUST_CHECK;

#endif
