/* SPDX-License-Identifier: Apache-2.0
 *
 * reader - a tree of nodes into structs, by the tables of schema.h; and the list of what is wrong.
 *
 * HOW   It goes on after an error, so that a person sees all of them at once. What could not be read
 *       keeps its bit in `set` clear.
 * OWNS  Texts in the structs point into the tree.
 */
#ifndef CONFIG_READER_H
#define CONFIG_READER_H

#include <stdbool.h>

#include "config/config.h"
#include "config/schema.h"
#include "config/yaml.h"

enum { READER_PATH_MAX = 256 };

struct reader {
	const char *file;
	struct config_errors *errors;
	char path[READER_PATH_MAX]; /* "environments.prod" while in it, "" at the top */
};

void reader_init(struct reader *r, const char *file, struct config_errors *errors);

/* `base` is the section's struct, all zero. */
void reader_section(struct reader *r, const struct schema_section *section,
		    const struct yaml_node *node, void *base);

/* Note an error at a node. */
void reader_error(struct reader *r, const struct yaml_node *at, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
