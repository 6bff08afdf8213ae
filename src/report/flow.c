/* SPDX-License-Identifier: Apache-2.0
 * flow - see flow.h for the contract. */
#include "report/flow.h"

#include <string.h>

#include "base/text.h"
#include "report/writer.h"

enum {
	BOX_WIDTH = 176,
	BOX_HEIGHT = 38,
	GAP_X = 24,
	GAP_Y = 44,
	MARGIN = 12,
	SHOWN_MAX = 25, /* characters of a label in its box */
};

uint32_t flow_box(struct flow *flow, enum flow_kind kind, const char *label)
{
	if (flow->box_count == FLOW_BOXES_MAX)
		return FLOW_NOBODY;
	struct flow_box *box = &flow->boxes[flow->box_count];
	box->kind = kind;
	text_copy(box->label, sizeof box->label, label);
	return flow->box_count++;
}

void flow_arrow(struct flow *flow, uint32_t from, uint32_t to, const char *label)
{
	if (from == FLOW_NOBODY || to == FLOW_NOBODY || flow->arrow_count == FLOW_ARROWS_MAX)
		return;
	struct flow_arrow *arrow = &flow->arrows[flow->arrow_count++];
	arrow->from = from;
	arrow->to = to;
	text_copy(arrow->label, sizeof arrow->label, label);
}

/* --- Mermaid */

/* In quotes; what Mermaid or Markdown could take for a sign becomes its number. */
static void put_label(struct buf *to, const char *label)
{
	unsigned length;
	buf_puts(to, "\"");
	for (; *label; label += length) {
		unsigned c = writer_character(label, &length);
		if (c == 0xFFFD)
			buf_puts(to, "\xef\xbf\xbd");
		else if (c < 0x80 && strchr("\"#<>&`\\|[]{};*_~$", (int)c))
			buf_printf(to, "#%u;", c);
		else
			buf_append(to, label, length);
	}
	buf_puts(to, "\"");
}

void flow_mermaid(const struct flow *flow, struct buf *to)
{
	static const char *const open[] = {"[", "{", "(["}, *const shut[] = {"]", "}", "])"};
	buf_puts(to, "```mermaid\nflowchart TD\n");
	for (uint32_t i = 0; i < flow->box_count; i++) {
		buf_printf(to, "  n%u%s", i, open[flow->boxes[i].kind]);
		put_label(to, flow->boxes[i].label);
		buf_printf(to, "%s\n", shut[flow->boxes[i].kind]);
	}
	for (uint32_t i = 0; i < flow->arrow_count; i++) {
		const struct flow_arrow *a = &flow->arrows[i];
		buf_printf(to, "  n%u %s", a->from, a->to > a->from ? "-->" : "-.->");
		if (a->label[0]) {
			buf_puts(to, "|");
			put_label(to, a->label);
			buf_puts(to, "|");
		}
		buf_printf(to, " n%u\n", a->to);
	}
	buf_puts(to, "```\n\n");
}

static const char style[] =
	"<style>.box{fill:var(--panel);stroke:var(--soft)}.asks{stroke:var(--new);stroke-width:2}"
	"svg .boxtext{fill:var(--ink)}.arrow{stroke:var(--soft)}.back{stroke-dasharray:4 4}"
	"marker path{fill:var(--soft)}</style>\n";

/* --- SVG: a row for each distance from the beginning, along the longest way */

struct layout {
	uint32_t row[FLOW_BOXES_MAX], place[FLOW_BOXES_MAX], in_row[FLOW_BOXES_MAX];
	uint32_t rows, widest;
};

static void lay_out(const struct flow *flow, struct layout *l)
{
	memset(l, 0, sizeof *l);
	for (uint32_t i = 0; i < flow->box_count; i++)
		for (uint32_t k = 0; k < flow->arrow_count; k++) {
			const struct flow_arrow *a = &flow->arrows[k];
			if (a->to == i && a->from < i && l->row[a->from] + 1 > l->row[i])
				l->row[i] = l->row[a->from] + 1;
		}
	for (uint32_t i = 0; i < flow->box_count; i++) {
		l->place[i] = l->in_row[l->row[i]]++;
		l->rows = l->row[i] + 1 > l->rows ? l->row[i] + 1 : l->rows;
		l->widest = l->in_row[l->row[i]] > l->widest ? l->in_row[l->row[i]] : l->widest;
	}
}

