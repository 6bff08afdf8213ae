/* SPDX-License-Identifier: Apache-2.0
 *
 * finding - what a scanner found, in davit's words: severity, rule, place, sentence, and what became of it.
 *
 * WHAT  A list holds the findings of one or several reports, and the tools that ran (also those that found
 *       nothing). Readers (sarif.h, convert.h) fill it; identity.h says which findings of two lists are the
 *       same; compare.h what that means.
 *
 * OWNS  The list owns its findings and their texts. findings_add() copies; `tool` and `version` come from
 *       findings_tool() and live as long as the list.
 * ERRORS ERR_LIMIT past a bound, ERR_INVALID for a finding without a rule.
 * LIMITS FINDINGS_MAX findings and FINDING_TOOLS_MAX tools a list; the sizes below, with the NUL. A longer
 *       message is cut and ends with "..."; a rule or path that is longer is an error, for cut ones collide.
 */
#ifndef SCAN_FINDING_H
#define SCAN_FINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum {
	FINDINGS_MAX = 25000,
	FINDING_TOOLS_MAX = 64,
	FINDING_NAME_SIZE = 256, /* of a tool, a version, a rule, a fingerprint */
	FINDING_PATH_SIZE = 1024,
	FINDING_MESSAGE_SIZE = 1024,
	FINDING_SNIPPET_SIZE = 2048,
	FINDING_IDENTITY_SIZE = 33, /* hex */
};

enum severity { SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_CRITICAL, SEVERITIES };

enum finding_state {
	FINDING_NEW,        /* not in the baseline */
	FINDING_EXISTING,   /* in the baseline as well */
	FINDING_FIXED,      /* in the baseline, and no more */
	FINDING_SUPPRESSED, /* the report itself says so, mostly by a comment in the source */
	FINDING_WAIVED,     /* by a waiver that has not expired */
	FINDING_STATES
};

enum suppression {
	SUPPRESSED_NOT,
	SUPPRESSED_IN_SOURCE,
	SUPPRESSED_EXTERNAL,
	SUPPRESSED_BY_WAIVER, /* of a baseline that davit kept (known.h): it was waived then */
	SUPPRESSIONS
};

/* What an identity is made of, the weakest first. */
enum identity_kind {
	IDENTITY_MESSAGE,
	IDENTITY_SNIPPET, /* the lines that the report quotes */
	IDENTITY_CONTEXT, /* those of the tree */
	IDENTITY_FINGERPRINT,
	IDENTITY_KINDS
};

struct finding {
	const char *tool, *version; /* of findings_tool() */
	const char *rule;
	const char *path; /* relative to the root of the repository; "" = nowhere in particular */
	const char *message;     /* as it came: not to be shown without escaping */
	const char *url;         /* where the rule is explained, or "" */
	const char *fingerprint; /* the tool's own, or "" */
	const char *snippet;     /* the lines of the place, when the report has them, or "" */
	uint32_t line, column;   /* from 1; 0 = not known */
	enum severity severity;
	enum suppression suppression;
	/* --- by identity.h; a report that davit wrote has given the first two already */
	enum identity_kind kind;
	char identity[FINDING_IDENTITY_SIZE];
	char plain[FINDING_IDENTITY_SIZE]; /* of the message alone */
	/* --- by compare.h */
	enum finding_state state;
	uint32_t waiver; /* index; of a waived one */
};

struct finding_tool {
	char *name, *version;
};

struct findings {
	struct finding *items;
	uint32_t count, capacity;
	struct finding_tool tools[FINDING_TOOLS_MAX];
	uint32_t tool_count;
	uint32_t left_out; /* results that say that there is nothing wrong */
};

void findings_init(struct findings *list);
void findings_done(struct findings *list);

/* The tool of that name, taken up when it is new; `version` may be "". */
int findings_tool(struct findings *list, const char *name, const char *version,
		  struct finding_tool *ret_tool, struct error *err) MUST_CHECK;

/* Takes a copy of what `draft` says; texts that are NULL are "". */
int findings_add(struct findings *list, const struct finding *draft, struct error *err) MUST_CHECK;

/* In the order of path, line and column, then of everything else; what is there twice once. A finding that is
 * suppressed in one report and not in another is not. */
void findings_sort(struct findings *list);

/* "message" "snippet" "context" "fingerprint" */
const char *identity_kind_name(enum identity_kind kind);
bool identity_kind_parse(const char *word, size_t size, enum identity_kind *ret_kind);

const char *severity_name(enum severity severity); /* "low" "medium" "high" "critical" */
bool severity_parse(const char *word, enum severity *ret_severity);
/* The severity of a score of 0 to 10, as GitHub draws the lines: 4, 7 and 9. */
enum severity severity_of_score(double score);
const char *finding_state_name(enum finding_state state);

#endif
