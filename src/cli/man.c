/* SPDX-License-Identifier: Apache-2.0
 * man - see man.h for the contract: the pages in mdoc. */
#include "cli/man.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/config.h"

enum { LINE_COLUMNS = 76, WORD_MAX = 200, PAGE_NAME_SIZE = 48 };

static const char page_date[] = "November 23, 2026";

/* --- text */

/* One character of a word, so that roff takes it for what it is. */
static void put_char(struct buf *to, char c, bool first_of_line)
{
	if (first_of_line && (c == '.' || c == '\''))
		buf_puts(to, "\\&");
	if (c == '\\')
		buf_puts(to, "\\e");
	else if (c == '-')
		buf_puts(to, "\\-");
	else
		buf_printf(to, "%c", c);
}

static bool ends_sentence(const char *word, size_t length, const char *next)
{
	while (length > 0 && strchr(")\"'`", word[length - 1]))
		length--;
	return length > 0 && strchr(".?!", word[length - 1]) &&
	       (isupper((unsigned char)*next) || *next == '`');
}

/* Where a line stands: its column, and whether the text is within backquotes, which may go over words. */
struct pen {
	struct buf *to;
	size_t column;
	bool bold;
};

/* Lines are measured as they stand in the page, escapes included. */
static size_t input_columns(const char *word, size_t length)
{
	size_t columns = 0;
	for (size_t i = 0; i < length; i++)
		columns += word[i] == '`' ? 3 : word[i] == '-' || word[i] == '\\' ? 2 : 1;
	return columns;
}

static void put_word(struct pen *pen, const char *word, size_t length)
{
	if (pen->column > 0) {
		bool full = pen->column + 1 + input_columns(word, length) > LINE_COLUMNS;
		buf_puts(pen->to, full ? "\n" : " ");
		pen->column = full ? 0 : pen->column + 1;
	}
	for (size_t i = 0; i < length; i++) {
		if (word[i] == '`') {
			pen->bold = !pen->bold;
			buf_puts(pen->to, pen->bold ? "\\fB" : "\\fR");
		} else {
			put_char(pen->to, word[i], pen->column == 0 && i == 0);
		}
	}
	pen->column += input_columns(word, length);
}

void man_put_text(struct buf *to, const char *text)
{
	struct pen pen = {.to = to};
	while (*text) {
		size_t length = strcspn(text, " \n");
		const char *next = text + length + strspn(text + length, " \n");
		bool paragraph = text[length] == '\n';
		if (length > 0)
			put_word(&pen, text, length);
		if (*next && paragraph) {
			buf_puts(to, "\n.Pp\n");
			pen.column = 0;
		} else if (*next && ends_sentence(text, length, next)) {
			buf_puts(to, "\n");
			pen.column = 0;
		}
		text = next;
	}
	buf_puts(to, "\n");
}

static void put_literal(struct buf *to, const char *lines)
{
	buf_puts(to, ".Bd -literal -offset indent\n");
	while (*lines) {
		size_t length = strcspn(lines, "\n"), skip = strspn(lines, " ");
		if (skip > 2)
			skip = 2;
		for (size_t i = skip; i < length; i++)
			put_char(to, lines[i], i == skip);
		buf_puts(to, "\n");
		lines += length + (lines[length] == '\n');
	}
	buf_puts(to, ".Ed\n");
}

static void put_head(struct buf *to, const char *title, const char *section)
{
	buf_printf(to,
		   ".\\\" SPDX-License-Identifier: Apache-2.0\n"
		   ".\\\" Made by tools/gendocs: change the tables of the program, not this page.\n"
		   ".Dd %s\n.Dt ",
		   page_date);
	for (const char *p = title; *p; p++)
		buf_printf(to, "%c", toupper((unsigned char)*p));
	buf_printf(to, " %s\n.Os\n.Sh NAME\n", section);
}

/* --- commands */

/* "ENV [VERSION|PATH]" in macros: capitals stand for something, small letters for themselves. */
static void put_arguments(struct buf *to, const char *arguments)
{
	for (const char *p = arguments; *p;) {
		size_t length = strcspn(p, " ");
		bool optional = p[0] == '[', first = true;
		char token[WORD_MAX], *save = NULL;
		snprintf(token, sizeof token, "%.*s", (int)length, p);
		p += length + strspn(p + length, " ");
		if (strstr(token, "[/")) { /* ENV[/PROCESS] */
			buf_printf(to, ".Ar %.*s Ns Op Ns / Ns Ar %s\n", (int)strcspn(token, "["),
				   token, strtok_r(strchr(token, '/') + 1, "]", &save));
			continue;
		}
		token[strcspn(token, "]")] = '\0';
		buf_puts(to, optional ? ".Op" : ".");
		for (char *word = strtok_r(token + optional, "|", &save); word;
		     word = strtok_r(NULL, "|", &save)) {
			char *dots = strstr(word, "...");
			if (dots)
				*dots = '\0';
			buf_printf(to, "%s%s %s", first ? (optional ? " " : "") : " | ",
				   isupper((unsigned char)word[0]) ? "Ar"
				   : strcmp(word, "--") == 0       ? "Fl"
								   : "Cm",
				   strcmp(word, "--") == 0 ? "-" : word);
			buf_puts(to, dots ? " ..." : "");
			first = false;
		}
		buf_puts(to, "\n");
	}
}