static uint32_t width_of(const struct layout *l)
{
	return 2 * MARGIN + l->widest * (BOX_WIDTH + GAP_X);
}

static uint32_t left_of(const struct layout *l, uint32_t box)
{
	uint32_t used = l->in_row[l->row[box]] * (BOX_WIDTH + GAP_X) - GAP_X;
	return (width_of(l) - used) / 2 + l->place[box] * (BOX_WIDTH + GAP_X);
}

static uint32_t top_of(const struct layout *l, uint32_t box)
{
	return MARGIN + l->row[box] * (BOX_HEIGHT + GAP_Y);
}

/* The beginning of a label, so long as it fits into its box. */
static void put_shown(struct buf *to, const char *label)
{
	char shown[FLOW_LABEL_SIZE + 4];
	size_t size = 0;
	unsigned length, characters = 0;
	for (const char *at = label; *at && characters < SHOWN_MAX; at += length, characters++) {
		writer_character(at, &length);
		size += length;
	}
	memcpy(shown, label, size);
	text_copy(shown + size, sizeof shown - size, label[size] ? "\xe2\x80\xa6" : "");
	writer_escape(to, shown);
}

static void put_box(const struct flow *flow, const struct layout *l, uint32_t i, struct buf *to)
{
	static const unsigned round[] = {4, 4, 18};
	const struct flow_box *box = &flow->boxes[i];
	uint32_t x = left_of(l, i), y = top_of(l, i);
	buf_printf(to, "<g><title>");
	writer_escape(to, box->label);
	buf_printf(to,
		   "</title><rect class=\"box%s\" x=\"%u\" y=\"%u\" width=\"%d\" height=\"%d\" "
		   "rx=\"%u\"/><text class=\"boxtext\" x=\"%u\" y=\"%u\" text-anchor=\"middle\">",
		   box->kind == FLOW_QUESTION ? " asks" : "", x, y, BOX_WIDTH, BOX_HEIGHT,
		   round[box->kind], x + BOX_WIDTH / 2, y + BOX_HEIGHT / 2 + 4);
	put_shown(to, box->label);
	buf_puts(to, "</text></g>\n");
}

static void put_arrow(const struct layout *l, const struct flow_arrow *a, struct buf *to)
{
	bool back = a->to <= a->from;
	uint32_t x1 = left_of(l, a->from) + BOX_WIDTH / 2, x2 = left_of(l, a->to) + BOX_WIDTH / 2;
	uint32_t y1 = top_of(l, a->from) + BOX_HEIGHT, y2 = top_of(l, a->to);
	if (back) { /* beside the boxes */
		x1 += BOX_WIDTH / 2;
		x2 += BOX_WIDTH / 2;
		y1 -= BOX_HEIGHT / 2;
		y2 += BOX_HEIGHT / 2;
	}
	buf_printf(to,
		   "<line class=\"arrow%s\" x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\" "
		   "marker-end=\"url(#tip)\"/>\n",
		   back ? " back" : "", x1, y1, x2, y2);
	if (!a->label[0])
		return;
	buf_printf(to, "<text x=\"%u\" y=\"%u\" text-anchor=\"middle\">", (x1 + x2) / 2,
		   (y1 + y2) / 2 + 4);
	put_shown(to, a->label);
	buf_puts(to, "</text>\n");
}

void flow_svg(const struct flow *flow, struct buf *to)
{
	struct layout l;
	lay_out(flow, &l);
	buf_printf(to, "<svg class=\"flow\" viewBox=\"0 0 %u %u\" role=\"img\"><title>",
		   width_of(&l), 2 * MARGIN + l.rows * (BOX_HEIGHT + GAP_Y) - GAP_Y);
	writer_escape(to, flow->title);
	buf_puts(to,
		 "</title><defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" "
		 "markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/>"
		 "</marker></defs>\n");
	buf_puts(to, style);
	for (uint32_t i = 0; i < flow->arrow_count; i++)
		put_arrow(&l, &flow->arrows[i], to);
	for (uint32_t i = 0; i < flow->box_count; i++)
		put_box(flow, &l, i, to);
	buf_puts(to, "</svg>\n");
}
