/* SPDX-License-Identifier: Apache-2.0
 * writer_markdown - a document as Markdown with YAML front matter. A chart is its table: not every reader of
 * Markdown shows pictures. */
#include <stdio.h>
#include <string.h>

#include "report/chart.h"
#include "report/flow.h"
#include "report/writer.h"

/* Whatever Markdown or the HTML in it could take for a sign gets a backslash, or its name. */
static void put_text(struct buf *to, const char *text)
{
	unsigned length;
	for (; *text; text += length) {
		unsigned c = writer_character(text, &length);
		if (c == 0xFFFD)
			buf_puts(to, "\xef\xbf\xbd");
		else if (c == '<')
			buf_puts(to, "&lt;");
		else if (c == '&')
			buf_puts(to, "&amp;");
		else if (c < 0x80 && strchr("\\`*_[]|~#$>!", (int)c))
			buf_printf(to, "\\%c", (char)c);
		else
			buf_append(to, text, length);
	}
}

static void end_list(struct writer *w)
{
	if (w->in_list)
		buf_puts(w->to, "\n");
	w->in_list = false;
}

static void begin(struct writer *w, const char *title)
{
	buf_puts(w->to, "# ");
	put_text(w->to, title);
	buf_puts(w->to, "\n\n");
}

static void end(struct writer *w)
{
	end_list(w);
}

/* A double-quoted YAML scalar; signs that would end it, or are none, become harmless. */
static void put_quoted(struct buf *to, const char *text)
{
	unsigned length;
	buf_puts(to, "\"");
	for (; *text; text += length) {
		unsigned c = writer_character(text, &length);
		if (c == 0xFFFD)
			buf_puts(to, "\xef\xbf\xbd");
		else if (c == '"' || c == '\\')
			buf_printf(to, "\\%c", (char)c);
		else
			buf_append(to, text, length);
	}
	buf_puts(to, "\"");
}

static void meta(struct writer *w, const char *const (*pairs)[2], unsigned count)
{
	buf_puts(w->to, "---\n");
	for (unsigned i = 0; i < count; i++) {
		buf_printf(w->to, "%s: ", pairs[i][0]);
		put_quoted(w->to, pairs[i][1]);
		buf_puts(w->to, "\n");
	}
	buf_puts(w->to, "---\n\n");
}

static void heading(struct writer *w, unsigned level, const char *text)
{
	end_list(w);
	buf_puts(w->to, level == 1 ? "## " : "### ");
	put_text(w->to, text);
	buf_puts(w->to, "\n\n");
}

static void paragraph(struct writer *w, const char *text)
{
	end_list(w);
	put_text(w->to, text);
	buf_puts(w->to, "\n\n");
}

static void state(struct writer *w, enum writer_tone tone, const char *word, const char *text)
{
	end_list(w);
	buf_puts(w->to, tone == WRITER_GOOD  ? "\xe2\x9c\x94 **"
			: tone == WRITER_BAD ? "\xe2\x9c\x96 **"
					     : "\xc2\xb7 **");
	put_text(w->to, word);
	buf_puts(w->to, "** ");
	put_text(w->to, text);
	buf_puts(w->to, "\n\n");
}

static void item(struct writer *w, const char *text)
{
	w->in_list = true;
	buf_puts(w->to, "- ");
	put_text(w->to, text);
	buf_puts(w->to, "\n");
}

static void question(struct writer *w, const char *text)
{
	end_list(w);
	buf_puts(w->to, "**");
	put_text(w->to, text);
	buf_puts(w->to, "**\n\n_(to be written)_\n\n");
}

static void table(struct writer *w, const char *caption, const char *const *titles, unsigned count)
{
	end_list(w);
	if (caption[0]) {
		put_text(w->to, caption);
		buf_puts(w->to, "\n\n");
	}
	for (unsigned i = 0; i < count; i++) {
		buf_puts(w->to, "| ");
		put_text(w->to, titles[i]);
		buf_puts(w->to, " ");
	}
	buf_puts(w->to, "|\n");
	for (unsigned i = 0; i < count; i++)
		buf_puts(w->to, "|---");
	buf_puts(w->to, "|\n");
}

static void row(struct writer *w, const struct writer_cell *cells, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		buf_puts(w->to, cells[i].tone == WRITER_GOOD  ? "| \xe2\x9c\x94 "
				: cells[i].tone == WRITER_BAD ? "| \xe2\x9c\x96 "
							      : "| ");
		put_text(w->to, cells[i].text);
		buf_puts(w->to, " ");
	}
	buf_puts(w->to, "|\n");
}

static void table_end(struct writer *w)
{
	buf_puts(w->to, "\n");
}

static void draw(struct writer *w, const struct chart *chart)
{
	chart_table(chart, w, CHART_ROWS_FEW);
}

static void draw_flow(struct writer *w, const struct flow *flow)
{
	end_list(w);
	flow_mermaid(flow, w->to);
}

const struct writer_ops writer_markdown = {
	.begin = begin,
	.end = end,
	.meta = meta,
	.heading = heading,
	.state = state,
	.paragraph = paragraph,
	.item = item,
	.question = question,
	.table = table,
	.row = row,
	.table_end = table_end,
	.chart = draw,
	.flow = draw_flow,
};
