/* SPDX-License-Identifier: Apache-2.0
 *
 * answer_diff - where two answers to the same request differ: in the status, in a field of the head, in the body.
 *
 * WHAT  Bodies that are both JSON are compared by what they say: members by name, whatever their order, numbers by value,
 *       lists place by place. A place is a path in which the places of a list are one, `$.items[].price`: it is told once
 *       however often it differs. Paths to be ignored are left out with all below them. Other bodies differ as a whole.
 * SECRETS What is shown of a value is made here: "***" below a path to be hidden, of a member whose name says that it
 *       is a secret (shadow_field_hidden() in link/shadow_pair.h), and of a text that holds a secret of davit's. Of a body
 *       that is no JSON only the size is shown, of a list or an object only how many it has.
 * HOW   A pure function of its arguments; may be called beside the loop.
 * LIMITS ANSWER_DEPTH_MAX levels: deeper values are compared as a whole. ANSWER_DIFFERENCES_MAX a pair; the rest is
 *       not told. A path that is longer than ANSWER_PLACE_SIZE is cut, and what lies below is told there.
 * SEE   control/diffs.h, tests/fuzz/fuzz_answer_diff.c
 */
#ifndef CONTROL_ANSWER_DIFF_H
#define CONTROL_ANSWER_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shadow_pair;

enum {
	ANSWER_PLACE_SIZE = 112,
	ANSWER_VALUE_SIZE = 72,
	ANSWER_DIFFERENCES_MAX = 32,
	ANSWER_DEPTH_MAX = 24,
	ANSWER_PATHS_MAX = 16,
	ANSWER_SECRETS_MAX = 32,
	ANSWER_SECRET_SIZE = 257, /* a longer one is looked for by its beginning */
	ANSWER_SECRET_MIN = 4,
};

#define ANSWER_KINDS(X)       \
	X(VALUE, "value")     \
	X(TYPE, "type")       \
	X(MISSING, "missing") \
	X(EXTRA, "extra")     \
	X(LENGTH, "length")   \
	X(BYTES, "bytes")

enum answer_kind {
#define X(name, text) ANSWER_##name,
	ANSWER_KINDS(X)
#undef X
		ANSWER_KIND_COUNT
};

/* Paths as `$.items[].price`. */
struct answer_paths {
	uint32_t count;
	char items[ANSWER_PATHS_MAX][ANSWER_PLACE_SIZE];
};

struct answer_rules {
	struct answer_paths ignore, hide;
	uint32_t secret_count;
	char secrets[ANSWER_SECRETS_MAX][ANSWER_SECRET_SIZE];
};

struct answer_difference {
	char place[ANSWER_PLACE_SIZE]; /* "status", "header location", "body", "$.items[].price" */
	enum answer_kind kind;
	char live[ANSWER_VALUE_SIZE], fresh[ANSWER_VALUE_SIZE];
};

struct answer_differences {
	uint32_t count;
	struct answer_difference items[ANSWER_DIFFERENCES_MAX];
};

void answer_diff(const struct answer_rules *rules, const struct shadow_pair *pair,
		 struct answer_differences *ret_differences);

/* Add where two documents differ. False: one of them is no JSON, and nothing is added. */
bool answer_diff_json(const struct answer_rules *rules, const char *live, size_t live_size,
		      const char *fresh, size_t fresh_size, struct answer_differences *to);

const char *answer_kind_text(enum answer_kind kind);

#endif
