/* SPDX-License-Identifier: Apache-2.0
 *
 * yaml - text to a tree of nodes that know their line and column. The only user of libfyaml.
 *
 * WHAT  The subset of YAML that a configuration needs: mappings with scalar keys, lists, scalars. Every
 *       scalar is text; what it means is decided by the key it belongs to ("no" is a word, not false).
 *       Anchors, aliases, merge keys, tags, directives, several documents, duplicate keys and keys that
 *       are not plain words are refused: they hide what a reviewer must see. JSON is read as well.
 *
 * OWNS  The tree owns its nodes and texts; they live until yaml_free(). The input may go at once.
 * UNITS Lines and columns count from 1; columns are characters.
 * ERRORS ERR_INVALID with `where` = "file:line:column": the first thing that is wrong.
 *       ERR_LIMIT past a bound below.
 * LIMITS 256 KiB of text, 20,000 nodes, 16 levels.
 */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { YAML_BYTES_MAX = 256 << 10, YAML_NODES_MAX = 20000, YAML_DEPTH_MAX = 16 };

enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_node {
	enum yaml_kind kind;
	bool empty; /* a scalar that was left out: `key:` */
	uint32_t line, column;
	uint32_t count;          /* members of a list or mapping */
	char *text;              /* of a scalar, NUL-terminated, no NUL inside */
	struct yaml_node *key;   /* of a member of a mapping: a scalar */
	struct yaml_node *first; /* member */
	struct yaml_node *next;  /* sibling */
	struct yaml_node *last;  /* member */
};

struct yaml {
	struct yaml_node *root; /* an empty scalar when the text says nothing */
	struct yaml_node *nodes;
	uint32_t count, capacity;
};

/* `file` is how errors name the text. Returns 0 and the tree, to be freed by yaml_free(). */
int yaml_parse(const char *text, size_t size, const char *file, struct yaml **ret_tree,
	       struct error *err) MUST_CHECK;
void yaml_free(struct yaml *tree);

/* The value of `key` in a mapping, or NULL. `map` may be NULL or of another kind. */
struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);

#endif
