/* SPDX-License-Identifier: Apache-2.0
 * waivers - see waivers.h for the contract. */
#include "scan/waivers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "config/yaml.h"

enum { TIME_SIZE = 32, MONTHS = 12 };

struct reader {
	const char *file;
	struct error *err;
};

__attribute__((format(printf, 3, 4))) static int
refuse(const struct reader *r, const struct yaml_node *node, const char *format, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	error_set(r->err, ERR_INVALID, "%s", text);
	error_where(r->err, "%s:%u:%u", r->file, node->line, node->column);
	return ERR_INVALID;
}

/* As in "2027-01-31"; a leap day is one in every year. */
static bool is_date(const char *text)
{
	static const char days[MONTHS] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	static const char form[] = "dddd-dd-dd";
	for (size_t i = 0; i < sizeof form; i++)
		if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	int month = (text[5] - '0') * 10 + text[6] - '0',
	    day = (text[8] - '0') * 10 + text[9] - '0';
	return month >= 1 && month <= MONTHS && day >= 1 && day <= days[month - 1];
}

static int take_member(const struct reader *r, const struct yaml_node *node, struct waiver *to)
{
	static const char *const names[] = {"rule", "path", "tool", "reason", "owner", "until"};
	char **const members[] = {&to->rule, &to->path, &to->tool, &to->reason, &to->owner};
	const char *key = node->key->text;
	if (node->kind != YAML_SCALAR || node->empty || !node->text[0])
		return refuse(r, node, "\"%s\" of a waiver is one text.", key);
	if (strcmp(key, "until") == 0) {
		if (!is_date(node->text))
			return refuse(r, node, "\"%s\" is not a day; write it as 2027-01-31.",
				      node->text);
		memcpy(to->until, node->text, WAIVER_DATE_SIZE);
		return 0;
	}
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
		if (strcmp(key, names[i]) == 0) {
			*members[i] = mem_copy_text(node->text);
			return 0;
		}
	const char *meant = text_suggest(key, names, sizeof names / sizeof names[0]);
	return meant ? refuse(r, node->key, "A waiver has no such key; did you mean \"%s\"?", meant)
		     : refuse(r, node->key, "A waiver has no key \"%s\".", key);
}

static int check_whole(const struct reader *r, const struct yaml_node *node, struct waiver *w)
{
	const char *missing = !w->rule       ? "rule"
			      : !w->reason   ? "reason"
			      : !w->owner    ? "owner"
			      : !w->until[0] ? "until"
					     : NULL;
	if (missing)
		return refuse(r, node,
			      "A waiver needs rule, reason, owner and until; \"%s\" is missing.",
			      missing);
	if (strpbrk(w->rule, "*?[") || (w->path && strpbrk(w->path, "*?[")))
		return refuse(
			r, node,
			"A waiver takes no patterns: write one for each rule, and a folder as "
			"\"src/old/\".");
	if (w->path && (w->path[0] == '/' || text_starts(w->path, "./")))
		return refuse(
			r, node,
			"The path \"%s\" of a waiver begins at the root of the repository, as in "
			"src/app.c.",
			w->path);
	w->path = w->path ? w->path : mem_copy_text("");
	w->tool = w->tool ? w->tool : mem_copy_text("");
	return 0;
}

static int take_waiver(const struct reader *r, const struct yaml_node *node, struct waiver *to)
{
	int status = 0;
	to->line = node->line;
	if (node->kind != YAML_MAP)
		return refuse(r, node, "A waiver is a mapping with rule, reason, owner and until.");
	for (const struct yaml_node *m = node->first; m && status == 0; m = m->next)
		status = take_member(r, m, to);
	return status < 0 ? status : check_whole(r, node, to);
}

static int take_list(const struct reader *r, const struct yaml_node *root, struct waivers *to)
{
	const struct yaml_node *list = yaml_get(root, "waivers");
	int status = 0;
	if (!list || root->count != 1 || (list->kind != YAML_LIST && !list->empty))
		return refuse(r, list ? list : root,
			      "A file of waivers has one key, \"%s\", and a list of them.",
			      "waivers");
	if (list->count > WAIVERS_MAX)
		return error_set(r->err, ERR_LIMIT, "%s has more than %d waivers.", r->file,
				 WAIVERS_MAX);
	to->items = mem_zero(list->count + 1, sizeof *to->items);
	for (const struct yaml_node *m = list->first; m && status == 0; m = m->next)
		status = take_waiver(r, m, &to->items[to->count++]);
	return status;
}

int waivers_read(const char *file, const char *text, size_t size, struct waivers *ret_waivers,
		 struct error *err)
{
	struct reader r = {.file = file, .err = err};
	struct waivers waivers = {0};
	struct yaml *tree;
	int status = yaml_parse(text, size, file, &tree, err);
	if (status < 0)
		return status;
	status = take_list(&r, tree->root, &waivers);
	yaml_free(tree);
	if (status < 0)
		waivers_done(&waivers);
	else
		*ret_waivers = waivers;
	return status;
}

void waivers_done(struct waivers *waivers)
{
	for (uint32_t i = 0; i < waivers->count; i++) {
		struct waiver *w = &waivers->items[i];
		free(w->rule);
		free(w->path);
		free(w->tool);
		free(w->reason);
		free(w->owner);
	}
	free(waivers->items);
	*waivers = (struct waivers){0};
}

static bool covers(const struct waiver *w, const struct finding *f)
{
	size_t size = strlen(w->path);
	bool folder = size > 0 && w->path[size - 1] == '/';
	return strcmp(w->rule, f->rule) == 0 && (!w->tool[0] || strcmp(w->tool, f->tool) == 0) &&
	       (size == 0 ||
		(folder ? text_starts(f->path, w->path) : strcmp(w->path, f->path) == 0));
}

static void apply_one(struct waivers *waivers, struct finding *f)
{
	for (uint32_t i = 0; i < waivers->count; i++) {
		struct waiver *w = &waivers->items[i];
		if (!covers(w, f))
			continue;
		w->used++;
		if (w->expired || f->state == FINDING_WAIVED)
			continue;
		f->state = FINDING_WAIVED;
		f->waiver = i;
	}
}

void waivers_apply(struct waivers *waivers, uint64_t now_unix_ms, struct findings *list)
{
	char today[TIME_SIZE];
	text_format_time(now_unix_ms, today, sizeof today);
	today[WAIVER_DATE_SIZE - 1] = '\0';
	for (uint32_t i = 0; i < waivers->count; i++) {
		waivers->items[i].used = 0;
		waivers->items[i].expired = strcmp(waivers->items[i].until, today) < 0;
	}
	for (uint32_t i = 0; i < list->count; i++)
		if (list->items[i].state == FINDING_NEW || list->items[i].state == FINDING_EXISTING)
			apply_one(waivers, &list->items[i]);
}
