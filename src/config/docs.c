/* SPDX-License-Identifier: Apache-2.0
 * docs - what a key means, for the terminal and for docs/reference/config.md; see config.h.
 *
 * Both walk the tables from the top of the file and name a key by its path; NAME stands for what a
 * person calls it. A table that is used in several places is explained where it is met first. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/config.h"
#include "config/schema.h"
#include "config/value.h"

enum { PATH_MAX_CHARS = 160, WORDS_MAX = 300, SEEN_MAX = 64, NAMES_MAX = 256 };

/* Called for every key on every path. */
typedef void (*visit_fn)(void *context, const char *path, const struct schema_section *in,
			 const struct schema_key *key);

static void walk(const struct schema_section *section, const char *prefix, visit_fn visit,
		 void *context)
{
	char path[PATH_MAX_CHARS];
	for (uint32_t i = 0; i < section->count; i++) {
		const struct schema_key *key = &section->keys[i];
		snprintf(path, sizeof path, "%s%s%s", prefix, prefix[0] ? "." : "", key->name);
		visit(context, path, section, key);
		if (key->type == SCHEMA_MAP)
			snprintf(path, sizeof path, "%s%s%s.NAME", prefix, prefix[0] ? "." : "",
				 key->name);
		if (key->section)
			walk(key->section, path, visit, context);
	}
}

/* "a duration such as 30s, from 100ms to 10m" */
static const char *type_words(const struct schema_key *key, char *to, size_t size)
{
	char bounds[WORDS_MAX];
	value_type_words(key, to, size);
	if (value_bounds_words(key, bounds, sizeof bounds)[0]) {
		size_t used = strlen(to);
		snprintf(to + used, size - used, ", %s", bounds);
	}
	return to;
}

/* What a person would write, where its type alone does not show it. */
static const char *example_words(const struct schema_key *key, char *to, size_t size)
{
	bool shows = key->example && (key->type >= SCHEMA_FLAGS || !key->shape ||
				      strstr(key->shape, "such as") == NULL);
	to[0] = '\0';
	if (shows)
		snprintf(to, size, ", such as `%s`", key->example);
	return to;
}

static void put_forms(const struct schema_section *section, struct buf *to)
{
	if (section->scalar_key)
		buf_printf(to, " One value stands for `%s`.", section->scalar_key);
	if (section->list_key)
		buf_printf(to, " A list stands for `%s`.", section->list_key);
	if (section->map_key)
		buf_printf(to, " One mapping stands for a list of one in `%s`.", section->map_key);
	if (section->scalar_is_key)
		buf_puts(to, " A key without settings may stand alone.");
}

/* ---- one key ---- */

struct search {
	const char *wanted;
	struct buf *to;
	const struct schema_key *seen[SEEN_MAX];
	uint32_t seen_count;
	const char *names[NAMES_MAX];
	uint32_t name_count;
};

static bool is_called(const char *path, const char *wanted)
{
	size_t path_length = strlen(path), length = strlen(wanted);
	if (length > path_length || strcmp(path + path_length - length, wanted) != 0)
		return false;
	return length == path_length || path[path_length - length - 1] == '.';
}

static void explain(const char *path, const struct schema_key *key, struct buf *to)
{
	char words[WORDS_MAX];
	buf_printf(to, "%s%s\n  %s", to->size > 0 ? "\n" : "", path,
		   type_words(key, words, sizeof words));
	if (key->flags & SCHEMA_REQUIRED)
		buf_puts(to, "; must be there");
	if (key->fallback)
		buf_printf(to, "; default %s", key->fallback);
	else if (key->example)
		buf_printf(to, "; for example %s", key->example);
	buf_printf(to, "\n  %s\n", key->doc);
	if (!key->section)
		return;
	buf_printf(to, "  %s", key->section->doc);
	put_forms(key->section, to);
	buf_puts(to, key->section->count > 0 ? " Keys:\n" : " It has no settings.\n");
	for (uint32_t i = 0; i < key->section->count; i++)
		buf_printf(to, "    %-16s %s\n", key->section->keys[i].name,
			   key->section->keys[i].doc);
}

static void visit_search(void *context, const char *path, const struct schema_section *in,
			 const struct schema_key *key)
{
	struct search *s = context;
	(void)in;
	if (s->name_count < NAMES_MAX)
		s->names[s->name_count++] = key->name;
	bool titled = key->section && strcmp(key->section->title, s->wanted) == 0;
	if (!is_called(path, s->wanted) && !titled)
		return;
	for (uint32_t i = 0; i < s->seen_count; i++)
		if (s->seen[i] == key)
			return;
	if (s->seen_count == SEEN_MAX)
		return;
	s->seen[s->seen_count++] = key;
	explain(path, key, s->to);
}

static bool is_later(const struct schema_section *section, const char *name)
{
	for (uint32_t i = 0; i < section->later_count; i++)
		if (strcmp(section->later[i].name, name) == 0)
			return true;
	for (uint32_t i = 0; i < section->count; i++)
		if (section->keys[i].section && is_later(section->keys[i].section, name))
			return true;
	return false;
}