static void put_options(struct buf *to, const struct cli_option *options)
{
	buf_puts(to, ".Bl -tag -width Ds\n");
	for (const struct cli_option *o = options; o->name; o++) {
		buf_puts(to, ".It ");
		if (o->letter)
			buf_printf(to, "Fl %c , ", o->letter);
		buf_printf(to, "Fl -%s", o->name);
		if (o->argument)
			buf_printf(to, " Ar %s", o->argument);
		buf_puts(to, "\n");
		man_put_text(to, o->help);
	}
	buf_puts(to, ".El\n");
}

void man_command(const struct cli_command *c, struct buf *to)
{
	char title[PAGE_NAME_SIZE];
	snprintf(title, sizeof title, "davit-%s", c->name);
	put_head(to, title, "1");
	buf_printf(to, ".Nm davit-%s\n.Nd ", c->name);
	for (const char *p = c->summary; *p; p++)
		put_char(to, *p, false);
	buf_printf(to, "\n.Sh SYNOPSIS\n.Nm davit %s\n", c->name);
	for (const struct cli_option *o = c->options; o->name; o++)
		buf_printf(to, ".Op Fl -%s%s%s\n", o->name, o->argument ? " Ar " : "",
			   o->argument ? o->argument : "");
	put_arguments(to, c->arguments);
	buf_puts(to, ".Sh DESCRIPTION\n");
	man_put_text(to, c->details[0] ? c->details : c->summary);
	if (c->options[0].name) {
		buf_puts(to, ".Pp\nThe options are:\n");
		put_options(to, c->options);
	}
	buf_puts(to, ".Pp\nThe options of every command are described in\n.Xr davit 1 .\n");
	if (c->json) {
		buf_puts(to, ".Pp\nWith\n.Fl -json\nit prints:\n");
		man_put_text(to, c->json);
	}
	buf_puts(to, ".Sh EXIT STATUS\nSee\n.Xr davit 1 .\n.Sh EXAMPLES\n");
	put_literal(to, c->examples);
	buf_puts(to, ".Sh SEE ALSO\n.Xr davit 1 ,\n.Xr davit.yaml 5\n");
}

static void put_commands(struct buf *to)
{
	buf_puts(to, ".Sh COMMANDS\n.Bl -tag -width Ds\n");
	for (const struct cli_command *c = NULL; (c = cli_command_next(c));) {
		buf_printf(to, ".It Xr davit-%s 1\n", c->name);
		man_put_text(to, c->summary);
	}
	buf_puts(to, ".El\n");
}

static void put_list(struct buf *to, const char *heading, const char *macro,
		     const char *const rows[][2])
{
	buf_printf(to, ".Sh %s\n.Bl -tag -width Ds\n", heading);
	for (size_t i = 0; rows[i][0]; i++) {
		buf_printf(to, ".It %s %s\n", macro, rows[i][0]);
		man_put_text(to, rows[i][1]);
	}
	buf_puts(to, ".El\n");
}

void man_davit(struct buf *to)
{
	static const char *const variables[][2] = {
		{"DAVIT_STATE", "The server's state directory, where --state is not given."},
		{"DAVIT_HOST", "The server elsewhere, where neither --host nor --state is given."},
		{"NO_COLOR", "When it is set and not empty: no colours."},
		{"TMPDIR",
		 "Where davit deploy packs a directory before it is sent; /tmp without it."},
		{NULL, NULL}};
	static const char *const files[][2] = {
		{"davit.yaml", "What davit needs to know of an application; see davit.yaml(5)."},
		{".davit", "The state of a server that was started by davit up."},
		{"/var/lib/davit", "The state of a server that was started by davit serve."},
		{NULL, NULL}};
	put_head(to, "davit", "1");
	buf_puts(to, ".Nm davit\n.Nd put releases live step by step, and take bad ones back\n"
		     ".Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar argument ...\n.Op Ar option "
		     "...\n.Nm\n.Cm help\n"
		     ".Op Ar command\n.Sh DESCRIPTION\n");
	man_put_text(to,
		     "davit runs an application on this machine and lowers its releases into "
		     "production slowly: a "
		     "new release gets a small share of the traffic first, is judged by its own "
		     "answers, and goes "
		     "back by itself when they are bad. Every command talks to the server that "
		     "runs on the state "
		     "directory; davit up starts one.\nData is printed on standard output, "
		     "messages on standard "
		     "error. Colours and screens that are drawn in place are for terminals only. "
		     "ENV is the name "
		     "of an environment, or APP/ENV where two applications have one of that name; "
		     "ROLLOUT is a "
		     "number, or an environment, whose current rollout is meant, else its last.");
	put_commands(to);
	buf_puts(to, ".Sh OPTIONS\nThese are options of every command:\n");
	put_options(to, cli_global_options);
	put_list(to, "ENVIRONMENT", "Ev", variables);
	put_list(to, "FILES", "Pa", files);
	buf_puts(to, ".Sh EXIT STATUS\n.Bl -tag -width Ds\n");
	for (const struct cli_exit_meaning *e = cli_exits; e->name; e++) {
		buf_printf(to, ".It %d\n", (int)e->code);
		man_put_text(to, e->meaning);
	}
	buf_puts(to, ".El\n.Sh EXAMPLES\n");
	put_literal(to, "  davit init                # write a davit.yaml for this repository\n"
			"  davit up                  # run the server here\n"
			"  davit deploy prod .       # put this directory live, step by step\n"
			"  davit why prod            # why it is where it is\n"
			"  davit rollback prod       # back to the last good release");
	buf_puts(to, ".Sh SEE ALSO\n.Xr davit.yaml 5\n");
}

