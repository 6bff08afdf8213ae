/* SPDX-License-Identifier: Apache-2.0
 * known - see known.h for the contract. */
#include "scan/known.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum { HEX = FINDING_IDENTITY_SIZE - 1, FIELDS = 8, LINE_MAX_SIZE = 2048 };

static const char HEAD[] = "davit findings 1 ";

/* --- written */

static int by_identity(const void *left, const void *right)
{
	const struct finding *const *a = left, *const *b = right;
	int order = strcmp((*a)->identity, (*b)->identity);
	return order ? order : strcmp((*a)->plain, (*b)->plain);
}

static void put_name(struct buf *to, const char *name, char end)
{
	for (const char *at = name; *at; at++) {
		unsigned char c = (unsigned char)*at;
		char shown = c < ' ' || c == 0x7f ? '?' : *at;
		buf_append(to, &shown, 1);
	}
	buf_append(to, &end, 1);
}

static void put_finding(struct buf *to, const struct finding *f)
{
	enum suppression suppression =
		f->state == FINDING_WAIVED ? SUPPRESSED_BY_WAIVER : f->suppression;
	buf_printf(to, "%u\t%u\t%u\t%s\t%s\t", (unsigned)f->severity, (unsigned)suppression,
		   (unsigned)f->kind, f->identity, f->plain);
	put_name(to, f->tool, '\t');
	put_name(to, f->rule, '\t');
	put_name(to, f->path, '\n');
}

int known_write(const struct findings *list, struct buf *to, struct error *err)
{
	const struct finding **order = mem_zero(list->count + 1, sizeof *order);
	for (uint32_t i = 0; i < list->count; i++)
		order[i] = &list->items[i];
	qsort(order, list->count, sizeof *order, by_identity);
	buf_printf(to, "%s%u\n", HEAD, list->count);
	for (uint32_t i = 0; i < list->count; i++)
		put_finding(to, order[i]);
	free(order);
	return to->overflowed
		       ? error_set(err, ERR_LIMIT,
				   "Its %u findings take more than %d MiB, which is the most that "
				   "is kept; scan less at a time, or turn rules off.",
				   list->count, KNOWN_BYTES_MAX >> 20)
		       : 0;
}

/* --- read */

static int refuse(const char *name, uint32_t line, struct error *err)
{
	int code =
		error_set(err, ERR_INVALID,
			  "The findings that were kept are not whole: line %u is not one.", line);
	text_copy(err->where, sizeof err->where, name);
	return code;
}

static bool is_identity(const char *text)
{
	return strlen(text) == HEX && strspn(text, "0123456789abcdef") == HEX;
}

static bool take_number(const char *text, unsigned below, unsigned *ret_number)
{
	uint64_t number;
	if (below == 0 || !text_parse_u64(text, below - 1, &number))
		return false;
	*ret_number = (unsigned)number;
	return true;
}

/* `line` is cut up. */
static bool take_line(char *line, struct findings *list)
{
	char *field[FIELDS];
	unsigned severity, suppression, kind;
	struct finding_tool tool;
	struct error ignored; /* whatever it is, the line is none */
	for (unsigned i = 0; i < FIELDS; i++)
		if (!(field[i] = strsep(&line, "\t")))
			return false;
	if (line || !take_number(field[0], SEVERITIES, &severity) ||
	    !take_number(field[1], SUPPRESSIONS, &suppression) ||
	    !take_number(field[2], IDENTITY_KINDS, &kind) || !is_identity(field[3]) ||
	    !is_identity(field[4]) || findings_tool(list, field[5], "", &tool, &ignored) < 0)
		return false;
	struct finding f = {.tool = tool.name,
			    .version = tool.version,
			    .rule = field[6],
			    .path = field[7],
			    .severity = (enum severity)severity,
			    .suppression = (enum suppression)suppression,
			    .kind = (enum identity_kind)kind};
	memcpy(f.identity, field[3], FINDING_IDENTITY_SIZE);
	memcpy(f.plain, field[4], FINDING_IDENTITY_SIZE);
	return findings_add(list, &f, &ignored) == 0;
}

/* The next line as a text of its own; false: there is none that fits and ends. */
static bool next_line(const char **at, const char *end, char to[LINE_MAX_SIZE])
{
	const char *newline = memchr(*at, '\n', (size_t)(end - *at));
	size_t size = newline ? (size_t)(newline - *at) : 0;
	if (!newline || size >= LINE_MAX_SIZE || memchr(*at, '\0', size))
		return false;
	memcpy(to, *at, size);
	to[size] = '\0';
	*at = newline + 1;
	return true;
}

int known_read(const char *name, const char *text, size_t size, struct findings *list,
	       struct error *err)
{
	char line[LINE_MAX_SIZE];
	const char *at = text, *end = text + size;
	unsigned count = 0;
	if (!next_line(&at, end, line) || !text_starts(line, HEAD) ||
	    !take_number(line + sizeof HEAD - 1, FINDINGS_MAX + 1, &count))
		return refuse(name, 1, err);
	for (unsigned i = 0; i < count; i++)
		if (!next_line(&at, end, line) || !take_line(line, list))
			return refuse(name, i + 2, err);
	return at == end ? 0 : refuse(name, count + 2, err);
}