int config_docs(const char *key, struct buf *to, struct error *err)
{
	struct search search = {.wanted = key, .to = to};
	walk(&schema_app, "", visit_search, &search);
	if (search.seen_count > 0)
		return 0;
	if (is_later(&schema_app, key))
		return error_set(err, ERR_UNSUPPORTED,
				 "The key \"%s\" is planned, but not built yet in this version.",
				 key);
	const char *near = text_suggest(key, search.names, search.name_count);
	return error_set(err, ERR_NOT_FOUND, "There is no key \"%s\" in davit.yaml%s%s%s", key,
			 near ? "; did you mean \"" : ".", near ? near : "", near ? "\"?" : "");
}

/* ---- the reference ---- */

struct reference {
	struct buf *to;
	const struct schema_section *seen[SEEN_MAX];
	uint32_t seen_count;
};

static void put_section(const struct schema_section *section, const char *path, struct buf *to)
{
	char words[WORDS_MAX], example[WORDS_MAX];
	buf_printf(to, "\n## %s\n\n", path[0] ? path : section->title);
	buf_puts(to, section->doc);
	put_forms(section, to);
	buf_puts(to, "\n");
	if (section->count > 0)
		buf_puts(to, "\n| key | value | default | meaning |\n| --- | --- | --- | --- |\n");
	for (uint32_t i = 0; i < section->count; i++) {
		const struct schema_key *key = &section->keys[i];
		bool needed = key->flags & SCHEMA_REQUIRED;
		buf_printf(to, "| `%s` | %s%s | %s%s%s | %s |\n", key->name,
			   type_words(key, words, sizeof words),
			   example_words(key, example, sizeof example), key->fallback ? "`" : "",
			   key->fallback ? key->fallback
			   : needed      ? "must be there"
					 : "",
			   key->fallback ? "`" : "", key->doc);
	}
	if (section->later_count == 0)
		return;
	buf_puts(to, "\nNot built yet, and refused:");
	for (uint32_t i = 0; i < section->later_count; i++)
		buf_printf(to, "%s `%s`", i > 0 ? "," : "", section->later[i].name);
	buf_puts(to, ".\n");
}

static void visit_reference(void *context, const char *path, const struct schema_section *in,
			    const struct schema_key *key)
{
	struct reference *ref = context;
	char full[PATH_MAX_CHARS];
	(void)in;
	if (!key->section)
		return;
	for (uint32_t i = 0; i < ref->seen_count; i++)
		if (ref->seen[i] == key->section)
			return;
	ASSERT(ref->seen_count < SEEN_MAX);
	ref->seen[ref->seen_count++] = key->section;
	snprintf(full, sizeof full, "%s%s", path, key->type == SCHEMA_MAP ? ".NAME" : "");
	put_section(key->section, full, ref->to);
}

static const char head[] = "# davit.yaml\n"
			   "\n"
			   "This page is made by `davit docs` from the table that reads the file. "
			   "Four lines are a whole file:\n"
			   "\n"
			   "```yaml\n"
			   "app: shop\n"
			   "service: { run: bin/server --port $PORT, health: /up }\n"
			   "environments:\n"
			   "  prod: { listen: 0.0.0.0:8080 }\n"
			   "```\n"
			   "\n"
			   "An unknown key is an error. Durations are written `30s`, `5m`, "
			   "`1h30m`, shares `5%`, sizes `64MiB`.\n"
			   "Every value is read by its key: `no` is a word, not false. Anchors, "
			   "aliases, tags, duplicate keys and\n"
			   "several documents are refused. A file has at most 256 KiB.\n"
			   "\n"
			   "Strategies that need no definition; a check called `smoke` goes before "
			   "all but `recreate`,\n"
			   "and runs once more when the release has all requests:\n"
			   "\n"
			   "| name | steps |\n"
			   "| --- | --- |\n"
			   "| `canary` (default) | `canary: { steps: [1%, 10%, 50%], each: { "
			   "at_least: 2m, at_most: 15m } }`, `switch`, `bake: 5m` |\n"
			   "| `blue-green` | `switch`, `bake: 5m` |\n"
			   "| `rolling` | `rolling: { batch: 25% }`, `bake: 5m` |\n"
			   "| `recreate` | `recreate`, `bake: 5m` |\n"
			   "| `shadow` | `shadow: { share: 10%, until: { requests: 1000 } }`, "
			   "then as `canary` |\n"
			   "\n"
			   "Without `analysis` a new release is judged by: errors at most 2 % of "
			   "its requests, once it has had 50;\n"
			   "a request unanswered for 5 s is an error.\n";

void config_reference(struct buf *to)
{
	struct reference ref = {.to = to};
	buf_puts(to, head);
	put_section(&schema_app, "", to);
	walk(&schema_app, "", visit_reference, &ref);
}