/* --- davit.yaml(5), from the Markdown of the configuration's own table */

/* The cells of "| a | b | c |"; returns their number. */
static uint32_t split_row(char *row, char *cells[8])
{
	uint32_t count = 0;
	char *p = row + 1;
	while (count < 8 && *p) {
		char *end = strstr(p, " |");
		if (!end)
			break;
		*end = '\0';
		cells[count++] = p + strspn(p, " ");
		p = end + 2;
	}
	return count;
}

/* | key | value | default | meaning | */
static void put_row(struct buf *to, char *row)
{
	char *cells[8];
	uint32_t count = split_row(row, cells);
	if (count < 2 || text_starts(cells[0], "---") || !strchr(cells[0], '`'))
		return;
	char *name = cells[0] + 1, *after = strchr(name, '`');
	*after++ = '\0';
	buf_printf(to, ".It Cm %s%s\n", name, after);
	for (uint32_t i = 1; i < count; i++) {
		if (cells[i][0] == '\0')
			continue;
		if (i > 1)
			buf_puts(to, ".br\n");
		if (count == 4 && i == 2)
			buf_puts(to, cells[i][0] == '`' ? "Default:\n" : "It\n");
		man_put_text(to, cells[i]);
	}
}

struct converter {
	struct buf *to;
	struct buf text; /* of the paragraph */
	bool code, table;
};

static void end_text(struct converter *c)
{
	if (c->text.size > 0)
		man_put_text(c->to, buf_text(&c->text));
	buf_clear(&c->text);
}

static void convert_line(struct converter *c, char *line)
{
	bool row = line[0] == '|';
	if (!row && c->table)
		buf_puts(c->to, ".El\n.Pp\n");
	if (row && !c->table) {
		end_text(c);
		buf_puts(c->to, ".Bl -tag -width Ds\n");
	}
	c->table = row;
	if (text_starts(line, "```")) {
		end_text(c);
		c->code = !c->code;
		buf_puts(c->to, c->code ? ".Bd -literal -offset indent\n" : ".Ed\n.Pp\n");
	} else if (c->code) {
		for (char *p = line; *p; p++)
			put_char(c->to, *p, p == line);
		buf_puts(c->to, "\n");
	} else if (row) {
		put_row(c->to, line);
	} else if (text_starts(line, "## ")) {
		buf_printf(c->to, ".Ss %s\n", line + 3);
	} else if (line[0] == '\0') {
		bool had = c->text.size > 0;
		end_text(c);
		if (had)
			buf_puts(c->to, ".Pp\n");
	} else if (!text_starts(line, "# ")) {
		buf_puts(&c->text, c->text.size > 0 ? " " : "");
		buf_puts(&c->text, line);
	}
}

/* A paragraph before a heading, a list or the end is none. */
static void drop_paragraphs(struct buf *page)
{
	static const char *const befores[] = {".Pp\n.Ss ", ".Pp\n.Sh ", ".Pp\n.Bl ", ".Pp\n.Bd "};
	for (size_t i = 0; i < sizeof befores / sizeof befores[0]; i++)
		for (char *at; (at = strstr(page->data, befores[i]));) {
			memmove(at, at + 4, strlen(at + 4) + 1);
			page->size -= 4;
		}
}

void man_config(struct buf *to)
{
	struct buf markdown;
	struct converter c = {.to = to};
	put_head(to, "davit.yaml", "5");
	buf_puts(to, ".Nm davit.yaml\n.Nd what davit needs to know of an application\n.Sh "
		     "DESCRIPTION\n");
	buf_init(&markdown, MAN_PAGE_MAX);
	buf_init(&c.text, MAN_PAGE_MAX);
	config_reference(&markdown);
	for (char *line = markdown.data; line && *line;) {
		char *end = line + strcspn(line, "\n"), *next = *end ? end + 1 : end;
		*end = '\0';
		convert_line(&c, line);
		line = next;
	}
	convert_line(&c, (char[]){""});
	buf_done(&c.text);
	buf_done(&markdown);
	buf_puts(to, ".Sh SEE ALSO\n.Xr davit 1 ,\n.Xr davit-docs 1 ,\n.Xr davit-validate 1\n");
	drop_paragraphs(to);
}
