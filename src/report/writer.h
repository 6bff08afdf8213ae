/* SPDX-License-Identifier: Apache-2.0
 *
 * writer - a document, part by part, in one of two languages.
 *
 * WHAT  Headings, paragraphs, lists, tables, charts and flows. All texts are plain: the writer escapes them, so that nothing
 *       that came from outside (tags, reasons, lines of logs) becomes markup.
 * HOW   writer_begin(), parts in the order of reading, writer_end(). A table is begin, rows, end; a list is items in
 *       a row.
 * OWNS  `to` is the caller's; what does not fit is cut there (base/buf.h).
 */
#ifndef REPORT_WRITER_H
#define REPORT_WRITER_H

#include "base/buf.h"

struct chart;
struct flow;
struct writer;

enum writer_tone { WRITER_PLAIN, WRITER_GOOD, WRITER_BAD, WRITER_NUMBER };

struct writer_cell {
	const char *text;
	enum writer_tone tone;
};

struct writer_ops {
	void (*begin)(struct writer *w, const char *title);
	void (*end)(struct writer *w);
	void (*meta)(struct writer *w, const char *const (*pairs)[2], unsigned count);
	void (*heading)(struct writer *w, unsigned level, const char *text);
	void (*state)(struct writer *w, enum writer_tone tone, const char *word, const char *text);
	void (*paragraph)(struct writer *w, const char *text);
	void (*item)(struct writer *w, const char *text);
	void (*question)(struct writer *w, const char *text);
	void (*table)(struct writer *w, const char *caption, const char *const *titles,
		      unsigned count);
	void (*row)(struct writer *w, const struct writer_cell *cells, unsigned count);
	void (*table_end)(struct writer *w);
	void (*chart)(struct writer *w, const struct chart *chart);
	void (*flow)(struct writer *w, const struct flow *flow);
};

struct writer {
	const struct writer_ops *ops;
	struct buf *to;
	bool in_list;
};

extern const struct writer_ops writer_markdown, writer_html;

/* Text for HTML and SVG, attributes included. What is no text (control characters, broken UTF-8) becomes U+FFFD. */
void writer_escape(struct buf *to, const char *text);

/* The next character of UTF-8, its length in bytes; 0xFFFD and 1 for a byte that belongs to none, or must not be
 * shown. */
unsigned writer_character(const char *text, unsigned *ret_length);

#endif
