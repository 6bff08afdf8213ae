/* SPDX-License-Identifier: Apache-2.0
 * chart - see chart.h for the contract. */
#include "report/chart.h"

#include <math.h>
#include <stdio.h>

#include "report/words.h"
#include "report/writer.h"

enum { WIDTH = 760, HEIGHT = 268, LEFT = 70, RIGHT = 12, TOP = 44, BOTTOM = 30, LINES = 4 };

static const double COUNTED_BELOW = 1e6, ROUNDING = 1e-9;

const char *chart_time(uint64_t ms, char to[32])
{
	snprintf(to, 32, "%llu:%02u.%u", (unsigned long long)(ms / 60000),
		 (unsigned)(ms / 1000 % 60), (unsigned)(ms / 100 % 10));
	return to;
}

static double x_of(const struct chart *c, double ms)
{
	double total = c->total_ms > 0 ? (double)c->total_ms : 1;
	return LEFT + (WIDTH - LEFT - RIGHT) * (ms < total ? ms : total) / total;
}

/* The value at the top: 1, 2 or 5 times a power of ten, or a power of ten. */
static double top_of(const struct chart *c)
{
	double most = c->limit, top;
	for (uint32_t i = 0; i < c->point_count; i++) {
		most = c->fresh[i] > most ? c->fresh[i] : most;
		most = c->two && c->live[i] > most ? c->live[i] : most;
	}
	if (c->logarithmic) {
		double power = ceil(log10(most > 10 ? most : 10));
		return pow(10, power < 12 ? power : 12);
	}
	most = most > 0.001 ? most * 1.05 : 0.001;
	top = pow(10, floor(log10(most)));
	return most <= top ? top : most <= 2 * top ? 2 * top : most <= 5 * top ? 5 * top : 10 * top;
}

static double y_of(const struct chart *c, double top, double value)
{
	double part = c->logarithmic ? log10(value > 1 ? value : 1) / log10(top) : value / top;
	part = part < 0 ? 0 : part > 1 ? 1 : part;
	return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * part;
}

static const char *value_text(const struct chart *c, double value, char to[32])
{
	char count[WORDS_SIZE];
	if (value < 0)
		snprintf(to, 32, "-");
	else if (c->logarithmic && value >= COUNTED_BELOW)
		snprintf(to, 32, "10^%d : 1", (int)floor(log10(value) + ROUNDING));
	else if (c->logarithmic && value < 1)
		snprintf(to, 32, "1 : %s", words_decimal(1 / (value > 1e-9 ? value : 1e-9), count));
	else if (c->logarithmic && value < 10)
		snprintf(to, 32, "%.2g : 1", value);
	else if (c->logarithmic)
		snprintf(to, 32, "%s : 1", words_decimal(value, count));
	else
		snprintf(to, 32, value >= 100 ? "%.0f%s" : "%.3g%s", value, c->unit);
	return to;
}

static void put_bands(const struct chart *c, struct buf *to)
{
	for (uint32_t i = 0; i < c->band_count; i++) {
		double from = x_of(c, (double)c->bands[i].at_ms);
		double until = x_of(c, i + 1 < c->band_count ? (double)c->bands[i + 1].at_ms
							     : (double)c->total_ms);
		if (i % 2 == 0)
			buf_printf(to,
				   "<rect class=\"band\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" "
				   "height=\"%d\"/>\n",
				   from, TOP, until - from, HEIGHT - TOP - BOTTOM);
		if (until - from < 30)
			continue;
		buf_printf(to, "<text x=\"%.1f\" y=\"%d\">", from + 4, TOP - 8);
		writer_escape(to, c->bands[i].label);
		buf_puts(to, "</text>\n");
	}
}

static void put_grid(const struct chart *c, double top, struct buf *to)
{
	char text[32];
	double decades = c->logarithmic ? log10(top) : LINES;
	unsigned lines = decades < LINES ? (unsigned)decades : LINES;
	for (unsigned i = 0; i <= lines; i++) {
		double value =
			c->logarithmic ? pow(10, floor(decades * i / lines)) : top * i / lines;
		double y = y_of(c, top, value);
		buf_printf(to,
			   "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>\n"
			   "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
			   LEFT, WIDTH - RIGHT, y, y, LEFT - 6, y + 4, value_text(c, value, text));
	}
	for (unsigned i = 0; i <= LINES; i++)
		buf_printf(to, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%s</text>\n",
			   x_of(c, (double)c->total_ms * i / LINES), HEIGHT - 10,
			   i == 0       ? "start"
			   : i == LINES ? "end"
					: "middle",
			   chart_time(c->total_ms * i / LINES, text));
}

