/* SPDX-License-Identifier: Apache-2.0
 *
 * schema - the form of davit.yaml as tables: one row a key, from which everything else is made.
 *
 * WHAT  A section is a mapping with known keys, and the struct its values go to. The tables (keys.h)
 *       drive the reader, the merge, the defaults, the canonical text, the JSON Schema, `davit docs` and
 *       docs/reference/config.md. A key that is in no row does not exist; there is no second list.
 *
 * HOW   The first member of a section's struct is `uint32_t set`; bit i belongs to row i. The second
 *       member of a struct that is kept by name is `const char *name`.
 *       Where people write less than a mapping, the section says what it stands for: a scalar for its
 *       `scalar_key`, a list for its `list_key`, a mapping of other keys for one item of its `map_key`.
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum schema_type {
	SCHEMA_TEXT,     /* const char * */
	SCHEMA_NUMBER,   /* uint32_t */
	SCHEMA_REQUESTS, /* uint32_t, "50" or "50 requests" */
	SCHEMA_MILLI,    /* uint32_t thousandths, "1.5" */
	SCHEMA_DURATION, /* uint64_t ms */
	SCHEMA_SHARE,    /* uint32_t bp */
	SCHEMA_SIZE,     /* uint64_t bytes */
	SCHEMA_BOOL,     /* bool */
	SCHEMA_CHOICE,   /* uint32_t or an enum: place in `choices` */
	SCHEMA_FLAGS,    /* uint32_t: a bit for each of `choices` in the list */
	SCHEMA_TEXTS,    /* struct app_texts */
	SCHEMA_SHARES,   /* struct app_shares, strictly rising */
	SCHEMA_ENV,      /* struct app_env */
	SCHEMA_SECTION,  /* the struct of `section` */
	SCHEMA_LIST,     /* structs of `section`, their number at `count_offset` */
	SCHEMA_MAP,      /* the same, each with a name */
};

enum {
	SCHEMA_REQUIRED = 1, /* must be written */
	SCHEMA_OPTIONAL =
		2, /* a section without defaults of its own as long as it is not written */
	SCHEMA_BY_NAME =
		8, /* of a map: merging replaces items of the same name, and keeps the others */
	SCHEMA_ONE = 4, /* of texts: one value alone is a list of it */
};

struct schema_section;

struct schema_key {
	const char *name;
	enum schema_type type;
	uint32_t flags;
	size_t offset;
	const char *fallback; /* the default, as written; NULL: none */
	const char *example;  /* a value to show in errors and docs; NULL: the fallback */
	uint64_t min,
		max; /* of a number, or of the length of a text or list; max 0: no bound but the type's */
	const char *const *choices; /* NULL-terminated */
	bool (*valid)(
		const char *text); /* each text, and each name of a map or of env; NULL: any */
	const char *shape;         /* what `valid` wants, to follow "must be" */
	const struct schema_section *section;
	size_t count_offset, item_size;
	const char *doc; /* sentences, Markdown without headings */
};

struct schema_later {
	const char *name, *hint; /* the hint is a sentence, or NULL */
};

struct schema_section {
	const char *title;
	const char *doc;
	const struct schema_key *keys;
	uint32_t count;
	const struct schema_later *later; /* keys that are planned, and refused */
	uint32_t later_count;
	uint32_t one_of;    /* of the keys with these bits at most one is written */
	bool one_of_needed; /* and at least one */
	bool may_be_empty;  /* `key:` and `- key` without a value are all defaults */
	bool scalar_is_key; /* a scalar is one of the keys, without a value */
	const char *scalar_key, *list_key, *map_key;
	/* What no single key can say; false and, in `why`, a sentence. NULL: nothing. */
	bool (*check)(const void *base, char *why, size_t why_size);
};

extern const struct schema_section schema_app;      /* davit.yaml, to struct app */
extern const struct schema_section schema_resolved; /* the canonical text, to struct resolved */

/* The row called `name`, or NULL. */
const struct schema_key *schema_find(const struct schema_section *section, const char *name);

/* The bit of a row in its struct's `set`. */
uint32_t schema_bit(const struct schema_section *section, const struct schema_key *key);

/* Bytes of one value of this type (of lists and maps: 0). */
size_t schema_size(const struct schema_key *key);

/* `base` is the section's struct: where the key's value is, and its count or items. */
void *schema_at(const struct schema_key *key, const void *base);
uint32_t schema_count(const struct schema_key *key, const void *base);
void *schema_item(const struct schema_key *key, const void *base, uint32_t index);

/* Take over what `over` has written, key by key; what it has not stays. Texts are shared. */
void schema_merge(const struct schema_section *section, void *base, const void *over);

/* Give every key that is not written its default. */
void schema_defaults(const struct schema_section *section, void *base);

#endif
