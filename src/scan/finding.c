/* SPDX-License-Identifier: Apache-2.0
 * finding - see finding.h for the contract. */
#include "scan/finding.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

enum { CAPACITY_FIRST = 64 };

static const char *const severities[SEVERITIES] = {"low", "medium", "high", "critical"};
static const char *const states[FINDING_STATES] = {"new", "existing", "fixed", "suppressed",
						   "waived"};
static const char *const kinds[IDENTITY_KINDS] = {"message", "snippet", "context", "fingerprint"};

const char *severity_name(enum severity severity)
{
	return severities[severity];
}

bool severity_parse(const char *word, enum severity *ret_severity)
{
	for (unsigned i = 0; i < SEVERITIES; i++)
		if (strcmp(word, severities[i]) == 0) {
			*ret_severity = (enum severity)i;
			return true;
		}
	return false;
}

enum severity severity_of_score(double score)
{
	return score >= 9   ? SEVERITY_CRITICAL
	       : score >= 7 ? SEVERITY_HIGH
	       : score >= 4 ? SEVERITY_MEDIUM
			    : SEVERITY_LOW;
}

const char *finding_state_name(enum finding_state state)
{
	return states[state];
}

const char *identity_kind_name(enum identity_kind kind)
{
	return kinds[kind];
}

bool identity_kind_parse(const char *word, size_t size, enum identity_kind *ret_kind)
{
	for (unsigned i = 0; i < IDENTITY_KINDS; i++)
		if (strlen(kinds[i]) == size && memcmp(word, kinds[i], size) == 0) {
			*ret_kind = (enum identity_kind)i;
			return true;
		}
	return false;
}

void findings_init(struct findings *list)
{
	*list = (struct findings){0};
}

static void finding_done(struct finding *f)
{
	free((char *)f->rule);
	free((char *)f->path);
	free((char *)f->message);
	free((char *)f->url);
	free((char *)f->fingerprint);
	free((char *)f->snippet);
}

void findings_done(struct findings *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		finding_done(&list->items[i]);
	for (uint32_t i = 0; i < list->tool_count; i++) {
		free(list->tools[i].name);
		free(list->tools[i].version);
	}
	free(list->items);
	findings_init(list);
}

int findings_tool(struct findings *list, const char *name, const char *version,
		  struct finding_tool *ret_tool, struct error *err)
{
	if (!name[0] || strlen(name) >= FINDING_NAME_SIZE || strlen(version) >= FINDING_NAME_SIZE)
		return error_set(err, ERR_INVALID,
				 "The tool's name is missing, or longer than %d bytes.",
				 FINDING_NAME_SIZE - 1);
	for (uint32_t i = 0; i < list->tool_count; i++)
		if (strcmp(list->tools[i].name, name) == 0) {
			*ret_tool = list->tools[i];
			return 0;
		}
	if (list->tool_count == FINDING_TOOLS_MAX)
		return error_set(err, ERR_LIMIT, "There are more than %d tools in the reports.",
				 FINDING_TOOLS_MAX);
	struct finding_tool *tool = &list->tools[list->tool_count++];
	*tool = (struct finding_tool){mem_copy_text(name), mem_copy_text(version)};
	*ret_tool = *tool;
	return 0;
}

/* At most size-1 bytes, cut between two characters. */
static char *copy_cut(const char *text, size_t size)
{
	static const char dots[] = "...";
	if (!text)
		text = "";
	size_t length = strnlen(text, size);
	if (length < size)
		return mem_copy_text(text);
	length = size - sizeof dots;
	while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	char *to = mem_new(length + sizeof dots);
	memcpy(to, text, length);
	memcpy(to + length, dots, sizeof dots);
	return to;
}

static int check_sizes(const struct finding *f, struct error *err)
{
	if (!f->rule || !f->rule[0])
		return error_set(err, ERR_INVALID, "A finding names no rule.");
	if (strlen(f->rule) >= FINDING_NAME_SIZE)
		return error_set(err, ERR_LIMIT, "A rule's name is longer than %d bytes.",
				 FINDING_NAME_SIZE - 1);
	if (f->path && strlen(f->path) >= FINDING_PATH_SIZE)
		return error_set(err, ERR_LIMIT, "A path is longer than %d bytes.",
				 FINDING_PATH_SIZE - 1);
	return 0;
}

int findings_add(struct findings *list, const struct finding *draft, struct error *err)
{
	int status = check_sizes(draft, err);
	if (status < 0)
		return status;
	if (list->count == FINDINGS_MAX)
		return error_set(err, ERR_LIMIT,
				 "There are more than %d findings. Scan less at a time, or turn "
				 "rules off.",
				 FINDINGS_MAX);
	if (list->count == list->capacity) {
		list->capacity = list->capacity ? list->capacity * 2 : CAPACITY_FIRST;
		list->items = mem_grow(list->items, list->capacity * sizeof *list->items);
	}
	struct finding *f = &list->items[list->count++];
	*f = *draft;
	f->rule = mem_copy_text(draft->rule);
	f->path = mem_copy_text(draft->path ? draft->path : "");
	f->message = copy_cut(draft->message, FINDING_MESSAGE_SIZE);
	f->url = copy_cut(draft->url, FINDING_PATH_SIZE);
	f->fingerprint = mem_copy_text(draft->fingerprint ? draft->fingerprint : "");
	/* A line of no file is none, and so is what it quotes. */
	f->line = f->path[0] ? draft->line : 0;
	f->column = f->line > 0 ? draft->column : 0;
	f->snippet = copy_cut(f->line > 0 ? draft->snippet : NULL, FINDING_SNIPPET_SIZE);
	return 0;
}

static int by_number(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

static int by_place(const void *left, const void *right)
{
	const struct finding *a = left, *b = right;
	int order = strcmp(a->path, b->path);
	order = order ? order : by_number(a->line, b->line);
	order = order ? order : by_number(a->column, b->column);
	order = order ? order : strcmp(a->tool, b->tool);
	order = order ? order : strcmp(a->rule, b->rule);
	order = order ? order : strcmp(a->message, b->message);
	order = order ? order : strcmp(a->fingerprint, b->fingerprint);
	return order ? order : strcmp(a->identity, b->identity);
}

/* What tells no two findings apart, and is kept all the same: the same whatever came first. */
static int by_everything(const void *left, const void *right)
{
	const struct finding *a = left, *b = right;
	int order = by_place(a, b);
	order = order ? order : by_number(b->severity, a->severity);
	order = order ? order : by_number(a->suppression, b->suppression);
	order = order ? order : strcmp(a->snippet, b->snippet);
	return order ? order : strcmp(a->url, b->url);
}

void findings_sort(struct findings *list)
{
	uint32_t kept = 0;
	if (list->count == 0)
		return;
	qsort(list->items, list->count, sizeof *list->items, by_everything);
	for (uint32_t i = 1; i < list->count; i++) {
		struct finding *last = &list->items[kept], *f = &list->items[i];
		if (by_place(last, f) != 0) {
			list->items[++kept] = *f;
			continue;
		}
		if (f->suppression == SUPPRESSED_NOT)
			last->suppression = SUPPRESSED_NOT;
		finding_done(f);
	}
	list->count = kept + 1;
}