/* A point alone is a line of no length, with round ends. */
static void put_line(const struct chart *c, double top, const double *values, const char *class,
		     struct buf *to)
{
	bool open = false;
	buf_printf(to, "<path class=\"%s\" stroke-linecap=\"round\" stroke-linejoin=\"round\" d=\"",
		   class);
	for (uint32_t i = 0; i < c->point_count; i++) {
		double middle = ((double)i + 0.5) * (double)c->point_ms;
		if (values[i] < 0) {
			open = false;
			continue;
		}
		buf_printf(to, "%s%.1f %.1f", open ? "L" : "M", x_of(c, middle),
			   y_of(c, top, values[i]));
		if (!open && (i + 1 == c->point_count || values[i + 1] < 0))
			buf_puts(to, "h0");
		open = true;
	}
	buf_puts(to, "\"/>\n");
}

static void put_limit(const struct chart *c, double top, struct buf *to)
{
	double y = y_of(c, top, c->limit);
	buf_printf(to,
		   "<line class=\"limit\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>\n"
		   "<text x=\"%d\" y=\"%.1f\">",
		   LEFT, WIDTH - RIGHT, y, y, LEFT + 6, y > TOP + 20 ? y - 5 : y + 14);
	writer_escape(to, c->limit_text);
	buf_puts(to, "</text>\n");
}

static void put_mark(const struct chart *c, struct buf *to)
{
	double x = x_of(c, (double)c->mark_ms);
	buf_printf(to,
		   "<line class=\"mark\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>\n"
		   "<text x=\"%.1f\" y=\"%d\" text-anchor=\"end\">",
		   x, x, TOP, HEIGHT - BOTTOM, x - 5, TOP + 14);
	writer_escape(to, c->mark_text);
	buf_puts(to, "</text>\n");
}

void chart_svg(const struct chart *c, struct buf *to)
{
	double top = top_of(c);
	buf_printf(to,
		   "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"%s-t %s-d\">\n"
		   "<title id=\"%s-t\">",
		   WIDTH, HEIGHT, c->id, c->id, c->id);
	writer_escape(to, c->title);
	buf_printf(to, "</title>\n<desc id=\"%s-d\">", c->id);
	writer_escape(to, c->description);
	buf_puts(to, "</desc>\n");
	put_bands(c, to);
	put_grid(c, top, to);
	if (c->limit > 0)
		put_limit(c, top, to);
	if (c->mark_ms > 0)
		put_mark(c, to);
	if (c->two)
		put_line(c, top, c->live, "live", to);
	put_line(c, top, c->fresh, "new", to);
	buf_printf(to, "<text class=\"newtext\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n",
		   WIDTH - RIGHT - (c->two ? 124 : 0), 14, "\xe2\x94\x80\xe2\x94\x80 new release");
	if (c->two)
		buf_printf(to,
			   "<text class=\"livetext\" x=\"%d\" y=\"%d\" "
			   "text-anchor=\"end\">%s</text>\n",
			   WIDTH - RIGHT, 14, "\xe2\x95\xb4 \xe2\x95\xb4 live release");
	buf_puts(to, "</svg>\n");
}

static const char *label_at(const struct chart *c, uint64_t ms)
{
	const char *label = "";
	for (uint32_t i = 0; i < c->band_count && c->bands[i].at_ms <= ms; i++)
		label = c->bands[i].label;
	return label;
}

void chart_table(const struct chart *c, struct writer *w, uint32_t rows)
{
	const char *titles[] = {"until", "step", "new release", "live release"};
	char time[32], fresh[32], live[32];
	uint32_t count = c->point_count < rows ? c->point_count : rows;
	w->ops->table(w, "", titles, c->two ? 4 : 3);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t p = (i + 1) * c->point_count / count - 1;
		uint64_t end = (p + 1) * c->point_ms;
		end = end < c->total_ms ? end : c->total_ms;
		const struct writer_cell cells[] = {
			{chart_time(end, time), WRITER_NUMBER},
			{label_at(c, p * c->point_ms), WRITER_PLAIN},
			{value_text(c, c->fresh[p], fresh), WRITER_NUMBER},
			{c->two ? value_text(c, c->live[p], live) : "", WRITER_NUMBER}};
		w->ops->row(w, cells, c->two ? 4 : 3);
	}
	w->ops->table_end(w);
}
